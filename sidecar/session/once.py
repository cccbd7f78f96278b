"""Make one Picture, once, for a terminal or a script, and find the worktree that a name means."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from sidecar.git.history import find_trunk
from sidecar.git.objects import tree_of
from sidecar.git.refs import resolve_commit
from sidecar.git.repository import Repository, list_worktrees
from sidecar.model.findings import Failure
from sidecar.model.may_overlap import footprint
from sidecar.model.picture import TRUNK_KEY, Picture, Trunk, Undone, Worktree, WorktreeState
from sidecar.model.settings import Options, build_output
from sidecar.model.words import did_you_mean, escape, shown
from sidecar.session.broken_uses import BrokenUseFinder
from sidecar.session.intended import IntendedRecord
from sidecar.session.numbered import same_numbers
from sidecar.session.overlaps import OverlapCache, OverlapResult
from sidecar.session.pair import meet
from sidecar.session.participants import CUT_OFF, Participant, unread_in
from sidecar.session.proof import integrate
from sidecar.session.reader import Sources, ask
from sidecar.session.reading import read_all, read_worktree, tip_of, worktree_state
from sidecar.session.sizes import measure_all, with_sizes
from sidecar.session.undoes_trunk import find_undone


def look(
    folder: Path, options: Options | None = None, *, prove: bool = True, measure: float = 0.0
) -> Picture | Failure:
    """Give the Picture of the repository that a folder lies in, read afresh; up to `measure` seconds go into sizes.

    Without `prove`, work that trunk has as other commits is not looked for, since who asks for overlaps need not wait.
    """

    def take(sources: Sources) -> Picture | Failure:
        picture = _take_picture(sources, prove=prove)
        if isinstance(picture, Failure) or not measure:
            return picture
        patterns = build_output(sources.settings)
        return with_sizes(picture, measure_all(sources.repository, picture.worktrees, patterns, measure))

    return ask(folder, options or Options(), take)


def _take_picture(sources: Sources, *, prove: bool) -> Picture | Failure:
    worktrees = list_worktrees(sources.repository)
    trunk = find_trunk(sources.repository, worktrees, str(sources.settings["trunk"]))
    if isinstance(trunk, Failure):
        return trunk
    states = tuple(worktree_state(sources, trunk, reading, {}) for reading in read_all(sources, worktrees))
    grades = OverlapCache(sources).grade(trunk, states)
    if prove:
        states = tuple(replace(state, integration=integrate(sources, trunk, state)) for state in states)
    broken = BrokenUseFinder(sources).find(trunk, states) or ()
    common_dir, overlaps = sources.repository.common_dir, grades.overlaps
    return Picture(1, common_dir, trunk, states, overlaps, unknown=grades.unknown, broken_uses=broken)


def taken_back(folder: Path, name: str, options: Options | None = None) -> tuple[Undone, ...] | Failure:
    """Give what the worktree of that name, branch or path takes back of trunk now, but what is intended."""

    def take(sources: Sources) -> tuple[Undone, ...] | Failure:
        found = resolve_worktree(sources.repository, folder, name, str(sources.settings["trunk"]))
        if isinstance(found, Failure):
            return found
        state = worktree_state(sources, found.trunk, read_worktree(sources, found.worktree), {})
        intended = IntendedRecord(sources.repository.common_dir).of(found.worktree)
        return find_undone(sources, state, found.trunk, intended).undone

    return ask(folder, options or Options(), take)


def compare(folder: Path, first: str, second: str, options: Options | None = None) -> OverlapResult | Failure:
    """Give the overlaps of two worktrees (name, branch or path), or of any two commits.

    Two worktrees meet in their own work, as in a Picture. A commit, and a worktree that has trunk checked out, is
    compared as it is.
    """
    return ask(folder, options or Options(), lambda sources: _compare(sources, folder, first, second))


def _compare(sources: Sources, folder: Path, first: str, second: str) -> OverlapResult | Failure:
    worktrees = list_worktrees(sources.repository)
    trunk = find_trunk(sources.repository, worktrees, str(sources.settings["trunk"]))
    if isinstance(trunk, Failure):
        return trunk
    heads: list[tuple[str, WorktreeState | None, str]] = []
    for name in (first, second):
        found = find_worktree([WorktreeState(worktree) for worktree in worktrees], name, folder)
        if isinstance(found, Failure):
            return found
        place = sources.repository.place
        head = resolve_commit(place, name) if found is None else tip_of(sources, found.worktree)
        if head is None:
            return _unknown(worktrees, name, "worktree, branch or commit")
        if found is not None:
            found = worktree_state(sources, trunk, read_worktree(sources, found.worktree), {})
            if found.changes is None:
                return Failure("unreadable-worktree", found.problem or f"{name} has no files.")
        heads.append((name, found, head))
    bases = sources.history.merge_bases(*sorted(head for _, _, head in heads))
    if not bases:
        more = f" {CUT_OFF}" if sources.repository.is_shallow else ""
        return Failure("unrelated", f"{first} and {second} share no history, so git would not merge them.{more}")
    states = [found for _, found, _ in heads if found is not None and found.worktree.branch != trunk.branch]
    if len(states) == len(heads):
        grades = OverlapCache(sources).grade(trunk, states)
        return OverlapResult(
            tuple(overlap for overlap in grades.overlaps if all(side.key != TRUNK_KEY for side in overlap.sides)),
            tuple(one for one in grades.unknown if all(key != TRUNK_KEY for key, _ in one.parties)),
        )
    base = tree_of(sources.quarantine.objects, bases[0])
    participants = [_participant(sources, base, name, found, head) for name, found, head in heads]
    met = meet(sources, participants[0], participants[1], bases).found
    worktrees_read = (found for _, found, _ in heads if found is not None)
    unread = chain.from_iterable(unread_in(sources.repository, trunk, state) for state in worktrees_read)
    numbered = same_numbers(sources, *participants)
    overlaps = sorted((*met.overlaps, *numbered), key=lambda overlap: overlap.path)
    return OverlapResult(tuple(overlaps), tuple(dict.fromkeys((*unread, *met.unknown))))


def _participant(sources: Sources, base: str, name: str, found: WorktreeState | None, head: str) -> Participant:
    """Make a participant of a worktree's present state, or of a commit; all since the merge base is its own."""
    if found is not None and found.changes is not None:
        worktree = found.worktree
        own = found.changes if found.changes.base == base else sources.trees.changes(base, found.changes.tree)
        return Participant(
            worktree.key, worktree.name, worktree.ref, head, own, footprint(own.touched), unread=found.files
        )
    own = sources.trees.changes(base, tree_of(sources.quarantine.objects, head))
    return Participant(name, None, name, head, own, footprint(own.touched))


def find_worktree(states: Sequence[WorktreeState], name: str, folder: Path) -> WorktreeState | Failure | None:
    """Give the worktree of that name, branch or path (relative to `folder`); None without one, a Failure when several.

    A name wins over a branch: `git worktree add ../x -b y` is found by x, then by y. A branch that is being rebased or
    bisected is still a name of the worktree in which that happens. An empty name, as an unset variable of a script
    gives, is a Failure and not the worktree of the folder.
    """
    if not name:
        return Failure("unknown-name", "An empty name names no worktree. Give its name, branch or path.")
    path = os.path.realpath(folder / name)
    for choice in (
        [state for state in states if state.worktree.key == path],
        [state for state in states if state.worktree.name == name],
        [state for state in states if name in state.worktree.branches],
        [state for state in states if name.removeprefix("refs/heads/") in state.worktree.branches],
    ):
        if len(choice) > 1:
            paths = ", ".join(escape(state.worktree.key) for state in choice)
            return Failure(
                "ambiguous-name", f"Several worktrees are called {shown(name)}: {paths}. Give the path of one."
            )
        if choice:
            return choice[0]
    return None


def worktree_called(worktrees: Sequence[Worktree], name: str, folder: Path) -> Worktree | Failure:
    """Give the worktree of that name, branch or path (relative to `folder`), or say which ones there are."""
    found = find_worktree([WorktreeState(worktree) for worktree in worktrees], name, folder)
    if isinstance(found, Failure):
        return found
    return _unknown(worktrees, name, "worktree") if found is None else found.worktree


def _unknown(worktrees: Sequence[Worktree], name: str, what: str) -> Failure:
    names = ", ".join(shown(worktree.name) for worktree in worktrees)
    called = [one for worktree in worktrees for one in (worktree.name, worktree.branch) if one is not None]
    guess = did_you_mean(name, called)
    return Failure("unknown-name", f"There is no {what} called {shown(name)}.{guess} The worktrees are: {names}.")


@dataclass(frozen=True, slots=True)
class Resolved:
    """The worktree that is meant, trunk, the worktrees that have trunk checked out, and all of them."""

    worktree: Worktree
    trunk: Trunk
    checkouts: tuple[Worktree, ...]
    worktrees: tuple[Worktree, ...]


def resolve_worktree(repository: Repository, folder: Path, name: str, trunk_setting: str) -> Resolved | Failure:
    """Find the worktree of a name, branch or path, and trunk; GitError when the repository can't be read."""
    worktrees = list_worktrees(repository)
    trunk = find_trunk(repository, worktrees, trunk_setting)
    if isinstance(trunk, Failure):
        return trunk
    worktree = worktree_called(worktrees, name, folder)
    if isinstance(worktree, Failure):
        return worktree
    checkouts = tuple(one for one in worktrees if one.branch == trunk.branch and not one.bare)
    return Resolved(worktree, trunk, checkouts, worktrees)
