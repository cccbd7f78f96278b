"""The blobs that files would become if they were added now: git's own filters, written to the quarantine."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sidecar.git.objects import unwritten
from sidecar.git.process import GitError, Place, run
from sidecar.git.quarantine import Quarantine
from sidecar.model.changes import EXECUTABLE, FILE, SYMLINK, Entry

NO_ROOM = os.strerror(errno.ENOSPC)
"""How git says that the disk is full, and not that a file is bad."""


@dataclass(frozen=True, slots=True)
class Hashed:
    """Files by path as entries; `skipped` were too large or could not be read; what is gone is in neither."""

    entries: Mapping[str, Entry]
    skipped: frozenset[str]


def hash_files(
    place: Place, quarantine: Quarantine, paths: Sequence[str], limit: int, *, modes_count: bool = True
) -> Hashed:
    """Entries of these paths below the place, which writes into the quarantine. `limit` is a size in bytes.

    `modes_count` is core.fileMode: without it nothing on disk is executable.
    """
    entries: dict[str, Entry] = {}
    regular: dict[str, int] = {}
    skipped: set[str] = set()
    for path in paths:
        full = os.path.join(place.cwd, path)
        try:
            status = os.lstat(full)
            if stat.S_ISLNK(status.st_mode):
                entries[path] = Entry(SYMLINK, quarantine.objects.write("blob", os.fsencode(os.readlink(full))))
            elif stat.S_ISREG(status.st_mode) and status.st_size <= limit:
                regular[path] = EXECUTABLE if modes_count and status.st_mode & stat.S_IXUSR else FILE
            elif not stat.S_ISDIR(status.st_mode):
                skipped.add(path)
        except OSError:
            continue
    for path, oid in _hash_regular(place, list(regular), skipped).items():
        entries[path] = Entry(regular[path], oid)
    return Hashed(entries, frozenset(skipped))


def hash_text(place: Place, path: str, text: bytes) -> str:
    """The blob that an editor's text would become if it were saved to this path and added."""
    return run(place, "hash-object", "-w", "--stdin", f"--path={path}", stdin=text).decode("ascii").strip()


def _hash_regular(place: Place, paths: Sequence[str], skipped: set[str]) -> dict[str, str]:
    """Ids by path; one bad file among many halves the batch until it stands alone and is skipped."""
    if not paths:
        return {}
    listing = b"".join(path_line(path) for path in paths)
    try:
        said = run(place, "hash-object", "-w", "--stdin-paths", stdin=listing)
    except GitError as error:
        if NO_ROOM in error.message:
            raise unwritten(NO_ROOM) from error
        if len(paths) == 1:
            if os.path.lexists(os.path.join(place.cwd, paths[0])):
                skipped.add(paths[0])
            return {}
        middle = len(paths) // 2
        return _hash_regular(place, paths[:middle], skipped) | _hash_regular(place, paths[middle:], skipped)
    return dict(zip(paths, said.decode("ascii").split(), strict=True))


def path_line(path: str) -> bytes:
    """A path for `--stdin-paths`: in C quotes where git would read another (a line end, a quote in front)."""
    raw = os.fsencode(path)
    if not raw.startswith(b'"') and not any(byte in raw for byte in b"\r\n"):
        return raw + b"\n"
    quoted = raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return b'"' + quoted + b'"\n'
