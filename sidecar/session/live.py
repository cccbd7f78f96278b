"""A repository that is kept in view: events change only what they touch, and every change gives a new Picture."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from sidecar.git.ignore import ignored_directories
from sidecar.git.objects import read_blob
from sidecar.git.process import GitError
from sidecar.git.repository import list_worktrees
from sidecar.git.trunk import find_trunk
from sidecar.model.changes import Entry
from sidecar.model.findings import Failure
from sidecar.model.picture import Picture, Trunk, Worktree, WorktreeState
from sidecar.session.grading import find_overlaps
from sidecar.session.reading import Reading, Unsaved, read_paths, read_worktree, worktree_state
from sidecar.session.sources import Options, Sources, open_sources
from sidecar.session.unsaved import as_saved
from sidecar.watch import Batch, GitTarget, Target, Watcher, WorktreeTarget, open_watcher

log = logging.getLogger(__name__)

MOST_PATHS = 200
"""More changed paths than this in one worktree, and reading all of it is cheaper."""

SHAPING = (".gitignore", ".gitattributes", ".gitmodules")
"""Files that change what other files mean."""


@dataclass(slots=True)
class _Pending:
    """What has been told and not yet been looked at."""

    everything: bool = True
    refs: bool = False
    whole: set[str] = field(default_factory=set)
    paths: dict[str, set[str]] = field(default_factory=dict)
    unsaved: bool = False

    def __bool__(self) -> bool:
        return bool(self.everything or self.refs or self.whole or self.paths or self.unsaved)


class Session:
    """The live picture of one repository. Events may come from any thread; Pictures come from the session's own."""

    def __init__(self, folder: Path, options: Options, sources: Sources, on_picture: Callable[[Picture], None]) -> None:
        self.repository = sources.repository.common_dir
        self.picture: Picture | None = None
        self._folder = folder
        self._options = options
        self._sources = sources
        self._on_picture = on_picture
        self._pending = _Pending()
        self._unsaved: dict[str, Unsaved] = {}
        self._told = threading.Condition()
        self._closed = False
        self._readings: dict[str, Reading] = {}
        self._trunk: Trunk | None = None
        self._watcher = self._open_watcher()
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
            self._told.notify()

    def refresh(self) -> None:
        """Look again at everything; returns at once."""
        with self._told:
            self._pending.everything = True
            self._told.notify()

    def content(self, entry: Entry) -> bytes | None:
        """The content of a side's `before` or `after`; None when it is not to be had."""
        try:
            return read_blob(self._sources.quarantine.objects, entry.oid)
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
            self._told.notify()
        self._watcher.close()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _open_watcher(self) -> Watcher:
        settings = self._sources.settings
        limit = int(settings["maxWatches"])  # type: ignore[arg-type]
        return open_watcher(self._on_batch, backend=str(settings["watcher"]), max_watches=limit or None)

    def _on_batch(self, batch: Batch) -> None:
        with self._told:
            self._pending.whole |= batch.rescan
            self._pending.refs = self._pending.refs or bool(batch.git)
            self._pending.whole |= {
                reading.worktree.key for reading in self._readings.values() if _is_in(reading, batch)
            }
            for key, paths in batch.files.items():
                self._pending.paths.setdefault(key, set()).update(paths)
            self._told.notify()

    def _run(self) -> None:
        try:
            while (pending := self._next()) is not None:
                try:
                    self._look(pending)
                except GitError as error:
                    log.warning("looking again at everything: %s", error.message)
                    self._start_over(error)
        finally:
            self._sources.close()

    def _next(self) -> _Pending | None:
        """Wait for something to look at; None when the session ends."""
        with self._told:
            self._told.wait_for(lambda: self._pending or self._closed)
            pending, self._pending = self._pending, _Pending(everything=False)
            return None if self._closed else pending

    def _start_over(self, error: GitError) -> None:
        """Open everything anew after a failure (a quarantine that was deleted, say); a second one is shown."""
        self._sources.close()
        sources = open_sources(self._folder, self._options)
        if isinstance(sources, Failure):
            self._publish(Picture(0, self.repository, None, problem=sources.message))
            return
        self._sources, self._readings = sources, {}
        try:
            self._look(_Pending())
        except GitError:
            self._publish(Picture(0, self.repository, None, problem=f"The repository can't be read: {error.message}"))

    def _look(self, pending: _Pending) -> None:
        if pending.everything or pending.refs or self._trunk is None:
            failure = self._read_worktrees()
            if failure is not None:
                self._publish(Picture(0, self.repository, None, problem=failure.message))
                return
        for key, reading in list(self._readings.items()):
            paths = pending.paths.get(key, set())
            if pending.everything or key in pending.whole or len(paths) > MOST_PATHS or _shape(paths):
                self._readings[key] = read_worktree(self._sources, reading.worktree)
                if _shape(paths):
                    self._watcher.rewalk(key)
            elif paths:
                self._readings[key] = read_paths(self._sources, reading, sorted(paths))
        self._compute()

    def _read_worktrees(self) -> Failure | None:
        """List the worktrees and find trunk anew; those whose HEAD or place changed are read again."""
        worktrees = list_worktrees(self._sources.repository)
        trunk = find_trunk(self._sources.repository, worktrees, str(self._sources.settings["trunk"]))
        if isinstance(trunk, Failure):
            return trunk
        self._trunk = trunk
        known = self._readings
        self._readings = {
            worktree.key: known[worktree.key]
            if worktree.key in known and known[worktree.key].worktree == worktree
            else read_worktree(self._sources, worktree)
            for worktree in worktrees
        }
        self._watcher.follow(list(self._targets(worktrees)))
        return None

    def _targets(self, worktrees: Iterable[Worktree]) -> Iterable[Target]:
        yield GitTarget(self.repository, Path(self.repository))
        present = [worktree for worktree in worktrees if worktree.readable]
        for worktree in present:
            prefix = worktree.key + "/"
            inside = frozenset(other.key[len(prefix) :] for other in worktrees if other.key.startswith(prefix))
            ignored = partial(ignored_directories, self._sources.repository, worktree)
            yield WorktreeTarget(worktree.key, Path(worktree.key), ignored, inside)
            if not worktree.main:
                yield GitTarget(worktree.git_dir, Path(worktree.git_dir))

    def _compute(self) -> None:
        """A Picture from what is known; everything that git answered before is remembered by object ids."""
        assert self._trunk is not None
        with self._told:
            unsaved = dict(self._unsaved)
        states, documents = self._states(unsaved)
        overlaps = find_overlaps(self._sources, self._trunk, states)
        self._publish(Picture(0, self.repository, self._trunk, states, overlaps, documents))

    def _states(self, unsaved: dict[str, Unsaved]) -> tuple[tuple[WorktreeState, ...], dict[str, int]]:
        assert self._trunk is not None
        held: dict[str, dict[str, Unsaved]] = {}
        for path, text in unsaved.items():
            inside = [key for key in self._readings if path.startswith(key + "/")]
            if inside:
                key = max(inside, key=len)
                with contextlib.suppress(UnicodeDecodeError):
                    held.setdefault(key, {})[path[len(key) + 1 :]] = as_saved(path, text)
        states = tuple(
            worktree_state(self._sources, self._trunk, reading, held.get(key, {}))
            for key, reading in self._readings.items()
        )
        return states, {path: text.version for path, text in unsaved.items()}

    def _publish(self, picture: Picture) -> None:
        number = self.picture.number if self.picture is not None else 0
        if self.picture is not None and replace(picture, number=number) == self.picture:
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


def _is_in(reading: Reading, batch: Batch) -> bool:
    """Whether something changed in a worktree's own git directory: its index, say."""
    return reading.worktree.git_dir in batch.git


def _shape(paths: Iterable[str]) -> bool:
    return any(path.rpartition("/")[2] in SHAPING for path in paths)
