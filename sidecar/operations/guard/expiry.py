"""Say which states expire. All of the last hour stay, then one an hour for a day and one a day, within bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sidecar.operations.guard.states import State, hour_of

HOUR, DAY = 3600.0, 86400.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a worktree's history may come to: days (0: for good), a number of states, and bytes."""

    days: int
    states: int
    bytes: int


def expired(segments: Mapping[str, State], now: float, bounds: Bounds) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give (refs of the segments to be cut to their last state, refs to be dropped); the newest one stays as it is.

    `segments` has the last state of each by ref. Beyond the bounds the oldest go first: as a whole hour each becomes
    one state, then none.
    """
    if not segments:
        return (), ()
    order = sorted(segments)
    kept, cut = [], set()
    for at, ref in enumerate(order):
        age = now - segments[ref].facts.time
        following = order[at + 1] if at + 1 < len(order) else None
        if following is None or age <= HOUR:
            kept.append(ref)
            continue
        span = len("20261129") if age > DAY else None
        if bounds.days and age > bounds.days * DAY:
            continue
        if hour_of(ref)[:span] == hour_of(following)[:span]:
            continue  # a later one stands for this hour, or day
        kept.append(ref)
        cut.add(ref)
    states = {ref: 1 if ref in cut else segments[ref].facts.depth for ref in kept}
    sizes = {ref: segments[ref].facts.sum for ref in kept}
    for lighten in (_cut, _drop):
        for ref in kept[:-1]:
            if sum(states.values()) > bounds.states or sum(sizes.values()) > bounds.bytes:
                lighten(ref, segments[ref], states, sizes, cut)
    drop = tuple(ref for ref in order if ref not in states)
    return tuple(ref for ref in order if ref in states and ref in cut and segments[ref].facts.depth > 1), drop


def _cut(ref: str, state: State, states: dict[str, int], sizes: dict[str, int], cut: set[str]) -> None:
    states[ref], sizes[ref] = 1, state.facts.bytes
    cut.add(ref)


def _drop(ref: str, _state: State, states: dict[str, int], sizes: dict[str, int], _cut: set[str]) -> None:
    del states[ref], sizes[ref]
