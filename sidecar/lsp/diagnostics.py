"""Draw `textDocument/publishDiagnostics`: the problems of every file that the editor shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
from sidecar.lsp.editor_view import EditorView, FileOverlap
from sidecar.lsp.positions import region_range
from sidecar.lsp.problems import (
    BOTH_APPEND,
    BROKEN_USE,
    CONFLICT,
    FAILS_TOGETHER,
    IDENTICAL,
    OVERLAP,
    SAME_NUMBER,
    TRUNK_CONFLICT,
    TRUNK_EDIT,
    UNDOES_TRUNK,
    UNKNOWN,
    Problem,
    breaking,
    code_of,
    failing,
    met_at,
    not_known,
    trunk_edit,
    undoing,
)
from sidecar.model.broken_uses import broken_use_sentence
from sidecar.model.changes import Entry
from sidecar.model.messages import deed_sentence, party
from sidecar.model.overlaps import Region
from sidecar.model.picture import TRUNK_KEY, BrokenUse, End
from sidecar.model.words import shown

SOURCE = "sidecar"
SEVERITIES = {
    CONFLICT: DiagnosticSeverity.Warning,
    OVERLAP: DiagnosticSeverity.Information,
    IDENTICAL: DiagnosticSeverity.Hint,
    TRUNK_CONFLICT: DiagnosticSeverity.Warning,
    TRUNK_EDIT: DiagnosticSeverity.Information,
    UNDOES_TRUNK: DiagnosticSeverity.Warning,
    UNKNOWN: DiagnosticSeverity.Information,
    SAME_NUMBER: DiagnosticSeverity.Information,
    BOTH_APPEND: DiagnosticSeverity.Information,
    FAILS_TOGETHER: DiagnosticSeverity.Warning,
    BROKEN_USE: DiagnosticSeverity.Information,
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


def publish(view: EditorView, before: Published) -> Published:
    """Give what the client should know now, open documents first. Files that nothing happened to are not drawn again.

    Documents that have moved on since the Picture was drawn keep what they had: old lines would be wrong, and the next
    Picture is about them.
    """
    by_uri: dict[str, Publication] = {}
    drawn: dict[str, tuple[object, tuple[Diagnostic, ...]]] = {}
    indexed, shown = view.indexed, view.shown_overlaps()
    told = (shown, indexed.trunk_edits, indexed.undone, indexed.broken, indexed.broken_uses)
    for path in dict.fromkeys((*view.opened, *(path for one in told for path in one))):
        opened = view.opened.get(path, ())
        if not view.is_shown(path):
            continue
        seen = shown[path] if path in shown else indexed.overlaps_at(path)
        current = [document for document in opened if view.is_current(document, _entry(view, path, seen))]
        by_uri |= {document.uri: before.by_uri[document.uri] for document in opened if document.uri in before.by_uri}
        if opened and not current:
            continue
        source = _source(view, path, seen)
        known = before.drawn.get(path)
        drawn[path] = known if known and known[0] == source else (source, tuple(_of_file(view, path, seen)))
        for document in current:
            by_uri[document.uri] = Publication(document.version, drawn[path][1])
        if not opened:
            by_uri[view.uris(path)[0]] = Publication(None, drawn[path][1])
    return Published({uri: found for uri, found in by_uri.items() if found.diagnostics}, drawn)


def news(before: Published, after: Published) -> Iterator[PublishDiagnosticsParams]:
    """Make the notifications that lead the client from one state to another; what is gone is told as nothing."""
    for uri in [uri for uri in before.by_uri if uri not in after.by_uri]:
        yield PublishDiagnosticsParams(uri, ())
    for uri, publication in after.by_uri.items():
        if before.by_uri.get(uri) != publication:
            yield PublishDiagnosticsParams(uri, publication.diagnostics, publication.version)


def _source(view: EditorView, path: str, file_overlaps: Sequence[FileOverlap]) -> object:
    """Give all that a file's diagnostics are made of, apart from what an object id stands for."""
    places = [other_path(view, seen) for seen in file_overlaps]
    return (
        file_overlaps,
        [(document.uri, document.stamp) for document in view.opened.get(path, ())],
        places,
        [view.uris(place) for place in places if place and place in view.opened],
        view.folders,
        view.indexed.trunk_edits.get(path),
        view.indexed.others,
        view.indexed.picture.trunk and view.indexed.picture.trunk.branch,
        view.indexed.undone.get(path),
        view.indexed.broken.get(path),
        view.indexed.broken_uses.get(path),
        view.unknown_at(path),
        view.show,
    )


def _of_file(view: EditorView, path: str, file_overlaps: Sequence[FileOverlap]) -> Iterator[Diagnostic]:
    text = view.text(path, _entry(view, path, file_overlaps))
    for problem in met_at(view, file_overlaps, text, view.show):
        yield overlap_diagnostic(view, path, problem)
    change = view.indexed.trunk_edits.get(path)
    if change is not None:
        yield diagnostic(view, trunk_edit(view, change, text))
    if (undone := view.indexed.undone.get(path)) is not None:
        for index, problem in enumerate(undoing(view, undone, text)):
            yield diagnostic(view, problem, data={"commit": undone.commit, "index": index})
    for problem in failing(view, view.indexed.broken.get(path, ()), text):
        yield diagnostic(view, problem)
    for one, end in view.indexed.broken_uses.get(path, ()):
        yield from _broken(view, one, end, text)
    for key, unknown in view.unknown_at(path):
        data = {"worktree": unknown.name(key), "key": key, "index": 0}
        yield diagnostic(view, not_known(view, unknown, text), data=data)


def _broken(view: EditorView, one: BrokenUse, end: End, text: str) -> Iterator[Diagnostic]:
    """Draw a broken use at one of its ends: a warning where the merge would have the definition nowhere."""
    other = one.used if end is one.removed else one.removed
    related: list[DiagnosticRelatedInformation] | None = None
    if view.client.related_information and other.name is not None and other.after is not None:
        path = f"{other.key}/{other.path}"
        lines = region_range(view.text(path, other.after), Region(other.line, other.line), view.client.encoding)
        said = f"{shown(other.name)}: {broken_use_sentence(one, other.key)}"
        related = [DiagnosticRelatedInformation(Location(view.uris(path)[0], lines), said)]
    for problem in breaking(view, one, end, text):
        drawn = diagnostic(view, problem, related)
        drawn.severity = DiagnosticSeverity.Warning if one.nowhere else drawn.severity
        yield drawn


def overlap_diagnostic(view: EditorView, path: str, problem: Problem) -> Diagnostic:
    """Give the diagnostic of a problem at which others are met; its data name each of them, the first one on top."""
    first, *rest = [
        {"worktree": place.seen.other.name, "key": place.seen.other.key, "index": place.index}
        for place in problem.places
    ]
    others = [{"code": code_of(place.seen), **of} for place, of in zip(problem.places[1:], rest, strict=True)]
    data = {**first, "others": others} if others else first
    related = list(_related(view, path, problem)) if view.client.related_information else []
    return diagnostic(view, problem, related or None, data)


def _related(view: EditorView, path: str, problem: Problem) -> Iterator[DiagnosticRelatedInformation]:
    """Give the other side's lines of each place; among several, one without lines says what it did."""
    for place in problem.places:
        seen, file = place.seen, other_path(view, place.seen)
        lines = Location(view.uris(path)[0], problem.range)
        if file and place.theirs:
            theirs = view.text(file, seen.other.after)
            lines = Location(view.uris(file)[0], region_range(theirs, place.theirs[0], view.client.encoding))
        elif len(problem.places) == 1:
            return
        alone = f"{party(seen.other)} has these lines."
        deed = deed_sentence(seen.overlap, seen.mine, seen.other, place.theirs)
        yield DiagnosticRelatedInformation(lines, alone if len(problem.places) == 1 else deed)


def diagnostic(
    view: EditorView,
    problem: Problem,
    related: list[DiagnosticRelatedInformation] | None = None,
    data: dict[str, Any] | None = None,
) -> Diagnostic:
    """Give the diagnostic that a problem is."""
    page = page_uri(problem.code) if view.client.code_description else None
    return Diagnostic(
        range=problem.range,
        message=problem.message,
        severity=SEVERITIES[problem.code],
        code=problem.code,
        source=SOURCE,
        code_description=CodeDescription(page) if page else None,
        related_information=related,
        data=data,
    )


@cache
def page_uri(code: str) -> str | None:
    """Find where a person reads what a code means."""
    page = PAGES / f"{code}.md"
    return plain_uri(str(page)) if page.is_file() else None


def other_path(view: EditorView, seen: FileOverlap) -> str | None:
    """Find the file that holds the other side's content: its own, or for trunk an unchanged one of a worktree."""
    if seen.other.after is None:
        return None
    if seen.other.key != TRUNK_KEY:
        return None if seen.other.key in view.indexed.missing else f"{seen.other.key}/{seen.other.path}"
    holders = (
        state.worktree.key
        for state in view.indexed.trunk_checkouts
        if state.changes is not None and state.changes.named(seen.other.path) is None
    )
    holder = next(holders, None)
    return holder and f"{holder}/{seen.other.path}"


def _entry(view: EditorView, path: str, file_overlaps: Sequence[FileOverlap]) -> Entry | None:
    if file_overlaps:
        return file_overlaps[0].mine.after
    change = view.indexed.trunk_edits.get(path) or view.indexed.undone.get(path)
    if change is not None:
        return change.after
    broken = view.indexed.broken.get(path)
    if broken:
        return broken[0].entry
    return next((end.after for _, end in view.indexed.broken_uses.get(path, ())), None)
