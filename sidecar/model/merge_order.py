"""Find the order of merging worktrees that has the fewest conflicts."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sidecar.model.findings import Finding
from sidecar.model.merging import Extent
from sidecar.model.picture import Trunk, Worktree
from sidecar.model.recipes import Install

State = TypeVar("State", bound=Hashable)

Step = Callable[[State, int], tuple[State, tuple[str, ...]]]
"""(what stands after one more is merged, the paths at which that merge stops)."""


MOST_EXACT = 8
"""How many worktrees that can meet are put in order exactly."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A worktree's place in the order.

    A worktree that is not `ready` comes after all that are, takes no part in them, and `why` says what it lacks.
    `paths` are those at which its merge stops: ready, after what comes before it; else with trunk as it is.
    `extent` says how much a ready one changes, and `needs` what there is to be done or agreed to besides, at its place.
    `installs` is what will be run before it is verified, by what is in its files as they land.
    """

    worktree: Worktree
    ready: bool
    paths: tuple[str, ...] = ()
    why: str | None = None
    extent: Extent | None = None
    needs: tuple[Finding, ...] = ()
    installs: tuple[Install, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """Two worktrees that conflict with each other, and where: merged by hand first, they cost no order anything."""

    worktrees: tuple[Worktree, Worktree]
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """The order in which to merge; `pairs` with the most paths first; `exact` says that no order has fewer conflicts.

    A conflict's outcome is not known before somebody decides it. Whoever comes later meets both sides, between
    markers, as merging in the order of the list of worktrees leaves them.
    """

    trunk: Trunk
    turns: tuple[Turn, ...]
    pairs: tuple[Pair, ...]
    exact: bool

    @property
    def ready(self) -> tuple[Turn, ...]:
        """Give those that can be merged, in order."""
        return tuple(turn for turn in self.turns if turn.ready)

    @property
    def conflicts(self) -> int:
        """Count the conflicted paths that the whole order meets."""
        return sum(len(turn.paths) for turn in self.ready)


@dataclass(frozen=True, slots=True)
class Found:
    """Some worktrees in an order: (which, the paths at which its merge stops) each."""

    steps: tuple[tuple[int, tuple[str, ...]], ...]
    exact: bool


def find_order(members: Sequence[int], start: State, step: Step[State]) -> Found:
    """Give the order with the fewest conflicted paths: exactly up to `MOST_EXACT`, above that the least each time.

    Among those as good: the fewest merges that stop, then the latest, then the order of `members`.
    """
    exact = len(members) <= MOST_EXACT
    return Found(_best(members, start, step) if exact else _least_each_time(members, start, step), exact)


def _best(members: Sequence[int], start: State, step: Step[State]) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """Search as Dijkstra does: a set of merged worktrees is one node, however one came there."""
    waiting: list[tuple[tuple[int, int, int], int, tuple[int, ...], int]] = [((0, 0, 0), 0, (), 0)]
    states = [start]
    steps: list[tuple[tuple[int, tuple[str, ...]], ...]] = [()]
    known: set[State] = set()
    while True:
        (paths_met, stops, early), _, taken, number = heapq.heappop(waiting)
        state = states[number]
        if len(taken) == len(members):
            return steps[number]
        if state in known:
            continue
        known.add(state)
        for member in members:
            if member in taken:
                continue
            after, paths = step(state, member)
            if after in known:
                continue
            stop = bool(paths)
            cost = (paths_met + len(paths), stops + stop, early + stop * (len(members) - len(taken)))
            states.append(after)
            steps.append((*steps[number], (member, paths)))
            heapq.heappush(waiting, (cost, -len(taken) - 1, (*taken, member), len(states) - 1))


def _least_each_time(
    members: Sequence[int], start: State, step: Step[State]
) -> tuple[tuple[int, tuple[str, ...]], ...]:
    left, state = list(members), start
    steps: list[tuple[int, tuple[str, ...]]] = []
    while left:
        tried: list[tuple[int, tuple[str, ...], State]] = []
        for member in left:
            after, paths = step(state, member)
            tried.append((member, paths, after))
            if not paths:
                break
        member, paths, state = min(tried, key=lambda found: len(found[1]))
        left.remove(member)
        steps.append((member, paths))
    return tuple(steps)


def join(sequences: Sequence[Found]) -> list[tuple[int, tuple[str, ...]]]:
    """Join sequences that have nothing to do with each other: what merges without a stop comes first."""
    first: list[tuple[int, tuple[str, ...]]] = []
    rest: list[tuple[int, tuple[str, ...]]] = []
    for sequence in sequences:
        stop = next((at for at, (_, paths) in enumerate(sequence.steps) if paths), len(sequence.steps))
        first += sequence.steps[:stop]
        rest += sequence.steps[stop:]
    return first + rest


def groups(count: int, meet: Callable[[int, int], bool]) -> list[list[int]]:
    """Group the numbers below `count` that meet, directly or by way of others."""
    found: list[list[int]] = []
    for number in range(count):
        near = [group for group in found if any(meet(other, number) for other in group)]
        found = [group for group in found if group not in near]
        found.append(sorted([number, *(other for group in near for other in group)]))
    return sorted(found)
