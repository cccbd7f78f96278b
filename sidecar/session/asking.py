"""Ask a session that runs already for what a command or a hook would otherwise find out itself; never start one.

It answers as a look of one's own would, or not at all. In any doubt the one who asks looks for itself.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from sidecar.model.decode import decode, encode
from sidecar.model.findings import Failure
from sidecar.model.picture import Picture
from sidecar.model.picture_change import NOTHING, PictureChange, apply_change
from sidecar.model.settings import Options, of_session
from sidecar.session.address import Note, connect, connect_to, notes, shared
from sidecar.session.starting import is_off
from sidecar.session.wire import Connection, Message
from sidecar.system.place import Place, find_place

SECONDS = 2.0
"""How long an answer may take before one looks for oneself, of all sessions together and with getting there."""
MOMENT = 0.01
"""Seconds for an answer that has come already."""


def ask_picture_at(place: Place, options: Options, paths: Sequence[str]) -> Picture | None:
    """Give what `look_at_paths` gives of these paths (relative) of a worktree, but for what each has changed."""
    return _ask(place, options, {"ask": "look", "key": place.top, "paths": list(paths)})


def ask_picture(folder: Path, options: Options, *, prove: bool) -> Picture | None:
    """Give what `look` gives, with the sizes that the session has measured; None where no session tells.

    Work of editors that is not saved is in no look: where there is some, no session tells.
    """
    place = find_place(os.path.realpath(folder))
    return None if place is None else _ask(place, options, {"ask": "look", "prove": prove})


def ask_report(name: str) -> Message | None:
    """Give what the session of a name says of itself; None where it does not answer."""
    end = time.monotonic() + SECONDS
    connection = connect(name, _ABOUT, SECONDS)
    answer = _answer(connection, {"ask": "report"}, end) if connection is not None else None
    report = answer.get("report") if answer is not None else None
    return report if isinstance(report, dict) else None


_ABOUT: Message = {"kind": "question"}


def _ask(place: Place, options: Options, question: Message) -> Picture | None:
    if is_off():
        return None
    end = time.monotonic() + SECONDS
    for connection in _sessions(place, end):
        own = encode(shared(place, options.trusted, of_session(options.editor)))
        answer = _answer(connection, {**question, "shared": own}, end)
        if answer is None or "picture" not in answer:
            continue
        change = decode(PictureChange, answer["picture"])
        if not isinstance(change, Failure):
            return apply_change(NOTHING, change)
    return None


def _sessions(place: Place, end: float) -> Iterator[Connection]:
    """Connect to each session of a repository until it is too late; which one may answer, it knows itself."""
    for _, note in _notes():
        left = end - time.monotonic()
        if note.repository == place.common_dir and left > 0:
            connection = connect_to(note, _ABOUT, left)
            if connection is not None:
                yield connection


def _notes() -> Iterator[tuple[str, Note]]:
    try:
        yield from notes()
    except OSError:
        return


def _answer(connection: Connection, question: Message, end: float) -> Message | None:
    try:
        connection.wait_at_most(max(MOMENT, end - time.monotonic()))
        connection.send({**question, "id": 1})
        return connection.receive()
    except (OSError, ValueError):
        return None
    finally:
        connection.close()
