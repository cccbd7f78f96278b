"""Find where a path lies by the files around it, without git, because every edit of every agent waits for it.

It must not say more than that: what is in the repository, git says.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from sidecar.system.files import upwards
from sidecar.system.worktree_links import common_directory, git_directory_at


class Place(NamedTuple):
    """A worktree as the files around a path say: its top, and the git directory that all its worktrees share."""

    top: str
    common_dir: str

    @property
    def is_alone(self) -> bool:
        """Tell whether the repository has no linked worktrees."""
        try:
            return not os.listdir(os.path.join(self.common_dir, "worktrees"))
        except OSError:
            return True

    @property
    def known_only_here(self) -> str | None:
        """Give the top of a main worktree whose git directory is elsewhere (git-init(1), --separate-git-dir), or None.

        Nothing in the git directory leads back to it, so that who starts elsewhere may not find it.
        """
        if os.path.dirname(self.common_dir) == self.top or git_directory_at(self.top) != self.common_dir:
            return None
        return self.top


def find_place(path: str) -> Place | None:
    """Find the innermost worktree that an absolute real path lies in; None where it is in none. Git is not asked."""
    for folder in upwards(path):
        if os.path.lexists(os.path.join(folder, ".git")) and (git_dir := git_directory_at(folder)) is not None:
            try:
                return Place(folder, common_directory(git_dir))
            except OSError:  # the main worktree's
                return Place(folder, git_dir)
    return None
