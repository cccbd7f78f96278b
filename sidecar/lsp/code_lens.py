"""Answer `textDocument/codeLens`: above a file's first line, who else changed it, and whether its worktree is done."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol.types import CodeLens, Command, Position, Range

from sidecar.lsp.code_actions import RELEASE, is_integrated
from sidecar.lsp.compare import COMPARE, argument
from sidecar.lsp.documents import Document
from sidecar.lsp.editor_view import EditorView
from sidecar.lsp.problems import is_numbered
from sidecar.model.messages import called, lens_title
from sidecar.model.picture import locate
from sidecar.model.words import shown


def code_lenses(view: EditorView, document: Document) -> list[CodeLens]:
    """Give the lens of a file that others changed too, to compare, and of a worktree that is done, to release it."""
    start = Position(0, 0)
    return [CodeLens(Range(start, start), command) for command in _commands(view, document.path, document.uri)]


def lenses(view: EditorView) -> dict[str, str | None]:
    """Give the words of the lenses of each open document, to notice when they need to be shown anew."""
    return {path: "\n".join(one.title for one in _commands(view, path)) or None for path in view.opened}


def _commands(view: EditorView, path: str, uri: str = "") -> Iterator[Command]:
    if (title := lens(view, path)) is not None:
        yield Command(title, COMPARE, arguments=[argument(view, uri)])
    if (done := done_lens(view, path)) is not None:
        yield done


def done_lens(view: EditorView, path: str) -> Command | None:
    """Give the lens of a file whose worktree is integrated; None for any other."""
    picture = view.indexed.picture
    place = locate(picture, path)
    if place is None or picture.trunk is None or not is_integrated(view, place[0].key):
        return None
    title = f"All work of {shown(place[0].name)} is in {shown(picture.trunk.branch)}: release it"
    return Command(title, RELEASE, arguments=[{"worktree": place[0].key}])


def lens(view: EditorView, path: str) -> str | None:
    """Give the lens's words; None for a file that has no overlap."""
    verdicts: dict[str, tuple[str, str]] = {}
    for seen in view.indexed.overlaps_at(path):
        if not is_numbered(seen) and verdicts.get(seen.other.key, ("", ""))[1] != "conflict":
            verdicts[seen.other.key] = (called(seen.other), seen.overlap.verdict)
    return lens_title(list(verdicts.values())) if verdicts else None
