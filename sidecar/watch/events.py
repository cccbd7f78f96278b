"""Define what is watched, what of a git directory matters, and what a watcher tells."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sidecar.system.worktree_links import git_directory

COARSE = 3.0
"""Seconds by which a file's time stamp may be too early: file systems round them, and have a clock of their own."""


@dataclass(frozen=True)
class Moment:
    """A point in time by two clocks: `wall` is what files are stamped with, but it can be set; seconds."""

    wall: float
    monotonic: float


def now() -> Moment:
    """Give this moment."""
    return Moment(time.time(), time.monotonic())


def stamp_of(moment: Moment) -> float:
    """Give the least time stamp (seconds) of a file that was changed since, whatever has been done to the clock."""
    elapsed = time.monotonic() - moment.monotonic
    return min(moment.wall, time.time() - elapsed) - COARSE


@dataclass(frozen=True)
class WorktreeTarget:
    """The files of one worktree.

    `ignored` is given directories relative to `path` ("a/b") and returns those that git ignores. It is called on the
    watcher's thread, once for each level of new directories, and may start git. Its answers are remembered until
    `Watcher.rewalk`. A directory that holds tracked files must not be among them.
    `nested` are relative directories that are other worktrees or git directories. They are never entered, nor is
    ".git", nor a directory whose ".git" file makes it a linked worktree.
    `since` is when the caller began to read all of it; None when it has not.
    `hot` are relative directories, the important ones first and each after the one that it is in, that are watched even
    when there are not enough watches for the whole worktree.
    `half` is for one that is not whole: its root is looked at now and then, since no event tells of a mount over it.
    """

    key: str
    path: Path
    ignored: Callable[[Sequence[str]], frozenset[str]]
    nested: frozenset[str]
    since: Moment | None = None
    hot: Sequence[str] = ()
    half: bool = False


@dataclass(frozen=True)
class GitTarget:
    """One git directory: the common directory, or <common>/worktrees/NAME.

    What `matters` in it is told; objects, logs and lock files never do.
    """

    key: str
    path: Path


@dataclass(frozen=True)
class FilesTarget:
    """Single files wherever they are (absolute paths), there or not; links are followed.

    A change of any of them is told as the key in `Batch.git`, some seconds late at the most.
    """

    key: str
    paths: frozenset[str]


Target = WorktreeTarget | GitTarget


@dataclass(frozen=True)
class Batch:
    """What happened since the last batch. Nothing is told twice in one batch, and nothing is left out.

    files: key of a worktree -> relative paths ("a/b", as `os.fsdecode` gives them) that were written, created, removed,
      renamed or made executable. A path may be a directory (renamed away, or polled): then anything under it may have
      changed. Files that git ignores are told too when their directory is not ignored.
    rescan: keys of worktrees whose every file must be looked at again; such a key is not in `files`.
    git: keys of git directories in which something that matters changed, and of `FilesTarget`s.
    """

    files: Mapping[str, frozenset[str]]
    rescan: frozenset[str]
    git: frozenset[str]


@dataclass(frozen=True)
class Report:
    """How the watching is done now.

    backend: "inotify", "watchfiles" or "polling".
    watches: inotify watches in use; with watchfiles the number of directories watched as a whole; else 0.
    polled: keys that are looked at again and again instead of being watched.
    problems: key -> one sentence for a person.
    """

    backend: str
    watches: int
    polled: frozenset[str]
    problems: Mapping[str, str]


LOCK = "index.lock"
"""Held by git while it rewrites the files of a worktree and its index."""

_TOP = frozenset({
    "HEAD", "index", "packed-refs", "config", "config.worktree", "shallow", "commondir", "gitdir", "locked",
    "ORIG_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD", "rebase-merge", "rebase-apply",
    "sequencer", "refs", "reftable", "worktrees", "info",
})  # fmt: skip
_INFO = frozenset({"exclude", "attributes", "sparse-checkout", "grafts"})


def matters(path: str) -> bool:
    """Tell whether a change of this path, relative to a git directory, can change what a worktree is."""
    if path.endswith(".lock"):
        return False
    head, _, rest = path.partition("/")
    if not rest:
        return head in _TOP or head.startswith("BISECT_")
    if head == "refs":  # our own refs are written by us
        return rest != "sidecar" and not rest.startswith("sidecar/")
    if head == "worktrees":
        return "/" not in rest
    return (head == "info" and rest in _INFO) or (head == "reftable" and rest == "tables.list")


def enters(directory: str) -> bool:
    """Tell whether anything inside this directory, relative to a git directory, can matter."""
    return directory in ("info", "reftable", "worktrees") or (
        directory.partition("/")[0] == "refs" and matters(directory)
    )


def is_linked_worktree(directory: Path) -> bool:
    """Tell whether this directory is another worktree's root, which git never counts as part of the one around it."""
    found = git_directory(directory)
    return found is not None and found.parent.name == "worktrees"
