"""One moment that a handler works on: a Picture, and the documents as typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sidecar.lsp.client import Client
from sidecar.lsp.documents import Document, Folder, file_uri, within
from sidecar.lsp.positions import decode
from sidecar.model.changes import COMMITTED, Change, Entry
from sidecar.model.overlaps import Overlap, Side
from sidecar.model.picture import Picture, WorktreeState


@dataclass(frozen=True, slots=True)
class Sight:
    """An overlap as it is seen from the file `path` (absolute) of one of its two sides."""

    path: str
    overlap: Overlap
    mine: Side
    other: Side


@dataclass(frozen=True)
class Snapshot:
    """A Picture by file; `content` gives the bytes of an entry, as `Session.content` does."""

    picture: Picture
    content: Callable[[Entry], bytes | None]

    @cached_property
    def sights(self) -> Mapping[str, tuple[Sight, ...]]:
        """Every overlap, by each file that it is seen from. Trunk's own side has no file."""
        found: dict[str, list[Sight]] = {}
        keys = {state.worktree.key for state in self.picture.worktrees}
        for overlap in self.picture.overlaps:
            for mine, other in (overlap.sides, overlap.sides[::-1]):
                if mine.key in keys:
                    path = f"{mine.key}/{mine.path}"
                    found.setdefault(path, []).append(Sight(path, overlap, mine, other))
        return {path: tuple(sights) for path, sights in found.items()}

    @cached_property
    def trunk_edits(self) -> Mapping[str, Change]:
        """By absolute path, what nobody has committed yet in a worktree that has trunk checked out, if others exist."""
        linked = any(not state.worktree.main and state.worktree.readable for state in self.picture.worktrees)
        return {
            f"{state.worktree.key}/{change.path}": change
            for state in self.picture.worktrees
            if linked and has_trunk(self.picture, state) and self.others and state.changes is not None
            for change in state.changes
            if any(source != COMMITTED for source in change.sources)
        }

    @property
    def others(self) -> int:
        """How many worktrees there are beside one that is asked about."""
        return sum(state.worktree.readable for state in self.picture.worktrees) - 1

    def text(self, entry: Entry | None) -> str:
        """A file's text, "" for anything else."""
        return decode(self.content(entry) or b"") if entry is not None and entry.is_file else ""


@dataclass(frozen=True)
class Scene:
    """A Snapshot, and what the editor has open now; `documents` are by URI."""

    snapshot: Snapshot
    documents: Mapping[str, Document] = field(default_factory=dict)
    folders: tuple[Folder, ...] = ()
    client: Client = field(default_factory=Client)

    @cached_property
    def opened(self) -> Mapping[str, tuple[Document, ...]]:
        """The open documents by path; one file can be open under several URIs."""
        found: dict[str, tuple[Document, ...]] = {}
        for document in self.documents.values():
            found[document.path] = (*found.get(document.path, ()), document)
        return found

    def is_shown(self, path: str) -> bool:
        """Whether the editor shows a file's diagnostics: it is open, or lies in a workspace folder."""
        return path in self.opened or any(within(path, folder.path) for folder in self.folders)

    def uris(self, path: str) -> tuple[str, ...]:
        """Every URI under which the client knows a path."""
        opened = tuple(document.uri for document in self.opened.get(path, ()))
        return opened or (file_uri(path, self.folders),)

    def text(self, path: str, entry: Entry | None) -> str:
        """The text whose lines the Picture's regions count: as typed where the Picture saw it, else as stored."""
        stamp = self.snapshot.picture.documents.get(path)
        typed = (document.text for document in self.opened.get(path, ()) if document.stamp == stamp)
        found = next(typed, None)
        return self.snapshot.text(entry) if found is None else found

    def is_current(self, document: Document, entry: Entry | None) -> bool:
        """Whether the Picture is about the document as it is now.

        A document that the Picture does not list had no edits of its own: then it must read like the stored content.
        """
        stamp = self.snapshot.picture.documents.get(document.path)
        if stamp is not None:
            return stamp == document.stamp
        content = self.snapshot.content(entry) if entry is not None and entry.is_file else None
        return content is None or _unified(decode(content)) == _unified(document.text)


def has_trunk(picture: Picture, state: WorktreeState) -> bool:
    """Whether a worktree has trunk checked out."""
    trunk = picture.trunk
    return trunk is not None and trunk.commit is not None and state.worktree.branch == trunk.branch


def _unified(text: str) -> str:
    return text.replace("\r\n", "\n")
