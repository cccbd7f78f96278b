"""Turn files into blobs as `git add` would, with git's own filters, and compare and read contents in a stream.

What is written goes to the quarantine. A file that is not read has a stand-in, which no other file has.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from sidecar.git.attributes import check_attributes
from sidecar.git.objects import unwritten
from sidecar.git.process import ENDED_EARLY, Conversation, GitError, Place, run
from sidecar.git.quarantine import Quarantine
from sidecar.model.changes import EXECUTABLE, FILE, SYMLINK, Entry
from sidecar.model.overlaps import Unread
from sidecar.system.files import pieces, signature

NO_ROOM = os.strerror(errno.ENOSPC)
"""How git says that the disk is full, and not that a file is bad."""

MOST_BAD = 16
"""How many bad files are looked for one by one; where there are more, those beside them count as bad too."""


@dataclass(frozen=True, slots=True)
class Hashed:
    """Files by path as entries; `skipped` were too large or could not be read, and what is gone is not there.

    A skipped file has an entry too, which stands for its content: no other file has it, and it is another one as soon
    as the file changes.
    """

    entries: Mapping[str, Entry]
    skipped: Mapping[str, Unread]


def hash_files(
    place: Place, quarantine: Quarantine, paths: Sequence[str], limit: int, *, modes_count: bool = True
) -> Hashed:
    """Give entries of these paths below the place, which writes into the quarantine. `limit` is a size in bytes.

    `modes_count` is core.fileMode: without it nothing on disk is executable.
    """
    entries: dict[str, Entry] = {}
    regular: dict[str, int] = {}
    skipped: dict[str, Unread] = {}
    statuses: dict[str, os.stat_result] = {}
    for path in paths:
        full = os.path.join(place.cwd, path)
        try:
            status = statuses[path] = os.lstat(full)
            if stat.S_ISLNK(status.st_mode):
                entries[path] = Entry(SYMLINK, quarantine.objects.write("blob", os.fsencode(os.readlink(full))))
            elif stat.S_ISREG(status.st_mode):
                regular[path] = EXECUTABLE if modes_count and status.st_mode & stat.S_IXUSR else FILE
                if status.st_size > limit:
                    said = f"It is larger than {limit >> 20} MB (sidecar.maxFileSize), so it is not compared."
                    skipped[path] = Unread(said, large=True)
            elif not stat.S_ISDIR(status.st_mode):
                skipped[path] = Unread("It is no regular file.")
        except OSError:
            continue
    for path, oid in _hash_regular(place, [path for path in regular if path not in skipped], skipped).items():
        entries[path] = Entry(regular[path], oid)
    for path in skipped:
        entries[path] = Entry(regular.get(path, FILE), _stand_in(quarantine, place, path, statuses[path]))
    return Hashed(entries, skipped)


def _stand_in(quarantine: Quarantine, place: Place, path: str, status: os.stat_result) -> str:
    """Give the blob that stands for a file that is not read; another one as soon as lstat(2) says otherwise."""
    return quarantine.objects.write("blob", os.fsencode(f"Not read: {place.cwd}/{path} {signature(status)}\n"))


LOOSE = ("-c", "core.bigFileThreshold=2g")
"""Has git store files of any size that is read as loose objects, which the guard hands over, and not in packs."""


def hash_text(place: Place, path: str, text: bytes) -> str:
    """Give the blob that an editor's text would become if it were saved to this path and added."""
    return run(place, *LOOSE, "hash-object", "-w", "--stdin", f"--path={path}", stdin=text).decode("ascii").strip()


def _hash_regular(place: Place, paths: Sequence[str], skipped: dict[str, Unread]) -> dict[str, str]:
    """Hash files in one batch, by path; a batch with a bad file is halved until that stands alone and is skipped."""
    if not paths:
        return {}
    listing = b"".join(path_line(path) for path in paths)
    try:
        said = run(place, *LOOSE, "hash-object", "-w", "--stdin-paths", stdin=listing)
    except GitError as error:
        if NO_ROOM in error.message:
            raise unwritten(place.variables["GIT_OBJECT_DIRECTORY"], NO_ROOM) from error
        if len(paths) == 1 or sum(not unread.large for unread in skipped.values()) >= MOST_BAD:
            there = [path for path in paths if os.path.lexists(os.path.join(place.cwd, path))]
            skipped |= dict.fromkeys(there, Unread(f"It can't be read: {_why(place, paths[0], error)}."))
            return {}
        middle = len(paths) // 2
        return _hash_regular(place, paths[:middle], skipped) | _hash_regular(place, paths[middle:], skipped)
    return dict(zip(paths, said.decode("ascii").split(), strict=True))


def _why(place: Place, path: str, error: GitError) -> str:
    """Give what git said of a file, with the name of its filter where git did not come to that."""
    said = error.message.rstrip(".")
    if said.startswith(ENDED_EARLY):
        name = check_attributes(place, [path], "filter")[path]["filter"]
        said = said.replace("a filter", f"its filter '{name}'", 1)
    return said


def path_line(path: str) -> bytes:
    """Write a path for `--stdin-paths`: in C quotes where git would read another (a line end, a quote in front)."""
    raw = os.fsencode(path)
    if not raw.startswith(b'"') and not any(byte in raw for byte in b"\r\n"):
        return raw + b"\n"
    quoted = raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return b'"' + quoted + b'"\n'


def id_of_pieces(object_format: str, size: int, pieces: Iterable[bytes]) -> str:
    """Give the id of a blob of so many bytes that comes in pieces; that of no object when it is more, or less."""
    digest = hashlib.new(object_format, b"blob %d\0" % size, usedforsecurity=False)
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def seen_pieces(path: str, seen: os.stat_result, check: Callable[[], None]) -> Iterator[bytes]:
    """Read the content of the very file that was seen; OSError for anything else. `check` may raise."""
    return pieces(path, partial(os.path.samestat, seen), check)


def blob_id(path: str, seen: os.stat_result, object_format: str, check: Callable[[], None]) -> str:
    """Give the id that the bytes of a regular file would have as a blob, without any filter."""
    return id_of_pieces(object_format, seen.st_size, seen_pieces(path, seen, check))


def sha256_of(path: str, seen: os.stat_result, check: Callable[[], None]) -> str:
    """Give the plain SHA-256 of a regular file, as Git LFS names it."""
    digest = hashlib.sha256()
    for piece in seen_pieces(path, seen, check):
        digest.update(piece)
    return digest.hexdigest()


def same_content(one: str, seen: os.stat_result, two: str, also: os.stat_result, check: Callable[[], None]) -> bool:
    """Tell whether two regular files, as they were seen, have the same bytes."""
    if seen.st_size != also.st_size:
        return False
    if os.path.samestat(seen, also):
        return True
    return same_pieces(seen_pieces(one, seen, check), seen_pieces(two, also, check))


def same_pieces(one: Iterator[bytes], two: Iterator[bytes]) -> bool:
    """Tell whether two streams have the same bytes, however they are cut."""
    left = right = b""
    while True:
        left = left or next(one, b"")
        right = right or next(two, b"")
        common = min(len(left), len(right))
        if common == 0:
            return not left and not right
        if left[:common] != right[:common]:
            return False
        left, right = left[common:], right[common:]


AHEAD = 64
"""How many objects are asked for before the first is there; the names of so many fit into a pipe."""


def read_contents(place: Place, names: Iterable[bytes], *how: str) -> Iterator[tuple[int, Iterator[bytes]]]:
    """Read objects in turn as (size in bytes, pieces); take all pieces of one before the next.

    `how` are more options of git-cat-file(1). GitError for an object that is not there, or when git ends.
    """
    asked: deque[bytes] = deque()
    waiting = iter(names)
    git = Conversation(place, "cat-file", "--batch", *how)
    try:
        while True:
            for name in islice(waiting, AHEAD - len(asked)):
                git.send(name + (b"\0" if "-z" in how else b"\n"))
                asked.append(name)
            if not asked:
                return
            name = asked.popleft()
            facts = git.line().split(b" ")
            if len(facts) != 3:
                raise GitError(f"{name.decode('ascii', 'replace')} is missing.")
            yield int(facts[2]), git.pieces(int(facts[2]))
            git.line()
    finally:
        git.close()
