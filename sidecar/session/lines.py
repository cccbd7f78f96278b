"""Find the lines of both sides at which two changes meet, as they stand on the screen.

Git compares what a filter makes of a file: a pointer where LFS has the content, a notebook without its output. A line
of that is named only where the file on the disk has it too, or as many lines in its place: by the number of that line.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sidecar.git.judge import PathQuestion, merged_blob
from sidecar.model.changes import UNSAVED, Change, Entry
from sidecar.model.hunks import Hunk, are_apart, landing
from sidecar.model.markers import Lines as TextLines
from sidecar.model.markers import Segment, carry_over, locate_blocks, parse_markers, resolved_as
from sidecar.model.merging import Meeting, Merge
from sidecar.model.overlaps import WHOLE_FILE, Region, region
from sidecar.session.reader import Sources
from sidecar.system.files import read_regular


@dataclass(frozen=True, slots=True)
class Lines:
    """One side's lines: `regions` where the other meets it, `changed` what it changed itself.

    `paired`: region i of one side answers region i, or change i, of the other.
    """

    regions: tuple[Region, ...]
    changed: tuple[Region, ...]
    paired: bool = True


def lines_of(sources: Sources, meeting: Meeting, merge: Merge | None) -> tuple[Lines, Lines]:
    """Give the lines of both sides of a meeting, as the design defines them for each verdict."""
    our_hunks, their_hunks = (text_hunks(sources, change) for change in (meeting.ours, meeting.theirs))
    ours, theirs = _changed(our_hunks), _changed(their_hunks)
    if meeting.conflict:
        met = _conflicting(sources, meeting, merge) if merge is not None else []
        if met:
            return Lines(tuple(one for one, _ in met), ours), Lines(tuple(two for _, two in met), theirs)
        return Lines(ours, ours, paired=False), Lines(theirs, theirs, paired=False)
    if meeting.ours and meeting.theirs and meeting.ours.after == meeting.theirs.after:
        return Lines(ours, ours), Lines(theirs, theirs)
    return Lines(_landings(their_hunks, our_hunks), ours), Lines(_landings(our_hunks, their_hunks), theirs)


def merges_by_lines(sources: Sources, asked: PathQuestion) -> bool:
    """Tell whether git's merge of one path is clean by construction, so that it need not be asked. GitError.

    So it is where a line that neither touches lies between both sides' hunks, which are git's own, and where nothing
    but its merge of text takes part.
    """
    if asked.base is None or not all(_is_text(sources, one) for one in (asked.base, asked.ours, asked.theirs)):
        return False
    if not asked.base.mode == asked.ours.mode == asked.theirs.mode:
        return False
    if not sources.judge.programs.merges_text(asked.path, asked.into):
        return False
    return are_apart(*(sources.trees.hunks(asked.base.oid, one.oid) for one in (asked.ours, asked.theirs)))


def moved_along(sources: Sources, here: Entry | None, there: Entry | None, lines: Lines) -> Lines:
    """Give the lines of one version of a file as lines of another."""
    if here == there:
        return lines
    if not (here and there and _is_text(sources, here) and _is_text(sources, there)):
        return replace(lines, regions=(WHOLE_FILE,) * len(lines.regions), changed=(WHOLE_FILE,) * len(lines.changed))
    hunks = sources.trees.hunks(here.oid, there.oid)
    regions, changed = (tuple(_carried(one, hunks) for one in some) for some in (lines.regions, lines.changed))
    return replace(lines, regions=regions, changed=changed)


def _carried(region: Region, hunks: tuple[Hunk, ...]) -> Region:
    if region.whole:
        return region
    return carry_over(
        (region.start - 1, region.end + 1 - region.start) if region.gap is None else (region.gap, 0), hunks
    )


def _changed(hunks: tuple[Hunk, ...] | None) -> tuple[Region, ...]:
    return tuple(hunk.changed for hunk in hunks) if hunks else (WHOLE_FILE,)


def _landings(other: tuple[Hunk, ...] | None, mine: tuple[Hunk, ...] | None) -> tuple[Region, ...]:
    return tuple(landing(hunk, mine or ()) for hunk in other) if other else (WHOLE_FILE,)


def text_hunks(sources: Sources, change: Change | None) -> tuple[Hunk, ...] | None:
    """Give the hunks of a change of text; None where there are no lines: deleted, binary, a link, a submodule."""
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
    """Give the texts that git put into the index, which are right with several merge bases too; else the changes'."""
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
    """Find (our lines, their lines) of each conflict that git marked; [] where it marked none."""
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
    """Give the merged file with its conflicts, under the first of these names that git wrote markers into."""
    for path in dict.fromkeys(paths):
        blob = merged_blob(sources.quarantine, merge, path)
        segments = parse_markers(blob, merge.marker_size) if blob is not None else []
        if len(segments) > 1:
            return segments
    return []


def _by_likeness(sources: Sources, segments: list[Segment], text: TextLines, *, ours: bool) -> list[Region]:
    """Tell where the blocks lie in one side's text, by comparing it with the merge resolved as that side has it."""
    lines, spans = resolved_as(segments, ours=ours)
    blobs = [
        sources.quarantine.objects.write("blob", b"".join(line + b"\n" for line in side)) for side in (lines, text)
    ]
    hunks = sources.trees.hunks(*blobs)
    return [carry_over(span, hunks) for span in spans]


LINES_NOTE = "Lines that a filter keeps from git are not named."


def on_screen(sources: Sources, folder: str, path: str, now: Entry, present: Sequence[str], lines: Lines) -> Lines:
    """Give these lines of a blob as lines of the file, which lies in this folder unless that is the key of no worktree.

    `present` are the sources of its change: of a text that is not saved, the file says nothing.
    """
    hunks = None if UNSAVED in present or not os.path.isabs(folder) else _hunks(sources, folder, path, now)
    regions, changed = (tuple(_on_screen(one, hunks) for one in some) for some in (lines.regions, lines.changed))
    return replace(lines, regions=regions, changed=changed)


def _hunks(sources: Sources, folder: str, path: str, now: Entry) -> Sequence[Hunk] | None:
    """Find where lines of the file on the disk are not one to one those of git; None where that can't be told.

    Where it has as many other lines in their place (a keyword expanded, a secret taken out), each stands for one.
    """
    try:
        content = read_regular(os.path.join(folder, path), sources.size_limit)
    except (OSError, ValueError):
        return None
    shown = sources.quarantine.objects.write("blob", content.replace(b"\r\n", b"\n"))
    if sources.trees.is_binary(shown) or sources.trees.is_binary(now.oid):
        return None
    return [hunk for hunk in sources.trees.hunks(now.oid, shown) if hunk.count != hunk.base_count]


def _on_screen(lines: Region, hunks: Sequence[Hunk] | None) -> Region:
    if lines.whole or hunks is None:
        return WHOLE_FILE
    first = lines.start - 1 if lines.gap is None else lines.gap
    count = lines.end - first if lines.gap is None else 0
    if any(_touches(hunk, first, count) for hunk in hunks):
        return WHOLE_FILE
    shift = sum(hunk.count - hunk.base_count for hunk in hunks if hunk.base_end <= first)
    return region(first + shift + 1, count)


def _touches(hunk: Hunk, first: int, count: int) -> bool:
    """Tell whether what git has otherwise lies in, or for a gap at, these lines."""
    if count == 0:
        return hunk.base <= first <= hunk.base_end
    return hunk.base < first + count and (hunk.base_end > first if hunk.base_count else hunk.base > first)
