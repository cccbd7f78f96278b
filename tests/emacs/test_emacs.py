"""Emacs with Eglot as a third client: set up by the lines of its page, it shows what any client is told, and merges."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.harness import add_worktree, commit, git, write
from tests.lsp.editor import editing

HOUSE = Path(__file__).parents[2]
LOOK = Path(__file__).with_name("look.el")
EMACS = shutil.which("emacs")
TEXT = "".join(f"line {number}\n" for number in range(1, 21))


def has_eglot() -> bool:
    """Emacs 29 brings it; before, it is a package."""
    if EMACS is None:
        return False
    find = ("--batch", "-f", "package-initialize", "--eval", '(kill-emacs (if (locate-library "eglot") 0 1))')
    return subprocess.run([EMACS, *find], capture_output=True, check=False).returncode == 0


pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.usefixtures("author"),
    pytest.mark.skipif(not has_eglot(), reason="Emacs with Eglot is not installed: apt install emacs-nox elpa-eglot"),
]


@pytest.fixture
def author(home: Path) -> None:
    (home / ".gitconfig").write_text("[user]\n\tname = Ada Harness\n\temail = ada@example.com\n")


def documented_setup() -> str:
    """The lines that docs/editors/emacs.md gives for Eglot."""
    page = (HOUSE / "docs" / "editors" / "emacs.md").read_text()
    found = re.search(r"## Eglot\n.*?```elisp\n(.*?)```", page, re.DOTALL)
    assert found
    return found[1]


def run_emacs(file: Path, scratch: Path, *, typed: str, merged: str) -> dict[str, Any]:
    setup, seen = scratch / "init.el", scratch / "seen.json"
    setup.write_text(documented_setup())
    command = [str(EMACS), "--batch", "-f", "package-initialize", "-l", str(setup), "-l", str(LOOK)]
    own = {"FILE": str(file), "SEEN": str(seen), "TYPED_LINE": "5", "TYPED": typed, "MERGED": merged}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command,
        cwd=file.parent,
        env={**os.environ, **own, "PATH": path},
        input="Merge\n",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result: dict[str, Any] = json.loads(seen.read_text())
    return result


async def test_emacs_shows_what_every_client_is_told_and_merges(repo: Path, tmp_path: Path) -> None:
    commit(repo, {"a.txt": TEXT})
    mine, theirs = add_worktree(repo, "mine"), add_worktree(repo, "theirs", branch="feature/theirs")
    commit(theirs, {"a.txt": TEXT.replace("line 5\n", "theirs\n")}, "Change line 5")
    write(mine, {"a.txt": TEXT.replace("line 5\n", "mine\n")})
    git(repo, "config", "sidecar.show", "everything")
    file = mine / "a.txt"
    async with editing(mine) as editor:
        editor.open(file)
        await editor.until(lambda: editor.codes(file))
        told = [(found.range.start.line + 1, found.message) for found in editor.published[file.as_uri()].diagnostics]
    seen = run_emacs(file, tmp_path, typed="theirs", merged="theirs")
    assert [line for line, _ in seen["opened"]] == [line for line, _ in told] == [5]
    assert told[0][1] in seen["opened"][0][1]
    assert [line for line, _ in seen["typed"]] == [5] and "identical" in seen["typed"][0][1]
    assert seen["undone"] == seen["opened"]
    assert seen["actions"][:2] == ["Compare with theirs's version", "Take theirs's version of these lines"]
    assert git(repo, "log", "-1", "--format=%s", "main") == "Merge branch 'feature/theirs'"
