"""What is known of a repository between two Pictures, and how an event changes it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from sidecar.git.ignore import ignored_directories
from sidecar.git.process import GitError
from sidecar.git.repository import list_worktrees
from sidecar.git.trunk import find_trunk
from sidecar.model.findings import Failure
from sidecar.model.picture import Picture, Trunk, Worktree, WorktreeState
from sidecar.session.grading import Grading
from sidecar.session.reading import READERS, Reading, read_all, read_paths, worktree_state
from sidecar.session.sources import Options, Sources, is_current, open_sources
from sidecar.session.unsaved import OnDisk, Unsaved, is_stale, note_on_disk
from sidecar.watch import GitTarget, Target, WorktreeTarget

log = logging.getLogger(__name__)

MOST_PATHS = 200
"""More changed paths than this in one worktree, and reading all of it is cheaper."""

SHAPING = (".gitignore", ".gitattributes", ".gitmodules")
"""Files that change what other files mean."""


@dataclass(slots=True)
class Pending:
    """What has been told and not yet been looked at: worktrees by their keys, paths inside them."""

    everything: bool = True
    refs: bool = False
    whole: set[str] = field(default_factory=set)
    rescans: set[str] = field(default_factory=set)
    paths: dict[str, set[str]] = field(default_factory=dict)
    unsaved: bool = False

    def __bool__(self) -> bool:
        return bool(self.everything or self.refs or self.whole or self.rescans or self.paths or self.unsaved)

    def split(self) -> tuple[Pending, Pending]:
        """(what to look at now, what can wait): a save does not wait until fifty worktrees have been looked through."""
        if self.everything:
            return replace(self, rescans=set()), Pending(everything=False)
        urgent = self.refs or self.whole or self.paths or self.unsaved
        now = set(sorted(self.rescans)[: 1 if urgent else READERS])
        later = Pending(everything=False, rescans=self.rescans - now)
        return replace(self, whole=self.whole | now, rescans=set()), later

    def reshaped(self) -> Iterator[str]:
        """Keys of the worktrees in which a file changed that says what is ignored."""
        return (key for key, paths in self.paths.items() if _shapes(paths))


@dataclass(frozen=True, slots=True)
class _KnownState:
    """A state and what it follows from; the same again gives the same state, not just an equal one."""

    reading: Reading
    trunk: Trunk
    texts: Mapping[str, Unsaved]
    state: WorktreeState


class View:
    """The sources of a repository, and every worktree as last read. For one thread."""

    def __init__(self, folder: Path, options: Options, sources: Sources) -> None:
        self.sources: Sources | None = sources
        self.readings: dict[str, Reading] = {}
        self._folder = folder
        self._options = options
        self._trunk: Trunk | None = None
        self._on_disk: dict[str, OnDisk] = {}
        self._grading = Grading(sources)
        self._known_states: dict[str, _KnownState] = {}
        self._failing: tuple[str, ...] = ()

    def look(self, pending: Pending, unsaved: Mapping[str, Unsaved]) -> Picture | Failure:
        """The Picture after what is pending; when git fails in the middle, once more with everything opened anew."""
        try:
            return self._look(pending, unsaved)
        except GitError as error:
            log.warning("looking again at everything: %s", error.message)
        self.close()
        try:
            return self._look(Pending(), unsaved)
        except GitError as error:
            self.close()
            return Failure("unreadable-repository", f"The repository can't be read: {error.message}")

    def _look(self, pending: Pending, unsaved: Mapping[str, Unsaved]) -> Picture | Failure:
        afresh = pending.everything or pending.refs or self._has_returned(pending)
        if self.sources is not None and not self._is_current(self.sources, afresh):
            self.close()
        if self.sources is None:
            opened = open_sources(self._folder, self._options)
            if isinstance(opened, Failure):
                return opened
            self.sources, pending = opened, Pending()
            self._grading = Grading(opened)
        listing = afresh or pending.everything or self._trunk is None
        failure = self._list(self.sources) if listing else None
        if self._read(self.sources, pending):
            failure = self._list(self.sources)
        return failure or self._compute(self.sources, unsaved)

    def _has_returned(self, pending: Pending) -> bool:
        """Whether something happened in a worktree that was not there."""
        keys = (pending.whole | pending.paths.keys()) & self.readings.keys()
        return any(not self.readings[key].worktree.readable for key in keys)

    def _is_current(self, sources: Sources, afresh: bool) -> bool:
        if not sources.quarantine.is_there():
            return False
        return not afresh or is_current(sources, self._folder, self._options)

    def _list(self, sources: Sources) -> Failure | None:
        """List the worktrees and find trunk anew; those whose HEAD or place changed are read again."""
        worktrees = list_worktrees(sources.repository)
        trunk = find_trunk(sources.repository, worktrees, str(sources.settings["trunk"]))
        self._trunk = None if isinstance(trunk, Failure) else trunk
        known = {key: reading for key, reading in self.readings.items() if reading.worktree in worktrees}
        changed = [worktree for worktree in worktrees if worktree.key not in known]
        read = known | {reading.worktree.key: reading for reading in read_all(sources, changed)}
        self.readings = {worktree.key: read[worktree.key] for worktree in worktrees}
        return trunk if isinstance(trunk, Failure) else None

    def _read(self, sources: Sources, pending: Pending) -> bool:
        """Read again what is pending; whether a worktree can't be read any more, which the list of them may explain."""
        whole = {key for key, paths in pending.paths.items() if len(paths) > MOST_PATHS or _shapes(paths)}
        whole = set(self.readings) if pending.everything else (whole | pending.whole) & set(self.readings)
        readings = read_all(sources, [self.readings[key].worktree for key in whole])
        for key, paths in pending.paths.items():
            if key in self.readings and key not in whole:
                readings.append(read_paths(sources, self.readings[key], sorted(paths)))
        self.readings |= {reading.worktree.key: reading for reading in readings}
        return any(reading.problem is not None for reading in readings)

    def _compute(self, sources: Sources, unsaved: Mapping[str, Unsaved]) -> Picture:
        """A Picture from what is known; everything that git answered before is remembered by object ids."""
        assert self._trunk is not None
        limit = sources.size_limit
        noted = ((path, note_on_disk(path, text, self._on_disk.get(path), limit)) for path, text in unsaved.items())
        self._on_disk = {path: known for path, known in noted if known is not None}
        typed = {path: text for path, text in unsaved.items() if path not in self._on_disk}
        states = self._states(sources, self._trunk, typed)
        grades = self._grading.grade(self._trunk, states)
        if grades.failures and grades.failures != self._failing:
            self._failing = grades.failures
            raise GitError(grades.failures[0])  # worth another try with everything opened anew, once
        self._failing = grades.failures
        stale = {path for path, known in self._on_disk.items() if is_stale(path, known)}
        documents = {path: text.version for path, text in unsaved.items() if path not in stale}
        problem = " ".join(grades.failures) or None
        return Picture(
            0, sources.repository.common_dir, self._trunk, states, grades.overlaps, documents, problem=problem
        )

    def _states(self, sources: Sources, trunk: Trunk, unsaved: Mapping[str, Unsaved]) -> tuple[WorktreeState, ...]:
        held: dict[str, dict[str, Unsaved]] = {}
        for path, text in unsaved.items():
            inside = [key for key in self.readings if path.startswith(key + "/")]
            if inside:
                key = max(inside, key=len)
                held.setdefault(key, {})[path[len(key) + 1 :]] = text
        known, self._known_states = self._known_states, {}
        for key, reading in self.readings.items():
            texts = held.get(key, {})
            before = known.get(key)
            if before is None or before.reading is not reading or (before.trunk, before.texts) != (trunk, texts):
                before = _KnownState(reading, trunk, texts, worktree_state(sources, trunk, reading, texts))
            self._known_states[key] = before
        return tuple(before.state for before in self._known_states.values())

    def targets(self) -> Iterator[Target]:
        """What has to be watched to learn of every change."""
        if self.sources is None:
            return
        repository = self.sources.repository
        yield GitTarget(repository.common_dir, Path(repository.common_dir))
        worktrees = [reading.worktree for reading in self.readings.values()]
        for worktree in worktrees:
            if not (worktree.readable or worktree.missing):
                continue
            ignored = partial(ignored_directories, repository, worktree)
            yield WorktreeTarget(worktree.key, Path(worktree.key), ignored, _nested(worktree, worktrees))
            if not worktree.main and worktree.git_dir:
                yield GitTarget(worktree.git_dir, Path(worktree.git_dir))

    def keys_of(self, git_dirs: frozenset[str]) -> set[str]:
        """The worktrees whose own git directory is among these."""
        return {key for key, reading in self.readings.items() if reading.worktree.git_dir in git_dirs}

    def close(self) -> None:
        """Give everything back; the next look opens it anew."""
        if self.sources is not None:
            self.sources.close()
        self.sources, self._trunk, self.readings, self._known_states = None, None, {}, {}


def _nested(worktree: Worktree, worktrees: Iterable[Worktree]) -> frozenset[str]:
    prefix = worktree.key + "/"
    return frozenset(other.key[len(prefix) :] for other in worktrees if other.key.startswith(prefix))


def _shapes(paths: Iterable[str]) -> bool:
    return any(path.rpartition("/")[2] in SHAPING for path in paths)
