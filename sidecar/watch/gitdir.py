"""What matters in a git directory (gitrepository-layout, git-worktree: "Details")."""

from __future__ import annotations

import os
import stat
from pathlib import Path

LOCK = "index.lock"
"""Held by git while it rewrites the files of a worktree and its index."""

_TOP = frozenset({
    "HEAD", "index", "packed-refs", "config", "config.worktree", "shallow", "commondir", "gitdir", "locked",
    "ORIG_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD", "rebase-merge", "rebase-apply",
    "sequencer", "refs", "reftable", "worktrees", "info",
})  # fmt: skip
_INFO = frozenset({"exclude", "attributes", "sparse-checkout", "grafts"})
_MAX_DOT_GIT = 8192


def matters(path: str) -> bool:
    """Whether a change of this path, relative to a git directory, can change what a worktree is."""
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
    """Whether anything inside this directory, relative to a git directory, can matter."""
    return directory in ("info", "reftable", "worktrees") or (
        directory.partition("/")[0] == "refs" and matters(directory)
    )


def git_directory(worktree: Path) -> Path | None:
    """Real path of the git directory that `<worktree>/.git` is or names; None when there is none."""
    dot_git = worktree / ".git"
    try:
        mode = dot_git.stat().st_mode
        if stat.S_ISDIR(mode):
            return dot_git.resolve()
        if not stat.S_ISREG(mode):
            return None
        with dot_git.open("rb") as file:
            content = file.read(_MAX_DOT_GIT)
        if not content.startswith(b"gitdir:"):
            return None
        return (worktree / os.fsdecode(content[len(b"gitdir:") :].strip())).resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL in the name
        return None


def is_linked_worktree(directory: Path) -> bool:
    """Whether this directory is another worktree's root, which git never counts as part of the one around it."""
    found = git_directory(directory)
    return found is not None and found.parent.name == "worktrees"
