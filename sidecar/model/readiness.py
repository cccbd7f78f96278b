"""Say of each worktree whether it is ready to be merged into trunk, why not, and what comes next, by a Picture alone.

A plan looks at more than a Picture has, trunk's checkout among it, so that one that is ready can still be refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sidecar.model.changes import COMMITTED
from sidecar.model.messages import undone_clause
from sidecar.model.overlaps import Overlap
from sidecar.model.picture import TRUNK_KEY, Picture, WorktreeState, has_trunk
from sidecar.model.words import counted, named, shown, some

Next = Literal["resolve", "continue", "update", "merge", "release"]
"""What a person does next: resolve conflicts, end the merge, merge trunk into it, merge it into trunk, let go of it.

That it is merged into trunk is next also where that makes anew all that conflicts.
"""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether merging it into trunk is next; else `why` not, in a sentence, and what is next, None for work."""

    ready: bool
    why: str | None = None
    next: Next | None = None


def readiness(picture: Picture) -> Mapping[str, Readiness]:
    """Give that of every worktree beside trunk's own checkout, by its key."""
    trunk = picture.trunk
    if trunk is None or trunk.commit is None:
        return {}
    met: dict[str, list[Overlap]] = {}
    for overlap in picture.overlaps:
        keys = [side.key for side in overlap.sides]
        if overlap.verdict == "conflict" and TRUNK_KEY in keys:
            met.setdefault(keys[1 - keys.index(TRUNK_KEY)], []).append(overlap)
    doubts: dict[str, str] = {}
    for unknown in picture.unknown:
        keys = [key for key, _ in unknown.parties]
        if TRUNK_KEY in keys:
            doubts.update((key, unknown.reason) for key in keys if key != TRUNK_KEY)
    return {
        state.worktree.key: _readiness(state, trunk.branch, met.get(state.worktree.key, []), doubts)
        for state in picture.worktrees
        if not (state.worktree.bare or has_trunk(picture, state.worktree))
    }


def _readiness(state: WorktreeState, trunk: str, met: Sequence[Overlap], doubts: Mapping[str, str]) -> Readiness:
    worktree, branch = state.worktree, shown(trunk)
    if worktree.merging and state.unread is None:
        return _of_merge(state)
    if worktree.unfinished is not None:
        operation = some(worktree.unfinished.operation).capitalize()
        return Readiness(False, f"{operation} is in progress. Finish it, or abort it.")
    if state.unread is not None or state.changes is None:
        return Readiness(False, state.unread or worktree.problem or state.problem or "It could not be read.")
    if state.integration.state == "integrated":
        kept = worktree.main or worktree.locked is not None
        return Readiness(False, integrated_sentence(branch), None if kept else "release")
    edits = sum(any(source != COMMITTED for source in change.sources) for change in state.changes)
    if edits:
        return Readiness(False, uncommitted_sentence(edits))
    if not state.ahead:
        return Readiness(False, nothing_sentence(branch))
    if met:
        paths = [overlap.path for overlap in met]
        if all(overlap.regeneration is not None and overlap.regeneration.command for overlap in met):
            return Readiness(False, f"Conflicts with {branch} only in what tools make: {named(paths)}.", "merge")
        return Readiness(False, conflict_sentence(branch, paths), "update")
    if state.undone:
        return Readiness(False, f"It {undone_clause(state.undone[0], branch)}.")
    if worktree.key in doubts:
        return Readiness(False, doubts[worktree.key])
    return Readiness(True, next="merge") if state.problem is None else Readiness(False, state.problem)


def _of_merge(state: WorktreeState) -> Readiness:
    waiting = state.unresolved
    if not waiting:
        return Readiness(False, "A merge is in progress, and all is resolved.", "continue")
    files = counted(len(waiting), "file", "files")
    return Readiness(False, f"A merge is in progress. {files} to resolve: {named(waiting)}.", "resolve")


def uncommitted_sentence(count: int) -> str:
    """Say how much is not committed."""
    return f"It has {counted(count, 'uncommitted change', 'uncommitted changes')}."


def nothing_sentence(branch: str) -> str:
    """Say that there is nothing to merge into trunk, whose branch is shown so."""
    return f"It has no commits that {branch} lacks."


def integrated_sentence(branch: str) -> str:
    """Say that trunk, whose branch is shown so, has all of it."""
    return f"{branch} has its work already."


def conflict_sentence(branch: str, paths: Sequence[str]) -> str:
    """Say where it conflicts with trunk, whose branch is shown so, and what to do about that."""
    return f"Conflicts with {branch} in {named(paths)}. Merge {branch} into it."
