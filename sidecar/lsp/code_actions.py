"""Answer `textDocument/codeAction`: compare with the other side's version, take its lines, merge, move or release."""

from __future__ import annotations

import re
from collections import Counter
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
from sidecar.lsp.diagnostics import SOURCE
from sidecar.lsp.documents import Document
from sidecar.lsp.editor_view import EditorView, FileOverlap
from sidecar.lsp.positions import decode, line_count, line_end, line_offset, span_range, text_lines
from sidecar.lsp.problems import IDENTICAL, Place, Problem, failing, met_at, trunk_edit, undoing
from sidecar.model.changes import Entry
from sidecar.model.messages import called
from sidecar.model.overlaps import Region, Side, region
from sidecar.model.picture import TRUNK_KEY, Undone, has_trunk, locate
from sidecar.model.words import shown

MERGE, UPDATE, RELEASE, MOVE = "sidecar.merge", "sidecar.update", "sidecar.release", "sidecar.move"
INTENDED = "sidecar.intended"
MORE = "worktreeSidecar.moreFixes"
"""The editor's own command that lets a person pick one of the quick fixes that it is given."""


def merge_fixes(view: EditorView, seen: FileOverlap) -> Iterator[Command]:
    """Say what merging can do about an overlap; a conflict with trunk is resolved here first."""
    if seen.other.key != TRUNK_KEY and is_integrated(view, seen.other.key):
        yield Command(f"Release {called(seen.other)}", RELEASE, arguments=[{"worktree": seen.other.key}])
    meets_trunk = seen.other.key == TRUNK_KEY
    merged = seen.mine if meets_trunk else seen.other
    fixes = []
    if _can_be_merged(view, merged):
        fixes.append(Command(f"Merge {called(merged)} into trunk", MERGE, arguments=[{"worktree": merged.key}]))
    if _can_be_merged(view, seen.mine):
        fixes.append(Command("Merge trunk into this worktree", UPDATE, arguments=[{"worktree": seen.mine.key}]))
    yield from reversed(fixes) if meets_trunk and seen.overlap.verdict == "conflict" else fixes


def move_fix(view: EditorView) -> Command:
    """Say what can be done about edits on trunk itself."""
    picture = view.indexed.picture
    branch = shown(picture.trunk.branch) if picture.trunk is not None else "trunk"
    title = f"Move these edits off {branch} into a new worktree"
    return Command(title, MOVE, arguments=[{"repository": picture.repository}])


def is_integrated(view: EditorView, key: str) -> bool:
    """Tell whether a linked worktree's work is in trunk, so that it can be let go of."""
    return any(
        state.worktree.key == key and not state.worktree.main and state.integration.state == "integrated"
        for state in view.indexed.picture.worktrees
    )


def _can_be_merged(view: EditorView, side: Side) -> bool:
    """Tell whether a side is a worktree beside trunk, and not trunk's own checkout."""
    picture = view.indexed.picture
    if picture.trunk is None:
        return False
    return any(state.worktree.key == side.key and not has_trunk(picture, state.worktree) for state in picture.worktrees)


_EOL = re.compile(r"\r\n|\n")


def taking(mine: str, region: Region, other: str, theirs: Region) -> tuple[int, int, str]:
    """Give (start, end, text): what to replace in `mine`, by offsets, so that its region reads like that of `other`.

    The lines get the line ends of `mine`. That the very last line of a file has none is taken over too.
    """
    eol = line_end(mine) or line_end(other) or "\n"
    start, end = _span(mine, region)
    text = "".join(_EOL.sub(eol, line) for line in text_lines(other, theirs))
    if text and not text.endswith(eol) and end < len(mine):
        text += eol
    if text and start == len(mine) and mine and not mine.endswith("\n"):
        text = eol + text
    return start, end, text


def _span(text: str, region: Region) -> tuple[int, int]:
    if region.gap is not None:
        at = line_offset(text, min(region.gap, line_count(text)) + 1)
        return at, at
    return line_offset(text, region.start), line_offset(text, region.end + 1)


MOST_FIXES = 6
"""How many quick fixes are offered at once."""

Fix = CodeAction | Command


def code_actions(view: EditorView, document: Document, params: CodeActionParams) -> list[Fix]:
    """Give the quick fixes for our problems in a range of a document; none while it is ahead of the Picture.

    Of many there are the first of each kind; a client that has a list for the others gets all of them behind the last.
    """
    wanted = params.context.only
    if wanted is not None and not any(_covers(kind, CodeActionKind.QuickFix) for kind in wanted):
        return []
    asked = [shown for shown in params.context.diagnostics if shown.source == SOURCE]
    found = fixes_at(view, document, params.range, asked)
    if len(found) <= MOST_FIXES or not view.client.more_fixes:
        return few(found, MOST_FIXES)
    more = Command("More...", MORE, arguments=[found])
    return [*few(found, MOST_FIXES - 1), CodeAction(more.title, CodeActionKind.QuickFix, command=more)]


def fixes_at(view: EditorView, document: Document, place: Range, asked: Sequence[Diagnostic] = ()) -> list[Fix]:
    """Give every quick fix for a range, those of a kind together; `asked` are the diagnostics that they can name."""
    met = met_at(view, current_overlaps(view, document), document.text)
    touched = [problem for problem in met if problem.is_at(place)]
    found = [
        *_comparing(view, document, touched, asked),
        *_taking(view, document, touched, asked),
        *_merging(view, touched, asked),
        *_for_trunk_edit(view, document, place, asked),
        *_for_undone(view, document, place, asked),
        *_for_broken(view, document, place, asked),
    ]
    kinds = list(dict.fromkeys(map(_kind, found)))
    return sorted(found, key=lambda fix: kinds.index(_kind(fix)))


def few(found: Sequence[Fix], most: int) -> list[Fix]:
    """Give so many of the fixes: the first of each kind, then the second of each; in the order that they have."""
    counts: Counter[str] = Counter()
    turns = []
    for fix in found:
        turns.append(counts[_kind(fix)])
        counts[_kind(fix)] += 1
    kept = sorted(range(len(found)), key=lambda at: (turns[at], at))[:most]
    return [found[at] for at in sorted(kept)]


def _kind(fix: Fix) -> str:
    """Give what a fix does: the name of its command, or none where it edits."""
    command = fix.command if isinstance(fix, CodeAction) else fix
    return command.command if command is not None else ""


def current_overlaps(view: EditorView, document: Document) -> list[FileOverlap]:
    """Give the overlaps of a document, unless it is ahead of the Picture."""
    overlaps = view.indexed.overlaps_at(document.path)
    return [seen for seen in overlaps if view.is_current(document, seen.mine.after)]


def current_undone(view: EditorView, document: Document) -> Undone | None:
    """Give what a document takes back of trunk, unless it is ahead of the Picture."""
    undone = view.indexed.undone.get(document.path)
    return undone if undone is not None and view.is_current(document, undone.after) else None


def _fix(
    view: EditorView,
    asked: Sequence[Diagnostic],
    problems: Sequence[Problem],
    done: Command | WorkspaceEdit,
    title: str = "",
) -> Fix:
    """Make the quick fix of some problems; a client that knows no code actions gets the command alone."""
    if isinstance(done, Command) and not view.client.action_literals:
        return done
    fixed = [shown for own in problems for shown in asked if _draws(shown, own)] or None
    if isinstance(done, Command):
        return CodeAction(done.title, CodeActionKind.QuickFix, diagnostics=fixed, command=done)
    return CodeAction(title, CodeActionKind.QuickFix, diagnostics=fixed, edit=done)


def _draws(shown: Diagnostic, problem: Problem) -> bool:
    """Tell whether a diagnostic is that of a problem; a client may have left out lines at its end."""
    return (shown.code, shown.message, shown.range.start) == (problem.code, problem.message, problem.range.start)


def _covers(wanted: str, kind: str) -> bool:
    return wanted in ("", kind) or kind.startswith(f"{wanted}.")


def _comparing(
    view: EditorView, document: Document, problems: Sequence[Problem], asked: Sequence[Diagnostic]
) -> Iterator[Fix]:
    """Offer to compare with the other, or to choose one of several."""
    others = {place.seen.other.key: place.seen.other for problem in problems for place in problem.places}
    if not others:
        return
    title, side = "Compare with another version...", None
    if len(others) == 1:
        (side,) = others.values()
        title = f"Compare with {called(side)}'s version"
    yield _fix(view, asked, problems, Command(title, COMPARE, arguments=[argument(view, document.uri, side)]))


def _taking(
    view: EditorView, document: Document, problems: Sequence[Problem], asked: Sequence[Diagnostic]
) -> Iterator[Fix]:
    """Offer the lines of each other side."""
    for own, place in _each(problems):
        edit = _take(view, document, own, place) if view.client.action_literals else None
        if edit is not None:
            yield _fix(view, asked, [own], edit, f"Take {called(place.seen.other)}'s version of these lines")


def _merging(view: EditorView, problems: Sequence[Problem], asked: Sequence[Diagnostic]) -> Iterator[Fix]:
    """Offer what merging can do about each overlap, once."""
    offered: dict[tuple[str, str], tuple[Command, list[Problem]]] = {}
    for own, place in _each(problems):
        for command in merge_fixes(view, place.seen) if place.seen.overlap.verdict != "identical" else ():
            fixed = offered.setdefault((command.title, repr(command.arguments)), (command, []))[1]
            if not fixed or fixed[-1] is not own:
                fixed.append(own)
    yield from (_fix(view, asked, fixed, command) for command, fixed in offered.values())


def _each(problems: Sequence[Problem]) -> Iterator[tuple[Problem, Place]]:
    for problem in problems:
        yield from ((problem, place) for place in problem.places)


def _for_trunk_edit(view: EditorView, document: Document, place: Range, asked: Sequence[Diagnostic]) -> Iterator[Fix]:
    change = view.indexed.trunk_edits.get(document.path)
    if change is None or not view.is_current(document, change.after):
        return
    own = trunk_edit(view, change, document.text)
    if own.is_at(place):
        yield _fix(view, asked, [own], move_fix(view))


def _for_undone(view: EditorView, document: Document, place: Range, asked: Sequence[Diagnostic]) -> Iterator[Fix]:
    """Offer trunk's lines for those that take them back, and to say that it is intended."""
    undone = current_undone(view, document)
    if undone is None:
        return
    trunks = _exact_text(view, undone.before) if view.client.action_literals else None
    problems = undoing(view, undone, document.text)
    here = [own for own in problems if own.is_at(place)]
    for hunk, own in zip(undone.hunks, problems, strict=False):
        if trunks is None or own not in here:
            continue
        theirs = region(hunk.base + 1, hunk.base_count)
        edit = _edit(view, document, taking(document.text, hunk.changed, trunks, theirs))
        if edit is not None:
            yield _fix(view, asked, [own], edit, "Take trunk's lines back")
    if here:
        given = {"worktree": document.path.removesuffix(f"/{undone.path}"), "path": undone.path}
        said = {**given, "commits": sorted(undone.commits), "confirmed": True}
        yield _fix(view, asked, here, Command("Intended: no longer tell this", INTENDED, arguments=[said]))


def _for_broken(view: EditorView, document: Document, place: Range, asked: Sequence[Diagnostic]) -> Iterator[Fix]:
    """Offer to merge trunk into the worktree, where what both break together can be mended and tried."""
    broken = view.indexed.broken.get(document.path, ())
    picture, here = view.indexed.picture, locate(view.indexed.picture, document.path)
    if here is None or has_trunk(picture, here[0]) or not (broken and view.is_current(document, broken[0].entry)):
        return
    own = [problem for problem in failing(view, broken, document.text) if problem.is_at(place)]
    if own:
        yield _fix(
            view, asked, own, Command("Merge trunk into this worktree", UPDATE, arguments=[{"worktree": here[0].key}])
        )


def _take(view: EditorView, document: Document, problem: Problem, place: Place) -> WorkspaceEdit | None:
    """Give the edit after which these lines are the same on both sides; None where lines can't be taken."""
    mine, theirs = place.seen.mine, place.seen.other
    if not place.paired or problem.code == IDENTICAL:
        return None
    other = _exact_text(view, theirs.after)
    if other is None or mine.after is None or not mine.after.is_file:
        return None
    return _edit(view, document, taking(document.text, place.region, other, place.theirs[0]))


def _edit(view: EditorView, document: Document, taken: tuple[int, int, str]) -> WorkspaceEdit | None:
    """Make what `taking` gave an edit of the document; None where it would change nothing."""
    start, end, text = taken
    if document.text[start:end] == text:
        return None
    edit = TextEdit(span_range(document.text, start, end, view.client.encoding), text)
    if not view.client.document_changes:
        return WorkspaceEdit(changes={document.uri: [edit]})
    identifier = OptionalVersionedTextDocumentIdentifier(document.uri, document.version)
    return WorkspaceEdit(document_changes=[TextDocumentEdit(identifier, [edit])])


def _exact_text(view: EditorView, entry: Entry | None) -> str | None:
    """Give a file's text; None when it is no text, because then what we would write is not what is there."""
    content = view.indexed.content(entry) if entry is not None and entry.is_file else None
    if content is None:
        return None
    text = decode(content)
    return text if "\ufffd" not in text or text.encode() == content.removeprefix(b"\xef\xbb\xbf") else None
