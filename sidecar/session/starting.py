"""Start a session process, or find the one that is there.

`SIDECAR_SESSION=off` keeps everything in one process; a number is how many seconds a session stays after its last door.
"""

from __future__ import annotations

import json
import math
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sidecar.model.decode import Text, decode
from sidecar.model.encode import encode
from sidecar.model.findings import Failure
from sidecar.session.address import SWITCH, connect, directory, is_off
from sidecar.session.shared import Shared
from sidecar.session.wire import Connection, Message
from sidecar.system.detached import SESSION, Detached

LINGER = 10.0
"""Seconds for which a session stays when its last door has gone."""

STARTING = 3.0
"""Seconds for which a door waits for a session that another one is starting."""
LOOK_EVERY = 0.02


@dataclass(frozen=True, slots=True)
class Request:
    """What a session process is started for: who shares it, and the folder of the door that starts it."""

    shared: Shared
    folder: Text
    linger: float


@dataclass(frozen=True, slots=True)
class Started:
    """What a session process says when it listens, or why it does not; `held`: another one does."""

    held: bool = False
    failure: Failure | None = None


def linger() -> float:
    """Give for how many seconds a session stays after its last door."""
    try:
        seconds = float(os.environ.get(SWITCH, LINGER))
    except ValueError:
        return LINGER
    return seconds if math.isfinite(seconds) and seconds >= 0 else LINGER


@dataclass(slots=True)
class _Prepared:
    process: Detached | None = None


_prepared = _Prepared()


def prepare() -> None:
    """Start a session process before it is known what for, so that both load at once; not where one runs already."""
    if is_off() or any(directory().glob("*.json")):
        return
    try:
        _prepared.process = Detached(SESSION)
    except OSError:
        return  # it is tried again when it is needed, and what is wrong is said then


def attach(shared: Shared, folder: Path, about: Message) -> Connection | Failure:
    """Connect to the session of what is shared, started if need be; a Failure `no-session-process` where none can be.

    Any other Failure says why the repository can't be read.
    """
    prepared, _prepared.process = _prepared.process, None
    found: Connection | Failure | None = connect(shared.name, about) or _await(shared.name, about)
    request = Request(shared, str(folder), linger())
    if found is None and prepared is not None:
        found = _start(prepared, request, about)
    if prepared is not None:
        prepared.drop()
    if found is None:
        found = _start_another(request, about)
    if isinstance(found, Failure):
        with suppress(OSError):
            _mark_of(shared.name).unlink()  # nobody is starting it any more
    return found


def _start_another(request: Request, about: Message) -> Connection | Failure:
    """Start a process and tell it what it is for."""
    try:
        process = Detached(SESSION)
    except OSError as error:
        return Failure("no-session-process", f"No session process can be started: {error.strerror}.")
    found = _start(process, request, about)
    process.drop()
    return found or Failure("no-session-process", f"The session process did not start. {process.errors()}".rstrip())


def _mark_of(name: str) -> Path:
    """Give the file that says that a door is starting the session of this name: the door's process."""
    return directory() / f"{name}.starting"


def _await(name: str, about: Message) -> Connection | None:
    """Connect to a session that another door is starting now; None where none is, and this one may."""
    mark, end = _mark_of(name), time.monotonic() + STARTING
    while time.monotonic() < end:
        try:
            with open(os.open(mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
                file.write(str(os.getpid()))
        except FileExistsError:
            if _is_left_behind(mark):
                with suppress(OSError):
                    mark.unlink()
                continue
            time.sleep(LOOK_EVERY)
            if (found := connect(name, about)) is not None:
                return found
        except OSError:
            return None
        else:
            break  # of many doors that lose a session one starts the next, unless it has come up meanwhile
    found = connect(name, about)
    if found is not None:
        with suppress(OSError):
            mark.unlink()
    return found


def _is_left_behind(mark: Path) -> bool:
    """Tell whether the door that made the mark has ended without taking it away: it was killed.

    Where two find that at once both may start a process; of those one becomes the session.
    """
    from sidecar.system.processes import is_running

    try:
        return not is_running(int(mark.read_text(encoding="ascii")))
    except (OSError, ValueError):
        return False  # it is being written, or taken away


def _start(process: Detached, request: Request, about: Message) -> Connection | Failure | None:
    """Tell a process what it is for, and connect to it; None where it has ended meanwhile."""
    answer = process.tell(encode(request))
    if answer is None:
        return None
    try:
        started = decode(Started, json.loads(answer))
    except ValueError:
        started = Failure("no-session-process", "The session process did not start as it should.")
    if isinstance(started, Failure):
        return Failure("no-session-process", started.message)
    if started.failure is not None:
        return started.failure
    connection = connect(request.shared.name, about)
    return connection or Failure("no-session-process", "The session process does not answer.")
