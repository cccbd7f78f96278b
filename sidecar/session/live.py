"""Keep a repository in view: events in from any thread, Pictures out from one.

Beside the Picture there is what the guard keeps (each worktree as trees), and a note for `sidecar status` about the
watching, in the quarantine, so that it ends with the session.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sidecar.git.config import Config
from sidecar.git.objects import read_blob
from sidecar.git.process import GitError
from sidecar.model.changes import Entry
from sidecar.model.findings import Failure
from sidecar.model.hunks import Hunk
from sidecar.model.picture import Broken, BrokenUse, Picture, Undone, WatchNote, Worktree
from sidecar.model.settings import Options
from sidecar.session.background import Foreground
from sidecar.session.broken import with_broken
from sidecar.session.broken_uses import BreakingUses
from sidecar.session.intended import IntendedRecord
from sidecar.session.pending import Pending
from sidecar.session.proof import Integrating
from sidecar.session.reader import Sources, open_sources
from sidecar.session.reading import Reading
from sidecar.session.repository_state import SETTINGS, RepositoryState
from sidecar.session.sizes import Measuring
from sidecar.session.undoing import Undoing
from sidecar.session.unsaved import Unsaved
from sidecar.session.watch_notes import leave_note
from sidecar.watch.events import Batch
from sidecar.watch.open import open_watcher
from sidecar.watch.watcher import Watcher

log = logging.getLogger(__name__)

QUIET = 0.003
"""Seconds without another event after which a change is looked at; one that comes later is just another look."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look found: the Picture, the worktrees as they were read, and the sources that its objects are in."""

    sources: Sources
    readings: tuple[Reading, ...]
    picture: Picture


class Session:
    """The live picture of one repository; `open_session` makes one.

    `opened` are the files that an editor has had open, by absolute path.
    """

    def __init__(
        self, folder: Path, options: Options, sources: Sources, on_picture: Callable[[Picture], None], here: Path
    ) -> None:
        self.repository = sources.repository.common_dir
        self.picture: Picture | None = None
        self.settings = self._told_settings = sources.settings
        self._state = RepositoryState(folder, options, sources, self._on_finished, here)
        self.foreground = Foreground()
        self._integrating = Integrating(folder, options, self.foreground, self._on_finished)
        self._measuring = Measuring(folder, options, self.foreground, self._on_finished)
        intended = IntendedRecord(self.repository)
        self._undoing = Undoing(lambda: self._state.sources, intended, self.foreground, self._on_finished)
        self._breaking = BreakingUses(lambda: self._state.sources, self.foreground, self._on_finished)
        self._on_picture = on_picture
        self._pending = Pending()
        self._unsaved: dict[str, Unsaved] = {}
        self.opened: set[str] = set()
        self._followed: tuple[object, ...] = ()
        self._seen: Seen | None = None
        self._on_look: list[Callable[[Picture], None]] = []
        self._tried: Mapping[str, tuple[Broken, ...]] = {}
        self._watched: tuple[Worktree, ...] = ()
        self._told = threading.Condition()
        self._closed = self._idle = False
        self._begun = self._done = 0
        self._noted: tuple[Path, WatchNote] | None = None
        self._watcher = self._open_watcher(sources)
        self._thread = threading.Thread(target=self._run, name="sidecar-session", daemon=True)
        self._thread.start()

    def set_unsaved(self, path: str, text: str | None, version: int) -> None:
        """Take the editor's text of a file (absolute path), None when it is closed; return at once."""
        with self._told:
            if text is None:
                self._unsaved.pop(path, None)
            else:
                self._unsaved[path] = Unsaved(text.encode("utf-8", "surrogatepass"), version)
                self.opened.add(path)
            self._pending.unsaved = True
            self._tell()

    def refresh(self) -> None:
        """Look again at everything; returns at once."""
        with self._told:
            self._pending.everything = True
            self._tell()

    def content(self, entry: Entry) -> bytes | None:
        """Give the content of a side's `before` or `after`; None when it is not to be had."""
        sources = self._state.sources
        try:
            return read_blob(sources.quarantine.objects, entry.oid) if sources is not None else None
        except GitError:
            return None

    def hunks(self, before: Entry, after: Entry) -> tuple[Hunk, ...]:
        """Give git's hunks between two files; none where they can't be compared. Any thread, and mostly remembered."""
        sources = self._state.sources
        if sources is None or not (before.is_file and after.is_file):
            return ()
        try:
            return sources.trees.hunks(before.oid, after.oid)
        except GitError:
            return ()

    def follow(self, on_look: Callable[[Picture], None]) -> None:
        """Call a function after every look, also one that changes no Picture; on the session's thread."""
        self._on_look.append(on_look)
        if self.picture is not None:
            on_look(self.picture)

    def take_broken(self, found: Mapping[str, tuple[Broken, ...]]) -> None:
        """Take what merges of the worktrees of these keys break, instead of what was known; any thread."""
        self._tried = found
        self._on_finished()

    def seen(self) -> Seen | None:
        """Give what the newest look found; any thread. Its sources may be closed any time, and then raise GitError."""
        return self._seen

    def settle(self, seconds: float) -> Picture | None:
        """Give the Picture of all that has happened by now, what is proved and taken back beside; None in any doubt.

        That is where changes are not all told, editors' unsaved text takes part, or it takes too long. Where git's
        directories or the configuration may not be as they were, git is asked again, because what is new there may be
        told a moment later. Not for the session's own thread.
        """
        end = time.monotonic() + seconds
        if not self._watcher.catch_up(seconds):
            return None
        as_listed = self.is_as_listed
        with self._told:
            wanted = self._begun
            if not as_listed:
                self._pending.refs, wanted = True, wanted + 1
                self._tell()
            settled = self._told.wait_for(
                lambda: self._closed or (self._done >= wanted and self._is_idle and not self._state.is_reading),
                max(0.0, end - time.monotonic()),
            )
            picture, sources = self.picture, self._state.sources
            if not settled or self._closed or picture is None or picture.problem is not None or sources is None:
                return None
            return None if sources.judge.looked_at or self._state.has_typed else picture

    @property
    def is_as_listed(self) -> bool:
        """Tell whether git would list worktrees, refs and configuration as it did last; any thread."""
        return self._state.marks.are_as_kept()

    @property
    def _is_idle(self) -> bool:
        """Tell whether all that was told has been looked at; while `_told` is held."""
        return self._idle and not self._pending

    def configuration(self) -> Config | None:
        """Give the repository's configuration as it was last read; any thread."""
        sources = self._state.sources
        return sources.repository.config if sources is not None else None

    def proved(self, picture: Picture) -> Picture | None:
        """Give the Picture with every proof of it, those too that came after it; None while one is looked for."""
        return self._integrating.proved(picture)

    def taken_back(self, picture: Picture, key: str) -> tuple[Undone, ...] | None:
        """Give all that a worktree of a Picture takes back of trunk; None without an answer. Any thread."""
        state = next((state for state in picture.worktrees if state.worktree.key == key), None)
        return None if state is None else self._undoing.of(state, picture.trunk)

    def broken_uses(self, picture: Picture, only: str | None = None) -> tuple[BrokenUse, ...]:
        """Give the broken uses of a Picture, those of one worktree alone by its key, and wait for them; any thread."""
        return self._breaking.now(picture, only)

    def touching(self, picture: Picture, go_on: Callable[[], bool]) -> frozenset[tuple[str, str]] | None:
        """Give who changes definitions that who newly uses (two worktrees' keys, sorted); None where not to `go_on`."""
        return self._breaking.touching(picture, go_on)

    def watch_report(self) -> tuple[str, int]:
        """Give (how changes are noticed, how many watches that takes)."""
        report = self._watcher.report()
        return report.backend, report.watches

    def close(self) -> None:
        """End the watching and every process; no Picture comes afterwards. Closing twice is fine."""
        with self._told:
            self._closed = True
            self._state.hurry(end=True)
            self._told.notify_all()
        self._watcher.close()
        self._integrating.close()
        self._measuring.close()
        self._undoing.close()
        self._breaking.close()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _open_watcher(self, sources: Sources) -> Watcher:
        limit = int(sources.settings["maxWatches"])  # type: ignore[arg-type]
        backend = str(sources.settings["watcher"])
        return open_watcher(self._on_batch, self._on_finished, backend=backend, quiet=QUIET, max_watches=limit or None)

    def _texts(self) -> dict[str, Unsaved]:
        with self._told:
            return dict(self._unsaved)

    def _on_batch(self, batch: Batch) -> None:
        with self._told:
            self._pending.refs = self._pending.refs or bool(batch.git)
            self._pending.settings = self._pending.settings or SETTINGS in batch.git
            self._pending.whole |= self._state.keys_of(batch.git)
            self._pending.rescans |= batch.rescan
            for key, paths in batch.files.items():
                self._pending.paths.setdefault(key, set()).update(paths)
            self._tell()

    def _on_finished(self) -> None:
        """Note that something is ready on another thread, so that a look takes it in."""
        with self._told:
            self._pending.finished = True
            self._told.notify_all()

    def _tell(self) -> None:
        self.foreground.enter("session")
        self._state.hurry()
        self._told.notify_all()

    def _note_watching(self) -> None:
        """Say for `sidecar status` how many watches there are; on the thread that also ends the quarantine."""
        sources = self._state.sources
        if sources is None or not self._followed:
            return  # the watcher may speak before there is anything to say
        report, followed = self._watcher.report(), self._state.readings.keys()
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
                    self._state.close()
                    self._publish(self._broken("The sidecar could not read the repository. Its log says why."))
        finally:
            self._state.close()

    def _next(self) -> Pending | None:
        """Wait for something to look at; None when the session ends."""
        with self._told:
            self._done, self._idle = self._begun, not self._pending
            if not self._pending:
                self.foreground.leave("session")
                self._told.notify_all()
            self._told.wait_for(lambda: self._pending or self._closed)
            pending, self._pending = self._pending, Pending(everything=False)
            self._begun, self._idle = self._begun + 1, False
            self._state.take_time()
            return None if self._closed else pending

    def _look(self, pending: Pending) -> None:
        sources = self._state.sources
        seen = self._state.look(pending, self._texts)
        self.settings = self._state.sources.settings if self._state.sources is not None else self.settings
        reshaped = set(self._state.readings) if self._state.sources is not sources else set(pending.reshaped())
        mended = self._follow()
        self._note_watching()
        for key in reshaped | mended:
            self._watcher.rewalk(key)
        self._publish(self._broken(seen.message) if isinstance(seen, Failure) else seen)
        if self.picture is not None and self._state.sources is not None:
            self._seen = Seen(self._state.sources, tuple(self._state.readings.values()), self.picture)
            for on_look in self._on_look:
                on_look(self.picture)

    def _follow(self) -> set[str]:
        """Watch what there is and, where watches are scarce, what matters now; gives what is whole again."""
        if self._state.sources is None:
            return set()  # what is watched now is where the repository will come back
        worktrees, before, state = self._state.worktrees, self._watched, self._state
        hot = state.hot if self._watcher.report().polled else None
        wanted = (worktrees, state.unlisted, state.files, hot)
        if wanted != self._followed:
            self._followed, self._watched = wanted, worktrees
            self._watcher.follow(list(self._state.targets()))
        return (_whole(worktrees) - _whole(before)) & {one.key for one in before}

    def _broken(self, problem: str) -> Picture:
        return Picture(0, self.repository, None, problem=problem)

    def _publish(self, picture: Picture) -> None:
        picture = self._undoing.known(self._measuring.known(self._integrating.known(picture)))
        picture = with_broken(picture, self._tried)
        picture = self._breaking.known(picture)
        self._publish_new(picture)
        self._undoing.look(picture)
        self._breaking.look(picture)
        self._integrating.prove(picture)
        self._measuring.measure(picture)

    def _publish_new(self, picture: Picture) -> None:
        number = self.picture.number if self.picture is not None else 0
        before = self.picture
        same = before is not None and replace(picture, number=number) == before
        same = same and self.settings == self._told_settings
        if before is not None and same and _found_beside(picture) == _found_beside(before):
            return
        self._told_settings = self.settings
        self.picture = replace(picture, number=number + 1)
        if not self._closed:
            self._on_picture(self.picture)


def _found_beside(picture: Picture) -> list[object]:
    """Give the parts of a Picture that are found later, and that its equality leaves out."""
    return [picture.broken_uses, *((state.bytes, state.undone, state.broken) for state in picture.worktrees)]


def _whole(worktrees: Iterable[Worktree]) -> set[str]:
    return {worktree.key for worktree in worktrees if worktree.problem is None}


def open_session(
    folder: Path, options: Options, on_picture: Callable[[Picture], None], here: Path | None = None
) -> Session | Failure:
    """Give a session for the repository that a folder lies in; `on_picture` is called on its thread, one at a time.

    The worktree of `here`, the folder's own where it is not given, is read first.
    """
    sources = open_sources(folder, options)
    if isinstance(sources, Failure):
        return sources
    return Session(folder, options, sources, on_picture, here or folder)
