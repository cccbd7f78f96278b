"""Keep what is known of a repository between two Pictures, and take in what an event changes."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from sidecar.git.ignore import ignored_directories
from sidecar.git.marks import ListingMarks, Marks, marked_by
from sidecar.git.objects import tree_of
from sidecar.git.process import GitError
from sidecar.model.changes import ancestors
from sidecar.model.findings import Failure
from sidecar.model.overlaps import Unknown
from sidecar.model.picture import Picture, Trunk, Worktree, WorktreeState
from sidecar.model.settings import Options
from sidecar.session.intended import record_path
from sidecar.session.overlaps import OverlapCache
from sidecar.session.pending import Pending, shapes
from sidecar.session.reader import Listing, Sources, is_current, list_all, open_sources, when_used
from sidecar.session.reading import AT_MOST, BESIDE, Readers, Reading, marks_of, read_paths, worktree_state
from sidecar.session.unsaved import OnDisk, Unsaved, is_stale, note_on_disk
from sidecar.watch.events import FilesTarget, GitTarget, Target, WorktreeTarget

log = logging.getLogger(__name__)

MOST_PATHS = 200
"""More changed paths than this in one worktree, and reading all of it is cheaper."""

FIRST = 3.0
"""Seconds after which there is a Picture even if not every worktree has been read; the rest come into the next ones."""

MORE = 1.0
"""Seconds between such Pictures."""

PATIENCE = 0.05
"""Seconds to wait for a worktree that is read again, so that a commit is one Picture and not two."""

SETTINGS = "settings"
"""By what name the single files are watched."""


@dataclass(frozen=True, slots=True)
class _KnownState:
    """A state and what it follows from; the same again gives the same state, not just an equal one."""

    reading: Reading
    trunk: Trunk
    texts: Mapping[str, Unsaved]
    state: WorktreeState
    directories: frozenset[str]
    """Where it, or trunk since it left, has changed something."""


class RepositoryState:
    """Keeps the sources of a repository, and every worktree as last read; for one thread, `hurry` and `keys_of` aside.

    `on_read` is called on another thread when a worktree has been read, and a look would see it.
    """

    def __init__(
        self, folder: Path, options: Options, sources: Sources, on_read: Callable[[], None], here: Path
    ) -> None:
        self.sources: Sources | None = sources
        self.readings: dict[str, Reading] = {}
        self._folder, self._here = folder, f"{here}/"
        self._options = options
        self._on_read = on_read
        self._readers = Readers(sources, on_read)
        self._listed: dict[str, Worktree] = {}
        self.unlisted: tuple[str, ...] = ()
        self._hurried = self._ended = False
        self._trunk: Trunk | None = None
        self.marks = ListingMarks()
        self._on_disk: dict[str, OnDisk] = {}
        self._overlaps = OverlapCache(sources)
        self._known_states: dict[str, _KnownState] = {}
        self._failing: frozenset[Unknown] = frozenset()

    def look(self, pending: Pending, unsaved: Callable[[], Mapping[str, Unsaved]]) -> Picture | Failure:
        """Give the Picture after what is pending; when git fails in the middle, once more with everything opened anew.

        `unsaved` gives the editor's texts as they are when everything has been read.
        """
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

    def _look(self, pending: Pending, unsaved: Callable[[], Mapping[str, Unsaved]]) -> Picture | Failure:
        afresh = pending.everything or pending.refs or self._has_returned(pending)
        marks = self.marks.read() if afresh else None  # before anything is read that they stand for
        found = self._find() if afresh and self.sources is not None else None
        if self.sources is not None and not self._is_current(self.sources, found):
            self.close()
            found = None
        if self.sources is None:
            opened = open_sources(self._folder, self._options)
            if isinstance(opened, Failure):
                return opened
            self.sources, pending = opened, Pending()
            self._overlaps, self._readers = OverlapCache(opened), Readers(opened, self._on_read)
        elif pending.settings and self.sources.judge.looked_at:
            self._overlaps = OverlapCache(self.sources)  # what a submodule has decides, and shows in no tree
            if found is not None and found.checkout is not None:
                pending.rescans.add(found.checkout.key)
        listing = afresh or pending.everything or self._trunk is None
        before = self._listed
        failure = self._list(self.sources, found or self._find(), marks) if listing else None
        for outer, path in _moved_inside(before, self._listed):
            pending.paths.setdefault(outer, set()).add(path)
        self._read(self.sources, pending)
        if self._take_in(self.sources):
            failure = self._list(self.sources, self._find(), None)
        return failure or self._compute(self.sources, unsaved())

    def _has_returned(self, pending: Pending) -> bool:
        """Tell whether something happened in a worktree that was not there."""
        keys = (pending.whole | pending.rescans | pending.paths.keys()) & self.readings.keys()
        return any(not self.readings[key].worktree.readable for key in keys)

    def _find(self) -> Listing:
        assert self.sources is not None
        return list_all(self.sources.repository, self.sources.settings)

    def _is_current(self, sources: Sources, found: Listing | None) -> bool:
        if not sources.quarantine.is_usable():
            return False
        return found is None or is_current(sources, self._folder, self._options, found.checkout)

    def _list(self, sources: Sources, found: Listing, marks: Marks | None) -> Failure | None:
        """Take the worktrees and trunk as found; those whose HEAD or place changed are read again.

        `marks` were read before they were found; None where some may be known otherwise than by this listing.
        """
        worktrees, trunk = found.worktrees, found.trunk
        self._trunk = None if isinstance(trunk, Failure) else trunk
        self._listed = {worktree.key: worktree for worktree in worktrees}
        self.unlisted = found.unlisted
        self._readers.keep(self._listed)
        self.marks.keep(marked_by(sources.repository, worktrees, sources.surroundings.files), marks)
        self._reconcile()
        self._known_states = {  # what a branch had of its own is in its reflog, which is tidied along with the refs
            key: known for key, known in self._known_states.items() if known.state.integration.state == "not-integrated"
        }
        return trunk if isinstance(trunk, Failure) else None

    def _reconcile(self) -> None:
        """Have each worktree read again that is listed otherwise than it was read; till then it is shown as it was."""
        known, self.readings = self.readings, {}
        wanted = []
        for key, worktree in self._listed.items():
            reading = known.get(key)
            if not worktree.readable:
                self.readings[key] = Reading(worktree)
                continue
            if reading is not None and _has_files_of(reading.worktree, worktree):
                self.readings[key] = replace(reading, worktree=worktree) if reading.worktree != worktree else reading
                continue
            if reading is not None:
                self.readings[key] = reading
            awaited = self._readers.awaited(key)
            if awaited is None or not _has_files_of(awaited, worktree):
                wanted.append(worktree)
        for worktree in sorted(wanted, key=when_used, reverse=True):  # whoever is at work is of interest first
            self._readers.ask(worktree, urgent=bool(known) or self._here.startswith(worktree.key + "/"))

    def _read(self, sources: Sources, pending: Pending) -> None:
        """Read again what is pending: a few paths at once, whole worktrees on other threads."""
        many = {key for key, paths in pending.paths.items() if len(paths) > MOST_PATHS or shapes(paths)}
        whole = many | {key for key in pending.whole if self._is_stale(key)}
        if pending.everything:
            whole |= set(self.readings)
        for keys, urgent in ((whole, True), (pending.rescans, False)):
            for key in keys & self._listed.keys():
                if self._listed[key].readable:
                    self._readers.ask(self._listed[key], urgent=urgent)
        for key, paths in pending.paths.items():
            self._readers.note(key, paths)
            awaited, reading = self._readers.awaited(key), self.readings.get(key)
            moved = awaited is not None and reading is not None and not _has_files_of(awaited, reading.worktree)
            if reading is not None and key not in many and not moved:  # the whole one may have to wait for its turn
                self.readings[key] = read_paths(sources, reading, sorted(paths))
        self._wait(whole, urgent=bool(pending.paths or pending.unsaved))

    def _is_stale(self, key: str) -> bool:
        """Tell whether something happened to the index since a worktree was read."""
        reading = self.readings.get(key)
        if reading is None or self._readers.awaited(key) is not None or reading.marks is None:
            return True
        return marks_of(reading.worktree) != reading.marks

    def _wait(self, keys: Iterable[str], *, urgent: bool) -> None:
        """Wait a moment for what is being read, so that one Picture has it all; in the beginning a longer one."""
        missing = self._listed.keys() - self.readings.keys()
        if not self.readings or all(reading.began is None for reading in self.readings.values()):
            self._readers.wait(self._listed, FIRST, AT_MOST, lambda: self._ended)
        elif len(missing) > 1:
            self._readers.wait(missing, MORE, AT_MOST, lambda: self._hurried)
        else:
            changed = {*keys, *missing, *(key for key in self._listed if self._is_of_another_head(key))}
            self._readers.wait(changed, 0.0 if urgent else PATIENCE, BESIDE, lambda: self._hurried)

    def _is_of_another_head(self, key: str) -> bool:
        return key in self.readings and not _has_files_of(self.readings[key].worktree, self._listed[key])

    def _take_in(self, sources: Sources) -> bool:
        """Take in what was read; tell whether a worktree can't be read any more, which a new listing may explain."""
        broken = False
        for reading, changed in list(self._readers.take()):
            worktree = self._listed.get(reading.worktree.key)
            if worktree is None or not _has_files_of(reading.worktree, worktree):
                continue
            if len(changed) > MOST_PATHS or shapes(changed):
                self._readers.ask(worktree, urgent=True)
            elif changed:
                reading = read_paths(sources, reading, sorted(changed))
            self.readings[worktree.key] = replace(reading, worktree=worktree)
            broken = broken or reading.problem is not None
        self._reconcile()
        self._readers.begin(AT_MOST if len(self.readings) < len(self._listed) else BESIDE)
        return broken

    def _compute(self, sources: Sources, unsaved: Mapping[str, Unsaved]) -> Picture:
        """Give a Picture from what is known; everything that git answered before is remembered by object ids."""
        assert self._trunk is not None
        held = {path: text for path, text in unsaved.items() if self._holder(path) is not None}
        self._on_disk = dict(self._unedited(sources, held))
        typed = {path: text for path, text in held.items() if path not in self._on_disk}
        states = self._states(sources, self._trunk, typed)
        grades = self._overlaps.grade(self._trunk, states)
        if grades.failures and grades.failures != self._failing:
            self._failing = grades.failures
            raise GitError(next(iter(grades.failures)).reason)  # worth another try with everything opened anew, once
        self._failing = grades.failures
        stale = {path for path, known in self._on_disk.items() if is_stale(path, known)}
        documents = {path: text.version for path, text in unsaved.items() if path not in stale}
        common_dir = sources.repository.common_dir
        return Picture(0, common_dir, self._trunk, states, grades.overlaps, documents, unknown=grades.unknown)

    def _unedited(self, sources: Sources, texts: Mapping[str, Unsaved]) -> Iterator[tuple[str, OnDisk]]:
        """Give a note on each text that is as its file is, or was when it was opened."""
        for path, text in texts.items():
            key = self._holder(path)
            assert key is not None
            worktree, known = self.readings[key].worktree, self._on_disk.get(path)
            if (noted := note_on_disk(sources, worktree, path[len(key) + 1 :], text, known)) is not None:
                yield path, noted

    def _holder(self, path: str) -> str | None:
        """Give the key of the innermost worktree that a file (absolute path) lies in."""
        return max((key for key in self.readings if path.startswith(key + "/")), key=len, default=None)

    def _states(self, sources: Sources, trunk: Trunk, unsaved: Mapping[str, Unsaved]) -> tuple[WorktreeState, ...]:
        held: dict[str, dict[str, Unsaved]] = {}
        for path, text in unsaved.items():
            if (key := self._holder(path)) is not None:
                held.setdefault(key, {})[path[len(key) + 1 :]] = text
        known, self._known_states = self._known_states, {}
        for key, reading in self.readings.items():
            texts = held.get(key, {})
            before = known.get(key)
            if before is None or (before.reading, before.trunk, before.texts) != (reading, trunk, texts):
                state = worktree_state(sources, trunk, reading, texts)
                before = _KnownState(reading, trunk, texts, state, _directories(sources, trunk, state, texts))
            self._known_states[key] = before
        return tuple(before.state for before in self._known_states.values())

    @property
    def is_reading(self) -> bool:
        """Tell whether a worktree is being read, or is to be; any thread, while nothing is looked at."""
        return self._readers.is_busy

    @property
    def has_typed(self) -> bool:
        """Tell whether editors' text that is not on disk takes part in the last Picture; any thread."""
        return any(known.texts for known in self._known_states.values())

    @property
    def worktrees(self) -> tuple[Worktree, ...]:
        """Give those that are to be watched, as they were last listed."""
        return tuple(self._listed.get(key, reading.worktree) for key, reading in self.readings.items())

    @property
    def files(self) -> frozenset[str]:
        """Give the single files, beside those of worktrees and git, that decide what is seen."""
        if self.sources is None:
            return frozenset()
        intended = record_path(self.sources.repository.common_dir)
        return self.sources.surroundings.files | self.sources.judge.looked_at | {intended}

    def targets(self) -> Iterator[Target | FilesTarget]:
        """Give what has to be watched to learn of every change, the important ones first.

        Of a worktree that is not whole that is its top: nothing is asked of git there.
        """
        if self.sources is None:
            return
        repository = self.sources.repository
        yield GitTarget(repository.common_dir, Path(repository.common_dir))
        yield FilesTarget(SETTINGS, self.files)
        worktrees = list(self._listed.values())
        for git_dir in (*(one.git_dir for one in worktrees if not one.main and one.git_dir), *self.unlisted):
            yield GitTarget(git_dir, Path(git_dir))
        here, hot = self._here, self.hot
        for reading in sorted(
            self.readings.values(), key=lambda reading: not here.startswith(reading.worktree.key + "/")
        ):
            worktree = self._listed.get(reading.worktree.key, reading.worktree)
            if not (worktree.bare or (worktree.main and worktree.problem)):
                half = worktree.problem is not None
                ignored = frozenset if half else partial(ignored_directories, repository, worktree)
                nested = _nested(worktree, worktrees)
                yield WorktreeTarget(worktree.key, Path(worktree.key), ignored, nested, reading.began, hot, half)

    @property
    def hot(self) -> tuple[str, ...]:
        """Give the top, and the directories in which worktrees can meet, since one has changed something there."""
        counts = Counter(directory for known in self._known_states.values() for directory in known.directories)
        return ("", *sorted(counts, key=lambda directory: (-counts[directory], directory)))

    def keys_of(self, git_dirs: frozenset[str]) -> set[str]:
        """Give the worktrees whose own git directory is among these; any thread."""
        return {key for key, worktree in self._listed.items() if worktree.git_dir in git_dirs}

    def hurry(self, *, end: bool = False) -> None:
        """Stop waiting for readings, because something else is to be looked at, or the end is near. Any thread."""
        self._hurried, self._ended = True, self._ended or end
        self._readers.hurry()

    def take_time(self) -> None:
        """Note that nothing else waits, so that a look may wait for readings. Any thread."""
        self._hurried = False

    def close(self) -> None:
        """Close the sources and the readers; the next look opens them anew."""
        self._readers.close()
        if self.sources is not None:
            self.sources.close()
        self.sources, self._trunk, self.readings, self._known_states, self._listed = None, None, {}, {}, {}
        self.marks.keep(None, None)


def _has_files_of(one: Worktree, two: Worktree) -> bool:
    """Tell whether two listings of a worktree are of the same files over the same commits."""
    mine, other = ((it.key, it.git_dir, it.head, it.merging, it.readable) for it in (one, two))
    return mine == other


def _moved_inside(before: Mapping[str, Worktree], now: Mapping[str, Worktree]) -> Iterator[tuple[str, str]]:
    """Find worktrees inside of others that have another HEAD than before: (key of the outer one, path in it).

    Somebody may have committed one there, as `git add --all` takes it; to git it is a submodule then.
    """
    for key in before and before.keys() | now.keys():
        one, two = before.get(key), now.get(key)
        if (one and one.head) != (two and two.head):
            outer = max((other for other in now if key.startswith(other + "/")), key=len, default=None)
            if outer is not None:
                yield outer, key[len(outer) + 1 :]


def _directories(sources: Sources, trunk: Trunk, state: WorktreeState, texts: Iterable[str]) -> frozenset[str]:
    """Give the directories, and those above, of everything that a worktree, or trunk since it left, has changed."""
    paths = set(texts)
    if state.changes is not None:
        paths.update(state.changes.touched)
        if trunk.commit is not None and state.fork_point is not None:
            tip = tree_of(sources.quarantine.objects, trunk.commit)
            paths.update(sources.trees.changes(state.changes.base, tip).touched)
    return frozenset(directory for path in paths for directory in ancestors(path))


def _nested(worktree: Worktree, worktrees: Iterable[Worktree]) -> frozenset[str]:
    prefix = worktree.key + "/"
    return frozenset(other.key[len(prefix) :] for other in worktrees if other.key.startswith(prefix))
