"""Note which files are opened while something runs: what a command read, of all that it could have read.

Only where inotify(7) is. Elsewhere, and where there are too many directories or events, it is not complete.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_FOLDERS = 8192
"""How many directories are watched at the most, of all that the system allows to all programs."""

LOOK_AROUND = 100
"""Milliseconds between two looks at whether it is over."""


@dataclass(slots=True)
class Openings:
    """What was opened directly in some directories.

    `opened` are files, `read` those of them that were closed by one who could not write them, and `listed` the
    directories that were opened themselves. It is `complete` once the block has ended, if everything could be seen.
    """

    complete: bool = False
    opened: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    listed: set[str] = field(default_factory=set)


@contextlib.contextmanager
def note_openings(folders: Iterable[str], on_open: Callable[[str], None] = lambda _path: None) -> Iterator[Openings]:
    """Note what is opened directly in each of these directories while the block runs.

    `on_open` is called from a thread with every file that is opened, a moment after that.
    """
    found = Openings()
    with contextlib.ExitStack() as stack:
        watching = _watch(stack, tuple(dict.fromkeys(folders)))
        if watching is None:
            yield found
            return
        inotify, watches = watching
        over, missed = threading.Event(), threading.Event()

        def follow() -> None:
            while not over.is_set():
                _gather(inotify.read(timeout=LOOK_AROUND), watches, found, missed, on_open)
            while events := inotify.read(timeout=0):
                _gather(events, watches, found, missed, on_open)

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            over.set()
            thread.join()
        found.complete = not missed.is_set()


def _watch(stack: contextlib.ExitStack, folders: tuple[str, ...]) -> tuple[Any, Mapping[int, str]] | None:
    """Give an inotify instance and its watches, descriptor -> directory; None where not all of them can be watched."""
    if sys.platform != "linux" or len(folders) > MOST_FOLDERS:
        return None
    from inotify_simple import INotify, flags  # type: ignore[import-untyped]

    mask = flags.OPEN | flags.CLOSE_NOWRITE | flags.ONLYDIR | flags.DONT_FOLLOW
    try:
        inotify = stack.enter_context(INotify(nonblocking=True))
        return inotify, {inotify.add_watch(folder, mask): folder for folder in folders}
    except OSError:
        return None


def _gather(
    events: Iterable[Any],
    watches: Mapping[int, str],
    found: Openings,
    missed: threading.Event,
    on_open: Callable[[str], None],
) -> None:
    from inotify_simple import flags

    for event in events:
        if event.mask & flags.Q_OVERFLOW:
            missed.set()
        elif (folder := watches.get(event.wd)) is None or event.mask & flags.IGNORED:
            continue
        elif not event.name:
            found.listed.add(folder)
        elif not event.mask & flags.ISDIR:
            path = os.path.join(folder, event.name)
            if event.mask & flags.OPEN:
                found.opened.add(path)
                on_open(path)
            else:
                found.read.add(path)
