"""Run the guard: a thread that keeps up with a session, one in a repository however many windows show it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from sidecar.git.process import GitError
from sidecar.model.changes import COMMITTED, UNSAVED
from sidecar.model.findings import Failure, Finding
from sidecar.model.picture import Picture, WorktreeState
from sidecar.model.settings import build_output
from sidecar.model.words import escape
from sidecar.operations.guard.histories import (
    DAY,
    HOUR,
    MEBIBYTE,
    Bounds,
    Histories,
    TooMuchError,
    Wish,
    open_histories,
)
from sidecar.operations.guard.ignored import (
    Ignored,
    drop_ignored,
    drop_older,
    has_ignored,
    keep_ignored,
    look_at_ignored,
)
from sidecar.operations.guard.integrated import Integrated, Integrations, without_merged
from sidecar.operations.guard.states import history_in, is_gone, restored_at
from sidecar.operations.guard.vanished import Vanished, declared, find_vanished, vanished_of
from sidecar.operations.guard.wiped import Stashes, Suspicions, Wiped, stash_losses, wiped_of, write_wiped
from sidecar.operations.journal import left_over
from sidecar.operations.records import open_sidecar_dir, sidecar_path
from sidecar.operations.run import hold, take_lock
from sidecar.session.background import BackgroundJob
from sidecar.session.live import Seen, Session
from sidecar.session.present_state import PresentState, present_state
from sidecar.session.reader import Sources
from sidecar.session.reading import Reading

log = logging.getLogger(__name__)

QUIET = 0.5
"""Seconds without anything new after which states are kept."""

AT_MOST_EVERY = 4.0
"""Seconds between two keepings while things go on changing."""


PATIENCE = 1.5
"""Seconds after which things are looked at although they are not quiet."""

LOOK_EVERY = 1.0
"""Seconds between two looks whether there is something to keep or to tell."""

SAVED = 15.0
"""Seconds for which what is gone from a file is what its editor wrote there."""

MOST_GONE = 50
"""How many histories of worktrees that are gone are kept: the youngest."""


def _ignore(_news: object) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Tell:
    """Whom the guard tells, on its own thread: what has vanished, what is in trunk now, and what it can't do."""

    vanished: Callable[[Vanished], None] = _ignore
    wiped: Callable[[Wiped], None] = _ignore
    trouble: Callable[[str], None] = _ignore
    integrated: Callable[[Integrated], None] = _ignore


@dataclass(slots=True)
class _Known:
    """A worktree as it was looked at last: what was read, and the state that follows from it."""

    reading: Reading
    present: PresentState | None
    ignored: Ignored | None = None


@dataclass(slots=True)
class _Opened:
    """What is open while the session's sources stay the same."""

    sources: Sources
    histories: Histories
    stashes: Stashes = field(default_factory=Stashes)
    restored: dict[str, float] = field(default_factory=dict)
    known: dict[str, _Known] = field(default_factory=dict)


class Guard:
    """Keeps the states of every worktree of one repository; `open_guard` makes one."""

    def __init__(self, session: Session, tell: Tell) -> None:
        self._session = session
        self._tell = tell
        self._lock: FileLock | None = None
        self._opened: _Opened | None = None
        self._here: frozenset[str] = frozenset()
        self._gone: frozenset[str] = frozenset()
        self._declared: dict[str, float] = {}
        self._kept_at: dict[str, float] = {}
        self._troubles: dict[str, str] = {}
        self._expired_at = -HOUR
        self._suspicions = Suspicions(sidecar_path(session.repository))
        self._integrations = Integrations()
        self._unsaid: list[WorktreeState] = []
        self._resumed = False
        self._saved: dict[str, float] = {}
        self._ignored: dict[str, Ignored] = {}
        self._aside = BackgroundJob(
            "sidecar-guard",
            self._keep_up,
            quiet=QUIET,
            patience=PATIENCE,
            foreground=session.foreground,
            is_urgent=lambda picture: not self._here or self._misses_one(picture),
            every=lambda _took: QUIET if self._suspicions.held else LOOK_EVERY,
        )

    def see(self, picture: Picture) -> None:
        """Take in what was looked at; returns at once."""
        self._unsaid += self._integrations.news(picture)
        self._aside.tell(picture)

    def saved(self, path: str) -> None:
        """Note that an editor has just written a file (absolute path): its undo still has what is gone from it."""
        self._saved[path] = time.monotonic()

    def close(self) -> None:
        """Keep no more; what is kept stays. To be called before the session is closed; closing twice is fine."""
        self._aside.close()
        self._close_opened()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _misses_one(self, picture: Picture) -> bool:
        """Tell whether a worktree that was there is gone: a person wants to know that at once."""
        return not self._here <= {state.worktree.key for state in picture.worktrees if not state.worktree.missing}

    def _keep_up(self, picture: Picture) -> None:
        seen = self._session.seen()
        if seen is None or not seen.sources.settings["guard"]:
            return
        sidecar_dir = open_sidecar_dir(seen.sources.repository.common_dir)
        if isinstance(sidecar_dir, Failure):
            self._trouble(sidecar_dir.message)
            return
        if not self._is_ours(sidecar_dir):
            return
        try:
            self._work(seen, sidecar_dir)
        except GitError as error:
            self._close_opened()  # somebody moved a ref, or the sources were closed: the next time all is read again
            now = self._session.seen()
            if now is not None and now.sources is seen.sources:
                self._trouble(f"The states of worktrees can't be kept: {error.message}")
                self._aside.again(picture)
        except OSError as error:
            where = f" ({escape(str(error.filename))})" if error.filename else ""
            self._trouble(f"The states of worktrees can't be kept: {error.strerror}{where}.")
            self._aside.again(picture)

    def _work(self, seen: Seen, sidecar_dir: Path) -> None:
        sources, picture = seen.sources, seen.picture
        opened = self._open(sources, sidecar_dir)
        opened.histories.watch()
        by_key = {one.worktree.key: one for one in picture.worktrees}
        there = {reading.worktree.key: reading for reading in seen.readings if not reading.worktree.missing}
        histories = {key: history_in(sources.repository, reading.worktree) for key, reading in there.items()}
        if not self._resumed:
            self._suspicions.resume(sources.repository, frozenset(histories.values()))
            self._resumed = True
        self._here = frozenset(there)
        self._gone -= frozenset(histories.values())
        if not opened.histories.segments.keys() <= {*histories.values()} | self._gone:
            self._look_for_vanished(opened, sidecar_dir, frozenset(histories.values()), picture)
        opened.known = {key: known for key, known in opened.known.items() if key in there}
        late = False
        for key, reading in there.items():
            if not self._aside.go_on() or self._misses_one(self._aside.newest or picture):
                return
            late = self._keep(opened, sidecar_dir, reading, by_key.get(key)) or late
        opened.stashes.look(sources.repository)
        self._tell_wiped(opened, sidecar_dir)
        self._tell_integrated(sidecar_dir, picture)
        self._expire(opened, sidecar_dir)
        self._troubles.pop("", None)
        if late or self._suspicions.held or self._unsaid or opened.stashes.dropped:
            self._aside.again(picture)

    def _keep(self, opened: _Opened, sidecar_dir: Path, reading: Reading, shown: WorktreeState | None) -> bool:
        """Keep a worktree's state if it differs from the last; tell whether it has to be looked at again for that."""
        key = reading.worktree.key
        known = opened.known.get(key)
        if known is None or known.reading is not reading:
            known = opened.known[key] = _Known(reading, present_state(opened.sources, reading))
        if known.present is None or is_gone(reading.worktree):
            return False  # which the session will have seen soon
        history = opened.histories.history(known.present)
        if (restored := restored_at(sidecar_dir, history)) != opened.restored.get(history, 0.0):
            opened.histories.read_anew()  # the restoration kept a state before
            opened.restored[history] = restored
        beside = self._keep_ignored(opened, sidecar_dir, known, history)
        wish = Wish(known.present, _is_safe(shown), _has_work(shown), beside=beside)
        self._suspicions.look(opened.sources, history, opened.histories.tip(history), known.present, self._is_saved)
        if opened.histories.is_kept(wish) and not self._is_back(opened, history):
            return False
        recently = time.monotonic() - self._kept_at.get(history, -AT_MOST_EVERY) < AT_MOST_EVERY
        if recently and history not in self._suspicions.held:
            return True
        if is_gone(reading.worktree):
            return False
        try:
            opened.histories.keep(wish, _mebibytes(opened.sources, "guardLimit"))
        except TooMuchError:
            said = "has more new content than sidecar.guardLimit allows, so its state is not kept."
            self._trouble(f"{escape(reading.worktree.name)} {said}", history)
            return False
        self._troubles.pop(history, None)
        self._kept_at[history] = time.monotonic()
        return False

    def _keep_ignored(self, opened: _Opened, sidecar_dir: Path, known: _Known, history: str) -> bool:
        """Keep the ignored files of a worktree that was read anew; tell whether any are kept."""
        present = known.present
        if present is None or not opened.sources.settings["guardIgnored"]:
            return False
        if known.ignored is None:
            main = next((one.worktree for one in self._presents(opened) if one.worktree.main), None)
            other = main.key if main is not None and not present.worktree.main else None
            patterns = build_output(opened.sources.settings)
            found = look_at_ignored(present.worktree.key, other, present.ignored, patterns, self._aside.go_on)
            if found != self._ignored.get(history) and (found.files or has_ignored(sidecar_dir, history)):
                keep_ignored(sidecar_dir, history, present.worktree.key, found, time.time())
            known.ignored = self._ignored[history] = found
        return bool(known.ignored.files)

    @staticmethod
    def _presents(opened: _Opened) -> list[PresentState]:
        return [known.present for known in opened.known.values() if known.present is not None]

    def _is_back(self, opened: _Opened, history: str) -> bool:
        """Tell whether a worktree was told to have vanished since its last state: then the next time is another one."""
        tip = opened.histories.tip(history)
        return tip is not None and self._declared.get(history, 0.0) >= tip.facts.time

    def _tell_wiped(self, opened: _Opened, sidecar_dir: Path) -> None:
        """Tell of work that is gone and nowhere else; while an operation of ours is at work, later."""
        suspicions = self._suspicions
        if not (settled := suspicions.settled()) and not opened.stashes.dropped:
            return
        presents = {one.worktree.key: one for one in self._presents(opened)}
        by_history = {opened.histories.history(one): one for one in presents.values()}
        if not (settled := [one for one in settled if one[0] in by_history]) and not opened.stashes.dropped:
            return
        sources, told = opened.sources, []
        common = sources.repository.common_dir
        try:
            with hold(common, "looking for work that was wiped", wait=1.0, brief=True) as held:
                if isinstance(held, Finding) or left_over(sidecar_dir) is not None:
                    return
                for history, one in settled:
                    now, others = by_history[history], presents.values()
                    if losses := suspicions.losses(sources, history, one, now, others, self._is_saved):
                        commit, seen = one.was.commit, one.seen
                        told.append(write_wiped(sources.repository, held, now.worktree, commit, losses, seen))
                    suspicions.forget(history, one)
                for entry in opened.stashes.settled():
                    found = stash_losses(sources, entry, presents)
                    if found is not None and found[1]:
                        whose, seen = found[0].worktree, time.time()
                        told.append(write_wiped(sources.repository, held, whose, entry, found[1], seen))
        finally:
            for receipt in told:
                self._tell.wiped(wiped_of(receipt))

    def _tell_integrated(self, sidecar_dir: Path, picture: Picture) -> None:
        """Tell of worktrees whose work is in trunk now; while an operation of ours is at work, later."""
        if not (unsaid := list(self._unsaid)):
            return
        with hold(self._session.repository, "looking at what came into trunk", wait=1.0, brief=True) as held:
            if isinstance(held, Finding) or left_over(sidecar_dir) is not None:
                return
            found = without_merged(sidecar_dir, picture, unsaid)
        del self._unsaid[: len(unsaid)]
        for one in found:
            self._tell.integrated(one)

    def _is_saved(self, path: str) -> bool:
        """Tell whether an editor has written a file a moment ago."""
        return time.monotonic() - self._saved.get(path, -SAVED) < SAVED

    def _expire(self, opened: _Opened, sidecar_dir: Path) -> None:
        settings = opened.sources.settings
        days, states = settings["retention"], settings["guardStates"]
        assert isinstance(days, int)
        assert isinstance(states, int)
        bounds = Bounds(days, max(states, 1), _mebibytes(opened.sources, "guardLimit"))
        if time.monotonic() - self._expired_at > HOUR:
            self._expired_at = time.monotonic()
            opened.histories.expire(bounds)
            for history in opened.histories.by_age(self._gone)[MOST_GONE:]:
                opened.histories.drop(history)
                drop_ignored(sidecar_dir, history)
            if days:
                drop_older(sidecar_dir, time.time() - days * DAY)
        else:
            opened.histories.expire(bounds, self._kept_at)

    def _look_for_vanished(self, opened: _Opened, sidecar_dir: Path, there: frozenset[str], picture: Picture) -> None:
        """Tell of worktrees that are gone; while an operation of ours is at work, that is looked at again."""
        common = opened.sources.repository.common_dir
        with hold(common, "looking for worktrees that have vanished", wait=1.0, brief=True) as held:
            if isinstance(held, Finding):
                self._aside.again(picture)
                return
            receipts, self._gone = find_vanished(opened.sources.repository, sidecar_dir)
        if not opened.histories.segments.keys() <= there | self._gone:
            self._aside.again(picture)  # it has come back, or is not wholly gone yet
        self._declared = declared(sidecar_dir)
        for receipt in receipts:
            self._tell.vanished(vanished_of(receipt))

    def _open(self, sources: Sources, sidecar_dir: Path) -> _Opened:
        if self._opened is None or self._opened.sources is not sources:
            self._close_opened()
            self._declared = declared(sidecar_dir)
            self._opened = _Opened(sources, open_histories(sources))
        return self._opened

    def _close_opened(self) -> None:
        if self._opened is not None:
            self._opened.histories.close()
            self._opened = None

    def _trouble(self, message: str, history: str = "") -> None:
        """Say once what can't be done, of one history or at all, until it can be done again."""
        if self._troubles.get(history) != message:
            self._troubles[history] = message
            log.warning("%s", message)
            self._tell.trouble(message)

    def _is_ours(self, sidecar_dir: Path) -> bool:
        """Tell whether this process is the one that keeps; when the other one ends, the next look makes it so."""
        if self._lock is None:
            taken = take_lock(file := sidecar_dir / "guard.lock")
            if isinstance(taken, Timeout):
                return False  # another one keeps
            if isinstance(taken, OSError):
                self._trouble(f"The states of worktrees can't be kept: {taken.strerror} ({escape(str(file))}).")
                return False
            self._lock = taken
        return True


def open_guard(session: Session, tell: Tell) -> Guard:
    """Open a guard beside a session; it makes way for the session's own work."""
    guard = Guard(session, tell)
    session.follow(guard.see)
    return guard


def _mebibytes(sources: Sources, key: str) -> int:
    number = sources.settings[key]
    assert isinstance(number, int)
    return number * MEBIBYTE


def _is_safe(one: WorktreeState | None) -> bool:
    """Tell whether all that a worktree has is in trunk."""
    if one is None or one.changes is None:
        return False
    uncommitted = any(set(change.sources) - {COMMITTED, UNSAVED} for change in one.changes)
    return one.integration.state in ("integrated", "no-work") and not uncommitted


def _has_work(one: WorktreeState | None) -> bool:
    """Tell whether a worktree has anything that trunk had not when it left."""
    if one is None or one.changes is None:
        return True
    return one.ahead > 0 or any(set(change.sources) != {UNSAVED} for change in one.changes)
