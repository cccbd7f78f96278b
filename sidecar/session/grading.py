"""Every overlap of a repository, graded by git's merge of the present states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter

from sidecar.git.judge import PathQuestion
from sidecar.git.objects import tree_of
from sidecar.git.process import GitError
from sidecar.model.changes import ChangeSet
from sidecar.model.interplay import footprint, interplay
from sidecar.model.overlaps import Overlap
from sidecar.model.picture import TRUNK_KEY, Trunk, WorktreeState
from sidecar.session.meeting import NOTHING, AtPath, Met, Party, meet, path_questions, still_standing
from sidecar.session.sources import Sources


@dataclass(frozen=True, slots=True)
class Grades:
    """All overlaps, sorted by path and then by the parties in the order of the worktrees, trunk last.

    `failures` says, one sentence each, which pairs git could not merge, and why.
    """

    overlaps: tuple[Overlap, ...]
    failures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Standing:
    """A worktree's state as a party, and trunk as the other one."""

    state: WorktreeState
    trunk: Trunk
    party: Party
    other: Party | None
    failure: str | None = None


Pair = tuple[str, str]
"""The keys of two parties, trunk first."""


@dataclass(frozen=True, slots=True)
class _Graded:
    """How a pair met; None for one that can't."""

    one: Party
    two: Party
    met: Met | None

    def is_of(self, one: Party, two: Party) -> bool:
        """Whether it is of these very states."""
        return self.one is one and self.two is two


class Grading:
    """Grades a repository again and again; what has not changed since is taken from the last time."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._standings: dict[str, _Standing] = {}
        self._graded: dict[Pair, _Graded] = {}

    def grade(self, trunk: Trunk, states: Sequence[WorktreeState]) -> Grades:
        """Every overlap of these states."""
        if self._sources.quarantine.objects.let_go():
            self._sources.judge.close()
            self._sources.trees.close()
        self._standings = {
            state.worktree.key: self._stand(trunk, state, state.worktree.head, state.changes)
            for state in states
            if state.changes is not None
            and state.worktree.head is not None
            and (state.changes.touched or self._has_several_fork_points(trunk, state.worktree.head))
        }
        pairs = _pairs(list(self._standings.values()))
        failures = [standing.failure for standing in self._standings.values() if standing.failure is not None]
        standing = self._prepare(trunk, pairs)
        known = {}
        for one, two in pairs:
            key = (one.key, two.key)
            graded = self._graded.get(key)
            if graded is None or not graded.is_of(one, two):
                try:
                    graded = _Graded(one, two, self._meet(trunk, one, two, standing.get(key, NOTHING)))
                except GitError as error:
                    failures.append(f"{one.name or one.ref} and {two.name or two.ref} can't be merged: {error.message}")
                    continue
            known[key] = graded
        self._graded = known
        met = (graded.met for graded in known.values() if graded.met is not None)
        overlaps = list(chain.from_iterable(one.overlaps for one in met))
        overlaps.sort(key=attrgetter("path"))  # a stable sort: the pairs are in order
        return Grades(tuple(overlaps), tuple(failures))

    def _stand(self, trunk: Trunk, state: WorktreeState, head: str, own: ChangeSet) -> _Standing:
        known = self._standings.get(state.worktree.key)
        if known is not None and known.failure is None and known.state is state and known.trunk == trunk:
            return known
        try:
            party, other = _parties(self._sources, trunk, state, head, own)
        except GitError as error:
            worktree, shape = state.worktree, footprint(own.touched)
            party = Party(worktree.key, worktree.name, worktree.ref, head, own, shape, unsettled=True)
            said = f"{worktree.name} can't be compared with {trunk.branch}: {error.message}"
            return _Standing(state, trunk, party, None, said)
        if known is not None and other is not None and known.other is not None and known.other.own is other.own:
            other = known.other
        return _Standing(state, trunk, party, other)

    def _prepare(self, trunk: Trunk, pairs: Sequence[tuple[Party, Party]]) -> dict[Pair, Mapping[str, AtPath]]:
        """Have git answer everything that can be asked path by path, before each answer is looked at.

        What needs no answer, since it still stands, is the result.
        """
        asked: list[PathQuestion] = []
        standing: dict[Pair, Mapping[str, AtPath]] = {}
        for one, two in pairs:
            key = (one.key, two.key)
            graded = self._graded.get(key)
            if graded is not None and graded.is_of(one, two):
                continue
            try:
                bases = self._bases(trunk, one, two)
                if len(bases) == 1:
                    base = tree_of(self._sources.quarantine.objects, bases[0])
                    if graded is not None and graded.met is not None:
                        standing[key] = still_standing(graded.met, (graded.one, graded.two), (one, two), base)
                    asked += path_questions(self._sources, one, two, base, standing.get(key, NOTHING))
            except GitError:
                continue  # graded alone, it will say what is wrong
        self._sources.judge.prepare(asked)
        return standing

    def _meet(self, trunk: Trunk, one: Party, two: Party, known: Mapping[str, AtPath]) -> Met | None:
        bases = self._bases(trunk, one, two)
        return meet(self._sources, one, two, bases, known) if bases else None

    def _bases(self, trunk: Trunk, one: Party, two: Party) -> tuple[str, ...]:
        """Merge bases of a pair that can meet; none for one that can't.

        Own work is what a party has since one of its fork points. Where there are several, it may have changed more.
        """
        meet = interplay(one.footprint, two.footprint) or one.unsettled or two.unsettled
        if not meet and not self._has_several_fork_points(trunk, one.head, two.head):
            return ()
        if trunk.commit is None or one.key == TRUNK_KEY:
            bases = self._sources.history.merge_bases(*sorted((one.head, two.head)))
        else:
            bases = self._sources.history.pair_bases(trunk.commit, one.head, two.head)
        return bases if meet or len(bases) > 1 else ()

    def _has_several_fork_points(self, trunk: Trunk, *heads: str) -> bool:
        history, tip = self._sources.history, trunk.commit
        return tip is not None and any(len(history.divergence(tip, head).bases) > 1 for head in heads)


def _pairs(standings: Sequence[_Standing]) -> list[tuple[Party, Party]]:
    """All that may meet, each worktree with those after it and with trunk: the order in which overlaps are shown."""
    parties = [standing.party for standing in standings]
    pairs: list[tuple[Party, Party]] = []
    for number, standing in enumerate(standings):
        pairs += [(standing.party, other) for other in parties[number + 1 :]]
        if standing.other is not None:
            pairs.append((standing.other, standing.party))
    return pairs


def _parties(
    sources: Sources, trunk: Trunk, state: WorktreeState, head: str, own: ChangeSet
) -> tuple[Party, Party | None]:
    """The worktree as a party, and trunk as the other one: what trunk did since the worktree left it."""
    worktree, shape = state.worktree, footprint(own.touched)
    if trunk.commit is None or state.fork_point is None:
        return Party(worktree.key, worktree.name, worktree.ref, head, own, shape), None
    since = sources.trees.changes(own.base, tree_of(sources.quarantine.objects, trunk.commit))
    other = Party(TRUNK_KEY, None, trunk.branch, trunk.commit, since, footprint(since.touched))
    unsettled = interplay(shape, other.footprint).structural
    return Party(worktree.key, worktree.name, worktree.ref, head, own, shape, unsettled), other
