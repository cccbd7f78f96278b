"""What a Picture says of a worktree that could be merged, and of what comes next."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from sidecar.model.changes import Change, ChangeSet, Entry
from sidecar.model.overlaps import Overlap, Side, Unknown
from sidecar.model.picture import TRUNK_KEY, Integration, Picture, Trunk, Undone, Unfinished, Worktree, WorktreeState
from sidecar.model.readiness import Readiness, readiness
from sidecar.model.regenerate import Regeneration

TREE = Worktree("/w/f", "f", "/w/.git/worktrees/f", False, "f", "3" * 40)
TRUNK = Worktree("/w/repo", "repo", "/w/.git", True, "main", "2" * 40)
ENTRY = Entry(0o100644, "4" * 40)


def changes(*sources: str) -> ChangeSet:
    touched = MappingProxyType({"a": Change("a", None, ENTRY, sources)}) if sources else MappingProxyType({})
    return ChangeSet("", "", touched, touched)


READY = WorktreeState(TREE, changes=changes("committed"), ahead=1, integration=Integration("not-integrated"))
MINE = Side("/w/f", "f", "f", "a", (), (), (), None, ENTRY)
CONFLICT = Overlap("a", "conflict", "content", (MINE, replace(MINE, key=TRUNK_KEY, name=None, ref="main")))


def of(state: WorktreeState, *overlaps: Overlap, unknown: tuple[Unknown, ...] = ()) -> Readiness:
    trunk = Trunk("main", "refs/heads/main", "2" * 40)
    picture = Picture(1, "/w/.git", trunk, (WorktreeState(TRUNK), state), overlaps, unknown=unknown)
    found = readiness(picture)
    assert found.keys() == {"/w/f"}, "trunk's own checkout has none"
    return found["/w/f"]


def test_what_has_commits_and_nothing_else_is_ready() -> None:
    assert of(READY) == Readiness(True, None, "merge")


@pytest.mark.parametrize(
    ("state", "why", "then"),
    [
        (replace(READY, changes=changes("committed", "unstaged")), "It has 1 uncommitted change.", None),
        (replace(READY, ahead=0), "It has no commits that main lacks.", None),
        (replace(READY, integration=Integration("integrated")), "main has its work already.", "release"),
        (replace(READY, unread="It is locked away.", changes=None), "It is locked away.", None),
        (replace(READY, problem="a is too large."), "a is too large.", None),
        (
            replace(READY, worktree=replace(TREE, branch=None, unfinished=Unfinished("rebase", "f"))),
            "A rebase is in progress. Finish it, or abort it.",
            None,
        ),
        (
            replace(READY, worktree=replace(TREE, merging=("5" * 40,)), unresolved=("a",)),
            "A merge is in progress. 1 file to resolve: a.",
            "resolve",
        ),
        (
            replace(READY, worktree=replace(TREE, merging=("5" * 40,))),
            "A merge is in progress, and all is resolved.",
            "continue",
        ),
    ],
)
def test_what_is_not_ready_says_why_and_what_is_next(state: WorktreeState, why: str, then: str | None) -> None:
    assert of(state) == Readiness(False, why, then)  # type: ignore[arg-type]


def test_a_conflict_with_trunk_is_resolved_first_and_what_is_not_known_is_not_ready() -> None:
    assert of(READY, CONFLICT) == Readiness(False, "Conflicts with main in a. Merge main into it.", "update")
    made = replace(CONFLICT, regeneration=Regeneration("lock file", "a", "npm install"))
    why = "Conflicts with main only in what tools make: a."
    assert of(READY, made) == Readiness(False, why, "merge")
    assert of(READY, made, CONFLICT).next == "update"
    assert of(READY, replace(made, regeneration=Regeneration("snapshot", "a"))).next == "update"
    doubt = Unknown((("/w/f", "f"), (TRUNK_KEY, None)), None, "Git did not say.")
    assert of(READY, unknown=(doubt,)) == Readiness(False, "Git did not say.")


def test_what_takes_back_what_trunk_did_says_so() -> None:
    undone = Undone("a", ENTRY, None, "6" * 40, "Fix the tax", "Bo", (), exact=True)
    why = "It takes back what Bo did to main in 6666666666 (Fix the tax)."
    assert of(replace(READY, undone=(undone,))) == Readiness(False, why)


def test_a_protected_worktree_is_not_to_be_released_next() -> None:
    kept = replace(READY, worktree=replace(TREE, locked="Protected"), integration=Integration("integrated"))
    assert of(kept).next is None
