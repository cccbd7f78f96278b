"""Neovim as a second client: set up by the lines of its page, it shows what any other client is told."""

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
LOOK = Path(__file__).with_name("look.lua")
NEOVIM = shutil.which("nvim")
TEXT = "".join(f"line {number}\n" for number in range(1, 21))

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.skipif(NEOVIM is None, reason="Neovim is not installed: apt install neovim"),
]


def version() -> tuple[int, int]:
    said = subprocess.run([str(NEOVIM), "--version"], capture_output=True, text=True, check=True).stdout
    found = re.match(r"NVIM v(\d+)\.(\d+)", said)
    assert found, said
    return int(found[1]), int(found[2])


def documented_setup() -> str:
    """The lines that docs/editors/neovim.md gives for this version of Neovim."""
    page = (HOUSE / "docs" / "editors" / "neovim.md").read_text()
    heading = "## Neovim 0.11 and newer" if version() >= (0, 11) else "## Neovim 0.7 to 0.10"
    found = re.search(re.escape(heading) + r"\n\n```lua\n(.*?)```", page, re.DOTALL)
    assert found
    return found[1]


def run_neovim(file: Path, scratch: Path, typed_line: int, typed: str) -> dict[str, Any]:
    setup, seen = scratch / "init.lua", scratch / "seen.json"
    setup.write_text(documented_setup())
    command = [str(NEOVIM), "--headless", "-u", str(setup), "-n", "-i", "NONE", str(file), "-c", f"luafile {LOOK}"]
    own = {"SEEN": str(seen), "TYPED_LINE": str(typed_line), "TYPED": typed, "XDG_STATE_HOME": str(scratch)}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command, cwd=file.parent, env={**os.environ, **own, "PATH": path}, capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result: dict[str, Any] = json.loads(seen.read_text())
    return result


async def test_neovim_shows_what_every_client_is_told(repo: Path, tmp_path: Path) -> None:
    commit(repo, {"a.txt": TEXT})
    mine, theirs = add_worktree(repo, "mine"), add_worktree(repo, "theirs", branch="feature/theirs")
    write(mine, {"a.txt": TEXT.replace("line 5\n", "mine\n")})
    write(theirs, {"a.txt": TEXT.replace("line 5\n", "theirs\n")})
    git(repo, "config", "sidecar.show", "everything")
    file = mine / "a.txt"
    async with editing(mine) as editor:
        editor.open(file)
        await editor.until(lambda: editor.codes(file))
        told = [
            {
                "code": found.code,
                "severity": int(found.severity or 0),
                "source": found.source,
                "message": found.message,
                "range": [
                    found.range.start.line,
                    found.range.start.character,
                    found.range.end.line,
                    found.range.end.character,
                ],
            }
            for found in editor.published[file.as_uri()].diagnostics
        ]
    assert [found["code"] for found in told] == ["conflict"]
    seen = run_neovim(file, tmp_path, 5, "theirs")
    assert seen["opened"] == told
    assert [found["code"] for found in seen["typed"]] == ["identical"]
    assert seen["undone"] == told
    assert seen["actions"][:2] == ["Compare with theirs's version", "Take theirs's version of these lines"]
    assert seen["actions"][2:] == ["Merge theirs into trunk", "Merge trunk into this worktree"]
