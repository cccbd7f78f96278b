"""Bringing a released worktree back: what the snapshot holds, and over it what only the trash has.

Everything is reached from an open directory by one name: no link is followed, and no path is too long.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from sidecar.operations.release.trash import DIRECTORY, trash_of, where_is

KEPT_BESIDE = ".from-trash"
"""The end of the name that something of the trash gets where its own name is taken by something else."""

DRAFT = ".sidecar-restore"
"""What a file is called while it comes from another file system."""

FILE = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def overlay(state: Path, release_id: str, was: str, path: str, git_dir: str) -> tuple[str, ...]:
    """Move what the trash still has into a restored worktree and its administrative directory; again is fine.

    `was` is where the worktree was when it was released. What somebody has written meanwhile stays: the trash's comes
    beside it, and is named in the answer. OSError when a move fails.
    """
    files = where_is(was, state, release_id)
    beside = () if files is None else _lay_over(str(files), path, frozenset({".git"}))
    admin = trash_of(state, release_id) / "admin"
    if admin.is_dir():
        ours = frozenset({"gitdir", "commondir", "index", "HEAD", "locked"})
        for newer in _lay_over(str(admin), git_dir, ours):
            os.unlink(os.path.join(git_dir, newer))  # what git has written since is newer, and nobody's work
    return beside


def _lay_over(source: str, target: str, never: frozenset[str]) -> tuple[str, ...]:
    with _opened(source) as one, _opened(target) as two:
        return tuple(_move_over(one, two, "", never))


def _move_over(source: int, target: int, inside: str, never: frozenset[str] = frozenset()) -> Iterator[str]:
    """Everything in one directory to the same place in the other; what had to take another name, by its path."""
    for name in sorted(os.listdir(source)):
        if name in never:
            continue
        here, there = os.lstat(name, dir_fd=source), _lstat(name, target)
        if there is not None and stat.S_ISDIR(here.st_mode) and stat.S_ISDIR(there.st_mode):
            yield from _merge(source, target, name, inside, there)
            continue
        above = os.stat(target)
        new = name
        if there is not None and not _is_alike(name, source, target, here, there):
            new = _free_name(name, target)
            yield inside + new
        try:
            os.rename(name, new, src_dir_fd=source, dst_dir_fd=target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            if stat.S_ISDIR(here.st_mode):
                os.mkdir(new, 0o700, dir_fd=target)
                yield from _merge(source, target, name, inside, here, new)
            else:
                _copy(name, new, source, target, here)
                os.unlink(name, dir_fd=source)
        os.utime(target, ns=(above.st_atime_ns, above.st_mtime_ns))
    os.fsync(target)


def _merge(
    source: int, target: int, name: str, inside: str, wanted: os.stat_result, new: str | None = None
) -> Iterator[str]:
    """One directory into the other, which has the mode and times that are wanted afterwards."""
    with _opened(name, source) as one, _opened(new or name, target) as two:
        yield from _move_over(one, two, f"{inside}{new or name}/")
        os.chmod(two, stat.S_IMODE(wanted.st_mode))
        os.utime(two, ns=(wanted.st_atime_ns, wanted.st_mtime_ns))
    with contextlib.suppress(OSError):
        os.rmdir(name, dir_fd=source)


def _is_alike(name: str, source: int, target: int, here: os.stat_result, there: os.stat_result) -> bool:
    """Whether nothing is lost when one takes the place of the other."""
    if stat.S_IFMT(here.st_mode) != stat.S_IFMT(there.st_mode):
        return False
    if stat.S_ISLNK(here.st_mode):
        return os.readlink(name, dir_fd=source) == os.readlink(name, dir_fd=target)
    if not stat.S_ISREG(here.st_mode):
        return True
    if here.st_size != there.st_size:
        return False
    with _opened(name, source, FILE) as one, _opened(name, target, FILE) as two:
        while True:
            first, second = os.read(one, 1 << 20), os.read(two, 1 << 20)
            if first != second:
                return False
            if not first:
                return True


def _copy(name: str, new: str, source: int, target: int, here: os.stat_result) -> None:
    """One entry from another file system, there as a whole or not at all; a device or the like is an OSError."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(DRAFT, dir_fd=target)
    if stat.S_ISLNK(here.st_mode):
        os.symlink(os.readlink(name, dir_fd=source), DRAFT, dir_fd=target)
    elif stat.S_ISREG(here.st_mode):
        with (
            open(os.open(name, FILE, dir_fd=source), "rb") as one,
            open(os.open(DRAFT, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=target), "wb") as two,
        ):
            shutil.copyfileobj(one, two, 1 << 20)
            two.flush()
            for attribute in os.listxattr(one.fileno()) if hasattr(os, "listxattr") else ():
                with contextlib.suppress(OSError):
                    os.setxattr(two.fileno(), attribute, os.getxattr(one.fileno(), attribute))
            os.chmod(two.fileno(), stat.S_IMODE(here.st_mode))
            os.utime(two.fileno(), ns=(here.st_atime_ns, here.st_mtime_ns))
            os.fsync(two.fileno())
    elif stat.S_ISFIFO(here.st_mode) or stat.S_ISSOCK(here.st_mode):
        os.mknod(DRAFT, here.st_mode, dir_fd=target)
    else:
        raise OSError(errno.EINVAL, "it can't be copied", name)
    os.rename(DRAFT, new, src_dir_fd=target, dst_dir_fd=target)


def _free_name(name: str, target: int) -> str:
    names = (f"{name[:200]}{KEPT_BESIDE}{number or ''}" for number in itertools.count())
    return next(new for new in names if _lstat(new, target) is None)


def _lstat(name: str, directory: int) -> os.stat_result | None:
    try:
        return os.lstat(name, dir_fd=directory)
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def _opened(name: str, directory: int | None = None, flags: int = DIRECTORY) -> Iterator[int]:
    descriptor = os.open(name, flags, dir_fd=directory)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
