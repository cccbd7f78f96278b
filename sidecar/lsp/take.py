"""The edit that makes some lines of one text the same as those of another."""

from __future__ import annotations

import re

from sidecar.lsp.positions import line_count, line_end, line_offset, text_lines
from sidecar.model.overlaps import Region

_EOL = re.compile(r"\r\n|\n")


def taking(mine: str, region: Region, other: str, theirs: Region) -> tuple[int, int, str]:
    """(start, end, text): what to replace in `mine`, by offsets, so that its region reads like that of `other`.

    The lines get the line ends of `mine`. That the very last line of a file has none is taken over too.
    """
    eol = line_end(mine) or line_end(other) or "\n"
    start, end = _span(mine, region)
    text = "".join(_EOL.sub(eol, line) for line in text_lines(other, theirs))
    if text and not text.endswith(eol) and end < len(mine):
        text += eol
    if text and start == len(mine) and mine and not mine.endswith("\n"):
        text = eol + text
    return start, end, text


def _span(text: str, region: Region) -> tuple[int, int]:
    if region.gap is not None:
        at = line_offset(text, min(region.gap, line_count(text)) + 1)
        return at, at
    return line_offset(text, region.start), line_offset(text, region.end + 1)
