"""A worktree deleted with `rm -rf` alone, of which git still has HEAD and index, and what came into its place since."""

import shutil
from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.records import RestoreResult
from sidecar.operations.release.apply import apply_release
from sidecar.operations.release.plan import plan_release
from sidecar.operations.restore import list_restorable, restore
from tests.harness import git, write
from tests.harness.repository import add_worktree
from tests.harness.states import Standing, build_at_work
from tests.harness.whole import Whole, as_kept
from tests.harness.whole import whole as whole_with_times
from tests.operations.guarding import guarding, wait_until_kept

YOUNGER = "younger than its files"


@pytest.fixture
def at(tmp_path: Path) -> Standing:
    """A worktree with a commit, a staged, an unstaged and an untracked change that trunk lacks."""
    return build_at_work(tmp_path)


def guard(at: Standing) -> Whole:
    before = whole(at.worktree)
    with guarding(at):
        wait_until_kept(at, "untracked.txt")
    return before


def whole(worktree: Path) -> Whole:
    """All of a worktree that a state holds."""
    return as_kept(whole_with_times(worktree))


def vanished(at: Standing) -> str:
    listed = list_restorable(at.main, Options())
    assert not isinstance(listed, Failure)
    assert listed[0].what == "vanished"
    return listed[0].id


def put_back(at: Standing, receipt: str, into: Path | None = None) -> RestoreResult:
    back = restore(at.main, receipt, Options(), into=into)
    assert not isinstance(back, Failure), back
    return back


def messages(back: RestoreResult) -> str:
    return " ".join(one.message for one in back.findings)


def test_it_is_as_it_was_when_nothing_came_after_the_guard(at: Standing) -> None:
    before = guard(at)
    shutil.rmtree(at.worktree)
    back = put_back(at, vanished(at))
    assert back.outcome == "restored", back.findings
    assert whole(at.worktree) == before
    assert YOUNGER not in messages(back)
    assert git(at.main, "for-each-ref", "refs/sidecar/vanished") == ""


def test_what_was_committed_and_staged_after_the_guard_stays_and_is_told(at: Standing) -> None:
    """The younger HEAD and index are git's; the files are the guard's; neither overwrites the other."""
    guard(at)
    at.git("commit", "-q", "-m", "After the guard")
    write(at.worktree, {"src/b.txt": "staged late\n", "late.txt": "late\n"})
    at.git("add", "src/b.txt", "late.txt")
    head, index = at.git("rev-parse", "HEAD"), at.git("ls-files", "--stage")
    shutil.rmtree(at.worktree)
    back = put_back(at, vanished(at))
    assert back.outcome == "restored", back.findings
    assert YOUNGER in messages(back)
    assert (at.git("rev-parse", "HEAD"), at.git("ls-files", "--stage")) == (head, index)
    assert at.git("symbolic-ref", "HEAD") == "refs/heads/feat-1"
    assert (at.worktree / "src/b.txt").read_text() == "unstaged\n"
    assert (at.worktree / "new/untracked.txt").read_text() == "untracked\n"
    at.git("restore", "src/b.txt", "late.txt")
    assert (at.worktree / "src/b.txt").read_text() == "staged late\n"
    assert (at.worktree / "late.txt").read_text() == "late\n"


def test_a_branch_that_went_on_elsewhere_keeps_its_tip(at: Standing) -> None:
    guard(at)
    shutil.rmtree(at.worktree)
    tip = git(at.main, "commit-tree", "-p", "feat-1", "-m", "Elsewhere", "feat-1^{tree}")
    git(at.main, "update-ref", "refs/heads/feat-1", tip)
    back = put_back(at, vanished(at))
    assert back.outcome == "restored", back.findings
    assert git(at.main, "rev-parse", "feat-1") == at.git("rev-parse", "HEAD") == tip
    assert YOUNGER in messages(back)


def test_a_new_worktree_at_the_same_path_is_left_alone(at: Standing, tmp_path: Path) -> None:
    before = guard(at)
    shutil.rmtree(at.worktree)
    git(at.main, "worktree", "add", "-q", "-f", "-b", "second", str(at.worktree), "main")
    write(at.worktree, {"second.txt": "second\n"})
    second = whole(at.worktree)
    receipt = vanished(at)
    refused = put_back(at, receipt)
    assert [one.code for one in refused.findings] == ["path-taken"]
    assert put_back(at, receipt, tmp_path / "elsewhere").outcome == "restored"
    assert whole(at.worktree) == second
    assert whole(tmp_path / "elsewhere") == before


@pytest.mark.parametrize("kind", ["vanished", "release"])
def test_the_head_and_index_of_a_second_one_that_vanished_too_are_not_taken(
    kind: str, at: Standing, tmp_path: Path
) -> None:
    """Nobody pruned: git still has a worktree of this path, but it is another one."""
    before = guard(at)
    if kind == "vanished":
        shutil.rmtree(at.worktree)
    else:
        allow = frozenset({"uncommitted", "untracked", "not-integrated"})
        plan = plan_release(at.main, "feat-1", Options(), allow)
        assert not isinstance(plan, Failure)
        assert apply_release(plan).outcome == "released"
    git(at.main, "worktree", "add", "-q", "-f", "-b", "second", str(at.worktree), "main")
    write(at.worktree, {"second.txt": "second\n"})
    at.git("add", "second.txt")
    staged = at.git("ls-files", "--stage")
    listed = list_restorable(at.main, Options())
    assert not isinstance(listed, Failure)
    (receipt,) = [one.id for one in listed if one.what == kind]
    shutil.rmtree(at.worktree)
    refused = put_back(at, receipt)
    assert [one.code for one in refused.findings] == ["path-taken"]
    assert not at.worktree.exists()
    assert put_back(at, receipt, tmp_path / "elsewhere").outcome == "restored"
    assert whole(tmp_path / "elsewhere") == before
    git(at.main, "worktree", "repair", check=False)
    homes = [path.parent for path in (at.main / ".git/worktrees").glob("*/gitdir")]
    (home,) = [path for path in homes if (path / "gitdir").read_text() == f"{at.worktree}/.git\n"]
    assert git(at.main, f"--git-dir={home}", "ls-files", "--stage") == staged


def test_another_worktree_of_the_same_name_keeps_its_own(at: Standing, tmp_path: Path) -> None:
    """The old one's administrative directory was pruned, and git gave its name to the next."""
    before = guard(at)
    shutil.rmtree(at.worktree)
    git(at.main, "worktree", "prune")
    other = add_worktree(at.main, tmp_path / "other" / "feat-1", branch="second")
    write(other, {"second.txt": "second\n"})
    second = whole(other)
    back = put_back(at, vanished(at))
    assert back.outcome == "restored", back.findings
    assert whole(other) == second
    assert whole(at.worktree) == before
    assert at.git("rev-parse", "--git-dir") != git(other, "rev-parse", "--git-dir")
