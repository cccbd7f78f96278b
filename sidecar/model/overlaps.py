"""Say where two change sets meet: verdicts, sides, regions, and what is unknown, which is never the same as nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from sidecar.model.changes import Entry
from sidecar.model.regenerate import Regeneration

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
    """Give the region of `count` lines from line `first`; no lines: the gap right before line `first`."""
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
    `regeneration` is how a file that a tool makes is made anew, whatever the verdict. `appended`: both sides only add
    lines at the end of the same list, or of the file.
    """

    path: str
    verdict: Verdict
    kind: str
    sides: tuple[Side, Side]
    note: str | None = None
    paired: bool = True
    regeneration: Regeneration | None = None
    appended: bool = False

    def seen_from(self, key: str) -> tuple[Side, Side] | None:
        """Give (this side, the other side) for the party of that key; None when it takes no part."""
        first, second = self.sides
        if first.key == key:
            return first, second
        if second.key == key:
            return second, first
        return None


def counterparts(mine: Side, other: Side, verdict: Verdict) -> list[tuple[Region, Region]]:
    """Pair the lines of my file and of the other's file that meet, in the order of my lines."""
    theirs = other.changed if verdict == "clean" else other.regions
    return sorted(zip(mine.regions, theirs, strict=False), key=lambda pair: (pair[0].start, pair[1].start))


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a changed file's content is not known, in one sentence; `large`: it was left alone because of its size.

    Of a large file it is certain that it is a change. Of another one that could not be read, not even that.
    """

    reason: str
    large: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """Where an overlap may be that is not shown, and why, in one sentence.

    `parties` have the keys and names (of trunk and plain commits None) between which it may be: one alone is what could
    not be read of it, and so concerns everybody. `path` is relative to the worktree, None where it may be at any.
    """

    parties: tuple[tuple[str, str | None], ...]
    path: str | None
    reason: str

    def concerns(self, key: str) -> bool:
        """Tell whether it may hide an overlap of the party of this key."""
        return len(self.parties) == 1 or any(party == key for party, _ in self.parties)

    def may_be_at(self, path: str) -> bool:
        """Tell whether it may be at this path, above or below it."""
        if self.path is None or not path:
            return True
        return self.path == path or self.path.startswith(f"{path}/") or path.startswith(f"{self.path}/")

    def name(self, key: str | None = None) -> str | None:
        """Give the worktree that it is about, as the party of this key sees it; None is trunk."""
        others = [name for party, name in self.parties if party != key] or [name for _, name in self.parties]
        return next((name for name in others if name is not None), None)
