"""Answer `textDocument/codeLens`: above a file's first line, who else changed it, and whether its worktree is done."""

from __future__ import annotations

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
    commands = []
    title = lens(view, document.path)
    if title is not None:
        commands.append(Command(title, COMPARE, arguments=[argument(view, document.uri)]))
    done = done_lens(view, document.path)
    if done is not None:
        commands.append(done)
    start = Position(0, 0)
    return [CodeLens(Range(start, start), command) for command in commands]


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
    file_overlaps = view.indexed.overlaps_at(path)
    verdicts: dict[str, tuple[str, str]] = {}
    for seen in file_overlaps:
        if is_numbered(seen):
            continue
        if verdicts.get(seen.other.key, ("", ""))[1] != "conflict":
            verdicts[seen.other.key] = (called(seen.other), seen.overlap.verdict)
    return lens_title(list(verdicts.values())) if verdicts else None


def lenses(view: EditorView) -> dict[str, str | None]:
    """Give the lens of each open document, to notice when they need to be shown anew."""
    return {path: _words(view, path) for path in view.opened}


def _words(view: EditorView, path: str) -> str | None:
    done = done_lens(view, path)
    said = [title for title in (lens(view, path), done and done.title) if title]
    return "\n".join(said) or None
