"""The guard at work: a thread that keeps up with the Pictures, one in a repository however many windows show it."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from sidecar.git.config import sidecar_keys
from sidecar.git.repository import Repository, open_repository
from sidecar.model.changes import UNSAVED, UNSTAGED, UNTRACKED
from sidecar.model.findings import Failure, Finding
from sidecar.model.picture import Picture, WorktreeState
from sidecar.model.settings import settle
from sidecar.operations.guard.records import find_vanished, gone, is_same, made_of, still_kept
from sidecar.operations.guard.writing import Done, Wish, ask
from sidecar.operations.lock import hold
from sidecar.operations.state import open_state
from sidecar.session.aside import Aside, Foreground
from sidecar.session.sources import Options

log = logging.getLogger(__name__)

QUIET = 0.5
"""Seconds without a new Picture after which states are kept."""

AT_MOST_EVERY = 4.0
"""Seconds between two keepings while things go on changing."""

SHARE = 5
"""A keeping that took a second is followed by none for so many: the guard never takes more than a fifth of a core."""

SETTLED = 8.0
"""Seconds for which files must have been missing, and no more of them, before a state without them is kept.

What deletes a worktree takes its time; the state to keep is the one from before it began.
"""

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a worktree was like when it was kept; without the details when a server before this one kept it."""

    state: str
    key: Key | None = None


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

    def __init__(
        self, folder: Path, options: Options, on_vanished: Callable[[Vanished], None], foreground: Foreground
    ) -> None:
        self._folder = folder
        self._options = options
        self._on_vanished = on_vanished
        self._lock: FileLock | None = None
        self._there: frozenset[tuple[str, str]] | None = None
        self._kept: dict[str, _Kept] = {}
        self._lost: dict[str, tuple[frozenset[str], float]] = {}
        self._shrinking: dict[str, float] = {}
        self._aside = Aside(
            "sidecar-guard",
            self._keep_up,
            quiet=QUIET,
            patience=AT_MOST_EVERY,
            foreground=foreground,
            is_due=self._has_due,
            is_urgent=self._misses_one,
            every=lambda took: max(AT_MOST_EVERY, took * SHARE),
        )

    def see(self, picture: Picture) -> None:
        """A new Picture; returns at once."""
        self._aside.tell(picture)

    def close(self) -> None:
        """Keep no more; what is kept stays. Closing twice is fine."""
        self._aside.close()
        if self._lock is not None:
            self._lock.release()

    def _misses_one(self, picture: Picture) -> bool:
        """Whether a worktree that was kept is gone: a person wants to know that at once."""
        return bool({*self._kept} - {state.worktree.key for state in picture.worktrees if not state.worktree.missing})

    def _has_due(self, picture: Picture) -> bool:
        """Whether there may be something to keep or to tell, as far as can be seen without asking git."""
        return self._there != _there(picture) or any(self._is_due(state) for state in picture.worktrees)

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
        there = {one.worktree.key: one for one in picture.worktrees if not one.worktree.missing}
        if self._there is None:
            self._remember(repository, state, there)
        for path in self._kept.keys() - there.keys():
            del self._kept[path]
            self._lost.pop(path, None)
        missed = gone(state, {path: one.worktree for path, one in there.items()})
        if not missed or self._tell_vanished(repository, state):
            self._there = _there(picture)
        most = int(settings["guardLimit"]) * 1024 * 1024  # type: ignore[arg-type]
        self._keep(picture, [one for one in there.values() if self._is_due(one)], most)

    def _remember(self, repository: Repository, state: Path, there: Mapping[str, WorktreeState]) -> None:
        """What a server before this one kept, and is still kept, needs no keeping unless it has changed."""
        for one in still_kept(repository, state):
            if one.path in there and one.state and is_same(one, there[one.path].worktree):
                self._kept[one.path] = _Kept(one.state)

    def _is_due(self, one: WorktreeState) -> bool:
        """Whether a worktree's state is another than the one that is kept; one without any work needs no keeping."""
        if one.worktree.main or not one.worktree.readable or one.changes is None:
            return False
        known = self._kept.get(one.worktree.key)
        if known is None:
            return bool(one.ahead or any(True for _ in one.changes))
        key = _key(one)
        return known.key != key if known.key is not None else known.state != _named(key)

    def _is_settled(self, one: WorktreeState) -> bool:
        """Whether nothing is being deleted: no file that the kept state has went missing a moment ago."""
        known = self._kept.get(one.worktree.key)
        lost = _lost(known.key, one) if known is not None and known.key is not None else frozenset()
        before, since = self._lost.get(one.worktree.key, (frozenset(), 0.0))
        if lost - before:
            since = time.monotonic()
        self._lost[one.worktree.key] = (lost, since)
        return not lost or time.monotonic() - since >= SETTLED

    def _keep(self, picture: Picture, due: list[WorktreeState], most: int) -> None:
        """Keep what is due, what was never kept last; what can't be kept now is looked at again."""
        settled = {one.worktree.key: one for one in due if self._is_settled(one)}
        keys = {path: _key(one) for path, one in settled.items()}
        wishes = [
            Wish(path, _named(keys[path]), _is_safe(one), self._may_shrink(path)) for path, one in settled.items()
        ]
        wishes.sort(key=lambda wish: wish.path not in self._kept)
        done = ask(self._folder, most, wishes, trusted=self._options.trusted, go_on=self._may_go_on) if wishes else []
        for one in done:
            if one.outcome == "kept":
                self._kept[one.path] = _Kept(_named(keys[one.path]), keys[one.path])
            elif one.outcome == "failed":
                log.info("%s", one.message)
            self._note_shrinking(one)
        is_stuck = bool(wishes) and not done  # then only something new is worth another try
        wanting = len(done) < len(due) or any(one.outcome in ("changing", "shrinking") for one in done)
        if wanting and not is_stuck:
            self._aside.again(picture)

    def _may_go_on(self) -> bool:
        newest = self._aside.newest
        return not self._aside.closed and (newest is None or not self._misses_one(newest))

    def _may_shrink(self, path: str) -> bool:
        """Whether a worktree has been losing files for so long that this is no deletion."""
        return path in self._shrinking and time.monotonic() - self._shrinking[path] >= SETTLED

    def _note_shrinking(self, one: Done) -> None:
        if one.outcome == "shrinking":
            self._shrinking.setdefault(one.path, time.monotonic())
        else:
            self._shrinking.pop(one.path, None)

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

    def _tell_vanished(self, repository: Repository, state: Path) -> bool:
        """Whether it could be looked for: while an operation of ours is at work, the Picture after it asks again."""
        with hold(repository.common_dir, "looking for worktrees that have vanished", wait=1.0) as held:
            if isinstance(held, Finding):
                return False
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
        return True


def open_guard(
    folder: Path, options: Options, on_vanished: Callable[[Vanished], None], foreground: Foreground | None = None
) -> Guard:
    """A guard for the repository that a folder lies in; `on_vanished` is called on the guard's own thread.

    It makes way for whoever is at work in the `foreground`.
    """
    return Guard(folder, options, on_vanished, foreground or Foreground())


def _there(picture: Picture) -> frozenset[tuple[str, str]]:
    """Which worktrees there are, another one at the same path told apart."""
    worktrees = [state.worktree for state in picture.worktrees if not state.worktree.missing]
    return frozenset((worktree.key, made_of(worktree.git_dir)) for worktree in worktrees)


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


def _named(key: Key) -> str:
    """A name for a state, the same in every process."""
    return hashlib.sha256(repr(key).encode("utf-8", "surrogateescape")).hexdigest()


def _is_safe(one: WorktreeState) -> bool:
    """Whether all that a worktree has is in trunk."""
    uncommitted = any(set(change.sources) - {"committed"} for change in one.changes or ())
    return one.integration.state in ("integrated", "no-work") and not uncommitted
