"""Watch with watchfiles (macOS: FSEvents, Windows: ReadDirectoryChangesW; Linux, for tests: inotify).

It watches whole directory trees, so what git ignores is left out on this side. What it is told it passes on as a set
of (change, path), without order, and no loss of events is told: a flood is therefore answered with a rescan.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

from watchfiles import Change
from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

from sidecar.watch.backend import Backend, BackendEvent, DirectoriesAppeared, Overflow, RootLost, WakeableQueue, Work
from sidecar.watch.batching import Batcher
from sidecar.watch.tree import Phase, Tree, identity, is_foreign, sift, walk, within

STEP_MS = 20
"""Between two looks of watchfiles at its own set: latency against idle cost."""
FLOOD = 500
"""So many changes at once may be more than the operating system kept."""
_LAST_LOOKS = 6
"""After its end is asked for, a reader looks so many times more: enough for every change that it already has."""

_log = logging.getLogger(__name__)

Found = set[tuple[int, str]]


class _Reader:
    """A thread that waits for changes below some directories. Raises OSError."""

    def __init__(self, roots: list[str], queue: WakeableQueue[Found | Overflow]) -> None:
        self._queue = queue
        self._ending: int | None = None
        try:
            self._rust = RustNotify(
                roots,
                debug=False,
                force_polling=False,
                poll_delay_ms=300,
                recursive=True,
                ignore_permission_denied=True,
            )
        except WatchfilesRustInternalError as error:
            raise OSError(str(error)) from error
        self._thread = threading.Thread(target=self._run, name="sidecar-watch-reader", daemon=True)
        self._thread.start()

    def is_set(self) -> bool:
        """Tell watchfiles, at every look, whether to end; once it hears yes it throws away what it has."""
        if self._ending is None:
            return False
        self._ending -= 1
        return self._ending < 0

    def end(self, looks: int) -> None:
        """Stop after so many more looks."""
        self._ending = looks
        self._thread.join()

    def _run(self) -> None:
        try:
            while True:
                found = self._rust.watch(2 * STEP_MS, STEP_MS, 0, self)
                if not isinstance(found, set):
                    return
                self._queue.put(found)
        except WatchfilesRustInternalError as error:
            _log.warning("File events were lost: %s", error)
            self._queue.put(Overflow())
        finally:
            self._rust.close()


class WatchfilesBackend(Backend):
    """One watchfiles watcher for all trees, replaced when a root comes that it doesn't cover."""

    name = "watchfiles"

    def __init__(self, batcher: Batcher) -> None:
        super().__init__()
        self._batcher = batcher
        self._queue: WakeableQueue[Found | Overflow] = WakeableQueue()
        self._trees: dict[str, Tree] = {}
        self._entered: dict[Tree, set[str]] = {}
        self._reader: _Reader | None = None
        self._roots: list[str] = []

    def wait(self, timeout: float | None) -> None:
        """Sleep until a reader has found something."""
        self._queue.wait(timeout)

    def wake(self) -> None:
        """Wake who waits at the queue."""
        self._queue.wake()

    def take(self) -> list[BackendEvent]:
        """Sort out whose changes they are."""
        everything: Found = set()
        for found in self._queue.take():
            if isinstance(found, Overflow):
                return [Overflow()]
            everything |= found
        return list(self._changes(everything))

    def watch_all(self, tree: Tree) -> Work:
        """Restart unless its root is covered already."""
        real = os.path.realpath(tree.root)
        if not any(_covers(root, real) for root in self._roots):
            self._restart()
        if identity(tree) != tree.identity:
            raise FileNotFoundError(tree.root)
        yield

    def register(self, tree: Tree) -> None:
        """Have a tree's root take part in the next restart."""
        self._trees[os.path.realpath(tree.root)] = tree
        self._entered[tree] = {""}

    def drop(self, tree: Tree, directory: str = "") -> None:
        """Skip a tree's changes; the reader goes on until the next restart."""
        if directory:
            self._entered[tree] = {path for path in self._entered[tree] if not within(path, directory)}
            return
        self._entered.pop(tree, None)
        for real in [real for real, known in self._trees.items() if known is tree]:
            del self._trees[real]
            self._roots = [root for root in self._roots if root != real]

    def watch_new(self, tree: Tree, directories: list[str]) -> Work:
        """Look into new directories: what was in them when they came is not always told."""

        def enter(directory: str, _parent: int) -> int:
            self._entered[tree].add(directory)
            return 0

        return walk(tree, [(0, path) for path in directories], enter, lambda path: self._batcher.changed(tree, path))

    def watches(self) -> int:
        """Count the directories that are watched as a whole."""
        return len(self._roots)

    def room(self) -> int:
        """Give a number above any need: there is no limit."""
        return sys.maxsize

    def close(self) -> None:
        """End the reader."""
        self._roots = []
        if self._reader:
            self._reader.end(0)
            self._reader = None

    def _restart(self) -> None:
        """Watch every root; the new reader stands before the old one ends, so nothing falls in between."""
        reals = sorted(real for real in self._trees if Path(real).is_dir())
        roots = [real for real in reals if not any(_covers(other, real) for other in reals if other != real)]
        before, self._reader, self._roots = self._reader, _Reader(roots, self._queue), roots
        if before:
            before.end(_LAST_LOOKS)

    def _changes(self, found: Found) -> Iterable[BackendEvent]:
        changes: dict[Tree, list[tuple[int, str]]] = {}
        for change, path in found:
            real = path
            while real not in self._trees and (above := real.rpartition(os.sep)[0]) != real:
                real = above
            if real in self._trees:
                relative = path[len(real) + 1 :].replace(os.sep, "/")
                changes.setdefault(self._trees[real], []).append((change, relative))
        for tree, all_of_it in changes.items():
            if identity(tree) != tree.identity:
                yield RootLost(tree)
            elif tree.phase is not Phase.MISSING:
                yield from self._tree_changes(tree, all_of_it)
                if len(found) > FLOOD:
                    self._batcher.everything(tree)

    def _tree_changes(self, tree: Tree, changes: list[tuple[int, str]]) -> Iterable[BackendEvent]:
        seen = self._inside(tree, [path for _, path in changes])
        grown: list[str] = []
        for change, path in changes:
            if path not in seen:
                continue
            where = Path(tree.root, path)
            if change != Change.deleted and where.is_dir() and not where.is_symlink():
                if change == Change.added:
                    grown.append(path)
                if not tree.is_git:
                    continue
            directory, _, name = path.rpartition("/")
            if directory and name == ".git" and is_foreign(tree, directory):
                self.drop(tree, directory)
            if path not in tree.ignored:
                self._batcher.changed(tree, path)
        if grown:
            yield DirectoriesAppeared(tree, self.watch_new(tree, grown))

    def _inside(self, tree: Tree, paths: list[str]) -> set[str]:
        """Give those of these paths that lie in directories that are entered; asks about new ones level by level."""
        entered = self._entered[tree]
        depth = 0
        waiting = {path: path.split("/") for path in paths}
        inside: set[str] = set()
        while waiting:
            depth += 1
            for path in [path for path, parts in waiting.items() if len(parts) == depth]:
                del waiting[path]
                inside.add(path)
            asked = {path: "/".join(parts[:depth]) for path, parts in waiting.items()}
            new = set(asked.values()) - entered
            entered |= {directory for directory in sift(tree, sorted(new)) if not is_foreign(tree, directory)}
            waiting = {path: parts for path, parts in waiting.items() if asked[path] in entered}
        return inside


def _covers(root: str, path: str) -> bool:
    """Tell whether watching `root` shows what happens at `path`; both are real paths."""
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)
