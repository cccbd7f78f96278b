"""Bringing a released worktree back: what the snapshot holds, and over it what only the trash has."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from pathlib import Path

from sidecar.operations.release.trash import copy_entry, trash_of
from sidecar.operations.state import sync_directory


def overlay(state: Path, release_id: str, path: str, git_dir: str) -> None:
    """Move what the trash still has into a restored worktree and its administrative directory; again is fine.

    What the trash has is the thing itself, so it wins over what the snapshot made of it. OSError when a move fails.
    """
    trash = trash_of(state, release_id)
    _move_over(trash / "files", Path(path), frozenset({".git"}))
    _move_over(trash / "admin", Path(git_dir), frozenset({"gitdir", "commondir", "index", "HEAD", "locked"}))


def _move_over(source: Path, target: Path, never: frozenset[str]) -> None:
    """Everything below `source` to the same place below `target`, directories entered, nothing followed."""
    if not _is_directory(source):
        return
    for name in sorted(os.listdir(source)):
        if name in never:
            continue
        one, two = source / name, target / name
        if _is_directory(one) and _is_directory(two):
            times = two.stat()
            _move_over(one, two, frozenset())
            os.utime(two, ns=(times.st_atime_ns, times.st_mtime_ns))
            with contextlib.suppress(OSError):
                one.rmdir()
            continue
        above = target.stat()
        if os.path.lexists(two) and _is_directory(two) != _is_directory(one):
            raise FileExistsError(17, "something else is there", str(two))
        _move(one, two)
        os.utime(target, ns=(above.st_atime_ns, above.st_mtime_ns))
    sync_directory(target)


def _move(one: Path, two: Path) -> None:
    """Move one entry, to another file system if need be; it is there as a whole before it is gone here."""
    try:
        os.rename(one, two)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        if _is_directory(one):
            shutil.copytree(one, two, symlinks=True, copy_function=copy_entry)
            shutil.rmtree(one)
        else:
            copy_entry(str(one), str(two))
            one.unlink()


def _is_directory(path: Path) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False
