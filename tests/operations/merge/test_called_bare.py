"""Trunk does not move under a checkout, whatever core.bare says."""

from pathlib import Path

import pytest

from sidecar.model.settings import Options
from sidecar.operations.merge.apply import apply_merge
from sidecar.operations.merge.plan import plan_merge
from sidecar.operations.merge.run import MergePlan
from sidecar.session.once import look
from tests.harness import add_worktree, commit, git, write
from tests.session.pictures import pictured, state_of


@pytest.mark.parametrize("edited", [False, True])
def test_trunk_does_not_move_under_a_checkout_that_is_called_bare(repo: Path, edited: bool) -> None:
    feat = add_worktree(repo, "feat")
    commit(feat, {"README.md": "mine\n"})
    if edited:
        write(repo, {"README.md": "edited\n"})
    git(repo.parent, "init", "--quiet", env={"GIT_DIR": str(repo / ".git/worktrees/feat")})
    before = git(feat, "rev-parse", "main")
    plan = plan_merge(repo, "feat", Options())
    assert isinstance(plan, MergePlan)
    (found,) = [finding for finding in plan.findings if finding.severity == "blocks"]
    assert (found.code, "core.bare false" in found.message) == ("trunk-checkout", True)
    assert apply_merge(plan).outcome == "refused"
    assert git(feat, "rev-parse", "main") == before
    said = state_of(pictured(look(repo)), "repo").problem or ""
    said = said or state_of(pictured(look(repo)), "repo").worktree.problem or ""
    assert "core.bare false" in said
    git(repo, "config", "core.bare", "false")
    plan = plan_merge(repo, "feat", Options())
    assert isinstance(plan, MergePlan)
    assert plan.blocked == edited
