"""Whole worktrees are read beside the session's thread, so that a save does not wait for `git status` elsewhere."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue

from sidecar.model.picture import Worktree
from sidecar.session.reading import Reading, read_worktree
from sidecar.session.sources import Sources

AT_MOST = max(1, min(4, os.cpu_count() or 1))
"""How many worktrees are read at a time while nothing is known; git uses several threads for each."""

BESIDE = max(1, AT_MOST // 2)
"""How many at a time later on, when there is other work to do."""


@dataclass(slots=True)
class _Job:
    """A reading that is asked for; `changed` are the paths told since it began, `again` that it began too early."""

    worktree: Worktree
    urgent: bool
    has_begun: bool = False
    changed: set[str] = field(default_factory=set)
    again: bool = False
    result: Reading | Exception | None = None


class Readers:
    """Reads worktrees, each once at a time. Everything but the reading happens on the thread that asks.

    `on_finished` is called on another thread whenever there is something to `take`.
    """

    def __init__(self, sources: Sources, on_finished: Callable[[], None]) -> None:
        self._sources = sources
        self._on_finished = on_finished
        self._jobs: dict[str, _Job] = {}
        self._news = threading.Condition()
        self._closing = False
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"sidecar-read-{number}", daemon=True) for number in range(AT_MOST)
        ]
        for thread in self._threads:
            thread.start()

    def ask(self, worktree: Worktree, *, urgent: bool) -> None:
        """Read this worktree; if it is being read now, once more afterwards."""
        job = self._jobs.get(worktree.key)
        if job is None:
            self._jobs[worktree.key] = _Job(worktree, urgent)
        else:
            job.worktree, job.urgent, job.again = worktree, job.urgent or urgent, job.has_begun

    def awaited(self, key: str) -> Worktree | None:
        """The worktree of that key as it is going to be read; None when nobody asked."""
        job = self._jobs.get(key)
        return job.worktree if job is not None else None

    def note(self, key: str, paths: Iterable[str]) -> None:
        """These paths have just changed; a reading that has begun may not have seen it."""
        job = self._jobs.get(key)
        if job is not None and job.has_begun:
            job.changed.update(paths)

    def keep(self, keys: Container[str]) -> None:
        """Whatever is asked of other worktrees is not wanted any more."""
        self._jobs = {key: job for key, job in self._jobs.items() if key in keys}

    def begin(self, at_most: int) -> None:
        """Have as many read now as may be at a time."""
        running = sum(job.has_begun and job.result is None for job in self._jobs.values())
        waiting = [job for job in self._jobs.values() if not job.has_begun]
        for job in sorted(waiting, key=lambda job: not job.urgent)[: max(0, at_most - running)]:
            job.has_begun = True
            self._queue.put(job)

    def take(self) -> Iterator[tuple[Reading, frozenset[str]]]:
        """(what has been read, the paths that changed meanwhile), each once; raises what went wrong in it."""
        for key, job in list(self._jobs.items()):
            if job.result is None:
                continue
            del self._jobs[key]
            if job.again:
                self._jobs[key] = _Job(job.worktree, job.urgent)
            if isinstance(job.result, Exception):
                raise job.result
            yield job.result, frozenset(job.changed)

    def wait(self, keys: Iterable[str], seconds: float, at_most: int, is_hurried: Callable[[], bool]) -> None:
        """Until what is asked of these is read, so many seconds have passed, or `is_hurried` (`hurry` has it asked)."""
        end = time.monotonic() + seconds
        while True:
            self.begin(at_most)
            with self._news:
                left = end - time.monotonic()
                if (
                    left <= 0
                    or is_hurried()
                    or not any(key in self._jobs and self._jobs[key].result is None for key in keys)
                ):
                    return
                self._news.wait(left)

    def hurry(self) -> None:
        """Whoever waits should look up; any thread."""
        with self._news:
            self._news.notify_all()

    def close(self) -> None:
        """Ask no more, and wait until nothing is read any more."""
        self._jobs.clear()
        self._closing = True
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        """One of the threads that read; what is asked for when the end is near is not begun."""
        while (job := self._queue.get()) is not None:
            if self._closing:
                continue
            try:
                job.result = read_worktree(self._sources, job.worktree)
            except Exception as error:
                job.result = error
            self.hurry()
            self._on_finished()
