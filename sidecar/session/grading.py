"""Every overlap of a repository, graded by git's merge of the present states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

from sidecar.git.judge import PathQuestion, Question
from sidecar.git.objects import tree_of
from sidecar.git.process import GitError
from sidecar.model.changes import COMMITTED, Change, ChangeSet, Entry
from sidecar.model.interplay import Footprint, footprint, interplay, stays_plain
from sidecar.model.merging import Meeting, Merge, find_meetings, merging_kind, weight
from sidecar.model.overlaps import Overlap, Side
from sidecar.model.picture import TRUNK_KEY, Trunk, WorktreeState
from sidecar.session.lines import Lines, lines_of
from sidecar.session.sources import Sources


@dataclass(frozen=True, slots=True)
class Party:
    """One that takes part in overlaps: a worktree, trunk, or a plain commit.

    `own` are its changes since it left trunk (trunk: since the other left it); `head` the commit that merge bases are
    looked for from; `unsettled` whether trunk has since changed the shape of trees where it works.
    """

    key: str
    name: str | None
    ref: str
    head: str
    own: ChangeSet
    footprint: Footprint
    unsettled: bool = False


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


class Grading:
    """Grades a repository again and again; what has not changed since is taken from the last time."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._standings: dict[str, _Standing] = {}
        self._graded: dict[tuple[str, str], tuple[Party, Party, tuple[Overlap, ...]]] = {}

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
        parties = [standing.party for standing in self._standings.values()]
        pairs = list(combinations(parties, 2))
        pairs += [(standing.other, standing.party) for standing in self._standings.values() if standing.other]
        known = {}
        failures = [standing.failure for standing in self._standings.values() if standing.failure is not None]
        self._prepare(trunk, pairs)
        for one, two in pairs:
            key = (one.key, two.key)
            graded = self._graded.get(key)
            if graded is None or graded[0] is not one or graded[1] is not two:
                try:
                    graded = (one, two, tuple(self._meet(trunk, one, two)))
                except GitError as error:
                    failures.append(f"{one.name or one.ref} and {two.name or two.ref} can't be merged: {error.message}")
                    continue
            known[key] = graded
        self._graded = known
        order = {party.key: number for number, party in enumerate(parties)} | {TRUNK_KEY: len(parties)}
        overlaps = [
            _swapped(overlap) if one.key == TRUNK_KEY else overlap
            for one, _, found in known.values()
            for overlap in found
        ]
        overlaps.sort(key=lambda overlap: (overlap.path, *(order[side.key] for side in overlap.sides)))
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

    def _prepare(self, trunk: Trunk, pairs: Sequence[tuple[Party, Party]]) -> None:
        """Have git answer everything that can be asked path by path, before each answer is looked at."""
        asked: list[PathQuestion] = []
        for one, two in pairs:
            graded = self._graded.get((one.key, two.key))
            if graded is not None and graded[0] is one and graded[1] is two:
                continue
            try:
                asked += self._path_questions(trunk, one, two)
            except GitError:
                continue  # graded alone, it will say what is wrong
        self._sources.judge.prepare(asked)

    def _path_questions(self, trunk: Trunk, one: Party, two: Party) -> list[PathQuestion]:
        bases = self._bases(trunk, one, two)
        if len(bases) != 1:
            return []
        base = tree_of(self._sources.quarantine.objects, bases[0])
        paths = interplay(one.footprint, two.footprint).paths
        if _needs_whole(self._sources, one, two, bases):
            paths &= _separable(*(_since(self._sources, party, base) for party in (one, two)))
        return list(_path_questions(self._sources, one, two, base, paths))

    def _meet(self, trunk: Trunk, one: Party, two: Party) -> Iterator[Overlap]:
        if bases := self._bases(trunk, one, two):
            yield from meet(self._sources, one, two, bases)

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


def _needs_whole(sources: Sources, ours: Party, theirs: Party, bases: tuple[str, ...]) -> bool:
    """Whether only a merge of the whole trees can tell."""
    base = tree_of(sources.quarantine.objects, bases[0])
    settled = ours.own.base == base == theirs.own.base
    structural = interplay(ours.footprint, theirs.footprint).structural
    return structural or len(bases) > 1 or (not settled and (ours.unsettled or theirs.unsettled))


def meet(sources: Sources, ours: Party, theirs: Party, bases: tuple[str, ...]) -> Iterator[Overlap]:
    """The overlaps of two parties with these merge bases; `ours` is the side that is merged into."""
    base = tree_of(sources.quarantine.objects, bases[0])
    if _needs_whole(sources, ours, theirs, bases):
        yield from _meet_whole(sources, ours, theirs, base, bases)
        return
    for path in sorted(interplay(ours.footprint, theirs.footprint).paths):
        yield from _meet_path(sources, ours, theirs, base, path)


def _meet_whole(sources: Sources, ours: Party, theirs: Party, base: str, bases: tuple[str, ...]) -> Iterator[Overlap]:
    """The overlaps that a merge of the whole trees shows; of those, the ones in which both sides' own work meets."""
    our_changes, their_changes = (_since(sources, party, base) for party in (ours, theirs))
    if len(bases) > 1:
        _see_trees(sources, bases)
        question = Question(our_changes.tree, their_changes.tree, None, (ours.head, theirs.head))
    else:
        alone = _separable(our_changes, their_changes)
        for path in sorted(alone & ours.footprint.paths & theirs.footprint.paths):
            yield from _meet_path(sources, ours, theirs, base, path)
        our_changes, their_changes = (_without(sources, changes, alone) for changes in (our_changes, their_changes))
        question = Question(our_changes.tree, their_changes.tree, base)
    paths = {*our_changes.touched, *their_changes.touched}
    merge = sources.judge.merge_trees(question, paths, ours.own.tree)
    meetings: dict[tuple[str | None, ...], Meeting] = {}
    own_work = (ours.own.touched, theirs.own.touched)
    for found in sorted(find_meetings(merge, our_changes, their_changes, own_work), key=weight):
        meeting = _as_staged(sources, found, merge, ours, theirs)
        sides = [change.path if change is not None else None for change in (meeting.ours, meeting.theirs)]
        meetings.setdefault((meeting.path, *sides), meeting)
    for meeting in meetings.values():
        own = (_is_own(ours, meeting.ours), _is_own(theirs, meeting.theirs))
        # what is as in one merge base may be news to another, and git stops there
        if all(own) or (meeting.conflict and len(bases) > 1 and any(own)):
            yield _overlap(sources, ours, theirs, meeting, merge)


def _see_trees(sources: Sources, bases: tuple[str, ...]) -> None:
    """GitError unless the trees are here that git merges first when there are several merge bases."""
    for commit in bases:
        sources.quarantine.objects.tree(tree_of(sources.quarantine.objects, commit))
    for one, two in pairwise(bases):
        _see_trees(sources, sources.history.merge_bases(*sorted((one, two))))


def _separable(ours: ChangeSet, theirs: ChangeSet) -> frozenset[str]:
    """Paths whose merge has nothing to do with the shape of the trees: a file that stays a file on both sides.

    It is neither source nor target of a rename, so it can be merged by itself, and left out of the trees.
    """
    return frozenset(
        path
        for one, two in ((ours, theirs), (theirs, ours))
        for path, change in one.touched.items()
        if stays_plain(change) and (path not in two.touched or stays_plain(two.touched[path]))
    )


def _without(sources: Sources, changes: ChangeSet, paths: frozenset[str]) -> ChangeSet:
    """A change set in which these paths are as in the base."""
    if paths.isdisjoint(changes.touched):
        return changes
    touched = {path: change for path, change in changes.touched.items() if path not in paths}
    folded = {path: change for path, change in changes.changes.items() if path not in paths}
    tree = sources.trees.edited(changes.base, frozenset((path, change.after) for path, change in touched.items()))
    return ChangeSet(changes.base, tree, touched, folded)


def _meet_path(sources: Sources, ours: Party, theirs: Party, base: str, path: str) -> Iterator[Overlap]:
    """The overlap at one path, if both changed it since the base: trees cut down to it give git's verdict."""
    before = sources.trees.entry(base, path)
    mine, other = ours.own.touched[path].after, theirs.own.touched[path].after
    if before in (mine, other) or mine is None or other is None:
        return
    our_change, their_change = Change(path, before, mine), Change(path, before, other)
    if mine == other:
        meeting = Meeting(path, merging_kind(our_change, their_change), False, our_change, their_change)
        yield _overlap(sources, ours, theirs, meeting, None)
        return
    merge = sources.judge.merge_path(PathQuestion(path, before, mine, other, ours.own.tree))
    our_cut, their_cut = (ChangeSet("", "", {path: change}, {path: change}) for change in (our_change, their_change))
    for meeting in find_meetings(merge, our_cut, their_cut):
        yield _overlap(sources, ours, theirs, meeting, merge)


def _path_questions(
    sources: Sources, ours: Party, theirs: Party, base: str, paths: frozenset[str]
) -> Iterator[PathQuestion]:
    """What `_meet_path` will ask about two parties."""
    for path in paths:
        before = sources.trees.entry(base, path)
        mine, other = ours.own.touched[path].after, theirs.own.touched[path].after
        if mine is not None and other is not None and mine != other and before not in (mine, other):
            yield PathQuestion(path, before, mine, other, ours.own.tree)


def _as_staged(sources: Sources, meeting: Meeting, merge: Merge, ours: Party, theirs: Party) -> Meeting:
    """The meeting with what git merged at its path, where that is a side's own file of that name.

    With several merge bases, or a rename onto a name that is taken, the change sets alone would name another file.
    """
    stages = merge.stages.get(meeting.path, {}) if meeting.conflict else {}
    known = [name for change in (meeting.ours, meeting.theirs) if change is not None for name in change.names]
    names = tuple(dict.fromkeys((meeting.path, *meeting.names, *known)))
    ours_settled, theirs_settled = (
        _settle(sources, change, party, stages.get(1), stages.get(number), names)
        for change, party, number in ((meeting.ours, ours, 2), (meeting.theirs, theirs, 3))
    )
    return replace(meeting, ours=ours_settled, theirs=theirs_settled)


def _settle(
    sources: Sources,
    change: Change | None,
    party: Party,
    before: Entry | None,
    now: Entry | None,
    names: tuple[str, ...],
) -> Change | None:
    if change is not None and (now is None or change.after == now):
        return change if before is None or change.after is None else replace(change, before=before)
    if now is None:
        return None
    tree, own = party.own.tree, party.own.touched
    exact = [name for name in names if sources.trees.entry(tree, name) == now]
    path = next((name for name in exact if name in own), None) or sources.trees.find(tree, now, names[0])
    if path is not None and path in own:
        return Change(path, before, now)
    if exact and not (change is not None and _is_own(party, change)):
        return Change(exact[0], before, now)
    return change  # a file that just happens to be alike


def _since(sources: Sources, party: Party, base: str) -> ChangeSet:
    """What a party has that the base has not: its own work and what it has from trunk."""
    return party.own if party.own.base == base else sources.trees.changes(base, party.own.tree)


def _is_own(party: Party, change: Change | None) -> bool:
    """Whether a change is the party's own work and not something that it merely has from trunk."""
    return change is None or any(name in party.own.touched for name in change.names)


def _overlap(sources: Sources, ours: Party, theirs: Party, meeting: Meeting, merge: Merge | None) -> Overlap:
    lines = lines_of(sources, meeting, merge)
    verdict = "conflict" if meeting.conflict else "clean"
    if not meeting.conflict and meeting.ours and meeting.theirs:
        same = (meeting.ours.path, meeting.ours.after) == (meeting.theirs.path, meeting.theirs.after)
        verdict = "identical" if same else "clean"
    sides = (
        _side(ours, meeting.path, meeting.ours, lines[0]),
        _side(theirs, meeting.path, meeting.theirs, lines[1]),
    )
    note = sources.judge.note_on(meeting.path, ours.own.tree) if merge is not None else None
    return Overlap(meeting.path, verdict, meeting.kind, sides, note, lines[0].paired)  # type: ignore[arg-type]


def _side(party: Party, path: str, change: Change | None, lines: Lines) -> Side:
    if change is None:
        return Side(party.key, party.name, party.ref, path, lines.regions, lines.changed, (COMMITTED,), None, None)
    own = next((party.own.named(name) for name in change.names if name in party.own.touched), None)
    sources = own.sources if own is not None else (COMMITTED,)
    return Side(
        key=party.key,
        name=party.name,
        ref=party.ref,
        path=change.path,
        regions=lines.regions,
        changed=lines.changed,
        sources=sources,
        before=change.before,
        after=change.after,
    )


def _swapped(overlap: Overlap) -> Overlap:
    return replace(overlap, sides=overlap.sides[::-1])
