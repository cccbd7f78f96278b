"""Keep what is known of one watched tree, and walk its directories.

Which directory a watch descriptor stands for is kept in a table that takes a tenth of the memory of a dict, because
there can be a million of them.
"""

from __future__ import annotations

import math
import os
import stat
import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Generic, TypeVar

from sidecar.system.worktree_links import git_directory
from sidecar.watch.events import GitTarget, Moment, Target, WorktreeTarget, enters, is_linked_worktree, stamp_of

V = TypeVar("V")

SPARE = 1024
"""Removed entries that are kept before the table is made smaller, at least."""


class Descriptors(Generic[V]):
    """Watch descriptors and what they stand for, in ascending order, which is that in which the kernel gives them out.

    So a new one is added at the end, and found by halving (inotify_add_watch(2) counts them up).
    """

    __slots__ = ("_held", "_keys", "_values")

    def __init__(self) -> None:
        self._keys = array("i")
        self._values: list[V | None] = []
        self._held = 0

    def __len__(self) -> int:
        return self._held

    def __contains__(self, descriptor: int) -> bool:
        return self.get(descriptor) is not None

    def __getitem__(self, descriptor: int) -> V:
        value = self.get(descriptor)
        if value is None:
            raise KeyError(descriptor)
        return value

    def __setitem__(self, descriptor: int, value: V) -> None:
        at = self._at(descriptor)
        if at == len(self._keys) or self._keys[at] != descriptor:
            self._keys.insert(at, descriptor)
            self._values.insert(at, None)
        self._held += self._values[at] is None
        self._values[at] = value

    def __delitem__(self, descriptor: int) -> None:
        self.pop(descriptor)

    def get(self, descriptor: int) -> V | None:
        """Give what a descriptor stands for, if anything."""
        at = self._at(descriptor)
        return self._values[at] if at < len(self._keys) and self._keys[at] == descriptor else None

    def pop(self, descriptor: int) -> V:
        """Take an entry out; KeyError when there is none."""
        value = self[descriptor]
        self._values[self._at(descriptor)] = None
        self._held -= 1
        if len(self._keys) > 2 * self._held + SPARE:
            held = list(self.items())
            self._keys = array("i", (known for known, _ in held))
            self._values = [kept for _, kept in held]
        return value

    def clear(self) -> None:
        """Take everything out."""
        self._keys, self._values, self._held = array("i"), [], 0

    def items(self) -> Iterator[tuple[int, V]]:
        """Give every entry; the table must not change meanwhile."""
        return ((key, value) for key, value in zip(self._keys, self._values, strict=True) if value is not None)

    def values(self) -> Iterator[V]:
        """Give what all of them stand for."""
        return (value for value in self._values if value is not None)

    def _at(self, descriptor: int) -> int:
        if self._keys and descriptor > self._keys[-1]:
            return len(self._keys)
        return bisect_left(self._keys, descriptor)


STEP = 32
"""Directories handled between two yields: about a millisecond."""


class Phase(Enum):
    """How far the watching of a tree is."""

    MISSING = auto()
    SETTING_UP = auto()
    WATCHED = auto()
    POLLED = auto()


@dataclass(eq=False, slots=True)
class Tree:
    """A followed target and what its watcher remembers of it; belongs to the watcher's thread."""

    target: Target
    root: str
    phase: Phase = Phase.MISSING
    group: str = ""
    """What is told together: the real path of the git directory."""
    identity: tuple[int, int] | None = None
    """Device and inode of the root, to notice that another directory took its place."""
    remote: bool = False
    """Whether other machines can change it unseen."""
    ignored: set[str] = field(default_factory=set)
    """Relative directories that git ignores, as far as it was asked."""
    directories: Descriptors[str] = field(default_factory=Descriptors)
    """Watch descriptor -> relative directory, for inotify."""
    active: float = 0.0
    """When something last happened here (`time.monotonic`)."""
    stirred: float = -math.inf
    """When somebody was last seen at work here, if only by opening a file (`time.monotonic`)."""
    since: Moment | None = None
    """What changed before that has been told or read; None when nothing is known of the tree."""
    reached: int = 0
    """How many directories it had at least when there were too few watches for them."""
    delay: float = 0.0
    """Seconds to wait before a missing root is looked for again."""

    @property
    def key(self) -> str:
        """Give the key of the target."""
        return self.target.key

    @property
    def is_git(self) -> bool:
        """Tell whether it is a git directory."""
        return isinstance(self.target, GitTarget)


def join(directory: str, name: str) -> str:
    """Join a relative directory and a name; the root is the empty string."""
    return f"{directory}/{name}" if directory else name


def within(path: str, directory: str) -> bool:
    """Tell whether `path` is `directory` or lies under it."""
    return not directory or path == directory or path.startswith(f"{directory}/")


def identify(tree: Tree) -> bool:
    """Note which directory the root is now, and what it is told together with; False when it isn't there."""
    tree.identity = identity(tree)
    tree.active = time.monotonic()
    regroup(tree)
    return tree.identity is not None


def regroup(tree: Tree) -> None:
    """Note what the tree is told together with."""
    found = None if tree.is_git else git_directory(Path(tree.root))
    tree.group = os.path.realpath(found or tree.root)


def identity(tree: Tree) -> tuple[int, int] | None:
    """Give device and inode of the root; None when there is no such directory."""
    try:
        found = Path(tree.root).stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None


def marker(tree: Tree) -> str:
    """Give the file without which the root is on its way out."""
    return "HEAD" if tree.is_git else ".git"


def sift(tree: Tree, directories: Iterable[str]) -> set[str]:
    """Give those of these relative directories that are entered; asks `ignored` once, about those that it has to."""
    if isinstance(tree.target, WorktreeTarget):
        nested = tree.target.nested
        asked = [
            directory
            for directory in directories
            if directory not in tree.ignored and directory not in nested and directory.rpartition("/")[2] != ".git"
        ]
        ignored = tree.target.ignored(asked) if asked else frozenset()
        tree.ignored |= ignored
        return set(asked) - ignored
    return {directory for directory in directories if enters(directory)}


def listing(tree: Tree, directory: str, since: Moment | None = None) -> tuple[list[str], list[str]]:
    """Give relative paths of the files (anything that is no directory) and of the directories in it.

    With `since` only the files that changed after that, and the directory itself when something in it came or went.
    Links are not followed; both are empty for another worktree's root. Raises OSError.
    """
    files: list[str] = []
    directories: list[str] = []
    dot_git = False
    least = stamp_of(since) if since else -math.inf
    if since and stamp(os.stat(f"{tree.root}/{directory}")) >= least:
        files.append(directory)
    with os.scandir(f"{tree.root}/{directory}") as entries:
        for entry in entries:
            dot_git = dot_git or entry.name == ".git"
            if entry.is_dir(follow_symlinks=False):
                directories.append(join(directory, entry.name))
            elif not since or _is_recent(entry, least):
                files.append(join(directory, entry.name))
    if dot_git and directory and is_foreign(tree, directory):
        return [], []
    return files, directories


def stamp(at: os.stat_result) -> float:
    """Tell when a file or directory was last changed in any way: the time of its last change of status can't be set."""
    return max(at.st_mtime, at.st_ctime)


def _is_recent(entry: os.DirEntry[str], least: float) -> bool:
    try:
        return stamp(entry.stat(follow_symlinks=False)) >= least
    except OSError:  # it went after its directory was watched, so that is told
        return False


def is_foreign(tree: Tree, directory: str) -> bool:
    """Tell whether this relative directory turned out to be another worktree's root."""
    return not tree.is_git and is_linked_worktree(Path(tree.root, directory))


Enter = Callable[[str, int], int | None]
"""Relative directory and its parent's token -> its own token; None leaves it out."""


def walk(
    tree: Tree,
    starts: Iterable[tuple[int, str]],
    enter: Enter,
    found: Callable[[str], None] | None,
    since: Moment | None = None,
) -> Iterator[None]:
    """Enter directories breadth-first from `starts` (parent's token, relative directory), and tell what is in them.

    With `since` only what is newer is told (see `listing`).
    A directory is entered before it is listed, so what appears in between is seen twice rather than not at all.
    Yields now and then, so that a large tree keeps nobody waiting. Only the root raises OSError.
    """
    level = list(starts)
    while level:
        wanted = sift(tree, [directory for _, directory in level if directory])
        below: list[tuple[int, str]] = []
        for number, (parent, directory) in enumerate(level, 1):
            if directory and directory not in wanted:
                continue
            token = enter(directory, parent)
            if token is None:
                continue
            try:
                files, directories = listing(tree, directory, since)
            except OSError:
                if not directory:
                    raise
                continue
            if found:
                for path in files + directories if tree.is_git else files:
                    found(path)
            below += [(token, path) for path in directories]
            if number % STEP == 0:
                yield
        level = below
        yield
