"""A session in view: waiting for what it should say, with a deadline."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sidecar.model.findings import Failure
from sidecar.model.overlaps import Overlap, Unknown
from sidecar.model.picture import Picture, Trunk, WorktreeState
from sidecar.model.settings import Options
from sidecar.session.live import Session, open_session
from sidecar.session.once import look
from tests.session.pictures import shown

DEADLINE = 40.0

Seen = tuple[str | None, Trunk | None, tuple[WorktreeState, ...], tuple[Overlap, ...], tuple[Unknown, ...]]


@dataclass(frozen=True)
class Live:
    """An open session, all Pictures that it gave, and the threads that it gave them on."""

    folder: Path
    options: Options
    session: Session
    pictures: list[Picture]
    news: threading.Condition
    threads: set[int] = field(default_factory=set)

    def until(self, holds: Callable[[Picture], object]) -> Picture:
        """Wait for a Picture like this; fails at the deadline, showing the last one."""
        end = time.monotonic() + DEADLINE
        with self.news:
            while not (self.pictures and holds(self.pictures[-1])):
                left = end - time.monotonic()
                assert left > 0, f"Not in {DEADLINE} s; the last: {self.pictures[-1:]}"
                self.news.wait(left)
            return self.pictures[-1]

    def until_fresh(self) -> Picture:
        """Wait until the Picture is the one that somebody who looks now would get."""
        fresh = what_is_seen(look(self.folder, self.options))
        try:
            return self.until(lambda picture: what_is_seen(picture) == fresh)
        except AssertionError:
            told = "\n".join(differences(what_is_seen(self.pictures[-1]), fresh))
            raise AssertionError(f"Not in {DEADLINE} s:\n{told}") from None

    def settled(self, path: Path | str, version: int) -> Picture:
        """Wait for the Picture that has seen this version of an unsaved text."""
        return self.until(lambda picture: picture.documents.get(str(path)) == version)


def what_is_seen(picture: Picture | Failure) -> Seen:
    """All of a Picture but its number and the editor's documents."""
    if isinstance(picture, Failure):
        return picture.message, None, (), (), ()
    return picture.problem, picture.trunk, picture.worktrees, picture.overlaps, picture.unknown


def differences(live: Seen, fresh: Seen) -> Iterator[str]:
    """What a live Picture has otherwise than a fresh look."""
    for name, one, two in zip(("problem", "trunk"), live[:2], fresh[:2], strict=True):
        if one != two:
            yield f"{name}: {one} should be {two}"
    states, wanted = ({state.worktree.key: state for state in seen[2]} for seen in (live, fresh))
    for key in dict.fromkeys([*states, *wanted]):
        if states.get(key) != wanted.get(key):
            yield f"{key}: {_told(states.get(key))} should be {_told(wanted.get(key))}"
    yield from (f"not: {unknown}" for unknown in live[4] if unknown not in fresh[4])
    yield from (f"but: {unknown}" for unknown in fresh[4] if unknown not in live[4])
    yield from (f"not: {shown(overlap)}" for overlap in live[3] if overlap not in fresh[3])
    yield from (f"but: {shown(overlap)}" for overlap in fresh[3] if overlap not in live[3])


def _told(state: WorktreeState | None) -> str:
    if state is None:
        return "nothing"
    changes = {path: change.sources for path, change in state.changes.changes.items()} if state.changes else None
    return f"{state.worktree} {changes} {state.ahead} {state.behind} {state.integration} {state.problem}"


@contextmanager
def watching(folder: Path, options: Options | None = None) -> Iterator[Live]:
    """A session that has given its first Picture."""
    news = threading.Condition()
    pictures: list[Picture] = []
    threads: set[int] = set()

    def take(picture: Picture) -> None:
        with news:
            pictures.append(picture)
            threads.add(threading.get_ident())
            news.notify_all()

    chosen = options or Options()
    session = open_session(folder, chosen, take)
    assert not isinstance(session, Failure), session
    try:
        live = Live(folder, chosen, session, pictures, news, threads)
        live.until(lambda picture: True)
        yield live
    finally:
        session.close()
    numbers = [picture.number for picture in pictures]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(threads) <= 1
