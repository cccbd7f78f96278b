"""Say where a session listens, and what tells a door of it from one of another.

Everything is in one directory of the user's (mode 0700): a key that doors and sessions prove to know, and for each
session a lock that only a living one holds, a socket, and a note that says where it listens. What a killed one leaves
is recognized by its lock, and taken away by the next one that starts.
An agent's hook waits for what this imports.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from sidecar import __version__
from sidecar.session.wire import SECONDS_TO_PROVE, Connection, Message, introduce
from sidecar.system.files import read_regular, why_not_ours
from sidecar.system.place import Place

if TYPE_CHECKING:
    from pathlib import Path

    from sidecar.model.settings import Value

FAR_ENOUGH = 100
"""Bytes of the longest path that every system takes for a socket (unix(7): 108, elsewhere 104)."""

SWITCH = "SIDECAR_SESSION"
"""The variable that says whether there are sessions, and how long they stay."""
KEY_BYTES = 32
MOST_NOTE = 64 * 1024
LOCAL = "127.0.0.1"

PERSONAL = ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "GIT_ATTR_NOSYSTEM")
"""What of the environment decides, beside git's own variables, what a session reads."""
GITS = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH", "GIT_CEILING_DIRECTORIES")
"""The variables of git that reading keeps."""


RUNTIME_DIRECTORIES = "/run/user"
"""Where systemd makes each user's runtime directory (pam_systemd(8)), which XDG_RUNTIME_DIR names."""


def is_off() -> bool:
    """Tell whether sessions are to be in the process that needs them."""
    return os.environ.get(SWITCH, "").lower() == "off"


class Note(NamedTuple):
    """What a session that listens says of itself; `address` is the path of a socket, or a port of this machine."""

    pid: int
    address: str | int
    repository: str
    version: str
    trusted: bool
    started: float
    log: str


_KINDS: tuple[type | tuple[type, ...], ...] = (int, (str, int), str, str, bool, (float, int), str)
"""The types of a note's fields."""


def identity(place: Place, trusted: bool, settings: Mapping[str, Value]) -> dict[str, Any]:
    """Say what a door of this process has in common with those that it can share a session with; `Shared` reads it."""
    environment = {name: os.environ[name] for name in (*PERSONAL, *GITS) if name in os.environ}
    environment["git"] = _git()
    if trusted:  # filters and merge drivers are found there
        environment["PATH"] = os.environ.get("PATH", "")
    return {
        "common_dir": place.common_dir,
        "main_folder": place.known_only_here,
        "trusted": trusted,
        "settings": settings,
        "environment": environment,
        "version": __version__,
        "code": _code(),
    }


def _git() -> str:
    """Give the real path of the git that is called; "" where there is none. `shutil` takes longer to load."""
    name = "git.exe" if os.name == "nt" else "git"
    places = (os.path.join(folder, name) for folder in os.get_exec_path())
    return next((os.path.realpath(file) for file in places if os.path.isfile(file) and os.access(file, os.X_OK)), "")


def _code() -> str:
    """Tell this code from another one: an upgrade may keep its version, and a checkout does with every edit."""
    if getattr(sys, "frozen", False):
        status = os.stat(sys.executable)
        return f"{sys.executable} {status.st_mtime_ns} {status.st_size}"
    package = os.path.dirname(os.path.dirname(__file__))
    newest, count, folders = 0, 0, [package]
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != "__pycache__":
                        folders.append(entry.path)
                elif entry.name.endswith(".py"):
                    newest, count = max(newest, entry.stat().st_mtime_ns), count + 1
    return f"{sys.executable} {package} {newest} {count}"


def folder_of_sessions() -> str:
    """Give the directory of this user's sessions; it need not be there.

    Some clients start what they call with few variables; the runtime directory is then where it mostly is.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime is None and sys.platform == "linux":
        usual = f"{RUNTIME_DIRECTORIES}/{os.getuid()}"
        runtime = usual if os.path.isdir(usual) and why_not_ours(usual) is None else None
    if runtime and os.path.isabs(runtime):
        return os.path.join(runtime, "worktree-sidecar")
    return os.path.join(_cache(), "sessions")


def directory() -> Path:
    """Give the directory of this user's sessions as a path."""
    from pathlib import Path  # an agent's hook does without

    return Path(folder_of_sessions())


def log_file(name: str) -> Path:
    """Give the file that the session of this name writes its log to; its directory outlives a restart."""
    from pathlib import Path

    return Path(_cache(), "logs", f"session-{name}.log")


def _cache() -> str:
    if sys.platform == "linux":  # as platformdirs says there, which takes a hook too long to load
        return os.path.join(
            os.environ.get("XDG_CACHE_HOME", "").strip() or os.path.expanduser("~/.cache"), "worktree-sidecar"
        )
    import platformdirs

    return platformdirs.user_cache_dir("worktree-sidecar")


def read_note(name: str) -> Note | None:
    """Give what a session says of itself; None where there is none, or no living one."""
    try:
        found = Note(**json.loads(read_regular(os.path.join(folder_of_sessions(), f"{name}.json"), MOST_NOTE)))
    except (OSError, ValueError, TypeError):
        return None
    fits = all(isinstance(one, kind) for one, kind in zip(found, _KINDS, strict=True))
    return found if fits and found.pid >= 0 and not isinstance(found.address, bool) else None


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
        folder = folder_of_sessions()
        if not _is_private(folder):
            return None
        key = read_regular(os.path.join(folder, "key"), KEY_BYTES)
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


def _is_private(folder: str) -> bool:
    """Tell whether nobody else can have put anything into a directory; OSError."""
    return why_not_ours(folder) is None and (os.name == "nt" or not os.lstat(folder).st_mode & 0o077)


def notes() -> Iterator[tuple[str, Note]]:
    """Give what every session of this user says of itself, by the names; some may have been killed meanwhile."""
    try:
        names = sorted(os.listdir(folder_of_sessions()))
    except OSError:
        return
    for name in (name.removesuffix(".json") for name in names if name.endswith(".json")):
        note = read_note(name)
        if note is not None:
            yield name, note
