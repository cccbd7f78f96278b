"""Read files without ever waiting or following a link that somebody put there, and tell whose a directory is."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator

MOST_BYTES = 64 * 1024
PIECE = 1 << 20
"""Bytes that are read at once."""

READING = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


Signature = tuple[int, int, int, int, int]
"""What tells a file, as it is now, from every other, and from what it will be."""


class ChangedError(OSError):
    """What is there now is not what was there a moment ago."""


def signature(status: os.stat_result) -> Signature:
    """Give a value that changes when a file's content does, or when another file takes its place."""
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_dev


def upwards(path: str) -> Iterator[str]:
    """Give an absolute path and every directory above it, nearest first; nothing for an empty path."""
    while path:  # a Path for each would cost more than most questions
        yield path
        above = os.path.dirname(path)
        if above == path:
            return
        path = above


def why_not_ours(folder: str | os.PathLike[str]) -> str | None:
    """Say in a sentence why a directory can't be ours, None where it can; OSError."""
    status = os.lstat(folder)
    if not stat.S_ISDIR(status.st_mode):
        return f"{folder} is not a directory. Move it away."
    if hasattr(os, "getuid") and status.st_uid != os.getuid():
        return f"{folder} belongs to another user. Nothing is done with it.{_how_to_have(folder, status.st_uid)}"
    return None


def _how_to_have(folder: str | os.PathLike[str], owner: int) -> str:
    """Say how a directory of root's becomes the user's: it is left by a sudo, or by a container. Else ''."""
    if owner != 0:
        return ""
    import shlex  # most never need it

    return f" If you made it with sudo or in a container: sudo chown -R {os.getuid()} {shlex.quote(os.fspath(folder))}"


def make_private(folder: str | os.PathLike[str]) -> str | None:
    """Make a directory accessible to its owner alone; give a sentence where it can't be ours. OSError."""
    why = why_not_ours(folder)
    if why is None and os.lstat(folder).st_mode & 0o077:
        os.chmod(folder, 0o700)
    return why


def free_bytes(folder: str | os.PathLike[str]) -> int | None:
    """Count the bytes that are free on the file system of a directory; None where it does not tell. OSError.

    Some count no blocks at all: a tmpfs without a limit, and some of those in user space (FUSE).
    """
    if not hasattr(os, "statvfs"):
        import shutil  # agents wait for those who import this module

        return shutil.disk_usage(folder).free
    told = os.statvfs(folder)
    return told.f_bavail * told.f_frsize if told.f_blocks else None


def read_small(path: str) -> bytes:
    """Read a small file of git's own; OSError for anything else."""
    return read_regular(path, MOST_BYTES)


def read_regular(path: str, limit: int) -> bytes:
    """Read a regular file of at most `limit` bytes; OSError for anything else.

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
    """Read a regular file at an absolute path in pieces; OSError for anything else, or for a file that is not expected.

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
