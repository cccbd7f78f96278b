"""Which directories git ignores, so that nobody has to watch them."""

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
    place = repository.inside(worktree)
    listing = b"".join(os.fsencode(directory) + b"/\0" for directory in directories)
    try:
        said = run(place, "check-ignore", "-z", "--stdin", stdin=listing, accept=(0, 1))
        ignored = [os.fsdecode(path).rstrip("/") for path in said.split(b"\0") if path]
        if not ignored:
            return frozenset()
        tracked = run(place, "--literal-pathspecs", "ls-files", "-z", "--", *ignored)
    except GitError:
        return frozenset()
    held = [os.fsdecode(path) for path in tracked.split(b"\0") if path]
    return frozenset(directory for directory in ignored if not any(path.startswith(directory + "/") for path in held))
