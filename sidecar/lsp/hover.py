"""`textDocument/hover`: what the other side did to these lines, as a diff."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from lsprotocol.types import Hover, MarkupContent, MarkupKind, Position, Range

from sidecar.lsp.documents import Document
from sidecar.lsp.notices import Notice, notices
from sidecar.lsp.positions import region_range
from sidecar.lsp.scene import Scene, Sight
from sidecar.model.messages import escape
from sidecar.model.overlaps import Region

MOST_LINES = 40
MOST_CHARACTERS = 160
MOST_COMPARED = 3000
"""How many lines of a diff are shown, how much of a line, and how many lines are compared for it."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$])")


def hover(scene: Scene, document: Document, position: Position) -> Hover | None:
    """The notices at a position with the other side's diff; None where there are none, or the document is ahead."""
    found: list[tuple[Range, str]] = []
    for sight in scene.snapshot.sights.get(document.path, ()):
        if not scene.is_current(document, sight.mine.after):
            continue
        for notice in notices(sight):
            place = region_range(document.text, notice.region, scene.client.encoding)
            if place.start.line <= position.line <= place.end.line:
                found.append((place, _content(scene, sight, notice)))
    if not found:
        return None
    kind, rule = (MarkupKind.Markdown, "\n\n---\n\n") if scene.client.markdown else (MarkupKind.PlainText, "\n\n")
    return Hover(MarkupContent(kind, rule.join(content for _, content in found)), found[0][0])


def _content(scene: Scene, sight: Sight, notice: Notice) -> str:
    lines = [line for theirs in notice.theirs for line in _diff(scene, sight, theirs)]
    kept = [_clip(line) for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        kept.append(f"  ({len(lines) - MOST_LINES} more lines)")
    if not scene.client.markdown:
        return "\n".join([notice.message, *kept])
    sentence = _MARKDOWN.sub(r"\\\1", notice.message)
    if not kept:
        return sentence
    longest = max((len(run) for run in re.findall("`+", "\n".join(kept))), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([sentence, "", f"{fence}diff", *kept, fence])


def _clip(line: str) -> str:
    text = "\t".join(map(escape, line.rstrip("\r\n").split("\t")))
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


def _diff(scene: Scene, sight: Sight, theirs: Region) -> Iterator[str]:
    """The other side's change of the lines `theirs`, as lines of a diff."""
    before = scene.snapshot.text(sight.other.before).split("\n")
    after = scene.snapshot.text(sight.other.after).split("\n")
    start, end = (theirs.start - 1, theirs.end) if theirs.gap is None else (theirs.gap, theirs.gap)
    touching = [
        hunk for hunk in _hunks(before, after) if hunk[2] <= end and start <= hunk[3] and not _beside(hunk, start, end)
    ]
    if not touching:
        touching = [(0, 0, start, end)]
    for old_start, old_end, new_start, new_end in touching:
        yield from (f"-{line}" for line in before[old_start:old_end])
        yield from (f"+{line}" for line in after[new_start:new_end])


def _beside(hunk: tuple[int, int, int, int], start: int, end: int) -> bool:
    """Whether a hunk with lines only touches the end of a stretch with lines."""
    return hunk[2] < hunk[3] and start < end and (hunk[2] == end or hunk[3] == start)


def _hunks(before: list[str], after: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """(start, end) in `before` and in `after`, from 0, of all that differs; none where comparing takes too long."""
    head = next((at for at, (old, new) in enumerate(zip(before, after, strict=False)) if old != new), None)
    if head is None:
        head = min(len(before), len(after))
    most = min(len(before), len(after)) - head
    tail = next((at for at in range(most) if before[-1 - at] != after[-1 - at]), most)
    olds, news = before[head : len(before) - tail], after[head : len(after) - tail]
    if len(olds) + len(news) > MOST_COMPARED:
        return
    for tag, old_start, old_end, new_start, new_end in SequenceMatcher(None, olds, news, autojunk=False).get_opcodes():
        if tag != "equal":
            yield head + old_start, head + old_end, head + new_start, head + new_end
