"""Ask a session that runs already for what a command or a hook would otherwise find out itself; never start one.

It answers as a look of one's own would, or not at all. In any doubt the one who asks looks for itself.
An agent's hook waits for what this imports.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from sidecar.session.address import connect, connect_to, identity, is_off, notes
from sidecar.session.wire import Connection, Message
from sidecar.system.place import Place, find_place

if TYPE_CHECKING:
    from pathlib import Path

    from sidecar.model.picture import Picture
    from sidecar.model.settings import Options, Value

SECONDS = 2.0
"""How long an answer may take before one looks for oneself, of all sessions together and with getting there."""
MOMENT = 0.01
"""Seconds for an answer that has come already."""
NONE: Mapping[str, Value] = MappingProxyType({})
"""The settings of who has no editor."""


def ask_session(
    place: Place, question: Message, *, trusted: bool = False, settings: Mapping[str, Value] = NONE
) -> Message:
    """Give what a session of a repository answers; empty where none is there, or one is in doubt."""
    return begin_to_ask(place, question, trusted=trusted, settings=settings)()


def begin_to_ask(
    place: Place, question: Message, *, trusted: bool = False, settings: Mapping[str, Value] = NONE
) -> Callable[[], Message]:
    """Ask now, and give a function that waits for the answer; what is done in between costs no time."""
    if is_off():
        return dict
    end = time.monotonic() + SECONDS
    asked = _ask_in_turn(place, question, trusted, settings, end)
    first = next(asked, None)

    def wait() -> Message:
        connection = first
        while connection is not None:
            answer = _receive(connection, end)
            if answer is not None and answer.keys() != {"answer"}:
                return answer
            connection = next(asked, None)
        return {}

    return wait


def ask_picture_at(place: Place, options: Options, paths: Sequence[str]) -> Picture | None:
    """Give what `look_at_paths` gives of these paths (relative) of a worktree, but for what each has changed."""
    return _ask_picture(place, options, {"key": place.top, "paths": list(paths)})


def ask_picture(folder: Path, options: Options, *, prove: bool) -> Picture | None:
    """Give what `look` gives, with the sizes that the session has measured; None where no session tells.

    Work of editors that is not saved is in no look: where there is some, no session tells.
    """
    place = find_place(os.path.realpath(folder))
    return None if place is None else _ask_picture(place, options, {"prove": prove})


def _ask_picture(place: Place, options: Options, question: Message) -> Picture | None:
    from sidecar.model.settings import of_session

    answer = ask_session(
        place, {"ask": "look", **question}, trusted=options.trusted, settings=of_session(options.editor)
    )
    if "picture" not in answer:
        return None
    from sidecar.model.decode import decode
    from sidecar.model.findings import Failure
    from sidecar.model.picture_change import NOTHING, PictureChange, apply_change

    change = decode(PictureChange, answer["picture"])
    return None if isinstance(change, Failure) else apply_change(NOTHING, change)


def ask_report(name: str) -> Message | None:
    """Give what the session of a name says of itself; None where it does not answer."""
    end = time.monotonic() + SECONDS
    connection = connect(name, _ABOUT, SECONDS)
    asked = connection is not None and _send(connection, {"ask": "report"})
    answer = _receive(connection, end) if connection is not None and asked else None
    report = answer.get("report") if answer is not None else None
    return report if isinstance(report, dict) else None


_ABOUT: Message = {"kind": "question"}


def _ask_in_turn(
    place: Place, question: Message, trusted: bool, settings: Mapping[str, Value], end: float
) -> Iterator[Connection]:
    """Ask each session of a repository until it is too late; which one may answer, it knows itself."""
    for _, note in notes():
        left = end - time.monotonic()
        if note.repository != place.common_dir or left <= 0:
            continue
        connection = connect_to(note, _ABOUT, left)
        if connection is not None and _send(
            connection, {**question, "shared": identity(place, trusted, dict(settings))}
        ):
            yield connection


def _send(connection: Connection, question: Message) -> bool:
    """Send a question; the connection is closed where nobody takes it."""
    try:
        connection.send({**question, "id": 1})
    except OSError:
        connection.close()
        return False
    return True


def _receive(connection: Connection, end: float) -> Message | None:
    """Wait for the answer, and close the connection; None where none comes in time."""
    try:
        connection.wait_at_most(max(MOMENT, end - time.monotonic()))
        return connection.receive()
    except (OSError, ValueError):
        return None
    finally:
        connection.close()
