"""A session with a guard beside it, what it tells, and what it has kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue

import pytest

from sidecar.git.repository import Repository, open_repository
from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.guard import keeping, wiped
from sidecar.operations.guard.keeping import Guard, Tell, open_guard
from sidecar.operations.guard.states import State, read_states, read_tips
from sidecar.operations.guard.vanished import Vanished
from sidecar.operations.guard.wiped import Wiped
from sidecar.session.live import Session, open_session
from tests.git.leaving import eventually
from tests.harness import git
from tests.harness.states import Standing


@dataclass
class Told:
    """A guard at work, and what it has told."""

    session: Session
    guard: Guard
    vanished: "Queue[Vanished]"
    wiped: "Queue[Wiped]" = field(default_factory=Queue)
    troubles: "Queue[str]" = field(default_factory=Queue)


@contextmanager
def guarding(at: Standing, *, settled: float = 0.3, between: float = 0.1, **settings: object) -> Iterator[Told]:
    """A session with a guard beside it that does not wait for anybody's work to come to rest, and what it tells.

    It tells what it suspects after `settled` seconds, and keeps states of one worktree `between` seconds apart.
    """
    told: tuple[Queue[Vanished], Queue[Wiped], Queue[str]] = (Queue(), Queue(), Queue())
    session = open_session(at.main, Options(editor=settings), lambda _picture: None)
    assert not isinstance(session, Failure)
    with pytest.MonkeyPatch.context() as patch:
        for name, seconds in {"QUIET": 0.05, "LOOK_EVERY": 0.05, "AT_MOST_EVERY": between}.items():
            patch.setattr(keeping, name, seconds)
        patch.setattr(wiped, "SETTLED", settled)
        guard = open_guard(session, Tell(told[0].put, told[1].put, told[2].put))
        try:
            yield Told(session, guard, *told)
        finally:
            guard.close()
            session.close()


def repository(at: Standing) -> Repository:
    found = open_repository(at.main)
    assert not isinstance(found, Failure)
    return found


def states(at: Standing, worktree: Path | None = None) -> list[State]:
    """Every state that is kept of a worktree, the newest first."""
    found = repository(at)
    where = str(worktree or at.worktree)
    every = (state for segments in read_tips(found).values() for state in read_states(found, segments))
    return sorted((one for one in every if one.facts.path == where), key=lambda one: one.facts.time, reverse=True)


def wait_until_kept(at: Standing, tree_has: str, worktree: Path | None = None) -> None:
    """Wait until the last state of a worktree has a file of that name."""

    def is_kept() -> bool:
        kept = states(at, worktree)
        return bool(kept) and tree_has in git(at.main, "ls-tree", "-r", "-t", "--name-only", kept[0].commit)

    eventually(is_kept)
