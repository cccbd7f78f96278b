"""Say what is new in a Picture since another one, as plain dataclasses, and make the Picture of it again.

A Picture with thousands of overlaps goes to a door whole once; after that a save sends what it has changed. What is
the same is named by its place in the Picture before, so that the door keeps the very objects that it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Protocol, TypeVar

from sidecar.model.changes import Change, ChangeSet, Entry
from sidecar.model.overlaps import Overlap
from sidecar.model.picture import Picture, WorktreeState

T = TypeVar("T")
New_co = TypeVar("New_co", covariant=True)


class _Piece(Protocol[New_co]):
    """`count` of what was there before, from `start` on, and then what is `new`."""

    @property
    def start(self) -> int: ...
    @property
    def count(self) -> int: ...
    @property
    def new(self) -> tuple[New_co, ...]: ...


@dataclass(frozen=True, slots=True)
class Overlaps:
    """A piece of the overlaps."""

    start: int
    count: int
    new: tuple[Overlap, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """A piece of the changes of one worktree."""

    start: int
    count: int
    new: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangedSet:
    """A change set; `touched` is in pieces of the same worktree's before, `folded` in pieces of this `touched`."""

    base: str
    tree: str
    touched: tuple[Changes, ...]
    folded: tuple[Changes, ...]


@dataclass(frozen=True, slots=True)
class ChangedState:
    """A worktree's state, and beside it the changes that it has."""

    state: WorktreeState
    changes: ChangedSet | None


@dataclass(frozen=True, slots=True)
class States:
    """A piece of the worktrees."""

    start: int
    count: int
    new: tuple[ChangedState, ...] = ()


@dataclass(frozen=True, slots=True)
class PictureChange:
    """What makes one Picture of another, and beside it the worktrees and overlaps that it has.

    The Picture has no documents: they are left to who knows the door that gets it.
    """

    picture: Picture
    worktrees: tuple[States, ...]
    overlaps: tuple[Overlaps, ...]


NOTHING = Picture(0, "", None)
"""The Picture before the first one: what changed since then is all of it."""


def change_of(before: Picture, after: Picture) -> PictureChange:
    """Say what makes the one Picture of the other."""
    known = {state.worktree.key: state for state in before.worktrees}
    states = _pieces(before.worktrees, after.worktrees, lambda state: state.worktree.key, _is_same)
    overlaps = _pieces(before.overlaps, after.overlaps, _where, lambda one, two: one is two or one == two)
    return PictureChange(
        replace(after, worktrees=(), overlaps=(), documents={}),
        tuple(
            States(start, count, tuple(_changed(known.get(one.worktree.key), one) for one in new))
            for start, count, new in states
        ),
        tuple(Overlaps(*piece) for piece in overlaps),
    )


def apply_change(before: Picture, change: PictureChange) -> Picture:
    """Make the Picture that a change leads to; ValueError where it is not a change of this Picture."""
    known = {state.worktree.key: state for state in before.worktrees}
    states: list[WorktreeState] = []
    for piece in change.worktrees:
        states += _taken(before.worktrees, piece.start, piece.count)
        states += (_state(known.get(one.state.worktree.key), one) for one in piece.new)
    return replace(change.picture, worktrees=tuple(states), overlaps=_joined(before.overlaps, change.overlaps))


def changed_and_met(change: PictureChange) -> list[Entry]:
    """Give what files have become by a change that meet others."""
    sets = (state.changes for piece in change.worktrees for state in piece.new if state.changes is not None)
    new = {one.after for changes in sets for piece in changes.touched for one in piece.new if one.after is not None}
    met = {side.after for piece in change.overlaps for overlap in piece.new for side in overlap.sides}
    return [entry for entry in new if entry in met]


def _where(overlap: Overlap) -> tuple[str, str, str]:
    return overlap.path, overlap.sides[0].key, overlap.sides[1].key


def _is_same(one: WorktreeState, two: WorktreeState) -> bool:
    return one is two or (
        (one.bytes, one.undone, one.broken, _order(one)) == (two.bytes, two.undone, two.broken, _order(two))
        and one == two
    )


def _order(state: WorktreeState) -> tuple[list[str], list[str]] | None:
    """Give the paths in the order in which the next change counts them: mappings are equal in any order."""
    return None if state.changes is None else (list(state.changes.touched), list(state.changes.changes))


def _pieces(
    before: Sequence[T], after: Sequence[T], key: Callable[[T], object], is_same: Callable[[T, T], bool]
) -> Iterator[tuple[int, int, tuple[T, ...]]]:
    """Give a sequence as (start, count, new): runs of another one, and what is in none of them after each."""
    if before is after:
        yield 0, len(after), ()
        return
    places: dict[object, int] = {}
    start, count, following = 0, 0, 0
    new: list[T] = []
    for one in after:
        place: int | None = following
        if following == len(before) or (before[following] is not one and key(before[following]) != key(one)):
            places = places or {key(one): place for place, one in enumerate(before)}
            place = places.get(key(one))
        if place is not None:
            following = place + 1
        if place is None or (before[place] is not one and not is_same(before[place], one)):
            new.append(one)
        elif place == start + count and not new:
            count += 1
        else:
            if count or new:
                yield start, count, tuple(new)
            start, count, new = place, 1, []
    yield start, count, tuple(new)


def _taken(before: Sequence[T], start: int, count: int) -> Sequence[T]:
    if start < 0 or count < 0 or start + count > len(before):
        raise ValueError("a change of another Picture")
    return before[start : start + count]


def _joined(before: Sequence[T], pieces: Sequence[_Piece[T]]) -> tuple[T, ...]:
    if len(pieces) == 1 and not pieces[0].new and pieces[0].count == len(before) and isinstance(before, tuple):
        return before
    joined: list[T] = []
    for piece in pieces:
        joined += _taken(before, piece.start, piece.count)
        joined += piece.new
    return tuple(joined)


def _changed(before: WorktreeState | None, after: WorktreeState) -> ChangedState:
    known = before.changes if before is not None else None
    changes = _changed_set(known, after.changes) if after.changes is not None else None
    return ChangedState(replace(after, changes=None), changes)


def _changed_set(before: ChangeSet | None, after: ChangeSet) -> ChangedSet:
    old = tuple(before.touched.values()) if before is not None else ()
    touched, folded = tuple(after.touched.values()), tuple(after.changes.values())
    return ChangedSet(
        after.base,
        after.tree,
        tuple(Changes(*piece) for piece in _pieces(old, touched, _path, _equal)),
        tuple(Changes(*piece) for piece in _pieces(touched, folded, _path, _equal)),
    )


def _path(change: Change) -> str:
    return change.path


def _equal(one: Change, two: Change) -> bool:
    return one is two or one == two


def _state(before: WorktreeState | None, after: ChangedState) -> WorktreeState:
    changes = None
    if after.changes is not None:
        old = tuple(before.changes.touched.values()) if before is not None and before.changes is not None else ()
        touched = _joined(old, after.changes.touched)
        folded = _joined(touched, after.changes.folded)
        changes = ChangeSet(after.changes.base, after.changes.tree, _by_path(touched), _by_path(folded))
    return replace(after.state, changes=changes)


def _by_path(changes: Sequence[Change]) -> Mapping[str, Change]:
    return MappingProxyType({change.path: change for change in changes})
