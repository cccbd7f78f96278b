"""Choose the way of watching for this machine."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable

from sidecar.watch.backend import Backend
from sidecar.watch.batching import Batcher
from sidecar.watch.events import Batch
from sidecar.watch.scarcity import LATE
from sidecar.watch.watcher import Watcher


def open_watcher(
    on_batch: Callable[[Batch], None],
    on_settled: Callable[[], None] = lambda: None,
    *,
    backend: str = "auto",
    quiet: float = 0.01,
    longest: float = 0.25,
    poll_every: float = 2.0,
    max_watches: int | None = None,
    retry_every: float = 60.0,
) -> Watcher:
    """Open a watcher that follows nothing yet. `on_batch` is called on its thread; what it raises is logged.

    on_settled: called there too, whenever it has come to rest after watching more or less than before.

    backend: "inotify", "watchfiles", "polling", or "auto": inotify on Linux, watchfiles elsewhere. Whatever can't be
      had is replaced by polling, and `Watcher.report` says so.
    quiet, longest: seconds to gather events before they are told: until quiet, and at most `longest`; while git holds
      a worktree's index.lock at most 2 s (see `sidecar.watch.batching`).
    poll_every: seconds between two looks at what is polled; more when the looks take long.
    max_watches: how many inotify watches to use at most; None: three quarters of fs.inotify.max_user_watches.
    retry_every: seconds after which watching is tried again for what is polled, and after which a worktree without
      changes may lose its watches to a polled one with changes.
    """
    batcher = Batcher(quiet, longest)
    return Watcher(
        lambda: _open_backend(backend, batcher, max_watches),
        batcher,
        on_batch,
        on_settled,
        poll_every=poll_every,
        retry_every=retry_every,
    )


def _open_backend(backend: str, batcher: Batcher, max_watches: int | None) -> Backend:
    """Open the way of watching of this name; one that can't be had is replaced by polling, which says why."""
    if backend == "auto":
        backend = "inotify" if sys.platform == "linux" else "watchfiles"
    try:
        if backend == "inotify":
            from sidecar.watch.inotify_backend import InotifyBackend, most_watches

            return InotifyBackend(batcher, most_watches() if max_watches is None else max_watches)
        if backend == "watchfiles":
            from sidecar.watch.watchfiles_backend import WatchfilesBackend

            return WatchfilesBackend(batcher)
    except OSError as error:
        why = "the limit fs.inotify.max_user_instances is reached" if error.errno == errno.EMFILE else error.strerror
        return Backend(f"File changes cannot be watched here ({why or error}), {LATE}")
    if backend == "polling":
        return Backend()
    raise ValueError(f"There is no way of watching named {backend!r}.")
