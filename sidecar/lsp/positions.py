"""Convert lines as git counts them and positions as LSP counts them, in the encoding that the client understands.

Git ends a line at LF only; LSP also at CR. Where a file has a CR of its own the two counts differ, so everything goes
through offsets (in characters of the text, from 0).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain

from lsprotocol.types import Position, Range

from sidecar.model.overlaps import Region

_EOL = re.compile(r"\r\n|\r|\n")
_CODECS = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
_WIDTHS = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


def decode(content: bytes) -> str:
    """Give a file's text as an editor shows it: without the byte order mark; bytes that are not UTF-8 become U+FFFD."""
    return content.decode("utf-8-sig", "replace")


def units(text: str, encoding: str) -> int:
    """Count how many code units of the encoding the text has."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    return len(text.encode(_CODECS[encoding], "surrogatepass")) // _WIDTHS[encoding]


def index(line: str, count: int, encoding: str) -> int:
    """Count how many characters of a line its first `count` code units are."""
    if encoding == "utf-32" or line.isascii():
        return min(count, len(line))
    codec = _CODECS[encoding]
    cut = line.encode(codec, "surrogatepass")[: count * _WIDTHS[encoding]]
    return len(cut.decode(codec, "ignore" if encoding == "utf-8" else "surrogatepass"))


def _offsets(found: Iterable[re.Match[str]]) -> tuple[int, ...]:
    return tuple(chain((0,), (match.end() for match in found)))


@lru_cache(maxsize=16)
def _git_starts(text: str) -> tuple[int, ...]:
    """Find where each of git's lines starts, and at the end the text's length if its last line is ended."""
    return _offsets(re.finditer("\n", text))


@lru_cache(maxsize=16)
def _starts(text: str) -> tuple[int, ...]:
    return _git_starts(text) if "\r" not in text else _offsets(_EOL.finditer(text))


def line_count(text: str) -> int:
    """Count how many lines git counts."""
    starts = _git_starts(text)
    return len(starts) - (starts[-1] == len(text))


def line_offset(text: str, number: int) -> int:
    """Find where line `number` (git's, from 1) starts; the text's length for the line after the last one."""
    starts = _git_starts(text)
    return starts[number - 1] if number <= len(starts) else len(text)


def text_lines(text: str, region: Region) -> list[str]:
    """Give the lines of a region with their line ends; none where the side has none."""
    if region.gap is not None:
        return []
    numbers = range(region.start, min(region.end, line_count(text)) + 1)
    return [text[line_offset(text, number) : line_offset(text, number + 1)] for number in numbers]


def position_at(text: str, offset: int, encoding: str) -> Position:
    """Give the position of an offset."""
    starts = _starts(text)
    line = bisect_right(starts, offset) - 1
    return Position(line, units(text[starts[line] : offset], encoding))


def offset_at(text: str, position: Position, encoding: str) -> int:
    """Give the offset of a position; beyond a line's end it is the line's end, beyond the last line the text's end."""
    starts = _starts(text)
    if position.line >= len(starts):
        return len(text)
    start = starts[position.line]
    end = starts[position.line + 1] if position.line + 1 < len(starts) else len(text)
    line = text[start:end].rstrip("\r\n")
    return start + index(line, position.character, encoding)


def region_range(text: str, region: Region, encoding: str) -> Range:
    """Span the text of a region: from its first character that is no white space to its last one.

    A region beyond the text is on its last line. One of blank lines only is where the text above it ends, or else where
    the text below it begins.
    """
    last = max(1, line_count(text))
    start = line_offset(text, min(max(1, region.start), last))
    end = line_offset(text, min(max(1, region.end), last) + 1)
    if not text[start:end].strip() and text.strip():
        at = len(text[:start].rstrip()) or len(text) - len(text.lstrip()) + 1
        line = text.count("\n", 0, at - 1) + 1
        start, end = line_offset(text, line), line_offset(text, line + 1)
    inside = text[start:end].rstrip()
    return span_range(text, start + len(inside) - len(inside.lstrip()), start + len(inside), encoding)


def span_range(text: str, start: int, end: int, encoding: str) -> Range:
    """Give the range of two offsets."""
    return Range(position_at(text, start, encoding), position_at(text, end, encoding))


def line_end(text: str) -> str | None:
    """Give the line end that the text uses first; None when it has but one line."""
    found = _EOL.search(text)
    return found.group() if found else None
