"""Describe lines that differ between two texts, where they land in a third, and line ends as editors have them.

An editor ends lines at CR LF, LF and CR alike (LSP, "Text Documents"), and shows and sends a text with one kind of
them. That is nobody's edit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sidecar.model.overlaps import Region, region


@dataclass(frozen=True, slots=True)
class Hunk:
    """`base_count` lines after the first `base` lines of one text became `count` lines after the first `start`."""

    base: int
    base_count: int
    start: int
    count: int

    @property
    def base_end(self) -> int:
        """Count how many of the base's lines lie before the end of the hunk."""
        return self.base + self.base_count

    @property
    def end(self) -> int:
        """Count how many of the new text's lines lie before the end of the hunk."""
        return self.start + self.count

    @property
    def changed(self) -> Region:
        """Give the new text's lines."""
        return region(self.start + 1, self.count)


def landing(hunk: Hunk, mine: Sequence[Hunk]) -> Region:
    """Tell where a hunk of the other side lands in my text; `mine` are my own hunks from the same base, in order."""
    start, end = hunk.base, hunk.base_end
    before = [own for own in mine if own.base_end <= start and (own.base, own.base_count) != (start, hunk.base_count)]
    shift = sum(own.count - own.base_count for own in before)
    first, last = start + shift, end + shift
    for own in mine:
        if (own.base_end > start and own.base < end) or (own.base, own.base_count) == (start, hunk.base_count):
            first, last = min(first, own.start), max(last + own.count - own.base_count, own.end)
    return region(first + 1, last - first)


def are_apart(one: Sequence[Hunk], two: Sequence[Hunk]) -> bool:
    """Tell whether a line that neither touches lies between any hunk of one side and any of the other; both in order.

    Then git's merge of the two is clean: it stops only where hunks of both sides touch (xdiff/xmerge.c).
    """
    first, second = 0, 0
    while first < len(one) and second < len(two):
        if one[first].base_end < two[second].base:
            first += 1
        elif two[second].base_end < one[first].base:
            second += 1
        else:
            return False
    return True


_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")


def evened(text: str) -> str:
    """Give the text with every line ended by LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def with_ends_of(file: str, typed: str, compare: Callable[[str, str], Sequence[Hunk]]) -> str:
    """Give the typed text with the file's line ends; a new line gets those of its neighbour.

    In a file that ends all its lines by LF the typed ends stay. `compare` gives the hunks between two
    texts that are evened out. An empty line after one that ends by CR ends so too, because CR LF would be one end.
    """
    if "\r" not in file:
        return typed
    before, after = evened(file), evened(typed)
    lines, wanted = _lines(file), _lines(after)
    ends = [line[len(line.rstrip("\r\n")) :] for line in lines if line[-1] in "\r\n"]
    if len(set(ends)) == 1:
        return after.replace("\n", ends[0])
    made: list[str] = []
    at = 0
    for hunk in compare(before, after):
        made += lines[at : hunk.base]
        end = ends[min(hunk.base, len(ends) - 1)]
        made += [line.replace("\n", end) for line in wanted[hunk.start : hunk.end]]
        at = hunk.base_end
    made += lines[at:]
    for number, line in enumerate(made[1:], 1):
        if line == "\n" and made[number - 1].endswith("\r"):
            made[number] = "\r"
    return "".join(made)


def _lines(text: str) -> list[str]:
    return _LINE.findall(text)
