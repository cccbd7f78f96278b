"""Walk a folder one directory at a time: hold what is found and counted, and tell later whether anybody wrote into it.

Nothing here follows a link, waits for a pipe, or reads a file, because anything may lie in a worktree. Each inode is
counted once, and a long look can be stopped.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal, NamedTuple

from sidecar.model.inventory import Bytes, Files, Fingerprint, HeldFile, Nested, Output, Status
from sidecar.system.files import ChangedError

BLOCK = 512
"""Bytes that st_blocks counts in (stat(3type))."""


def size_on_disk(status: os.stat_result) -> int:
    """Give the bytes that an entry takes on the disk."""
    blocks: int = getattr(status, "st_blocks", -(-status.st_size // BLOCK))
    return blocks * BLOCK


class Item(NamedTuple):
    """An entry of a directory as lstat(2) sees it; `path` is relative to the worktree, '' for the worktree itself."""

    path: str
    status: os.stat_result

    @property
    def name(self) -> str:
        """Give the last part of its path."""
        return self.path.rpartition("/")[2]

    @property
    def is_directory(self) -> bool:
        """Tell whether it is one, and not a link to one."""
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def is_link(self) -> bool:
        """Tell whether it is a symbolic link."""
        return stat.S_ISLNK(self.status.st_mode)

    @property
    def is_regular(self) -> bool:
        """Tell whether it is a regular file."""
        return stat.S_ISREG(self.status.st_mode)

    @property
    def is_special(self) -> bool:
        """Tell whether it is a pipe, a socket or a device."""
        return not (self.is_directory or self.is_link or self.is_regular)


def list_directory(root: str, directory: Item) -> list[Item]:
    """List a directory below the root (absolute path), by name; ChangedError when another is there now.

    A parent that was exchanged for a link meanwhile would lead to another inode, and is noticed by that.
    """
    with _scanning(root, directory) as entries:
        return sorted(_items(entries, directory.path))


def list_subdirectories(root: str, directory: Item) -> list[Item] | None:
    """List the directories in a directory; None for one that looks like a repository. ChangedError as above.

    The system tells directories from files by name alone, which is far cheaper than asking about every file.
    """
    if os.scandir not in os.supports_fd:
        return None
    with _scanning(root, directory) as entries:
        found = {entry.name: entry for entry in entries}
        if ".git" in found or {"HEAD", "objects", "refs"} <= found.keys():
            return None
        return list(_items((one for one in found.values() if one.is_dir(follow_symlinks=False)), directory.path))


@contextmanager
def _scanning(root: str, directory: Item) -> Iterator[Iterator[os.DirEntry[str]]]:
    """Open the entries of the very directory that was seen, where the system can tell."""
    full = os.path.join(root, directory.path) if directory.path else root
    if os.scandir not in os.supports_fd:
        with os.scandir(full) as entries:
            yield entries
        return
    descriptor = os.open(full, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if not os.path.samestat(os.fstat(descriptor), directory.status):
            raise ChangedError(errno.ESTALE, "another directory now", full)
        with os.scandir(descriptor) as entries:
            yield entries
    finally:
        os.close(descriptor)


def _items(entries: Iterator[os.DirEntry[str]], directory: str) -> Iterator[Item]:
    start = f"{directory}/" if directory else ""
    for entry in entries:
        try:
            yield Item(start + entry.name, entry.stat(follow_symlinks=False))
        except FileNotFoundError:
            continue


class Tally:
    """What entries take on the disk, each inode counted once, in 33 bytes for a name of a file that has several."""

    def __init__(self) -> None:
        self._total = self._kept = 0
        self._inodes, self._devices, self._links, self._sizes = (array("Q") for _ in range(4))
        self._are_kept = bytearray()
        self._named: dict[tuple[int, int], str] = {}

    def add(self, item: Item, *, kept: bool = False, named: bool = False) -> int:
        """Count an entry; give its bytes, or its name's share of them.

        `kept`: a release keeps the file; `named`: its path may be told as that of one with another name outside.
        """
        status = item.status
        size = size_on_disk(status)
        if status.st_nlink <= 1 or not item.is_regular:
            self._total += size
            self._kept += size if kept and not item.is_directory else 0
            return size
        for numbers, number in (
            (self._inodes, status.st_ino),
            (self._devices, status.st_dev),
            (self._links, status.st_nlink),
            (self._sizes, size),
        ):
            numbers.append(number)
        self._are_kept.append(kept)
        if named:
            self._named.setdefault((status.st_dev, status.st_ino), item.path)
        return size // status.st_nlink

    def keep(self, size: int) -> None:
        """Count so many bytes, which are in the total already, as kept."""
        self._kept += size

    def bytes(self) -> Bytes:
        """Sum up: a file with a name outside of the worktree is neither kept nor freed."""
        total, outside, kept = self._total, 0, self._kept
        for names in self._files():
            size = self._sizes[names[0]]
            total += size
            if len(names) < self._links[names[0]]:
                outside += size
            elif any(self._are_kept[name] for name in names):
                kept += size
        return Bytes(total, total - outside - kept, kept)

    def linked_outside(self) -> list[str]:
        """Give a path of each file that has another name where we have not looked."""
        found = (
            self._named.get((self._devices[names[0]], self._inodes[names[0]]))
            for names in self._files()
            if len(names) < self._links[names[0]]
        )
        return sorted(path for path in found if path is not None)

    def _files(self) -> Iterator[list[int]]:
        """Give the names, by their numbers here, of each file that has several."""

        def file_of(name: int) -> tuple[int, int]:
            return self._devices[name], self._inodes[name]

        for _, names in groupby(sorted(range(len(self._inodes)), key=file_of), key=file_of):
            yield list(names)


OFTEN = 256
"""Entries after which it is asked again whether to stop."""


class CancelledError(Exception):
    """The person has stopped it."""


@dataclass(slots=True)
class Watching:
    """Counts entries, and stops when `cancelled` says so."""

    cancelled: Callable[[], bool]
    entries: int = 0

    def count(self, entries: int) -> None:
        """Count so many more entries as looked at."""
        self.entries += entries
        if self.entries >= OFTEN:
            self.entries = 0
            self.check()

    def check(self) -> None:
        """Raise CancelledError when the person has stopped it."""
        if self.cancelled():
            raise CancelledError


DEEPEST = 3000
"""Bytes of a path, relative to the folder, that is not entered: moved elsewhere it could be too long for the system."""

TOUCHED_BY_READING = "sharedindex."
"""How the names of files begin whose times git itself sets when it reads a split index (git-update-index(1))."""


def note(seen: Fingerprint, directory: Item, items: Sequence[Item] | None, error: int | None = None) -> bool:
    """Take a directory in, and what is in it (None: passed through), sorted; False for one that is too deep.

    `error` is the number of the error for which it could not be read.
    """
    if len(directory.path) > DEEPEST // 4 and len(os.fsencode(directory.path)) > DEEPEST:
        return False
    if directory.path:
        seen.own[directory.path] = _facts(directory)
    if items is not None:
        digest = hashlib.blake2b(b"" if error is None else b"%d" % error, digest_size=16)
        for item in items:
            digest.update(os.fsencode(item.name) + b"\0" + repr(_facts(item)).encode())
        seen.contents[directory.path] = digest.digest()
    return True


def fingerprint(
    folder: str, cancelled: Callable[[], bool] = lambda: False, *, passing: Collection[str] = ()
) -> Fingerprint:
    """Take the fingerprint of a folder (absolute path), following no link; an unreadable directory has one too.

    Of the directories `passing` (build output) only the directories are looked at, which tell what was added, removed
    or renamed; in a repository among them, every file. OSError when the folder itself can't be read;
    CancelledError when it was cancelled.
    """
    watching = Watching(cancelled)
    start = Item("", os.lstat(folder))
    found = Fingerprint()
    only_passed = frozenset(passing)
    waiting = [(start, False)]
    while waiting:
        directory, passed = waiting.pop()
        passed = passed or directory.path in only_passed
        error = None
        try:
            below = list_subdirectories(folder, directory) if passed else None
            passed = below is not None
            items = list_directory(folder, directory) if below is None else below
        except OSError as raised:
            if directory is start:
                raise
            error, items = raised.errno, []
        watching.count(len(items))
        if note(found, directory, None if passed else items, error):
            waiting += [(one, passed) for one in items if one.is_directory and one.status.st_dev == start.status.st_dev]
    return found


def changed_between(before: Fingerprint, after: Fingerprint) -> tuple[str, ...]:
    """Give the directories in which something is otherwise, sorted; '' is the folder itself.

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
    times = (0, 0) if item.name.startswith(TOUCHED_BY_READING) else (status.st_mtime_ns, status.st_ctime_ns)
    return status.st_dev, status.st_ino, status.st_mode, status.st_size, *times


Group = Literal[
    "staged", "conflicted", "unstaged", "hidden", "untracked", "unique", "equal", "submodule_changes",
    "empty_directories", "special", "mounts", "unreadable", "overlong", "xattrs",
]  # fmt: skip
"""The groups of `model.inventory.Files` that are of paths alone."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One inventory: where it looks, what it may not enter, what it compares with, and what it has found so far.

    `root` and `main` (the main worktree's files, None where it has none) are absolute. `barred` are the mount points
    and other worktrees inside, absolute. `modules` are the directories that submodules' git directories may lie in.
    `seen` is what each directory was like when it was looked at.
    """

    root: str
    device: int
    barred: frozenset[str]
    main: str | None
    patterns: Sequence[str]
    modules: Sequence[str]
    common_dir: str
    modeless: bool
    watching: Watching
    groups: dict[Group, set[str]] = field(default_factory=lambda: defaultdict(set))
    output: list[Output] = field(default_factory=list)
    nested: list[Nested] = field(default_factory=list)
    submodule_commits: list[tuple[str, int]] = field(default_factory=list)
    held: dict[str, HeldFile] = field(default_factory=dict)
    checked_out: dict[str, str] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    seen: Fingerprint = field(default_factory=Fingerprint)
    main_directories: dict[str, bool] = field(default_factory=dict)

    def full(self, path: str) -> str:
        """Give the absolute path of one that is relative to the worktree."""
        return os.path.join(self.root, path) if path else self.root

    def note(self, group: Group, *paths: str) -> None:
        """Put paths into a group."""
        self.groups[group].update(paths)

    def note_unreadable(self, path: str, error: OSError) -> None:
        """Note what could not be read."""
        self.note("overlong" if error.errno == errno.ENAMETOOLONG else "unreadable", path)

    def files(self) -> Files:
        """Give the groups, each sorted."""
        return Files(
            **{group: tuple(sorted(paths)) for group, paths in self.groups.items()},
            output=tuple(sorted(self.output, key=lambda output: output.path)),
            nested=tuple(sorted(self.nested, key=lambda nested: nested.path)),
            hard_links=tuple(self.tally.linked_outside()),
        )


def look(scope: Scope, directory: Item, *, passing: bool = False) -> list[Item] | None:
    """List a directory; give None, and note why, when it can't be read or is not to be entered.

    `passing`: it is build output, of which only the directories are remembered.
    """
    if directory.status.st_dev != scope.device:
        scope.note("mounts", directory.path)
        return None
    if directory.path and scope.full(directory.path) in scope.barred:
        return None
    try:
        items = list_directory(scope.root, directory)
    except OSError as error:
        scope.note_unreadable(directory.path or ".", error)
        note(scope.seen, directory, None if passing else [], error.errno)
        return None
    note(scope.seen, directory, None if passing else items)
    scope.watching.count(len(items))
    return items


def note_attributes(scope: Scope, item: Item) -> bool:
    """Note an entry with extended attributes of a user (xattr(7)), and say whether it has any but the system's."""
    if not hasattr(os, "listxattr"):
        return False
    try:
        names = os.listxattr(scope.full(item.path), follow_symlinks=False)
    except OSError:
        return False
    if any(name.startswith("user.") for name in names):
        scope.note("xattrs", item.path)
    return any(not name.startswith("security.") or name == "security.capability" for name in names)


def measure(scope: Scope, directory: Item, *, kept: bool) -> None:
    """Count everything below a directory without asking what it is."""
    waiting = [directory]
    while waiting:
        for item in look(scope, waiting.pop()) or ():
            scope.tally.add(item, kept=kept)
            if item.is_directory:
                waiting.append(item)
