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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from filelock import FileLock, Timeout

from sidecar.git.objects import Objects, open_objects, replacing, unwritten
from sidecar.git.process import Place
from sidecar.git.repository import Repository

HISTORY = ("shallow", "info/grafts")
"""The files that say where history ends otherwise than commits do (gitrepository-layout(5))."""

MOST_ALTERNATES = 6
"""How many alternates in a row git follows at the most."""

MEMORY = Path("/dev/shm")  # noqa: S108 (what lies in it is in a directory of ours)
"""Where Linux has a file system in memory (shm_overview(7))."""

UNLESS_SET = "/tmp"  # noqa: S108
"""The temporary directory of who has set none (`TMPDIR`): memory is taken in its place only."""

SHARE = 1 << 30
"""Bytes of that memory that a quarantine may take, and that have to be left besides."""

_used_up = threading.Event()
"""Set once a quarantine of this process has taken more: the next ones are on the disk."""

MOST_HOMES = 10
"""How many names are tried for the directory that all of a user's quarantines lie in."""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """An open quarantine; `plumbing` is where trees and blobs are compared, without attributes or configuration.

    `replaced` are the objects that are read as others; `why_missing` is what to add where an object can't be read, in
    words; `alternates` are the object directories that the repository reads from, its own first. One in memory is used
    up when less than `least_free` bytes of it are free.
    """

    root: Path
    objects: Objects
    plumbing: Place
    object_format: str
    why_missing: str
    alternates: tuple[str, ...]
    lock: FileLock
    least_free: int
    numbers: Iterator[int] = field(default_factory=itertools.count)
    replaced: Mapping[str, str] = field(default_factory=dict)

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
        """Give the same place, but new objects go into the quarantine."""
        return place.plus(
            GIT_OBJECT_DIRECTORY=str(self.root / "objects"),
            GIT_ALTERNATE_OBJECT_DIRECTORIES=os.pathsep.join(map(_quoted, self.alternates)),
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
        """Tell whether nobody has cleaned it away, and it is not used up."""
        is_there = (self.root / "objects" / "info" / "alternates").exists()
        if is_there and self.least_free > 0 and _free(self.root) < self.least_free:
            _used_up.set()
            return False
        return is_there

    def close(self) -> None:
        """Delete everything that was written here; closing twice is fine."""
        self.objects.close()
        shutil.rmtree(self.root, ignore_errors=True)
        self.lock.release()
        with contextlib.suppress(OSError):
            Path(self.lock.lock_file).unlink()


def open_quarantine(repository: Repository) -> Quarantine:
    """Open a new quarantine, after removing those of killed owners. GitError when it can't be written.

    A reading writes many small files, so that it is in memory where that has room.
    """
    place = Path(tempfile.gettempdir())
    try:
        *in_memory, place = map(_swept_home, _bases())
        room = max((_free(home) - SHARE for home in in_memory), default=0)
        if room >= SHARE and not _used_up.is_set():
            (place,) = in_memory
        with FileLock(place / "open.lock", thread_local=False):
            root = Path(tempfile.mkdtemp(prefix="q-", dir=place))
            lock = FileLock(f"{root}.lock", thread_local=False)
            lock.acquire(timeout=0)
        return _furnish(root, lock, room if place in in_memory else 0, repository)
    except (OSError, Timeout) as error:
        raise unwritten(place, error) from error


def _furnish(root: Path, lock: FileLock, least_free: int, repository: Repository) -> Quarantine:
    (root / "objects" / "info").mkdir(parents=True)
    (root / "objects" / "pack").mkdir()  # libgit2 looks for packs only where there is this when it opens a store
    alternate = os.path.join(repository.common_dir, "objects")
    alternates = tuple(dict.fromkeys((alternate, *_chain(alternate))))
    lines = (_quoted(one) if "\n" in one else one for one in alternates)
    (root / "objects" / "info" / "alternates").write_bytes(b"".join(os.fsencode(line) + b"\n" for line in lines))
    _make_repository(root, repository.object_format, Path(repository.common_dir))
    plumbing = Place(str(root), {"GIT_DIR": str(root)})
    objects = open_objects(root / "objects", alternate, repository, plumbing)
    why_missing = repository.why_missing
    return Quarantine(root, objects, plumbing, repository.object_format, why_missing, alternates, lock, least_free)


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
        return tuple(sorted(root for base in _bases() for root in _home(base).glob("q-*") if root.is_dir()))
    except OSError:
        return ()


def _bases() -> tuple[Path, ...]:
    """Give the directories in which quarantines may lie: that for temporary files, and before it that in memory.

    Not where nothing can be run from it (mount(8), `noexec`): merge drivers are, in a tree that is checked out there.
    """
    temporary = tempfile.gettempdir()
    if sys.platform != "linux" or temporary != UNLESS_SET or not os.access(MEMORY, os.W_OK | os.X_OK):
        return (Path(temporary),)
    return (Path(temporary),) if os.statvfs(MEMORY).f_flag & os.ST_NOEXEC else (MEMORY, Path(temporary))


def _free(directory: Path) -> int:
    """Count the bytes that are free on the file system of a directory."""
    told = os.statvfs(directory)
    return told.f_bavail * told.f_frsize


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


def _swept_home(base: Path) -> Path:
    """Make the directory for quarantines (`_home`), without those of killed owners."""
    home = _home(base)
    with FileLock(home / "open.lock", thread_local=False):
        _sweep(home)
    return home


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
        shutil.rmtree(root, ignore_errors=True)
        lock.release()
        with contextlib.suppress(OSError):
            Path(lock.lock_file).unlink()


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
