"""Hold one moment that a handler works on: a Picture, and the documents as typed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from sidecar.lsp.client import Client
from sidecar.lsp.documents import Document, Folder, file_uri, within
from sidecar.lsp.positions import decode
from sidecar.model.changes import COMMITTED, Change, Entry
from sidecar.model.hunks import Hunk
from sidecar.model.overlaps import Overlap, Side, Unknown
from sidecar.model.picture import Broken, BrokenUse, End, Picture, Undone, WorktreeState, has_trunk, locate


@dataclass(frozen=True, slots=True)
class FileOverlap:
    """An overlap as it is seen from the file `path` (absolute) of one of its two sides."""

    path: str
    overlap: Overlap
    mine: Side
    other: Side


@dataclass(frozen=True)
class IndexedPicture:
    """A Picture by file; `content` gives the bytes of an entry, `hunks` what git says of two, as a Session does."""

    picture: Picture
    content: Callable[[Entry], bytes | None]
    hunks: Callable[[Entry, Entry], Sequence[Hunk]]
    _by_file: dict[str, Mapping[str, tuple[FileOverlap, ...]]] = field(default_factory=dict, compare=False, repr=False)

    def followed_by(self, picture: Picture) -> IndexedPicture:
        """Index the next Picture: overlaps that are the very same objects are not looked at again."""
        moved = _moved(self.picture.overlaps, picture.overlaps)
        by_file = {}
        for key, known in self._by_file.copy().items():  # which handlers on other threads may add to
            paths = {side.path for overlap in moved for side in overlap.sides if side.key == key}
            both = {**known, **_seen_from(picture, key, paths)} if paths else known
            by_file[key] = {path: seen for path, seen in both.items() if seen} if paths else known
        return IndexedPicture(picture, self.content, self.hunks, by_file)

    @cached_property
    def missing(self) -> frozenset[str]:
        """Give the keys of the worktrees that are not there."""
        return frozenset(state.worktree.key for state in self.picture.worktrees if state.worktree.missing)

    @cached_property
    def trunk_checkouts(self) -> Sequence[WorktreeState]:
        """Give the worktrees, as far as they could be read, in which trunk is checked out."""
        states = (state for state in self.picture.worktrees if state.changes is not None)
        return [state for state in states if has_trunk(self.picture, state.worktree)]

    def overlaps_in(self, key: str) -> Mapping[str, tuple[FileOverlap, ...]]:
        """Give the overlaps of a worktree that is there, by the absolute path of each file that they are seen from."""
        if key in self.missing:
            return {}
        known = self._by_file.get(key)
        if known is None:
            known = self._by_file[key] = _seen_from(self.picture, key)
        return known

    def overlaps_at(self, path: str) -> tuple[FileOverlap, ...]:
        """Give the overlaps that are seen from a file (absolute path)."""
        place = locate(self.picture, path)
        return () if place is None else self.overlaps_in(place[0].key).get(path, ())

    @cached_property
    def trunk_edits(self) -> Mapping[str, Change]:
        """Find what is not committed where trunk is checked out, by absolute path; nothing without other worktrees."""
        linked = any(not state.worktree.main and state.worktree.readable for state in self.picture.worktrees)
        return {
            f"{state.worktree.key}/{change.path}": change
            for state in self.picture.worktrees
            if linked and has_trunk(self.picture, state.worktree) and self.others and state.changes is not None
            if not state.worktree.merging
            for change in state.changes
            if any(source != COMMITTED for source in change.sources)
        }

    @cached_property
    def undone(self) -> Mapping[str, Undone]:
        """Find the files, by absolute path, that are there and take back what trunk did."""
        return {
            f"{state.worktree.key}/{one.path}": one
            for state in self.picture.worktrees
            for one in state.undone
            if one.after is not None
        }

    @cached_property
    def broken(self) -> Mapping[str, tuple[Broken, ...]]:
        """Find what merges break, by the absolute paths of the files in which that is told."""
        found: dict[str, tuple[Broken, ...]] = {}
        for state in self.picture.worktrees:
            for one in state.broken:
                path = f"{state.worktree.key}/{one.path}"
                found[path] = (*found.get(path, ()), one)
        return found

    @cached_property
    def broken_uses(self) -> Mapping[str, tuple[tuple[BrokenUse, End], ...]]:
        """Give each broken use with the end that is here, by absolute path; files that are deleted have no line."""
        found: dict[str, list[tuple[BrokenUse, End]]] = {}
        for one in self.picture.broken_uses:
            for end in (one.removed, one.used):
                if end.name is not None and end.after is not None:
                    found.setdefault(f"{end.key}/{end.path}", []).append((one, end))
        return {path: tuple(ends) for path, ends in found.items()}

    def unknown_at(self, path: str) -> tuple[tuple[str, Unknown], ...]:
        """Give (key of the file's worktree, what is not known) of all that may concern a file."""
        place = locate(self.picture, path)
        if place is None:
            return ()
        worktree, inside = place
        found = (one for one in self.picture.unknown if one.concerns(worktree.key) and one.may_be_at(inside))
        return tuple((worktree.key, one) for one in found)

    @property
    def others(self) -> int:
        """Count how many worktrees there are beside one that is asked about."""
        return sum(state.worktree.readable for state in self.picture.worktrees) - 1

    def text(self, entry: Entry | None) -> str:
        """Give a file's text, "" for anything else."""
        return decode(self.content(entry) or b"") if entry is not None and entry.is_file else ""


def _moved(before: Sequence[Overlap], after: Sequence[Overlap]) -> Sequence[Overlap]:
    """Give what is between the overlaps with which both begin and those with which both end."""
    most = min(len(before), len(after))
    start = next((place for place, (one, two) in enumerate(zip(before, after, strict=False)) if one is not two), most)
    backwards = zip(islice(reversed(before), most - start), reversed(after), strict=False)
    end = next((place for place, (one, two) in enumerate(backwards) if one is not two), most - start)
    return (*before[start : len(before) - end], *after[start : len(after) - end])


def _seen_from(
    picture: Picture, key: str, paths: Collection[str] | None = None
) -> Mapping[str, tuple[FileOverlap, ...]]:
    """Find the overlaps of a worktree by absolute path: of all files that have some, or of just these paths in it."""
    found: dict[str, list[FileOverlap]] = {f"{key}/{path}": [] for path in paths or ()}
    for overlap in picture.overlaps:
        if (sides := overlap.seen_from(key)) is not None and (paths is None or sides[0].path in paths):
            path = f"{key}/{sides[0].path}"
            found.setdefault(path, []).append(FileOverlap(path, overlap, *sides))
    return {path: tuple(seen) for path, seen in found.items()}


@dataclass(frozen=True)
class EditorView:
    """An IndexedPicture, and what the editor has open now; `documents` are by URI, `show` is the setting."""

    indexed: IndexedPicture
    documents: Mapping[str, Document] = field(default_factory=dict)
    folders: tuple[Folder, ...] = ()
    client: Client = field(default_factory=Client)
    show: str = "conflicts"

    @cached_property
    def opened(self) -> Mapping[str, tuple[Document, ...]]:
        """Give the open documents by path; one file can be open under several URIs."""
        found: dict[str, tuple[Document, ...]] = {}
        for document in self.documents.values():
            found[document.path] = (*found.get(document.path, ()), document)
        return found

    def unknown_at(self, path: str) -> tuple[tuple[str, Unknown], ...]:
        """Give what is shown of that in an open file; of others there is no end."""
        return self.indexed.unknown_at(path) if path in self.opened else ()

    def is_shown(self, path: str) -> bool:
        """Tell whether the editor shows a file's diagnostics: it is open, or lies in a workspace folder."""
        return path in self.opened or any(within(path, folder.path) for folder in self.folders)

    def shown_overlaps(self) -> Mapping[str, tuple[FileOverlap, ...]]:
        """Give the overlaps by file, of each worktree of which a workspace folder shows something."""
        shown: dict[str, tuple[FileOverlap, ...]] = {}
        keys = [state.worktree.key for state in self.indexed.picture.worktrees]
        for key in keys:
            if any(within(key, folder.path) or within(folder.path, key) for folder in self.folders):
                nested = [other for other in keys if other != key and within(other, key)]
                shown |= {
                    path: seen
                    for path, seen in self.indexed.overlaps_in(key).items()
                    if not any(within(path, inner) for inner in nested)
                }
        return shown

    def uris(self, path: str) -> tuple[str, ...]:
        """Give every URI under which the client knows a path."""
        opened = tuple(document.uri for document in self.opened.get(path, ()))
        return opened or (file_uri(path, self.folders),)

    def text(self, path: str, entry: Entry | None) -> str:
        """Give the text whose lines the Picture's regions count: as typed where the Picture saw it, else as stored."""
        stamp = self.indexed.picture.documents.get(path)
        typed = (document.text for document in self.opened.get(path, ()) if document.stamp == stamp)
        found = next(typed, None)
        return self.indexed.text(entry) if found is None else found

    def is_current(self, document: Document, entry: Entry | None) -> bool:
        """Tell whether the Picture is about the document as it is now.

        A document that the Picture does not list had no edits of its own: then it must read like the stored content.
        Of several documents of one file it lists one, and is about those that read alike.
        """
        stamp = self.indexed.picture.documents.get(document.path)
        if stamp is not None:
            alike = self.opened.get(document.path, ())
            return stamp == document.stamp or any((one.stamp, one.text) == (stamp, document.text) for one in alike)
        content = self.indexed.content(entry) if entry is not None and entry.is_file else None
        return content is None or _unified(decode(content)) == _unified(document.text)


def _unified(text: str) -> str:
    return text.replace("\r\n", "\n")
