"""`textDocument/codeAction`: compare with the other side's version, take it, or merge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lsprotocol.types import (
    CodeAction,
    CodeActionKind,
    CodeActionParams,
    Command,
    Diagnostic,
    OptionalVersionedTextDocumentIdentifier,
    Range,
    TextDocumentEdit,
    TextEdit,
    WorkspaceEdit,
)

from sidecar.lsp.compare import COMPARE, argument
from sidecar.lsp.diagnostics import SOURCE, overlap_diagnostics, trunk_edit_diagnostic
from sidecar.lsp.documents import Document
from sidecar.lsp.fixes import MERGE, UPDATE, merge_fixes, move_fix
from sidecar.lsp.notices import IDENTICAL, Notice, notices
from sidecar.lsp.positions import decode, span_range
from sidecar.lsp.scene import Scene, Sight
from sidecar.lsp.take import taking
from sidecar.model.changes import Entry
from sidecar.model.messages import called


def code_actions(scene: Scene, document: Document, params: CodeActionParams) -> list[CodeAction | Command]:
    """The quick fixes for our diagnostics in a range of a document; none while it is ahead of the Picture."""
    wanted = params.context.only
    if wanted is not None and not any(_covers(kind, CodeActionKind.QuickFix) for kind in wanted):
        return []
    asked = [shown for shown in params.context.diagnostics if shown.source == SOURCE]
    found = [
        action
        for sight in scene.snapshot.sights.get(document.path, ())
        if scene.is_current(document, sight.mine.after)
        for action in _for_sight(scene, document, sight, params.range, asked)
    ]
    found += _for_trunk_edit(scene, document, params.range, asked)
    merges = {action.title: action for action in reversed(found) if _merges(action)}
    return [action for action in found if merges.get(action.title, action) is action]


def _for_trunk_edit(
    scene: Scene, document: Document, place: Range, asked: Sequence[Diagnostic]
) -> Iterator[CodeAction | Command]:
    change = scene.snapshot.trunk_edits.get(document.path)
    if change is None or not scene.is_current(document, change.after):
        return
    own = trunk_edit_diagnostic(scene, change, document.text)
    if not _touch(own.range, place):
        return
    command = move_fix(scene)
    if not scene.client.action_literals:
        yield command
        return
    fixed = [shown for shown in asked if _same(shown, own)]
    yield CodeAction(command.title, CodeActionKind.QuickFix, diagnostics=fixed or None, command=command)


def _merges(action: CodeAction | Command) -> bool:
    """Whether it is a fix that several overlaps of a line can have in common."""
    command = action.command if isinstance(action, CodeAction) else action
    return command is not None and command.command in (MERGE, UPDATE)


def _covers(wanted: str, kind: str) -> bool:
    return wanted in ("", kind) or kind.startswith(f"{wanted}.")


def _for_sight(
    scene: Scene, document: Document, sight: Sight, place: Range, asked: Sequence[Diagnostic]
) -> Iterator[CodeAction | Command]:
    drawn = overlap_diagnostics(scene, sight, document.text)
    touched = [(notice, own) for notice, own in zip(notices(sight), drawn, strict=True) if _touch(own.range, place)]
    if not touched:
        return
    theirs = f"{called(sight.other)}'s version"
    chosen = argument(scene, document.uri, sight.other)
    compare = Command(f"Compare with {theirs}", COMPARE, arguments=[chosen])
    merging = [] if sight.overlap.verdict == "identical" else list(merge_fixes(scene, sight))
    if not scene.client.action_literals:
        yield from (compare, *merging)
        return
    fixed = [shown for _, own in touched for shown in asked if _same(shown, own)]
    yield CodeAction(compare.title, CodeActionKind.QuickFix, diagnostics=fixed or None, command=compare)
    for notice, own in touched:
        edit = _take(scene, document, sight, notice)
        if edit is not None:
            fixed = [shown for shown in asked if _same(shown, own)]
            title = f"Take {theirs} of these lines"
            yield CodeAction(title, CodeActionKind.QuickFix, diagnostics=fixed or None, edit=edit)
    fixed = [shown for _, own in touched for shown in asked if _same(shown, own)]
    for command in merging:
        yield CodeAction(command.title, CodeActionKind.QuickFix, diagnostics=fixed or None, command=command)


def _touch(one: Range, two: Range) -> bool:
    """Whether two ranges have a position in common; a caret at the end of a line counts."""
    return one.start <= two.end and two.start <= one.end


def _same(one: Diagnostic, two: Diagnostic) -> bool:
    return (one.code, one.range, one.message) == (two.code, two.range, two.message)


def _take(scene: Scene, document: Document, sight: Sight, notice: Notice) -> WorkspaceEdit | None:
    """The edit after which these lines are the same on both sides; None where lines can't be taken."""
    if not notice.paired or notice.code == IDENTICAL:
        return None
    other = _exact_text(scene, sight.other.after)
    if other is None or sight.mine.after is None or not sight.mine.after.is_file:
        return None
    start, end, text = taking(document.text, notice.region, other, notice.theirs[0])
    if document.text[start:end] == text:
        return None
    edit = TextEdit(span_range(document.text, start, end, scene.client.encoding), text)
    if not scene.client.document_changes:
        return WorkspaceEdit(changes={document.uri: [edit]})
    identifier = OptionalVersionedTextDocumentIdentifier(document.uri, document.version)
    return WorkspaceEdit(document_changes=[TextDocumentEdit(identifier, [edit])])


def _exact_text(scene: Scene, entry: Entry | None) -> str | None:
    """A file's text; None when it is no text, because then what we would write is not what is there."""
    content = scene.snapshot.content(entry) if entry is not None and entry.is_file else None
    if content is None:
        return None
    text = decode(content)
    return text if "\ufffd" not in text or text.encode() == content.removeprefix(b"\xef\xbb\xbf") else None
