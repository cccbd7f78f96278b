"""The guard at work: a thread that keeps up with the Pictures, one in a repository however many windows show it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from sidecar.git.config import sidecar_keys
from sidecar.git.repository import Repository, open_repository
from sidecar.git.snapshot import Snapshot, write_snapshot
from sidecar.git.snapshot.values import Watcher
from sidecar.model.changes import UNSAVED, UNSTAGED, UNTRACKED
from sidecar.model.findings import Failure, Finding
from sidecar.model.picture import Picture, WorktreeState
from sidecar.model.settings import settle
from sidecar.operations.guard.records import Guarded, GuardError, find_vanished, gone, made_of, remember
from sidecar.operations.lock import hold
from sidecar.operations.state import open_state
from sidecar.session import Options

log = logging.getLogger(__name__)

QUIET = 0.5
"""Seconds without a new Picture after which states are kept."""

AT_MOST_EVERY = 4.0
"""Seconds between two keepings while things go on changing."""

SHARE = 5
"""A keeping that took a second is followed by none for so many: the guard never takes more than a fifth of a core."""

ENOUGH = 0.5
"""Seconds after which the rest of the worktrees wait for the next keeping."""

SETTLED = 8.0
"""Seconds for which files must have been missing, and no more of them, before a state without them is kept.

What deletes a worktree takes its time; the state to keep is the one from before it began.
"""

LARGEST = 50 * 1024 * 1024
"""Bytes of a file above which it is not kept."""

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Vanished:
    """A worktree that is gone without a release: what brings it back, and of when (seconds since 1970) its state is.

    `safe`: all that it had was in trunk.
    """

    receipt: str
    name: str
    branch: str | None
    path: str
    kept: float
    safe: bool


class Guard:
    """Keeps the last state of every linked worktree of one repository; `open_guard` makes one."""

    def __init__(self, folder: Path, options: Options, on_vanished: Callable[[Vanished], None]) -> None:
        self._folder = folder
        self._options = options
        self._on_vanished = on_vanished
        self._told = threading.Condition()
        self._picture: Picture | None = None
        self._at = 0.0
        self._closed = False
        self._lock: FileLock | None = None
        self._kept: dict[str, tuple[Key, Snapshot]] = {}
        self._lost: dict[str, tuple[frozenset[str], float]] = {}
        self._thread = threading.Thread(target=self._run, name="sidecar-guard", daemon=True)
        self._thread.start()

    def see(self, picture: Picture) -> None:
        """A new Picture; returns at once."""
        with self._told:
            self._picture = picture
            self._at = time.monotonic()
            self._told.notify()

    def close(self) -> None:
        """Keep no more; what is kept stays. Closing twice is fine."""
        with self._told:
            self._closed = True
            self._told.notify()
        self._thread.join()

    def _run(self) -> None:
        rested = 0.0
        while (picture := self._next(rested)) is not None:
            began = time.monotonic()
            try:
                self._keep_up(picture)
            except Exception:
                log.exception("The guard could not keep up")
            rested = began + max(AT_MOST_EVERY, (time.monotonic() - began) * SHARE)
        if self._lock is not None:
            self._lock.release()

    def _next(self, rested: float) -> Picture | None:
        """The newest Picture, when things are quiet or have been going on for long; None at the end."""
        with self._told:
            while not self._closed:
                now = time.monotonic()
                if self._picture is None:
                    self._told.wait()
                    continue
                due = max(min(self._at + QUIET, rested + AT_MOST_EVERY), rested)
                if self._is_urgent(self._picture) or now >= due:
                    picture, self._picture = self._picture, None
                    return picture
                self._told.wait(due - now)
        return None

    def _is_urgent(self, picture: Picture) -> bool:
        """Whether a worktree that was kept is gone: a person wants to know that at once."""
        there = {state.worktree.key for state in picture.worktrees if not state.worktree.missing}
        return bool(self._kept.keys() - there)

    def _keep_up(self, picture: Picture) -> None:
        repository = open_repository(self._folder, trust=self._options.trusted)
        if isinstance(repository, Failure):
            repository = open_repository(Path(picture.repository), trust=self._options.trusted)
        if isinstance(repository, Failure):
            return
        settings = settle(sidecar_keys(repository.config), self._options.editor)
        if not settings["guard"]:
            return
        state = open_state(picture.repository)
        if isinstance(state, Failure) or not self._is_ours(state):
            return
        most = int(settings["guardLimit"]) * 1024 * 1024  # type: ignore[arg-type]
        there = {one.worktree.key: one for one in picture.worktrees if not one.worktree.missing}
        for path in self._kept.keys() - there.keys():
            del self._kept[path]
            self._lost.pop(path, None)
        if gone(state, {path: one.worktree for path, one in there.items()}):
            self._tell_vanished(repository, state)
        enough = time.monotonic() + ENOUGH
        for one in sorted(there.values(), key=lambda one: one.worktree.key not in self._kept):
            if self._closed or not self._is_due(one):
                continue
            if not self._is_settled(one):
                self._come_back(picture)
                continue
            if time.monotonic() > enough:
                self._come_back(picture)
                return
            self._keep(repository, state, one, most)

    def _is_due(self, one: WorktreeState) -> bool:
        """Whether a worktree's state is another than the one that is kept; one without any work needs no keeping."""
        if one.worktree.main or not one.worktree.readable or one.changes is None:
            return False
        known = self._kept.get(one.worktree.key)
        return known[0] != _key(one) if known is not None else bool(one.ahead or any(True for _ in one.changes))

    def _is_settled(self, one: WorktreeState) -> bool:
        """Whether nothing is being deleted: no file that the kept state has went missing a moment ago."""
        known = self._kept.get(one.worktree.key)
        lost = _lost(known[0], one) if known is not None else frozenset()
        before, since = self._lost.get(one.worktree.key, (frozenset(), 0.0))
        if lost - before:
            since = time.monotonic()
        self._lost[one.worktree.key] = (lost, since)
        return not lost or time.monotonic() - since >= SETTLED

    def _come_back(self, picture: Picture) -> None:
        """Have the rest of a Picture looked at, unless there is a newer one."""
        with self._told:
            if self._picture is None:
                self._picture = picture

    def _is_ours(self, state: Path) -> bool:
        """Whether this process is the one that keeps; when the other one ends, the next Picture makes it so."""
        if self._lock is None:
            lock = FileLock(state / "guard.lock", thread_local=False)
            try:
                lock.acquire(timeout=0)
            except (Timeout, OSError):
                return False
            self._lock = lock
        return True

    def _tell_vanished(self, repository: Repository, state: Path) -> None:
        with hold(repository.common_dir, "looking for worktrees that have vanished", wait=1.0) as held:
            if isinstance(held, Finding):
                return  # an operation of ours is at work; the Picture after it asks again
            receipts = find_vanished(repository, state)
        for receipt in receipts:
            facts: Mapping[str, object] = receipt.facts
            kept = facts.get("kept")
            self._on_vanished(
                Vanished(
                    receipt.id,
                    receipt.worktree,
                    receipt.branch,
                    str(facts.get("path")),
                    float(kept) if isinstance(kept, int | float) else receipt.time,
                    facts.get("safe") is True,
                )
            )

    def _keep(self, repository: Repository, state: Path, one: WorktreeState, most: int) -> None:
        known, began = self._kept.get(one.worktree.key), time.time()
        snapshot = write_snapshot(
            repository,
            one.worktree,
            rehash=False,
            previous=None if known is None else known[1],
            largest=LARGEST,
            most=most,
            watcher=Watcher(cancelled=lambda: self._closed),
        )
        if isinstance(snapshot, Failure):
            log.info("%s", snapshot.message)
            return
        if known is None or known[1].commit != snapshot.commit:
            try:
                remember(repository, state, _guarded(one, snapshot, began))
            except GuardError as error:
                log.info("The state of %s can't be kept: %s", one.worktree.name, error)
                return
        if not snapshot.changed:
            self._kept[one.worktree.key] = (_key(one), _lean(snapshot, one))


def open_guard(folder: Path, options: Options, on_vanished: Callable[[Vanished], None]) -> Guard:
    """A guard for the repository that a folder lies in; `on_vanished` is called on the guard's own thread."""
    return Guard(folder, options, on_vanished)


def _key(one: WorktreeState) -> Key:
    """What differs when the files, the index or HEAD of a worktree do; the editor's unsaved text is not in it."""
    changes = tuple(
        (change.path, change.after, change.sources) for change in one.changes or () if set(change.sources) != {UNSAVED}
    )
    worktree = one.worktree
    return worktree.head, worktree.branch, worktree.git_dir, made_of(worktree.git_dir), changes


def _lost(kept: Key, one: WorktreeState) -> frozenset[str]:
    """The files that are missing on the disk and were not when this was kept."""
    assert isinstance(kept[-1], tuple)
    before = {path: after for path, after, _ in kept[-1]}
    now = {change.path: change for change in one.changes or ()}
    missing = {path for path, change in now.items() if change.after is None and UNSTAGED in change.sources}
    missing -= {path for path, after in before.items() if after is None}
    untracked = {path for path, _, sources in kept[-1] if UNTRACKED in sources and path not in now}
    return frozenset(missing | (untracked if one.worktree.head == kept[0] else set()))


def _lean(snapshot: Snapshot, one: WorktreeState) -> Snapshot:
    """The snapshot with what it learned about changed files only: of the others git's index knows as much."""
    changed = {change.path for change in one.changes or ()}
    blobs = {path: known for path, known in snapshot.known.blobs.items() if path in changed}
    return replace(snapshot, known=replace(snapshot.known, blobs=blobs))


def _guarded(one: WorktreeState, snapshot: Snapshot, began: float) -> Guarded:
    worktree = one.worktree
    uncommitted = any(set(change.sources) - {"committed"} for change in one.changes or ())
    safe = one.integration.state in ("integrated", "no-work") and not uncommitted
    return Guarded(
        worktree.key,
        worktree.name,
        worktree.branch,
        worktree.git_dir,
        snapshot.commit,
        began,
        snapshot.bytes,
        safe,
        made_of(worktree.git_dir),
    )
