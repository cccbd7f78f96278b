"""Chooses the way of watching for this machine."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable

from sidecar.watch.events import Batch, Watcher
from sidecar.watch.gathering import Gathering
from sidecar.watch.loop import Loop
from sidecar.watch.source import Nothing, Source


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
    """A watcher that follows nothing yet. `on_batch` is called on its thread; what it raises is logged.

    on_settled: called there too, whenever it has come to rest after watching more or less than before.

    backend: "inotify", "watchfiles", "polling", or "auto": inotify on Linux, watchfiles elsewhere. Whatever can't be
      had is replaced by polling, and `Watcher.report` says so.
    quiet, longest: seconds to gather events before they are told: until quiet, and at most `longest`; while git holds
      a worktree's index.lock at most 2 s (see `sidecar.watch.gathering`).
    poll_every: seconds between two looks at what is polled; more when the looks take long.
    max_watches: how many inotify watches to use at most; None: three quarters of fs.inotify.max_user_watches.
    retry_every: seconds after which watching is tried again for what is polled, and after which a worktree without
      changes may lose its watches to a polled one with changes.
    """
    gathering = Gathering(quiet, longest)
    return Loop(
        lambda: _open_source(backend, gathering, max_watches),
        gathering,
        on_batch,
        on_settled,
        poll_every=poll_every,
        retry_every=retry_every,
    )


def _open_source(backend: str, gathering: Gathering, max_watches: int | None) -> Source:
    if backend == "auto":
        backend = "inotify" if sys.platform == "linux" else "watchfiles"
    if backend == "inotify":
        from sidecar.watch.inotify import Inotify, most_watches  # only on Linux

        try:
            return Inotify(gathering, most_watches() if max_watches is None else max_watches)
        except OSError as error:
            if error.errno == errno.EMFILE:
                error.strerror = "the limit fs.inotify.max_user_instances is reached"
            raise
    if backend == "watchfiles":
        from sidecar.watch.notify import Notify  # a binary that inotify does without

        return Notify(gathering)
    if backend == "polling":
        return Nothing()
    raise ValueError(f"There is no way of watching named {backend!r}.")
