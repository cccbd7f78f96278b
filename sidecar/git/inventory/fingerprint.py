"""Whether anybody wrote into a directory between two looks at it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sidecar.git.inventory.listing import Item, list_directory
from sidecar.git.inventory.watching import Watching

DEEPEST = 3000
"""Bytes of a path, relative to the folder, that is not entered: moved elsewhere it could be too long for the system."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A digest of the entries of each directory below a folder, by the directory's path ('' for the folder itself).

    What counts of an entry: name, inode, mode, size, and the times of change of content and inode, in ns. The folder's
    own entry does not count, since renaming it is not writing into it.
    """

    directories: Mapping[str, bytes]


def fingerprint(folder: str, cancelled: Callable[[], bool] = lambda: False) -> Fingerprint:
    """The fingerprint of a folder (absolute path), never following a link; an unreadable directory has one too.

    OSError when the folder itself can't be read; watching.CancelledError when it was cancelled.
    """
    watching = Watching(cancelled, lambda _stage, _entries: None)
    start = Item("", os.lstat(folder))
    directories: dict[str, bytes] = {}
    waiting = [start]
    while waiting:
        directory = waiting.pop()
        digest = hashlib.blake2b(digest_size=16)
        try:
            items = list_directory(folder, directory)
        except OSError as error:
            if directory is start:
                raise
            digest.update(f"{error.errno}".encode())
            items = []
        for item in items:
            watching.count()
            status = item.status
            facts = (
                status.st_dev,
                status.st_ino,
                status.st_mode,
                status.st_size,
                status.st_mtime_ns,
                status.st_ctime_ns,
            )
            digest.update(os.fsencode(item.name) + b"\0" + repr(facts).encode())
            enters = item.is_directory and len(os.fsencode(item.path)) <= DEEPEST
            if enters and status.st_dev == start.status.st_dev:
                waiting.append(item)
        directories[directory.path] = digest.digest()
    return Fingerprint(directories)


def changed_between(before: Fingerprint, after: Fingerprint) -> tuple[str, ...]:
    """The directories in which something is otherwise, sorted; '' is the folder itself."""
    paths = before.directories.keys() | after.directories.keys()
    return tuple(sorted(path for path in paths if before.directories.get(path) != after.directories.get(path)))
