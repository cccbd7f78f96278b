"""Keep the objects that a reading makes in a private place, so that the user's own store stays untouched.

The objects directory has the user's as an alternate (gitrepository-layout(5)). Every git that works here runs in a
repository of ours, so that nothing in the user's configuration but what we chose can take part.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from filelock import FileLock, Timeout

from sidecar.git.objects import Objects, open_objects, replacing, unwritten
from sidecar.git.process import Place
from sidecar.git.repository import Repository
from sidecar.system.files import free_bytes

HISTORY = ("shallow", "info/grafts")
"""The files that say where history ends otherwise than commits do (gitrepository-layout(5))."""

MOST_ALTERNATES = 6
"""How many alternates in a row git follows at the most."""

MEMORY = Path("/dev/shm")  # noqa: S108 (what lies in it is in a directory of ours)
"""Where Linux has a file system in memory (shm_overview(7))."""

UNLESS_SET = "/tmp"  # noqa: S108
"""The temporary directory of who has set none (`TMPDIR`): beside another one, memory is not taken."""

SHARE = 256 << 20
"""Bytes of that memory that a quarantine may take, and that have to be left besides."""

LASTS = 600.0
"""Seconds for which that has to be enough; it is for hundreds of saves."""

_takes_more = threading.Event()
"""Set once it was not: the next ones of this process are on the disk alone."""

MOST_HOMES = 10
"""How many names are tried for the directory that all of a user's quarantines lie in."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A directory of a quarantine; nobody removes it while its lock is held."""

    path: Path
    lock: FileLock

    def close(self) -> None:
        """Delete it, and let go of it; twice is fine."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.lock.release()
        with contextlib.suppress(OSError):
            Path(self.lock.lock_file).unlink()


@dataclass(frozen=True, slots=True)
class Quarantine:
    """An open quarantine; `plumbing` is where trees and blobs are compared, without attributes or configuration.

    `replaced` are the objects that are read as others; `why_missing` is what to add where an object can't be read, in
    words; `alternates` are the object directories that the repository reads from, its own first.

    `memory` is where the many small objects lie that are made of others, None where all are on the disk. It is used up
    when less than `least_free` bytes of it are free; `opened` is when that began (`time.monotonic`).
    """

    held: _Held
    objects: Objects
    plumbing: Place
    object_format: str
    why_missing: str
    alternates: tuple[str, ...]
    memory: _Held | None
    least_free: int
    opened: float = field(default_factory=time.monotonic)
    numbers: Iterator[int] = field(default_factory=itertools.count)
    replaced: Mapping[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """Give its directory, which is on the disk."""
        return self.held.path

    @property
    def stores(self) -> tuple[str, ...]:
        """Give its object directories: that of files' contents, on the disk, is the last one."""
        return tuple(
            str(self.root / name) for name in (("objects",) if self.memory is None else ("objects", "contents"))
        )

    def repository(self, name: str, attributes: bytes = b"") -> Place:
        """Make a repository on the quarantine's objects, with its own `info/attributes` and an empty working tree."""
        directory = self.root / "repositories" / f"{name}-{next(self.numbers)}"
        _make_repository(directory, self.object_format, self.root)
        (directory / "files").mkdir()
        (directory / "info" / "attributes").write_bytes(attributes)
        if self.replaced:
            lines = sorted(f"{new} refs/replace/{old}\n" for old, new in self.replaced.items())
            (directory / "packed-refs").write_text("".join(lines))
        variables = {
            "GIT_DIR": str(directory),
            "GIT_WORK_TREE": str(directory / "files"),
            "GIT_OBJECT_DIRECTORY": str(self.root / "objects"),
        }
        return Place(str(directory / "files"), variables)

    def writing(self, place: Place) -> Place:
        """Give the same place, but new objects go into the quarantine: files' contents, onto the disk."""
        *others, contents = self.stores
        return place.plus(
            GIT_OBJECT_DIRECTORY=contents,
            GIT_ALTERNATE_OBJECT_DIRECTORIES=os.pathsep.join(map(_quoted, (*others, *self.alternates))),
        )

    def beside(self, place: Place) -> Place:
        """Give the same place, where what was written here can be read, too."""
        return place.plus(GIT_ALTERNATE_OBJECT_DIRECTORIES=_quoted(str(self.root / "objects")))

    def replacing(self, replaced: Mapping[str, str]) -> Quarantine:
        """Give the same quarantine, in which some objects are read as others (git-replace(1)); closed with it."""
        if not replaced:
            return self
        seen = replace(self, objects=replacing(self.objects, replaced), replaced=replaced)
        return replace(seen, plumbing=seen.repository("plumbing"))

    def is_usable(self) -> bool:
        """Tell whether nobody has cleaned it away, and its memory is not used up."""
        is_there = (self.root / "objects" / "info" / "alternates").exists()
        if not is_there or self.memory is None or _free(self.memory.path) >= self.least_free:
            return is_there
        if time.monotonic() - self.opened < LASTS:
            _takes_more.set()
        return False

    def close(self) -> None:
        """Delete everything that was written here; closing twice is fine."""
        self.objects.close()
        self.held.close()
        if self.memory is not None:
            self.memory.close()


def open_quarantine(repository: Repository) -> Quarantine:
    """Open a new quarantine, after removing those of killed owners. GitError when it can't be written."""
    temporary = Path(tempfile.gettempdir())
    try:
        return _furnish(_hold_new(temporary), _hold_memory(), repository)
    except (OSError, Timeout) as error:
        raise unwritten(temporary, error) from error


def _hold_new(base: Path) -> _Held:
    """Make a directory below another one, after removing those of killed owners. OSError; Timeout."""
    home = _home(base)
    with FileLock(home / "open.lock", thread_local=False):
        _sweep(home)
        path = Path(tempfile.mkdtemp(prefix="q-", dir=home))
        lock = FileLock(f"{path}.lock", thread_local=False)
        lock.acquire(timeout=0)
    return _Held(path, lock)


def _hold_memory() -> _Held | None:
    """Make a directory in memory; None where there is none to take, or no room in it."""
    if sys.platform != "linux" or tempfile.gettempdir() != UNLESS_SET or _takes_more.is_set():
        return None
    try:
        held = _hold_new(MEMORY)
    except (OSError, Timeout):
        return None
    if _free(held.path) >= 2 * SHARE:
        return held
    held.close()
    return None


def _free(directory: Path) -> int:
    """Count the bytes that are free on the file system of a directory; none where that is not there."""
    try:
        return free_bytes(directory) or 0
    except OSError:
        return 0


def _furnish(held: _Held, memory: _Held | None, repository: Repository) -> Quarantine:
    root, contents = held.path, [] if memory is None else ["contents"]
    if memory is not None:
        (root / "objects").symlink_to(memory.path)
    for store in ("objects", *contents):
        (root / store / "info").mkdir(parents=True)
        (root / store / "pack").mkdir()  # libgit2 looks for packs only where there is this when it opens a store
    alternate = os.path.join(repository.common_dir, "objects")
    alternates = tuple(dict.fromkeys((alternate, *_chain(alternate))))
    beside = (str(root / store) for store in contents)
    lines = (_quoted(one) if "\n" in one else one for one in (*beside, *alternates))
    (root / "objects" / "info" / "alternates").write_bytes(b"".join(os.fsencode(line) + b"\n" for line in lines))
    _make_repository(root, repository.object_format, Path(repository.common_dir))
    plumbing = Place(str(root), {"GIT_DIR": str(root)})
    objects = open_objects(root / "objects", alternate, repository, plumbing)
    least_free = 0 if memory is None else _free(memory.path) - SHARE
    why_missing = repository.why_missing
    return Quarantine(held, objects, plumbing, repository.object_format, why_missing, alternates, memory, least_free)


def _chain(directory: str, depth: int = 0) -> Iterator[str]:
    """List the object directories that one borrows from, and those that these borrow from (gitrepository-layout(5)).

    Git follows `MOST_ALTERNATES` of them in a row; each is named here, since in the quarantine that is one more.
    """
    try:
        content = Path(directory, "info", "alternates").read_bytes()
    except OSError:
        return
    for line in content.splitlines():
        if line and not line.startswith(b"#") and depth < MOST_ALTERNATES:
            named = os.path.normpath(os.path.join(directory, os.fsdecode(_unquoted(line))))
            yield named
            yield from _chain(named, depth + 1)


def _unquoted(line: bytes) -> bytes:
    """Give a line of an alternates file without the C quotes that it may have."""
    if not (line.startswith(b'"') and line.endswith(b'"')):
        return line
    known = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}

    def spelled(match: re.Match[bytes]) -> bytes:
        code = match[1]
        return bytes([int(code, 8) & 0xFF]) if len(code) == 3 else known.get(code, code)

    return re.sub(rb"\\([0-7]{3}|.)", spelled, line[1:-1])


def quarantine_directories() -> tuple[Path, ...]:
    """Give the quarantines of this user that are open, and those whose owner was killed since one was last opened."""
    try:
        home = _home(Path(tempfile.gettempdir()))
        return tuple(sorted(root for root in home.glob("q-*") if root.is_dir()))
    except OSError:
        return ()


def _home(base: Path) -> Path:
    """Make a directory that is this user's alone; one of the same name that is not private is passed over."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    for number in range(MOST_HOMES):
        home = base / f"worktree-sidecar-{user}{f'-{number}' if number else ''}"
        home.mkdir(mode=0o700, exist_ok=True)
        status = home.lstat()
        private = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o077
        if not hasattr(os, "getuid") or (private and status.st_uid == user):
            return home
    raise OSError(f"none of {MOST_HOMES} directories named worktree-sidecar-{user} is private")


def _sweep(home: Path) -> None:
    """Remove every quarantine whose owner no longer holds its lock."""
    for root in home.glob("q-*"):
        if not root.is_dir():
            continue
        lock = FileLock(f"{root}.lock")
        try:
            lock.acquire(timeout=0)
        except (Timeout, OSError):
            continue
        _Held(root, lock).close()


def _make_repository(directory: Path, object_format: str, like: Path) -> None:
    """Write what makes a directory a repository, with history cut off or grafted as in another git directory."""
    (directory / "refs").mkdir(parents=True)
    (directory / "info").mkdir()
    (directory / "HEAD").write_text("ref: refs/heads/none\n")
    version = 0 if object_format == "sha1" else 1
    extension = "" if object_format == "sha1" else f"[extensions]\n\tobjectFormat = {object_format}\n"
    core = f"[core]\n\trepositoryformatversion = {version}\n\tbare = false\n"
    (directory / "config").write_text(f"{core}\tlooseCompression = 0\n\tfsync = none\n{extension}")
    for name in HISTORY:
        if (like / name).exists():
            shutil.copyfile(like / name, directory / name)


def _quoted(path: str) -> str:
    """Give a path as alternates take it: in C quotes when it has a character that means something there."""
    if not any(char in path for char in '\n":;#'):
        return path
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
