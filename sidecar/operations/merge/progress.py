"""Unfinished operations of git in a worktree, by what it leaves in the git directory (git-status(1))."""

from __future__ import annotations

import os
from collections.abc import Iterable

from sidecar.git.files import read_small
from sidecar.model.picture import Worktree

UNFINISHED = {
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "BISECT_LOG": "bisect",
}
SEQUENCE = "sequencer"
"""A cherry-pick or revert of several commits, between two of them."""

COMES_BACK_TO = ("rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START")
"""What names the branch that an unfinished operation will set again."""


def unfinished(worktree: Worktree) -> str | None:
    """Git's word for what is unfinished in a worktree; None when nothing is."""
    for name, word in UNFINISHED.items():
        if os.path.lexists(os.path.join(worktree.git_dir, name)):
            applying = name == "rebase-apply" and os.path.lexists(os.path.join(worktree.git_dir, name, "applying"))
            return "am" if applying else word
    return "cherry-pick or revert" if os.path.lexists(os.path.join(worktree.git_dir, SEQUENCE)) else None


def holders_of(branch: str, worktrees: Iterable[Worktree]) -> tuple[Worktree, ...]:
    """The worktrees in which a rebase or bisect of this branch is unfinished: each will set the branch when it ends."""
    return tuple(worktree for worktree in worktrees if worktree.git_dir and branch in _names(worktree))


def _names(worktree: Worktree) -> set[str]:
    found = set()
    for name in COMES_BACK_TO:
        try:
            said = read_small(os.path.join(worktree.git_dir, name))
        except OSError:
            continue
        found.add(os.fsdecode(said).strip().removeprefix("refs/heads/"))
    return found
