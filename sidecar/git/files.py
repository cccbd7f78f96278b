"""Files read without ever waiting, and without following somebody's trick."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator

MOST_BYTES = 64 * 1024
PIECE = 1 << 20
"""Bytes that are read at once."""

READING = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class ChangedError(OSError):
    """What is there now is not what was there a moment ago."""


def read_small(path: str) -> bytes:
    """The content of a small file of git's own; OSError for anything else."""
    return read_regular(path, MOST_BYTES)


def read_regular(path: str, limit: int) -> bytes:
    """The content of a regular file of at most `limit` bytes; OSError for anything else.

    A FIFO would block, a link lead away; what changes into one between two looks is caught on the open file.
    """
    descriptor = os.open(path, READING)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
            raise OSError(errno.EINVAL, "not a regular file of a usual size", path)
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(status.st_size)  # as it was then; and no room is taken for `limit` bytes
    finally:
        os.close(descriptor)


def pieces(path: str, is_expected: Callable[[os.stat_result], bool], check: Callable[[], None]) -> Iterator[bytes]:
    """The content of a regular file at an absolute path; OSError for anything else, or one that is not expected.

    `check` is called before every piece, and may raise.
    """
    descriptor = os.open(path, READING)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or not is_expected(status):
            raise ChangedError(errno.ESTALE, "another file now", path)
        while piece := os.read(descriptor, PIECE):
            check()
            yield piece
    finally:
        os.close(descriptor)
