"""Answer `textDocument/hover`: one sentence, then what the others did to these lines, as diffs, then quick fixes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from lsprotocol.types import Command, Hover, MarkupContent, MarkupKind, Position

from sidecar.lsp.code_actions import MOST_FIXES, current_overlaps, current_undone, few, fixes_at
from sidecar.lsp.documents import Document
from sidecar.lsp.editor_view import EditorView, FileOverlap
from sidecar.lsp.problems import Place, Problem, met_at, undoing
from sidecar.model.hunks import Hunk
from sidecar.model.messages import called
from sidecar.model.overlaps import Region
from sidecar.model.words import counted, escape

MOST_LINES = 40
MOST_CHARACTERS = 160
MOST_DIFFS = 8
"""How many lines of all diffs are shown, how much of a line, and how many diffs."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$])")


def hover(view: EditorView, document: Document, position: Position) -> Hover | None:
    """Show the problems at a position with the others' diffs; None without any, or while the document is ahead."""
    met = met_at(view, current_overlaps(view, document), document.text)
    if view.client.hover_links and (undone := current_undone(view, document)) is not None:
        met += undoing(view, undone, document.text)
    found = [problem for problem in met if problem.range.start.line <= position.line <= problem.range.end.line]
    if not found:
        return None
    said = dict.fromkeys(problem.message for problem in found if not _is_said(view, problem, position))
    parts = [" ".join(_plain(view, message) for message in said), *_diffs(view, found)]
    if view.client.hover_links:
        parts.append(_links(view, document, found[0]))
    kind = MarkupKind.Markdown if view.client.markdown else MarkupKind.PlainText
    rule = "\n\n" if view.client.markdown else "\n"
    text = rule.join(filter(None, parts))
    return Hover(MarkupContent(kind, text), found[0].range) if text else None


def _is_said(view: EditorView, problem: Problem, position: Position) -> bool:
    """Tell whether the editor shows the message of a problem in its hover by itself: where it is underlined."""
    start, end = problem.range.start, problem.range.end
    inside = position.line == start.line <= end.line and start.character <= position.character
    if start.line == end.line:
        inside = inside and position.character <= end.character
    underlined = inside and problem.is_told(view.show)
    return view.client.hover_links and underlined


def _plain(view: EditorView, text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text) if view.client.markdown else text


def _diffs(view: EditorView, found: Sequence[Problem]) -> Iterator[str]:
    """Give each diff once, below the names of those whose it is, where there are several."""
    whose: dict[tuple[str, ...], dict[str, str]] = {}
    for place in (place for problem in found for place in problem.places):
        if lines := _lines(view, place):
            whose.setdefault(lines, {})[place.seen.other.key] = called(place.seen.other)
    others = {place.seen.other.key for problem in found for place in problem.places}
    share = MOST_LINES // max(1, min(len(whose), MOST_DIFFS))
    for lines, names in list(whose.items())[:MOST_DIFFS]:
        kept = [_clip(line) for line in lines[:share]]
        if len(lines) > share:
            kept.append(f"  ({len(lines) - share} more lines)")
        if len(others) > 1:
            yield _plain(view, f"{', '.join(names.values())}:")
        yield _block(kept) if view.client.markdown else "\n".join(kept)
    if len(whose) > MOST_DIFFS:
        yield f"{counted(len(whose) - MOST_DIFFS, 'more version is', 'more versions are')} not shown."


def _block(lines: Sequence[str]) -> str:
    longest = max(len(run) for run in re.findall("`*", "\n".join(lines)))
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}diff", *lines, fence])


def _links(view: EditorView, document: Document, problem: Problem) -> str:
    """Give the quick fixes that are commands as links that the client runs."""
    fixes = [fix for fix in fixes_at(view, document, problem.range) if isinstance(fix.command, Command)]
    commands = [fix.command for fix in few(fixes, MOST_FIXES)]
    return " · ".join(_link(view, command) for command in commands if isinstance(command, Command))


def _link(view: EditorView, command: Command) -> str:
    arguments = quote(json.dumps(list(command.arguments or ())), safe="")
    return f"[{_plain(view, command.title)}](command:{command.command}?{arguments})"


def _clip(line: str) -> str:
    text = "\t".join(map(escape, line.rstrip("\r\n").split("\t")))
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


def _lines(view: EditorView, place: Place) -> tuple[str, ...]:
    return tuple(line for theirs in place.theirs for line in _diff(view, place.seen, theirs))


def _diff(view: EditorView, seen: FileOverlap, theirs: Region) -> Iterator[str]:
    """Give the other side's change of the lines `theirs`, as lines of a diff; without git's hunks, as they are now."""
    old, new = seen.other.before, seen.other.after
    before, after = view.indexed.text(old).split("\n"), view.indexed.text(new).split("\n")
    start, end = (theirs.start - 1, theirs.end) if theirs.gap is None else (theirs.gap, theirs.gap)
    hunks = view.indexed.hunks(old, new) if old is not None and new is not None else ()
    touching = [hunk for hunk in hunks if _touches(hunk, start, end)]
    for hunk in touching or [Hunk(0, 0, start, end - start)]:
        yield from (f"-{line}" for line in before[hunk.base : hunk.base_end])
        yield from (f"+{line}" for line in after[hunk.start : hunk.end])


def _touches(hunk: Hunk, start: int, end: int) -> bool:
    """Tell whether a hunk has a line among those from `start` to `end`, or one of the two is a gap at the other."""
    if hunk.count and start < end:
        return hunk.start < end and start < hunk.end
    return hunk.start <= end and start <= hunk.end
