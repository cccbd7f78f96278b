"""Watch with inotify(7): one instance for all trees, a watch for each directory that git doesn't ignore.

Files are told when a writer closes them, not while it writes. Changes of a file's attributes are told for its
executable bit; reading changes no attribute that inotify tells, so reading wakes nobody. The one exception is the root
of a tree that is not watched as a whole, where a file that is opened says that somebody is at work.

A watch follows its directory when that is renamed. So a descriptor has one place at a time: renaming takes the old
place away, and finding the directory again, under whatever name, gives the descriptor the new one. Descriptors
without a place are `_dead`: their events are skipped, and when nothing is left to walk their watches are removed.
"""

from __future__ import annotations

import errno
import math
import os
import select
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from inotify_simple import INotify, flags  # type: ignore[import-untyped]

from sidecar.watch.backend import (
    Backend,
    BackendEvent,
    DirectoriesAppeared,
    NoWatchesLeft,
    Overflow,
    RootLost,
    RootMayBeGone,
    Work,
)
from sidecar.watch.batching import Batcher, Deed
from sidecar.watch.events import Moment
from sidecar.watch.tree import STEP, Descriptors, Phase, Tree, is_foreign, join, listing, marker, sift, walk, within

_MASK = int(
    flags.CLOSE_WRITE | flags.MOVED_FROM | flags.MOVED_TO | flags.CREATE | flags.DELETE | flags.ATTRIB
    | flags.ONLYDIR | flags.EXCL_UNLINK | flags.MASK_ADD
)  # fmt: skip
_ROOT = int(flags.MOVE_SELF)
_SIGN = int(flags.OPEN)
_OURS = frozenset({".git", ".gitignore", ".gitattributes", ".gitmodules"})
"""Files in a root that are opened for us whenever the worktree is read."""
_BELOW = int(flags.DONT_FOLLOW)
_ADD = int(flags.MASK_ADD)
_OVERFLOW = int(flags.Q_OVERFLOW)
_IGNORED = int(flags.IGNORED)
_MOVE_SELF = int(flags.MOVE_SELF)
_DIRECTORY = int(flags.ISDIR)
_APPEARED = int(flags.CREATE | flags.MOVED_TO)
_MOVED_AWAY = int(flags.MOVED_FROM)
_GONE = int(flags.DELETE | flags.MOVED_FROM)
_DEEDS = (
    (int(flags.CLOSE_WRITE), Deed.WRITTEN),
    (int(flags.MOVED_TO), Deed.ARRIVED),
    (_GONE, Deed.LEFT),
    (int(flags.CREATE), Deed.CREATED),
)
_REAPED = 256
"""Descriptors removed in one step; each removal is itself an event, and the queue is finite."""


class InotifyBackend(Backend):
    """An inotify instance and the trees it watches. Raises OSError when there can be no instance."""

    name = "inotify"
    looks_back = True

    def __init__(self, batcher: Batcher, max_watches: int) -> None:
        super().__init__()
        self._batcher = batcher
        self._max_watches = max_watches
        self._trees: Descriptors[Tree] = Descriptors()
        self._dead: set[int] = set()
        self._inotify = INotify(nonblocking=True)  # the kernel takes its watches back at close
        self._wakeup = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._poll = select.poll()
        self._poll.register(self._inotify.fileno(), select.POLLIN)
        self._poll.register(self._wakeup, select.POLLIN)

    def wait(self, timeout: float | None) -> None:
        """Sleep until there are events, or `wake`."""
        ready = self._poll.poll(None if timeout is None else math.ceil(timeout * 1000))
        if any(descriptor == self._wakeup for descriptor, _ in ready):
            os.eventfd_read(self._wakeup)

    def wake(self) -> None:
        """End a `wait`."""
        os.eventfd_write(self._wakeup, 1)

    def take(self) -> list[BackendEvent]:
        """Read what is queued. Of an overflow nothing else is worth reading."""
        happened: list[BackendEvent] = []
        grown: dict[Tree, list[tuple[int, str]]] = {}
        for wd, mask, _, name in self._inotify.read(timeout=0):
            if mask & _OVERFLOW:
                return [Overflow()]
            tree = self._trees.get(wd)
            if tree is None:
                if mask & _IGNORED:
                    self._dead.discard(wd)
            elif mask & (_IGNORED | _MOVE_SELF):
                if not tree.directories[wd]:
                    happened.append(RootLost(tree))
                if mask & _IGNORED:
                    self._unplace(wd)
            elif mask & _SIGN:
                if not mask & _DIRECTORY and name not in _OURS:
                    tree.stirred = time.monotonic()
            elif name:
                happened += self._entry(tree, wd, mask, name, grown)
        return happened + [DirectoriesAppeared(tree, self._walk(tree, starts)) for tree, starts in grown.items()]

    def watch_all(self, tree: Tree) -> Work:
        """Watch every directory; where nothing is known of the tree, all is news and nothing in it is told."""
        return self._walk(tree, [(-1, "")], tell=tree.since is not None and not tree.is_git, since=tree.since)

    def watch_new(self, tree: Tree, directories: list[str]) -> Work:
        """Watch these directories as new ones."""
        places = {directory: wd for wd, directory in tree.directories.items()}
        starts = [(places.get(directory.rpartition("/")[0], -1), directory) for directory in directories]
        return self._walk(tree, starts)

    def watch_some(self, tree: Tree, directories: Sequence[str]) -> Work:
        """Watch directories without what is below; that somebody opens a file in the root is a sign of life."""
        wanted = sift(tree, [directory for directory in directories if directory])
        for number, directory in enumerate(directories, 1):
            if (directory in wanted or not directory) and self._watch(tree, directory, sign=True) is not None:
                with suppress(OSError):
                    for path in listing(tree, directory, tree.since)[0] if tree.since else ():
                        self._batcher.changed(tree, path)
            if number % STEP == 0:
                yield

    def drop(self, tree: Tree, directory: str = "") -> None:
        """Forget which places are watched; a new walk or `remove_stale` decides about the watches."""
        for wd in [wd for wd, place in tree.directories.items() if within(place, directory)]:
            self._unplace(wd)
            self._dead.add(wd)

    def remove_stale(self) -> bool:
        """Remove the watches of descriptors that have no place."""
        some = tuple(islice(self._dead, _REAPED))
        for wd in some:
            self._dead.discard(wd)
            self._remove(wd)
        return bool(some)

    def watches(self) -> int:
        """Count the watches in use, those about to be removed too."""
        return len(self._trees) + len(self._dead)

    def room(self) -> int:
        """Count the watches that are left up to this instance's limit."""
        return max(0, self._max_watches - len(self._trees))

    def close(self) -> None:
        """Close the instance; the kernel takes back its watches by itself."""
        for tree in set(self._trees.values()):
            tree.directories.clear()
        self._trees.clear()
        self._inotify.close()
        os.close(self._wakeup)

    def _entry(
        self, tree: Tree, wd: int, mask: int, name: str, grown: dict[Tree, list[tuple[int, str]]]
    ) -> Iterator[BackendEvent]:
        """Handle an event about a name in a watched directory."""
        directory = tree.directories[wd]
        path = join(directory, name)
        if not directory and mask & _GONE and name == marker(tree):
            yield RootMayBeGone(tree)
        if mask & _DIRECTORY:
            if mask & _APPEARED:
                grown.setdefault(tree, []).append((wd, path))
            elif mask & _MOVED_AWAY and path not in tree.ignored:
                self.drop(tree, path)
                self._batcher.changed(tree, path)
            elif mask & _GONE and tree.phase is Phase.POLLED and path not in tree.ignored:
                self._batcher.changed(tree, path)  # of a directory that was not watched nobody told that it was emptied
            if tree.is_git:
                self._batcher.changed(tree, path)
            return
        if directory and name == ".git" and is_foreign(tree, directory):
            self.drop(tree, directory)
        self._batcher.changed(tree, path, next((deed for bit, deed in _DEEDS if mask & bit), Deed.OTHER))

    def _walk(
        self, tree: Tree, starts: list[tuple[int, str]], *, tell: bool = True, since: Moment | None = None
    ) -> Work:
        def enter(directory: str, parent: int) -> int | None:
            if directory and tree.directories.get(parent) != directory.rpartition("/")[0]:
                return None  # its parent went elsewhere meanwhile, and will be walked there
            return self._watch(tree, directory)

        def found(path: str) -> None:
            self._batcher.changed(tree, path)

        return walk(tree, starts, enter, found if tell else None, since)

    def _watch(self, tree: Tree, directory: str, *, sign: bool = False) -> int | None:
        """Place a watch; None when the directory can't be had, or is another tree's root."""
        what = _MASK | _BELOW if directory else (_MASK & ~_ADD) | _ROOT | (_SIGN if sign else 0)
        try:
            wd: int = self._inotify.add_watch(f"{tree.root}/{directory}", what)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                if self.remove_stale():
                    return self._watch(tree, directory, sign=sign)
                raise NoWatchesLeft from error
            if not directory:
                raise
            return None
        holder = self._trees.get(wd)
        if holder is None and wd not in self._dead and self.watches() >= self._max_watches:
            self._remove(wd)
            if self.remove_stale():
                return self._watch(tree, directory, sign=sign)
            raise NoWatchesLeft
        if holder is not None and holder is not tree and directory and not holder.directories[wd]:
            return None
        if holder is not None:
            del holder.directories[wd]
        self._dead.discard(wd)
        self._trees[wd] = tree
        tree.directories[wd] = sys.intern(directory)  # worktrees of one repository have most in common
        return wd

    def _unplace(self, wd: int) -> None:
        del self._trees.pop(wd).directories[wd]

    def _remove(self, wd: int) -> None:
        with suppress(OSError):  # the directory may have gone first and taken its watch along
            self._inotify.rm_watch(wd)


def most_watches() -> int:
    """Give three quarters of what this user may have: the editor needs some too (inotify(7), /proc interfaces)."""
    try:
        return int(Path("/proc/sys/fs/inotify/max_user_watches").read_text()) * 3 // 4
    except (OSError, ValueError):
        return 8192 * 3 // 4
