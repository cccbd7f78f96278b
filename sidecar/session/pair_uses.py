"""Find what one side takes away and another newly uses, of two sides.

Of each only what it changed is read. Where anything is in doubt (a conflict there, a text that can't be parsed, names
that are made while it runs) nothing is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar
from weakref import WeakKeyDictionary

from sidecar.model.changes import Change, Entry
from sidecar.model.picture import TRUNK_KEY, BrokenUse, Deed, End
from sidecar.session.merged_names import Hits, MergedNames, Party
from sidecar.session.source_texts import PARSED, SourceTexts, length, provides
from sidecar.symbols.comparing import (
    NewUse,
    Removal,
    User,
    altered,
    calls_with_too_few,
    is_package,
    new_imports,
    new_uses,
    removals,
    uses_on_added_lines,
    words,
)
from sidecar.symbols.importing import Files, alternatives, means, stem
from sidecar.symbols.languages import GO, family_at, family_of, language_of
from sidecar.symbols.reading import Outline, Text
from sidecar.system.remembering import remembering

GONE = Outline()
MOST_CHANGES = 1024
"""Of how many changed files it is remembered what became of their definitions."""

T = TypeVar("T")

_ByWord = Mapping[bytes, Sequence[Change]]
"""The words that a side has newly, each with the changed files that have it."""


class ChangedNames:
    """Tells what the changes of a side take away and add; remembered, since most sides stay as they are."""

    def __init__(self, texts: SourceTexts) -> None:
        self.texts = texts
        self.grown = _while_they_last(lambda party: self._find_grown(party, texts.grown))
        self.added = _while_they_last(lambda party: self._find_grown(party, texts.added))
        self._defined = _while_they_last(self._find_defined)
        self.removals = lru_cache(maxsize=MOST_CHANGES)(self._removals)
        self.altered = lru_cache(maxsize=MOST_CHANGES)(self._altered)

    def _find_grown(self, party: Party, words_of: Callable[[str | None, str], frozenset[bytes]]) -> _ByWord:
        found: dict[bytes, tuple[Change, ...]] = {}
        for change in party.files:
            if change.after is not None:
                before, alone = change.before.oid if change.before is not None else None, (change,)
                for word in words_of(before, change.after.oid):
                    found[word] = (*found[word], change) if word in found else alone
        return found

    def _find_defined(self, party: Party) -> Sequence[tuple[Change, str, frozenset[bytes]]]:
        """Give the files that a side changes by what they were: (change, its path then, the names defined there)."""
        entries = ((change, path, change.before, language) for change, path, language in taken(party))
        return [(it, path, self.texts.defined(was.oid, of)) for it, path, was, of in entries if was is not None]

    def may_break(self, taking: Party, using: Party) -> bool:
        """Tell whether the one takes away a name that the other has newly, or a whole file. GitError."""
        words = self.grown(using)
        return bool(words) and (
            any(_is_gone(change) for change, *_ in taken(taking)) or self._meet(taking, words, self.removals)
        )

    def may_touch(self, taking: Party, using: Party) -> bool:
        """Tell whether the one changes a definition of a name that is on a line that the other adds. GitError."""
        return self._meet(taking, self.added(using), self.removals, self.altered)

    def _meet(self, taking: Party, words: _ByWord, *what: Callable[[Change], Sequence[Removal]]) -> bool:
        """Tell whether a side does something to a name among these words."""
        return any(not names.isdisjoint(words) for *_, names in self._defined(taking)) and any(
            one.was.name.encode() in words
            for change in self.meeting(taking, words)
            for those in what
            for one in those(change)
        )

    def meeting(self, taking: Party, words: _ByWord) -> Iterator[Change]:
        """Give the changes of files that had one of these names for others; what they have now is not read."""
        for change, path, names in self._defined(taking):
            if is_package(path) or not names.isdisjoint(words):
                yield change

    def _removals(self, change: Change) -> tuple[Removal, ...]:
        """Give what became of the definitions of a file; all of them are gone from a path that is."""
        path = change.old_path or change.path
        language = language_of(path)
        assert language is not None
        assert change.before is not None
        before = self.texts.outline(change.before.oid, language)
        if before is None:
            return ()
        if change.after is None or change.old_path is not None:
            return tuple(removals(path, language, before, GONE))
        after, text = (read(change.after.oid, language) for read in (self.texts.outline, self.texts.text))
        if not isinstance(after, Outline) or not isinstance(text, Text):
            return ()
        there = self.texts.words(change.after.oid)
        return tuple(
            one
            for one in removals(path, language, before, after)
            if one.did == "parameters" or one.was.name.encode() not in there or not provides(text, one.was.name)
        )

    def _altered(self, change: Change) -> tuple[Removal, ...]:
        """Give the definitions of a file that are in it still, and not as they were."""
        if change.before is None or change.after is None or change.old_path is not None:
            return ()
        language = language_of(change.path)
        assert language is not None
        before, after = (self.texts.outline(entry.oid, language) for entry in (change.before, change.after))
        if before is None or after is None:
            return ()
        return tuple(altered(change.path, language, before, after))


class PairUses:
    """One look at two sides, of which the one takes away, and the other uses."""

    def __init__(self, changed: ChangedNames, pair: tuple[Party, Party], trunk: str, hits: Hits) -> None:
        texts = changed.texts
        sources = texts.sources
        self._sources, self._changed, self._texts, self._trunk = sources, changed, texts, trunk
        self._taking, self._using = pair
        self._names = MergedNames(sources, texts, *pair, trunk, hits)
        self._users = remembering(self._user, lambda user: length(user.text if user is not None else None), PARSED)

    def found(self) -> Iterator[BrokenUse]:
        """Find the broken uses. GitError."""
        grown = self._changed.grown(self._using)
        meeting = {change.path for change in self._changed.meeting(self._taking, grown)}
        for change, path, language in taken(self._taking):
            told = set[str]()
            if _is_gone(change):
                for one in self._imports(change, path, language, grown):
                    told.add(one.used.path)
                    yield one
            for removal in self._changed.removals(change) if change.path in meeting else ():
                for user in grown.get(removal.was.name.encode(), ()):
                    if user.path not in told and _are_one_family(user.path, path):
                        yield from self._uses(change, removal, user)

    def touches(self) -> bool:
        """Tell whether lines that the using side adds use a definition that the other changes in any way. GitError."""
        added = self._changed.added(self._using)
        return any(
            _are_one_family(user.path, removal.path) and self._is_used(removal, user)
            for change in self._changed.meeting(self._taking, added)
            for removal in (*self._changed.removals(change), *self._changed.altered(change))
            for user in added.get(removal.was.name.encode(), ())
        )

    def _is_used(self, removal: Removal, user: Change) -> bool:
        here, read = self._using.path_of(removal.path), self._users(user)
        if read is None or not uses_on_added_lines(read, replace(removal, path=here), removal.language):
            return False
        return self._is_known_to_all(removal.path, here, removal)

    def _imports(self, change: Change, path: str, language: str, by_word: _ByWord) -> Iterator[BrokenUse]:
        """Find new imports of a module that has moved or gone."""
        parts = words(stem(path).rpartition("/")[2].encode())
        if language in (GO,) or not parts:
            return
        for user in min((by_word.get(word, []) for word in parts), key=len):
            if not _are_one_family(user.path, path) or (read := self._users(user)) is None:
                continue
            here = self._using.path_of(path)
            lines = [one.line for one in new_imports(read, here, language)]
            if not lines or not self._is_known_to_all(path, here, None) or self._names.is_conflicted(user.path, here):
                continue
            places = {*alternatives(path, language), *alternatives(here, language)}
            if any(self._names.entry(place) is not None for place in places):
                continue
            now = change.path if change.old_path is not None else None
            moved: Deed = "moved" if now is not None else "removed"
            taken = self._place(self._taking, change.path, change.after, 1)
            used = self._place(self._using, user.path, user.after, lines[0])
            yield BrokenUse(moved, path, taken, used, tuple(lines), True, now, None, nowhere=True)

    def _uses(self, change: Change, removal: Removal, user: Change) -> Iterator[BrokenUse]:
        """Find where a changed file newly uses what goes; each file of the using side is told once."""
        here, was = self._using.path_of(removal.path), removal.was
        if (read := self._users(user)) is None:
            return
        asked = replace(removal, path=here) if here != removal.path else removal
        uses = new_uses(read, asked, removal.language)
        if removal.did == "parameters":
            uses = calls_with_too_few(uses, removal)
        if not uses or not self._is_known_to_all(removal.path, here, removal) or self._is_in_trunk(user, was.name):
            return
        stays = (change.path,) if user.path == here else ()  # git merges into the file by its new name
        if self._names.is_conflicted(user.path, here, *stays) or self._names.is_left(removal, here, stays):
            return
        if not self._is_still_meant(read, here, removal):
            return
        nowhere = None
        if removal.did != "parameters":
            nowhere = self._names.is_nowhere(was.name, family_of(removal.language), is_method=was.owner is not None)
            if not nowhere and not all(one.is_certain for one in uses):
                return
        yield self._broken(change, removal, user, uses, nowhere)

    def _is_still_meant(self, user: User, here: str, removal: Removal) -> bool:
        """Tell whether the merge of the file that uses still imports from where the definition was, as the file does.

        Who takes a definition away changes the imports of it that there are, and git merges that into the file.
        """
        names, language = (removal.was.name, removal.was.owner), removal.language
        found = ((one, means(one, user.path, here, language, user.files)) for one in user.outline.imports)
        mine = {(one.module, one.name) for one, meant in found if meant == "module" or (meant and one.name in names)}
        entry = self._names.entry(user.path)
        outline = self._texts.outline(entry.oid, language_of(user.path) or language) if entry is not None else None
        kept = {(one.module, one.name) for one in outline.imports} if outline is not None else set()
        return not mine or not mine.isdisjoint(kept)

    def _broken(
        self, change: Change, removal: Removal, user: Change, uses: Sequence[NewUse], nowhere: bool | None
    ) -> BrokenUse:
        assert removal.did != "changed"
        was, now = removal.was, removal.now
        symbol = was.name if was.owner is None else f"{was.owner}.{was.name}"
        did: Deed = removal.did
        called = now.name if now is not None else None
        if change.old_path is not None:
            did, called = "moved", change.path
        line = now.line if now is not None else self._line_of(change, removal)
        lines = tuple(dict.fromkeys(one.line for one in uses))
        certain = all(one.is_certain for one in uses)
        return BrokenUse(
            did, symbol,
            self._place(self._taking, change.path, change.after, line),
            self._place(self._using, user.path, user.after, lines[0]),
            lines, False, called if did != "parameters" else None, now.required if now is not None else None,
            nowhere if certain else None,
        )  # fmt: skip

    def _place(self, party: Party, path: str, after: Entry | None, line: int) -> End:
        return End(party.key, party.name, party.ref, path, line, after)

    def _line_of(self, change: Change, removal: Removal) -> int:
        """Give the line at which a definition was that is gone."""
        assert change.before is not None
        if change.after is None or change.old_path is not None:
            return 1
        for hunk in self._sources.trees.hunks(change.before.oid, change.after.oid):
            if hunk.base < removal.was.end and removal.was.line <= hunk.base_end:
                return hunk.changed.start
        return 1

    def _user(self, change: Change) -> User | None:
        """Give a changed file of the using side as it is compared with what both sides had."""
        language = language_of(change.path)
        assert language is not None
        assert change.after is not None
        old = self._names.base_entry(change.old_path or change.path)
        text, outline = self._texts.text(change.after.oid, language), self._texts.outline(change.after.oid, language)
        if text is None or outline is None:
            return None
        tree, trees, texts = self._using.own.tree, self._sources.trees, self._texts

        def read(path: str) -> bytes | None:
            entry = trees.entry(tree, path)
            return texts.content(entry.oid) if entry is not None and entry.is_file else None

        files = Files(lru_cache(maxsize=256)(read))
        if old is None or not old.is_file:
            whole = [(1, text.source.count(b"\n") + 1)]
            return User(change.path, text, outline, None, None, whole, files)
        hunks = trees.hunks(old.oid, change.after.oid)
        added = [(hunk.start + 1, hunk.end) for hunk in hunks if hunk.count]
        before, was = texts.text(old.oid, language), texts.outline(old.oid, language)
        return User(change.path, text, outline, before, was, added, files) if before is not None else None

    def _is_known_to_all(self, path: str, here: str, removal: Removal | None) -> bool:
        """Tell whether what goes was there in what both had, is with the using side, and still is in trunk.

        Else it is no news: both have it from elsewhere, or trunk did the same and is told for it.
        """
        trees, trunk = self._sources.trees, self._taking.key == TRUNK_KEY
        there = [self._names.base_entry(path), trees.entry(self._using.own.tree, here)]
        if not trunk:
            there.append(trees.entry(self._trunk, path))
        return all(entry is not None and (removal is None or self._defines(entry, removal)) for entry in there)

    def _defines(self, entry: Entry, removal: Removal) -> bool:
        outline = self._texts.outline(entry.oid, removal.language) if entry.is_file else None
        if outline is None:
            return False
        was = removal.was
        if removal.path.endswith("__init__.py") and any(one.bound == was.name for one in outline.imports):
            return True
        found = next((one for one in outline.definitions if (one.name, one.owner) == (was.name, was.owner)), None)
        return found is not None and (removal.did != "parameters" or found.required == was.required)

    def _is_in_trunk(self, user: Change, name: str) -> bool:
        """Tell whether trunk has the use, too, so that it is told for trunk."""
        if TRUNK_KEY in (self._taking.key, self._using.key):
            return False
        entry = self._sources.trees.entry(self._trunk, user.path)
        if entry is None or not entry.is_file:
            return False
        assert user.after is not None
        theirs, mine = (words(self._texts.content(oid)) for oid in (entry.oid, user.after.oid))
        return theirs[name.encode()] >= mine[name.encode()]


def _while_they_last(answer: Callable[[Party], T]) -> Callable[[Party], T]:
    """Remember what is said of a side as long as somebody has the side."""
    known: WeakKeyDictionary[Party, T] = WeakKeyDictionary()

    def ask(party: Party) -> T:
        if party not in known:
            known[party] = answer(party)
        return known[party]

    return ask


def taken(party: Party) -> Iterator[tuple[Change, str, str]]:
    """Give what a side changes that was there before: (change, its path then, the language)."""
    for change in party.files:
        path = change.old_path or change.path
        if change.before is not None and (language := language_of(path)) is not None:
            yield change, path, language


def _is_gone(change: Change) -> bool:
    """Tell whether a path has no file any more."""
    return change.after is None or change.old_path is not None


def _are_one_family(one: str, other: str) -> bool:
    return family_at(one) is not None and family_at(one) == family_at(other)
