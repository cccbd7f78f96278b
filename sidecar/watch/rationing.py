"""Who gets watches when there are not enough for every directory.

First the git directories; then in every worktree the directories in which worktrees can meet; then whole worktrees,
those that change before those that have long been quiet.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from sidecar.watch.events import WorktreeTarget
from sidecar.watch.poll import Poller
from sidecar.watch.tree import Phase, Tree

LIVELY = 120.0
"""Seconds for which somebody who was seen at work may be expected to be at work still."""


def at_work(trees: Iterable[Tree]) -> frozenset[str]:
    """The groups in which watches have lately told of somebody: in a worktree, or in its git directory."""
    recently = time.monotonic() - LIVELY
    return frozenset(tree.group for tree in trees if tree.stirred >= recently)


def hot_directories(tree: Tree, polled: int, limit: int) -> list[str]:
    """What is hot in a polled tree and not watched yet; no tree gets more than its share of half the watches."""
    if not isinstance(tree.target, WorktreeTarget):
        return []
    watched = set(tree.directories.values())
    share = max(1, limit // 2 // max(1, polled))
    return [directory for directory in tree.target.hot[:share] if directory not in watched]


def needed(tree: Tree, trees: Iterable[Tree], poller: Poller) -> int:
    """How many more watches a whole tree takes: what is known of it, else what others of its kind take."""
    size = poller.size(tree)
    if size is None and not tree.is_git:
        others = (other for other in trees if not other.is_git and other is not tree)
        size = max(
            (len(other.directories) if other.phase is Phase.STANDING else other.reached for other in others), default=1
        )
    return (size or 1) - len(tree.directories)


def reserved(tree: Tree, trees: Iterable[Tree]) -> int:
    """How many watches other trees, which are not watched as a whole, still want for what is hot in them."""
    return sum(
        max(0, len(other.target.hot) - len(other.directories))
        for other in trees
        if isinstance(other.target, WorktreeTarget) and other.phase is not Phase.STANDING and other is not tree
    )


def givers(trees: Iterable[Tree], wanted: int, before: float) -> list[Tree]:
    """Whole worktrees that have been quiet since `before`, the quietest first, whose watches together suffice."""
    found: list[Tree] = []
    whole = [tree for tree in trees if tree.phase is Phase.STANDING and not tree.is_git and tree.active < before]
    for tree in sorted(whole, key=lambda tree: tree.active):
        if wanted <= 0:
            break
        found.append(tree)
        wanted -= len(tree.directories)
    return found if wanted <= 0 else []
