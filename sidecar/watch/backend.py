"""Define what the watcher asks of a way of watching. This base watches nothing, so that every tree is polled.

A backend only finds out what happens; what is done about it, and who gets scarce watches, is for the loop to decide.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from sidecar.watch.tree import Tree

Work = Iterator[None]
"""Work done in small steps, so that nobody waits for it. May raise NoWatchesLeft, or OSError about the tree's root."""

Item = TypeVar("Item")


class NoWatchesLeft(Exception):  # noqa: N818 - an answer, not a mistake
    """There are no watches left for this tree."""


@dataclass(frozen=True)
class RootLost:
    """The tree's root is gone, or another directory has its place."""

    tree: Tree


@dataclass(frozen=True)
class RootMayBeGone:
    """The tree's root has lost its marker and may be on its way out; not every way of going is told."""

    tree: Tree


@dataclass(frozen=True)
class DirectoriesAppeared:
    """There are new directories in the tree; this work looks into them."""

    tree: Tree
    work: Work


@dataclass(frozen=True)
class Overflow:
    """Events were lost, so everything must be watched and looked at anew."""


BackendEvent = RootLost | RootMayBeGone | DirectoriesAppeared | Overflow


class WakeableQueue(Generic[Item]):
    """A queue for one thread that waits and then takes everything; any thread may put and wake."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._woken = threading.Event()

    def put(self, item: Item) -> None:
        """Add an item, and wake who waits."""
        self._items.append(item)
        self._woken.set()

    def wake(self) -> None:
        """End a `wait`, or the next one."""
        self._woken.set()

    def wait(self, timeout: float | None) -> None:
        """Sleep until woken, or `timeout` seconds have passed."""
        self._woken.wait(timeout)
        self._woken.clear()

    def take(self) -> list[Item]:
        """Give everything that was put since the last time."""
        return [self._items.popleft() for _ in range(len(self._items))]


class Backend:
    """A way of watching. What changes in its trees it tells the `Batcher` it was made with.

    `problem` is why nothing better can be had, in a sentence; empty where nothing better is wanted.
    """

    name = "polling"
    looks_back: ClassVar[bool] = False
    """Whether `watch_all` tells what is newer than the tree's `since`."""

    def __init__(self, problem: str = "") -> None:
        self.problem = problem
        self._woken: WakeableQueue[None] = WakeableQueue()

    def wait(self, timeout: float | None) -> None:
        """Sleep until there is something to take, `wake` is called, or `timeout` seconds have passed."""
        self._woken.wait(timeout)

    def wake(self) -> None:
        """End a `wait`; any thread."""
        self._woken.wake()

    def take(self) -> list[BackendEvent]:
        """Pass on what changed."""
        return []

    def register(self, tree: Tree) -> None:
        """Be told that `watch_all` will be asked for this tree, so that several can be set up at once."""

    def watch_all(self, tree: Tree) -> Work:  # noqa: ARG002
        """Watch a tree."""
        raise NoWatchesLeft

    def watch_some(self, tree: Tree, directories: Sequence[str]) -> Work:  # noqa: ARG002
        """Watch these directories of a tree that is not watched as a whole, and notice who is at work in its root."""
        return iter(())

    def watch_new(self, tree: Tree, directories: list[str]) -> Work:  # noqa: ARG002
        """Watch these relative directories too, and tell the files in them."""
        return iter(())

    def drop(self, tree: Tree, directory: str = "") -> None:
        """Watch the tree no more from this relative directory down."""

    def remove_stale(self) -> bool:
        """Give back some of what dropped trees still hold; False when there is nothing of it."""
        return False

    def watches(self) -> int:
        """Count the watches that are in use."""
        return 0

    def room(self) -> int:
        """Count how many more there can be."""
        return 0

    def close(self) -> None:
        """Forget every tree, and give back every descriptor and thread."""
