"""A table by watch descriptor, in a tenth of the memory of a dict: there can be a million of them."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Generic, TypeVar

V = TypeVar("V")

SPARE = 1024
"""Removed entries that are kept before the table is made smaller, at least."""


class Descriptors(Generic[V]):
    """Watch descriptors and what they stand for, in ascending order, which is that in which the kernel gives them out.

    So a new one is added at the end, and found by halving (inotify_add_watch(2) counts them up).
    """

    __slots__ = ("_held", "_keys", "_values")

    def __init__(self) -> None:
        self._keys = array("i")
        self._values: list[V | None] = []
        self._held = 0

    def __len__(self) -> int:
        return self._held

    def __contains__(self, descriptor: int) -> bool:
        return self.get(descriptor) is not None

    def __getitem__(self, descriptor: int) -> V:
        value = self.get(descriptor)
        if value is None:
            raise KeyError(descriptor)
        return value

    def __setitem__(self, descriptor: int, value: V) -> None:
        at = self._at(descriptor)
        if at == len(self._keys) or self._keys[at] != descriptor:
            self._keys.insert(at, descriptor)
            self._values.insert(at, None)
        self._held += self._values[at] is None
        self._values[at] = value

    def __delitem__(self, descriptor: int) -> None:
        self.pop(descriptor)

    def get(self, descriptor: int) -> V | None:
        """What a descriptor stands for, if anything."""
        at = self._at(descriptor)
        return self._values[at] if at < len(self._keys) and self._keys[at] == descriptor else None

    def pop(self, descriptor: int) -> V:
        """Take an entry out; KeyError when there is none."""
        value = self[descriptor]
        self._values[self._at(descriptor)] = None
        self._held -= 1
        if len(self._keys) > 2 * self._held + SPARE:
            held = list(self.items())
            self._keys = array("i", (known for known, _ in held))
            self._values = [kept for _, kept in held]
        return value

    def clear(self) -> None:
        """Take everything out."""
        self._keys, self._values, self._held = array("i"), [], 0

    def items(self) -> Iterator[tuple[int, V]]:
        """Every entry; the table must not change meanwhile."""
        return ((key, value) for key, value in zip(self._keys, self._values, strict=True) if value is not None)

    def values(self) -> Iterator[V]:
        """What all of them stand for."""
        return (value for value in self._values if value is not None)

    def _at(self, descriptor: int) -> int:
        if self._keys and descriptor > self._keys[-1]:
            return len(self._keys)
        return bisect_left(self._keys, descriptor)
