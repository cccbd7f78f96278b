"""The same merge by plain git in trunk's checkout and by `sidecar merge`; each is taken back afterwards."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.real_tools import PACKAGES
from tests.cli.conftest import spawn
from tests.harness import git

Said = dict[str, Any]


@dataclass(frozen=True)
class Merged:
    """What came of a merge: the tree of trunk afterwards (its id), the message and the author; or the refusal."""

    tree: str | None
    message: str = ""
    author: str = ""


REFUSED = Merged(None)


def do(folder: Path, *command: str | Path, check: bool = True, **variables: str) -> str:
    """Run a tool as a person does, all of the test's environment around it; what it said."""
    done = subprocess.run(
        [os.fspath(word) for word in command],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    said = done.stdout + done.stderr
    assert not check or done.returncode == 0, f"{command}: {said}"
    return said


def by_git(main: Path, branch: str, message: str = "feat: take it") -> Merged:
    before = git(main, "rev-parse", "HEAD")
    do(main, "git", "merge", "--no-ff", "-m", message, branch, check=False)
    return _taken_back(main, before)


def by_sidecar(main: Path, branch: str, message: str = "feat: take it", **settings: str) -> Merged:
    """The same by the command, consented to; `settings` are those of `sidecar.*`. A refusal leaves trunk alone."""
    before, status = git(main, "rev-parse", "HEAD"), git(main, "status", "--porcelain")
    for name, value in settings.items():
        git(main, "config", f"sidecar.{name}", value)
    ended = spawn(main, "merge", branch, "--yes", "--json", "--message", message)
    assert ended.out, ended.err
    if git(main, "rev-parse", "HEAD") == before:
        print(ended.out, ended.err)
        assert git(main, "status", "--porcelain") == status
    return _taken_back(main, before)


def _taken_back(main: Path, before: str) -> Merged:
    after = git(main, "rev-parse", "HEAD")
    said = git(main, "show", "-s", "--format=%T%n%an <%ae>%n%B", after)
    do(main, "git", "reset", "-q", "--hard", before)
    if after == before:
        return REFUSED
    tree, author, message = said.split("\n", 2)
    return Merged(tree, message.strip(), author)


def asked(folder: Path, *arguments: str | Path) -> Said:
    """The object that `sidecar ... --json` prints."""
    ended = spawn(folder, *arguments, "--json")
    assert ended.out, ended.err
    said: Said = json.loads(ended.out)
    return said


def install_packages(checkout: Path) -> None:
    """As `npm ci` leaves them: `node_modules` in a checkout, which git ignores."""
    do(checkout, "cp", "-a", PACKAGES, "node_modules")
