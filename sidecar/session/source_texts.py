"""Read the source texts of blobs: what they define and import, and their words; all is remembered by object ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from sidecar.git.objects import read_blob
from sidecar.session.reader import Sources
from sidecar.symbols.comparing import WORD, words
from sidecar.symbols.reading import Outline, Text, defined_names, mentions, outline_of, parse
from sidecar.system.remembering import remembering

REMEMBERED = 1_000_000
"""Bytes, roughly, of what is remembered of each kind."""
PARSED = 40_000
"""Bytes of the texts that are kept parsed, which is thirty times as much; what was found in them is kept longer."""


def _go_on() -> object:
    """Make way for nobody."""


@dataclass
class SourceTexts:
    """Reads texts by their object ids; for one thread at a time. `make_way` is called before one is read."""

    sources: Sources
    make_way: Callable[[], object] = _go_on
    outline: Callable[[str, str], Outline | None] = field(init=False)
    defined: Callable[[str, str], frozenset[bytes]] = field(init=False)
    grown: Callable[[str | None, str], frozenset[bytes]] = field(init=False)
    added: Callable[[str | None, str], frozenset[bytes]] = field(init=False)
    _words: Callable[[str], bytes] = field(init=False)
    _text: Callable[[str, str], Text | None] = field(init=False)

    def __post_init__(self) -> None:
        self.outline = remembering(self._outline, _weight, REMEMBERED)
        self.defined = remembering(self._defined, _words_weight, REMEMBERED)
        self._words = remembering(lambda oid: b"\n".join(words(self.content(oid))), len, REMEMBERED)
        self.grown = remembering(self._grown, _words_weight, REMEMBERED)
        self.added = remembering(self._added, _words_weight, REMEMBERED)
        self._text = remembering(lambda oid, language: parse(self.content(oid), language), length, PARSED)

    def content(self, oid: str) -> bytes:
        """Read a blob. GitError."""
        self.make_way()
        return read_blob(self.sources.quarantine.objects, oid)

    def text(self, oid: str, language: str) -> Text | None:
        """Give a blob, parsed; None for what can't be."""
        return self._text(oid, language)

    def words(self, oid: str) -> frozenset[bytes]:
        """Give the words of a blob, which are remembered as one text, a tenth as large. GitError."""
        return frozenset(self._words(oid).split())

    def _outline(self, oid: str, language: str) -> Outline | None:
        text = self.text(oid, language)
        return outline_of(text) if text is not None else None

    def _defined(self, oid: str, language: str) -> frozenset[bytes]:
        """Give the names that a blob defines; most of the time no more of it is asked."""
        text = self.text(oid, language)
        return defined_names(text) if text is not None else frozenset()

    def _grown(self, before: str | None, after: str) -> frozenset[bytes]:
        """Give the words of which there are more than before."""
        then, now = (Counter(self.content(oid).split(b"\n") if oid is not None else ()) for oid in (before, after))
        was, grown = (words(b"\n".join(lines.elements())) for lines in (then - now, now - then))
        return frozenset(word for word, count in grown.items() if count > was[word])

    def _added(self, before: str | None, after: str) -> frozenset[bytes]:
        """Give the words of the lines that are new."""
        if before is None:
            return self.words(after)
        lines, hunks = self.content(after).split(b"\n"), self.sources.trees.hunks(before, after)
        return frozenset(word for hunk in hunks for line in lines[hunk.start : hunk.end] for word in WORD.findall(line))


def length(text: Text | None) -> int:
    """Give the bytes of a text."""
    return 0 if text is None else len(text.source)


def _weight(outline: Outline | None) -> int:
    return 200 if outline is None else 200 + 250 * len(outline.definitions) + 250 * len(outline.imports)


def _words_weight(found: frozenset[bytes]) -> int:
    return 250 + 90 * len(found)


def provides(text: Text, name: str) -> bool:
    """Tell whether a text has a name for others, however it comes by it."""
    return any(one.role in ("binding", "imported", "exported") for one in mentions(text, name))
