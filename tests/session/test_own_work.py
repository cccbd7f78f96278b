"""Two worktrees conflict where they would once both are up to date with trunk: git's own merges are held against it.

Where git can't bring one up to date, they conflict where the lines between git's markers touch own lines of both.
"""

import os
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import event, given, note

from sidecar.model.overlaps import Overlap
from sidecar.session.once import look
from tests.harness import GitFailedError, by_git, environment, git
from tests.model.examples import examples
from tests.model.tree_edits import MOVING
from tests.session.histories import History, build, histories
from tests.session.pictures import pictured, shown

TEXT = ("insert", "insert", "replace", "replace", "replace", "cut")


@examples(15)
@given(histories(stacking=True))
def test_a_pair_conflicts_where_it_would_once_both_are_up_to_date(history: History) -> None:
    _hold_against_updates(history)


@examples(15)
@given(histories(verbs=TEXT, stacking=True, crowded=True))
def test_a_pair_conflicts_where_it_would_once_both_are_up_to_date_in_text(history: History) -> None:
    _hold_against_updates(history)


@examples(8)
@given(histories(verbs=MOVING, stacking=True))
def test_a_pair_conflicts_where_it_would_once_both_are_up_to_date_where_directories_move(history: History) -> None:
    _hold_against_updates(history)


@examples(20)
@given(histories(verbs=TEXT, stacking=True, crowded=True))
def test_where_an_update_stops_a_pair_conflicts_in_own_lines_of_both(history: History) -> None:
    with TemporaryDirectory() as place:
        main = build(Path(place) / "repository", history)
        picture = pictured(look(main))
        scratch = by_git.scratch_repository(main, Path(place) / "scratch")
        env = {name: environment(Path(os.environ["HOME"]))[name] for name in ("HOME", "GIT_CONFIG_GLOBAL")}
        present = by_git.present_states(main, scratch, env)
        tip = git(main, "rev-parse", "refs/heads/main")
        stops = {
            name: {path for it in by_git.merge(scratch, state, tip, env).conflicts for path in it.paths}
            for name, state in present.items()
        }
        for one, two in combinations(present, 2):
            tried = by_git.merge(scratch, present[one], present[two], env)
            for path in {path for it in tried.conflicts for path in it.paths} & (stops[one] | stops[two]):
                shown_at = {
                    (side.regions, number)
                    for overlap in picture.overlaps
                    if [side.name for side in overlap.sides] == [one, two] and overlap.verdict == "conflict"
                    for number, side in enumerate(overlap.sides)
                    if side.path == path
                }
                own = [_own_lines(scratch, present[name], tip, path, stops[name]) for name in (one, two)]
                for block in by_git.blocks(scratch, tried, path, path, path):
                    sides = [
                        _is_own(lines, hunks) for lines, hunks in zip((block.ours, block.theirs), own, strict=True)
                    ]
                    told = any(
                        (region.start, region.end) == block.ours
                        for regions, number in shown_at
                        if number == 0
                        for region in regions
                    )
                    note(f"{one} {two} {path} {block} {own} {sides} {told}")
                    event(f"own: {sides}, told: {told}")
                    assert not (all(sides) and not told)
                    assert not (False in sides and told)


def _own_lines(scratch: Path, state: str, tip: str, path: str, stops: set[str]) -> list[by_git.Lines] | None:
    """What a state has changed in a file since it left trunk; None where trunk may have some of that."""
    fork = git(scratch, "merge-base", state, tip)
    if path not in stops and by_git.entry(scratch, fork, path) != by_git.entry(scratch, tip, path):
        return None
    return by_git.changed_lines(scratch, *(by_git.content(scratch, commit, path) for commit in (fork, state)))


def _is_own(block: by_git.Lines, hunks: list[by_git.Lines] | None) -> bool | None:
    """Whether a block shares a line with a hunk; None where that is not clear, since they border on each other."""
    if hunks is None:
        return None
    if any(first < block[1] and block[0] < last for first, last in hunks):
        return True
    near = any(first <= block[1] + 1 and block[0] <= last + 1 for first, last in hunks)
    return None if near else False


def _hold_against_updates(history: History) -> None:
    with TemporaryDirectory() as place:
        main = build(Path(place) / "repository", history)
        picture = pictured(look(main))
        assert picture.problem is None or "Assertion" in picture.problem
        scratch = by_git.scratch_repository(main, Path(place) / "scratch")
        env = {name: environment(Path(os.environ["HOME"]))[name] for name in ("HOME", "GIT_CONFIG_GLOBAL")}
        present = by_git.present_states(main, scratch, env)
        tip = git(main, "rev-parse", "refs/heads/main")
        updated = {name: by_git.updated(scratch, state, tip, env) for name, state in present.items()}
        moves = any("rename" in verb or "directory" in verb or verb == "delete" for verb, _, _ in history.trunk)
        for one, two in combinations(present, 2):
            ours, theirs = updated[one], updated[two]
            if ours is None or theirs is None:
                event("an update stops")
                continue
            try:
                conflicts = by_git.merge(scratch, ours, theirs, env).conflicts
            except GitFailedError:
                continue
            found = [overlap for overlap in picture.overlaps if [side.name for side in overlap.sides] == [one, two]]
            stopping = [overlap for overlap in found if overlap.verdict == "conflict"]
            note(f"{one} {two} {conflicts} {[shown(overlap) for overlap in found]}")
            event(f"{len(conflicts)} conflicts")
            assert bool(stopping) == bool(conflicts)
            if not moves:
                names = [_names(overlap) for overlap in stopping]
                assert all(any({*conflict.paths} & some for some in names) for conflict in conflicts)
                assert all(any({*conflict.paths} & some for conflict in conflicts) for some in names)


def _names(overlap: Overlap) -> set[str]:
    return {overlap.path, *(side.path for side in overlap.sides)}
