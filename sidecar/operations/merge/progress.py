"""What git has not finished in a worktree, as a merge asks for it."""

from __future__ import annotations

from collections.abc import Iterable

from sidecar.git.unfinished import branches_held, unfinished_operations
from sidecar.model.messages import some
from sidecar.model.picture import Worktree


def unfinished(worktree: Worktree) -> str | None:
    """The beginning of a sentence about what is unfinished in a worktree: `A rebase`; None when nothing is."""
    words = unfinished_operations(worktree.git_dir)
    return some(words[0]).capitalize() if words else None


def holders_of(branch: str, worktrees: Iterable[Worktree]) -> tuple[Worktree, ...]:
    """The worktrees in which a rebase or bisect of this branch is unfinished: each will set the branch when it ends."""
    return tuple(worktree for worktree in worktrees if branch in branches_held(worktree.git_dir))
