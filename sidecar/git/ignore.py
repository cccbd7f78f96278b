"""Ask git what it ignores, once or by a process that stays."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing

from sidecar.git.process import Conversation, GitError, Place, run
from sidecar.git.repository import Repository
from sidecar.model.picture import Worktree

MOST_ASKED = 16 * 1024
"""Bytes of paths that are asked about at once, so that they fit into a pipe."""


def ignored_directories(repository: Repository, worktree: Worktree, directories: Sequence[str]) -> frozenset[str]:
    """Give those of these directories (relative) that git ignores and in which it tracks nothing.

    By git-check-ignore(1). Where git can't answer, none is ignored: watching too much loses nothing.
    """
    try:
        with closing(Ignoring(repository.inside(worktree))) as ignoring:
            ignored = [path.rstrip("/") for path in ignoring.of([directory + "/" for directory in directories])]
        if not ignored:
            return frozenset()
        held = _tracked(repository, worktree, ignored)
    except GitError:
        return frozenset()
    return frozenset(directory for directory in ignored if not any(path.startswith(directory + "/") for path in held))


def is_ignored(repository: Repository, worktree: Worktree, path: str) -> bool:
    """Tell whether git would leave this file out of `git add`; a tracked file never is."""
    try:
        with closing(Ignoring(repository.inside(worktree))) as ignoring:
            return bool(ignoring.of([path])) and not _tracked(repository, worktree, [path])
    except GitError:
        return False


def untracked_ignored(place: Place, paths: Sequence[str]) -> list[str]:
    """Give those of the paths that git ignores and does not track; a directory's end with a slash. GitError."""
    if not paths:
        return []
    asked = b"".join(b"./" + os.fsencode(path) + b"\0" for path in paths)  # a leading colon stays a name
    said = run(place, "check-ignore", "-z", "--stdin", stdin=asked, accept=(0, 1))
    return [os.fsdecode(path[2:]) for path in said.split(b"\0") if path]


def list_untracked(place: Place, *which: str) -> list[str]:
    """List what is not tracked, or only that which more options say; a directory stands for all in it. GitError.

    By git-ls-files(1): `--exclude-standard` leaves out what git ignores, together with `--ignored` all else.
    """
    said = run(place, "ls-files", "--others", "--directory", "-z", *which)
    return [os.fsdecode(path).rstrip("/") for path in said.split(b"\0") if path]


def list_ignored(place: Place) -> list[str]:
    """List what git ignores and does not track; a directory stands for all in it. GitError."""
    return list_untracked(place, "--exclude-standard", "--ignored")


class Ignoring:
    """A `git check-ignore` that stays, for the ignore rules of one checked-out repository, whatever it tracks."""

    def __init__(self, place: Place) -> None:
        self._git = Conversation(place, "check-ignore", "--no-index", "-z", "-v", "-n", "--stdin")

    def of(self, paths: Sequence[str]) -> frozenset[str]:
        """Give those of the paths that a rule ignores, a directory's given with a slash at its end; GitError.

        `./` keeps a leading colon a name. Each answer is the source, line and pattern of a rule, which may say that the
        path is not ignored, and the path.
        """
        found: set[str] = set()
        waiting = list(paths)
        while waiting:
            asked = b""
            while waiting and len(asked) < MOST_ASKED:
                found.add(waiting[-1])
                asked += b"./" + os.fsencode(waiting.pop()) + b"\0"
            self._git.send(asked)
            for _ in range(asked.count(0)):
                _, _, pattern, path = (self._git.read_until(b"\0") for _ in range(4))
                if not pattern or pattern.startswith(b"!"):
                    found.discard(os.fsdecode(path[2:]))
        return frozenset(found)

    def close(self) -> None:
        """End the process."""
        self._git.close()


def _tracked(repository: Repository, worktree: Worktree, paths: Sequence[str]) -> list[str]:
    """Give what the index has at or below these paths; a sparse index is left as it is, else git would write trees."""
    place = repository.inside(worktree)
    said = run(place, "--literal-pathspecs", "ls-files", "--sparse", "-z", "--", *paths)
    return [os.fsdecode(path) for path in said.split(b"\0") if path]
