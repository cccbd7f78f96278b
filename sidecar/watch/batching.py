"""Gather events until it is time to tell them.

Everything of one git directory (its worktree's files, HEAD, index) is told together: when it has been quiet for
`quiet` seconds, and after `longest` while events stream. A save is told at once where nothing was told for `calm`
seconds, whether the editor wrote into the file or into a new one that it then renamed.

While git holds its index.lock it may be rewriting the worktree (a branch switch, a merge), so then it has to be quiet
for PAUSE seconds, and streaming goes on for up to HELD seconds. No longer, because a commit holds the lock while its
hooks run, and a git that crashed leaves it behind.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from sidecar.watch.events import LOCK, Batch, matters
from sidecar.watch.tree import Tree, regroup

HELD = 2.0
PAUSE = 0.25
TOO_MANY = 50_000
"""More paths than this of one worktree are told as a rescan."""
CALM = 0.05
"""Seconds without anything told after which a save is taken for one by itself, not the next one of several."""
MANY = 100
"""More directories than this that a sweep found changed are told as a rescan."""


class Deed(Enum):
    """What happened to a file, as far as that is known (inotify(7)): ARRIVED and LEFT by a rename."""

    CREATED, WRITTEN, ARRIVED, LEFT, OTHER = range(5)


@dataclass(slots=True)
class _Pending:
    """What is not told yet of one group; the times are of its first and last event, `first` anew after a lock.

    `calm`: nothing was told for a while before it. `saved`: its last event ended a save, with no file `under_way`: one
    that was made and may be renamed, or that has left its place.
    """

    born: float
    first: float
    last: float
    files: dict[str, set[str]] = field(default_factory=dict)
    rescan: set[str] = field(default_factory=set)
    git: set[str] = field(default_factory=set)
    under_way: set[str] = field(default_factory=set)
    calm: bool = False
    saved: bool = False


class Batcher:
    """What is not told yet; belongs to the watcher's thread."""

    def __init__(self, quiet: float, longest: float, calm: float = CALM) -> None:
        self._quiet, self._calm = quiet, calm
        self._longest = longest
        self._pending: dict[str, _Pending] = {}
        self._locked: set[str] = set()
        self._told: dict[str, float] = {}
        self._waiting: deque[threading.Event] = deque()

    def wait_for_all(self) -> threading.Event:
        """Give what is set when all that has happened by now is told; any thread, which then wakes the watcher."""
        event = threading.Event()
        self._waiting.append(event)
        return event

    def waiting(self) -> int:
        """Count who waits; whatever is read after this is enough for them."""
        return len(self._waiting)

    def has_told(self, waiting: int) -> bool:
        """Tell the first of those that wait that all is told, if it is; True where somebody was told."""
        if not waiting or self._pending:
            return False
        for _ in range(waiting):
            self._waiting.popleft().set()
        return True

    def changed(self, tree: Tree, path: str, deed: Deed = Deed.OTHER) -> None:
        """Note that something happened to this relative path."""
        tree.stirred = time.monotonic()
        if tree.is_git:
            if path == LOCK:
                self._look_at_lock(tree)
            elif matters(path):
                self._of(tree).git.add(tree.key)
        elif path == ".git":  # what it is a worktree of may be another now
            regroup(tree)
            self._of(tree).git.add(tree.group)
        elif not path:
            self.everything(tree)
        elif not path.endswith("/.git"):
            pending = self._of(tree)
            if tree.key not in pending.rescan:
                files = pending.files.setdefault(tree.key, set())
                files.add(path)
                _note_deed(pending, path, deed)
                if len(files) > TOO_MANY:
                    self.everything(tree)

    def named(self, key: str) -> None:
        """Note that something happened to what is known by this key alone."""
        now = time.monotonic()
        pending = self._pending.setdefault(key, _Pending(now, now, now))
        pending.git.add(key)
        pending.last = now

    def everything(self, tree: Tree) -> None:
        """Note that anything in this tree may have changed."""
        pending = self._of(tree)
        if tree.is_git:
            pending.git.add(tree.key)
            self._look_at_lock(tree)
        else:
            pending.files.pop(tree.key, None)
            pending.rescan.add(tree.key)

    def swept(self, tree: Tree, directories: frozenset[str] | None) -> bool:
        """Take in what a sweep found changed (None: anything), and tell whether no watch had told that already."""
        if directories is None:
            self.everything(tree)
            return False
        directories -= set(tree.directories.values())
        if not directories:
            return False
        if tree.is_git or "" in directories or len(directories) > MANY:
            self.everything(tree)
        else:
            for directory in directories:
                self.changed(tree, directory)
        return True

    def due(self) -> float | None:
        """Tell when something is to be told next (`time.monotonic`); None when there is nothing."""
        return min((self._due(group) for group in self._pending), default=None)

    def take(self) -> Batch | None:
        """Give what is to be told now."""
        now = time.monotonic()
        groups = [group for group in self._pending if self._due(group) <= now]
        if not groups:
            return None
        told = [self._pending.pop(group) for group in groups]
        self._told = {group: at for group, at in self._told.items() if now - at <= self._calm} | dict.fromkeys(
            groups, now
        )
        files: dict[str, frozenset[str]] = {}
        for pending in told:
            for key, paths in pending.files.items():
                files[key] = files.get(key, frozenset()) | paths
        rescan = frozenset[str]().union(*(pending.rescan for pending in told))
        return Batch(
            {key: paths for key, paths in files.items() if key not in rescan},
            rescan,
            frozenset[str]().union(*(pending.git for pending in told)),
        )

    def forget(self, key: str) -> None:
        """Drop what is held of a key that nobody follows any more."""
        for pending in self._pending.values():
            pending.files.pop(key, None)
            pending.rescan.discard(key)
            pending.git.discard(key)
        self._pending = {
            group: pending for group, pending in self._pending.items() if pending.files or pending.rescan or pending.git
        }

    def _of(self, tree: Tree) -> _Pending:
        now = tree.active = time.monotonic()
        pending = self._pending.get(tree.group)
        if pending is None:
            calm = now - self._told.get(tree.group, -math.inf) > self._calm
            pending = self._pending[tree.group] = _Pending(now, now, now, calm=calm)
        pending.last, pending.saved = now, False
        return pending

    def _due(self, group: str) -> float:
        pending = self._pending[group]
        if group in self._locked:
            return min(pending.last + max(PAUSE, self._quiet), pending.born + HELD)
        if pending.calm and pending.saved and not (pending.git or pending.rescan):
            return pending.last
        return min(pending.last + self._quiet, pending.first + self._longest, pending.born + HELD)

    def _look_at_lock(self, tree: Tree) -> None:
        if Path(tree.root, LOCK).exists():
            self._locked.add(tree.group)
        elif tree.group in self._locked:
            self._locked.discard(tree.group)
            if tree.group in self._pending:  # HEAD is written after the index, so it is not over yet
                self._pending[tree.group].first = self._pending[tree.group].last = time.monotonic()


def _note_deed(pending: _Pending, path: str, deed: Deed) -> None:
    """Note whether that ended a save: a file was written, or a new one came in its place."""
    match deed:
        case Deed.CREATED:
            pending.under_way.add(path)
        case Deed.LEFT:
            pending.under_way ^= {path}
        case Deed.ARRIVED:
            pending.under_way.discard(path)
        case Deed.WRITTEN | Deed.OTHER:
            pass
    pending.saved = deed in (Deed.WRITTEN, Deed.ARRIVED) and not pending.under_way
