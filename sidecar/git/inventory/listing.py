"""One directory at a time, never through a link, with what every entry takes on the disk."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sidecar.git.files import ChangedError
from sidecar.model.inventory import Bytes

BLOCK = 512
"""Bytes that st_blocks counts in (stat(3type))."""


def size_on_disk(status: os.stat_result) -> int:
    """Bytes that an entry takes on the disk."""
    blocks: int = getattr(status, "st_blocks", -(-status.st_size // BLOCK))
    return blocks * BLOCK


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of a directory as lstat(2) sees it; `path` is relative to the worktree, '' for the worktree itself."""

    path: str
    status: os.stat_result

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    @property
    def is_directory(self) -> bool:
        """Whether it is one, and not a link to one."""
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self.status.st_mode)

    @property
    def is_regular(self) -> bool:
        """Whether it is a regular file."""
        return stat.S_ISREG(self.status.st_mode)

    @property
    def is_special(self) -> bool:
        """Whether it is a pipe, a socket or a device."""
        mode = self.status.st_mode
        return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISBLK(mode) or stat.S_ISCHR(mode)


def list_directory(root: str, directory: Item) -> list[Item]:
    """What is in a directory below the root (absolute path), by name; ChangedError when another is there now.

    A parent that was exchanged for a link meanwhile would lead to another inode, and is noticed by that.
    """
    with _scanning(root, directory) as entries:
        return sorted(_items(entries, directory.path), key=lambda item: item.path)


def list_subdirectories(root: str, directory: Item) -> list[Item] | None:
    """The directories in a directory below the root; None for one that looks like a repository. ChangedError as above.

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
    """The entries of the very directory that was seen, where the system can tell."""
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


@dataclass(slots=True)
class _Inode:
    """One file with several names: how many of them were met, what it takes, and a path of it to name."""

    links: int
    met: int
    bytes: int
    kept: bool
    named: str | None


@dataclass(slots=True)
class Tally:
    """What entries take on the disk, each inode counted once."""

    total: int = 0
    kept: int = 0
    _inodes: dict[tuple[int, int], _Inode] = field(default_factory=dict)

    def add(self, item: Item, *, kept: bool = False, named: bool = True) -> int:
        """Count an entry, give its bytes; `kept`: a release keeps the file; `named`: a hard link to outside is told."""
        status = item.status
        size = size_on_disk(status)
        if status.st_nlink <= 1 or not item.is_regular:
            self.total += size
            self.kept += size if kept and not item.is_directory else 0
            return size
        key = (status.st_dev, status.st_ino)
        found = self._inodes.get(key)
        if found is None:
            found = self._inodes[key] = _Inode(status.st_nlink, 0, size, False, None)
            self.total += size
        found.met += 1
        found.kept = found.kept or kept
        found.named = found.named or (item.path if named else None)
        return size if found.met == 1 else 0

    def keep(self, item: Item) -> None:
        """An entry of one name that was counted turns out to be kept."""
        self.kept += 0 if item.is_directory else size_on_disk(item.status)

    def bytes(self) -> Bytes:
        """The sums so far."""
        outside = sum(inode.bytes for inode in self._inodes.values() if inode.met < inode.links)
        kept = self.kept + sum(
            inode.bytes for inode in self._inodes.values() if inode.kept and inode.met >= inode.links
        )
        return Bytes(self.total, self.total - outside - kept, kept)

    def linked_outside(self) -> list[str]:
        """A path of each file that has another name where we have not looked."""
        return sorted(inode.named for inode in self._inodes.values() if inode.met < inode.links and inode.named)
