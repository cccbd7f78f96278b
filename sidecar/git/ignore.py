"""What git ignores."""

from __future__ import annotations

import os
from collections.abc import Sequence

from sidecar.git.process import GitError, run
from sidecar.git.repository import Repository
from sidecar.model.picture import Worktree


def ignored_directories(repository: Repository, worktree: Worktree, directories: Sequence[str]) -> frozenset[str]:
    """Of these directories, relative to the worktree, those that git ignores and that hold no tracked file.

    Source: git-check-ignore(1). When git can't answer, none is ignored: watching too much loses nothing.
    """
    try:
        ignored = _check(repository, worktree, [directory + "/" for directory in directories])
        if not ignored:
            return frozenset()
        held = _tracked(repository, worktree, ignored)
    except GitError:
        return frozenset()
    return frozenset(directory for directory in ignored if not any(path.startswith(directory + "/") for path in held))


def is_ignored(repository: Repository, worktree: Worktree, path: str) -> bool:
    """Whether git would leave this file out of `git add`; a tracked file never is."""
    try:
        return bool(_check(repository, worktree, [path])) and not _tracked(repository, worktree, [path])
    except GitError:
        return False


def _tracked(repository: Repository, worktree: Worktree, paths: Sequence[str]) -> list[str]:
    """What the index has at or below these paths; a sparse index is left as it is, else git would write trees."""
    place = repository.inside(worktree)
    said = run(place, "--literal-pathspecs", "ls-files", "--sparse", "-z", "--", *paths)
    return [os.fsdecode(path) for path in said.split(b"\0") if path]


def _check(repository: Repository, worktree: Worktree, paths: Sequence[str]) -> list[str]:
    """Those of the paths that a rule ignores, tracked ones too; `./` keeps a leading colon a name."""
    listing = b"".join(b"./" + os.fsencode(path) + b"\0" for path in paths)
    said = run(repository.inside(worktree), "check-ignore", "--no-index", "-z", "--stdin", stdin=listing, accept=(0, 1))
    return [os.fsdecode(path[2:]).rstrip("/") for path in said.split(b"\0") if path]
