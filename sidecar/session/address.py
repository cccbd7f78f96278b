"""Say where a session listens, who shares one, and hold its address while it runs.

Everything is in one directory of the user's (mode 0700): a key that doors and sessions prove to know, and for each
session a lock that only a living one holds, a socket, and a note that says where it listens. What a killed one leaves
is recognized by its lock, and taken away by the next one that starts.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from sidecar import __version__
from sidecar.model.decode import Seconds, Size, Text, decode
from sidecar.model.findings import Failure
from sidecar.model.settings import Value
from sidecar.session.wire import SECONDS_TO_PROVE, Connection, Message, introduce
from sidecar.system.files import read_regular, why_not_ours
from sidecar.system.place import Place

FAR_ENOUGH = 100
"""Bytes of the longest path that every system takes for a socket (unix(7): 108, elsewhere 104)."""

KEY_BYTES = 32
MOST_NOTE = 64 * 1024
LOCAL = "127.0.0.1"

PERSONAL = ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "GIT_ATTR_NOSYSTEM")
"""What of the environment decides, beside git's own variables, what a session reads."""
GITS = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH", "GIT_CEILING_DIRECTORIES")
"""The variables of git that reading keeps."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What doors have in common that share a session; whatever could make another verdict of the same files.

    `main_folder` is a main worktree that only those know who are in it. `environment` has the variables that decide
    what is read, `code` what this code is, by its place and its times.
    """

    common_dir: Text
    main_folder: str | None
    trusted: bool
    settings: Mapping[str, str | bool | int | tuple[str, ...]]
    environment: Mapping[str, str]
    version: str
    code: str

    @property
    def name(self) -> str:
        """Give the name of the session's files: short, and another one for whoever differs."""
        said = json.dumps(asdict(self), sort_keys=True).encode()
        return hashlib.sha256(said).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Note:
    """What a session that listens says of itself; `address` is the path of a socket, or a port of this machine."""

    pid: Size
    address: Annotated[str | int, lambda address: not isinstance(address, bool)]
    repository: Text
    version: str
    trusted: bool
    started: Seconds
    log: str


def shared(place: Place, trusted: bool, settings: Mapping[str, Value]) -> Shared:
    """Say what a door of this process has in common with those that it can share a session with."""
    environment = {name: os.environ[name] for name in (*PERSONAL, *GITS) if name in os.environ}
    git = shutil.which("git")
    environment["git"] = os.path.realpath(git) if git is not None else ""
    if trusted:  # filters and merge drivers are found there
        environment["PATH"] = os.environ.get("PATH", "")
    main_folder = place.known_only_here
    return Shared(place.common_dir, main_folder, trusted, settings, environment, __version__, _code())


def _code() -> str:
    """Tell this code from another one: an upgrade may keep its version, and a checkout does with every edit."""
    if getattr(sys, "frozen", False):
        status = os.stat(sys.executable)
        return f"{sys.executable} {status.st_mtime_ns} {status.st_size}"
    package = Path(__file__).parent.parent
    newest, count, folders = 0, 0, [str(package)]
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != "__pycache__":
                        folders.append(entry.path)
                elif entry.name.endswith(".py"):
                    newest, count = max(newest, entry.stat().st_mtime_ns), count + 1
    return f"{sys.executable} {package} {newest} {count}"


def directory() -> Path:
    """Give the directory of this user's sessions; it need not be there."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.path.isabs(runtime):
        return Path(runtime) / "worktree-sidecar"
    return _cache() / "sessions"


def log_file(name: str) -> Path:
    """Give the file that the session of this name writes its log to; its directory outlives a restart."""
    return _cache() / "logs" / f"session-{name}.log"


def _cache() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("worktree-sidecar"))


def read_note(name: str) -> Note | None:
    """Give what a session says of itself; None where there is none, or no living one."""
    try:
        found = decode(Note, json.loads(read_regular(str(directory() / f"{name}.json"), MOST_NOTE)))
    except (OSError, ValueError):
        return None
    return None if isinstance(found, Failure) else found


def connect(name: str, about: Message, seconds: float = SECONDS_TO_PROVE) -> Connection | None:
    """Connect to the session of this name; None where none listens. `about` is what the session is told of the door."""
    note = read_note(name)
    return connect_to(note, about, seconds) if note is not None else None


def connect_to(note: Note, about: Message, seconds: float = SECONDS_TO_PROVE) -> Connection | None:
    """Connect to the session that says this of itself; None where it does not listen any more.

    Its process may be there and do nothing. None then, too: at once where others wait for it already, else after so
    many seconds.
    """
    connection: Connection | None = None
    try:
        if not _is_private(directory()):
            return None
        key = read_regular(str(directory() / "key"), KEY_BYTES)
        if isinstance(note.address, str):
            end = socket.socket(socket.AF_UNIX)
            connection = Connection(end)
            connection.wait_at_most(seconds)
            end.connect(note.address)
        else:
            connection = Connection(socket.create_connection((LOCAL, note.address), seconds))
        introduce(connection, key, about, seconds)
    except (OSError, ValueError):
        if connection is not None:
            connection.close()
        return None
    return connection


def _is_private(folder: Path) -> bool:
    """Tell whether nobody else can have put anything into a directory; OSError."""
    return why_not_ours(folder) is None and (os.name == "nt" or not os.lstat(folder).st_mode & 0o077)


def notes() -> Iterator[tuple[str, Note]]:
    """Give what every session of this user says of itself, by the names; some may have been killed meanwhile."""
    for file in sorted(directory().glob("*.json")):
        note = read_note(file.stem)
        if note is not None:
            yield file.stem, note


def new_key() -> bytes:
    """Make a key that doors and sessions prove to know."""
    return secrets.token_bytes(KEY_BYTES)
