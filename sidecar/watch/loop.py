"""The watcher's thread: follows targets by the best way there is, and tells what changes.

A tree is watched by the source, or polled where that can't be. When watches are scarce they go to the worktrees that
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

from sidecar.watch.events import Batch, Moment, Report, Target, WorktreeTarget, now
from sidecar.watch.gathering import Gathering
from sidecar.watch.mounts import is_remote, mounts
from sidecar.watch.poll import Failed, Poller, Seen
from sidecar.watch.rationing import at_work, givers, hot_directories, needed, reserved
from sidecar.watch.source import Doubtful, Full, Grown, Lost, Nothing, Overflow, Source, Work
from sidecar.watch.tree import Phase, Tree, identify, identity, marker
from sidecar.watch.worklist import Worklist

SOON = 0.05
"""Seconds until a missing root is first looked for again; doubled each time, up to `poll_every`."""

_LATE = "so its changes are noticed some seconds late."
_TOO_FEW = f"The limit of file watches (fs.inotify.max_user_watches) leaves none for this directory, {_LATE}"
_REMOTE = f"This directory is on a file system that other machines can write to, {_LATE}"
_log = logging.getLogger(__name__)


class Loop:
    """A `Watcher` on what `open_source` gives; when that raises OSError there is none to be had, and all is polled."""

    def __init__(
        self,
        open_source: Callable[[], Source],
        gathering: Gathering,
        on_batch: Callable[[Batch], None],
        on_settled: Callable[[], None],
        *,
        poll_every: float,
        retry_every: float,
    ) -> None:
        self._open_source = open_source
        self._gathering = gathering
        self._on_batch = on_batch
        self._on_settled = on_settled
        self._reported: Report | None = None
        self._poll_every = poll_every
        self._retry_every = retry_every
        self._trees: dict[str, Tree] = {}
        self._poller = Poller(poll_every, lambda: at_work(self._trees.values()))
        self._taken = now()
        self._work = Worklist(self._fail)
        self._looks: dict[Tree, float] = {}
        self._retry_at = self._full_until = 0.0
        self._polled: frozenset[str] = frozenset()
        self._problems: dict[str, str] = {}
        self._lock = threading.Lock()
        self._wanted: tuple[Target, ...] | None = None
        self._rewalks: set[str] = set()
        self._closing = False
        self._ended = False
        self._no_source = ""
        self._source = self._best_source()
        self._thread = threading.Thread(target=self._run, name="sidecar-watch", daemon=True)
        self._thread.start()

    def follow(self, targets: Sequence[Target]) -> None:
        """See `Watcher`."""
        with self._lock:
            self._wanted = tuple(targets)
            self._wake()

    def rewalk(self, key: str) -> None:
        """See `Watcher`."""
        with self._lock:
            self._rewalks.add(key)
            self._wake()

    def report(self) -> Report:
        """See `Watcher`."""
        with self._lock:
            watches = 0 if self._ended else self._source.watches()
            return Report(self._source.name, watches, self._polled, MappingProxyType(self._problems))

    def close(self) -> None:
        """See `Watcher`."""
        with self._lock:
            self._closing = True
            self._wake()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _wake(self) -> None:
        if not self._ended:
            self._source.wake()

    # The thread

    def _run(self) -> None:
        try:
            while not self._closing:
                try:
                    self._turn()
                except Exception:
                    _log.exception("Watching failed; it starts over.")
                    self._source.wait(self._poll_every)
                    self._start_over()
        finally:
            with self._lock:
                self._ended = True
                self._source.close()

    def _turn(self) -> None:
        self._obey()
        self._taken = now()
        for happening in self._source.take():
            match happening:
                case Lost(tree):
                    self._lose(tree)
                case Doubtful(tree):
                    self._looks[tree] = time.monotonic() + SOON
                case Grown(tree, work):
                    self._work.add(tree, work, first=True)
                case Overflow():
                    self._start_over()
        self._do_poll()
        self._do_looks()
        busy = self._work.do(lambda: self._source.sweep_up())  # last, as all of the above makes work
        batch = self._gathering.take()
        if batch:
            try:
                self._on_batch(batch)
            except Exception:
                _log.exception("A batch of file events could not be handled.")
        elif not busy:
            if (report := self.report()) != self._reported:
                self._reported = report
                self._on_settled()
            self._source.wait(self._timeout())

    def _timeout(self) -> float | None:
        dues = [self._gathering.due(), self._poller.due(), *self._looks.values()]
        if self._is_scarce():
            dues.append(self._retry_at)
        known = [due for due in dues if due is not None]
        return max(0.0, min(known) - time.monotonic()) if known else None

    def _do_poll(self) -> None:
        match self._poller.step():
            case Failed(tree, error):
                self._fail(tree, error)
            case Seen(tree, changed, began):
                tree.since = began
                if self._gathering.swept(tree, changed):
                    self._promote(tree)

    def _do_looks(self) -> None:
        now = time.monotonic()
        for tree in [tree for tree, due in self._looks.items() if due <= now]:
            self._look_for(tree)
        if self._is_scarce() and self._retry_at <= now:
            self._retry()

    # What others asked for

    def _obey(self) -> None:
        with self._lock:
            wanted, self._wanted = self._wanted, None
            rewalks, self._rewalks = self._rewalks, set()
        if wanted is not None:
            self._follow({target.key: target for target in wanted})
        for key in rewalks & self._trees.keys():
            if self._trees[key].phase is not Phase.MISSING:
                self._begin(self._trees[key])

    def _follow(self, wanted: dict[str, Target]) -> None:
        for key, tree in list(self._trees.items()):
            target = wanted.get(key)
            if target is None or type(target) is not type(tree.target) or target.path != tree.target.path:
                self._release(tree)
                self._gathering.forget(key)
                del self._trees[key]
        new: list[Tree] = []
        for key, target in wanted.items():
            known = self._trees.get(key)
            if known:
                self._renew(known, target)
            else:
                self._trees[key] = Tree(target, str(target.path))
                new.append(self._trees[key])
        for tree in sorted(new, key=lambda tree: not tree.is_git):  # they are small and matter most
            self._begin(tree, tree.target.since if isinstance(tree.target, WorktreeTarget) else None)

    def _renew(self, tree: Tree, target: Target) -> None:
        """The same tree, perhaps with other nested directories; and a chance to see that its root has changed."""
        before, tree.target = tree.target, target
        if tree.phase is Phase.MISSING or identity(tree) != tree.identity:
            self._look_for(tree)
        if isinstance(before, WorktreeTarget) and isinstance(target, WorktreeTarget):
            if tree.phase is Phase.POLLED and before.hot != target.hot:
                self._warm(tree)
            if tree.phase is not Phase.STANDING:
                if before.nested != target.nested and tree.phase is not Phase.MISSING:
                    self._begin(tree)
                return
            for directory in target.nested - before.nested:
                self._source.drop(tree, directory)
            if before.nested - target.nested:
                self._work.add(tree, self._source.grow(tree, sorted(before.nested - target.nested)))

    # The life of a tree

    def _begin(self, tree: Tree, since: Moment | None = None) -> None:
        """Watch it from scratch, or poll it."""
        self._release(tree)
        tree.ignored.clear()
        tree.remote, tree.since = False, since
        if not identify(tree):
            self._lose(tree)
        elif self._no_source or self._source.name == Nothing.name:
            self._poll(tree, self._no_source)
        elif is_remote(tree.root, mounts()):
            tree.remote = True
            self._poll(tree, _REMOTE)
        elif self._source.room() == 0:
            self._poll(tree, _TOO_FEW)
        else:
            tree.phase = Phase.SETTING_UP
            self._set_up(tree)

    def _set_up(self, tree: Tree) -> None:
        self._source.expect(tree)
        self._work.add(tree, self._stand(tree))

    def _stand(self, tree: Tree) -> Work:
        if self._room_beside(tree) < needed(tree, self._trees.values(), self._poller):
            self._poll(tree, _TOO_FEW)
            return
        yield from self._source.stand(tree)
        tree.phase, tree.delay = Phase.STANDING, 0.0
        self._poller.discard(tree)
        self._note(tree, "")
        if tree.since is None or not self._source.looks_back:
            self._gathering.everything(tree)

    def _room_beside(self, tree: Tree) -> int:
        """How many watches there are for it as a whole, when others get what is hot in them."""
        return self._source.room() - (0 if tree.is_git else reserved(tree, self._trees.values()))

    def _poll(self, tree: Tree, problem: str) -> None:
        """Poll it, whether it was watched, was to be watched, or is polled already."""
        if tree.phase is Phase.STANDING:
            tree.since = self._taken if tree not in self._work else None
        self._source.drop(tree)
        self._work.cancel(tree)
        tree.phase, tree.delay = Phase.POLLED, 0.0
        if tree not in self._poller:
            self._poller.add(tree)
        self._retry_at = time.monotonic() + self._retry_every
        self._note(tree, problem)
        if not tree.remote:
            self._warm(tree)

    def _warm(self, tree: Tree) -> None:
        """Watch what is hot in a tree that is polled."""
        directories = hot_directories(tree, len(self._poller), self._source.room() + self._source.watches())
        if directories and tree.since is None:
            tree.since = now()
            self._gathering.everything(tree)
        if directories:
            self._work.add(tree, self._try_to_warm(tree, directories))

    def _try_to_warm(self, tree: Tree, directories: list[str]) -> Work:
        """What is hot comes before what is watched as a whole; where nothing is left it is polled like the rest."""
        while True:
            try:
                yield from self._source.warm(tree, directories)
            except Full:
                self._full_until = time.monotonic() + self._retry_every
                giving = givers(self._trees.values(), 1, math.inf)
                if not giving:
                    return
                self._poll(giving[0], _TOO_FEW)
            else:
                return

    def _lose(self, tree: Tree, problem: str = "") -> None:
        """Its root is gone or can't be read: say so once, and look for it from time to time."""
        self._release(tree)
        if not tree.delay:
            self._gathering.everything(tree)
        tree.delay = min(tree.delay * 2, self._poll_every) if tree.delay else SOON
        self._looks[tree] = time.monotonic() + tree.delay
        self._note(tree, problem)

    def _release(self, tree: Tree) -> None:
        """Neither watch nor poll it."""
        self._source.drop(tree)
        self._poller.discard(tree)
        self._looks.pop(tree, None)
        self._work.cancel(tree)
        tree.phase = Phase.MISSING
        self._note(tree, "")

    def _fail(self, tree: Tree, error: Exception) -> None:
        """Its work could not be done."""
        if isinstance(error, Full):
            if tree.phase is Phase.STANDING:
                tree.phase, tree.since = Phase.SETTING_UP, None  # what it was to look into has been told in part
            tree.reached = max(tree.reached, len(tree.directories))
            self._full_until = time.monotonic() + self._retry_every
            self._poll(tree, _TOO_FEW)
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
        return bool(self._no_source) or (
            self._source.name != Nothing.name and any(not tree.remote for tree in self._poller)
        )

    def _retry(self) -> None:
        """Go back from polling to watching, as far as there is room."""
        self._retry_at = time.monotonic() + self._retry_every
        if self._no_source:
            self._start_over()
            return
        claimed = 0
        for tree in sorted(self._poller, key=lambda tree: -max(tree.active, tree.stirred)):
            if tree.remote or self._poller.size(tree) is None or tree in self._work:
                continue
            size = needed(tree, self._trees.values(), self._poller)
            if size <= self._room_beside(tree) - claimed:
                claimed += size
                self._set_up(tree)
            elif tree.group in at_work(self._trees.values()):
                self._promote(tree)

    def _promote(self, tree: Tree) -> None:
        """Something happened in a polled tree: watch it, if need be in place of trees that have long been quiet."""
        if tree.remote or self._poller.size(tree) is None or self._source.name == Nothing.name or tree in self._work:
            return
        size, instant = needed(tree, self._trees.values(), self._poller), time.monotonic()
        room = 0 if instant < self._full_until else self._room_beside(tree)
        giving = givers(self._trees.values(), size - room, instant - self._retry_every)
        if room >= size or giving:
            for other in giving:
                self._poll(other, _TOO_FEW)
            self._set_up(tree)

    def _start_over(self) -> None:
        """Events were lost, or there may be a source again: watch everything anew, which ends in a rescan."""
        self._work.clear()
        with self._lock:
            self._source.close()
            self._source = self._best_source()
        for tree in list(self._trees.values()):
            if tree.phase is not Phase.MISSING:
                self._begin(tree)

    def _best_source(self) -> Source:
        try:
            source = self._open_source()
        except OSError as error:
            self._no_source = f"File changes cannot be watched here ({error.strerror or error}), {_LATE}"
            return Nothing()
        self._no_source = ""
        return source

    def _note(self, tree: Tree, problem: str) -> None:
        """Keep what `report` says up to date."""
        others = {key: text for key, text in self._problems.items() if key != tree.key}
        self._problems = others | ({tree.key: problem} if problem else {})
        self._polled = frozenset(polled.key for polled in self._poller)
