"""`textDocument/publishDiagnostics`: the notices of every file that the editor shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from lsprotocol.types import (
    CodeDescription,
    Diagnostic,
    DiagnosticRelatedInformation,
    DiagnosticSeverity,
    Location,
    PublishDiagnosticsParams,
)

from sidecar.lsp.documents import plain_uri
from sidecar.lsp.notices import CONFLICT, IDENTICAL, OVERLAP, TRUNK_CONFLICT, TRUNK_EDIT, Notice, notices, trunk_edit
from sidecar.lsp.positions import region_range
from sidecar.lsp.scene import Scene, Sight, has_trunk
from sidecar.model.changes import Change, Entry
from sidecar.model.messages import party
from sidecar.model.picture import TRUNK_KEY

SOURCE = "sidecar"
SEVERITIES = {
    CONFLICT: DiagnosticSeverity.Warning,
    OVERLAP: DiagnosticSeverity.Information,
    IDENTICAL: DiagnosticSeverity.Hint,
    TRUNK_CONFLICT: DiagnosticSeverity.Warning,
    TRUNK_EDIT: DiagnosticSeverity.Information,
}
PAGES = Path(__file__).with_name("pages")
"""One page for each code; data of the package, so that links work without a network."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What the client is told of one URI; `version` is the client's, None for a file that is not open."""

    version: int | None
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """What the client knows of one repository, by URI; and by path what was drawn, and from what."""

    by_uri: Mapping[str, Publication] = field(default_factory=dict)
    drawn: Mapping[str, tuple[object, tuple[Diagnostic, ...]]] = field(default_factory=dict)


def publish(scene: Scene, before: Published) -> Published:
    """What the client should know now, open documents first. Files that nothing happened to are not drawn again.

    Documents that have moved on since the Picture was drawn keep what they had: old lines would be wrong, and the next
    Picture is about them.
    """
    by_uri: dict[str, Publication] = {}
    drawn: dict[str, tuple[object, tuple[Diagnostic, ...]]] = {}
    for path in dict.fromkeys((*scene.opened, *scene.snapshot.sights, *scene.snapshot.trunk_edits)):
        opened = scene.opened.get(path, ())
        if not scene.is_shown(path):
            continue
        current = [document for document in opened if scene.is_current(document, _entry(scene, path))]
        by_uri |= {document.uri: before.by_uri[document.uri] for document in opened if document.uri in before.by_uri}
        if opened and not current:
            continue
        source = _source(scene, path)
        known = before.drawn.get(path)
        drawn[path] = known if known and known[0] == source else (source, tuple(_of_file(scene, path)))
        for document in current:
            by_uri[document.uri] = Publication(document.version, drawn[path][1])
        if not opened:
            by_uri[scene.uris(path)[0]] = Publication(None, drawn[path][1])
    return Published({uri: found for uri, found in by_uri.items() if found.diagnostics}, drawn)


def news(before: Published, after: Published) -> Iterator[PublishDiagnosticsParams]:
    """The notifications that lead the client from one state to another: what changed, and nothing for what is gone."""
    for uri in [uri for uri in before.by_uri if uri not in after.by_uri]:
        yield PublishDiagnosticsParams(uri, ())
    for uri, publication in after.by_uri.items():
        if before.by_uri.get(uri) != publication:
            yield PublishDiagnosticsParams(uri, publication.diagnostics, publication.version)


def _source(scene: Scene, path: str) -> object:
    """All that a file's diagnostics are made of, apart from what an object id stands for."""
    sights = scene.snapshot.sights.get(path, ())
    places = [other_path(scene, sight) for sight in sights]
    return (
        sights,
        [(document.uri, document.stamp) for document in scene.opened.get(path, ())],
        [(place, scene.uris(place)) for place in places if place],
        scene.snapshot.trunk_edits.get(path),
        scene.snapshot.others,
    )


def _of_file(scene: Scene, path: str) -> Iterator[Diagnostic]:
    change = scene.snapshot.trunk_edits.get(path)
    text = scene.text(path, _entry(scene, path))
    for sight in scene.snapshot.sights.get(path, ()):
        yield from overlap_diagnostics(scene, sight, text)
    if change is not None:
        yield trunk_edit_diagnostic(scene, change, text)


def trunk_edit_diagnostic(scene: Scene, change: Change, text: str) -> Diagnostic:
    """The diagnostic of a file that is edited directly on trunk."""
    return _diagnostic(scene, trunk_edit(scene.snapshot, change), text)


def overlap_diagnostics(scene: Scene, sight: Sight, text: str) -> Iterator[Diagnostic]:
    """The diagnostics of one overlap in the file whose text this is, in the order of `notices`."""
    place = other_path(scene, sight) if scene.client.related_information else None
    theirs = scene.text(place, sight.other.after) if place else ""
    for index, notice in enumerate(notices(sight)):
        data = {"worktree": sight.other.name, "key": sight.other.key, "index": index}
        related = None
        if place and notice.theirs:
            lines = Location(scene.uris(place)[0], region_range(theirs, notice.theirs[0], scene.client.encoding))
            related = [DiagnosticRelatedInformation(lines, f"{party(sight.other)} has these lines.")]
        yield _diagnostic(scene, notice, text, related, data)


def _diagnostic(
    scene: Scene,
    notice: Notice,
    text: str,
    related: list[DiagnosticRelatedInformation] | None = None,
    data: dict[str, Any] | None = None,
) -> Diagnostic:
    page = page_uri(notice.code) if scene.client.code_description else None
    return Diagnostic(
        range=region_range(text, notice.region, scene.client.encoding),
        message=notice.message,
        severity=SEVERITIES[notice.code],
        code=notice.code,
        source=SOURCE,
        code_description=CodeDescription(page) if page else None,
        related_information=related,
        data=data,
    )


@cache
def page_uri(code: str) -> str | None:
    """Where a person reads what a code means."""
    page = PAGES / f"{code}.md"
    return plain_uri(str(page)) if page.is_file() else None


def other_path(scene: Scene, sight: Sight) -> str | None:
    """The file that holds the other side's content: its own, or for trunk that of a worktree which has it unchanged."""
    if sight.other.after is None:
        return None
    if sight.other.key != TRUNK_KEY:
        return f"{sight.other.key}/{sight.other.path}"
    picture = scene.snapshot.picture
    holders = (
        state.worktree.key
        for state in picture.worktrees
        if has_trunk(picture, state) and state.changes is not None and state.changes.named(sight.other.path) is None
    )
    holder = next(holders, None)
    return holder and f"{holder}/{sight.other.path}"


def _entry(scene: Scene, path: str) -> Entry | None:
    sight = next(iter(scene.snapshot.sights.get(path, ())), None)
    if sight is not None:
        return sight.mine.after
    change = scene.snapshot.trunk_edits.get(path)
    return change.after if change is not None else None
