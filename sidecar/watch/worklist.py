"""What a watcher still has to walk, in small steps between which it looks at what happened meanwhile."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from sidecar.watch.source import Work
from sidecar.watch.tree import Tree

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
        """More to do, after or before everything else."""
        (self._work.appendleft if first else self._work.append)((tree, work))

    def cancel(self, tree: Tree) -> None:
        """Do nothing more for this tree."""
        self._work = deque(entry for entry in self._work if entry[0] is not tree)

    def clear(self) -> None:
        """Do nothing more."""
        self._work.clear()

    def do(self, otherwise: Callable[[], bool]) -> bool:
        """A slice of the work; `otherwise` when there is none, till it says no. Whether there may be more to do."""
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
