"""The quick fixes: what they offer, and what they would write."""

from dataclasses import replace
from typing import Any

import pytest
from lsprotocol.types import (
    CodeAction,
    CodeActionContext,
    CodeActionKind,
    CodeActionParams,
    Command,
    Diagnostic,
    Position,
    Range,
    TextDocumentEdit,
    TextDocumentIdentifier,
    TextEdit,
)

from sidecar.lsp.client import Client
from sidecar.lsp.code_actions import code_actions
from sidecar.lsp.diagnostics import Published, publish
from sidecar.lsp.documents import Document
from sidecar.lsp.editor_view import EditorView
from sidecar.model.changes import SYMLINK
from sidecar.model.overlaps import Overlap, Region, region
from sidecar.model.picture import Integration
from tests.lsp.pictures import ALL, FEATURE, MINE, TRUNK, document, entry, picture, side, view, worktree

MY_FILE = f"{MINE}/a.py"
MY_TEXT, THEIR_TEXT = "one\ntwo\nmine\nfour\n", "one\ntwo\ntheirs\nand more\nfour\n"
OURS, THEIRS = entry(3), entry(4)
LINE_3 = Range(Position(2, 0), Position(2, 0))


def moment(
    overlap: Overlap | None = None,
    opened: Document | None = None,
    client: Client = ALL,
    theirs: str | bytes = THEIR_TEXT,
) -> EditorView:
    mine, other = side(MINE, after=OURS), side(FEATURE, after=THEIRS, regions=(region(3, 2),), changed=(region(3, 2),))
    opened = opened or document(MY_FILE, MY_TEXT, version=7)
    drawn = picture(overlap or Overlap("a.py", "conflict", "content", (mine, other)))
    return view(drawn, {OURS: MY_TEXT, THEIRS: theirs}, opened, client=client)


def ask(
    at: EditorView, place: Range = LINE_3, diagnostics: tuple[Diagnostic, ...] = (), only: list[str] | None = None
) -> list[CodeAction | Command]:
    """What can be done about the lines themselves."""
    return [action for action in everything(at, place, diagnostics, only) if not is_merging(action)]


def everything(
    at: EditorView, place: Range = LINE_3, diagnostics: tuple[Diagnostic, ...] = (), only: list[str] | None = None
) -> list[CodeAction | Command]:
    (opened,) = at.documents.values()
    context = CodeActionContext(diagnostics, only=only)
    return code_actions(at, opened, CodeActionParams(TextDocumentIdentifier(opened.uri), place, context))


def is_merging(action: CodeAction | Command) -> bool:
    command = action.command if isinstance(action, CodeAction) else action
    return command is not None and command.command != "sidecar.compare"


def merging(at: EditorView, place: Range = LINE_3) -> dict[str, tuple[str, object]]:
    """(command, argument) of the quick fixes that merge or release, by title."""
    found = [action for action in everything(at, place) if is_merging(action)]
    commands = [action.command if isinstance(action, CodeAction) else action for action in found]
    return {one.title: (one.command, (one.arguments or [None])[0]) for one in commands if one}


def titles(at: EditorView, place: Range = LINE_3) -> list[str]:
    return [action.title for action in ask(at, place)]


def taking(at: EditorView, place: Range = LINE_3) -> tuple[str, int | None, Range, str]:
    """(URI, version, range, new text) of the one edit of the second quick fix."""
    take = ask(at, place)[1]
    assert isinstance(take, CodeAction) and take.edit and take.edit.document_changes and take.edit.changes is None
    (change,) = take.edit.document_changes
    assert isinstance(change, TextDocumentEdit)
    (edit,) = change.edits
    assert isinstance(edit, TextEdit)
    return change.text_document.uri, change.text_document.version, edit.range, edit.new_text


def comparing(at: EditorView) -> dict[str, object]:
    """The argument of the first quick fix's command."""
    compare = ask(at)[0]
    assert isinstance(compare, CodeAction) and compare.command and compare.command.arguments
    argument = compare.command.arguments[0]
    assert isinstance(argument, dict)
    return argument


def test_a_conflict_can_be_compared_and_taken() -> None:
    at = moment()
    diagnostics = publish(at, Published()).by_uri[f"file://{MY_FILE}"].diagnostics
    compare, take = ask(at, diagnostics=diagnostics)
    assert isinstance(compare, CodeAction) and isinstance(take, CodeAction)
    assert (compare.title, take.title) == ("Compare with feat-1's version", "Take feat-1's version of these lines")
    assert compare.kind == take.kind == CodeActionKind.QuickFix
    assert list(compare.diagnostics or ()) == list(take.diagnostics or ()) == list(diagnostics)
    assert compare.command == Command(
        "Compare with feat-1's version",
        "sidecar.compare",
        arguments=[{"uri": f"file://{MY_FILE}", "worktree": "feat-1"}],
    )


def test_taking_is_a_versioned_edit_of_whole_lines() -> None:
    assert taking(moment()) == (f"file://{MY_FILE}", 7, Range(Position(2, 0), Position(3, 0)), "theirs\nand more\n")


def test_a_client_without_document_changes_gets_plain_ones() -> None:
    take = ask(moment(client=replace(ALL, document_changes=False)))[1]
    assert isinstance(take, CodeAction) and take.edit and take.edit.changes and take.edit.document_changes is None
    assert [edit.new_text for edit in take.edit.changes[f"file://{MY_FILE}"]] == ["theirs\nand more\n"]


def test_a_client_without_code_action_literals_gets_the_command() -> None:
    (command,) = ask(moment(client=replace(ALL, action_literals=False)))
    assert isinstance(command, Command) and command.command == "sidecar.compare"


def test_trunks_version_is_trunks() -> None:
    other = side(TRUNK, name=None, after=THEIRS)
    at = moment(Overlap("a.py", "conflict", "content", (side(MINE, after=OURS), other)))
    assert titles(at) == ["Compare with trunk's version", "Take trunk's version of these lines"]
    assert comparing(at) == {"uri": f"file://{MY_FILE}", "worktree": None}


def test_lines_that_merge_cleanly_can_be_taken_where_they_land() -> None:
    mine, other = side(MINE, after=OURS, regions=(region(5, 0),)), side(FEATURE, after=THEIRS, changed=(region(3, 2),))
    at = moment(Overlap("a.py", "clean", "content", (mine, other)))
    landing = Range(Position(3, 0), Position(3, 0))
    assert taking(at, landing)[2:] == (Range(Position(4, 0), Position(4, 0)), "theirs\nand more\n")


@pytest.mark.parametrize(
    "overlap",
    [
        Overlap("a.py", "identical", "content", (side(MINE, after=OURS), side(FEATURE, after=THEIRS))),
        Overlap("a.py", "conflict", "modify/delete", (side(MINE, after=OURS), side(FEATURE, after=None))),
        Overlap("a.py", "conflict", "binary", (side(MINE, after=OURS), side(FEATURE, after=THEIRS))),
        Overlap("a.py", "conflict", "content", (side(MINE, after=OURS), side(FEATURE, after=entry(4, SYMLINK)))),
        Overlap("a.py", "conflict", "rename/add", (side(MINE, after=OURS), side(FEATURE, after=THEIRS))),
    ],
    ids=lambda overlap: overlap.kind,
)
def test_what_has_no_lines_to_take_can_only_be_compared(overlap: Overlap) -> None:
    at = moment(overlap)
    assert titles(at, Range(Position(0, 0), Position(9, 0))) == ["Compare with feat-1's version"]


def test_text_that_is_not_utf8_is_not_taken() -> None:
    assert titles(moment(theirs=b"one\ntwo\ncaf\xe9\nand more\nfour\n")) == ["Compare with feat-1's version"]


@pytest.mark.parametrize("line", [0, 1, 3])
def test_there_is_nothing_to_fix_on_other_lines(line: int) -> None:
    assert titles(moment(), Range(Position(line, 0), Position(line, 1))) == []


def test_two_worktrees_can_be_told_apart_by_path_when_their_names_are_the_same() -> None:
    at = moment()
    twin = worktree("/elsewhere/feat-1")
    drawn = replace(at.indexed.picture, worktrees=(*at.indexed.picture.worktrees, twin))
    assert comparing(replace(at, indexed=replace(at.indexed, picture=drawn)))["worktree"] == FEATURE


@pytest.mark.parametrize(
    ("only", "count"), [(["quickfix"], 2), ([""], 2), (["refactor"], 0), (["source.fixAll"], 0), ([], 0)]
)
def test_only_the_kinds_that_are_asked_for(only: list[str], count: int) -> None:
    assert len(ask(moment(), only=only)) == count


def test_nothing_is_offered_for_text_that_the_picture_has_not_seen() -> None:
    opened = document(MY_FILE, MY_TEXT + "typed\n", stamp=2)
    at = moment(opened=opened)
    drawn = replace(at.indexed.picture, documents={MY_FILE: 1})
    assert titles(replace(at, indexed=replace(at.indexed, picture=drawn))) == []


def test_one_comparison_for_many_regions() -> None:
    both = (Region(3, 3), Region(4, 4))
    overlap = Overlap(
        "a.py", "conflict", "content", (side(MINE, after=OURS, regions=both), side(FEATURE, after=THEIRS, regions=both))
    )
    assert titles(moment(overlap), Range(Position(0, 0), Position(9, 0))) == [
        "Compare with feat-1's version",
        "Take feat-1's version of these lines",
        "Take feat-1's version of these lines",
    ]


def test_either_side_of_a_conflict_can_be_merged() -> None:
    assert merging(moment()) == {
        "Merge feat-1 into trunk": ("sidecar.merge", {"worktree": FEATURE}),
        "Merge trunk into this worktree": ("sidecar.update", {"worktree": MINE}),
    }
    assert merging(moment(client=Client())) == merging(moment())


def test_a_conflict_with_trunk_is_resolved_here_first() -> None:
    trunk = side(TRUNK, name=None, ref="main", after=THEIRS)
    at = moment(Overlap("a.py", "conflict", "content", (side(MINE, after=OURS), trunk)))
    assert list(merging(at)) == ["Merge trunk into this worktree", "Merge mine into trunk"]


def test_nothing_is_merged_because_of_what_is_the_same() -> None:
    mine, other = side(MINE, after=OURS), side(FEATURE, after=THEIRS)
    assert merging(moment(Overlap("a.py", "identical", "content", (mine, other)))) == {}


def test_trunks_own_checkout_is_not_merged_into_itself() -> None:
    at = moment()
    states = (worktree(MINE, "main"), worktree(FEATURE, "feature/one"))
    drawn = replace(at.indexed.picture, worktrees=states)
    there = merging(replace(at, indexed=replace(at.indexed, picture=drawn)))
    assert list(there) == ["Merge feat-1 into trunk"]


def test_a_worktree_whose_work_is_in_trunk_can_be_released() -> None:
    at = moment()
    done = replace(worktree(FEATURE, "feature/one"), integration=Integration("integrated", "T0"))
    drawn = replace(at.indexed.picture, worktrees=(worktree(MINE, "topic"), done))
    there = merging(replace(at, indexed=replace(at.indexed, picture=drawn)))
    assert there["Release feat-1"] == ("sidecar.release", {"worktree": FEATURE})


def test_a_fix_that_two_overlaps_have_in_common_is_offered_once() -> None:
    at = moment()
    (first,) = at.indexed.picture.overlaps
    third = side("/w/feat-2", name="feat-2", after=THEIRS, regions=(region(3, 2),), changed=(region(3, 2),))
    second = Overlap("a.py", "conflict", "content", (side(MINE, after=OURS), third))
    states = (*at.indexed.picture.worktrees, worktree("/w/feat-2", "two"))
    drawn = replace(at.indexed.picture, overlaps=(first, second), worktrees=states)
    offered = [action.title for action in everything(replace(at, indexed=replace(at.indexed, picture=drawn)))]
    assert offered.count("Merge trunk into this worktree") == 1
    assert {"Merge feat-1 into trunk", "Merge feat-2 into trunk"} <= set(offered)


def crowd(count: int, client: Client = ALL) -> EditorView:
    """So many worktrees that conflict with the same line of mine."""
    at = moment(client=client)
    names = [f"agent-{number}" for number in range(1, count + 1)]
    theirs = [
        side(f"/w/{name}", name=name, ref=name, after=THEIRS, regions=(region(3, 2),), changed=(region(3, 2),))
        for name in names
    ]
    overlaps = tuple(Overlap("a.py", "conflict", "content", (side(MINE, after=OURS), other)) for other in theirs)
    states = (*at.indexed.picture.worktrees, *(worktree(f"/w/{name}") for name in names))
    drawn = replace(at.indexed.picture, overlaps=overlaps, worktrees=states)
    return replace(at, indexed=replace(at.indexed, picture=drawn))


def test_two_others_can_each_be_taken_and_merged() -> None:
    at = crowd(2)
    (diagnostic,) = publish(at, Published()).by_uri[f"file://{MY_FILE}"].diagnostics
    offered = everything(at, diagnostics=(diagnostic,))
    assert [action.title for action in offered] == [
        "Compare with another version...",
        "Take agent-1's version of these lines",
        "Take agent-2's version of these lines",
        "Merge agent-1 into trunk",
        "Merge agent-2 into trunk",
        "Merge trunk into this worktree",
    ]
    assert all(isinstance(action, CodeAction) and action.diagnostics == [diagnostic] for action in offered)
    assert comparing(at) == {"uri": f"file://{MY_FILE}"}


def test_of_many_fixes_six_are_offered_with_one_of_each_kind() -> None:
    assert [action.title for action in everything(crowd(5))] == [
        "Compare with another version...",
        "Take agent-1's version of these lines",
        "Take agent-2's version of these lines",
        "Merge agent-1 into trunk",
        "Merge agent-2 into trunk",
        "Merge trunk into this worktree",
    ]


def test_an_editor_with_a_list_for_them_gets_all_of_them_behind_the_sixth() -> None:
    at = crowd(5, replace(ALL, more_fixes=True))
    *first, more = everything(at)
    assert isinstance(more, CodeAction) and more.command is not None
    assert len(first) == 5 and (more.title, more.command.command) == ("More...", "worktreeSidecar.moreFixes")
    every: Any = (more.command.arguments or [None])[0]
    all_titles = [fix.title for fix in every]
    assert len(set(all_titles)) == len(all_titles) == 1 + 5 + 5 + 1
    assert {action.title for action in first} < set(all_titles)
    for number in range(1, 6):
        assert {f"Take agent-{number}'s version of these lines", f"Merge agent-{number} into trunk"} < set(all_titles)
    assert len(everything(crowd(2, replace(ALL, more_fixes=True)))) == 6


def test_a_caret_in_the_indentation_is_on_the_problem() -> None:
    indented = document(MY_FILE, MY_TEXT.replace("mine", "    mine"), version=7)
    at = moment(opened=indented)
    stored = replace(at.indexed, content={OURS: indented.text.encode(), THEIRS: THEIR_TEXT.encode()}.get)
    assert titles(replace(at, indexed=stored)) != []
