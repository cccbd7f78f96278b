"""Builds the real repositories that tests and `npm start` run on."""

from tests.harness.repository import (
    Content,
    Executable,
    GitFailedError,
    Symlink,
    add_worktree,
    begin_shop,
    commit,
    commit_index,
    environment,
    git,
    git_bytes,
    identity,
    init,
    locate,
    tick,
    write,
)
from tests.harness.state import State, state_of, worktree_paths

__all__ = [
    "Content",
    "Executable",
    "GitFailedError",
    "State",
    "Symlink",
    "add_worktree",
    "begin_shop",
    "commit",
    "commit_index",
    "environment",
    "git",
    "git_bytes",
    "identity",
    "init",
    "locate",
    "state_of",
    "tick",
    "worktree_paths",
    "write",
]
