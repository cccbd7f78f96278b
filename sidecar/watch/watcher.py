"""Follow targets on a thread of its own, and tell what changes in them.

A tree is watched by the backend, or polled where that can't be. When watches are scarce they go to the worktrees that
change: a polled one in which something happens takes the place of others that have long been quiet.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import MappingProxyType

from sidecar.system.mounts import is_remote, read_mounts
from sidecar.watch.backend import Backend, DirectoriesAppeared, NoWatchesLeft, Overflow, RootLost, RootMayBeGone, Work
from sidecar.watch.batching import Batcher
from sidecar.watch.events import Batch, FilesTarget, Moment, Report, Target, WorktreeTarget, now
from sidecar.watch.poll import Failed, PolledFiles, Poller, Seen
from sidecar.watch.scarcity import REMOTE, TOO_FEW, Worklist, at_work, hot_directories, needed, quiet_trees, reserved
from sidecar.watch.tree import Phase, Tree, identify, identity, marker

SOON = 0.05
"""Seconds until a missing root is first looked for again; doubled each time, up to `poll_every`."""
_log = logging.getLogger(__name__)


class Watcher:
    """Tells `on_batch` what changes in the targets it follows; always on its own thread, never twice at a time.

    `open_backend` gives the way of watching, also when everything has to be watched anew.
    """

    def __init__(
        self,
        open_backend: Callable[[], Backend],
        batcher: Batcher,
        on_batch: Callable[[Batch], None],
        on_settled: Callable[[], None],
        *,
        poll_every: float,
        retry_every: float,
    ) -> None:
        self._open_backend = open_backend
        self._batcher = batcher
        self._on_batch = on_batch
        self._on_settled = on_settled
        self._reported: Report | None = None
        self._poll_every = poll_every
        self._retry_every = retry_every
        self._trees: dict[str, Tree] = {}
        self._files = PolledFiles(batcher)
        self._poller = Poller(poll_every, lambda: at_work(self._trees.values()))
        self._taken = now()
        self._work = Worklist(self._fail)
        self._looks: dict[Tree, float] = {}
        self._retry_at = self._full_until = 0.0
        self._polled, self._problems = frozenset[str](), dict[str, str]()
        self._lock = threading.Lock()
        self._wanted: tuple[Target | FilesTarget, ...] | None = None
        self._rewalks: set[str] = set()
        self._closing = self._ended = False
        self._backend = self._open_backend()
        self._thread = threading.Thread(target=self._run, name="sidecar-watch", daemon=True)
        self._thread.start()

    def follow(self, targets: Sequence[Target | FilesTarget]) -> None:
        """Watch exactly these from now on, the earlier ones first where watches are scarce.

        Returns at once; any thread may call it. So that nothing between the caller's own reading and the watch is
        missed, a key that is new comes in a batch when its watches stand: in `git`, in `rescan`, or, where `since` says
        when it was read, with what has changed after that. A key whose path and kind are the same goes on undisturbed;
        its `ignored`, `nested` and `hot` are replaced. Roots are checked again.
        """
        with self._lock:
            self._wanted = tuple(targets)
            self._wake()

    def rewalk(self, key: str) -> None:
        """Ask `ignored` anew: the rules changed. Ends in a batch with `key` in `rescan`. Any thread."""
        with self._lock:
            self._rewalks.add(key)
            self._wake()

    def report(self) -> Report:
        """Tell how the watching is done now. Any thread."""
        with self._lock:
            watches = 0 if self._ended else self._backend.watches()
            return Report(self._backend.name, watches, self._polled, MappingProxyType(self._problems))

    def catch_up(self, seconds: float) -> bool:
        """Wait until all that has happened by now is told (not on its own thread); False where polling can't know."""
        told = self._batcher.wait_for_all()
        with self._lock:
            self._wake()
        return self._backend.name == "inotify" and told.wait(seconds) and not self.report().polled

    def close(self) -> None:
        """Stop, and give back the thread and every descriptor. Idempotent; from `on_batch` it doesn't wait."""
        with self._lock:
            self._closing = True
            self._wake()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _wake(self) -> None:
        if not self._ended:
            self._backend.wake()

    def _run(self) -> None:
        try:
            while not self._closing:
                try:
                    self._turn()
                except Exception:
                    _log.exception("Watching failed; it starts over.")
                    self._backend.wait(self._poll_every)
                    self._start_over()
        finally:
            with self._lock:
                self._ended = True
                self._backend.close()

    def _turn(self) -> None:
        self._obey()
        waiting = self._batcher.waiting()
        self._taken = now()
        for event in self._backend.take():
            match event:
                case RootLost(tree):
                    self._lose(tree)
                case RootMayBeGone(tree):
                    self._looks[tree] = time.monotonic() + SOON
                case DirectoriesAppeared(tree, work):
                    self._work.add(tree, work, first=True)
                case Overflow():
                    self._start_over()
        self._files.look()
        self._do_poll()
        self._do_looks()
        busy = self._work.do(self._backend.remove_stale)  # last, as all of the above makes work
        if batch := self._batcher.take():
            try:
                self._on_batch(batch)
            except Exception:
                _log.exception("A batch of file events could not be handled.")
        elif not busy:
            if (report := self.report()) != self._reported:
                self._reported = report
                self._on_settled()
            if not self._batcher.has_told(waiting):
                self._backend.wait(self._timeout())

    def _timeout(self) -> float | None:
        retry_at = self._retry_at if self._is_scarce() else None
        dues = [self._batcher.due(), self._files.due(), self._poller.due(), retry_at, *self._looks.values()]
        nearest = min((due for due in dues if due is not None), default=None)
        return None if nearest is None else max(0.0, nearest - time.monotonic())

    def _do_poll(self) -> None:
        match self._poller.step():
            case Failed(tree, error):
                self._fail(tree, error)
            case Seen(tree, changed, began):
                tree.since = began
                if self._batcher.swept(tree, changed):
                    self._promote(tree)

    def _do_looks(self) -> None:
        instant = time.monotonic()
        for tree in [tree for tree, due in self._looks.items() if due <= instant]:
            self._look_for(tree)
        if self._is_scarce() and self._retry_at <= instant:
            self._retry()

    def _obey(self) -> None:
        with self._lock:
            wanted, self._wanted = self._wanted, None
            rewalks, self._rewalks = self._rewalks, set()
        if wanted is not None:
            self._files.follow(target for target in wanted if isinstance(target, FilesTarget))
            self._follow({target.key: target for target in wanted if not isinstance(target, FilesTarget)})
        for key in rewalks & self._trees.keys():
            if self._trees[key].phase is not Phase.MISSING:
                self._begin(self._trees[key])

    def _follow(self, wanted: dict[str, Target]) -> None:
        for key, tree in list(self._trees.items()):
            target = wanted.get(key)
            if target is None or type(target) is not type(tree.target) or target.path != tree.target.path:
                self._release(tree)
                self._batcher.forget(key)
                del self._trees[key]
        new: list[Tree] = []
        for key, target in wanted.items():
            if known := self._trees.get(key):
                self._renew(known, target)
            else:
                self._trees[key] = Tree(target, str(target.path))
                new.append(self._trees[key])
        for tree in sorted(new, key=lambda tree: not tree.is_git):  # they are small and matter most
            self._begin(tree, tree.target.since if isinstance(tree.target, WorktreeTarget) else None)

    def _renew(self, tree: Tree, target: Target) -> None:
        """Take a tree's new target, perhaps with other nested directories, and see whether its root has changed."""
        before, tree.target = tree.target, target
        if tree.phase is Phase.MISSING or identity(tree) != tree.identity:
            self._look_for(tree)
        if not isinstance(before, WorktreeTarget) or not isinstance(target, WorktreeTarget):
            return
        if tree.phase is Phase.POLLED and before.hot != target.hot:
            self._add_hot(tree)
        if tree.phase is Phase.WATCHED:
            for directory in target.nested - before.nested:
                self._backend.drop(tree, directory)
            if gone := before.nested - target.nested:
                self._work.add(tree, self._backend.watch_new(tree, sorted(gone)))
        elif tree.phase is not Phase.MISSING and before.nested != target.nested:
            self._begin(tree)

    # The life of a tree

    def _begin(self, tree: Tree, since: Moment | None = None) -> None:
        """Watch a tree from scratch, or poll it."""
        self._release(tree)
        tree.ignored.clear()
        tree.remote, tree.since = False, since
        if not identify(tree):
            self._lose(tree)
        elif self._backend.name == Backend.name:
            self._poll(tree, self._backend.problem)
        elif is_remote(tree.root, read_mounts()):
            tree.remote = True
            self._poll(tree, REMOTE)
        elif self._backend.room() == 0:
            self._poll(tree, TOO_FEW)
        else:
            tree.phase = Phase.SETTING_UP
            self._set_up(tree)

    def _set_up(self, tree: Tree) -> None:
        self._backend.register(tree)
        self._work.add(tree, self._watch_all(tree))

    def _watch_all(self, tree: Tree) -> Work:
        if self._room_beside(tree) < needed(tree, self._trees.values(), self._poller):
            self._poll(tree, TOO_FEW)
            return
        yield from self._backend.watch_all(tree)
        tree.phase, tree.delay = Phase.WATCHED, 0.0
        self._poller.discard(tree)
        self._note(tree, "")
        if tree.since is None or not self._backend.looks_back:
            self._batcher.everything(tree)
        if isinstance(tree.target, WorktreeTarget) and tree.target.half:
            self._looks[tree] = time.monotonic() + SOON

    def _room_beside(self, tree: Tree) -> int:
        """Count how many watches are left for a tree as a whole, when others get what is hot in them."""
        return self._backend.room() - (0 if tree.is_git else reserved(tree, self._trees.values()))

    def _poll(self, tree: Tree, problem: str) -> None:
        """Poll a tree, whether it was watched, was to be watched, or is polled already."""
        if tree.phase is Phase.WATCHED:
            tree.since = self._taken if tree not in self._work else None
        self._backend.drop(tree)
        self._work.cancel(tree)
        tree.phase, tree.delay = Phase.POLLED, 0.0
        if tree not in self._poller:
            self._poller.add(tree)
        self._retry_at = time.monotonic() + self._retry_every
        self._note(tree, problem)
        if not tree.remote:
            self._add_hot(tree)

    def _add_hot(self, tree: Tree) -> None:
        """Watch what is hot in a tree that is polled."""
        directories = hot_directories(tree, len(self._poller), self._backend.room() + self._backend.watches())
        if directories and tree.since is None:
            tree.since = now()
            self._batcher.everything(tree)
        if directories:
            self._work.add(tree, self._watch_hot(tree, directories))

    def _watch_hot(self, tree: Tree, directories: list[str]) -> Work:
        """Watch what is hot, before whole trees that are quiet; where nothing is left it is polled like the rest."""
        while True:
            try:
                yield from self._backend.watch_some(tree, directories)
            except NoWatchesLeft:
                self._full_until = time.monotonic() + self._retry_every
                quiet = quiet_trees(self._trees.values(), 1, math.inf)
                if not quiet:
                    return
                self._poll(quiet[0], TOO_FEW)
            else:
                return

    def _lose(self, tree: Tree, problem: str = "") -> None:
        """Say once that a tree's root is gone or can't be read, and look for it from time to time."""
        self._release(tree)
        if not tree.delay:
            self._batcher.everything(tree)
        tree.delay = min(tree.delay * 2, self._poll_every) if tree.delay else SOON
        self._looks[tree] = time.monotonic() + tree.delay
        self._note(tree, problem)

    def _release(self, tree: Tree) -> None:
        """Neither watch nor poll it."""
        self._backend.drop(tree)
        self._poller.discard(tree)
        self._looks.pop(tree, None)
        self._work.cancel(tree)
        tree.phase = Phase.MISSING
        self._note(tree, "")

    def _fail(self, tree: Tree, error: Exception) -> None:
        """Take in that the work on a tree could not be done."""
        if isinstance(error, NoWatchesLeft):
            if tree.phase is Phase.WATCHED:
                tree.phase, tree.since = Phase.SETTING_UP, None  # what it was to look into has been told in part
            tree.reached = max(tree.reached, len(tree.directories))
            self._full_until = time.monotonic() + self._retry_every
            self._poll(tree, TOO_FEW)
        elif isinstance(error, FileNotFoundError | NotADirectoryError):
            self._lose(tree)
        elif isinstance(error, OSError):
            self._lose(tree, f"{tree.root} cannot be read: {error.strerror or error}.")
        else:
            if not tree.delay:
                _log.error("Watching %s failed.", tree.root, exc_info=error)
            self._lose(tree, f"{tree.root} cannot be watched: {error}.")

    def _look_for(self, tree: Tree) -> None:
        """Look at a root that is missing, or that may be."""
        found = identity(tree)
        if tree.phase is Phase.MISSING and found:
            self._begin(tree)
        elif found is None or found != tree.identity:
            self._lose(tree)
        elif Path(tree.root, marker(tree)).exists():
            self._looks.pop(tree, None)
        else:
            self._looks[tree] = time.monotonic() + self._poll_every

    # Scarce watches

    def _is_scarce(self) -> bool:
        has_too_few = self._backend.name != Backend.name and any(not tree.remote for tree in self._poller)
        return has_too_few or bool(self._backend.problem)

    def _retry(self) -> None:
        """Go back from polling to watching, as far as there is room."""
        self._retry_at = time.monotonic() + self._retry_every
        if self._backend.problem:
            self._start_over()
            return
        claimed = 0
        by_life = sorted(self._poller, key=lambda tree: -max(tree.active, tree.stirred))
        for tree in filter(self._can_be_watched, by_life):
            size = needed(tree, self._trees.values(), self._poller)
            if size <= self._room_beside(tree) - claimed:
                claimed += size
                self._set_up(tree)
            elif tree.group in at_work(self._trees.values()):
                self._promote(tree)

    def _can_be_watched(self, tree: Tree) -> bool:
        """Tell whether a polled tree may take watches: it is local, of known size, and not being set up."""
        return not tree.remote and self._poller.size(tree) is not None and tree not in self._work

    def _promote(self, tree: Tree) -> None:
        """Watch a polled tree in which something happened, if need be in place of trees that have long been quiet."""
        if self._backend.name == Backend.name or not self._can_be_watched(tree):
            return
        size, instant = needed(tree, self._trees.values(), self._poller), time.monotonic()
        room = 0 if instant < self._full_until else self._room_beside(tree)
        quiet = quiet_trees(self._trees.values(), size - room, instant - self._retry_every)
        if room >= size or quiet:
            for other in quiet:
                self._poll(other, TOO_FEW)
            self._set_up(tree)

    def _start_over(self) -> None:
        """Watch everything anew after events were lost, or as there may be a source again; this ends in a rescan."""
        self._work.clear()
        with self._lock:
            self._backend.close()
            self._backend = self._open_backend()
        for tree in list(self._trees.values()):
            if tree.phase is not Phase.MISSING:
                self._begin(tree)

    def _note(self, tree: Tree, problem: str) -> None:
        """Keep what `report` says up to date."""
        others = {key: text for key, text in self._problems.items() if key != tree.key}
        self._problems = others | ({tree.key: problem} if problem else {})
        self._polled = frozenset(polled.key for polled in self._poller)
