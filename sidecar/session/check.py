"""Say from a Picture who else has changed a file and whether it would conflict, for who is about to edit it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sidecar.model.findings import Failure
from sidecar.model.overlaps import Overlap, Side, Unknown
from sidecar.model.picture import BrokenUse, Picture, Undone, Worktree, WorktreeState, locate
from sidecar.model.schema import Json, check_object, unknown_object
from sidecar.model.words import escape

Meeting = tuple[Overlap, Side, Side]
"""An overlap, the side that is asked about, and the other one."""


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A path in its worktree, where it meets others' changes, who else has it changed, and what is not known.

    `is_changed`: its worktree has changed it. `broken` are the broken uses of which one end is in it.
    """

    path: str
    worktree: Worktree
    meetings: tuple[Meeting, ...]
    elsewhere: tuple[Worktree, ...]
    unknown: tuple[Unknown, ...]
    is_changed: bool = False
    broken: tuple[BrokenUse, ...] = ()

    @property
    def others(self) -> dict[str, str]:
        """Give the names, by key, of the other worktrees that have changed it."""
        met = {side.key: side.name for _, _, side in self.meetings if side.name is not None}
        return met | {worktree.key: worktree.name for worktree in self.elsewhere}


def check_path(picture: Picture, place: str) -> Failure | tuple[CheckedFile, ...]:
    """Check an absolute path, which need not exist; a directory stands for all below it that somebody has changed."""
    located = locate(picture, place)
    if located is None or located[0].bare:
        return Failure("no-worktree", f"{escape(place)} is in no worktree.")
    worktree, inside = located
    mine = next(state for state in picture.worktrees if state.worktree is worktree)
    meetings = [(overlap, *sides) for overlap in picture.overlaps if (sides := overlap.seen_from(worktree.key))]
    others = [state for state in picture.worktrees if state is not mine and state.changes is not None]
    files = _expand(inside, place, meetings, others)
    return tuple(_checked(picture, path, mine, meetings, others) for path in files)


def others_in(files: Sequence[CheckedFile]) -> dict[str, str]:
    """Give the names, by key, of the other worktrees that have changed one of the files."""
    return {key: name for file in files for key, name in file.others.items()}


def undone_in(files: Sequence[CheckedFile], taken_back: Callable[[str], Sequence[Undone]]) -> list[tuple[str, Undone]]:
    """Give (worktree's name, what it takes back of trunk) of those files that their worktrees have changed.

    `taken_back` gives all of it, by a worktree's key.
    """
    asked: dict[str, tuple[str, set[str]]] = {}
    for file in files:
        if file.is_changed:
            asked.setdefault(file.worktree.key, (file.worktree.name, set()))[1].add(file.path)
    return [(name, one) for key, (name, paths) in asked.items() for one in taken_back(key) if one.path in paths]


def object_of(files: Sequence[CheckedFile], agents: Sequence[Json], undone: Sequence[tuple[str, Undone]]) -> Json:
    """Give what `check --json` prints."""
    listed = ((file.path, file.worktree.name, [overlap for overlap, _, _ in file.meetings]) for file in files)
    seen = dict.fromkeys((unknown, file.worktree.key) for file in files for unknown in file.unknown)
    broken = list(dict.fromkeys(one for file in files for one in file.broken))
    return check_object(listed, (unknown_object(one, key) for one, key in seen), agents, undone, broken)


def _checked(
    picture: Picture, path: str, mine: WorktreeState, meetings: Sequence[Meeting], others: Sequence[WorktreeState]
) -> CheckedFile:
    here = tuple(meeting for meeting in meetings if path in _names(meeting, mine))
    met = {other.key for _, _, other in here}
    elsewhere = tuple(
        state.worktree
        for state in others
        if state.worktree.key not in met and state.changes is not None and state.changes.named(path)
    )
    key = mine.worktree.key
    unknown = tuple(one for one in picture.unknown if one.concerns(key) and one.may_be_at(path))
    changed = mine.changes is not None and mine.changes.named(path) is not None
    broken = tuple(one for one in picture.broken_uses if (ends := one.ends(key)) is not None and ends[0].path == path)
    return CheckedFile(path, mine.worktree, here, elsewhere, unknown, changed, broken)


def _names(meeting: Meeting, mine: WorktreeState) -> set[str]:
    """Give every path by which a person in this worktree may ask for the meeting, one from before a rename too."""
    overlap, side, _ = meeting
    change = mine.changes.named(side.path) if mine.changes else None
    return {overlap.path, side.path, *(change.names if change else ())}


def _expand(inside: str, place: str, meetings: Sequence[Meeting], others: Sequence[WorktreeState]) -> Sequence[str]:
    """Give a file alone; for a directory, also one that is gone, the files below it that somebody else has changed."""
    met = {side.path for _, side, _ in meetings}
    changed = {name for state in others for change in state.changes or () for name in change.names}
    below = sorted(path for path in met | changed if not inside or path.startswith(f"{inside}/"))
    is_folder = os.path.isdir(place) and not os.path.islink(place)
    return below if is_folder or (below and not os.path.lexists(place)) else [inside]
