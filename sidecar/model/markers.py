"""Parse git's conflict markers, and find the lines of both sides that they stand for (git-merge(1))."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.model.hunks import Hunk
from sidecar.model.overlaps import Region, region

Lines = list[bytes]


@dataclass(frozen=True, slots=True)
class Block:
    """One conflict: what each side has there."""

    ours: tuple[bytes, ...]
    theirs: tuple[bytes, ...]


Segment = Lines | Block
"""A merged file is lines that merged, and blocks that did not, in turn."""


def split_lines(content: bytes) -> Lines:
    """Give the lines of a text without their newline; a carriage return before it counts as part of the line's end."""
    lines = content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix(b"\r") for line in lines]


def contains_marker(content: bytes, size: int) -> bool:
    """Tell whether a text has a line that markers of this size could be mistaken for."""
    marks = [char * size for char in (b"<", b"=", b">", b"|")]
    return any(content.startswith(mark) or b"\n" + mark in content for mark in marks if mark in content)


def parse_markers(merged: bytes, size: int) -> list[Segment]:
    """Split a file with conflict markers of this size into segments; [] when the markers don't add up."""
    start, base, middle, end = (char * size for char in (b"<", b"|", b"=", b">"))
    lines = split_lines(merged)
    marks = {start, base, middle, end}
    segments: list[Segment] = []
    ours: Lines = []
    theirs: Lines = []
    into: Lines | None = None
    at = 0
    for mark in [number for number, line in enumerate(lines) if line[:size] in marks]:
        line, before = lines[mark], lines[at:mark]
        if into is None:
            if not line.startswith(start + b" "):
                continue
            segments.append(before)
            ours, theirs = [], []
            into = ours
        elif line.startswith(base) and line[size : size + 1] in (b" ", b"") and into is ours:
            into += before
            into = []
        elif line == middle and into is not theirs:
            into += before
            into = theirs
        elif line.startswith(end + b" ") and into is theirs:
            into += before
            segments.append(Block(tuple(ours), tuple(theirs)))
            into = None
        else:
            continue
        at = mark + 1
    return [*segments, lines[at:]] if into is None else []


@dataclass(frozen=True, slots=True)
class _Group:
    """Hunks of both sides that overlap or touch, as one stretch of ours and theirs."""

    ours: bool
    theirs: bool
    ours_start: int
    ours_end: int
    theirs_start: int
    theirs_end: int


def locate_blocks(
    segments: Sequence[Segment], ours: Lines, theirs: Lines, our_hunks: Sequence[Hunk], their_hunks: Sequence[Hunk]
) -> list[tuple[Region, Region]] | None:
    """Find (our lines, their lines) of every block, by walking the merged text along both sides' hunks.

    Every line of the merged text is held against the line that it must have come from; None when they disagree, which
    means that the merge did not work on these hunks (a driver, renormalized ends of lines, several merge bases).
    """
    groups = _group(our_hunks, their_hunks)
    at, o, t = 0, 0, 0
    found: list[tuple[Region, Region]] = []
    for segment in segments:
        if isinstance(segment, Block):
            at, o, t = _pass_silent(groups, at, o, t)
            c, d = len(segment.ours), len(segment.theirs)
            if tuple(ours[o : o + c]) != segment.ours or tuple(theirs[t : t + d]) != segment.theirs:
                return None
            found.append((region(o + 1, c), region(t + 1, d)))
            o, t = o + c, t + d
            while at < len(groups) and groups[at].ours_end <= o and groups[at].theirs_end <= t:
                at += 1
            continue
        done = 0
        while done < len(segment):
            at, o, t = _pass_silent(groups, at, o, t)
            group = groups[at] if at < len(groups) else None
            inside = group is not None and o >= group.ours_start and t >= group.theirs_start
            from_ours = not inside or (group is not None and group.ours)
            from_theirs = not inside or (group is not None and group.theirs)
            run = segment[done : done + _stretch(group, o, t, len(segment) - done)]
            if (from_ours and ours[o : o + len(run)] != run) or (from_theirs and theirs[t : t + len(run)] != run):
                return None
            done += len(run)
            o, t = o + len(run) * from_ours, t + len(run) * from_theirs
            if group is not None and inside:
                if not group.theirs and o == group.ours_end:
                    at, t = at + 1, group.theirs_end
                elif not group.ours and t == group.theirs_end:
                    at, o = at + 1, group.ours_end
                elif o == group.ours_end and t == group.theirs_end:
                    at += 1
    at, o, t = _pass_silent(groups, at, o, t)
    return found if (o, t) == (len(ours), len(theirs)) else None


def _stretch(group: _Group | None, o: int, t: int, most: int) -> int:
    """Count the lines of the merged text up to where a group begins or ends."""
    if group is None:
        return most
    if o < group.ours_start or t < group.theirs_start:
        return min(most, max(group.ours_start - o, group.theirs_start - t))
    ends = [group.ours_end - o] * group.ours + [group.theirs_end - t] * group.theirs
    return min(most, max(1, min(ends)))


def _pass_silent(groups: Sequence[_Group], at: int, o: int, t: int) -> tuple[int, int, int]:
    """Step over groups that put no line into the merged text: one side's deletion, or the same one by both."""
    while at < len(groups):
        group = groups[at]
        reached = o >= group.ours_start and t >= group.theirs_start
        emits = (group.ours and o < group.ours_end) or (group.theirs and t < group.theirs_end)
        if not reached or emits:
            break
        at, o, t = at + 1, group.ours_end, group.theirs_end
    return at, o, t


def _group(our_hunks: Sequence[Hunk], their_hunks: Sequence[Hunk]) -> list[_Group]:
    """Group the hunks that share or touch lines of the base, as git's three-way merge does."""
    pending = sorted([(hunk, True) for hunk in our_hunks] + [(hunk, False) for hunk in their_hunks], key=_by_base)
    groups: list[_Group] = []
    our_shift = their_shift = 0
    at = 0
    while at < len(pending):
        start, end = pending[at][0].base, pending[at][0].base_end
        members = [pending[at]]
        at += 1
        while at < len(pending) and pending[at][0].base <= end:
            members.append(pending[at])
            end = max(end, pending[at][0].base_end)
            at += 1
        our_growth = sum(hunk.count - hunk.base_count for hunk, is_ours in members if is_ours)
        their_growth = sum(hunk.count - hunk.base_count for hunk, is_ours in members if not is_ours)
        groups.append(
            _Group(
                ours=any(is_ours for _, is_ours in members),
                theirs=any(not is_ours for _, is_ours in members),
                ours_start=start + our_shift,
                ours_end=end + our_shift + our_growth,
                theirs_start=start + their_shift,
                theirs_end=end + their_shift + their_growth,
            )
        )
        our_shift, their_shift = our_shift + our_growth, their_shift + their_growth
    return groups


def _by_base(item: tuple[Hunk, bool]) -> tuple[int, int]:
    return item[0].base, item[0].base_end


def resolved_as(segments: Sequence[Segment], *, ours: bool) -> tuple[Lines, list[tuple[int, int]]]:
    """Give the merged text with one side's lines in every block, and (first line, count) of each block, from 0."""
    lines: Lines = []
    spans: list[tuple[int, int]] = []
    for segment in segments:
        if isinstance(segment, Block):
            part = segment.ours if ours else segment.theirs
            spans.append((len(lines), len(part)))
            lines += part
        else:
            lines += segment
    return lines, spans


def carry_over(span: tuple[int, int], hunks: Sequence[Hunk]) -> Region:
    """Carry (first line, count) of one text over to another, by the hunks from the one to the other, in order.

    What a hunk has that lies across an end of the span belongs to it.
    """
    first, last = span[0], sum(span)
    start, end = first, last
    for hunk in hunks:
        grown = hunk.count - hunk.base_count
        if hunk.base < first:
            start = start + grown if hunk.base_end <= first else hunk.start
        if hunk.base_end <= last:
            end += grown
        elif hunk.base < last:
            end = hunk.end
    return region(start + 1, max(0, end - start))
