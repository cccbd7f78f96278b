"""Make a process the one session of its doors: it holds the lock, and listens.

Locks are taken and taken away under one lock of the directory, so that of two processes that start at the same moment
one has the session, and so that nobody takes a file away that another one has just made.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from sidecar.model.findings import Failure
from sidecar.session.address import FAR_ENOUGH, KEY_BYTES, LOCAL, Note, connect, directory, log_file
from sidecar.session.shared import Shared
from sidecar.system.files import make_private, read_regular

SECONDS = 10.0
"""How long one that is just ending may hold its lock."""
LOOK_EVERY = 0.02
BACKLOG = 64
IN_TURN = 5.0
"""Seconds for which the directory's own lock may be held by others."""


@dataclass(slots=True)
class Claim:
    """A lock that is held and a socket that listens, of the session of a name."""

    name: str
    key: bytes
    lock: FileLock
    listener: socket.socket
    note: Note

    def stop_listening(self) -> None:
        """Let no door find it any more; who comes now starts another one, which waits for the lock.

        Where the directory has been taken away (it may go when its user logs out), there is nothing to find.
        """
        with suppress(OSError, Timeout), _in_turn():
            _remove(self.name, "json", "sock")
        self.listener.close()

    def release(self) -> None:
        """Leave nothing behind."""
        with suppress(OSError, Timeout), _in_turn():
            _remove(self.name, "json", "sock")
            self.lock.release()
            _remove(self.name, "lock")
        self.listener.close()


def claim(shared: Shared) -> Claim | Failure | None:
    """Become the session of this name; None where another one is, and a Failure where none can listen."""
    end = time.monotonic() + SECONDS
    try:
        folder = directory()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (why := make_private(folder)) is not None:
            return Failure("no-session-process", why)
        while True:
            with _in_turn():
                lock = FileLock(_file(shared.name, "lock"), thread_local=False, mode=0o600)
                with suppress(Timeout):
                    lock.acquire(timeout=0)
                    return _listen(shared, lock)
            if _is_answering(shared.name):
                _remove(shared.name, "starting")
                return None
            if time.monotonic() > end:
                return Failure("no-session-process", "Another session of this repository does not answer.")
            time.sleep(LOOK_EVERY)
    except (OSError, Timeout) as error:
        said = getattr(error, "strerror", None) or error
        return Failure("no-session-process", f"No session can listen in {directory()}: {said}.")


def _is_answering(name: str) -> bool:
    connection = connect(name, {"kind": "another session"})
    if connection is None:
        return False
    connection.close()
    return True


def _listen(shared: Shared, lock: FileLock) -> Claim:
    try:
        _sweep()
        key = _own_key()
        path = _file(shared.name, "sock")
        _remove(shared.name, "json", "sock")
        if hasattr(socket, "AF_UNIX") and len(os.fsencode(path)) <= FAR_ENOUGH:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(path)
            os.chmod(path, 0o600)
        else:
            listener = socket.socket(socket.AF_INET)
            listener.bind((LOCAL, 0))
        listener.listen(BACKLOG)
        port = listener.getsockname()[1] if listener.family == socket.AF_INET else 0
        note = Note(
            os.getpid(),
            port or path,
            shared.common_dir,
            shared.version,
            shared.trusted,
            time.time(),
            str(log_file(shared.name)),
        )
        _write(shared.name, note)
        _remove(shared.name, "starting")
    except OSError:
        _remove(shared.name, "json", "sock")
        lock.release()
        raise
    return Claim(shared.name, key, lock, listener, note)


def _write(name: str, note: Note) -> None:
    draft = _file(name, "draft")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        json.dump(note._asdict(), file)
    os.replace(draft, _file(name, "json"))


def _own_key() -> bytes:
    """Give the key, made by the first session; one that is not whole, or that others could read, is made anew."""
    path = str(directory() / "key")
    with suppress(OSError, ValueError):
        key = read_regular(path, KEY_BYTES)
        if len(key) == KEY_BYTES and (os.name == "nt" or not stat.S_IMODE(os.lstat(path).st_mode) & 0o077):
            return key
    key, draft = os.urandom(KEY_BYTES), f"{path}.draft"
    with suppress(FileNotFoundError):
        os.unlink(draft)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key)
    os.replace(draft, path)
    return key


def _sweep() -> None:
    """Take away what killed sessions left."""
    for file in directory().glob("*.lock"):
        if file.stem == TURN:
            continue
        lock = FileLock(file, thread_local=False)
        with suppress(OSError, Timeout):
            lock.acquire(timeout=0)
            _remove(file.stem, "json", "sock", "draft", "starting")
            lock.release()
            _remove(file.stem, "lock")


def _file(name: str, kind: str) -> str:
    return str(directory() / f"{name}.{kind}")


def _remove(name: str, *kinds: str) -> None:
    for kind in kinds:
        with suppress(OSError):
            Path(_file(name, kind)).unlink()


TURN = "turn"


@contextmanager
def _in_turn() -> Iterator[None]:
    """Hold the lock of the directory."""
    with FileLock(directory() / f"{TURN}.lock", thread_local=False, mode=0o600, timeout=IN_TURN, poll_interval=0.01):
        yield
