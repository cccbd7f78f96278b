"""Grade how two participants meet: the overlaps of a pair, by git's merge of the two."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType

from sidecar.git.judge import PathQuestion, Question
from sidecar.git.objects import tree_of
from sidecar.model.changes import Change, ChangeSet, Entry
from sidecar.model.may_overlap import footprint, interplay, separable
from sidecar.model.merging import Meeting, Merge, find_meetings, merging_kind, weight
from sidecar.model.overlaps import Overlap
from sidecar.session.lines import lines_of, merges_by_lines
from sidecar.session.participants import Found, Participant, found_at, found_in_trees, together
from sidecar.session.reader import Sources
from sidecar.session.regenerate import ask_at_once
from sidecar.session.sides import overlap_of

NOTHING: Mapping[str, Found] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PairResult:
    """Holds how two participants with a merge base of this tree meet.

    `alone` has it for each path that can be merged by itself, `whole` for the shape of their trees.
    """

    base: str
    alone: Mapping[str, Found]
    whole: Found

    @property
    def found(self) -> Found:
        """Give all of it."""
        return together((*self.alone.values(), self.whole))


def meet(
    sources: Sources,
    ours: Participant,
    theirs: Participant,
    bases: tuple[str, ...],
    known: Mapping[str, Found] = NOTHING,
) -> PairResult:
    """Tell how two participants with these merge bases meet; `ours` is the side that is merged into.

    `known` is what still stands of an earlier meeting (`reusable_results`).
    """
    base = tree_of(sources.quarantine.objects, bases[0])
    if len(bases) > 1:
        return PairResult(base, NOTHING, _meet_whole(sources, ours, theirs, bases))
    paths = paths_alone(sources, ours, theirs, base)
    ask_at_once(sources, sorted(paths - known.keys()), ours.files)
    alone = {path: known.get(path) or _meet_path(sources, ours, theirs, base, path) for path in sorted(paths)}
    whole = _meet_whole(sources, ours, theirs, bases) if needs_whole(ours, theirs, base) else Found()
    return PairResult(base, alone, whole)


def reusable_results(
    before: PairResult,
    was: tuple[Participant, Participant],
    now: tuple[Participant, Participant],
    base: str,
    moved_paths: Callable[[Participant, Participant], frozenset[str]],
) -> Mapping[str, Found]:
    """Give the earlier results, by path, that a merge would give again because nothing they follow from has changed.

    `moved_paths` is the function of that name, which may remember what it says.
    """
    if any(_label(one) != _label(other) for one, other in zip(was, now, strict=True)):
        return NOTHING
    if before.base != base and not (_is_over(before.base, was) and _is_over(base, now)):
        return NOTHING
    if _attributes(was[0]) != _attributes(now[0]):
        return NOTHING
    moved = moved_paths(was[0], now[0]) | moved_paths(was[1], now[1])
    return {path: at for path, at in before.alone.items() if path not in moved and not at.failed}


def _is_over(base: str, participants: tuple[Participant, Participant]) -> bool:
    """Tell whether this tree is what both participants' own changes are changes of."""
    return all(participant.own.base == base for participant in participants)


def path_questions(
    sources: Sources, ours: Participant, theirs: Participant, base: str, known: Mapping[str, Found]
) -> Iterator[PathQuestion]:
    """Give what `meet` will ask of git path by path, in its order, where there is one merge base, of this tree."""
    for path in sorted(paths_alone(sources, ours, theirs, base) - known.keys()):
        before = sources.trees.entry(base, path)
        mine, other = ours.own.touched[path].after, theirs.own.touched[path].after
        if path in ours.unread or path in theirs.unread:
            continue
        if mine is not None and other is not None and mine != other and before not in (mine, other):
            asked = PathQuestion(path, before, mine, other, ours.files)
            if not merges_by_lines(sources, asked):
                yield asked


def _label(participant: Participant) -> tuple[str, str | None, str]:
    return participant.key, participant.name, participant.ref


def _attributes(participant: Participant) -> tuple[str, frozenset[tuple[str, Entry | None]]]:
    """Give what decides which attributes a participant's files have."""
    present = participant.present
    return (
        (present.own.base, present.attributes) if present else (participant.own.base, participant.footprint.attributes)
    )


def moved_paths(was: Participant, now: Participant) -> frozenset[str]:
    """Give the paths at which a participant has not the same change: there, by a rename, or in its files."""
    if was is now:
        return frozenset()
    paths = was.own.touched.keys() | now.own.touched.keys()
    return frozenset(path for path in paths if _changes_at(path, was) != _changes_at(path, now))


def _changes_at(path: str, participant: Participant) -> tuple[Change | None, ...]:
    """Give what a participant changed at a path: by itself, as part of a rename, and in its files."""
    changes = participant.own.touched.get(path), participant.own.named(path)
    if participant.present is None:
        return changes
    return *changes, participant.present.own.named(participant.present.origins.get(path, path))


def needs_whole(ours: Participant, theirs: Participant, base: str) -> bool:
    """Tell whether only a merge of the whole trees can tell all."""
    settled = ours.own.base == base == theirs.own.base
    structural = interplay(ours.footprint, theirs.footprint).structural
    return structural or (not settled and (ours.unsettled or theirs.unsettled))


def paths_alone(sources: Sources, ours: Participant, theirs: Participant, base: str) -> frozenset[str]:
    """Give the paths that both changed and that can be merged by themselves."""
    paths = interplay(ours.footprint, theirs.footprint).paths
    if not paths or not needs_whole(ours, theirs, base):
        return paths
    return paths & _separable(sources, ours, theirs, base)


def merge_whole(
    sources: Sources, ours: Participant, theirs: Participant, bases: tuple[str, ...]
) -> tuple[Merge, ChangeSet, ChangeSet]:
    """Merge the whole trees, and give what each side has that the base lacks.

    With one merge base, what can be merged by itself is left out of the trees.
    """
    base = tree_of(sources.quarantine.objects, bases[0])
    our_changes, their_changes = (_since(sources, participant, base) for participant in (ours, theirs))
    if len(bases) > 1:
        _see_trees(sources, bases)
        question = Question(our_changes.tree, their_changes.tree, None, (ours.head, theirs.head))
    else:
        alone = _separable(sources, ours, theirs, base)
        our_changes, their_changes = (without(sources, changes, alone) for changes in (our_changes, their_changes))
        question = Question(our_changes.tree, their_changes.tree, base)
    paths = {*our_changes.touched, *their_changes.touched}
    return sources.judge.merge_trees(question, paths, ours.files), our_changes, their_changes


def _meet_whole(sources: Sources, ours: Participant, theirs: Participant, bases: tuple[str, ...]) -> Found:
    return found_in_trees(ours, theirs, _overlaps_whole(sources, ours, theirs, bases))


def _overlaps_whole(
    sources: Sources, ours: Participant, theirs: Participant, bases: tuple[str, ...]
) -> Iterator[Overlap]:
    found = list(meetings_whole(sources, ours, theirs, bases))
    ask_at_once(sources, [meeting.path for meeting, _ in found], ours.files)
    for meeting, merge in found:
        yield overlap_of(sources, ours, theirs, meeting, merge, lines_of(sources, meeting, merge))


def meetings_whole(
    sources: Sources, ours: Participant, theirs: Participant, bases: tuple[str, ...]
) -> Iterator[tuple[Meeting, Merge]]:
    """Find where both sides' own work meets in a merge of the whole trees."""
    merge, our_changes, their_changes = merge_whole(sources, ours, theirs, bases)
    meetings: dict[tuple[str | None, ...], Meeting] = {}
    own_work = (ours.own.touched, theirs.own.touched)
    for found in sorted(find_meetings(merge, our_changes, their_changes, own_work), key=weight):
        meeting = _as_staged(sources, found, merge, ours, theirs)
        sides = [change.path if change is not None else None for change in (meeting.ours, meeting.theirs)]
        meetings.setdefault((meeting.path, *sides), meeting)
    for meeting in meetings.values():
        own = (_is_own(ours, meeting.ours), _is_own(theirs, meeting.theirs))
        # what is as in one merge base may be news to another, and git stops there
        if (all(own) and not _is_common(sources, meeting, bases)) or (meeting.conflict and len(bases) > 1 and any(own)):
            yield meeting, merge


def _is_common(sources: Sources, meeting: Meeting, bases: tuple[str, ...]) -> bool:
    """Tell whether both have at the path what one of several merge bases has, so that it was made only once."""
    if len(bases) == 1 or meeting.conflict or meeting.ours is None or meeting.theirs is None:
        return False
    after = meeting.ours.after
    return after == meeting.theirs.after and any(
        sources.trees.entry(tree_of(sources.quarantine.objects, commit), meeting.path) == after for commit in bases
    )


def _see_trees(sources: Sources, bases: tuple[str, ...]) -> None:
    """Raise GitError unless the trees are here that git merges first when there are several merge bases."""
    for commit in bases:
        sources.quarantine.objects.tree(tree_of(sources.quarantine.objects, commit))
    for one, two in pairwise(bases):
        _see_trees(sources, sources.history.merge_bases(*sorted((one, two))))


def without(sources: Sources, changes: ChangeSet, paths: frozenset[str]) -> ChangeSet:
    """Give a change set in which these paths are as in the base."""
    if paths.isdisjoint(changes.touched):
        return changes
    touched = {path: change for path, change in changes.touched.items() if path not in paths}
    folded = {path: change for path, change in changes.changes.items() if path not in paths}
    tree = sources.trees.edited(changes.base, frozenset((path, change.after) for path, change in touched.items()))
    return ChangeSet(changes.base, tree, touched, folded)


def _meet_path(sources: Sources, ours: Participant, theirs: Participant, base: str, path: str) -> Found:
    overlaps = (
        overlap_of(sources, ours, theirs, meeting, merge, lines_of(sources, meeting, merge))
        for meeting, merge in meetings_at(sources, ours, theirs, base, path)
    )
    return found_at(ours, theirs, path, overlaps)


def meetings_at(
    sources: Sources, ours: Participant, theirs: Participant, base: str, path: str
) -> Iterator[tuple[Meeting, Merge | None]]:
    """Merge one path that both changed since the base, by trees cut down to it, and give the meetings there."""
    before = sources.trees.entry(base, path)
    mine, other = ours.own.touched[path].after, theirs.own.touched[path].after
    if before in (mine, other) or mine is None or other is None:
        return
    our_change, their_change = Change(path, before, mine), Change(path, before, other)
    if mine == other:
        yield Meeting(path, merging_kind(our_change, their_change), False, our_change, their_change), None
        return
    asked = PathQuestion(path, before, mine, other, ours.files)
    if merges_by_lines(sources, asked):
        yield Meeting(path, merging_kind(our_change, their_change), False, our_change, their_change), None
        return
    merge = sources.judge.merge_path(asked)
    our_cut, their_cut = (ChangeSet("", "", {path: change}, {path: change}) for change in (our_change, their_change))
    for meeting in find_meetings(merge, our_cut, their_cut):
        yield meeting, merge


def _as_staged(sources: Sources, meeting: Meeting, merge: Merge, ours: Participant, theirs: Participant) -> Meeting:
    """Give the meeting with what git merged at its path, where that is a side's own file of that name.

    With several merge bases, or a rename onto a name that is taken, the change sets alone would name another file.
    """
    stages = merge.stages.get(meeting.path, {}) if meeting.conflict else {}
    known = [name for change in (meeting.ours, meeting.theirs) if change is not None for name in change.names]
    names = tuple(dict.fromkeys((meeting.path, *meeting.names, *known)))
    ours_settled, theirs_settled = (
        _settle(sources, change, participant, stages.get(1), stages.get(number), names)
        for change, participant, number in ((meeting.ours, ours, 2), (meeting.theirs, theirs, 3))
    )
    return replace(meeting, ours=ours_settled, theirs=theirs_settled)


def _settle(
    sources: Sources,
    change: Change | None,
    participant: Participant,
    before: Entry | None,
    now: Entry | None,
    names: tuple[str, ...],
) -> Change | None:
    if change is not None and (now is None or change.after == now):
        return change if before is None or change.after is None else replace(change, before=before)
    if now is None:
        return None
    tree, own = participant.own.tree, participant.own.touched
    exact = [name for name in names if sources.trees.entry(tree, name) == now]
    path = next((name for name in exact if name in own), None) or sources.trees.find(tree, now, names[0])
    if path is not None and (path in own or change is None):
        return Change(path, before, now)
    if exact and not (change is not None and _is_own(participant, change)):
        return Change(exact[0], before, now)
    return change  # a file that just happens to be alike


def _separable(sources: Sources, ours: Participant, theirs: Participant, base: str) -> frozenset[str]:
    """Give the paths that can be merged by themselves, of all that differ from this tree."""
    one, two = (
        participant.footprint if participant.own.base == base else footprint(_since(sources, participant, base).touched)
        for participant in (ours, theirs)
    )
    return separable(one, two)


def _since(sources: Sources, participant: Participant, base: str) -> ChangeSet:
    """Give what a participant has that the base has not: its own work and what it has from trunk."""
    return participant.own if participant.own.base == base else sources.trees.changes(base, participant.own.tree)


def _is_own(participant: Participant, change: Change | None) -> bool:
    """Tell whether a change is the participant's own work and not something that it merely has from trunk."""
    return change is None or any(name in participant.own.touched for name in change.names)
