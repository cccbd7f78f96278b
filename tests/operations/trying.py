"""A session that tries merges beside it with a person's command, and what it has told."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.merge_check import trying
from sidecar.session.live import Session, open_session
from tests.git.leaving import eventually

SLOW = 240.0
"""Seconds for real checkers, at the lowest priority: on a busy machine they hardly get on."""


@dataclass
class Tried:
    """A session with merges tried beside it."""

    session: Session
    trying: trying.Trying

    def told(self) -> dict[tuple[str, str, int], str]:
        """What is told now: (worktree, path, line) -> what the command says."""
        picture = self.session.picture
        states = picture.worktrees if picture is not None else ()
        return {(one.worktree.name, row.path, row.line): row.message for one in states for row in one.broken}

    def until(self, *wanted: tuple[str, str, int]) -> None:
        """Wait until exactly these lines are told."""
        eventually(lambda: set(self.told()) == set(wanted), SLOW)

    def until_told(self, worktree: str, path: str, line: int) -> None:
        """Wait until this line is told, whatever else is."""
        eventually(lambda: (worktree, path, line) in self.told(), SLOW)

    def until_tried(self, count: int) -> None:
        """Wait until the command has said something of so many trees, and nothing waits."""
        eventually(lambda: len(self.trying.said) >= count and self.trying.is_done)


@contextmanager
def trying_merges(main: Path, *, trusted: bool = True, **settings: object) -> Iterator[Tried]:
    """A session that does not wait long for quiet, and the merges that it tries."""
    session = open_session(main, Options(trusted, settings), lambda _picture: None)
    assert not isinstance(session, Failure)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trying, "QUIET", 0.1)
        found = trying.open_trying(session)
        try:
            yield Tried(session, found)
        finally:
            found.close()
            session.close()
