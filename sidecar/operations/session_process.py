"""Be the session process of a repository: one session, and the guard beside it, for every door that attaches.

A door starts it and says in one line what for. It answers in one line, and is then on its own: its streams lead to its
log, it has no terminal, and nobody waits for its end.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from sidecar.git.objects import load_library
from sidecar.git.repository import open_repository
from sidecar.model.decode import decode
from sidecar.model.encode import encode
from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.answers import ANSWERS, Answers
from sidecar.session.address import log_file
from sidecar.session.claim import claim
from sidecar.session.host import Host, Tell
from sidecar.session.keeper import Keeper
from sidecar.session.live import Session, open_session
from sidecar.session.shared import Shared
from sidecar.session.starting import Request, Started
from sidecar.system.streams import prepare_to_serve

log = logging.getLogger(__name__)

MOST_LOG = 256 * 1024
NEEDED_WITHIN = 60
"""Seconds after which one that was started in case that it is needed ends."""
LOGS_LAST = 7 * 24 * 3600
"""Seconds for which a log with something in it is kept."""
CLOSING = 10.0
"""Seconds after which it ends although something can't be closed."""


def run(more: Answers) -> int:
    """Read what it is for from standard input, and serve until the last door has gone; gives the exit status.

    `more` are answers to further questions.
    """
    os.chdir(os.sep)
    if hasattr(signal, "alarm"):
        signal.alarm(NEEDED_WITHIN)
    load_library()  # while the door loads its own
    line = sys.stdin.buffer.readline()
    if hasattr(signal, "alarm"):
        signal.alarm(0)
    if not line.strip():
        return 0  # it was started in case that it is needed, and is not
    request = decode(Request, json.loads(line))
    if isinstance(request, Failure):
        _answer(Started(failure=Failure("no-session-process", request.message)))
        return 1
    shared = request.shared
    found = claim(shared)
    if found is None or isinstance(found, Failure):
        _answer(Started(held=found is None, failure=found))
        return 0 if found is None else 1
    trouble = _start_log(shared.name)
    prepare_to_serve()
    host = Host(found, shared, request.linger, _open_guard, {**ANSWERS, **more})
    try:
        options = Options(shared.trusted, shared.settings)
        here = Path(request.folder)
        session = open_session(_lasting(shared, here), options, host.on_picture, here)
        if isinstance(session, Failure):
            _answer(Started(failure=session))
            return 1
        host.take(session)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: host.end())
        _answer(Started())
        log.info("process %s is the session of %s", os.getpid(), shared.common_dir)
        host.serve(lambda: threading.Thread(target=_give_up, args=(CLOSING,), daemon=True).start())
    finally:
        found.release()
        trouble.end()
    return 0


def _give_up(seconds: float) -> None:
    """End all the same when something can't be closed; the lock goes with the process."""
    threading.Event().wait(seconds)
    log.warning("something could not be closed in %s seconds", seconds)
    os._exit(1)


def _answer(started: Started) -> None:
    """Say to the door that started it how it went, and let go of the streams: nobody waits for their end."""
    with suppress(OSError):
        os.write(1, encode(started) + b"\n")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


class _Trouble(logging.Handler):
    """Notes whether there was anything that somebody may want to read about."""

    def __init__(self, path: Path) -> None:
        super().__init__(logging.WARNING)
        self.path, self.seen = path, False

    def emit(self, _record: logging.LogRecord) -> None:
        """Note it."""
        self.seen = True

    def end(self) -> None:
        """Leave a log only where there is something in it."""
        logging.shutdown()
        if not self.seen:
            with suppress(OSError):
                self.path.unlink()


def _start_log(name: str) -> _Trouble:
    """Write what is logged, and what is said on standard error, to a file; where there can be none, nowhere."""
    path = log_file(name)
    trouble = _Trouble(path)
    handlers: list[logging.Handler] = [trouble]
    descriptor = None
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in path.parent.glob(log_file("*").name + "*"):
            if old.stat().st_mtime < time.time() - LOGS_LAST:
                old.unlink()
        handlers.append(logging.handlers.RotatingFileHandler(path, maxBytes=MOST_LOG, backupCount=1))
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    os.dup2(os.open(os.devnull, os.O_WRONLY) if descriptor is None else descriptor, 2)
    logging.basicConfig(
        format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s", level=logging.INFO, handlers=handlers
    )
    return trouble


def _lasting(shared: Shared, folder: Path) -> Path:
    """Give a folder of the repository that no release of a worktree takes away."""
    common_dir = shared.common_dir
    main = Path(shared.main_folder or common_dir.removesuffix("/.git"))
    for place in (main, Path(common_dir)):
        found = open_repository(place) if place.is_dir() else None
        if found is not None and not isinstance(found, Failure) and found.common_dir == common_dir:
            return place
    return folder


def _open_guard(session: Session, tell: Tell) -> Keeper:
    from sidecar.operations.guard.keeping import Tell as GuardTell  # the first Picture does without
    from sidecar.operations.merge_check.trying import open_beside

    return open_beside(
        session,
        GuardTell(
            lambda vanished: tell("vanished", None, vanished),
            lambda wiped: tell("wiped", wiped.path, wiped),
            lambda message: tell("trouble", None, {"message": message}),
            lambda integrated: tell("integrated", None, integrated),
        ),
    )
