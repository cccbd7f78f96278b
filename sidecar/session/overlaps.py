"""Grade every overlap of a repository by git's merge of the present states."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from operator import attrgetter

from sidecar.git.judge import PathQuestion
from sidecar.git.objects import tree_of, write_commit
from sidecar.git.process import GitError
from sidecar.model.changes import ChangeSet
from sidecar.model.may_overlap import footprint, interplay
from sidecar.model.overlaps import Overlap, Unknown
from sidecar.model.picture import TRUNK_KEY, Trunk, WorktreeState
from sidecar.session.numbered import same_numbers
from sidecar.session.own_work import Landing, as_landed, land, meet_stopped
from sidecar.session.own_work import path_questions as landing_questions
from sidecar.session.pair import NOTHING, PairResult, meet, moved_paths, path_questions, reusable_results, without
from sidecar.session.participants import Found, Participant, not_merged, together, unread_in
from sidecar.session.reader import Sources
from sidecar.session.reading import tip_of


@dataclass(frozen=True, slots=True)
class OverlapResult:
    """All overlaps, sorted by path and then by the participants in the order of the worktrees, trunk last.

    `unknown` says where else there may be some; `failures` are those of it that git may be able to answer later.
    """

    overlaps: tuple[Overlap, ...]
    unknown: tuple[Unknown, ...] = ()
    failures: frozenset[Unknown] = frozenset()


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Holds a worktree as a participant, trunk as the other one, and the worktree as it would land there."""

    state: WorktreeState
    trunk: Trunk
    participant: Participant
    other: Participant | None
    failure: Unknown | None = None
    landing: Landing | None = None
    landed: Participant | None = None

    def is_as(self, known: _Candidate | None) -> bool:
        """Tell whether how it meets others still stands."""
        if known is None or self.participant is not known.participant:
            return False
        return self.other is known.other and self.landing is known.landing


Pair = tuple[str, str]
"""The keys of two participants, trunk first."""


@dataclass(frozen=True, slots=True)
class _Pairing:
    """What is to be merged for a pair: these two over these bases.

    `stopped` are the paths at which one of them can't land on trunk, so that they are merged as they are.
    """

    ours: Participant
    theirs: Participant
    bases: tuple[str, ...]
    stopped: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Holds how a pair is to be merged, None for one that can't meet, and which of its last results still stand."""

    pairing: _Pairing | None
    known: Mapping[str, Found]


@dataclass(frozen=True, slots=True)
class _Graded:
    """Holds how a pair was merged and what came of it; `met` is None for one that meets without a merge."""

    pairing: _Pairing | None
    met: PairResult | None
    found: Found


class OverlapCache:
    """Grades the overlaps of a repository again and again; takes from the last time what has not changed since."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._candidates: dict[str, _Candidate] = {}
        self._graded: dict[Pair, _Graded] = {}
        self._unanswered: set[Pair] = set()
        self._moved_paths = lru_cache(maxsize=None)(moved_paths)
        self._land_commit: Callable[[Trunk, str], Landing] = lru_cache(maxsize=64)(self._landing_of_commit)

    def grade(self, trunk: Trunk, states: Sequence[WorktreeState]) -> OverlapResult:
        """Give every overlap of these states."""
        if self._sources.quarantine.objects.let_go():
            self._sources.judge.close()
            self._sources.trees.close()
        before = self._candidates
        self._candidates = {
            state.worktree.key: self._candidate(trunk, state, tip, state.changes)
            for state in states
            if state.changes is not None
            and (tip := tip_of(self._sources, state.worktree)) is not None
            and (state.changes.touched or self._has_several_fork_points(trunk, tip))
        }
        self._land(before)
        failures = [candidate.failure for candidate in self._candidates.values() if candidate.failure is not None]
        moved = self._moved(before)
        pairs = _pairs(list(self._candidates.values()), moved)
        prepared = self._prepare(trunk, pairs)
        there = {*self._candidates, TRUNK_KEY}
        graded = {
            pair: known for pair, known in self._graded.items() if moved.isdisjoint(pair) and there.issuperset(pair)
        }
        unanswered: set[Pair] = set()
        for pair, (one, two) in pairs.items():
            try:
                met = self._meet(one, two, prepared.get(pair) or self._prepare_pair(trunk, one, two), trunk)
            except GitError as error:
                failures.append(not_merged(one, two, error))
                unanswered.add(pair)
                continue
            if met is not None:
                graded[pair] = met
                unanswered |= {pair} if met.found.failed else set()
        self._graded, self._unanswered = graded, unanswered
        self._moved_paths.cache_clear()
        found = [graded[pair].found for pair in _in_order(graded, self._candidates)]
        overlaps = list(chain.from_iterable(one.overlaps for one in found))
        overlaps.sort(key=attrgetter("path"))  # a stable sort: the pairs are in order
        failures += chain.from_iterable(one.unknown for one in found if one.failed)
        unread = chain.from_iterable(unread_in(self._sources.repository, trunk, state) for state in states)
        unknown = dict.fromkeys((*unread, *failures, *chain.from_iterable(one.unknown for one in found)))
        return OverlapResult(tuple(overlaps), tuple(unknown), frozenset(failures))

    def _moved(self, before: Mapping[str, _Candidate]) -> frozenset[str]:
        """Find whose pairs have to be looked at again: of all, where they come in another order than `before`."""
        now = self._candidates
        if [key for key in before if key in now] != [key for key in now if key in before]:
            return frozenset(now)
        moved = (key for key, candidate in now.items() if not candidate.is_as(before.get(key)))
        return frozenset((*moved, *(key for pair in self._unanswered for key in pair if key in now)))

    def _candidate(self, trunk: Trunk, state: WorktreeState, head: str, own: ChangeSet) -> _Candidate:
        known = self._candidates.get(state.worktree.key)
        if known is not None and known.failure is None and known.state is state and known.trunk == trunk:
            return known
        try:
            participant, other = _participants(self._sources, trunk, state, head, own)
        except GitError as error:
            worktree, shape = state.worktree, footprint(own.touched)
            participant = Participant(
                worktree.key, worktree.name, worktree.ref, head, own, shape, True, unread=state.files
            )
            other = Participant(TRUNK_KEY, None, trunk.branch, trunk.commit or "", own, shape)
            return _Candidate(state, trunk, participant, None, not_merged(participant, other, error))
        if known is not None and other is not None and known.other is not None and known.other.own is other.own:
            other = known.other
        return _Candidate(state, trunk, participant, other)

    def _land(self, before: Mapping[str, _Candidate]) -> None:
        """Have git say what of each worktree would land, where that has changed since `before`."""
        objects, history = self._sources.quarantine.objects, self._sources.history
        landing = [
            (candidate, candidate.other, history.divergence(candidate.other.head, candidate.participant.head).bases)
            for candidate in self._candidates.values()
            if candidate.other is not None and (candidate.landing is None or candidate.landing.failed)
        ]
        known = {key: candidate.landing for key, candidate in before.items()}
        asked: list[PathQuestion] = []
        for candidate, trunk, bases in landing:
            if len(bases) == 1:
                base = tree_of(objects, bases[0])
                asked += landing_questions(
                    self._sources, trunk, candidate.participant, base, known.get(candidate.participant.key)
                )
        self._sources.judge.prepare(asked)
        for candidate, trunk, bases in landing:
            participant = candidate.participant
            try:
                found = land(self._sources, trunk, participant, bases, known.get(participant.key))
            except GitError as error:
                self._candidates[participant.key] = replace(candidate, failure=not_merged(participant, trunk, error))
            else:
                self._candidates[participant.key] = replace(
                    candidate, landing=found, landed=as_landed(participant, found)
                )

    def _prepare(self, trunk: Trunk, pairs: Mapping[Pair, tuple[Participant, Participant]]) -> Mapping[Pair, _Prepared]:
        """Give how the pairs are to be merged, and have git answer at once all that can be asked path by path."""
        asked: list[PathQuestion] = []
        prepared: dict[Pair, _Prepared] = {}
        for pair, (one, two) in pairs.items():
            try:
                how = self._prepare_pair(trunk, one, two)
                asked += self._questions(trunk, one, two, how)
                prepared[pair] = how
            except GitError:
                continue  # graded alone, it will say what is wrong
        self._sources.judge.prepare(asked)
        return prepared

    def _prepare_pair(self, trunk: Trunk, one: Participant, two: Participant) -> _Prepared:
        pairing = self._pairing(trunk, one, two)
        return _Prepared(pairing, NOTHING if pairing is None else self._reusable_results(one, two, pairing))

    def _questions(self, trunk: Trunk, one: Participant, two: Participant, pair: _Prepared) -> Iterator[PathQuestion]:
        objects, pairing = self._sources.quarantine.objects, pair.pairing
        if pairing is None:
            return
        if len(pairing.bases) == 1:
            base = tree_of(objects, pairing.bases[0])
            yield from path_questions(self._sources, pairing.ours, pairing.theirs, base, pair.known)
        bases = self._bases(trunk, one, two) if pairing.stopped else ()
        if pairing.stopped and len(bases) == 1:
            for question in path_questions(self._sources, one, two, tree_of(objects, bases[0]), NOTHING):
                if question.path in pairing.stopped:
                    yield question

    def _reusable_results(self, one: Participant, two: Participant, pairing: _Pairing) -> Mapping[str, Found]:
        """Give what of the pair's last results a merge would give again."""
        graded = self._graded.get((one.key, two.key))
        if graded is None or graded.met is None or graded.pairing is None or len(pairing.bases) > 1:
            return NOTHING
        base = tree_of(self._sources.quarantine.objects, pairing.bases[0])
        was, now = (graded.pairing.ours, graded.pairing.theirs), (pairing.ours, pairing.theirs)
        return reusable_results(graded.met, was, now, base, self._moved_paths)

    def _meet(self, one: Participant, two: Participant, pair: _Prepared, trunk: Trunk) -> _Graded | None:
        """Say how a pair meets; None where it does not."""
        pairing = pair.pairing
        numbered = Found(same_numbers(self._sources, one, two))
        if pairing is None:
            return _Graded(None, None, numbered) if numbered.overlaps else None
        met = meet(self._sources, pairing.ours, pairing.theirs, pairing.bases, pair.known)
        found = met.found
        if pairing.stopped and (bases := self._bases(trunk, one, two)):
            places = {_place(overlap) for overlap in found.overlaps}
            stopped = self._meet_stopped(one, two, bases, pairing.stopped)
            new = tuple(overlap for overlap in stopped.overlaps if _place(overlap) not in places)
            found = together((found, replace(stopped, overlaps=new)))
        return _Graded(pairing, met, together((found, numbered)) if numbered.overlaps else found)

    def _meet_stopped(
        self, one: Participant, two: Participant, bases: tuple[str, ...], stopped: frozenset[str]
    ) -> Found:
        landings = (self._candidates[participant.key].landing for participant in (one, two))
        mine, other = (
            (participant, landing or Landing(participant.own))
            for participant, landing in zip((one, two), landings, strict=True)
        )
        return meet_stopped(self._sources, mine, other, bases, stopped)

    def _pairing(self, trunk: Trunk, one: Participant, two: Participant) -> _Pairing | None:
        """Tell how a pair is merged; None for one that can't meet.

        Two worktrees are merged as they would land on trunk: there, what both have from trunk is in the base.
        """
        first, second = self._candidates.get(one.key), self._candidates.get(two.key)
        if trunk.commit is None or first is None or second is None or first.landing is None or second.landing is None:
            bases = self._bases(trunk, one, two)
            return _Pairing(one, two, bases) if bases else None
        assert first.landed is not None
        assert second.landed is not None
        sources, ours, theirs, base = self._sources, first.landed, second.landed, trunk.commit
        stopped = first.landing.stopped | second.landing.stopped
        shared = sources.history.divergence(base, one.head).own & sources.history.divergence(base, two.head).own
        if shared:
            bases = sources.history.pair_bases(base, one.head, two.head)
            outside = [commit for commit in bases if commit in shared]
            if len(outside) > 1:  # git merges these first
                ours, theirs = (self._as_merged(participant, trunk.commit) for participant in (ours, theirs))
                return _Pairing(ours, theirs, (trunk.commit, *outside), stopped)
            if outside:  # what the two have in common lands first
                common = self._land_commit(trunk, outside[0])
                tree, stopped = common.own.tree, stopped | common.stopped
                ours, theirs = (
                    as_landed(participant, landing, self._since(tree, landing))
                    for participant, landing in ((one, first.landing), (two, second.landing))
                )
                base = write_commit(sources.quarantine.objects, tree)
        if not stopped and not interplay(ours.footprint, theirs.footprint):
            return None
        return _Pairing(ours, theirs, (base,), stopped)

    def _since(self, tree: str, landing: Landing) -> ChangeSet:
        """Give what lands besides what a tree has; where it stops at trunk it brings nothing and takes nothing away."""
        return without(self._sources, self._sources.trees.changes(tree, landing.own.tree), landing.stopped)

    def _as_merged(self, participant: Participant, tip: str) -> Participant:
        """Give a participant as it would land, with the commit that its merge with trunk would be."""
        return replace(
            participant,
            head=write_commit(self._sources.quarantine.objects, participant.own.tree, (tip, participant.head)),
        )

    def _landing_of_commit(self, trunk: Trunk, commit: str) -> Landing:
        objects, tip = self._sources.quarantine.objects, trunk.commit or ""
        bases = self._sources.history.merge_bases(*sorted((tip, commit)))
        since, own = (
            self._sources.trees.changes(tree_of(objects, bases[0]), tree_of(objects, head)) for head in (tip, commit)
        )
        other, participant = (
            Participant(head, None, head, head, changes, footprint(changes.touched))
            for head, changes in ((tip, since), (commit, own))
        )
        return land(self._sources, other, participant, bases)

    def _bases(self, trunk: Trunk, one: Participant, two: Participant) -> tuple[str, ...]:
        """Give the merge bases of a pair that can meet; none for one that can't.

        Own work is what a participant has since one of its fork points. Where there are several, it may have changed
        more.
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


def _place(overlap: Overlap) -> tuple[str, str, str]:
    return overlap.path, overlap.sides[0].path, overlap.sides[1].path


def _pairs(candidates: Sequence[_Candidate], moved: Set[str]) -> dict[Pair, tuple[Participant, Participant]]:
    """Give the pairs of which one has moved: each worktree with those after it, and with trunk."""
    participants = [candidate.participant for candidate in candidates]
    pairs: list[tuple[Participant, Participant]] = []
    for number, (candidate, one) in enumerate(zip(candidates, participants, strict=True), 1):
        others = participants[number:]
        pairs += [(one, two) for two in others if one.key in moved or two.key in moved]
        if candidate.other is not None and one.key in moved:
            pairs.append((candidate.other, one))
    return {(one.key, two.key): (one, two) for one, two in pairs}


def _in_order(pairs: Iterable[Pair], keys: Iterable[str]) -> list[Pair]:
    """Sort pairs as overlaps of one path are: by the order of the worktrees, each one's with trunk last."""
    places = {key: place for place, key in enumerate(keys)}

    def place(pair: Pair) -> tuple[int, int]:
        one, two = pair
        return (places[two], len(places)) if one == TRUNK_KEY else (places[one], places[two])

    return sorted(pairs, key=place)


def _participants(
    sources: Sources, trunk: Trunk, state: WorktreeState, head: str, own: ChangeSet
) -> tuple[Participant, Participant | None]:
    """Give the worktree as a participant, and trunk as the other one: what trunk did since the worktree left it."""
    worktree, shape = state.worktree, footprint(own.touched)
    if trunk.commit is None or state.fork_point is None:
        return Participant(worktree.key, worktree.name, worktree.ref, head, own, shape, unread=state.files), None
    since = sources.trees.changes(own.base, tree_of(sources.quarantine.objects, trunk.commit))
    other = Participant(TRUNK_KEY, None, trunk.branch, trunk.commit, since, footprint(since.touched))
    unsettled = interplay(shape, other.footprint).structural
    return Participant(
        worktree.key, worktree.name, worktree.ref, head, own, shape, unsettled, unread=state.files
    ), other
