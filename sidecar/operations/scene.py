"""Who takes part in an operation on one worktree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sidecar.git.repository import Repository, list_worktrees
from sidecar.git.trunk import find_trunk
from sidecar.model.findings import Failure
from sidecar.model.messages import shown
from sidecar.model.picture import Trunk, Worktree, WorktreeState
from sidecar.session.look import find_worktree


@dataclass(frozen=True, slots=True)
class Scene:
    """The worktree that is meant, trunk, the worktrees that have trunk checked out, and all of them."""

    worktree: Worktree
    trunk: Trunk
    checkouts: tuple[Worktree, ...]
    worktrees: tuple[Worktree, ...]


def set_scene(repository: Repository, folder: Path, name: str, trunk_setting: str) -> Scene | Failure:
    """Find the worktree of a name, branch or path, and trunk; GitError when the repository can't be read."""
    worktrees = list_worktrees(repository)
    trunk = find_trunk(repository, worktrees, trunk_setting)
    if isinstance(trunk, Failure):
        return trunk
    found = find_worktree([WorktreeState(worktree) for worktree in worktrees], name, folder)
    if isinstance(found, Failure):
        return found
    if found is None:
        names = ", ".join(shown(worktree.name) for worktree in worktrees)
        return Failure("unknown-name", f"There is no worktree called {shown(name)}. The worktrees are: {names}.")
    checkouts = tuple(one for one in worktrees if one.branch == trunk.branch and not one.bare)
    return Scene(found.worktree, trunk, checkouts, worktrees)
