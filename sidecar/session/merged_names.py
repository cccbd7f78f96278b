"""Tell what the merge that git would make of two sides has of a name: where it was, or anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from sidecar.git.judge import Question
from sidecar.git.objects import tree_of
from sidecar.model.changes import Change, ChangeSet, Entry
from sidecar.model.merging import Merge
from sidecar.model.picture import TRUNK_KEY
from sidecar.session.reader import Sources
from sidecar.session.source_texts import SourceTexts, provides
from sidecar.symbols.comparing import Removal
from sidecar.symbols.importing import alternatives
from sidecar.symbols.languages import GO, JAVA, family_at, language_of
from sidecar.symbols.reading import mentions

Hits = Callable[[str, str, str], frozenset[str] | None]
"""Gives the files of a tree that have a name, of a family of languages; None where that is not known."""


@dataclass(frozen=True, eq=False)
class Party:
    """One that takes part: a worktree, or trunk by what it did since a worktree left it."""

    key: str
    name: str | None
    ref: str
    head: str
    own: ChangeSet
    files: tuple[Change, ...]
    """The changes in files that people write, in languages that are understood."""

    def path_of(self, path: str) -> str:
        """Give what a file is called here that the other side calls by its name in what both had."""
        for change in self.files:
            if change.old_path == path:
                return change.path
        return path


class MergedNames:
    """What two sides have in common, and their merge; git is asked where a name may meet only."""

    def __init__(
        self, sources: Sources, texts: SourceTexts, taking: Party, using: Party, trunk: str, hits: Hits
    ) -> None:
        self._sources, self._texts, self._hits = sources, texts, hits
        self._taking, self._using, self._trunk = taking, using, trunk
        self.bases = lru_cache(maxsize=1)(self._find_bases)
        self._merge = lru_cache(maxsize=1)(self._find_merge)

    def _find_bases(self) -> tuple[str, ...]:
        return self._sources.history.merge_bases(*sorted((self._taking.head, self._using.head)))

    def base_entry(self, path: str) -> Entry | None:
        """Give what the two sides' merge base has at a path. GitError."""
        bases = self.bases()
        if not bases:
            return None
        tree = tree_of(self._sources.quarantine.objects, bases[0])
        return self._sources.trees.entry(tree, path)

    def _find_merge(self) -> Merge | None:
        bases = self.bases()
        if not bases:
            return None
        ours, theirs = self._taking, self._using
        if theirs.key == TRUNK_KEY:
            ours, theirs = theirs, ours
        objects, touched = self._sources.quarantine.objects, {*ours.own.touched, *theirs.own.touched}
        paths = {path.rpartition("/")[0]: path for path in sorted(touched)}.values()
        base = tree_of(objects, bases[0]) if len(bases) == 1 else None
        parents = None if base is not None else (ours.head, theirs.head)
        return self._sources.judge.merge_trees(Question(ours.own.tree, theirs.own.tree, base, parents), paths)

    def entry(self, path: str) -> Entry | None:
        """Give what the merge has at a path. GitError."""
        merge = self._merge()
        assert merge is not None
        return self._sources.trees.entry(merge.tree, path)

    def is_conflicted(self, *paths: str) -> bool:
        """Tell whether git's merge stops at one of these, so that a person looks at it anyway."""
        merge = self._merge()
        return merge is None or any(path in merge.stages for path in paths)

    def is_left(self, removal: Removal, here: str, more: Iterable[str] = ()) -> bool:
        """Tell whether the merge has the definition all the same where it was, or that can't be known."""
        language, was = removal.language, removal.was
        for path in (*self._where(removal, here), *more):
            entry = self.entry(path)
            if entry is None or not entry.is_file:
                continue
            if self.is_conflicted(path):
                return True
            if removal.did == "parameters":
                outline = self._texts.outline(entry.oid, language)
                kept = {(one.name, one.owner): one for one in outline.definitions} if outline is not None else {}
                found = kept.get((was.name, was.owner))
                return found is None or removal.now is None or found.required != removal.now.required
            outline = self._texts.outline(entry.oid, language_of(path) or language)
            if outline is None or outline.is_dynamic or not outline.is_whole:
                return True
            if was.name.encode() in self._texts.words(entry.oid):
                text = self._texts.text(entry.oid, language_of(path) or language)
                if text is None or provides(text, was.name):
                    return True
        return removal.did == "parameters"

    def _where(self, removal: Removal, here: str) -> Iterable[str]:
        """Give the paths at which a definition could be and be found all the same."""
        places = dict.fromkeys((*alternatives(removal.path, removal.language), *alternatives(here, removal.language)))
        if removal.language not in (GO, JAVA) or removal.did == "parameters":
            return places
        directory = removal.path.rpartition("/")[0]
        objects, merge = self._sources.quarantine.objects, self._merge()
        assert merge is not None
        entry = self._sources.trees.entry(merge.tree, directory) if directory else None
        tree = merge.tree if not directory else entry.oid if entry is not None else None
        names = objects.tree(tree) if tree is not None else ()
        beside = (f"{directory}/{name}".lstrip("/") for name in names)
        same = (path for path in beside if language_of(path) == removal.language)
        return dict.fromkeys((*places, *same))

    def is_nowhere(self, name: str, family: str, *, is_method: bool) -> bool | None:
        """Tell whether no file of the merge defines a name; None where that is not known."""
        merge = self._merge()
        hits = self._hits(self._trunk, name, family)
        if merge is None or hits is None:
            return None
        changed = self._sources.trees.touched(self._trunk, merge.tree)
        paths = [path for path in (*hits - changed.keys(), *changed) if family_at(path) == family]
        for path in paths:
            entry = self.entry(path)
            if entry is None or not entry.is_file or name.encode() not in self._texts.words(entry.oid):
                continue
            language = language_of(path)
            assert language is not None
            text = self._texts.text(entry.oid, language)
            if text is None or path in merge.stages:
                return None
            if is_method and any(one.role == "binding" for one in mentions(text, name)):
                return False
            outline = self._texts.outline(entry.oid, language)
            if outline is None or any(one.name == name for one in outline.definitions):
                return False
        return True
