"""Decide who gets watches when there are not enough for every directory, and queue the walks that place them.

First come the git directories; then, in every worktree, the directories in which worktrees can meet; then whole
worktrees, those that change before those that have long been quiet. That rationing pays is measured in
docs/decisions/0010-ahead-watches-libgit2.md.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable

from sidecar.watch.backend import Work
from sidecar.watch.events import WorktreeTarget
from sidecar.watch.poll import Poller
from sidecar.watch.tree import Phase, Tree

LATE = "so its changes are noticed some seconds late."
TOO_FEW = f"The limit of file watches (fs.inotify.max_user_watches) leaves none for this directory, {LATE}"
REMOTE = f"This directory is on a file system that other machines can write to, {LATE}"

LIVELY = 120.0
"""Seconds for which somebody who was seen at work may be expected to be at work still."""


def at_work(trees: Iterable[Tree]) -> frozenset[str]:
    """Give the groups in which watches have lately told of somebody: in a worktree, or in its git directory."""
    recently = time.monotonic() - LIVELY
    return frozenset(tree.group for tree in trees if tree.stirred >= recently)


def hot_directories(tree: Tree, polled: int, limit: int) -> list[str]:
    """Give what is hot in a polled tree and not watched yet; no tree gets more than its share of half the watches."""
    if not isinstance(tree.target, WorktreeTarget):
        return []
    watched = set(tree.directories.values())
    share = max(1, limit // 2 // max(1, polled))
    return [directory for directory in tree.target.hot[:share] if directory not in watched]


def needed(tree: Tree, trees: Iterable[Tree], poller: Poller) -> int:
    """Count how many more watches a whole tree takes: what is known of it, else what others of its kind take."""
    size = poller.size(tree)
    if size is None and not tree.is_git:
        others = (other for other in trees if not other.is_git and other is not tree)
        size = max(
            (len(other.directories) if other.phase is Phase.WATCHED else other.reached for other in others), default=1
        )
    return (size or 1) - len(tree.directories)


def reserved(tree: Tree, trees: Iterable[Tree]) -> int:
    """Count how many watches other trees, which are not watched as a whole, still want for what is hot in them."""
    return sum(
        max(0, len(other.target.hot) - len(other.directories))
        for other in trees
        if isinstance(other.target, WorktreeTarget) and other.phase is not Phase.WATCHED and other is not tree
    )


def quiet_trees(trees: Iterable[Tree], wanted: int, before: float) -> list[Tree]:
    """Give whole worktrees that have been quiet since `before`, the quietest first, whose watches together suffice."""
    found: list[Tree] = []
    whole = [tree for tree in trees if tree.phase is Phase.WATCHED and not tree.is_git and tree.active < before]
    for tree in sorted(whole, key=lambda tree: tree.active):
        if wanted <= 0:
            break
        found.append(tree)
        wanted -= len(tree.directories)
    return found if wanted <= 0 else []


SLICE = 0.01
"""Seconds of walking between two looks at what happened meanwhile."""


class Worklist:
    """Work on trees, the first of it first; `on_error` is told what it raises."""

    def __init__(self, on_error: Callable[[Tree, Exception], None]) -> None:
        self._on_error = on_error
        self._work: deque[tuple[Tree, Work]] = deque()

    def __contains__(self, tree: Tree) -> bool:
        return any(worked_on is tree for worked_on, _ in self._work)

    def add(self, tree: Tree, work: Work, *, first: bool = False) -> None:
        """Add work, after or before everything else."""
        (self._work.appendleft if first else self._work.append)((tree, work))

    def cancel(self, tree: Tree) -> None:
        """Do nothing more for this tree."""
        self._work = deque(entry for entry in self._work if entry[0] is not tree)

    def clear(self) -> None:
        """Do nothing more."""
        self._work.clear()

    def do(self, otherwise: Callable[[], bool]) -> bool:
        """Work for SLICE seconds, then call `otherwise` until it says no. Tell whether there may be more to do."""
        until = time.monotonic() + SLICE
        while time.monotonic() < until:
            if not self._work:
                if not otherwise():
                    return False
                continue
            tree, work = self._work.popleft()
            try:
                next(work)
            except StopIteration:
                continue
            except Exception as error:
                self._on_error(tree, error)
            else:
                self._work.appendleft((tree, work))
        return True
