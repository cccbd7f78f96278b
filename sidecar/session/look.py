"""One Picture, once: for a terminal or a script."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sidecar.git.objects import tree_of
from sidecar.git.refs import resolve_commit
from sidecar.git.repository import list_worktrees
from sidecar.git.trunk import find_trunk
from sidecar.model.findings import Failure
from sidecar.model.interplay import footprint
from sidecar.model.messages import escape, shown
from sidecar.model.overlaps import Overlap
from sidecar.model.picture import Picture, Worktree, WorktreeState
from sidecar.model.settings import build_output
from sidecar.session.grading import Grading
from sidecar.session.integration import integrate
from sidecar.session.measuring import measure_all, with_sizes
from sidecar.session.meeting import Party, meet
from sidecar.session.reading import read_all, read_worktree, worktree_state
from sidecar.session.sources import Options, Sources, ask


def look(
    folder: Path, options: Options | None = None, *, prove: bool = True, measure: float = 0.0
) -> Picture | Failure:
    """The Picture of the repository that a folder lies in, read afresh; up to `measure` seconds go into sizes.

    Without `prove`, work that is in trunk as other commits is not looked for: who asks for overlaps need not wait.
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
    grades = Grading(sources).grade(trunk, states)
    problem = " ".join(grades.failures) or None
    if prove:
        states = tuple(replace(state, integration=integrate(sources, trunk, state)) for state in states)
    return Picture(1, sources.repository.common_dir, trunk, states, grades.overlaps, problem=problem)


def compare(folder: Path, first: str, second: str, options: Options | None = None) -> tuple[Overlap, ...] | Failure:
    """The overlaps of two worktrees (name, branch or path), or of any two commits."""
    return ask(folder, options or Options(), lambda sources: _compare(sources, folder, first, second))


def _compare(sources: Sources, folder: Path, first: str, second: str) -> tuple[Overlap, ...] | Failure:
    worktrees = list_worktrees(sources.repository)
    trunk = find_trunk(sources.repository, worktrees, str(sources.settings["trunk"]))
    if isinstance(trunk, Failure):
        return trunk
    heads: list[tuple[str, WorktreeState | None, str]] = []
    for name in (first, second):
        found = find_worktree([WorktreeState(worktree) for worktree in worktrees], name, folder)
        if isinstance(found, Failure):
            return found
        head = found.worktree.head if found is not None else resolve_commit(sources.repository.place, name)
        if head is None:
            return _unknown(worktrees, name)
        if found is not None:
            found = worktree_state(sources, trunk, read_worktree(sources, found.worktree), {})
            if found.changes is None:
                return Failure(
                    "unreadable-worktree", found.worktree.problem or found.problem or f"{name} has no files."
                )
        heads.append((name, found, head))
    bases = sources.history.merge_bases(*sorted(head for _, _, head in heads))
    if not bases:
        return Failure("unrelated", f"{first} and {second} share no history, so git would not merge them.")
    base = tree_of(sources.quarantine.objects, bases[0])
    parties = [_party(sources, base, name, found, head) for name, found, head in heads]
    found_overlaps = meet(sources, parties[0], parties[1], bases).overlaps
    return tuple(sorted(found_overlaps, key=lambda overlap: overlap.path))


def _party(sources: Sources, base: str, name: str, found: WorktreeState | None, head: str) -> Party:
    """A worktree with its present state, or a commit as it is; what it has since the merge base counts as its own."""
    if found is not None and found.changes is not None:
        worktree = found.worktree
        own = found.changes if found.changes.base == base else sources.trees.changes(base, found.changes.tree)
        return Party(worktree.key, worktree.name, worktree.ref, head, own, footprint(own.touched))
    own = sources.trees.changes(base, tree_of(sources.quarantine.objects, head))
    return Party(name, None, name, head, own, footprint(own.touched))


def find_worktree(states: Sequence[WorktreeState], name: str, folder: Path) -> WorktreeState | Failure | None:
    """The worktree of that name, branch or path (relative to `folder`); None without one, a Failure when several.

    A name wins over a branch: `git worktree add ../x -b y` is found by x, then by y.
    """
    path = os.path.realpath(folder / name)
    for choice in (
        [state for state in states if state.worktree.key == path],
        [state for state in states if state.worktree.name == name],
        [state for state in states if name in (state.worktree.branch, f"refs/heads/{state.worktree.branch}")],
    ):
        if len(choice) > 1:
            paths = ", ".join(escape(state.worktree.key) for state in choice)
            return Failure(
                "ambiguous-name", f"Several worktrees are called {shown(name)}: {paths}. Give the path of one."
            )
        if choice:
            return choice[0]
    return None


def _unknown(worktrees: Sequence[Worktree], name: str) -> Failure:
    names = ", ".join(shown(worktree.name) for worktree in worktrees)
    said = f"There is no worktree, branch or commit called {shown(name)}. The worktrees are: {names}."
    return Failure("unknown-name", said)
