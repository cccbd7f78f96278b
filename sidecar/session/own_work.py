"""Say what a worktree would bring to trunk, its own work, by git's merge of the two.

Where one of a pair can't land on trunk, the two are merged as they are, and only own work of both counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sidecar.git.judge import PathQuestion
from sidecar.git.objects import tree_of
from sidecar.git.process import GitError
from sidecar.model.changes import COMMITTED, Change, ChangeSet, Entry, merge_sources
from sidecar.model.hunks import Hunk
from sidecar.model.may_overlap import footprint, separable
from sidecar.model.merging import Meeting, Merge, find_meetings, merging_kind, without_label
from sidecar.model.overlaps import WHOLE_FILE, Overlap, Region
from sidecar.session.lines import Lines, lines_of, text_hunks
from sidecar.session.pair import (
    meetings_at,
    meetings_whole,
    merge_whole,
    needs_whole,
    paths_alone,
)
from sidecar.session.participants import Found, Participant, Present, found_at, found_in_trees, together
from sidecar.session.reader import Sources
from sidecar.session.sides import overlap_of


@dataclass(frozen=True, slots=True)
class _Merged:
    """One path that trunk changed, too, merged by itself: what trunk would have there, or that the merge stops.

    `failed` says that git could not tell: what can't be known to land is like what stops.
    """

    changes: tuple[Change, Change]
    after: Entry | None
    stops: bool
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Landing:
    """A participant's changes as they would land: over trunk's tree, once git has merged the two.

    `stopped` are all names at which that merge stops, whose changes are left out; `origins` the names in the
    participant's tree of files that trunk has moved.
    """

    own: ChangeSet
    stopped: frozenset[str] = frozenset()
    origins: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    merged: Mapping[str, _Merged] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    @property
    def failed(self) -> bool:
        """Tell whether git could not tell of some path, and may be able to later."""
        return any(one.failed for one in self.merged.values())


def land(
    sources: Sources,
    trunk: Participant,
    participant: Participant,
    bases: tuple[str, ...],
    before: Landing | None = None,
) -> Landing:
    """Tell how a participant lands on trunk; `trunk` is what that did since the first of their merge `bases`.

    What comes out as in an earlier landing (`before`) is taken from there.
    """
    if len(bases) == 1 and not trunk.own.touched:
        return Landing(participant.own)
    merged: dict[str, _Merged] = {}
    whole = Landing(ChangeSet(trunk.own.tree, trunk.own.tree))
    touched: dict[str, Change] = {}
    base = tree_of(sources.quarantine.objects, bases[0])
    if len(bases) > 1:
        whole = _land_whole(sources, trunk, participant, bases)
    else:
        structural = needs_whole(trunk, participant, base)
        alone = separable(trunk.footprint, participant.footprint) if structural else participant.own.touched.keys()
        merged = dict(_merge_alone(sources, trunk, participant, base, before))
        touched = {
            path: change for path, change in participant.own.touched.items() if path in alone and path not in merged
        }
        if structural:
            whole = _land_whole(sources, trunk, participant, bases)
    touched |= whole.own.touched
    for path, one in merged.items():
        if not one.stops and one.after != one.changes[0].after:
            touched[path] = Change(path, one.changes[0].after, one.after, one.changes[1].sources)
    stopped = whole.stopped.union(path for path, one in merged.items() if one.stops)
    return Landing(_change_set(sources, trunk.own.tree, touched), stopped, whole.origins, merged)


def as_landed(participant: Participant, landing: Landing, own: ChangeSet | None = None) -> Participant:
    """Give a participant with its own changes as they would land, or with these instead."""
    own = own or landing.own
    if own is participant.own:
        return participant
    moved = {path: participant.unread[name] for path, name in landing.origins.items() if name in participant.unread}
    return replace(
        participant,
        own=own,
        footprint=footprint(own.touched),
        unsettled=False,
        present=Present(participant.own, participant.footprint.attributes, landing.origins),
        unread={**participant.unread, **moved} if moved else participant.unread,
    )


def _change_set(sources: Sources, base: str, touched: Mapping[str, Change]) -> ChangeSet:
    tree = sources.trees.edited(base, frozenset((path, change.after) for path, change in touched.items()))
    changes = sources.trees.fold_renames(base, tree, touched)
    return ChangeSet(base, tree, MappingProxyType(dict(touched)), MappingProxyType(dict(changes)))


def path_questions(
    sources: Sources, trunk: Participant, participant: Participant, base: str, before: Landing | None
) -> Iterator[PathQuestion]:
    """Give what `land` will ask of git path by path, in its order."""
    known = _standing(sources, trunk, before)
    for path in sorted(paths_alone(sources, trunk, participant, base) - participant.unread.keys()):
        changes = trunk.own.touched[path], participant.own.touched[path]
        if (path not in known or known[path].changes != changes) and changes[0].after != changes[1].after:
            yield _question(trunk, *changes)


def _question(trunk: Participant, theirs: Change, own: Change) -> PathQuestion:
    assert theirs.after is not None
    assert own.after is not None
    return PathQuestion(own.path, own.before, theirs.after, own.after, trunk.own.tree)


def _standing(sources: Sources, trunk: Participant, before: Landing | None) -> Mapping[str, _Merged]:
    """Give the paths that were merged before under the same attributes."""
    if before is None or not before.merged or not sources.trees.same_attributes(before.own.base, trunk.own.tree):
        return {}
    return {path: one for path, one in before.merged.items() if not one.failed}


def _merge_alone(
    sources: Sources, trunk: Participant, participant: Participant, base: str, before: Landing | None
) -> Iterator[tuple[str, _Merged]]:
    known = _standing(sources, trunk, before)
    for path in sorted(paths_alone(sources, trunk, participant, base)):
        changes = trunk.own.touched[path], participant.own.touched[path]
        if path in known and known[path].changes == changes:
            yield path, known[path]
        elif path in participant.unread:
            yield path, _Merged(changes, None, stops=True)
        elif changes[0].after == changes[1].after:
            yield path, _Merged(changes, changes[0].after, stops=False)
        else:
            yield path, _merge_one(sources, trunk, changes)


def _merge_one(sources: Sources, trunk: Participant, changes: tuple[Change, Change]) -> _Merged:
    try:
        merge = sources.judge.merge_path(_question(trunk, *changes))
        after = sources.trees.entry(merge.tree, changes[1].path) if merge.clean else None
    except GitError:
        return _Merged(changes, None, stops=True, failed=True)
    return _Merged(changes, after, stops=not merge.clean)


def _land_whole(sources: Sources, trunk: Participant, participant: Participant, bases: tuple[str, ...]) -> Landing:
    """Land a participant by a merge of the whole trees, where it can't be merged path by path."""
    merge, theirs, own = merge_whole(sources, trunk, participant, bases)
    stopped: set[str] = set()
    if not merge.clean:
        stopped.update(without_label(path, merge) for path in merge.stages)
        for meeting in find_meetings(merge, theirs, own, (trunk.own.touched, participant.own.touched)):
            if meeting.conflict:
                names = [change.names for change in (meeting.ours, meeting.theirs) if change is not None]
                stopped.update((meeting.path, *meeting.names), *names)
    touched: dict[str, Change] = {}
    origins: dict[str, str] = {}
    for path, change in sources.trees.changes(theirs.tree, merge.tree).touched.items():
        if without_label(path, merge) in stopped:
            continue
        origin = _origin(trunk, participant, change)
        if origin is not None and origin != path:
            origins[path] = origin
        found = [participant.own.touched[name] for name in (path, origin or path) if name in participant.own.touched]
        touched[path] = replace(change, sources=merge_sources(*(one.sources for one in found)) or (COMMITTED,))
    return Landing(ChangeSet(theirs.tree, merge.tree, touched), frozenset(stopped), origins)


def _origin(trunk: Participant, participant: Participant, change: Change) -> str | None:
    """Give the name that a file that lands has in the participant's tree; None where it has none."""
    own, path = participant.own.touched, change.path
    if path in own or change.after is None:
        return path
    moved = trunk.own.changes.get(path)
    if moved is not None and moved.old_path in own:
        return moved.old_path
    name = path.rpartition("/")[2]  # trunk may have moved a whole directory
    return next((it for it in own if own[it].after == change.after and it.rpartition("/")[2] == name), None)


BY_SHAPE = ("rename/rename", "file location", "file/directory", "directory rename split", "implicit dir rename")
"""Conflicts in which each side has moved, added or deleted something itself."""


@dataclass(frozen=True, slots=True)
class _Worker:
    """A participant as it is, and how it lands."""

    participant: Participant
    landing: Landing

    def own(self, change: Change | None) -> Change | None:
        """Give its own change where it has this one; None where it has that from trunk, or trunk has it already."""
        names = change.names if change is not None else ()
        return next((self.participant.own.named(name) for name in names if self._brings(name)), None)

    def _brings(self, name: str) -> bool:
        if name not in self.participant.own.touched:
            return False
        landing = self.landing
        return name in landing.stopped or name in landing.own.touched or name in landing.origins.values()

    def moved(self, change: Change | None) -> bool:
        """Tell whether it has itself moved, added or deleted what this change is about."""
        own = self.participant.own.touched
        return change is None or any(
            name in own and (own[name].before is None or own[name].after is None) for name in change.names
        )


def meet_stopped(
    sources: Sources,
    ours: tuple[Participant, Landing],
    theirs: tuple[Participant, Landing],
    bases: tuple[str, ...],
    stopped: frozenset[str],
) -> Found:
    """Tell how two participants with these merge bases meet at the paths `stopped`.

    A region counts where it touches own work of both: what a side has changed since it left trunk.
    """
    mine, other = _Worker(*ours), _Worker(*theirs)

    def own(meetings: Iterable[tuple[Meeting, Merge | None]]) -> Iterator[Overlap]:
        for meeting, merge in meetings:
            part = _own_part(sources, mine, other, meeting, merge)
            if part is not None:
                yield overlap_of(sources, mine.participant, other.participant, part[0], merge, part[1])

    base = tree_of(sources.quarantine.objects, bases[0])
    found: list[Found] = []
    if len(bases) == 1:
        paths = paths_alone(sources, mine.participant, other.participant, base)
        for path in sorted(paths & stopped):
            there = own(meetings_at(sources, mine.participant, other.participant, base, path))
            found.append(found_at(mine.participant, other.participant, path, there))
        if not needs_whole(mine.participant, other.participant, base):
            return together(found)
    whole = own(_meetings_whole(sources, mine.participant, other.participant, bases, stopped))
    return together((*found, found_in_trees(mine.participant, other.participant, whole)))


def _meetings_whole(
    sources: Sources, ours: Participant, theirs: Participant, bases: tuple[str, ...], stopped: frozenset[str]
) -> Iterator[tuple[Meeting, Merge | None]]:
    for meeting, merge in meetings_whole(sources, ours, theirs, bases):
        changes = [change for change in (meeting.ours, meeting.theirs) if change is not None]
        names = {meeting.path, *meeting.names, *(name for change in changes for name in change.names)}
        if not names.isdisjoint(stopped):
            yield meeting, merge


def _own_part(
    sources: Sources, mine: _Worker, other: _Worker, meeting: Meeting, merge: Merge | None
) -> tuple[Meeting, tuple[Lines, Lines]] | None:
    """Cut a meeting to own work of both, with its lines; None where nothing is left."""
    own = (mine.own(meeting.ours), other.own(meeting.theirs))
    if (meeting.ours and own[0] is None) or (meeting.theirs and own[1] is None):
        return None
    if meeting.conflict and meeting.kind in BY_SHAPE and not (mine.moved(meeting.ours) and other.moved(meeting.theirs)):
        return _by_content(sources, mine, other, meeting) if meeting.kind == "rename/rename" else None
    lines = lines_of(sources, meeting, merge)
    own_lines = tuple(text_hunks(sources, change) for change in own)
    if not meeting.conflict:
        return meeting, _clean(meeting, lines, own_lines)
    if not lines[0].paired:
        return meeting, lines
    kept = [
        number
        for number, regions in enumerate(zip(lines[0].regions, lines[1].regions, strict=True))
        if all(_touches(region, hunks) for region, hunks in zip(regions, own_lines, strict=True))
    ]
    if kept:
        ours, theirs = (replace(one, regions=tuple(one.regions[number] for number in kept)) for one in lines)
        return meeting, (ours, theirs)
    if meeting.ours is None or meeting.theirs is None:
        return None
    merging = replace(meeting, conflict=False, kind=merging_kind(meeting.ours, meeting.theirs))
    return merging, _clean(merging, lines_of(sources, merging, None), own_lines)


def _by_content(
    sources: Sources, mine: _Worker, other: _Worker, meeting: Meeting
) -> tuple[Meeting, tuple[Lines, Lines]] | None:
    """Compare the contents of two files whose names are in conflict because of trunk."""
    ours, theirs = meeting.ours, meeting.theirs
    if not (ours and theirs and ours.after and theirs.after and ours.after.is_file and theirs.after.is_file):
        return None
    if ours.before in (ours.after, theirs.after) or ours.after == theirs.after:
        return None
    asked = PathQuestion(theirs.path, ours.before, ours.after, theirs.after, mine.participant.own.tree)
    merge = sources.judge.merge_path(asked)
    our_cut, their_cut = (
        ChangeSet("", "", {asked.path: change}, {asked.path: change})
        for change in (Change(asked.path, ours.before, ours.after), Change(asked.path, ours.before, theirs.after))
    )
    for found in find_meetings(merge, our_cut, their_cut):
        return _own_part(sources, mine, other, replace(found, ours=ours, theirs=theirs), merge)
    return None


def _clean(
    meeting: Meeting, lines: tuple[Lines, Lines], own: tuple[tuple[Hunk, ...] | None, ...]
) -> tuple[Lines, Lines]:
    """Give the lines of two sides that merge: of what each has changed, its own work."""
    if meeting.ours and meeting.theirs and meeting.ours.after == meeting.theirs.after:
        return lines
    (ours, theirs), (our_kept, their_kept) = (
        lines,
        [
            [number for number, region in enumerate(one.changed) if _touches(region, hunks)]
            for one, hunks in zip(lines, own, strict=True)
        ],
    )
    return _lands(ours, our_kept, their_kept), _lands(theirs, their_kept, our_kept)


def _lands(side: Lines, changed: list[int], landing: list[int]) -> Lines:
    return replace(
        side,
        regions=tuple(side.regions[number] for number in landing if number < len(side.regions)) or (WHOLE_FILE,),
        changed=tuple(side.changed[number] for number in changed) or (WHOLE_FILE,),
    )


def _touches(region: Region, hunks: tuple[Hunk, ...] | None) -> bool:
    """Tell whether lines share one with a hunk; where either has none, whether it borders on the other."""
    if hunks is None or region.whole:
        return True
    start, end = (region.start - 1, region.end) if region.gap is None else (region.gap, region.gap)
    return any(
        hunk.start < end and start < hunk.end if hunk.count and start < end else hunk.start <= end and start <= hunk.end
        for hunk in hunks
    )
