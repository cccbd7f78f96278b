"""When something is told: quiet, streams and locks."""

import time
from pathlib import Path

import pytest

from sidecar.watch.batching import HELD, PAUSE, TOO_MANY, Batcher, Deed
from sidecar.watch.events import Batch
from sidecar.watch.tree import Tree, identify
from tests.harness import add_worktree, init
from tests.watch.support import git_target, plain, worktree

AGES = 1000.0


def trees(repo: Path) -> tuple[Tree, Tree]:
    """The worktree and its git directory."""
    both = Tree(worktree(repo), str(repo)), Tree(git_target(repo / ".git"), str(repo / ".git"))
    assert all(identify(each) for each in both)
    return both


def due_after(batcher: Batcher, since: float) -> float:
    due = batcher.due()
    assert due is not None
    return due - since


def test_told_when_quiet(repo: Path) -> None:
    batcher = Batcher(quiet=AGES, longest=2 * AGES)
    files, git = trees(repo)
    assert batcher.due() is None
    batcher.changed(files, "a")
    batcher.changed(git, "objects/x")
    now = time.monotonic()
    batcher.changed(git, "HEAD")
    assert batcher.take() is None
    assert due_after(batcher, now) <= HELD  # whatever the settings, nobody waits for longer


def test_a_stream_is_told_in_parts(repo: Path) -> None:
    batcher = Batcher(quiet=AGES, longest=0)
    files, _ = trees(repo)
    batcher.changed(files, "a")
    batch = batcher.take()
    assert batch
    assert batch.files == {files.key: {"a"}}
    assert batcher.due() is None


IN_PLACE = (("f", Deed.WRITTEN),)
BY_RENAME = (("new", Deed.CREATED), ("new", Deed.WRITTEN), ("new", Deed.LEFT), ("f", Deed.ARRIVED))
WITH_A_BACKUP = (("f", Deed.LEFT), ("f~", Deed.ARRIVED), ("f", Deed.CREATED), ("f", Deed.WRITTEN), ("f~", Deed.LEFT))


@pytest.mark.parametrize("deeds", [IN_PLACE, BY_RENAME])
def test_a_save_by_itself_is_told_at_once(repo: Path, deeds: tuple[tuple[str, Deed], ...]) -> None:
    batcher = Batcher(quiet=AGES, longest=AGES)
    files, _ = trees(repo)
    for path, deed in deeds[:-1]:
        batcher.changed(files, path, deed)
        assert batcher.take() is None
    batcher.changed(files, *deeds[-1])
    batch = batcher.take()
    assert batch
    assert batch.files == {files.key: {path for path, _ in deeds}}


@pytest.mark.parametrize("count", range(1, len(WITH_A_BACKUP) + 1))
def test_a_file_that_has_left_its_place_is_not_told_before_it_is_quiet(repo: Path, count: int) -> None:
    batcher = Batcher(quiet=AGES, longest=AGES)
    files, _ = trees(repo)
    for path, deed in WITH_A_BACKUP[:count]:
        batcher.changed(files, path, deed)
    assert batcher.take() is None


def test_of_several_saves_the_first_is_told_at_once_and_the_rest_together(repo: Path) -> None:
    batcher = Batcher(quiet=AGES, longest=AGES, calm=AGES)
    files, _ = trees(repo)
    batcher.changed(files, "one", Deed.WRITTEN)
    assert batcher.take() == Batch({files.key: frozenset({"one"})}, frozenset(), frozenset())
    for path in ("two", "three"):
        batcher.changed(files, path, Deed.WRITTEN)
        assert batcher.take() is None


def test_a_save_beside_what_git_does_is_told_with_it(repo: Path) -> None:
    batcher = Batcher(quiet=AGES, longest=AGES)
    files, git = trees(repo)
    batcher.changed(git, "HEAD")
    batcher.changed(files, "f", Deed.WRITTEN)
    assert batcher.take() is None


def test_one_worktree_does_not_wait_for_another(repo: Path) -> None:
    quick = Batcher(quiet=0, longest=AGES)
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
    batcher = Batcher(quiet=0, longest=0)
    files, git = trees(repo)
    (repo / ".git/index.lock").touch()
    batcher.everything(git)  # the lock may be there when the watching begins, or after an overflow
    now = time.monotonic()
    batcher.changed(files, "f")
    assert now + PAUSE <= due_after(batcher, 0) <= time.monotonic() + PAUSE
    (repo / ".git/index.lock").unlink()
    batcher.changed(git, "index.lock")
    assert batcher.take() == Batch({files.key: frozenset({"f"})}, frozenset(), frozenset({git.key}))


def test_after_a_lock_the_time_runs_anew(repo: Path) -> None:
    batcher = Batcher(quiet=HELD / 2, longest=HELD / 2)
    files, git = trees(repo)
    (repo / ".git/index.lock").touch()
    batcher.changed(git, "index.lock")
    batcher.changed(files, "f")
    (repo / ".git/index.lock").unlink()
    now = time.monotonic()
    batcher.changed(git, "index.lock")
    assert due_after(batcher, now) >= HELD / 2


def test_a_worktree_joins_its_git_directory_when_it_gets_one(tmp_path: Path) -> None:
    files = Tree(plain(tmp_path), str(tmp_path))
    assert identify(files)
    assert files.group == str(tmp_path)
    init(tmp_path)
    Batcher(0, 0).changed(files, ".git")
    assert files.group == str(tmp_path / ".git")


def test_too_many_paths_become_a_rescan(repo: Path) -> None:
    batcher = Batcher(quiet=0, longest=0)
    files, _ = trees(repo)
    for number in range(TOO_MANY + 2):
        batcher.changed(files, f"{number}")
    assert batcher.take() == Batch({}, frozenset({files.key}), frozenset())


def test_what_is_no_longer_followed_is_not_told(repo: Path) -> None:
    batcher = Batcher(quiet=0, longest=0)
    files, git = trees(repo)
    batcher.changed(files, "a")
    batcher.forget(files.key)
    assert batcher.due() is None
    batcher.everything(files)
    batcher.everything(git)
    batcher.forget(files.key)
    assert batcher.take() == Batch({}, frozenset(), frozenset({git.key}))
