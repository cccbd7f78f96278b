"""The guard: what a worktree had a moment ago comes back after something else deleted it, branch and all."""

import io
import json
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import pytest

from sidecar.git.snapshot.values import Watcher
from sidecar.git.snapshot.write import write_snapshot
from sidecar.model.findings import Failure
from sidecar.operations.guard import keeping, writing
from sidecar.operations.guard.keeping import Vanished, open_guard
from sidecar.operations.guard.records import Guarded, guard_ref, guarded
from sidecar.operations.release.apply import apply_release
from sidecar.operations.release.plan import plan_release
from sidecar.operations.restore import list_restorable, restore
from sidecar.session.live import open_session
from sidecar.session.sources import Options
from tests.git.leaving import DEADLINE, eventually
from tests.harness import git, write
from tests.harness.repository import add_worktree
from tests.harness.states import Standing, build_at_work, build_standing
from tests.harness.whole import whole


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps what there is without waiting for anybody's work to come to rest."""
    monkeypatch.setattr(keeping, "QUIET", 0.05)
    monkeypatch.setattr(keeping, "AT_MOST_EVERY", 0.2)
    monkeypatch.setattr(keeping, "SHARE", 0)


@pytest.fixture
def at(tmp_path: Path) -> Standing:
    """A worktree with a commit, a staged, an unstaged and an untracked change that trunk lacks."""
    standing = build_at_work(tmp_path)
    write(standing.worktree, {".env": "SECRET=1\n"})
    return standing


@contextmanager
def guarding(at: Standing, **settings: object) -> Iterator["Queue[Vanished]"]:
    """A session with a guard on its Pictures, and what the guard tells."""
    told: Queue[Vanished] = Queue()
    options = Options(editor=settings)
    guard = open_guard(at.main, options, told.put)
    session = open_session(at.main, options, guard.see)
    assert not isinstance(session, Failure)
    try:
        yield told
    finally:
        session.close()
        guard.close()


def wait_until_kept(at: Standing, tree_has: str) -> None:
    """Wait until a ref and a record of the guard name a state with a file of that name."""

    def is_kept() -> bool:
        refs = git(at.main, "for-each-ref", "--format=%(objectname)", "refs/sidecar/guard").split()
        kept = {*refs} & {one.commit for one in guarded(at.main / ".git/sidecar")}
        return any(tree_has in git(at.main, "ls-tree", "-r", "-t", "--name-only", commit) for commit in kept)

    eventually(is_kept)


def destroy(at: Standing) -> None:
    shutil.rmtree(at.worktree)
    git(at.main, "worktree", "prune")
    git(at.main, "branch", "-D", "feat-1")
    git(at.main, "reflog", "expire", "--expire=now", "--all")
    git(at.main, "gc", "--quiet", "--prune=now")


def test_a_worktree_that_something_else_deleted_is_told_at_once_and_comes_back(at: Standing) -> None:
    before = whole(at.worktree, {".env"})
    with guarding(at) as told:
        wait_until_kept(at, "untracked.txt")
        destroy(at)
        vanished = told.get(timeout=DEADLINE)
        assert (vanished.name, vanished.branch, vanished.path) == ("feat-1", "feat-1", str(at.worktree))
        assert not vanished.safe
        git(at.main, "gc", "--quiet", "--prune=now")
    back = restore(at.main, vanished.receipt, Options())
    assert not isinstance(back, Failure)
    assert back.outcome == "restored", back.findings
    assert whole(at.worktree, {".env"}) == before
    assert any("Ignored files could not be kept" in one.message for one in back.findings)
    assert git(at.main, "for-each-ref", "refs/sidecar") == ""


def test_one_that_vanished_while_nobody_looked_is_found_later(at: Standing) -> None:
    before = whole(at.worktree, {".env"})
    with guarding(at):
        wait_until_kept(at, "untracked.txt")
    destroy(at)
    listed = list_restorable(at.main, Options())
    assert not isinstance(listed, Failure)
    assert [(one.what, one.worktree, one.branch) for one in listed] == [("vanished", "feat-1", "feat-1")]
    back = restore(at.main, listed[0].id, Options())
    assert not isinstance(back, Failure)
    assert back.outcome == "restored", back.findings
    assert whole(at.worktree, {".env"}) == before


def test_nothing_ignored_gets_into_a_ref(at: Standing) -> None:
    with guarding(at):
        wait_until_kept(at, "untracked.txt")
    secret = git(at.main, "hash-object", "--stdin", input="SECRET=1\n")
    assert git(at.main, "cat-file", "-t", secret, check=False) == ""


def test_a_release_is_no_vanishing(at: Standing) -> None:
    with guarding(at) as told:
        wait_until_kept(at, "untracked.txt")
        allow = frozenset({"uncommitted", "untracked", "not-integrated"})
        plan = plan_release(at.main, "feat-1", Options(), allow)
        assert not isinstance(plan, Failure)
        assert apply_release(plan).outcome == "released"
        listed = list_restorable(at.main, Options())
        assert not isinstance(listed, Failure)
        assert [one.what for one in listed] == ["release"]
        assert told.empty()
    assert guarded(at.main / ".git/sidecar") == ()


def test_a_moved_worktree_has_not_vanished(at: Standing, tmp_path: Path) -> None:
    with guarding(at) as told:
        wait_until_kept(at, "untracked.txt")
        git(at.main, "worktree", "move", str(at.worktree), str(tmp_path / "elsewhere"))
        listed = list_restorable(at.main, Options())
        assert listed == ()
        assert told.empty()


def test_more_than_the_limit_is_not_kept(at: Standing) -> None:
    small = add_worktree(at.main, "feat-2")
    write(small, {"small.txt": "small\n"})
    (at.worktree / "large.bin").write_bytes(random.Random(1).randbytes(2 << 20))
    with guarding(at, guardLimit=1):
        wait_until_kept(at, "small.txt")
        write(small, {"later.txt": "later\n"})
        wait_until_kept(at, "later.txt")
        kept = [one.name for one in guarded(at.main / ".git/sidecar")]
    assert kept == ["feat-2"]


def test_a_guard_that_is_turned_off_keeps_nothing(at: Standing) -> None:
    git(at.main, "config", "sidecar.guard", "false")
    second = build_standing(at.outside)
    write(second.worktree, {"kept.txt": "kept\n"})
    with guarding(at), guarding(second):
        wait_until_kept(second, "kept.txt")
    assert git(at.main, "for-each-ref", "refs/sidecar") == ""


def test_only_one_of_two_windows_keeps_and_tells(at: Standing) -> None:
    with guarding(at) as one, guarding(at) as two:
        wait_until_kept(at, "untracked.txt")
        destroy(at)
        eventually(lambda: one.qsize() + two.qsize())
        assert one.qsize() + two.qsize() == 1
        listed = list_restorable(at.main, Options())
        assert not isinstance(listed, Failure)
        assert len(listed) == 1


def test_another_worktree_at_the_same_path_does_not_hide_that_the_first_has_vanished(at: Standing) -> None:
    """Removed and made again while nobody looked, as scripts do: the first one's work can still be restored."""
    before = whole(at.worktree, {".env"})
    with guarding(at):
        wait_until_kept(at, "untracked.txt")
    destroy(at)
    add_worktree(at.main, at.worktree, branch="feat-1")
    write(at.worktree, {"second.txt": "second\n"})
    with guarding(at):
        wait_until_kept(at, "second.txt")
    listed = list_restorable(at.main, Options())
    assert not isinstance(listed, Failure)
    assert [one.what for one in listed] == ["vanished"]
    git(at.main, "worktree", "remove", "--force", str(at.worktree))
    git(at.main, "branch", "-D", "feat-1")
    back = restore(at.main, listed[0].id, Options())
    assert not isinstance(back, Failure)
    assert back.outcome == "restored", back.findings
    assert whole(at.worktree, {".env"}) == before


def test_one_that_vanishes_after_it_was_released_and_restored_is_told(at: Standing) -> None:
    allow = frozenset({"uncommitted", "untracked", "not-integrated"})
    plan = plan_release(at.main, "feat-1", Options(), allow)
    assert not isinstance(plan, Failure)
    released = apply_release(plan)
    assert released.receipt is not None
    restore(at.main, released.receipt, Options())
    with guarding(at):
        wait_until_kept(at, "untracked.txt")
    destroy(at)
    listed = list_restorable(at.main, Options())
    assert not isinstance(listed, Failure)
    assert [one.what for one in listed] == ["vanished"]


def test_a_slow_deletion_does_not_make_the_guard_forget(at: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    """File by file, with pauses in which the guard would keep what is left."""
    monkeypatch.setattr(keeping, "SETTLED", 3600.0)
    other = add_worktree(at.main, "feat-2")
    before = whole(at.worktree, {".env"})
    with guarding(at) as told:
        wait_until_kept(at, "untracked.txt")
        for number, path in enumerate(("src/b.txt", "new/untracked.txt", "more.txt")):
            (at.worktree / path).unlink()
            write(other, {f"mark-{number}.txt": "mark\n"})
            wait_until_kept(at, f"mark-{number}.txt")
        destroy(at)
        vanished = told.get(timeout=DEADLINE)
    back = restore(at.main, vanished.receipt, Options())
    assert not isinstance(back, Failure)
    assert back.outcome == "restored", back.findings
    assert whole(at.worktree, {".env"}) == before


def test_what_an_earlier_server_kept_is_not_kept_again(at: Standing) -> None:
    with guarding(at):
        wait_until_kept(at, "untracked.txt")
        eventually(lambda: [one.state for one in guarded(at.main / ".git/sidecar")] > [""])
    (before,) = guarded(at.main / ".git/sidecar")
    other = add_worktree(at.main, "feat-2")
    write(other, {"other.txt": "other\n"})
    with guarding(at):
        wait_until_kept(at, "other.txt")
    assert before in guarded(at.main / ".git/sidecar")
    write(at.worktree, {"src/b.txt": "changed later\n", "later.txt": "later\n"})
    with guarding(at):
        wait_until_kept(at, "later.txt")
    assert before not in guarded(at.main / ".git/sidecar")


def test_one_that_an_earlier_server_kept_is_told_at_once(at: Standing) -> None:
    with guarding(at):
        wait_until_kept(at, "untracked.txt")
        eventually(lambda: [one.state for one in guarded(at.main / ".git/sidecar")] > [""])
    with guarding(at) as told:
        destroy(at)
        assert told.get(timeout=DEADLINE).name == "feat-1"


def test_a_worktree_that_loses_files_while_it_is_kept_is_not_kept_over_the_last_state(
    at: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    with guarding(at):
        wait_until_kept(at, "untracked.txt")
    (before,) = guarded(at.main / ".git/sidecar")
    real = write_snapshot

    def write_while_it_is_deleted(*args: object, **kwargs: object) -> object:
        def delete(_done: int, _total: int) -> None:
            (at.worktree / "src/b.txt").unlink(missing_ok=True)

        return real(*args, **{**kwargs, "watcher": Watcher(delete)})  # type: ignore[arg-type]

    def keep(*, anyway: bool) -> list[str]:
        write(at.worktree, {"src/b.txt": "there\n"})
        wish = {"path": str(at.worktree), "state": "later", "safe": False, "anyway": anyway}
        order = {"folder": str(at.main), "most": 1 << 20, "trusted": False, "wishes": [wish]}
        return [one.outcome for one in writing.answer(io.BytesIO(json.dumps(order).encode()))]

    monkeypatch.setattr(writing, "write_snapshot", write_while_it_is_deleted)
    assert keep(anyway=False) == ["shrinking"]
    assert guarded(at.main / ".git/sidecar") == (before,)
    assert git(at.main, "for-each-ref", "--format=%(objectname)", "refs/sidecar/guard") == before.commit
    assert keep(anyway=True) == ["changing"]
    (after,) = guarded(at.main / ".git/sidecar")
    assert (after.state, after.commit != before.commit) == ("", True)


@pytest.mark.parametrize("gone", ["nothing", "the newer state", "both"])
def test_a_guard_that_was_killed_between_its_record_and_its_ref_loses_nothing(at: Standing, gone: str) -> None:
    """The record is ahead then; `git gc` may take the newer state, which no ref holds."""
    states: list[object] = []
    records: list[Guarded] = []
    with guarding(at):
        for number in range(2):
            write(at.worktree, {f"{number}.txt": "there\n"})
            wait_until_kept(at, f"{number}.txt")
            states.append(whole(at.worktree, {".env"}))
            records += guarded(at.main / ".git/sidecar")
    (before, after), (old, new) = states, records
    ref = guard_ref(old.path)
    git(at.main, "update-ref", ref, old.commit)
    if gone == "both":
        git(at.main, "update-ref", "-d", ref)
    shutil.rmtree(at.worktree)
    git(at.main, "worktree", "prune")
    if gone != "nothing":
        git(at.main, "gc", "--quiet", "--prune=now")
    listed = list_restorable(at.main, Options())
    assert not isinstance(listed, Failure)
    assert guarded(at.main / ".git/sidecar") == ()
    if gone == "both":
        assert listed == ()
        return
    back = restore(at.main, listed[0].id, Options())
    assert not isinstance(back, Failure)
    assert back.outcome == "restored", back.findings
    assert whole(at.worktree, {".env"}) == (after if gone == "nothing" else before)
    assert new.commit != old.commit
