"""The guard: what a worktree had a moment ago comes back after something else deleted it, branch and all."""

import random
import shutil
from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.guard.states import read_tips
from sidecar.operations.records import sidecar_path
from sidecar.operations.release.apply import apply_release
from sidecar.operations.release.plan import plan_release
from sidecar.operations.restore import list_restorable, restore
from tests.git.leaving import DEADLINE, eventually
from tests.harness import git, write
from tests.harness.repository import add_worktree
from tests.harness.states import Standing, build_at_work, build_standing
from tests.harness.whole import Whole, as_kept, whole
from tests.operations.guarding import guarding, states, wait_until_kept

STORES: list[object] = [
    (),
    ("--object-format=sha256",),
    pytest.param(("--ref-format=reftable",), marks=pytest.mark.needs_git(2, 45)),
]


@pytest.fixture
def at(tmp_path: Path, request: pytest.FixtureRequest) -> Standing:
    """A worktree with a commit, a staged, an unstaged and an untracked change that trunk lacks."""
    standing = build_at_work(tmp_path, getattr(request, "param", ()))
    write(standing.worktree, {".env": "SECRET=1\n"})
    return standing


def as_it_was(at: Standing) -> Whole:
    return as_kept(whole(at.worktree, {".env"}))


def destroy(at: Standing) -> None:
    shutil.rmtree(at.worktree)
    git(at.main, "worktree", "prune")
    git(at.main, "branch", "-D", "feat-1")
    git(at.main, "reflog", "expire", "--expire=now", "--all")
    git(at.main, "gc", "--quiet", "--prune=now")


def bring_back(at: Standing, receipt: str) -> str:
    """Restore; gives what was said about it."""
    back = restore(at.main, receipt, Options())
    assert not isinstance(back, Failure)
    assert back.outcome == "restored", back.findings
    return " ".join(one.message for one in back.findings)


def listed(at: Standing) -> list[str]:
    """What kinds of things can be restored, the newest first."""
    found = list_restorable(at.main, Options())
    assert not isinstance(found, Failure)
    return [one.what for one in found]


def newest_receipt(at: Standing) -> str:
    found = list_restorable(at.main, Options())
    assert not isinstance(found, Failure)
    return found[0].id


def test_a_state_is_a_commit_of_the_present_state_over_head_and_the_index(at: Standing) -> None:
    with guarding(at):
        wait_until_kept(at, "untracked.txt")
    kept = states(at)[0]
    assert at.git("rev-parse", "HEAD") == git(at.main, "rev-parse", f"{kept.commit}^1")
    assert at.git("write-tree") == git(at.main, "rev-parse", f"{kept.commit}^2^{{tree}}")
    at.git("add", "--all")
    assert at.git("write-tree") == git(at.main, "rev-parse", f"{kept.commit}^{{tree}}")


def test_nothing_is_kept_of_a_worktree_that_git_has_deleted_since_it_was_read(at: Standing) -> None:
    """It would be another history, of a worktree that nobody had, and told to have vanished too."""
    with guarding(at) as told:
        wait_until_kept(at, "untracked.txt")
        told.guard._aside.close()
        seen, opened = told.session.seen(), told.guard._opened
        assert seen is not None and opened is not None
        reading = next(one for one in seen.readings if one.worktree.key == str(at.worktree))
        before = read_tips(seen.sources.repository)
        destroy(at)
        told.guard._keep(opened, sidecar_path(seen.sources.repository.common_dir), reading, None)
        assert read_tips(seen.sources.repository).keys() == before.keys()


def test_a_file_larger_than_the_size_from_which_git_stores_in_packs_is_kept(at: Standing) -> None:
    git(at.main, "config", "core.bigFileThreshold", "100")
    write(at.worktree, {"large.txt": "many lines\n" * 100})
    with guarding(at):
        wait_until_kept(at, "large.txt")
    assert git(at.main, "show", f"{states(at)[0].commit}:large.txt").count("many lines") == 100


@pytest.mark.parametrize("at", STORES, indirect=True)
def test_a_worktree_that_something_else_deleted_is_told_at_once_and_comes_back(at: Standing) -> None:
    before = as_it_was(at)
    with guarding(at) as told:
        wait_until_kept(at, "untracked.txt")
        destroy(at)
        vanished = told.vanished.get(timeout=DEADLINE)
        assert (vanished.name, vanished.branch, vanished.path) == ("feat-1", "feat-1", str(at.worktree))
        assert not vanished.safe
        git(at.main, "gc", "--quiet", "--prune=now")
    assert "Times and attributes of files were not kept" in bring_back(at, vanished.receipt)
    assert as_it_was(at) == before
    assert git(at.main, "for-each-ref", "refs/sidecar/vanished") == ""
    assert listed(at) == []


@pytest.mark.parametrize("at", STORES, indirect=True)
def test_one_that_vanished_while_nobody_looked_is_found_later(at: Standing) -> None:
    before = as_it_was(at)
    with guarding(at):
        wait_until_kept(at, "untracked.txt")
    destroy(at)
    assert listed(at) == ["vanished"]
    bring_back(at, newest_receipt(at))
    assert as_it_was(at) == before


def test_one_that_vanishes_a_second_time_is_told_again(at: Standing) -> None:
    before = as_it_was(at)
    with guarding(at) as told:
        wait_until_kept(at, "untracked.txt")
        shutil.rmtree(at.worktree)
        bring_back(at, told.vanished.get(timeout=DEADLINE).receipt)
        eventually(lambda: len(states(at)) > 1)
        shutil.rmtree(at.worktree)
        bring_back(at, told.vanished.get(timeout=DEADLINE).receipt)
    assert as_it_was(at) == before


def test_trunks_own_checkout_is_kept_too(at: Standing) -> None:
    write(at.main, {"src/b.txt": "edited on trunk\n", "note.txt": "mine\n"})
    with guarding(at):
        wait_until_kept(at, "note.txt", at.main)
    assert git(at.main, "show", f"{states(at, at.main)[0].commit}:src/b.txt") == "edited on trunk"


def test_nothing_ignored_gets_into_a_ref(at: Standing) -> None:
    with guarding(at):
        wait_until_kept(at, "untracked.txt")
    secret = git(at.main, "hash-object", "--stdin", input="SECRET=1\n")
    assert git(at.main, "cat-file", "-t", secret, check=False) == ""


def test_text_that_is_not_saved_is_not_kept_as_if_it_were(at: Standing) -> None:
    with guarding(at) as told:
        told.session.set_unsaved(str(at.worktree / "src/b.txt"), "only typed\n", 1)
        wait_until_kept(at, "untracked.txt")
        assert git(at.main, "show", f"{states(at)[0].commit}:src/b.txt") == "unstaged"


def test_an_unresolved_merge_comes_back_unresolved(at: Standing) -> None:
    at.git("commit", "--quiet", "--all", "-m", "Mine")
    write(at.main, {"src/b.txt": "theirs\n"})
    git(at.main, "commit", "--quiet", "--all", "-m", "Theirs")
    at.git("merge", "main", check=False)
    index = at.git("ls-files", "--stage")
    assert " 3\t" in index
    with guarding(at):
        eventually(lambda: states(at) and states(at)[0].stages)
    shutil.rmtree(at.worktree)
    git(at.main, "worktree", "prune")
    git(at.main, "gc", "--quiet", "--prune=now")
    assert listed(at) == ["vanished"]
    bring_back(at, newest_receipt(at))
    assert at.git("ls-files", "--stage") == index


def test_one_before_its_first_commit_comes_back(at: Standing) -> None:
    at.git("checkout", "--quiet", "--orphan", "empty")
    before = as_it_was(at)
    with guarding(at):
        eventually(lambda: states(at) and states(at)[0].facts.branch == "empty")
    shutil.rmtree(at.worktree)
    git(at.main, "worktree", "prune")
    bring_back(at, newest_receipt(at))
    assert as_it_was(at) == before


def test_a_release_is_no_vanishing(at: Standing) -> None:
    with guarding(at) as told:
        wait_until_kept(at, "untracked.txt")
        allow = frozenset({"uncommitted", "untracked", "not-integrated"})
        plan = plan_release(at.main, "feat-1", Options(), allow)
        assert not isinstance(plan, Failure)
        assert apply_release(plan).outcome == "released"
        assert listed(at) == ["release"]
        assert told.vanished.empty()


def test_a_moved_worktree_has_not_vanished(at: Standing, tmp_path: Path) -> None:
    with guarding(at) as told:
        wait_until_kept(at, "untracked.txt")
        git(at.main, "worktree", "move", str(at.worktree), str(tmp_path / "elsewhere"))
        assert listed(at) == []
        wait_until_kept(at, "untracked.txt", tmp_path / "elsewhere")
        assert told.vanished.empty()


def test_a_copy_of_a_repository_does_not_take_the_originals_worktrees_for_its_own(at: Standing, tmp_path: Path) -> None:
    with guarding(at):
        wait_until_kept(at, "untracked.txt")
    copy = tmp_path / "copy"
    shutil.copytree(at.main, copy, symlinks=True)
    shutil.rmtree(copy / ".git/worktrees")
    found = list_restorable(copy, Options())
    assert found == ()


def test_more_than_the_limit_is_not_kept_and_said_once(at: Standing) -> None:
    small = add_worktree(at.main, "feat-2")
    write(small, {"small.txt": "small\n"})
    (at.worktree / "large.bin").write_bytes(random.Random(1).randbytes(2 << 20))
    with guarding(at, guardLimit=1) as told:
        wait_until_kept(at, "small.txt", small)
        write(small, {"later.txt": "later\n"})
        wait_until_kept(at, "later.txt", small)
        assert "feat-1 has more new content" in told.troubles.get(timeout=DEADLINE)
        assert told.troubles.empty()
    assert states(at) == []


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
        eventually(lambda: one.vanished.qsize() + two.vanished.qsize())
        assert one.vanished.qsize() + two.vanished.qsize() == 1
        assert listed(at) == ["vanished"]


def test_another_worktree_at_the_same_path_does_not_hide_that_the_first_has_vanished(at: Standing) -> None:
    """Removed and made again while nobody looked, as scripts do: the first one's work can still be restored."""
    before = as_it_was(at)
    with guarding(at):
        wait_until_kept(at, "untracked.txt")
    destroy(at)
    add_worktree(at.main, at.worktree, branch="feat-1")
    write(at.worktree, {"second.txt": "second\n"})
    with guarding(at):
        wait_until_kept(at, "second.txt")
    assert listed(at) == ["vanished"]
    receipt = newest_receipt(at)
    git(at.main, "worktree", "remove", "--force", str(at.worktree))
    git(at.main, "branch", "-D", "feat-1")
    bring_back(at, receipt)
    assert as_it_was(at) == before


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
    assert listed(at) == ["vanished"]


def test_a_slow_deletion_does_not_make_the_guard_forget(at: Standing) -> None:
    """File by file, with pauses in which the guard keeps what is left."""
    before = as_it_was(at)
    with guarding(at) as told:
        wait_until_kept(at, "untracked.txt")
        for path in ("src/b.txt", "new/untracked.txt", "more.txt"):
            count = len(states(at))
            (at.worktree / path).unlink()
            eventually(lambda count=count: len(states(at)) > count)  # type: ignore[misc]
        destroy(at)
        vanished = told.vanished.get(timeout=DEADLINE)
    bring_back(at, vanished.receipt)
    assert as_it_was(at) == before


def test_what_an_earlier_server_kept_is_not_kept_again(at: Standing) -> None:
    with guarding(at):
        wait_until_kept(at, "untracked.txt")
    before = states(at)
    other = add_worktree(at.main, "feat-2")
    write(other, {"other.txt": "other\n"})
    with guarding(at):
        wait_until_kept(at, "other.txt", other)
    assert states(at) == before
    write(at.worktree, {"src/b.txt": "changed later\n", "later.txt": "later\n"})
    with guarding(at):
        wait_until_kept(at, "later.txt")
    assert states(at)[1:] == before


def test_one_that_an_earlier_server_kept_is_told_at_once(at: Standing) -> None:
    with guarding(at):
        wait_until_kept(at, "untracked.txt")
    with guarding(at) as told:
        destroy(at)
        assert told.vanished.get(timeout=DEADLINE).name == "feat-1"
