"""Lines that differ between two texts, and where they land in a third."""

from __future__ import annotations

from collections.abc import Sequence
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
        """How many of the base's lines lie before the end of the hunk."""
        return self.base + self.base_count

    @property
    def end(self) -> int:
        """How many of the new text's lines lie before the end of the hunk."""
        return self.start + self.count

    @property
    def changed(self) -> Region:
        """The new text's lines."""
        return region(self.start + 1, self.count)


def landing(hunk: Hunk, mine: Sequence[Hunk]) -> Region:
    """Where a hunk of the other side lands in my text; `mine` are my own hunks from the same base, in order."""
    start, end = hunk.base, hunk.base_end
    before = [own for own in mine if own.base_end <= start and (own.base, own.base_count) != (start, hunk.base_count)]
    shift = sum(own.count - own.base_count for own in before)
    first, last = start + shift, end + shift
    for own in mine:
        if (own.base_end > start and own.base < end) or (own.base, own.base_count) == (start, hunk.base_count):
            first, last = min(first, own.start), max(last + own.count - own.base_count, own.end)
    return region(first + 1, last - first)
