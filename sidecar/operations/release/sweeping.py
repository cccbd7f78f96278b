"""Deleting what nobody needs back, after the release: set aside by one rename each, and nobody waits for the rest.

What lies in `<common dir>/sidecar/doomed` is only ever deleted, by whoever comes by: a killed deletion is taken up by
the next command.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

from sidecar.git.deleting import delete_behind
from sidecar.git.inventory.fingerprint import changed_between, fingerprint
from sidecar.operations.release.trash import DIRECTORY, entered, mounted_in
from sidecar.operations.state import DOOMED, is_swept

AT_ONCE = 500
"""Entries that are deleted before a release returns."""

DEEPEST = 200
"""Directories inside each other, each of which is held open, that are entered here."""


def set_aside(root: Path, paths: Iterable[str], state: Path, operation_id: str, *, watched: bool = False) -> list[str]:
    """Move files and whole directories below a root to where `sweep` deletes them; gives those that stay.

    What is gone, or reached only through a link, is passed over. `watched`: directories into which somebody writes
    meanwhile come back.
    """
    left = []
    with _home(state, operation_id) as home:
        for path in paths:
            parent, _, name = path.rpartition("/")
            before = fingerprint(str(root / path)) if watched else None
            with entered(root, parent) as directory:
                if directory is None or name in ("", ".", ".."):
                    continue
                new = secrets.token_hex(8)
                try:
                    if home is None:
                        raise OSError(errno.ENOSPC, "there is no place for it", path)
                    os.rename(name, new, src_dir_fd=directory, dst_dir_fd=home)
                    moved = state / DOOMED / operation_id / new
                    if before is not None and changed_between(before, fingerprint(str(moved))):
                        os.rename(new, name, src_dir_fd=home, dst_dir_fd=directory)
                        left.append(path)
                except FileNotFoundError:
                    continue
                except OSError:
                    left.append(path)
    return left


@contextlib.contextmanager
def _home(state: Path, operation_id: str) -> Iterator[int | None]:
    """The directory that takes what is set aside; None when it can't be made."""
    path = f"{DOOMED}/{operation_id}"
    with contextlib.suppress(OSError):
        _make(state, DOOMED)
        _make(state, path)
    with entered(state, path) as home:
        yield home


def sweep(state: Path) -> None:
    """Delete what was set aside: a little of it now, the rest by a process of the system's own that goes on behind."""
    if is_swept(state) or mounted_in(state / DOOMED):
        return
    with entered(state, DOOMED) as doomed:
        if doomed is not None:
            for name in os.listdir(doomed):
                _sweep(state, name, doomed)
    with contextlib.suppress(OSError):
        (state / DOOMED).rmdir()


def _sweep(state: Path, name: str, doomed: int) -> None:
    try:
        directory = os.open(name, DIRECTORY, dir_fd=doomed)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=doomed)
        return
    try:
        if not _claim(directory):
            return
        if _delete_below(directory, iter(range(AT_ONCE))):
            os.rmdir(name, dir_fd=doomed)
        else:
            delete_behind(state / DOOMED / name, directory)
    except OSError:
        return  # the next one tries again
    finally:
        os.close(directory)


def _claim(directory: int) -> bool:
    """Whether nobody else is deleting it: the claim ends with the last process that has the directory open."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _delete_below(directory: int, left: Iterator[int], depth: int = 0) -> bool:
    """Whether everything in an open directory is gone: not when there are more entries than `left`, or one resists."""
    if depth > DEEPEST:
        return False
    with os.scandir(directory) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_directory in found:
        if next(left, None) is None:
            return False
        try:
            if not is_directory:
                os.unlink(name, dir_fd=directory)
                continue
            below = os.open(name, DIRECTORY, dir_fd=directory)
            try:
                if not _delete_below(below, left, depth + 1):
                    return False
            finally:
                os.close(below)
            os.rmdir(name, dir_fd=directory)
        except FileNotFoundError:
            continue
        except OSError:
            return False
    return True


def _make(state: Path, path: str) -> None:
    """A directory of ours below the state directory, reached through no link."""
    parent, _, name = path.rpartition("/")
    with entered(state, parent) as directory:
        if directory is None:
            raise NotADirectoryError(str(state / parent))
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=directory)
