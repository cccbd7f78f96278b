"""`textDocument/codeLens`: above the first line of a file, who else changed it, and whether its worktree is done."""

from __future__ import annotations

from lsprotocol.types import CodeLens, Command, Position, Range

from sidecar.lsp.compare import COMPARE, argument
from sidecar.lsp.documents import Document
from sidecar.lsp.fixes import RELEASE, is_integrated
from sidecar.lsp.scene import Scene
from sidecar.model.messages import called, lens_title, shown
from sidecar.model.picture import locate


def code_lenses(scene: Scene, document: Document) -> list[CodeLens]:
    """The lens of a file that others changed too, which compares; and of a worktree that is done, which releases it."""
    commands = []
    title = lens(scene, document.path)
    if title is not None:
        commands.append(Command(title, COMPARE, arguments=[argument(scene, document.uri)]))
    done = done_lens(scene, document.path)
    if done is not None:
        commands.append(done)
    start = Position(0, 0)
    return [CodeLens(Range(start, start), command) for command in commands]


def done_lens(scene: Scene, path: str) -> Command | None:
    """The lens of a file whose worktree is integrated; None for any other."""
    picture = scene.snapshot.picture
    place = locate(picture, path)
    if place is None or picture.trunk is None or not is_integrated(scene, place[0].key):
        return None
    title = f"All work of {shown(place[0].name)} is in {shown(picture.trunk.branch)}: release it"
    return Command(title, RELEASE, arguments=[{"worktree": place[0].key}])


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
    return {path: _words(scene, path) for path in scene.opened}


def _words(scene: Scene, path: str) -> str | None:
    done = done_lens(scene, path)
    said = [title for title in (lens(scene, path), done and done.title) if title]
    return "\n".join(said) or None
