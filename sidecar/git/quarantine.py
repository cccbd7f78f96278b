"""A private place for the objects that a reading makes, so that the user's own store stays untouched.

The objects directory has the user's as an alternate (gitrepository-layout(5)). Every git that works here runs in a
repository of ours, so that nothing in the user's configuration but what we chose can take part.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from sidecar.git.objects import Objects, open_objects, unwritten
from sidecar.git.process import Place
from sidecar.git.repository import Repository

MOST_HOMES = 10
"""How many names are tried for the directory that all of a user's quarantines lie in."""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """An open quarantine; `plumbing` is where trees and blobs are compared, without attributes or configuration.

    `why_missing` is what to add where an object can't be read, in words.
    """

    root: Path
    objects: Objects
    plumbing: Place
    object_format: str
    why_missing: str
    lock: FileLock
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def repository(self, name: str, attributes: bytes = b"") -> Place:
        """A fresh repository on the quarantine's objects with its own `info/attributes` and an empty working tree."""
        directory = self.root / "repositories" / f"{name}-{next(self.numbers)}"
        (directory / "refs").mkdir(parents=True)
        (directory / "info").mkdir()
        (directory / "files").mkdir()
        (directory / "HEAD").write_text("ref: refs/heads/none\n")
        (directory / "config").write_text(_config_text(self.object_format))
        (directory / "info" / "attributes").write_bytes(attributes)
        if (self.root / "shallow").exists():
            shutil.copyfile(self.root / "shallow", directory / "shallow")
        variables = {
            "GIT_DIR": str(directory),
            "GIT_WORK_TREE": str(directory / "files"),
            "GIT_OBJECT_DIRECTORY": str(self.root / "objects"),
        }
        return Place(str(directory / "files"), variables)

    def writing(self, place: Place, repository: Repository) -> Place:
        """The same place, but new objects go into the quarantine."""
        return place.plus(
            GIT_OBJECT_DIRECTORY=str(self.root / "objects"),
            GIT_ALTERNATE_OBJECT_DIRECTORIES=_quoted(os.path.join(repository.common_dir, "objects")),
        )

    def is_there(self) -> bool:
        """Whether nobody has cleaned it away."""
        return (self.root / "objects" / "info" / "alternates").exists()

    def close(self) -> None:
        """Everything written here is gone afterwards; closing twice is fine."""
        self.objects.close()
        shutil.rmtree(self.root, ignore_errors=True)
        self.lock.release()
        with contextlib.suppress(OSError):
            Path(self.lock.lock_file).unlink()


def open_quarantine(repository: Repository) -> Quarantine:
    """A new quarantine; what killed predecessors left behind is removed first. GitError when it can't be written."""
    try:
        home = _home()
        with FileLock(home / "open.lock", thread_local=False):
            _sweep(home)
            root = Path(tempfile.mkdtemp(prefix="q-", dir=home))
            lock = FileLock(f"{root}.lock", thread_local=False)
            lock.acquire(timeout=0)
        return _furnish(root, lock, repository)
    except (OSError, Timeout) as error:
        raise unwritten(error) from error


def _furnish(root: Path, lock: FileLock, repository: Repository) -> Quarantine:
    (root / "objects" / "info").mkdir(parents=True)
    alternate = os.path.join(repository.common_dir, "objects")
    line = _quoted(alternate) if "\n" in alternate else alternate
    (root / "objects" / "info" / "alternates").write_bytes(os.fsencode(line) + b"\n")
    (root / "refs").mkdir()
    (root / "HEAD").write_text("ref: refs/heads/none\n")
    (root / "config").write_text(_config_text(repository.object_format))
    shallow = os.path.join(repository.common_dir, "shallow")
    if os.path.exists(shallow):
        shutil.copyfile(shallow, root / "shallow")
    plumbing = Place(str(root), {"GIT_DIR": str(root)})
    objects = open_objects(root / "objects", alternate, repository, plumbing)
    return Quarantine(root, objects, plumbing, repository.object_format, repository.why_missing, lock)


def quarantine_directories() -> tuple[Path, ...]:
    """The quarantines of this user that are open, and those whose owner was killed since one was last opened."""
    try:
        return tuple(sorted(root for root in _home().glob("q-*") if root.is_dir()))
    except OSError:
        return ()


def _home() -> Path:
    """A directory of this user's own and nobody else's; one of the same name that is not private is passed over."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    for number in range(MOST_HOMES):
        home = Path(tempfile.gettempdir()) / f"worktree-sidecar-{user}{f'-{number}' if number else ''}"
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
        shutil.rmtree(root, ignore_errors=True)
        lock.release()
        with contextlib.suppress(OSError):
            Path(lock.lock_file).unlink()


def _config_text(object_format: str) -> str:
    version = 0 if object_format == "sha1" else 1
    extension = "" if object_format == "sha1" else f"[extensions]\n\tobjectFormat = {object_format}\n"
    cheap = "\tlooseCompression = 0\n\tfsync = none\n"
    return f"[core]\n\trepositoryformatversion = {version}\n\tbare = false\n{cheap}{extension}"


def _quoted(path: str) -> str:
    """A path as alternates take it: in C quotes when it has a character that means something there."""
    if not any(char in path for char in '\n":;#'):
        return path
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
