"""Look again and again at trees, and at single files, that can't be watched; rather cheaply than quickly.

Of each directory only a digest is kept, 16 bytes, because it is the largest trees that run out of watches. So a
change is told as the directory it is in. A sweep works for SLICE seconds and then rests many times as long, so that it
never keeps waiting those that are watched. How long depends on what there is to learn: trees where somebody is at work,
or of which no watch would tell that, may take a tenth of a processor; the first sweep of each, for what happened
before, a twentieth; and the others next to nothing.

Single files lie outside of worktrees and git directories. A watch on their directory would tell of everything else in
it (a home directory), and nothing of what a link leads to or of a directory that is not there yet. They are few, and a
look costs some microseconds for each.
"""

from __future__ import annotations

import os
import sys
import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from sidecar.system.files import Signature, signature
from sidecar.watch.batching import Batcher
from sidecar.watch.events import FilesTarget, Moment, matters, now, stamp_of
from sidecar.watch.tree import STEP, Tree, is_foreign, join, sift, stamp

SLICE = 0.005


class Pace(Enum):
    """Why a tree is swept; the value is how many times as long as the work the rest is."""

    AT_WORK = 9
    FIRST = 19
    QUIET = 3999


RACY_NS = 20_000_000
"""A file written this recently may be written again without its time signatures moving (git's "racy" entries)."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A tree as a sweep saw it: relative directories, sorted, and a digest of the files in each."""

    directories: list[str]
    digests: array[int]

    def digest(self, directory: str) -> int | None:
        """Give the digest of a directory's files; None when the directory wasn't there."""
        at = bisect_left(self.directories, directory)
        if at < len(self.directories) and self.directories[at] == directory:
            return self.digests[at]
        return None


@dataclass(frozen=True)
class Seen:
    """The end of a sweep: the directories that changed since the last one, or since the tree's `since`; None: unknown.

    `began` is when the sweep began.
    """

    tree: Tree
    changed: frozenset[str] | None
    began: Moment


@dataclass(frozen=True)
class Failed:
    """A sweep that couldn't be finished."""

    tree: Tree
    error: Exception


Sweep = Generator[None, None, tuple[Snapshot, frozenset[str] | None]]


class Poller:
    """The polled trees; for the watcher's thread. `at_work` are the groups in which somebody was seen at work."""

    def __init__(self, every: float, at_work: Callable[[], frozenset[str]]) -> None:
        self._every = every
        self._at_work = at_work
        self._due: dict[Tree, float] = {}
        self._snapshots: dict[Tree, Snapshot] = {}
        self._sweeps: dict[Tree, tuple[Moment, Sweep]] = {}
        self._resume = dict.fromkeys(Pace, 0.0)

    def __contains__(self, tree: Tree) -> bool:
        return tree in self._due

    def __iter__(self) -> Iterator[Tree]:
        return iter(tuple(self._due))

    def __len__(self) -> int:
        return len(self._due)

    def add(self, tree: Tree) -> None:
        """Poll this tree, from scratch."""
        self.discard(tree)
        self._due[tree] = 0.0

    def discard(self, tree: Tree) -> None:
        """Poll this tree no more."""
        self._due.pop(tree, None)
        self._snapshots.pop(tree, None)
        self._sweeps.pop(tree, None)

    def size(self, tree: Tree) -> int | None:
        """Count how many directories the tree has; None before its first sweep."""
        snapshot = self._snapshots.get(tree)
        return len(snapshot.directories) if snapshot else None

    def due(self) -> float | None:
        """Tell when there is something to do (`time.monotonic`)."""
        return self._next()[0] if self._due else None

    def step(self) -> Seen | Failed | None:
        """Do a slice of work when it is due, and give what has been found out with it."""
        start = time.monotonic()
        if not self._due:
            return None
        due, tree, pace = self._next()
        if due > start:
            return None
        before = self._snapshots.get(tree)
        began, work = self._sweeps.setdefault(tree, (now(), sweep(tree, before)))
        try:
            while time.monotonic() < start + SLICE:
                next(work)
        except StopIteration as end:
            del self._sweeps[tree]
            after, changed = end.value
            self._snapshots[tree] = self._shared(after)
            self._due[tree] = began.monotonic + self._every
            return Seen(tree, changed, began)
        except Exception as error:
            del self._sweeps[tree]
            return Failed(tree, error)
        finally:
            done = time.monotonic()
            self._resume[pace] = done + pace.value * (done - start)
        return None

    def _shared(self, snapshot: Snapshot) -> Snapshot:
        """Give the same with another tree's list of directories: worktrees of one repository mostly have the same."""
        others = (other.directories for other in self._snapshots.values())
        same = next((directories for directories in others if directories == snapshot.directories), None)
        return Snapshot(same, snapshot.digests) if same is not None else snapshot

    def _next(self) -> tuple[float, Tree, Pace]:
        """Give what is to be done next: when, where and why."""
        at_work = self._at_work()
        choices = ((tree, due, self._pace(tree, at_work)) for tree, due in self._due.items())
        return min(
            ((max(due, self._resume[pace]), tree, pace) for tree, due, pace in choices),
            key=lambda choice: (choice[0], choice[1] not in self._sweeps),
        )

    def _pace(self, tree: Tree, at_work: frozenset[str]) -> Pace:
        if not tree.directories or tree.group in at_work:
            return Pace.AT_WORK
        return Pace.QUIET if tree in self._snapshots else Pace.FIRST


def sweep(tree: Tree, before: Snapshot | None) -> Sweep:
    """Look at every directory of the tree; git is asked only about those that `before` doesn't have."""
    found: dict[str, int] = {}
    recent: set[str] = set()
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
                found[sys.intern(directory)] = looked.digest
                below += looked.directories
                if not before and tree.since and looked.newest >= stamp_of(tree.since):
                    recent.add(directory)
            if number % STEP == 0:
                yield
        old = {directory for directory in below if before and before.digest(directory) is not None}
        kept = sift(tree, [directory for directory in below if directory not in old]) | old
        level = [directory for directory in below if directory in kept]
        yield
    directories = sorted(found)
    after = Snapshot(directories, array("q", map(found.__getitem__, directories)))
    if before:
        return after, compare(before, after)
    return after, frozenset(recent) if tree.since else None


@dataclass(frozen=True, slots=True)
class Looked:
    """A directory: digest of its files, its directories, and when anything in it changed last (a time stamp)."""

    digest: int
    directories: list[str]
    newest: float


def look(tree: Tree, directory: str) -> Looked | None:
    """Look at the entries of a directory; None for another worktree's root. Raises OSError."""
    where = f"{tree.root}/{directory}"
    digest = 0
    newest_file, newest = 0, stamp(os.stat(where))
    directories: list[str] = []
    with os.scandir(where) as entries:
        for entry in entries:
            path = join(directory, entry.name)
            if entry.is_dir(follow_symlinks=False):
                directories.append(path)
                if tree.is_git and matters(path):
                    digest += hash(path)
            elif entry.name == ".git":
                if directory and is_foreign(tree, directory):
                    return None
            elif not tree.is_git or matters(path):
                try:
                    at = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                digest += hash((entry.name, at.st_mtime_ns, at.st_ctime_ns, at.st_size, at.st_mode, at.st_ino))
                newest_file = max(newest_file, at.st_mtime_ns, at.st_ctime_ns)
    if newest_file > time.time_ns() - RACY_NS:
        digest ^= 1  # differs from the next sweep's, which tells the directory once more
    digest = (digest & 0xFFFF_FFFF_FFFF_FFFF) - 0x8000_0000_0000_0000
    return Looked(digest, directories, max(newest, newest_file / 1e9))


def compare(before: Snapshot, after: Snapshot) -> frozenset[str]:
    """Give the directories that came, went, or hold a file that did or that changed."""
    if before.directories == after.directories:
        pairs = zip(before.directories, before.digests, after.digests, strict=True)
        return frozenset(directory for directory, old, new in pairs if old != new)
    old_ones = dict(zip(before.directories, before.digests, strict=True))
    new_ones = dict(zip(after.directories, after.digests, strict=True))
    return frozenset(directory for directory, _ in old_ones.items() ^ new_ones.items())


EVERY = 1.0
"""Seconds between two looks."""


class PolledFiles:
    """The single files that are followed; belongs to the watcher's thread."""

    def __init__(self, batcher: Batcher) -> None:
        self._batcher = batcher
        self._signatures: dict[str, dict[str, Signature | None]] = {}
        self._due = 0.0

    def follow(self, targets: Iterable[FilesTarget]) -> None:
        """Look at these from now on; what is new is told, because it may have changed after it was read."""
        before, self._signatures = self._signatures, {}
        for target in targets:
            known = before.get(target.key, {})
            self._signatures[target.key] = {
                path: known[path] if path in known else _signature(path) for path in target.paths
            }
            if not known.keys() >= target.paths:
                self._batcher.named(target.key)

    def due(self) -> float | None:
        """Tell when the next look is due (`time.monotonic`); None when nothing is followed."""
        return self._due if any(self._signatures.values()) else None

    def look(self) -> None:
        """Tell what has changed, when it is time to look."""
        now = time.monotonic()
        if not self._signatures or now < self._due:
            return
        self._due = now + EVERY
        for key, signatures in self._signatures.items():
            found = {path: _signature(path) for path in signatures}
            if found != signatures:
                self._signatures[key] = found
                self._batcher.named(key)


def _signature(path: str) -> Signature | None:
    """Give the signature of a file, links followed; None when it isn't there."""
    try:
        return signature(os.stat(path))
    except (OSError, ValueError):
        return None
