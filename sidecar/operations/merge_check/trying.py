"""Try merges with the person's checking command, beside a session: one at a time, and only while nobody does anything.

It makes way at once for whoever saves, merges or releases; what was put off for long goes on beside saves of others.
What does the work is loaded only where a command is set.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from sidecar.git.process import GitError
from sidecar.model.findings import Failure
from sidecar.model.picture import TRUNK_KEY, Broken, Picture, has_trunk, trunk_checkout
from sidecar.model.said_of_merge import Said
from sidecar.operations.guard.keeping import Tell, open_guard
from sidecar.operations.records import open_sidecar_dir
from sidecar.operations.run import is_under_way, take_lock
from sidecar.session.background import BackgroundJob
from sidecar.session.keeper import Keeper
from sidecar.session.live import Seen, Session
from sidecar.session.present_state import present_state

if TYPE_CHECKING:
    from sidecar.operations.merge_check.cases import Case, Own

log = logging.getLogger(__name__)

QUIET, PATIENCE = 3.0, 30.0
"""Seconds without anything new after which merges are tried, and after which they are although others save."""

PUT_OFF = 60.0
"""Seconds after which what was put off again and again makes way for its own worktrees only."""

AGAIN = 2.0
"""Seconds after which one looks whether an operation is over."""

_Trees = dict[str, tuple[object, ...]]


class StoppedError(Exception):
    """There is other work to be done first."""


class Trying:
    """Tries the merges of one repository; `open_trying` makes one. `said` is what the command said of trees."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock: FileLock | None = None
        self.said: dict[tuple[str, str], Said] = {}
        self._told: Mapping[str, tuple[Broken, ...]] = {}
        self._tried: object = None
        self._waits_since: float | None = None
        self._job = BackgroundJob(
            "sidecar-check",
            self._try,
            quiet=QUIET,
            patience=PATIENCE,
            foreground=session.foreground,
        )

    @property
    def is_done(self) -> bool:
        """Tell whether all of the newest Picture was tried; any thread."""
        return self._job.newest is None and self._waits_since is None

    def see(self, picture: Picture) -> None:
        """Take in what was looked at; returns at once."""
        self._job.tell(picture)

    def close(self) -> None:
        """Try no more; to be called before the session is closed. Closing twice is fine."""
        self._job.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _try(self, picture: Picture) -> None:
        seen = self._session.seen()
        if seen is None:
            return
        repository = seen.sources.repository
        if not str(seen.sources.settings["check"]).strip() or not repository.trusted:
            self._tell({})
            return
        sidecar_dir = open_sidecar_dir(repository.common_dir)
        if isinstance(sidecar_dir, Failure) or not self._is_ours(sidecar_dir):
            return
        if self._waits_since is None:
            self._waits_since = time.monotonic()
        try:
            self._try_all(seen)
            self._waits_since = None
        except StoppedError:
            if is_under_way(self._session.repository):
                self._job.rest(AGAIN, lambda: False)
            self._job.again(picture)
        except GitError as error:
            log.info("merges could not be tried: %s", error.message)  # the sources were closed; another look comes
            self._waits_since = None

    def _try_all(self, seen: Seen) -> None:
        from sidecar.operations.merge_check.cases import broken_in, find_cases, verdict
        from sidecar.operations.merge_check.running import Tree, command_of, run_on

        sources, picture, trunk, command = seen.sources, seen.picture, seen.picture.trunk, command_of(seen.sources)
        began = _trees(picture)
        if trunk is None or trunk.commit is None or command is None:
            return
        touching = self._session.touching(picture, self._job.go_on)
        given = (command, began, [(one.sides, one.verdict) for one in picture.overlaps], touching)
        if touching is None or given == self._tried:
            return
        states = {state.worktree.key: state for state in picture.worktrees}
        checkout = trunk_checkout(picture)
        if checkout is not None:
            states[TRUNK_KEY] = checkout
        used: dict[tuple[str, str], Said] = {}

        def said_of(case: Case, tree: str) -> Said:
            """Give what the command says of a tree; StoppedError when it had to make way."""
            key, keys = (command.key, tree), tuple(side.key for side in case.sides)
            if key not in self.said:
                stop = partial(self.stops, began, (*keys, TRUNK_KEY))
                if stop():
                    raise StoppedError
                worktree = states[next(key for key in keys if key != TRUNK_KEY)].worktree
                tried = Tree(tree, worktree, case.parent)
                said = run_on(sources, trunk, checkout.worktree if checkout else None, command, tried, stop)
                if said is None:
                    raise StoppedError
                self.said[key] = said
            used[key] = self.said[key]
            return used[key]

        found: dict[str, list[Broken]] = {}
        for case in find_cases(sources, trunk, _owns(seen), picture.overlaps, touching):
            known = verdict(sources, case, partial(said_of, case))
            if known is not None and known.state == "fails":
                for key, broken in broken_in(sources, case, known.complaints, states):
                    found.setdefault(key, []).append(broken)
        self.said, self._tried = used, given
        self._tell({key: tuple(dict.fromkeys(some)) for key, some in found.items()})

    def _tell(self, found: Mapping[str, tuple[Broken, ...]]) -> None:
        if found != self._told:
            self._told = found
            self._session.take_broken(found)

    def stops(self, began: _Trees, keys: tuple[str, ...]) -> bool:
        """Tell whether to make way, for who has changed something since, or for an operation."""
        if self._job.closed or is_under_way(self._session.repository):
            return True
        newest = self._job.newest
        if newest is None:
            return False
        now = _trees(newest)
        if self._waits_since is not None and time.monotonic() - self._waits_since > PUT_OFF:
            return any(now.get(key) != began.get(key) for key in keys)
        return now != began

    def _is_ours(self, sidecar_dir: Path) -> bool:
        """Tell whether this process is the one that tries; when the other one ends, the next look makes it so."""
        if self._lock is None:
            taken = take_lock(sidecar_dir / "check.lock")
            if isinstance(taken, OSError):
                return False
            self._lock = taken
        return True


def _owns(seen: Seen) -> list[Own]:
    """List the worktrees whose work can be tried, as it is on the disk."""
    from sidecar.operations.merge_check.cases import Own

    states = {state.worktree.key: state for state in seen.picture.worktrees}
    found = []
    for reading in seen.readings:
        state = states.get(reading.worktree.key)
        if state is None or state.changes is None or state.fork_point is None or state.worktree.merging:
            continue
        if has_trunk(seen.picture, state.worktree) or not state.changes.touched or state.files:
            continue
        present = present_state(seen.sources, reading)
        if present is not None and not present.stages and not present.left_out and state.worktree.head is not None:
            found.append(Own(state, present.tree))
    return found


def _trees(picture: Picture) -> _Trees:
    """Give what tells whether anything was changed, by worktree and for trunk."""
    found: _Trees = {TRUNK_KEY: (picture.trunk,)}
    for state in picture.worktrees:
        found[state.worktree.key] = (state.worktree.head, state.changes.tree if state.changes is not None else None)
    return found


def open_trying(session: Session) -> Trying:
    """Try merges beside a session, as long as a person has said by which command."""
    trying = Trying(session)
    session.follow(trying.see)
    return trying


@dataclass(frozen=True, slots=True)
class Beside:
    """The guard and the trying beside one session, as one."""

    guard: Keeper
    trying: Trying

    def saved(self, path: str) -> None:
        """Note that an editor has just written a file (absolute path)."""
        self.guard.saved(path)

    def close(self) -> None:
        """Try and keep no more; closing twice is fine."""
        self.trying.close()
        self.guard.close()


def open_beside(session: Session, tell: Tell) -> Beside:
    """Open a guard beside a session, and try merges there."""
    return Beside(open_guard(session, tell), open_trying(session))
