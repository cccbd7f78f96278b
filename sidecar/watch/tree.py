"""The directories of one target: which are entered, and walking them."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

from sidecar.watch import gitdir
from sidecar.watch.events import GitTarget, Target, WorktreeTarget

STEP = 32
"""Directories handled between two yields: about a millisecond."""


class Phase(Enum):
    """How far the watching of a tree is."""

    MISSING = auto()
    SETTING_UP = auto()
    STANDING = auto()
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
    directories: dict[int, str] = field(default_factory=dict)
    """Watch descriptor -> relative directory, for inotify."""
    active: float = 0.0
    """When something last happened here (`time.monotonic`)."""
    delay: float = 0.0
    """Seconds to wait before a missing root is looked for again."""

    @property
    def key(self) -> str:
        """The target's."""
        return self.target.key

    @property
    def is_git(self) -> bool:
        """Whether it is a git directory."""
        return isinstance(self.target, GitTarget)


def join(directory: str, name: str) -> str:
    """`directory/name`, both relative; the root is the empty string."""
    return f"{directory}/{name}" if directory else name


def within(path: str, directory: str) -> bool:
    """Whether `path` is `directory` or lies under it."""
    return not directory or path == directory or path.startswith(f"{directory}/")


def identify(tree: Tree) -> bool:
    """Note which directory the root is now, and what it is told together with; False when it isn't there."""
    tree.identity = identity(tree)
    tree.active = time.monotonic()
    regroup(tree)
    return tree.identity is not None


def regroup(tree: Tree) -> None:
    """Note what the tree is told together with."""
    found = None if tree.is_git else gitdir.git_directory(Path(tree.root))
    tree.group = os.path.realpath(found or tree.root)


def identity(tree: Tree) -> tuple[int, int] | None:
    """Device and inode of the root; None when there is no such directory."""
    try:
        found = Path(tree.root).stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None


def marker(tree: Tree) -> str:
    """The file without which the root is on its way out."""
    return "HEAD" if tree.is_git else ".git"


def sift(tree: Tree, directories: Iterable[str]) -> set[str]:
    """Those of these relative directories that are entered; asks `ignored` once, about those that it has to."""
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
    return {directory for directory in directories if gitdir.enters(directory)}


def listing(tree: Tree, directory: str) -> tuple[list[str], list[str]]:
    """Relative paths of the files (anything that is no directory) and of the directories in it.

    Links are not followed; both are empty for another worktree's root. Raises OSError.
    """
    files: list[str] = []
    directories: list[str] = []
    dot_git = False
    with os.scandir(f"{tree.root}/{directory}") as entries:
        for entry in entries:
            (directories if entry.is_dir(follow_symlinks=False) else files).append(join(directory, entry.name))
            dot_git = dot_git or entry.name == ".git"
    if dot_git and directory and is_foreign(tree, directory):
        return [], []
    return files, directories


def is_foreign(tree: Tree, directory: str) -> bool:
    """Whether this relative directory turned out to be another worktree's root."""
    return not tree.is_git and gitdir.is_linked_worktree(Path(tree.root, directory))


Enter = Callable[[str, int], int | None]
"""Relative directory and its parent's token -> its own token; None leaves it out."""


def walk(
    tree: Tree, starts: Iterable[tuple[int, str]], enter: Enter, found: Callable[[str], None] | None
) -> Iterator[None]:
    """Enter directories breadth-first from `starts` (parent's token, relative directory), and tell what is in them.

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
                files, directories = listing(tree, directory)
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
