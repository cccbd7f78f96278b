"""How large worktrees are, live: measured beside the session, one at a time and slowly; nothing waits for it."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from sidecar.git.config import sidecar_keys
from sidecar.git.inventory.sizes import measure_worktree
from sidecar.git.repository import Repository, open_repository
from sidecar.model.findings import Failure
from sidecar.model.inventory import Bytes
from sidecar.model.picture import Picture, WorktreeState
from sidecar.model.settings import settle
from sidecar.session.sources import Options

log = logging.getLogger(__name__)

QUIET = 3.0
"""Seconds without a new Picture before measuring begins."""

LASTING = 600.0
"""Seconds for which a size is good, however much changes."""

TELL_EVERY = 5.0
"""Seconds between two Pictures that are made because sizes are known."""

BREATH = 0.008
"""Seconds of rest after every few entries: the session's thread comes first."""

REST, LONGEST_REST = 5, 3.0
"""A measurement that took a second is followed by none for so many, or for so many seconds."""

PATIENCE = 60.0
"""Seconds after which it is measured although things are not quiet."""


class Measuring:
    """Says of each worktree how large it is, once that is known; `on_measured` is called when there is more to say.

    `known` and `measure` are for one thread, `on_measured` is called on another.
    """

    def __init__(self, folder: Path, options: Options, on_measured: Callable[[], None]) -> None:
        self._folder = folder
        self._options = options
        self._on_measured = on_measured
        self._sizes: dict[str, tuple[Bytes, float]] = {}
        self._picture: Picture | None = None
        self._told = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None
        self._patience = time.monotonic() + PATIENCE

    def known(self, picture: Picture) -> Picture:
        """The Picture with the sizes that are known."""
        sizes = {key: size for key, (size, _) in self._sizes.items()}
        return with_sizes(picture, sizes)

    def measure(self, picture: Picture) -> None:
        """Measure what this Picture shows, when things are quiet; returns at once."""
        with self._told:
            if self._closed or not self._due(picture):
                return
            self._picture = picture
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sidecar-sizes", daemon=True)
                self._thread.start()
            self._told.notify()

    def close(self) -> None:
        """End it; closing twice is fine."""
        with self._told:
            self._closed = True
            self._told.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _due(self, picture: Picture) -> list[WorktreeState]:
        now = time.monotonic()
        return [
            state
            for state in picture.worktrees
            if state.worktree.readable
            and (state.worktree.key not in self._sizes or self._sizes[state.worktree.key][1] + LASTING < now)
        ]

    def _run(self) -> None:
        with suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)  # on Linux this is about the thread alone
        while (picture := self._next()) is not None:
            try:
                self._measure(picture)
            except Exception:
                log.exception("sizes could not be measured")

    def _next(self) -> Picture | None:
        """Wait for a Picture with something to measure, and until things are quiet; None when it ends."""
        with self._told:
            self._told.wait_for(lambda: self._closed or self._picture is not None)
            while not self._closed and time.monotonic() < self._patience and self._told.wait(QUIET):
                pass
            picture, self._picture = self._picture, None
            return None if self._closed else picture

    def _measure(self, picture: Picture) -> None:
        repository = open_repository(self._folder, trust=self._options.trusted)
        if isinstance(repository, Failure):
            return
        patterns = disposable(repository, self._options)
        told = time.monotonic()
        news = False
        for state in self._due(picture):
            began = time.monotonic()
            size = measure_worktree(repository, state.worktree, patterns, self._breathe)
            if self._closed or self._is_disturbed():
                break
            if size is not None:
                before = self._sizes.get(state.worktree.key)
                self._sizes[state.worktree.key] = (size, time.monotonic())
                news = news or before is None or before[0] != size
            if news and time.monotonic() > told + TELL_EVERY:
                self._on_measured()
                told, news = time.monotonic(), False
            with self._told:
                rest = min((time.monotonic() - began) * REST, LONGEST_REST)
                if self._told.wait_for(lambda: self._closed or self._is_disturbed(), rest):
                    break
        else:
            self._patience = time.monotonic() + PATIENCE
        if news and not self._closed:
            self._on_measured()

    def _is_disturbed(self) -> bool:
        """Whether somebody is at work, so that this had better wait."""
        return self._picture is not None and time.monotonic() < self._patience

    def _breathe(self) -> bool:
        time.sleep(BREATH)
        return not self._closed and not self._is_disturbed()


def measure_all(
    repository: Repository, states: Sequence[WorktreeState], patterns: Sequence[str], seconds: float
) -> dict[str, Bytes]:
    """The sizes of as many worktrees, in their order, as can be measured in this time."""
    end = time.monotonic() + seconds
    sizes = {}
    for state in states:
        if state.worktree.readable and time.monotonic() < end:
            size = measure_worktree(repository, state.worktree, patterns, lambda: time.monotonic() < end)
            if size is not None:
                sizes[state.worktree.key] = size
    return sizes


def with_sizes(picture: Picture, sizes: Mapping[str, Bytes]) -> Picture:
    """The Picture with these sizes, by the worktrees' keys."""
    states = tuple(
        replace(state, bytes=sizes[state.worktree.key])
        if state.worktree.key in sizes and state.bytes != sizes[state.worktree.key]
        else state
        for state in picture.worktrees
    )
    return replace(picture, worktrees=states)


def sizes_of(picture: Picture) -> list[Bytes | None]:
    """The sizes that a Picture shows, in the order of its worktrees."""
    return [state.bytes for state in picture.worktrees]


def disposable(repository: Repository, options: Options) -> tuple[str, ...]:
    """The patterns of `sidecar.disposable`."""
    patterns = settle(sidecar_keys(repository.config), options.editor)["disposable"]
    return patterns if isinstance(patterns, tuple) else ()
