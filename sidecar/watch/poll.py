"""Looks at trees again and again, for what cannot be watched. Cheap rather than quick.

Of each directory only a digest is kept, 16 bytes, because it is the largest trees that run out of watches. So a
change is told as the directory it is in. A sweep works for SLICE seconds and then rests REST times as long, so that
polling never takes more than a tenth of a processor and never keeps waiting those that are watched.
"""

from __future__ import annotations

import os
import sys
import time
from array import array
from bisect import bisect_left
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from sidecar.watch import gitdir
from sidecar.watch.tree import STEP, Tree, is_foreign, join, sift

SLICE = 0.005
REST = 9
MANY = 100
"""More changed directories than this are told as a rescan."""
RACY_NS = 20_000_000
"""A file written this recently may be written again without its time stamps moving (git's "racy" entries)."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A tree as a sweep saw it: relative directories, sorted, and a digest of the files in each."""

    directories: list[str]
    digests: array[int]

    def digest(self, directory: str) -> int | None:
        """The digest of a directory's files; None when the directory wasn't there."""
        at = bisect_left(self.directories, directory)
        if at < len(self.directories) and self.directories[at] == directory:
            return self.digests[at]
        return None


@dataclass(frozen=True)
class Seen:
    """The end of a sweep: the directories that changed, None for the first sweep of a tree."""

    tree: Tree
    changed: frozenset[str] | None


@dataclass(frozen=True)
class Failed:
    """A sweep that couldn't be finished."""

    tree: Tree
    error: Exception


class Poller:
    """The polled trees; belongs to the watcher's thread."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._due: dict[Tree, float] = {}
        self._snapshots: dict[Tree, Snapshot] = {}
        self._sweep: tuple[Tree, float, Generator[None, None, Snapshot]] | None = None
        self._resume = 0.0

    def __contains__(self, tree: Tree) -> bool:
        return tree in self._due

    def __iter__(self) -> Iterator[Tree]:
        return iter(tuple(self._due))

    def add(self, tree: Tree) -> None:
        """Poll this tree, from scratch."""
        self.discard(tree)
        self._due[tree] = 0.0

    def discard(self, tree: Tree) -> None:
        """Poll this tree no more."""
        self._due.pop(tree, None)
        self._snapshots.pop(tree, None)
        if self._sweep and self._sweep[0] is tree:
            self._sweep = None

    def size(self, tree: Tree) -> int | None:
        """How many directories the tree has; None before its first sweep."""
        snapshot = self._snapshots.get(tree)
        return len(snapshot.directories) if snapshot else None

    def due(self) -> float | None:
        """When there is something to do (`time.monotonic`)."""
        if not self._due:
            return None
        return max(self._resume, 0.0 if self._sweep else min(self._due.values()))

    def step(self) -> Seen | Failed | None:
        """A slice of work, when it is due; what has been found out with it."""
        start = time.monotonic()
        due = self.due()
        if due is None or due > start:
            return None
        if self._sweep is None:
            tree = min(self._due, key=self._due.__getitem__)
            self._sweep = tree, start, sweep(tree, self._snapshots.get(tree))
        tree, began, work = self._sweep
        before = self._snapshots.get(tree)
        try:
            while time.monotonic() < start + SLICE:
                next(work)
        except StopIteration as end:
            after: Snapshot = end.value
        except Exception as error:
            self._sweep = None
            return Failed(tree, error)
        else:
            self._rest(start, first=before is None)
            return None
        self._rest(start, first=before is None)
        self._sweep = None
        self._snapshots[tree] = after
        self._due[tree] = began + self._every
        return Seen(tree, compare(before, after) if before else None)

    def _rest(self, start: float, *, first: bool) -> None:
        now = time.monotonic()
        self._resume = now if first else now + REST * (now - start)


def sweep(tree: Tree, before: Snapshot | None) -> Generator[None, None, Snapshot]:
    """Look at every directory of the tree; git is asked only about those that `before` doesn't have."""
    found: dict[str, int] = {}
    level = [""]
    while level:
        below: list[str] = []
        for number, directory in enumerate(level, 1):
            try:
                looked = look(tree, directory)
            except OSError:
                if not directory:
                    raise
                continue
            if looked:
                found[sys.intern(directory)] = looked[0]
                below += looked[1]
            if number % STEP == 0:
                yield
        old = {directory for directory in below if before and before.digest(directory) is not None}
        kept = sift(tree, [directory for directory in below if directory not in old]) | old
        level = [directory for directory in below if directory in kept]
        yield
    directories = sorted(found)
    return Snapshot(directories, array("q", map(found.__getitem__, directories)))


def look(tree: Tree, directory: str) -> tuple[int, list[str]] | None:
    """Digest of the files in a directory, and its directories; None for another worktree's root. Raises OSError."""
    digest = newest = 0
    directories: list[str] = []
    with os.scandir(f"{tree.root}/{directory}") as entries:
        for entry in entries:
            path = join(directory, entry.name)
            if entry.is_dir(follow_symlinks=False):
                directories.append(path)
                if tree.is_git and gitdir.matters(path):
                    digest += hash(path)
            elif entry.name == ".git":
                if directory and is_foreign(tree, directory):
                    return None
            elif not tree.is_git or gitdir.matters(path):
                try:
                    at = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                digest += hash((entry.name, at.st_mtime_ns, at.st_ctime_ns, at.st_size, at.st_mode, at.st_ino))
                newest = max(newest, at.st_mtime_ns, at.st_ctime_ns)
    if newest > time.time_ns() - RACY_NS:
        digest ^= 1  # differs from the next sweep's, which tells the directory once more
    return (digest & 0xFFFF_FFFF_FFFF_FFFF) - 0x8000_0000_0000_0000, directories


def compare(before: Snapshot, after: Snapshot) -> frozenset[str]:
    """The directories that came, went, or hold a file that did or that changed."""
    if before.directories == after.directories:
        pairs = zip(before.directories, before.digests, after.digests, strict=True)
        return frozenset(directory for directory, old, new in pairs if old != new)
    old_ones = dict(zip(before.directories, before.digests, strict=True))
    new_ones = dict(zip(after.directories, after.digests, strict=True))
    return frozenset(directory for directory, _ in old_ones.items() ^ new_ones.items())
