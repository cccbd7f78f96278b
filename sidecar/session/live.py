"""A repository that is kept in view: events in from any thread, Pictures out from one."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sidecar.git.objects import read_blob
from sidecar.git.process import GitError
from sidecar.model.changes import Entry
from sidecar.model.findings import Failure
from sidecar.model.picture import Picture
from sidecar.model.watch_note import WatchNote
from sidecar.session.aside import Foreground
from sidecar.session.integrating import Integrating
from sidecar.session.measuring import Measuring, sizes_of
from sidecar.session.sources import Options, Sources, open_sources
from sidecar.session.unsaved import Unsaved
from sidecar.session.view import Pending, View
from sidecar.session.watch_notes import leave_note
from sidecar.watch.events import Batch, Watcher
from sidecar.watch.open import open_watcher

log = logging.getLogger(__name__)

QUIET = 0.003
"""Seconds without another event after which a change is looked at; one that comes later is just another look."""


class Session:
    """The live picture of one repository; `open_session` makes one."""

    def __init__(self, folder: Path, options: Options, sources: Sources, on_picture: Callable[[Picture], None]) -> None:
        self.repository = sources.repository.common_dir
        self.picture: Picture | None = None
        self._view = View(folder, options, sources, self._on_read)
        self.foreground = Foreground()
        self._integrating = Integrating(folder, options, self.foreground, self._on_read)
        self._measuring = Measuring(folder, options, self.foreground, self._on_read)
        self._on_picture = on_picture
        self._pending = Pending()
        self._unsaved: dict[str, Unsaved] = {}
        self._followed: tuple[object, ...] = ()
        self._told = threading.Condition()
        self._closed = False
        self._noted: tuple[Path, WatchNote] | None = None
        self._watcher = self._open_watcher(sources)
        self._thread = threading.Thread(target=self._run, name="sidecar-session", daemon=True)
        self._thread.start()

    def set_unsaved(self, path: str, text: str | None, version: int) -> None:
        """The editor's text of a file (absolute path), None when it is closed; returns at once."""
        with self._told:
            if text is None:
                self._unsaved.pop(path, None)
            else:
                self._unsaved[path] = Unsaved(text.encode("utf-8", "surrogatepass"), version)
            self._pending.unsaved = True
            self._tell()

    def refresh(self) -> None:
        """Look again at everything; returns at once."""
        with self._told:
            self._pending.everything = True
            self._tell()

    def content(self, entry: Entry) -> bytes | None:
        """The content of a side's `before` or `after`; None when it is not to be had."""
        sources = self._view.sources
        try:
            return read_blob(sources.quarantine.objects, entry.oid) if sources is not None else None
        except GitError:
            return None

    def watch_report(self) -> tuple[str, int]:
        """(how changes are noticed, how many watches that takes)."""
        report = self._watcher.report()
        return report.backend, report.watches

    def close(self) -> None:
        """End the watching and every process; no Picture comes afterwards. Closing twice is fine."""
        with self._told:
            self._closed = True
            self._view.hurry(end=True)
            self._told.notify()
        self._watcher.close()
        self._integrating.close()
        self._measuring.close()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _open_watcher(self, sources: Sources) -> Watcher:
        limit = int(sources.settings["maxWatches"])  # type: ignore[arg-type]
        backend = str(sources.settings["watcher"])
        return open_watcher(self._on_batch, self._on_read, backend=backend, quiet=QUIET, max_watches=limit or None)

    def _texts(self) -> dict[str, Unsaved]:
        with self._told:
            return dict(self._unsaved)

    def _on_batch(self, batch: Batch) -> None:
        with self._told:
            self._pending.refs = self._pending.refs or bool(batch.git)
            self._pending.whole |= self._view.keys_of(batch.git)
            self._pending.rescans |= batch.rescan
            for key, paths in batch.files.items():
                self._pending.paths.setdefault(key, set()).update(paths)
            self._tell()

    def _on_read(self) -> None:
        """Something is ready on another thread, that a look takes in."""
        with self._told:
            self._pending.read = True
            self._told.notify()

    def _tell(self) -> None:
        self.foreground.enter("session")
        self._view.hurry()
        self._told.notify()

    def _note_watching(self) -> None:
        """Say for `sidecar status` how many watches there are; on the thread that also ends the quarantine."""
        sources = self._view.sources
        if sources is None or not self._followed:
            return  # the watcher may speak before there is anything to say
        report, followed = self._watcher.report(), self._view.readings.keys()
        polled = len(report.polled & followed)
        note = WatchNote(self.repository, os.getpid(), report.backend, report.watches, len(followed), polled)
        if (sources.quarantine.root, note) != self._noted:
            self._noted = (sources.quarantine.root, note)
            leave_note(*self._noted)

    def _run(self) -> None:
        """Look whenever something is pending, until closed; whatever goes wrong is shown, and the next event helps."""
        try:
            while (pending := self._next()) is not None:
                try:
                    self._look(pending)
                except Exception:
                    log.exception("a look failed")
                    self._view.close()
                    self._publish(self._broken("The sidecar could not read the repository. Its log says why."))
        finally:
            self._view.close()

    def _next(self) -> Pending | None:
        """Wait for something to look at; None when the session ends."""
        with self._told:
            if not self._pending:
                self.foreground.leave("session")
            self._told.wait_for(lambda: self._pending or self._closed)
            pending, self._pending = self._pending, Pending(everything=False)
            self._view.take_time()
            return None if self._closed else pending

    def _look(self, pending: Pending) -> None:
        sources = self._view.sources
        seen = self._view.look(pending, self._texts)
        reshaped = set(self._view.readings) if self._view.sources is not sources else set(pending.reshaped())
        self._follow()
        self._note_watching()
        for key in reshaped:
            self._watcher.rewalk(key)
        self._publish(self._broken(seen.message) if isinstance(seen, Failure) else seen)

    def _follow(self) -> None:
        """Have watched what there is, and, where watches are scarce, what has become important."""
        if self._view.sources is None:
            return  # what is watched now is where the repository will come back
        worktrees = tuple(reading.worktree for reading in self._view.readings.values())
        wanted = (worktrees, self._view.hot if self._watcher.report().polled else None)
        if wanted != self._followed:
            self._followed = wanted
            self._watcher.follow(list(self._view.targets()))

    def _broken(self, problem: str) -> Picture:
        return Picture(0, self.repository, None, problem=problem)

    def _publish(self, picture: Picture) -> None:
        picture = self._measuring.known(self._integrating.known(picture))
        self._publish_new(picture)
        self._integrating.prove(picture)
        self._measuring.measure(picture)

    def _publish_new(self, picture: Picture) -> None:
        number = self.picture.number if self.picture is not None else 0
        before = self.picture
        same = before is not None and replace(picture, number=number) == before
        if before is not None and same and sizes_of(picture) == sizes_of(before):
            return
        self.picture = replace(picture, number=number + 1)
        if not self._closed:
            self._on_picture(self.picture)


def open_session(folder: Path, options: Options, on_picture: Callable[[Picture], None]) -> Session | Failure:
    """A session for the repository that a folder lies in; `on_picture` is called on its thread, one at a time."""
    sources = open_sources(folder, options)
    if isinstance(sources, Failure):
        return sources
    return Session(folder, options, sources, on_picture)
