"""What a running server says of its watching, for others to read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WatchNote:
    """How a process watches a repository.

    repository: the common directory. backend: as in `sidecar.watch.Report`. watches: inotify watches, or directories
    that are watched as a whole. worktrees: how many are followed. polled: how many of them are not watched as a whole.
    """

    repository: str
    pid: int
    backend: str
    watches: int
    worktrees: int
    polled: int


def watch_sentence(note: WatchNote) -> str:
    """One line for a person."""
    worktrees = f"{note.worktrees:,} worktree{'' if note.worktrees == 1 else 's'}"
    if note.backend == "polling":
        return f"Watching: {worktrees}, by looking again and again (process {note.pid})."
    directories = f"{note.watches:,} director{'y' if note.watches == 1 else 'ies'}"
    told = f"Watching: {directories} of {worktrees} (process {note.pid})."
    if not note.polled:
        return told
    return f"{told} For {note.polled:,} of these there are not enough watches; changes far from all others show late."
