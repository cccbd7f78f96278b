"""What the watcher's loop needs of a way of watching, and the simplest one: none at all."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Generic, Protocol, TypeVar

from sidecar.watch.tree import Tree

Work = Iterator[None]
"""Work done in small steps, so that nobody waits for it. May raise Full, or OSError about the tree's root."""

Item = TypeVar("Item")


class Full(Exception):  # noqa: N818 - an answer, not a mistake
    """There are no watches left for this tree."""


@dataclass(frozen=True)
class Lost:
    """The tree's root is gone, or another directory has its place."""

    tree: Tree


@dataclass(frozen=True)
class Doubtful:
    """The tree's root has lost its marker and may be on its way out; not every way of going is told."""

    tree: Tree


@dataclass(frozen=True)
class Grown:
    """There are new directories in the tree; this work looks into them."""

    tree: Tree
    work: Work


@dataclass(frozen=True)
class Overflow:
    """Events were lost, so everything must be watched and looked at anew."""


Happening = Lost | Doubtful | Grown | Overflow


class Source(Protocol):
    """A way of watching. What changes in its trees it tells the `Gathering` it was made with."""

    name: str
    looks_back: bool
    """Whether `stand` tells what is newer than the tree's `since`."""

    def wait(self, timeout: float | None) -> None:
        """Sleep until there is something to take, `wake` is called, or `timeout` seconds have passed."""

    def wake(self) -> None:
        """End a `wait`; any thread."""

    def take(self) -> list[Happening]:
        """Pass on what changed."""

    def expect(self, tree: Tree) -> None:
        """Be told that `stand` will be asked for this tree, so that several can be set up at once."""

    def stand(self, tree: Tree) -> Work:
        """Watch a tree."""

    def warm(self, tree: Tree, directories: Sequence[str]) -> Work:
        """Watch these directories of a tree that is not watched as a whole, and notice who is at work in its root."""

    def drop(self, tree: Tree, directory: str = "") -> None:
        """Watch the tree no more from this relative directory down."""

    def grow(self, tree: Tree, directories: list[str]) -> Work:
        """Watch these relative directories too, and tell the files in them."""

    def sweep_up(self) -> bool:
        """Give back some of what dropped trees still hold; False when there is nothing of it."""

    def watches(self) -> int:
        """How many watches are in use."""

    def room(self) -> int:
        """How many more there can be."""

    def close(self) -> None:
        """Forget every tree, and give back every descriptor and thread."""


class Bell(Generic[Item]):
    """A queue to wait at; whoever waits is woken by an item or by None."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Item | None] = SimpleQueue()
        self._heard: deque[Item] = deque()

    def ring(self, item: Item | None) -> None:
        """Any thread."""
        self._queue.put(item)

    def wait(self, timeout: float | None) -> None:
        """Until something has been rung since the last `take`, or `timeout` seconds have passed."""
        if self._heard:
            return
        try:
            item = self._queue.get(timeout=timeout) if timeout is None or timeout > 0 else self._queue.get_nowait()
        except Empty:
            return
        if item is not None:
            self._heard.append(item)

    def take(self) -> list[Item]:
        """Everything rung since the last time."""
        while True:
            try:
                item = self._queue.get_nowait()
            except Empty:
                break
            if item is not None:
                self._heard.append(item)
        taken = list(self._heard)
        self._heard.clear()
        return taken


class Nothing:
    """Watches nothing: every tree is polled."""

    name = "polling"
    looks_back = False

    def __init__(self) -> None:
        self._bell: Bell[None] = Bell()

    def wait(self, timeout: float | None) -> None:
        """Until `wake`."""
        self._bell.wait(timeout)

    def wake(self) -> None:
        """Ring."""
        self._bell.ring(None)

    def take(self) -> list[Happening]:
        """Nothing ever happened."""
        return []

    def expect(self, tree: Tree) -> None:
        """Never asked."""

    def stand(self, tree: Tree) -> Work:  # noqa: ARG002
        """Never possible."""
        raise Full

    def warm(self, tree: Tree, directories: Sequence[str]) -> Work:  # noqa: ARG002
        """Never possible."""
        return iter(())

    def drop(self, tree: Tree, directory: str = "") -> None:
        """Nothing to drop."""

    def grow(self, tree: Tree, directories: list[str]) -> Work:  # noqa: ARG002
        """Never asked."""
        return iter(())

    def sweep_up(self) -> bool:
        """Nothing to give back."""
        return False

    def watches(self) -> int:
        """None."""
        return 0

    def room(self) -> int:
        """None."""
        return 0

    def close(self) -> None:
        """Nothing to close."""
