"""Doors that attach to a session process, and what is left of it."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition
from typing import Any

import psutil

from sidecar.model.findings import Failure
from sidecar.model.picture import Picture
from sidecar.model.settings import Options
from sidecar.session.address import directory, notes
from sidecar.session.attached import AttachedSession, Hears
from sidecar.session.doors import find_session

DEADLINE = 60.0


@dataclass
class AtDoor:
    """What a door has, and what it was told."""

    session: AttachedSession
    pictures: list[Picture] = field(default_factory=list)
    notices: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    news: Condition = field(default_factory=Condition)

    def until(self, holds: Callable[[Picture], object]) -> Picture:
        """Wait for a Picture like this."""
        end = time.monotonic() + DEADLINE
        with self.news:
            while not (self.pictures and holds(self.pictures[-1])):
                left = end - time.monotonic()
                assert left > 0, f"Not in {DEADLINE} s; the last: {self.pictures[-1:]}; lost: {self.lost}"
                self.news.wait(left)
            return self.pictures[-1]


@contextmanager
def attached(folder: Path, options: Options | None = None) -> Iterator[AtDoor]:
    """A door that is attached to the session of a folder's repository."""
    door: list[AtDoor] = []
    early: list[Picture] = []
    news = Condition()

    def take(picture: Picture) -> None:
        with news:
            (door[0].pictures if door else early).append(picture)
            news.notify_all()

    hears = Hears(take, lambda kind, said: door[0].notices.append((kind, said)), lambda why: door[0].lost.append(why))
    found = find_session(folder, options or Options(), hears)
    assert not isinstance(found, Failure), found
    session, why = found
    assert isinstance(session, AttachedSession), why
    with news:
        door.append(AtDoor(session, early, news=news))
    try:
        yield door[0]
    finally:
        session.close()


def session_processes() -> list[int]:
    """The processes that say that they are sessions, and are there."""
    return [note.pid for _, note in notes() if psutil.pid_exists(note.pid)]


def is_nothing_left() -> bool:
    """Whether no session runs, and no file of one is there but the key and the lock that all share.

    A log stays where there was something to say.
    """
    places = {path.name for path in directory().iterdir()} if directory().exists() else set()
    return places <= {"key", "turn.lock"} and not _running()


def _running() -> list[int]:
    """Session processes of this test, by its home."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cmdline()[-1:] == ["session-process"] and process.environ().get("HOME") == os.environ["HOME"]:
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found
