"""`textDocument/codeLens`: above the first line of a file, who else changed it."""

from __future__ import annotations

from lsprotocol.types import CodeLens, Command, Position, Range

from sidecar.lsp.compare import COMPARE, argument
from sidecar.lsp.documents import Document
from sidecar.lsp.scene import Scene
from sidecar.model.messages import called, lens_title


def code_lenses(scene: Scene, document: Document) -> list[CodeLens]:
    """The lens of a file that others changed too; it compares with the one other side, or asks with which."""
    title = lens(scene, document.path)
    if title is None:
        return []
    start = Position(0, 0)
    return [CodeLens(Range(start, start), Command(title, COMPARE, arguments=[argument(scene, document.uri)]))]


def lens(scene: Scene, path: str) -> str | None:
    """The lens's words; None for a file that has no overlap."""
    sights = scene.snapshot.sights.get(path, ())
    verdicts: dict[str, tuple[str, str]] = {}
    for sight in sights:
        if verdicts.get(sight.other.key, ("", ""))[1] != "conflict":
            verdicts[sight.other.key] = (called(sight.other), sight.overlap.verdict)
    return lens_title(list(verdicts.values())) if verdicts else None


def lenses(scene: Scene) -> dict[str, str | None]:
    """The lens of each open document, to notice when they need to be shown anew."""
    return {path: lens(scene, path) for path in scene.opened}
