"""Where two change sets meet: verdicts, sides, regions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from sidecar.model.changes import Entry

Verdict: TypeAlias = Literal["conflict", "clean", "identical"]


@dataclass(frozen=True, slots=True, order=True)
class Region:
    """Lines `start` to `end` of one side's file: 1-based, both ends included.

    Where the side has no lines (a deletion), `gap` is the number of lines before the gap, and the region is the line
    before it, or line 1. `whole` is set where there are no lines to point at (`WHOLE_FILE`).
    """

    start: int
    end: int
    gap: int | None = None
    whole: bool = False


def region(first: int, count: int) -> Region:
    """The region of `count` lines from line `first`; no lines: the gap right before line `first`."""
    if count > 0:
        return Region(first, first + count - 1)
    return Region(max(1, first - 1), max(1, first - 1), gap=first - 1)


WHOLE_FILE = Region(1, 1, whole=True)
"""Where a side is met that has no lines to point at: deleted, binary, a symbolic link, a submodule."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that meet.

    `key` names the party: a worktree's absolute path, or "" for trunk, or the given words for a plain commit.
    `name` is the worktree's name (None for trunk and plain commits); `ref` its branch, or commit id if detached.
    `regions`: the lines of this side's file that the other side meets. Verdict `conflict` and `identical`: region i
    of one side meets region i of the other. Verdict `clean`: region i is where `changed[i]` of the other side lands.
    `changed`: this side's own changed lines. `before` and `after`: its content in the merge base and now.
    """

    key: str
    name: str | None
    ref: str
    path: str
    regions: tuple[Region, ...]
    changed: tuple[Region, ...]
    sources: tuple[str, ...]
    before: Entry | None
    after: Entry | None


@dataclass(frozen=True, slots=True)
class Overlap:
    """A path in two change sets, graded by git; `note` says in one sentence what the verdict left out, if anything.

    `paired` is False for a conflict that git put no markers into: the sides' regions do not answer each other then.
    """

    path: str
    verdict: Verdict
    kind: str
    sides: tuple[Side, Side]
    note: str | None = None
    paired: bool = True

    def seen_from(self, key: str) -> tuple[Side, Side] | None:
        """(this side, the other side) for the party of that key; None when it takes no part."""
        first, second = self.sides
        if first.key == key:
            return first, second
        if second.key == key:
            return second, first
        return None


def counterparts(mine: Side, other: Side, verdict: Verdict) -> list[tuple[Region, Region]]:
    """Pairs (lines of my file, lines of the other's file) that meet, in the order of my lines."""
    theirs = other.changed if verdict == "clean" else other.regions
    return sorted(zip(mine.regions, theirs, strict=False), key=lambda pair: (pair[0].start, pair[1].start))
