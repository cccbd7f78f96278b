"""When something is told: quiet, streams and locks."""

import time
from pathlib import Path

from sidecar.watch.events import Batch
from sidecar.watch.gathering import HELD, PAUSE, TOO_MANY, Gathering
from sidecar.watch.tree import Tree, identify
from tests.harness import add_worktree, init
from tests.watch.support import git_target, plain, worktree

AGES = 1000.0


def trees(repo: Path) -> tuple[Tree, Tree]:
    """The worktree and its git directory."""
    both = Tree(worktree(repo), str(repo)), Tree(git_target(repo / ".git"), str(repo / ".git"))
    assert all(identify(each) for each in both)
    return both


def due_after(gathering: Gathering, since: float) -> float:
    due = gathering.due()
    assert due is not None
    return due - since


def test_told_when_quiet(repo: Path) -> None:
    gathering = Gathering(quiet=AGES, longest=2 * AGES)
    files, git = trees(repo)
    assert gathering.due() is None
    gathering.changed(files, "a")
    gathering.changed(git, "objects/x")
    now = time.monotonic()
    gathering.changed(git, "HEAD")
    assert gathering.take() is None
    assert due_after(gathering, now) <= HELD  # whatever the settings, nobody waits for longer


def test_a_stream_is_told_in_parts(repo: Path) -> None:
    gathering = Gathering(quiet=AGES, longest=0)
    files, _ = trees(repo)
    gathering.changed(files, "a")
    batch = gathering.take()
    assert batch
    assert batch.files == {files.key: {"a"}}
    assert gathering.due() is None


def test_one_worktree_does_not_wait_for_another(repo: Path) -> None:
    quick = Gathering(quiet=0, longest=AGES)
    files, git = trees(repo)
    other = Tree(worktree(add_worktree(repo, "other")), str(repo.parent / "other"))
    assert identify(other)
    (repo / ".git/index.lock").touch()
    quick.changed(git, "index.lock")
    quick.changed(files, "a")
    quick.changed(other, "b")
    batch = quick.take()
    assert batch
    assert batch.files == {other.key: {"b"}}


def test_a_lock_asks_for_a_longer_quiet(repo: Path) -> None:
    gathering = Gathering(quiet=0, longest=0)
    files, git = trees(repo)
    (repo / ".git/index.lock").touch()
    gathering.everything(git)  # the lock may be there when the watching begins, or after an overflow
    now = time.monotonic()
    gathering.changed(files, "f")
    assert now + PAUSE <= due_after(gathering, 0) <= time.monotonic() + PAUSE
    (repo / ".git/index.lock").unlink()
    gathering.changed(git, "index.lock")
    assert gathering.take() == Batch({files.key: frozenset({"f"})}, frozenset(), frozenset({git.key}))


def test_after_a_lock_the_time_runs_anew(repo: Path) -> None:
    gathering = Gathering(quiet=HELD / 2, longest=HELD / 2)
    files, git = trees(repo)
    (repo / ".git/index.lock").touch()
    gathering.changed(git, "index.lock")
    gathering.changed(files, "f")
    (repo / ".git/index.lock").unlink()
    now = time.monotonic()
    gathering.changed(git, "index.lock")
    assert due_after(gathering, now) >= HELD / 2


def test_a_worktree_joins_its_git_directory_when_it_gets_one(tmp_path: Path) -> None:
    files = Tree(plain(tmp_path), str(tmp_path))
    assert identify(files)
    assert files.group == str(tmp_path)
    init(tmp_path)
    Gathering(0, 0).changed(files, ".git")
    assert files.group == str(tmp_path / ".git")


def test_too_many_paths_become_a_rescan(repo: Path) -> None:
    gathering = Gathering(quiet=0, longest=0)
    files, _ = trees(repo)
    for number in range(TOO_MANY + 2):
        gathering.changed(files, f"{number}")
    assert gathering.take() == Batch({}, frozenset({files.key}), frozenset())


def test_what_is_no_longer_followed_is_not_told(repo: Path) -> None:
    gathering = Gathering(quiet=0, longest=0)
    files, git = trees(repo)
    gathering.changed(files, "a")
    gathering.forget(files.key)
    assert gathering.due() is None
    gathering.everything(files)
    gathering.everything(git)
    gathering.forget(files.key)
    assert gathering.take() == Batch({}, frozenset(), frozenset({git.key}))
