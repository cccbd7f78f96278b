"""Files read in pieces, as they are on the disk, without ever waiting and without following a link."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator

from sidecar.git.inventory.watching import Watching

PIECE = 1 << 20
"""Bytes that are read at once."""


class ChangedError(OSError):
    """What is there now is not what was there a moment ago."""


def pieces(path: str, seen: os.stat_result, watching: Watching) -> Iterator[bytes]:
    """The content of the regular file that was seen at an absolute path; OSError for anything else."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or not os.path.samestat(status, seen):
            raise ChangedError(errno.ESTALE, "another file now", path)
        while piece := os.read(descriptor, PIECE):
            watching.check()
            yield piece
    finally:
        os.close(descriptor)


def blob_id(path: str, seen: os.stat_result, object_format: str, watching: Watching) -> str:
    """The id that the bytes of a regular file would have as a blob, without any filter."""
    digest = hashlib.new(object_format, b"blob %d\0" % seen.st_size, usedforsecurity=False)
    for piece in pieces(path, seen, watching):
        digest.update(piece)
    return digest.hexdigest()


def id_of_bytes(content: bytes, object_format: str) -> str:
    """The id of these bytes as a blob."""
    return hashlib.new(object_format, b"blob %d\0%s" % (len(content), content), usedforsecurity=False).hexdigest()


def sha256_of(path: str, seen: os.stat_result, watching: Watching) -> str:
    """The plain SHA-256 of a regular file, as Git LFS names it."""
    digest = hashlib.sha256()
    for piece in pieces(path, seen, watching):
        digest.update(piece)
    return digest.hexdigest()


def same_content(one: str, seen: os.stat_result, two: str, also: os.stat_result, watching: Watching) -> bool:
    """Whether two regular files, as they were seen, have the same bytes."""
    if seen.st_size != also.st_size:
        return False
    if os.path.samestat(seen, also):
        return True
    return same_pieces(pieces(one, seen, watching), pieces(two, also, watching))


def same_pieces(one: Iterator[bytes], two: Iterator[bytes]) -> bool:
    """Whether two streams have the same bytes, however they are cut."""
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
