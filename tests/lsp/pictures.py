"""Pictures by hand, for tests of what a door makes of them."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sidecar.git.trees import parse_hunks
from sidecar.lsp.client import Client
from sidecar.lsp.documents import Document, Folder
from sidecar.lsp.editor_view import EditorView, IndexedPicture
from sidecar.model.changes import COMMITTED, FILE, Change, ChangeSet, Entry
from sidecar.model.hunks import Hunk
from sidecar.model.overlaps import Overlap, Region, Side
from sidecar.model.picture import Picture, Trunk, Worktree, WorktreeState

MINE, FEATURE, TRUNK = "/w/mine", "/w/feat-1", ""
BEFORE, AFTER = Entry(FILE, "1" * 40), Entry(FILE, "2" * 40)
ALL = Client("utf-16", *[True] * 9)


def side(key: str, **other: Any) -> Side:
    """A side that changed a.py, line 3."""
    given: dict[str, Any] = {
        "name": "feat-1" if key == FEATURE else key.rpartition("/")[2] or None,
        "ref": "feature/one" if key == FEATURE else "main" if key == TRUNK else "topic",
        "path": "a.py",
        "regions": (Region(3, 3),),
        "changed": (Region(3, 3),),
        "sources": (COMMITTED,),
        "before": BEFORE,
        "after": AFTER,
    }
    return Side(key, **{**given, **other})


def entry(number: int, mode: int = FILE) -> Entry:
    """An entry whose object id is a number."""
    return Entry(mode, f"{number:040x}")


def worktree(
    key: str, branch: str | None = None, *, main: bool = False, changes: tuple[Change, ...] = ()
) -> WorktreeState:
    """A worktree with these changes."""
    name = key.rpartition("/")[2]
    by_path = {change.path: change for change in changes}
    return WorktreeState(
        Worktree(key, name, f"/g/{name}", main, branch or name, "a" * 40),
        changes=ChangeSet("b" * 40, "c" * 40, by_path, by_path),
    )


def picture(
    *overlaps: Overlap,
    number: int = 1,
    states: tuple[WorktreeState, ...] | None = None,
    documents: Mapping[str, int] | None = None,
) -> Picture:
    """A Picture of trunk `main` in /w/repo, and of the worktrees /w/mine and /w/feat-1, unless told otherwise."""
    standard = (worktree("/w/repo", "main", main=True), worktree(MINE, "topic"), worktree(FEATURE, "feature/one"))
    trunk = Trunk("main", "refs/heads/main", "d" * 40)
    return Picture(number, "/w/repo/.git", trunk, standard if states is None else states, overlaps, documents or {})


def view(
    drawn: Picture,
    contents: Mapping[Entry, str | bytes] | None = None,
    *documents: Document,
    folders: tuple[str, ...] = ("/w",),
    client: Client = ALL,
    show: str = "everything",
) -> EditorView:
    """The view of a Picture; `contents` are what the session would give."""
    stored = {key: text.encode() if isinstance(text, str) else text for key, text in (contents or {}).items()}
    opened = {document.uri: document for document in documents}
    around = tuple(Folder(f"file://{folder}", folder) for folder in folders)

    def hunks(before: Entry, after: Entry) -> list[Hunk]:
        return hunks_between(stored[before], stored[after]) if stored.keys() >= {before, after} else []

    return EditorView(IndexedPicture(drawn, stored.get, hunks), opened, around, client, show)


def hunks_between(before: bytes, after: bytes) -> list[Hunk]:
    """What git says of two texts, as a session gives it."""
    with TemporaryDirectory() as folder:
        texts = [Path(folder, name) for name in ("before", "after")]
        for path, content in zip(texts, (before, after), strict=True):
            path.write_bytes(content)
        command = ["git", "diff", "--no-index", "--unified=0", "--diff-algorithm=histogram", *map(str, texts)]
        said = subprocess.run(command, capture_output=True, check=False).stdout
    return list(parse_hunks(said))


def document(path: str, text: str, *, version: int = 1, stamp: int = 1, uri: str | None = None) -> Document:
    """An open document."""
    return Document(uri or f"file://{path}", path, path.rpartition("/")[0], version, stamp, text)
