"""How two parties meet: the overlaps of a pair, graded by git's merge of their present states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from types import MappingProxyType

from sidecar.git.judge import PathQuestion, Question
from sidecar.git.objects import tree_of
from sidecar.model.changes import COMMITTED, Change, ChangeSet, Entry
from sidecar.model.interplay import Footprint, interplay, stays_plain
from sidecar.model.merging import Meeting, Merge, find_meetings, merging_kind, weight
from sidecar.model.overlaps import Overlap, Side
from sidecar.model.picture import TRUNK_KEY
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
class AtPath:
    """What two parties changed at one path that can be merged by itself, and the overlaps that follow."""

    changes: tuple[Change | None, ...]
    overlaps: tuple[Overlap, ...]


NOTHING: Mapping[str, AtPath] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Met:
    """How two parties with a merge base of this tree meet: path by path, and in the shape of their trees."""

    base: str
    alone: Mapping[str, AtPath]
    whole: tuple[Overlap, ...]

    @property
    def overlaps(self) -> Iterator[Overlap]:
        """All of them."""
        return chain(chain.from_iterable(at.overlaps for at in self.alone.values()), self.whole)


def meet(
    sources: Sources, ours: Party, theirs: Party, bases: tuple[str, ...], known: Mapping[str, AtPath] = NOTHING
) -> Met:
    """How two parties with these merge bases meet; `ours` is the side that is merged into.

    `known` is what still stands of an earlier meeting (`still_standing`).
    """
    base = tree_of(sources.quarantine.objects, bases[0])
    if len(bases) > 1:
        return Met(base, NOTHING, tuple(_meet_whole(sources, ours, theirs, bases)))
    paths = _paths_alone(sources, ours, theirs, base)
    alone = {path: known.get(path) or _meet_path(sources, ours, theirs, base, path) for path in sorted(paths)}
    whole = _meet_whole(sources, ours, theirs, bases) if _needs_whole(ours, theirs, base) else ()
    return Met(base, alone, tuple(whole))


def still_standing(before: Met, was: tuple[Party, Party], now: tuple[Party, Party], base: str) -> Mapping[str, AtPath]:
    """What would come out again of an earlier meeting: nothing that it follows from has changed at these paths."""
    if before.base != base or any(_label(one) != _label(other) for one, other in zip(was, now, strict=True)):
        return NOTHING
    if _attributes(was[0]) != _attributes(now[0]):
        return NOTHING
    return {path: at for path, at in before.alone.items() if at.changes == _changes_at(path, *now)}


def path_questions(
    sources: Sources, ours: Party, theirs: Party, base: str, known: Mapping[str, AtPath]
) -> Iterator[PathQuestion]:
    """What `meet` will ask of git path by path, in its order, where there is one merge base, of this tree."""
    for path in sorted(_paths_alone(sources, ours, theirs, base) - known.keys()):
        before = sources.trees.entry(base, path)
        mine, other = ours.own.touched[path].after, theirs.own.touched[path].after
        if mine is not None and other is not None and mine != other and before not in (mine, other):
            yield PathQuestion(path, before, mine, other, ours.own.tree)


def _label(party: Party) -> tuple[str, str | None, str]:
    return party.key, party.name, party.ref


def _attributes(party: Party) -> tuple[str, frozenset[tuple[str, Entry | None]]]:
    """What decides which attributes a party's tree has."""
    return party.own.base, party.footprint.attributes


def _changes_at(path: str, ours: Party, theirs: Party) -> tuple[Change | None, ...]:
    """What two parties changed at a path: by itself, and as part of a rename."""
    return tuple(change for own in (ours.own, theirs.own) for change in (own.touched.get(path), own.named(path)))


def _needs_whole(ours: Party, theirs: Party, base: str) -> bool:
    """Whether only a merge of the whole trees can tell all."""
    settled = ours.own.base == base == theirs.own.base
    structural = interplay(ours.footprint, theirs.footprint).structural
    return structural or (not settled and (ours.unsettled or theirs.unsettled))


def _paths_alone(sources: Sources, ours: Party, theirs: Party, base: str) -> frozenset[str]:
    """The paths that both changed and that can be merged by themselves."""
    paths = interplay(ours.footprint, theirs.footprint).paths
    if not paths or not _needs_whole(ours, theirs, base):
        return paths
    return paths & _separable(*(_since(sources, party, base) for party in (ours, theirs)))


def _meet_whole(sources: Sources, ours: Party, theirs: Party, bases: tuple[str, ...]) -> Iterator[Overlap]:
    """The overlaps that a merge of the whole trees shows; of those, the ones in which both sides' own work meets.

    With one merge base, what can be merged by itself is left out of the trees.
    """
    base = tree_of(sources.quarantine.objects, bases[0])
    our_changes, their_changes = (_since(sources, party, base) for party in (ours, theirs))
    if len(bases) > 1:
        _see_trees(sources, bases)
        question = Question(our_changes.tree, their_changes.tree, None, (ours.head, theirs.head))
    else:
        alone = _separable(our_changes, their_changes)
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


def _meet_path(sources: Sources, ours: Party, theirs: Party, base: str, path: str) -> AtPath:
    """What comes of one path, where both changed it since the base: trees cut down to it give git's verdict."""
    return AtPath(_changes_at(path, ours, theirs), tuple(_overlaps_at(sources, ours, theirs, base, path)))


def _overlaps_at(sources: Sources, ours: Party, theirs: Party, base: str, path: str) -> Iterator[Overlap]:
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
    if ours.key == TRUNK_KEY:
        sides = sides[::-1]  # git merges into trunk, people are told of their worktree first
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
