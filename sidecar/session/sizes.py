"""Measure worktrees beside the session, one at a time and slowly, so that nothing waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sidecar.git.inventory.ignored import measure_worktree
from sidecar.git.repository import Repository, open_repository
from sidecar.model.findings import Failure
from sidecar.model.inventory import Bytes
from sidecar.model.picture import Picture, WorktreeState
from sidecar.model.settings import Options, build_output
from sidecar.session.background import BackgroundJob, Foreground
from sidecar.session.reader import settings_of

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

    def __init__(self, folder: Path, options: Options, foreground: Foreground, on_measured: Callable[[], None]) -> None:
        self._folder = folder
        self._options = options
        self._on_measured = on_measured
        self._sizes: dict[str, tuple[Bytes, float]] = {}
        self._patience = time.monotonic() + PATIENCE
        self._job = BackgroundJob(
            "sidecar-sizes",
            self._measure,
            quiet=QUIET,
            patience=PATIENCE,
            foreground=foreground,
            is_due=self._due,
        )

    def known(self, picture: Picture) -> Picture:
        """Give the Picture with the sizes that are known."""
        sizes = {key: size for key, (size, _) in self._sizes.items()}
        return with_sizes(picture, sizes)

    def measure(self, picture: Picture) -> None:
        """Measure what this Picture shows, when things are quiet; returns at once."""
        self._job.tell(picture)

    def close(self) -> None:
        """End it; closing twice is fine."""
        self._job.close()

    def _due(self, picture: Picture) -> list[WorktreeState]:
        now = time.monotonic()
        return [
            state
            for state in picture.worktrees
            if state.worktree.readable
            and (state.worktree.key not in self._sizes or self._sizes[state.worktree.key][1] + LASTING < now)
        ]

    def _measure(self, picture: Picture) -> None:
        repository = open_repository(self._folder, trust=self._options.trusted)
        if isinstance(repository, Failure):
            return
        patterns = build_output(settings_of(repository, self._options))
        told = time.monotonic()
        news = False
        for state in self._due(picture):
            began = time.monotonic()
            size = measure_worktree(repository, state.worktree, patterns, self._breathe)
            if self._is_disturbed():
                break
            if size is not None:
                before = self._sizes.get(state.worktree.key)
                self._sizes[state.worktree.key] = (size, time.monotonic())
                news = news or before is None or before[0] != size
            if news and time.monotonic() > told + TELL_EVERY:
                self._on_measured()
                told, news = time.monotonic(), False
            self._job.rest(min((time.monotonic() - began) * REST, LONGEST_REST), self._is_disturbed)
            if self._is_disturbed():
                break
        else:
            self._patience = time.monotonic() + PATIENCE
        if news and not self._job.closed:
            self._on_measured()

    def _is_disturbed(self) -> bool:
        """Tell whether this should wait because somebody is at work, or is over."""
        return self._job.closed or (self._job.newest is not None and time.monotonic() < self._patience)

    def _breathe(self) -> bool:
        time.sleep(BREATH)
        return self._job.go_on() and not self._is_disturbed()


def measure_all(
    repository: Repository, states: Sequence[WorktreeState], patterns: Sequence[str], seconds: float
) -> dict[str, Bytes]:
    """Give the sizes of as many worktrees, in their order, as can be measured in this time."""
    end = time.monotonic() + seconds
    sizes = {}
    for state in states:
        if state.worktree.readable and time.monotonic() < end:
            size = measure_worktree(repository, state.worktree, patterns, lambda: time.monotonic() < end)
            if size is not None:
                sizes[state.worktree.key] = size
    return sizes


def with_sizes(picture: Picture, sizes: Mapping[str, Bytes]) -> Picture:
    """Give the Picture with these sizes, by the worktrees' keys."""
    states = tuple(
        replace(state, bytes=sizes[state.worktree.key])
        if state.worktree.key in sizes and state.bytes != sizes[state.worktree.key]
        else state
        for state in picture.worktrees
    )
    return replace(picture, worktrees=states)
