"""What one inventory knows while it looks, and what it has found so far."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from sidecar.git.inventory.listing import Item, Tally, list_directory
from sidecar.git.inventory.watching import Watching
from sidecar.model.inventory import Files, Nested, Output

LONGEST_PATH = 4095
"""Bytes of the longest path that Linux opens (limits.h: PATH_MAX, less its NUL)."""


@dataclass(slots=True)
class Found:
    """The groups of `model.inventory.Files`, as they fill."""

    staged: list[str] = field(default_factory=list)
    conflicted: list[str] = field(default_factory=list)
    unstaged: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    untracked: list[str] = field(default_factory=list)
    unique: list[str] = field(default_factory=list)
    equal: list[str] = field(default_factory=list)
    output: list[Output] = field(default_factory=list)
    submodule_changes: list[str] = field(default_factory=list)
    empty_directories: list[str] = field(default_factory=list)
    special: list[str] = field(default_factory=list)
    nested: list[Nested] = field(default_factory=list)
    mounts: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    overlong: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    xattrs: list[str] = field(default_factory=list)
    submodule_commits: list[tuple[str, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Scope:
    """One inventory: where it looks, what it may not enter, what it compares with, and where the results go.

    `root` and `main` (the main worktree's files, None where it has none) are absolute. `barred` are the mount points
    and other worktrees inside, absolute. `modules` are the directories that submodules' git directories may lie in.
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
    found: Found = field(default_factory=Found)
    tally: Tally = field(default_factory=Tally)
    main_directories: dict[str, bool] = field(default_factory=dict)

    def full(self, path: str) -> str:
        """The absolute path of one that is relative to the worktree."""
        return os.path.join(self.root, path) if path else self.root


def look(scope: Scope, directory: Item) -> list[Item] | None:
    """What is in a directory; None, and a note, when it can't be looked at or is not to be entered."""
    full = scope.full(directory.path)
    if directory.path and (full in scope.barred or directory.status.st_dev != scope.device):
        if directory.status.st_dev != scope.device:
            scope.found.mounts.append(directory.path)
        return None
    try:
        items = list_directory(scope.root, directory)
    except OSError as error:
        group = scope.found.overlong if error.errno == errno.ENAMETOOLONG else scope.found.unreadable
        group.append(directory.path or ".")
        return None
    room = LONGEST_PATH - len(os.fsencode(full))
    for item in items:
        scope.watching.count()
        if room < LONGEST_PATH // 2 and len(os.fsencode(item.name)) >= room and not item.is_directory:
            scope.found.overlong.append(item.path)
    return items


def note_unreadable(scope: Scope, path: str, error: OSError) -> None:
    """A file could not be read."""
    if error.errno == errno.ENAMETOOLONG:
        if path not in scope.found.overlong:
            scope.found.overlong.append(path)
    else:
        scope.found.unreadable.append(path)


def note_attributes(scope: Scope, item: Item) -> None:
    """Remember an entry that has extended attributes of a user (xattr(7)); others come from the system itself."""
    if not hasattr(os, "listxattr"):
        return
    try:
        names = os.listxattr(scope.full(item.path), follow_symlinks=False)
    except OSError:
        return
    if any(name.startswith("user.") for name in names):
        scope.found.xattrs.append(item.path)


def measure(scope: Scope, directory: Item, *, kept: bool) -> int:
    """Count everything below a directory without asking what it is; gives the bytes."""
    total = 0
    waiting = [directory]
    while waiting:
        for item in look(scope, waiting.pop()) or ():
            total += scope.tally.add(item, kept=kept, named=False)
            if item.is_directory:
                waiting.append(item)
    return total


def files_of(scope: Scope) -> Files:
    """The groups, each sorted and without repetition."""
    found = scope.found
    return Files(
        **{
            name: tuple(sorted(set(getattr(found, name))))
            for name in (
                *("staged", "conflicted", "unstaged", "hidden", "untracked", "unique", "equal", "submodule_changes"),
                *("empty_directories", "special", "mounts", "unreadable", "overlong", "unexplained", "xattrs"),
            )
        },
        output=tuple(sorted(found.output, key=lambda output: output.path)),
        nested=tuple(sorted(found.nested, key=lambda nested: nested.path)),
        hard_links=tuple(scope.tally.linked_outside()),
    )
