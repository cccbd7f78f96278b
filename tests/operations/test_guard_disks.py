"""The guard and its restorations on a full disk and in a store that can't be written: said, tried again, not lost."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.records import RestoreResult
from sidecar.operations.recovery import recover_all
from sidecar.operations.restore import restore
from tests.git.leaving import DEADLINE, eventually
from tests.harness import git, write
from tests.harness.states import Standing, allows, build_at_work
from tests.harness.whole import Whole, as_kept, whole
from tests.operations.guarding import guarding, states, wait_until_kept
from tests.operations.test_other_disk import disk
from tests.operations.test_wiped import present_tree

pytestmark = pytest.mark.skipif(not allows("mount"), reason="this machine does not allow: mount")


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Standing]:
    with disk(tmp_path / "small", "4M") as small:
        standing = build_at_work(small)
        write(standing.worktree, {".env": "SECRET=1\n"})
        yield standing


@contextmanager
def full(at: Standing) -> Iterator[None]:
    """No room at all on the disk of the repository."""
    filler = at.main.parent / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(bytes(4096))
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def unwritable(at: Standing) -> Iterator[None]:
    """An object store that can be read only."""
    store = str(at.main / ".git/objects")
    subprocess.run(["mount", "--bind", store, store], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", store], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", store], check=True)


WITHOUT_ROOM = {"a full disk": full, "a store that can only be read": unwritable}


def work_on(at: Standing) -> None:
    """Edit an ignored file and another one in place, which takes no room."""
    for name in (".env", "src/b.txt"):
        with (at.worktree / name).open("r+") as file:
            file.write("OTHER")


def kept_ignored(at: Standing) -> set[str]:
    return {file.read_text() for file in (at.main / ".git/sidecar/guard").rglob("*") if file.is_file()}


def give(at: Standing, receipt: str) -> RestoreResult:
    back = restore(at.main, receipt, Options())
    assert not isinstance(back, Failure), back
    return back


def check_whole(at: Standing) -> None:
    assert subprocess.run(["git", "fsck", "--strict"], cwd=at.main, capture_output=True, check=False).returncode == 0
    assert not (at.main / ".git/sidecar/journal").exists()
    assert list(at.main.parent.glob(".sidecar-*")) == []


@pytest.mark.parametrize("why", WITHOUT_ROOM)
def test_what_cannot_be_kept_is_said_once_and_kept_as_soon_as_it_can_be(why: str, at: Standing) -> None:
    with guarding(at) as told:
        wait_until_kept(at, "untracked.txt")
        first = states(at)
        with WITHOUT_ROOM[why](at):
            work_on(at)
            assert "can't be kept" in told.troubles.get(timeout=DEADLINE)
            assert [one.commit for one in states(at)][-len(first) :] == [one.commit for one in first]
        wanted = present_tree(at)
        eventually(lambda: states(at)[0].tree == wanted)
        eventually(lambda: "OTHERT=1\n" in kept_ignored(at))
        assert told.vanished.empty()
        assert told.wiped.empty()
    check_whole(at)


@pytest.mark.parametrize("why", WITHOUT_ROOM)
def test_wiped_work_comes_back_as_soon_as_it_can_and_nothing_is_changed_before(why: str, at: Standing) -> None:
    write(at.worktree, {"src/b.txt": "my work\n" * 2000})
    with guarding(at) as told:
        eventually(lambda: states(at)[0].tree == present_tree(at) if states(at) else False)
        at.git("restore", "src/b.txt")
        receipt = told.wiped.get(timeout=DEADLINE).receipt
    write(at.worktree, {"notes.md": "later\n"})
    before = as_kept(whole(at.worktree))
    with WITHOUT_ROOM[why](at):
        failed = give(at, receipt)
        assert failed.outcome in ("failed", "refused"), failed
        assert files(as_kept(whole(at.worktree))) == files(before)
    assert all(one.severity == "info" for one in recover_all(at.main))
    assert give(at, receipt).outcome == "restored"
    assert (at.worktree / "src/b.txt").read_text() == "my work\n" * 2000
    assert (at.worktree / "notes.md").read_text() == "later\n"
    check_whole(at)


def test_one_that_vanished_comes_back_as_soon_as_there_is_room(at: Standing) -> None:
    write(at.worktree, {"large.txt": "".join(f"line {number}\n" for number in range(20_000))})
    before = as_kept(whole(at.worktree))
    with guarding(at) as told:
        wait_until_kept(at, "large.txt")
        shutil.rmtree(at.worktree)
        git(at.main, "worktree", "prune")
        git(at.main, "branch", "-D", "feat-1")
        receipt = told.vanished.get(timeout=DEADLINE).receipt
    with full(at):
        assert give(at, receipt).outcome in ("failed", "refused")
        assert not at.worktree.exists()
    assert all(one.severity == "info" for one in recover_all(at.main))
    assert give(at, receipt).outcome == "restored"
    assert as_kept(whole(at.worktree)) == before
    check_whole(at)


def files(found: Whole) -> Whole:
    return {key: one for key, one in found.items() if key.startswith("file ")}
