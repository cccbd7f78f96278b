"""Hold the unsaved texts of every door of a session, and say which of them a Picture is about.

A file can be open in two windows. The text that was changed last counts, so that who only opens the file takes nothing
away from who types into it; when that one closes it, the other's text counts again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count

REMEMBERED = 64
"""How many versions of a file are known by a door's own number: a Picture is about one of the newest."""


@dataclass(slots=True)
class _Text:
    """A door's text of a file, its own number for it, and by what numbers of the session it is known."""

    text: str
    version: int
    changed: int
    edited: float = 0.0
    numbers: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class _File:
    """The texts of a file, by door; `counts` is the door whose text counts, and `number` the session's for it."""

    texts: dict[int, _Text] = field(default_factory=dict)
    counts: int = 0
    number: int = 0


class Texts:
    """The texts of all doors; `set_unsaved` hands on the one that counts, as `Session.set_unsaved`. Any thread."""

    def __init__(self, set_unsaved: Callable[[str, str | None, int], None]) -> None:
        self._set_unsaved = set_unsaved
        self._files: dict[str, _File] = {}
        self._lock = threading.Lock()
        self._numbers = count(1)

    def put(self, door: int, path: str, text: str | None, version: int, edited: float = 0.0) -> None:
        """Take a door's text of a file, None when it is closed there.

        `edited` is when it was last changed there (`time.monotonic`), for a door that tells only of the newest text.
        """
        with self._lock:
            if text is None:
                self._close(door, path)
                return
            file = self._files.setdefault(path, _File())
            before = file.texts.get(door)
            counts = file.texts.get(file.counts)
            numbers = before.numbers if before else {}
            held = file.texts[door] = _Text(text, version, next(self._numbers), edited, numbers)
            changes = before is not None and before.text != text
            changes = changes or (counts is not None and edited > counts.edited)
            if len(file.texts) == 1 or file.counts == door or changes:
                self._count(path, file, door)
            elif file.texts[file.counts].text == text:
                _note(held, file.number)

    def leave(self, door: int) -> None:
        """Forget all texts of a door that has gone."""
        with self._lock:
            for path in [path for path, file in self._files.items() if door in file.texts]:
                self._close(door, path)

    def documents(self, door: int, documents: Mapping[str, int]) -> dict[str, int]:
        """Give the texts that a Picture is about (the session's numbers) by a door's own numbers, where it has them."""
        with self._lock:
            found = {}
            for path, number in documents.items():
                file = self._files.get(path)
                held = file.texts.get(door) if file is not None else None
                if held is not None and number in held.numbers:
                    found[path] = held.numbers[number]
            return found

    def _close(self, door: int, path: str) -> None:
        file = self._files.get(path)
        if file is None or file.texts.pop(door, None) is None:
            return
        if not file.texts:
            del self._files[path]
            self._set_unsaved(path, None, next(self._numbers))
        elif file.counts == door:
            self._count(path, file, max(file.texts, key=lambda one: (file.texts[one].edited, file.texts[one].changed)))

    def _count(self, path: str, file: _File, door: int) -> None:
        """Let a door's text count from now on."""
        file.counts, file.number = door, next(self._numbers)
        text = file.texts[door].text
        for held in file.texts.values():
            if held.text == text:
                _note(held, file.number)
        self._set_unsaved(path, text, file.number)


def _note(held: _Text, number: int) -> None:
    held.numbers[number] = held.version
    if len(held.numbers) > REMEMBERED:
        del held.numbers[next(iter(held.numbers))]
