"""Which git there is; the shims stand for gits that this machine has not."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.git.process import BATCHED_MERGES, OLDEST, git_version
from sidecar.model.findings import Failure
from sidecar.session.once import look
from tests.harness import add_worktree, write

Shim = Callable[[str], None]


@pytest.fixture
def git_that_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shim:
    """Puts a git on PATH that answers `version` so, and is the real one in all else."""

    def place(said: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        script = folder / "git"
        script.write_text(
            '#!/bin/sh\nfor word; do if [ "$word" = version ]; then echo "' + said + '"; exit; fi; done\n'
            f'exec {shutil.which("git")} "$@"\n'
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    return place


def test_this_git_will_do() -> None:
    version = git_version()
    assert not isinstance(version, Failure)
    assert version >= OLDEST


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("git version 2.38.0", (2, 38, 0)),
        ("git version 2.39.5 (Apple Git-154)", (2, 39, 5)),
        ("git version 2.47.1.windows.2", (2, 47, 1)),
        ("git version 2.50.0-rc1", (2, 50, 0)),
        ("git version 2.45.GIT", (2, 45)),
        ("git version 3.0.0", (3, 0, 0)),
        ("git version 2.100.0", (2, 100, 0)),
    ],
)
def test_versions_as_builds_spell_them(git_that_says: Shim, said: str, version: tuple[int, ...]) -> None:
    git_that_says(said)
    assert git_version() == version


@pytest.mark.parametrize("said", ["git version 2.37.9", "git version 2.9.5", "git version 1.8.3.1"])
def test_too_old(git_that_says: Shim, said: str) -> None:
    git_that_says(said)
    failure = git_version()
    assert isinstance(failure, Failure)
    assert failure.code == "git-too-old"
    shown = said.split()[2].rsplit(".", said.count(".") - 2)[0]
    assert failure.message == f"git {shown} is too old. Install git 2.38 or newer."


def test_a_git_that_is_another_now_is_asked_again(git_that_says: Shim, tmp_path: Path) -> None:
    git_that_says("git version 2.38.1")
    assert git_version() == git_version() == (2, 38, 1)
    script = tmp_path / "bin/git"
    script.write_text(script.read_text().replace("2.38.1", "2.50.10"))
    assert git_version() == (2, 50, 10)
    script.unlink()
    assert git_version() == _of_this_machine()


def test_a_git_is_asked_once(git_that_says: Shim, tmp_path: Path) -> None:
    git_that_says(f"git version 2.38.1$(echo asked >> '{tmp_path}/asked')")
    for _ in range(3):
        assert git_version() == (2, 38, 1)
    assert (tmp_path / "asked").read_text() == "asked\n"


def _of_this_machine() -> tuple[int, ...]:
    said = subprocess.run(["git", "version"], check=True, capture_output=True, text=True).stdout
    return tuple(int(part) for part in said.split()[2].split(".")[:3])


def test_something_else_called_git(git_that_says: Shim) -> None:
    git_that_says("Hello")
    failure = git_version()
    assert isinstance(failure, Failure)
    assert failure == Failure("git-missing", "git does not say its version, but: Hello")


def test_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    failure = git_version()
    assert isinstance(failure, Failure)
    assert failure.code == "git-missing"
    assert "Install git" in failure.message


def test_a_git_before_2_39_merges_pair_by_pair(repo: Path, git_that_says: Shim) -> None:
    """The same answers without `merge-tree --stdin`."""
    first, second = add_worktree(repo, "first"), add_worktree(repo, "second")
    write(first, {"README.md": "# One\n", "same": "s\n"})
    write(second, {"README.md": "# Two\n", "same": "s\n"})
    now = look(repo)
    git_that_says("git version 2.38.1")
    version = git_version()
    assert not isinstance(version, Failure)
    assert version < BATCHED_MERGES
    then = look(repo)
    assert not isinstance(now, Failure) and not isinstance(then, Failure)
    assert then.overlaps == now.overlaps
    assert [overlap.verdict for overlap in then.overlaps] == ["conflict", "identical"]
