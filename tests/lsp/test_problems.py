"""One problem a line range, whoever and however many meet there: what it says, and of whom it goes on to tell."""

from dataclasses import replace
from typing import Any

import pytest
from lsprotocol.types import Diagnostic

from sidecar.lsp.client import Client
from sidecar.lsp.diagnostics import Published, publish
from sidecar.model.overlaps import WHOLE_FILE, Overlap, Region, Side, Verdict, region
from tests.lsp.pictures import AFTER, ALL, BEFORE, MINE, TRUNK, entry, picture, side, view, worktree

CONTENTS = {BEFORE: "1\n2\n3\n4\n", AFTER: "one\n\n  three\n\n"}
MY_FILE = f"file://{MINE}/a.py"
LINE_3 = Region(3, 3)


def agent(number: int, **other: Any) -> Side:
    return side(f"/w/agent-{number}", ref=f"task-{number}", **other)


def told(*others: Side, verdict: Verdict = "conflict", mine: Region = LINE_3, **at: Any) -> list[Diagnostic]:
    """The diagnostics of my file, where all these meet my lines."""
    overlaps = [Overlap("a.py", verdict, "content", (side(MINE, regions=(mine,)), other)) for other in others]
    states = (*picture().worktrees, *(worktree(other.key) for other in others if other.key))
    found = publish(view(picture(*overlaps, states=states), CONTENTS, **at), Published()).by_uri.get(MY_FILE)
    return list(found.diagnostics) if found else []


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (2, "Conflicts with agent-1 and agent-2."),
        (3, "Conflicts with agent-1, agent-2 and agent-3."),
        (4, "Conflicts with agent-1, agent-2 and 2 more."),
        (5, "Conflicts with agent-1, agent-2 and 3 more."),
    ],
)
def test_several_on_the_same_lines_are_one_problem(count: int, message: str) -> None:
    (found,) = told(*map(agent, range(1, count + 1)))
    assert (found.code, found.message) == ("conflict", message)
    others = [one.message for one in found.related_information or ()]
    assert others == [f"agent-{one} (branch task-{one}) changed line 3." for one in range(1, count + 1)]
    links = [one.location.uri for one in found.related_information or ()]
    assert links == [f"file:///w/agent-{one}/a.py" for one in range(1, count + 1)]
    rest = [
        {"code": "conflict", "worktree": f"agent-{one}", "key": f"/w/agent-{one}", "index": 0}
        for one in range(2, count + 1)
    ]
    assert found.data == {"worktree": "agent-1", "key": "/w/agent-1", "index": 0, "others": rest}


def test_one_who_has_no_lines_there_is_told_beside_the_others() -> None:
    gone = agent(2, after=None, regions=(WHOLE_FILE,), changed=())
    (found,) = told(agent(1), gone)
    last = (found.related_information or ())[-1]
    assert last.message == "agent-2 (branch task-2) deleted this file."
    assert (last.location.uri, last.location.range) == (MY_FILE, found.range)


def test_trunk_is_named_first_and_gives_the_code() -> None:
    (found,) = told(agent(1), side(TRUNK, name=None), agent(2))
    assert (found.code, found.message) == ("trunk-conflict", "Conflicts with trunk, agent-1 and agent-2.")
    assert found.data is not None
    assert found.data["key"] == "" and [one["code"] for one in found.data["others"]] == ["conflict", "conflict"]


def test_other_lines_and_other_verdicts_are_problems_of_their_own() -> None:
    mine, other = side(MINE, regions=(Region(1, 1), Region(3, 3))), agent(1, regions=(Region(1, 1), Region(3, 3)))
    clean = Overlap("a.py", "clean", "content", (side(MINE), agent(2)))
    drawn = picture(Overlap("a.py", "conflict", "content", (mine, other)), clean)
    found = publish(view(drawn, CONTENTS), Published()).by_uri[MY_FILE].diagnostics
    assert [(one.code, one.range.start.line) for one in found] == [("conflict", 0), ("conflict", 2), ("overlap", 2)]


def test_what_several_did_without_a_conflict_is_gathered_too() -> None:
    (found,) = told(agent(1), agent(2), verdict="clean")
    assert found.message == "Meets agent-1 and agent-2; git merges each cleanly."
    (found,) = told(agent(1), agent(2), verdict="identical")
    assert found.message == "Identical to agent-1 and agent-2."


def test_lines_that_were_taken_over_are_identical_whatever_else_differs_in_the_file() -> None:
    """Also where both have deleted them; the lines of another change that merges are not."""
    mine, theirs = entry(5), entry(6)
    ours = (region(1, 1), region(3, 0), Region(6, 6))
    both = side(MINE, after=mine, regions=(*ours, region(7, 1)), changed=ours)
    other = agent(1, after=theirs, changed=(region(1, 1), region(3, 0), Region(6, 6), region(7, 1)))
    texts = {mine: "same\n2\n4\n5\n6\nmine\n", theirs: "same\n2\n4\n5\n6\ntheirs\nnew\n"}
    drawn = picture(Overlap("a.py", "clean", "content", (both, other)))
    found = publish(view(drawn, texts), Published()).by_uri[MY_FILE].diagnostics
    assert [(one.code, one.range.start.line) for one in found] == [
        ("identical", 0),
        ("identical", 1),
        ("overlap", 5),
    ]
    assert found[0].message == "Identical to agent-1 (branch task-1), which changed line 1 in the same way."


def test_a_note_is_said_once() -> None:
    note = "A merge driver was not asked."
    overlaps = [Overlap("a.py", "conflict", "content", (side(MINE), agent(one)), note=note) for one in (1, 2)]
    (found,) = publish(view(picture(*overlaps), CONTENTS), Published()).by_uri[MY_FILE].diagnostics
    assert found.message == f"Conflicts with agent-1 and agent-2. {note}"


def test_two_places_that_are_drawn_on_one_line_are_one_problem() -> None:
    both = (region(3, 1), region(4, 0))
    other = agent(1, regions=(Region(3, 3), Region(7, 7)))
    drawn = picture(Overlap("a.py", "conflict", "content", (side(MINE, regions=both), other)))
    (found,) = publish(view(drawn, CONTENTS), Published()).by_uri[MY_FILE].diagnostics
    assert found.message == "Conflicts with agent-1 (branch task-1), which changed lines 3, 7."
    assert len(found.related_information or ()) == 2


@pytest.mark.parametrize(
    ("show", "verdicts"),
    [
        ("conflicts", {"conflict"}),
        ("overlaps", {"conflict", "clean"}),
        ("everything", {"conflict", "clean", "identical"}),
    ],
)
@pytest.mark.parametrize("verdict", ["conflict", "clean", "identical"])
def test_the_setting_says_which_overlaps_are_problems(show: str, verdicts: set[str], verdict: Verdict) -> None:
    assert len(told(agent(1), verdict=verdict, show=show)) == (verdict in verdicts)


def test_a_change_of_the_setting_is_drawn_anew() -> None:
    clean = view(picture(Overlap("a.py", "clean", "content", (side(MINE), agent(1)))), CONTENTS)
    before = publish(clean, Published())
    assert MY_FILE in before.by_uri
    assert publish(replace(clean, show="conflicts"), before).by_uri == {}


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        (Region(3, 3), (2, 2, 2, 7)),
        (Region(2, 4), (2, 2, 2, 7)),
        (Region(1, 4), (0, 0, 2, 7)),
        (Region(2, 2), (0, 0, 0, 3)),
        (Region(4, 4), (2, 2, 2, 7)),
        (region(5, 0), (2, 2, 2, 7)),
    ],
)
def test_underlines_begin_and_end_with_text(lines: Region, place: tuple[int, int, int, int]) -> None:
    """Never on a blank line: what is about blank lines alone is where the text above ends."""
    (found,) = told(agent(1), mine=lines)
    start, end = found.range.start, found.range.end
    assert (start.line, start.character, end.line, end.character) == place


def test_a_simple_client_is_told_all_the_same() -> None:
    (found,) = told(agent(1), agent(2), client=Client())
    assert found.message == "Conflicts with agent-1 and agent-2." and found.related_information is None
    assert told(agent(1), client=ALL)[0].related_information
