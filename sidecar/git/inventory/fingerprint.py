"""Whether anybody wrote into a directory between two looks at it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from sidecar.git.inventory.listing import Item, list_directory, list_subdirectories
from sidecar.git.inventory.watching import Watching

DEEPEST = 3000
"""Bytes of a path, relative to the folder, that is not entered: moved elsewhere it could be too long for the system."""

Status = tuple[int, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What each directory below a folder is like, by its path ('' for the folder itself).

    `contents` is a digest of its entries, without those that were only passed through; `own` is what lstat says of the
    directory itself, but for the folder's own, since renaming that is not writing into it. What counts of an entry:
    name, inode, mode, size, and the times of change of content and inode, in ns.
    """

    contents: Mapping[str, bytes]
    own: Mapping[str, Status]


def fingerprint(
    folder: str, cancelled: Callable[[], bool] = lambda: False, *, passing: Collection[str] = ()
) -> Fingerprint:
    """The fingerprint of a folder (absolute path), never following a link; an unreadable directory has one too.

    Of the directories `passing` (build output) only the directories are looked at, which tell what was added, removed
    or renamed; in a repository among them, every file. OSError when the folder itself can't be read;
    watching.CancelledError when it was cancelled.
    """
    watching = Watching(cancelled, lambda _stage, _entries: None)
    start = Item("", os.lstat(folder))
    contents: dict[str, bytes] = {}
    own: dict[str, Status] = {}
    only_passed = frozenset(passing)
    waiting = [(start, False)]
    while waiting:
        directory, passed = waiting.pop()
        passed = passed or directory.path in only_passed
        if directory is not start:
            own[directory.path] = _facts(directory)
        digest = hashlib.blake2b(digest_size=16)
        try:
            below = list_subdirectories(folder, directory) if passed else None
            passed = below is not None
            items = list_directory(folder, directory) if below is None else below
        except OSError as error:
            if directory is start:
                raise
            digest.update(f"{error.errno}".encode())
            items = []
        for item in items:
            watching.count()
            if not passed:
                digest.update(os.fsencode(item.name) + b"\0" + repr(_facts(item)).encode())
            enters = item.is_directory and len(os.fsencode(item.path)) <= DEEPEST
            if enters and item.status.st_dev == start.status.st_dev:
                waiting.append((item, passed))
        if not passed:
            contents[directory.path] = digest.digest()
    return Fingerprint(contents, own)


def changed_between(before: Fingerprint, after: Fingerprint) -> tuple[str, ...]:
    """The directories in which something is otherwise, sorted; '' is the folder itself.

    Where one of the two only passed through, the directory itself tells.
    """
    twice = before.contents.keys() & after.contents.keys()
    changed = {path for path in twice if before.contents[path] != after.contents[path]}
    changed |= before.own.keys() ^ after.own.keys()
    once = before.contents.keys() ^ after.contents.keys()
    changed |= {path for path in once if before.own.get(path) != after.own.get(path)}
    return tuple(sorted(changed))


def _facts(item: Item) -> Status:
    status = item.status
    return status.st_dev, status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns
