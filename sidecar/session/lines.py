"""The lines of both sides at which two changes meet."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.git.judge import merged_blob
from sidecar.model.changes import Change, Entry
from sidecar.model.hunks import Hunk, landing
from sidecar.model.markers import Lines as TextLines
from sidecar.model.markers import Segment, carry_over, locate_blocks, parse_markers, resolved_as
from sidecar.model.merging import Meeting, Merge
from sidecar.model.overlaps import WHOLE_FILE, Region
from sidecar.session.sources import Sources


@dataclass(frozen=True, slots=True)
class Lines:
    """One side's lines: `regions` where the other meets it, `changed` what it changed itself.

    `paired`: region i of one side answers region i, or change i, of the other.
    """

    regions: tuple[Region, ...]
    changed: tuple[Region, ...]
    paired: bool = True


def lines_of(sources: Sources, meeting: Meeting, merge: Merge | None) -> tuple[Lines, Lines]:
    """The lines of both sides of a meeting, as the design defines them for each verdict."""
    our_hunks, their_hunks = (_hunks(sources, change) for change in (meeting.ours, meeting.theirs))
    ours, theirs = _changed(our_hunks), _changed(their_hunks)
    if meeting.conflict:
        met = _conflicting(sources, meeting, merge) if merge is not None else []
        if met:
            return Lines(tuple(one for one, _ in met), ours), Lines(tuple(two for _, two in met), theirs)
        return Lines(ours, ours, paired=False), Lines(theirs, theirs, paired=False)
    if meeting.ours and meeting.theirs and meeting.ours.after == meeting.theirs.after:
        return Lines(ours, ours), Lines(theirs, theirs)
    return Lines(_landings(their_hunks, our_hunks), ours), Lines(_landings(our_hunks, their_hunks), theirs)


def _changed(hunks: tuple[Hunk, ...] | None) -> tuple[Region, ...]:
    return tuple(hunk.changed for hunk in hunks) if hunks else (WHOLE_FILE,)


def _landings(other: tuple[Hunk, ...] | None, mine: tuple[Hunk, ...] | None) -> tuple[Region, ...]:
    return tuple(landing(hunk, mine or ()) for hunk in other) if other else (WHOLE_FILE,)


def _hunks(sources: Sources, change: Change | None) -> tuple[Hunk, ...] | None:
    """The hunks of a change of text; None where there are no lines: deleted, binary, a link, a submodule."""
    if change is None or not _is_text(sources, change.after):
        return None
    before = change.before.oid if change.before is not None and change.before.is_file else _empty(sources)
    if not _is_text(sources, Entry(0o100644, before)):
        return None
    assert change.after is not None
    return sources.trees.hunks(before, change.after.oid)


def _is_text(sources: Sources, entry: Entry | None) -> bool:
    return entry is not None and entry.is_file and not sources.trees.is_binary(entry.oid)


def _empty(sources: Sources) -> str:
    return sources.quarantine.objects.write("blob", b"")


@dataclass(frozen=True, slots=True)
class _Inputs:
    """The three texts that git merged, as blob ids; `base` is empty where neither side had the file before."""

    base: str
    ours: str
    theirs: str


def _inputs(sources: Sources, meeting: Meeting, merge: Merge) -> _Inputs | None:
    """What git put into the index for the path, which is also right with several merge bases; else the changes' own."""
    stages = merge.stages.get(meeting.path, {})
    base, ours, theirs = stages.get(1), stages.get(2), stages.get(3)
    if ours is None or theirs is None:
        if meeting.ours is None or meeting.theirs is None:
            return None
        base, ours, theirs = meeting.ours.before, meeting.ours.after, meeting.theirs.after
    if not (ours and theirs and ours.is_file and theirs.is_file):
        return None
    return _Inputs(base.oid if base is not None and base.is_file else _empty(sources), ours.oid, theirs.oid)


def _conflicting(sources: Sources, meeting: Meeting, merge: Merge) -> list[tuple[Region, Region]]:
    """(our lines, their lines) of each conflict that git marked; [] where it marked none."""
    inputs = _inputs(sources, meeting, merge)
    if inputs is None:
        return []
    names = [change.path for change in (meeting.ours, meeting.theirs) if change is not None]
    segments = _marked(sources, merge, (meeting.path, *names))
    if len(segments) < 2:
        return []
    ours, theirs = (sources.trees.lines(oid) for oid in (inputs.ours, inputs.theirs))
    our_hunks, their_hunks = (sources.trees.hunks(inputs.base, oid) for oid in (inputs.ours, inputs.theirs))
    located = locate_blocks(segments, ours, theirs, our_hunks, their_hunks)
    if located is not None:
        return located
    return list(
        zip(
            _by_likeness(sources, segments, ours, ours=True),
            _by_likeness(sources, segments, theirs, ours=False),
            strict=True,
        )
    )


def _marked(sources: Sources, merge: Merge, paths: tuple[str, ...]) -> list[Segment]:
    """The merged file with its conflicts, under the first of these names that git wrote markers into."""
    for path in dict.fromkeys(paths):
        blob = merged_blob(sources.quarantine, merge, path)
        segments = parse_markers(blob, merge.marker_size) if blob is not None else []
        if len(segments) > 1:
            return segments
    return []


def _by_likeness(sources: Sources, segments: list[Segment], text: TextLines, *, ours: bool) -> list[Region]:
    """Where the blocks lie in one side's text, by comparing it with the merge resolved as that side has it."""
    lines, spans = resolved_as(segments, ours=ours)
    blobs = [
        sources.quarantine.objects.write("blob", b"".join(line + b"\n" for line in side)) for side in (lines, text)
    ]
    hunks = sources.trees.hunks(*blobs)
    return [carry_over(span, hunks) for span in spans]
