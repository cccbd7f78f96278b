"""A sidecar directory that may not be looked into, left by a sudo or a container: reading goes on, writing says why."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Sidecar
from tests.harness import add_worktree, commit

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can give files to another user")


@contextmanager
def nobody() -> Iterator[None]:
    """Root takes on the user who may do least; its git does so too."""
    os.setresgid(65534, 65534, 0)
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)


@pytest.fixture
def directory(repo: Path, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sidecar directory, of root, in a repository of nobody's with a receipt and two that conflict."""
    for name in ("one", "two"):
        commit(add_worktree(repo, name), {"README.md": f"{name}\n"})
    commit(add_worktree(repo, "done"), {"done.txt": "done\n"})
    assert sidecar(repo, "merge", "done", "--yes").status == 0
    for command in ("check README.md", "doctor", "overlaps one two", "release one --dry-run", "uninstall --dry-run"):
        sidecar(repo, *command.split())  # nobody may not import what root has installed
    subprocess.run(["chown", "--recursive", "65534:65534", repo.parent], check=True)
    for above in repo.parents[:4]:
        above.chmod(above.stat().st_mode | 0o055)
    for name in ("GIT_CONFIG_GLOBAL", "HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, os.devnull)
    folder = repo / ".git" / "sidecar"
    subprocess.run(["chown", "--recursive", "0:0", folder], check=True)
    return folder


def why(folder: Path) -> str:
    mend = f"If you made it with sudo or in a container: sudo chown -R 65534 {folder}"
    return f"{folder} belongs to another user. Nothing is done with it. {mend}"


@pytest.mark.parametrize(
    ("command", "status"),
    [("status", 0), ("overlaps", 2), ("check README.md", 0), ("plan", 0), ("overlaps one two", 2)],
)
def test_what_only_looks_answers(repo: Path, directory: Path, sidecar: Sidecar, command: str, status: int) -> None:
    with nobody():
        ended = sidecar(repo, *command.split())
    assert (ended.status, ended.err) == (status, "")
    assert "one" in ended.out and directory.is_dir()


@pytest.mark.parametrize(
    "command",
    [
        *("restore", "restore --empty --yes", "restore merge-20260101-000000", "uninstall --yes"),
        *("open new", "keep one", "merge one --yes", "update one --yes", "release done --yes"),
    ],
)
def test_what_would_write_says_why_not(repo: Path, directory: Path, sidecar: Sidecar, command: str) -> None:
    with nobody():
        ended = sidecar(repo, *command.split())
    assert ended.status in (1, 2)
    assert (ended.out + ended.err).count(why(directory)) == 1


def test_the_doctor_says_what_is_not_known(repo: Path, directory: Path, sidecar: Sidecar) -> None:
    with nobody():
        ended = sidecar(repo, "doctor", "--json")
    checks = {one["name"]: (one["said"], one["mend"]) for one in json.loads(ended.out)["checks"]}
    assert checks["sidecar directory"] == (str(directory), why(directory))
    assert checks["restorable"] == ("can't be read", why(directory))
