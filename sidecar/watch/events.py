"""What is watched and what a watcher tells: values only."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

COARSE = 3.0
"""Seconds by which a file's time stamp may be too early: file systems round them, and have a clock of their own."""


@dataclass(frozen=True)
class Moment:
    """A point in time by two clocks: `wall` is what files are stamped with, but it can be set; seconds."""

    wall: float
    monotonic: float


def now() -> Moment:
    """This moment."""
    return Moment(time.time(), time.monotonic())


def stamp_of(moment: Moment) -> float:
    """The least time stamp (seconds) of a file that was changed since, whatever has been done to the clock."""
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
    """

    key: str
    path: Path
    ignored: Callable[[Sequence[str]], frozenset[str]]
    nested: frozenset[str]
    since: Moment | None = None
    hot: Sequence[str] = ()


@dataclass(frozen=True)
class GitTarget:
    """One git directory: the common directory, or <common>/worktrees/NAME.

    What matters in it is in `sidecar.watch.gitdir`; objects, logs and lock files never do.
    """

    key: str
    path: Path


Target = WorktreeTarget | GitTarget


@dataclass(frozen=True)
class Batch:
    """What happened since the last batch. Nothing is told twice in one batch, and nothing is left out.

    files: key of a worktree -> relative paths ("a/b", as `os.fsdecode` gives them) that were written, created, removed,
      renamed or made executable. A path may be a directory (renamed away, or polled): then anything under it may have
      changed. Files that git ignores are told too when their directory is not ignored.
    rescan: keys of worktrees whose every file must be looked at again; such a key is not in `files`.
    git: keys of git directories in which something that matters changed.
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


class Watcher(Protocol):
    """Tells `on_batch` what changes in the targets it follows; always on its own thread, never twice at a time."""

    def follow(self, targets: Sequence[Target]) -> None:
        """Watch exactly these from now on, the earlier ones first where watches are scarce.

        Returns at once; any thread may call it. So that nothing between the caller's own reading and the watch is
        missed, a key that is new comes in a batch when its watches stand: in `git`, in `rescan`, or, where `since` says
        when it was read, with what has changed after that. A key whose path and kind are the same goes on undisturbed;
        its `ignored`, `nested` and `hot` are replaced. Roots are checked again.
        """

    def rewalk(self, key: str) -> None:
        """Ask `ignored` anew: the rules changed. Ends in a batch with `key` in `rescan`. Any thread."""

    def report(self) -> Report:
        """How the watching is done now. Any thread."""

    def close(self) -> None:
        """Stop, and give back the thread and every descriptor. Idempotent; from `on_batch` it doesn't wait."""
