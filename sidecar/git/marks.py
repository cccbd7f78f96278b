"""Tell by files whether git would list a repository's worktrees, refs and configuration as it did before.

To ask git takes a process for each question; to look at the files that it would read takes a thousandth of a second.
Which of them decides is git's to know, so every file of a git directory counts, but for objects and other contents
that no listing reads (gitrepository-layout(5)). In any doubt there are no marks, and git is asked.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from sidecar.git.process import file_on_path
from sidecar.git.repository import Repository
from sidecar.model.picture import Worktree
from sidecar.system.files import Signature, signature

MOST_FILES = 2_000
"""Files of git directories above which it is quicker to ask git."""
RACY_NS = 20_000_000
"""A file that changed this recently may change again without its times moving (git's "racy" entries)."""

UNREAD = frozenset({"objects", "hooks", "modules", "lfs", "annex", "sidecar", "refs/sidecar", "logs/refs/sidecar"})
"""Directories of a git directory of which no listing reads anything; in those called so are our own states."""
ADMINISTRATIVE = "worktrees"
"""Where a repository has the git directories of its linked worktrees."""
ONLY_THERE = frozenset({"index"})
"""Files of which only their being there is asked; every command may write them."""

Marks: TypeAlias = frozenset[tuple[str, Signature | None]]


@dataclass(frozen=True, slots=True)
class Marked:
    """What a listing depends on: git directories, the (path, git directory) of each worktree, and files elsewhere."""

    common_dir: str
    worktrees: tuple[tuple[str, str], ...]
    files: frozenset[str]


class ListingMarks:
    """Keeps the marks of what was listed last; for one thread, `are_as_kept` aside."""

    def __init__(self) -> None:
        self._kept: tuple[Marked | None, Marks | None] = (None, None)

    def read(self) -> Marks | None:
        """Read the marks of what was listed last, as they are now."""
        marked = self._kept[0]
        return None if marked is None else read_marks(marked)

    def keep(self, marked: Marked | None, marks: Marks | None) -> None:
        """Keep the marks that were read before a listing; none of them where that depends on other files."""
        self._kept = (marked, marks if marked == self._kept[0] else None)

    def are_as_kept(self) -> bool:
        """Tell whether git would list worktrees, refs and configuration as last; False in any doubt. Any thread."""
        marked, marks = self._kept
        return marked is not None and marks is not None and read_marks(marked) == marks


def marked_by(repository: Repository, worktrees: Iterable[Worktree], files: frozenset[str]) -> Marked | None:
    """Give what a listing of these worktrees depends on; None where it depends on more than their links."""
    known = tuple(worktrees)
    if any(worktree.problem is not None for worktree in known):
        return None
    return Marked(repository.common_dir, tuple((worktree.key, worktree.git_dir) for worktree in known), files)


def read_marks(marked: Marked) -> Marks | None:
    """Read the marks as they are now; None where something has just changed, can't be read, or there is too much."""
    now = time.time_ns()
    found: dict[str, Signature | None] = {}
    try:
        for path, status in _files(marked):
            found[path] = status
            if len(found) > MOST_FILES or (status is not None and status[1] > now - RACY_NS):
                return None
    except OSError:
        return None
    return frozenset(found.items())


def _files(marked: Marked) -> Iterator[tuple[str, Signature | None]]:
    """Give each file and its signature, None where it is not there. Raises OSError for what can't be read."""
    for path in marked.files:
        yield path, _signature(path)
    git = file_on_path()
    if git is not None:
        yield git
    for key, _ in marked.worktrees:
        yield key, _place(key)
        if (link := f"{key}/.git") != marked.common_dir:
            yield link, _signature(link)
    directories = dict.fromkeys(git_dir for _, git_dir in marked.worktrees if git_dir != marked.common_dir)
    administrative = f"{marked.common_dir}/{ADMINISTRATIVE}"
    for directory in (marked.common_dir, *(one for one in directories if os.path.dirname(one) != administrative)):
        yield from _in_git_directory(directory)


def _in_git_directory(directory: str) -> Iterator[tuple[str, Signature | None]]:
    """Give every file that a listing may read in a git directory, and in those of its worktrees."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if not entry.is_dir():
                yield entry.path, None if entry.name in ONLY_THERE else _signature(entry.path)
            elif entry.name == ADMINISTRATIVE:
                for name in os.listdir(entry.path):
                    yield f"{entry.path}/{name}", None
                    yield from _in_git_directory(f"{entry.path}/{name}")
            elif entry.name not in UNREAD:
                yield from _below(directory, entry.name)


def _below(directory: str, name: str) -> Iterator[tuple[str, Signature | None]]:
    """Give every file below that name in a git directory, however deep."""
    unread = {f"{directory}/{one}" for one in UNREAD}
    waiting = [f"{directory}/{name}"]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if not entry.is_dir():
                    yield entry.path, _signature(entry.path)
                elif entry.path not in unread:
                    waiting.append(entry.path)


def _signature(path: str) -> Signature | None:
    try:
        return signature(os.stat(path))
    except (FileNotFoundError, NotADirectoryError):
        return None


def _place(folder: str) -> Signature | None:
    """Give what tells a folder from another at its path, whatever comes and goes in it."""
    try:
        status = os.stat(folder)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return 0, 0, status.st_uid, status.st_ino, status.st_dev
