"""Unsaved text that stands in the way of an operation: only the editor's door knows of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from sidecar.lsp.documents import Document
from sidecar.lsp.positions import decode
from sidecar.lsp.scene import has_trunk
from sidecar.model.findings import Finding
from sidecar.model.messages import shown
from sidecar.model.picture import Picture, Worktree, locate

UNSAVED = "unsaved"
MOST_BYTES = 50 * 1024 * 1024


def unsaved_for_merge(picture: Picture | None, documents: Mapping[str, Document], key: str) -> tuple[Finding, ...]:
    """What is not saved of the worktree `key`, and of the files in trunk's checkout that merging it would write."""
    states = picture.worktrees if picture is not None else ()
    merged = next((state for state in states if state.worktree.key == key), None)
    if picture is None or merged is None:
        return ()
    touched = merged.changes.touched if merged.changes is not None else {}
    checkouts = (state for state in states if has_trunk(picture, state))
    found = [unsaved_in(picture, documents, merged.worktree)]
    found += [unsaved_in(picture, documents, state.worktree, touched.__contains__) for state in checkouts]
    return tuple(finding for finding in found if finding is not None)


def unsaved_in(
    picture: Picture,
    documents: Mapping[str, Document],
    worktree: Worktree,
    concerns: Callable[[str], bool] = lambda _path: True,
) -> Finding | None:
    """The finding about a worktree's documents (whose paths in it concern us) that are not saved, if there are any."""
    paths = tuple(sorted({path for path in _unsaved(picture, documents.values(), worktree) if concerns(path)}))
    if not paths:
        return None
    what = f"{shown(paths[0])} is" if len(paths) == 1 else f"{shown(paths[0])} and {len(paths) - 1} more are"
    return Finding(UNSAVED, "blocks", f"{what} not saved in {shown(worktree.name)}. Save first.", paths)


def _unsaved(picture: Picture, documents: Iterable[Document], worktree: Worktree) -> Iterable[str]:
    for document in documents:
        place = locate(picture, document.path)
        # One that was not edited and that the Picture leaves out has only not been read again since its file changed.
        suspect = document.edited or document.path in picture.documents
        if suspect and place is not None and place[0].key == worktree.key and not _is_saved(document):
            yield place[1]


def _is_saved(document: Document) -> bool:
    """Whether the file reads as the document does, apart from line ends."""
    file = Path(document.path)
    try:
        if file.stat().st_size > MOST_BYTES:
            return True
        content = file.read_bytes()
    except OSError:
        return False
    text = decode(content)
    return "\ufffd" in text or text.replace("\r\n", "\n") == document.text.replace("\r\n", "\n")
