"""The user's object store, worked on from a repository of ours: nothing of the user's configuration takes part.

No filter, hook, replacement or lazy fetch can happen here; what is written is on the disk when git says so.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import selectors
import shutil
import stat
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from sidecar.git.blobs import id_of_pieces
from sidecar.git.files import PIECE, pieces
from sidecar.git.hashing import path_line
from sidecar.git.process import HARDENED, GitError, Place, environment, run
from sidecar.git.quarantine import open_quarantine
from sidecar.git.repository import Repository
from sidecar.git.snapshot.values import RefusedError, Signature, Watcher

SLOWEST = 2 * 1024 * 1024
"""Bytes per second that git is given at least the time for."""

PATIENCE = 60.0
"""Seconds that git may be silent on top of that."""


@dataclass(frozen=True, slots=True)
class Store:
    """The user's objects by way of the repository `home`; `width` is the length of an id in hex."""

    home: Path
    place: Place
    object_format: str
    objects: str
    numbers: Iterator[int] = field(default_factory=count)

    @property
    def width(self) -> int:
        """The length of an object id in hex."""
        return hashlib.new(self.object_format, usedforsecurity=False).digest_size * 2

    def plumbing(self) -> Place:
        """A fresh repository of ours beside it, with an empty working tree."""
        home = self.home / f"plumbing-{next(self.numbers)}"
        (home / "refs").mkdir(parents=True)
        (home / "files").mkdir()
        for name in ("HEAD", "config"):
            shutil.copyfile(self.home / name, home / name)
        places = {"GIT_DIR": str(home), "GIT_WORK_TREE": str(home / "files"), "GIT_INDEX_FILE": str(home / "index")}
        return Place(str(home / "files"), {**self.place.variables, **places})

    def draft(self, content: bytes) -> str:
        """The path of a new file of ours with this content."""
        path = self.home / f"draft-{next(self.numbers)}"
        path.write_bytes(content)
        return str(path)


@contextlib.contextmanager
def open_store(repository: Repository) -> Iterator[Store]:
    """The repository's store, for as long as one snapshot is made or restored; a killed one's is swept."""
    if repository.config.get("extensions.refstorage") not in (None, "files"):
        raise RefusedError("ref-storage", "Its refs are not stored as files. Snapshots can't hold such a worktree.")
    quarantine = open_quarantine(repository)
    try:
        yield _furnish(quarantine.root / "snapshot", repository)
    finally:
        quarantine.close()


def _furnish(home: Path, repository: Repository) -> Store:
    (home / "refs").mkdir(parents=True)
    (home / "files").mkdir()
    (home / "HEAD").write_text("ref: refs/heads/none\n")
    (home / "config").write_text(_config_text(repository))
    shallow = os.path.join(repository.common_dir, "shallow")
    if os.path.exists(shallow):
        shutil.copyfile(shallow, home / "shallow")
    objects = os.path.join(repository.common_dir, "objects")
    variables = {
        "GIT_DIR": str(home),
        "GIT_WORK_TREE": str(home / "files"),
        "GIT_OBJECT_DIRECTORY": objects,
        "GIT_INDEX_FILE": str(home / "index"),
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    return Store(home, Place(str(home / "files"), variables), repository.object_format, objects)


def _config_text(repository: Repository) -> str:
    plain = repository.object_format == "sha1"
    shared = repository.config.get("core.sharedrepository") or ""
    lines = ["[core]", f"\trepositoryformatversion = {0 if plain else 1}", "\tbare = false", "\tfsync = all"]
    if shared.isalnum():
        lines.append(f"\tsharedRepository = {shared}")
    lines += ["\tprotectNTFS = false", "\tprotectHFS = false"]
    if not plain:
        lines += ["[extensions]", f"\tobjectFormat = {repository.object_format}"]
    return "\n".join([*lines, ""])


def signature_of(status: os.stat_result) -> Signature:
    """What changes when a file does."""
    return status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def id_of_file(object_format: str, path: str, expected: Signature, watcher: Watcher) -> str:
    """The id of a regular file's raw content; OSError when it is not the file that was expected."""
    content = pieces(path, lambda status: signature_of(status) == expected, watcher.check)
    return id_of_pieces(object_format, expected[1], content)


@dataclass(frozen=True, slots=True)
class Object:
    """What the store has under an id."""

    kind: str
    size: int


def look_up(store: Store, oids: Iterable[str]) -> dict[str, Object]:
    """Kind and size of those of the objects that are there."""
    asked = list(dict.fromkeys(oids))
    if not asked:
        return {}
    said = run(store.place, "cat-file", "--batch-check", stdin="\n".join([*asked, ""]).encode("ascii"))
    found = {}
    for oid, line in zip(asked, said.decode("ascii").splitlines(), strict=True):
        words = line.split(" ")
        if len(words) == 3 and words[0] == oid:
            found[oid] = Object(words[1], int(words[2]))
    return found


def freshen(store: Store, oids: Iterable[str]) -> None:
    """Keep a running `git gc` from taking objects that nothing names yet for old ones (git-gc(1), --prune)."""
    for oid in oids:
        with contextlib.suppress(OSError):
            os.utime(os.path.join(store.objects, oid[:2], oid[2:]))


class Exchange:
    """A git process that answers line by line or byte by byte, however long one answer takes."""

    def __init__(self, store: Store, *args: str) -> None:
        self._process = subprocess.Popen(
            ["git", *HARDENED, *args],
            cwd=store.place.cwd,
            env=environment(store.place.variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        self._from, self._to = self._process.stdout, self._process.stdin
        os.set_blocking(self._from.fileno(), False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._from, selectors.EVENT_READ)
        self._read = bytearray()

    def __enter__(self) -> Exchange:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        for pipe in (self._to, self._from):
            with contextlib.suppress(OSError):
                pipe.close()
        self._process.kill()
        self._process.wait()

    def say(self, line: bytes) -> None:
        """Ask; GitError when git has ended."""
        try:
            self._to.write(line)
        except OSError as error:
            raise GitError("git ended early.") from error

    def line(self, watcher: Watcher, patience: float = PATIENCE) -> bytes:
        """The next line without its end."""
        while (end := self._read.find(b"\n")) < 0:
            self._more(watcher, patience)
        line = bytes(self._read[:end])
        del self._read[: end + 1]
        return line

    def pieces(self, size: int, watcher: Watcher) -> Iterator[bytes]:
        """The next `size` bytes."""
        while size:
            if not self._read:
                self._more(watcher, PATIENCE)
            piece = bytes(self._read[:size])
            del self._read[: len(piece)]
            size -= len(piece)
            yield piece

    def _more(self, watcher: Watcher, patience: float) -> None:
        deadline = time.monotonic() + patience
        while not self._selector.select(0.2):
            watcher.check()
            if time.monotonic() > deadline:
                raise GitError(f"git gave no answer for {patience:.0f} seconds.")
        chunk = self._from.read(PIECE)
        if not chunk:
            raise GitError("git ended early.")
        self._read += chunk


def write_blobs(store: Store, files: Sequence[tuple[str, int]], watcher: Watcher) -> list[str | None]:
    """Store the raw content of files, by absolute path, with sizes; their ids, None where one could not be read."""
    found: list[str | None] = []
    done, total = 0, sum(size for _, size in files)
    while len(found) < len(files):
        with Exchange(store, "hash-object", "-w", "--no-filters", "--stdin-paths") as git:
            for path, size in files[len(found) :]:
                watcher.check()
                try:
                    git.say(path_line(path))
                    found.append(git.line(watcher, PATIENCE + size / SLOWEST).decode("ascii"))
                except GitError:
                    if _can_be_read(path):
                        raise
                    found.append(None)
                    break
                done += size
                watcher.progress(done, total)
    return found


def _can_be_read(path: str) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return False
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode)
    finally:
        os.close(descriptor)


def write_object(store: Store, kind: str, content: bytes) -> str:
    """Store a small object that is no blob, checked by git."""
    return run(store.place, "hash-object", "-t", kind, "-w", "--stdin", stdin=content).decode("ascii").strip()


def read_object(git: Exchange, oid: str, kind: str, limit: int, watcher: Watcher) -> bytes:
    """A small object of a `cat-file --batch`; GitError when it is missing, of another kind or too large."""
    git.say(oid.encode("ascii") + b"\n")
    return read_asked(git, oid, kind, limit, watcher)


def read_asked(git: Exchange, oid: str, kind: str, limit: int, watcher: Watcher) -> bytes:
    """The same for an object that was asked for before."""
    size = begin_asked(git, oid, kind, watcher)
    if size > limit:
        raise GitError(f"object {oid} is too large.")
    content = b"".join(git.pieces(size, watcher))
    git.line(watcher)
    return content


def begin_asked(git: Exchange, oid: str, kind: str, watcher: Watcher) -> int:
    """The size of the object that was asked for first; as many bytes and a line end follow."""
    words = git.line(watcher).decode("ascii", "replace").split(" ")
    if len(words) != 3:
        raise GitError(f"object {oid} is missing.")
    if words[1] != kind:
        raise GitError(f"object {oid} is a {words[1]}, not a {kind}.")
    return int(words[2])


def object_line(oid: str, mode: int, kind: str, name: str) -> bytes:
    """A line for `git mktree -z`."""
    return b"%06o %s %s\t%s\0" % (mode, kind.encode(), oid.encode("ascii"), os.fsencode(name))


def write_tree(store: Store, entries: Iterable[tuple[int, str, str]]) -> str:
    """The tree of (mode, blob id, path) with all directories; GitError when a blob is missing."""
    index = store.home / f"tree-{next(store.numbers)}"
    place = store.place.plus(GIT_INDEX_FILE=str(index))
    lines = b"".join(b"%06o %s\t%s\0" % (mode, oid.encode("ascii"), os.fsencode(path)) for mode, oid, path in entries)
    run(place, "update-index", "-z", "--index-info", stdin=lines)
    return run(place, "write-tree").decode("ascii").strip()


def make_tree(store: Store, lines: bytes) -> str:
    """The tree of lines as `git ls-tree -z` gives them."""
    return run(store.place, "mktree", "-z", stdin=lines).decode("ascii").strip()
