"""Every state in which work can be lost, both ways: refused by name; and allowed, released, collected and restored."""

import os
from pathlib import Path

import pytest

from sidecar.model.findings import NOT_AT_STAKE, Failure, finding_codes
from sidecar.model.settings import Options
from sidecar.operations.release.apply import apply_release
from sidecar.operations.release.plan import ReleasePlan, plan_release
from sidecar.operations.restore import list_restorable, restore
from tests.harness import git
from tests.harness.states import STATES, Standing, State, allows, build_standing
from tests.harness.whole import Whole, whole


def planned(at: Standing, *allow: str) -> ReleasePlan:
    plan = plan_release(at.main, str(at.worktree), Options(), frozenset(allow))
    assert not isinstance(plan, Failure), plan
    return plan


def blocking(plan: ReleasePlan) -> set[str]:
    return {one.code for one in plan.findings if one.severity == "blocks"}


def collect_garbage(at: Standing) -> None:
    git(at.main, "worktree", "prune")
    git(at.main, "reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all")
    git(at.main, "gc", "--quiet", "--prune=now")


def left(at: Standing, plan: ReleasePlan) -> Whole:
    output = plan.inventory.files.output if plan.inventory is not None else ()
    return whole(at.worktree, {one.path for one in output})


def comparable(found: Whole, state: State) -> Whole:
    """A branch in use elsewhere stays where it is: the restored worktree gets another one at the same commit."""
    if "branch-elsewhere" not in state.codes:
        return found
    return {key: value for key, value in found.items() if key not in ("HEAD", "branch", "refs", "status")}


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_a_state_is_refused_or_released_and_restored_as_it_was(state: State, tmp_path: Path) -> None:
    if not allows(state.needs):
        pytest.skip(f"this machine does not allow: {state.needs}")
    at = build_standing(tmp_path)
    try:
        state.put(at)
        plan = planned(at)
        told = {one.code for one in plan.findings}
        assert state.codes | state.also <= told
        before = left(at, plan) if at.worktree.exists() else None
        wanted = {code for code in state.codes | state.also if finding_codes()[code].severity == "blocks"}
        assert wanted <= blocking(plan)
        if blocking(plan):
            refused = apply_release(plan)
            assert refused.outcome == "refused"
            assert {one.code for one in refused.findings if one.severity == "blocks"} == blocking(plan)
            assert before is None or left(at, plan) == before
        never = {code for code in blocking(plan) if finding_codes()[code].kept == NOT_AT_STAKE}
        allowed = planned(at, *blocking(plan))
        assert blocking(allowed) == never
        if never or before is None:
            return
        released = apply_release(allowed)
        assert released.outcome == "released", released.findings
        assert not os.path.lexists(at.worktree)
        assert str(at.worktree) not in git(at.main, "worktree", "list", "--porcelain")
        assert list((at.main / ".git/sidecar").glob("journal*")) == []
        collect_garbage(at)
        listed = list_restorable(at.main, Options())
        assert not isinstance(listed, Failure)
        assert [one.id for one in listed] == [released.receipt]
        assert released.receipt is not None
        back = restore(at.main, released.receipt, Options())
        assert not isinstance(back, Failure), back
        assert back.outcome == "restored", back.findings
        assert back.path == str(at.worktree)
        assert comparable(left(at, plan), state) == comparable(before, state)
        assert list((at.main / ".git/sidecar").glob("trash/*")) == []
        assert git(at.main, "for-each-ref", "refs/sidecar") == ""
        assert "error" not in git(at.main, "fsck", "--no-dangling")
    finally:
        state.undo(at)


def test_a_finished_worktree_goes_without_a_question(tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    plan = planned(at)
    assert blocking(plan) == set()
    released = apply_release(plan)
    assert released.outcome == "released"
    assert git(at.main, "branch", "--list", "feat-1") == ""


def test_nothing_is_offered_to_allow_where_nothing_could_be_taken_in(tmp_path: Path) -> None:
    """HEAD has a tree that git can't parse: no code lets this through, so none is named."""
    at = build_standing(tmp_path)
    tree = at.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", input=b"100644 \0" + bytes(20))
    at.git("update-ref", "HEAD", at.git("commit-tree", tree, "-p", "HEAD", "-m", "nameless"))
    plan = planned(at)
    assert (blocking(plan), plan.inventory, plan.allowable) == ({"unreadable"}, None, ())
    assert "empty filename in tree entry" in plan.findings[0].message
    allowed = planned(at, "unreadable")
    assert (blocking(allowed), allowed.allowable) == ({"unreadable"}, ())


def test_a_second_restoration_says_where_the_first_one_went(tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    released = apply_release(planned(at))
    assert released.receipt is not None
    first = restore(at.main, released.receipt, Options())
    assert not isinstance(first, Failure)
    second = restore(at.main, released.receipt, Options())
    assert not isinstance(second, Failure)
    assert (first.outcome, second.outcome) == ("restored", "refused")
    assert str(at.worktree) in second.findings[0].message


def test_a_path_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    released = apply_release(planned(at))
    assert released.receipt is not None
    at.worktree.mkdir()
    (at.worktree / "mine").write_text("mine\n")
    refused = restore(at.main, released.receipt, Options())
    assert not isinstance(refused, Failure)
    assert refused.findings[0].code == "path-taken"
    assert (at.worktree / "mine").read_text() == "mine\n"
    other = restore(at.main, released.receipt, Options(), into=tmp_path / "other")
    assert not isinstance(other, Failure)
    assert (other.outcome, other.path) == ("restored", str(tmp_path / "other"))
    assert (tmp_path / "other/src/feature.txt").read_text() == "feature\n"


def test_what_changes_between_plan_and_release_is_not_released(tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    plan = planned(at)
    (at.worktree / "late.txt").write_text("late\n")
    refused = apply_release(plan)
    assert refused.outcome == "refused"
    assert {"changed-meanwhile", "untracked"} <= {one.code for one in refused.findings}
    assert (at.worktree / "late.txt").read_text() == "late\n"
