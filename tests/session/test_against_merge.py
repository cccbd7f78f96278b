"""Whatever the worktrees have done: what the sidecar calls a conflict is what stops a real merge, path by path."""

import os
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import event, given, note, reject

from sidecar.model.overlaps import Overlap
from sidecar.session.once import look
from tests.harness import by_git, environment, git
from tests.harness import state_of as everything_of
from tests.model.examples import examples
from tests.model.tree_edits import MOVING
from tests.session.histories import History, build, histories
from tests.session.pictures import pictured, shown

TRUNK = ""


@examples(10)
@given(histories())
def test_conflicts_are_those_of_real_merges(history: History) -> None:
    _hold_against_merges(history)


@examples(6)
@given(histories(verbs=MOVING))
def test_conflicts_are_those_of_real_merges_where_directories_move(history: History) -> None:
    _hold_against_merges(history)


def _hold_against_merges(history: History) -> None:
    with TemporaryDirectory() as place:
        main = build(Path(place) / "repository", history)
        before = everything_of(main)
        picture = pictured(look(main))
        assert everything_of(main) == before
        assert [state.worktree.problem or state.problem for state in picture.worktrees].count(None) == len(
            picture.worktrees
        )
        scratch = by_git.scratch_repository(main, Path(place) / "scratch")
        env = {name: environment(Path(os.environ["HOME"]))[name] for name in ("HOME", "GIT_CONFIG_GLOBAL")}
        present = by_git.present_states(main, scratch, env)
        tip = git(main, "rev-parse", "refs/heads/main")
        for state in picture.worktrees:
            assert state.changes is not None
            assert state.changes.tree == git(scratch, "rev-parse", f"{present[state.worktree.name]}^{{tree}}")
        own = {state.worktree.name: set(state.changes.touched) for state in picture.worktrees if state.changes}
        busy = [name for name in present if own[name]]
        with_trunk = {
            name: {
                path for overlap in picture.overlaps if _parties(overlap) == [name, TRUNK] for path in _names(overlap)
            }
            for name in [*busy, TRUNK]
        }
        pairs = list(combinations([*busy, TRUNK], 2))
        if "Assertion" in (picture.problem or ""):
            reject()  # git itself crashes on this history, and that is said
        merges = {
            (ours, theirs): by_git.merge(scratch, present[ours], present.get(theirs, tip), env)
            for ours, theirs in pairs
        }
        for ours, theirs in pairs:
            found = [overlap for overlap in picture.overlaps if _parties(overlap) == [ours, theirs]]
            since = own[theirs] if theirs else _changed_by_trunk(scratch, present[ours], tip)
            conflicts = merges[ours, theirs].conflicts
            note(f"{ours} {theirs} {conflicts} {[shown(overlap) for overlap in found]}")
            event(f"{len(conflicts)} conflicts")
            told = with_trunk[ours] | with_trunk[theirs]
            inherited = [
                _alike(it) for name in (ours, theirs) if theirs and name for it in merges[name, TRUNK].conflicts
            ]
            _compare(found, conflicts, own[ours], since, told, inherited)


def _parties(overlap: Overlap) -> list[str]:
    return [side.name or TRUNK for side in overlap.sides]


def _changed_by_trunk(scratch: Path, state: str, tip: str) -> set[str]:
    base = git(scratch, "merge-base", state, tip)
    return set(git(scratch, "diff-tree", "-r", "-z", "--no-renames", "--name-only", base, tip).split("\0")) - {""}


def _alike(conflict: by_git.Conflict) -> tuple[str, frozenset[str]]:
    return conflict.kind, frozenset(conflict.paths)


def _compare(
    found: list[Overlap],
    conflicts: tuple[by_git.Conflict, ...],
    mine: set[str],
    other: set[str],
    told: set[str],
    inherited: list[tuple[str, frozenset[str]]],
) -> None:
    """`mine` and `other` are the paths of their own work, `told` those at which an overlap with trunk is shown.

    Where git stops because of what one side merely has from trunk, that overlap is with trunk, and shown there:
    `inherited` are the conflicts with trunk. Where neither has done anything (a file in the way of a directory that
    only trunk made), there is nothing to show.
    """
    own = [
        set(conflict.paths)
        for conflict in conflicts
        if {*conflict.paths} & mine and {*conflict.paths} & other and _alike(conflict) not in inherited
    ]
    stopping = [overlap for overlap in found if overlap.verdict == "conflict"]
    named = {name for overlap in stopping for name in _names(overlap)}
    for conflict in conflicts:
        paths = set(conflict.paths)
        if paths & (mine | other):
            assert paths & named or (paths & told and paths not in own), f"git stops at {conflict}, which is missing"
    for overlap in found:
        if overlap.verdict == "conflict":
            assert any(_names(overlap) & {*conflict.paths} for conflict in conflicts), f"not by git: {shown(overlap)}"
        else:
            assert not any(overlap.path in paths for paths in own), f"git stops at {shown(overlap)}"
    assert len({(overlap.path, overlap.sides[0].path, overlap.sides[1].path) for overlap in found}) == len(found)


def _names(overlap: Overlap) -> set[str]:
    return {overlap.path, *(side.path for side in overlap.sides)}
