"""A branch that is being rebased or bisected is still the name of its worktree, in every door."""

from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.picture import Unfinished
from sidecar.model.settings import Options
from sidecar.operations.merge.plan import plan_merge
from sidecar.operations.merge.run import MergePlan
from sidecar.operations.open import OpenPlan, plan_open
from sidecar.operations.release.plan import plan_release
from sidecar.session.once import compare, look
from tests.harness import add_worktree, commit, git, write
from tests.session.pictures import pictured, state_of
from tests.session.watching import watching

STOPS = {
    "rebase": (("rebase", "main"), "rebase"),
    "rebase by patches": (("rebase", "--apply", "main"), "rebase"),
    "rebase to edit": (("-c", "sequence.editor=sed -i s/^pick/edit/", "rebase", "--interactive", "HEAD~2"), "rebase"),
    "bisect": (("bisect", "start", "HEAD", "HEAD~2"), "bisect"),
}
SHOWN = {"rebase": "team/feat (rebasing)", "bisect": "team/feat (bisecting)"}


@pytest.fixture
def feat(repo: Path) -> Path:
    """A worktree with three commits, which conflict with trunk's."""
    path = add_worktree(repo, "wt", branch="team/feat")
    for text in ("mine\n", "mine and more\n", "mine and most\n"):
        commit(path, {"README.md": text})
    commit(repo, {"README.md": "trunk\n"})
    return path


@pytest.mark.parametrize("name", ["team/feat", "refs/heads/team/feat"])
@pytest.mark.parametrize("stop", STOPS)
def test_its_branch_is_a_name(stop: str, name: str, repo: Path, feat: Path) -> None:
    command, operation = STOPS[stop]
    git(feat, *command, check=False)
    assert git(feat, "branch", "--show-current") == ""
    worktree = state_of(pictured(look(repo)), "wt").worktree
    assert (worktree.branch, worktree.unfinished) == (None, Unfinished(operation, "team/feat"))
    assert worktree.ref == SHOWN[operation]
    merge = plan_merge(repo, name, Options())
    assert isinstance(merge, MergePlan) and merge.worktree.key == str(feat)
    assert "operation-in-progress" in {finding.code for finding in merge.findings}
    release = plan_release(repo, name, Options())
    assert not isinstance(release, Failure) and release.worktree.key == str(feat) and release.blocked
    opening = plan_open(repo, "team/feat", None, Options())
    assert isinstance(opening, OpenPlan)
    assert [str(feat) in finding.message for finding in opening.findings if finding.code == "branch-exists"] == [True]
    assert not isinstance(compare(repo, name, "main"), Failure)


@pytest.mark.parametrize("stop", STOPS)
def test_it_is_on_its_branch_again_afterwards(stop: str, repo: Path, feat: Path) -> None:
    command, operation = STOPS[stop]
    git(feat, *command, check=False)
    git(feat, *(("bisect", "reset") if operation == "bisect" else ("rebase", "--abort")))
    worktree = state_of(pictured(look(repo)), "wt").worktree
    assert (worktree.branch, worktree.unfinished) == ("team/feat", None)


def test_a_running_session_follows(repo: Path, feat: Path) -> None:
    def ref(name: str) -> str:
        return state_of(live.pictures[-1], name).worktree.ref

    with watching(repo) as live:
        git(feat, "rebase", "main", check=False)
        live.until(lambda _: ref("wt") == SHOWN["rebase"])
        live.until_fresh()
        git(feat, "rebase", "--abort")
        live.until(lambda _: ref("wt") == "team/feat")
        live.until_fresh()


def test_two_that_go_by_one_branch(repo: Path, feat: Path) -> None:
    git(feat, "rebase", "main", check=False)
    other = add_worktree(repo, repo.parent / "x" / "feat", branch="other")
    git(other, "symbolic-ref", "HEAD", "refs/heads/team/feat")
    merge = plan_merge(repo, "team/feat", Options())
    assert not isinstance(merge, MergePlan) and merge.code == "ambiguous-name"


def test_what_does_not_detach_leaves_the_branch(repo: Path, feat: Path) -> None:
    write(repo.parent, {"patch": git(repo, "format-patch", "--stdout", "-1", "main") + "\n"})
    git(feat, "am", str(repo.parent / "patch"), check=False)
    assert (repo / ".git/worktrees/wt/rebase-apply").exists()
    worktree = state_of(pictured(look(repo)), "wt").worktree
    assert (worktree.branch, worktree.unfinished) == ("team/feat", None)
