"""The sentences: one each, with nothing in them that a screen would obey."""

import os
from typing import Any

import pytest

from sidecar.model.changes import SUBMODULE, SYMLINK, Entry
from sidecar.model.messages import called, lens_title, lines, overlap_sentence, party, trunk_edit_sentence
from sidecar.model.overlaps import Overlap, Region, Side, Verdict, region
from sidecar.model.words import escape, shown
from tests.lsp.pictures import BEFORE, FEATURE, TRUNK, side


def sentence(
    mine: Side, other: Side, theirs: Region | None = None, verdict: Verdict = "conflict", kind: str = "content"
) -> str:
    return overlap_sentence(Overlap(mine.path, verdict, kind, (mine, other)), mine, other, (theirs,) if theirs else ())


@pytest.mark.parametrize(
    ("verdict", "theirs", "said"),
    [
        ("conflict", region(12, 4), "Conflicts with feat-1 (branch feature/one), which changed lines 12-15."),
        ("conflict", region(12, 1), "Conflicts with feat-1 (branch feature/one), which changed line 12."),
        ("conflict", region(12, 0), "Conflicts with feat-1 (branch feature/one), which deleted lines after line 11."),
        ("conflict", region(1, 0), "Conflicts with feat-1 (branch feature/one), which deleted lines before line 1."),
        ("conflict", None, "Conflicts with feat-1 (branch feature/one), which changed this file."),
        ("clean", region(3, 1), "Meets feat-1 (branch feature/one), which changed line 3; git merges the two cleanly."),
        (
            "identical",
            region(3, 2),
            "Identical to feat-1 (branch feature/one), which changed lines 3-4 in the same way.",
        ),
    ],
)
def test_an_overlap_names_the_other_worktree_its_branch_and_its_lines(
    verdict: Verdict, theirs: Region | None, said: str
) -> None:
    assert sentence(side("/w/mine"), side(FEATURE), theirs, verdict) == said


def test_trunk_is_called_trunk() -> None:
    trunk = side(TRUNK, name=None, ref="main")
    assert sentence(side("/w/mine"), trunk, region(3, 1)) == "Conflicts with trunk (branch main), which changed line 3."
    assert called(trunk) == "trunk"


@pytest.mark.parametrize(
    ("kind", "mine", "other", "said"),
    [
        ("modify/delete", {}, {"after": None}, "which deleted this file."),
        ("modify/delete", {"after": None}, {}, "which changed line 3, while it is deleted here."),
        (
            "rename/rename",
            {"path": "b.py"},
            {"path": "c.py", "lines": None, "after": BEFORE},
            "which renamed this file to c.py.",
        ),
        (
            "rename/rename",
            {"path": "b.py"},
            {"path": "c.py", "lines": None},
            "which renamed this file to c.py and changed it.",
        ),
        ("file/directory", {"path": "b"}, {"path": "b/c.py"}, "which made a directory of this name."),
        (
            "file/directory",
            {"path": "b/c.py"},
            {"path": "b"},
            "which made a file of the name b, which is a directory here.",
        ),
        (
            "file location",
            {},
            {"before": None, "after": None},
            "which changed something that does not go with it (file location).",
        ),
        ("distinct modes", {}, {"lines": None, "after": BEFORE}, "which changed the mode of this file."),
        ("content", {"path": "b.py"}, {"path": "c.py"}, "which changed line 3 of c.py."),
        ("add/add", {}, {"before": None}, "which added line 3."),
        ("binary", {}, {"lines": None}, "which changed this file."),
        ("submodule", {"mode": SUBMODULE}, {"mode": SUBMODULE}, "which points this submodule elsewhere."),
        ("symlink", {"mode": SYMLINK}, {"mode": SYMLINK}, "which points this symbolic link elsewhere."),
        ("distinct types", {}, {"mode": SYMLINK}, "which made this a symbolic link."),
    ],
)
def test_what_has_no_lines_is_said_in_words(kind: str, mine: dict[str, Any], other: dict[str, Any], said: str) -> None:
    theirs = other.pop("lines", region(3, 1))
    for given in (mine, other):
        if "mode" in given:
            given["after"] = Entry(given.pop("mode"), "1" * 40)
    spoken = sentence(side("/w/mine", **mine), side(FEATURE, **other), theirs, kind=kind)
    assert spoken == f"Conflicts with feat-1 (branch feature/one), {said}"


def test_what_the_verdict_left_out_is_a_second_sentence() -> None:
    mine, other = side("/w/mine"), side(FEATURE)
    overlap = Overlap("a.py", "conflict", "content", (mine, other), note="A merge driver was not asked.")
    assert overlap_sentence(overlap, mine, other, (region(1, 1),)).endswith(
        "changed line 1. A merge driver was not asked."
    )


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("plain", "plain"),
        ("ümläut 😋", "ümläut 😋"),
        ("a\nb", "a\\x0ab"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("abc\u202etxt.exe", "abc\\u202etxt.exe"),
        (os.fsdecode(b"\xff"), "\\xff"),
        ("\u2028", "\\u2028"),
    ],
)
def test_names_can_not_hide_or_command_anything(name: str, safe: str) -> None:
    assert escape(name) == safe
    hostile = side(FEATURE, name=name, ref=f"its/{name}")
    assert party(hostile) == f"{safe} (branch its/{safe})"


def test_a_branch_that_is_called_as_its_worktree_is_not_named_twice() -> None:
    assert party(side(FEATURE, name="tax-rules", ref="tax-rules")) == "tax-rules"
    assert party(side(FEATURE, name="tax-rules", ref="refs/heads/tax-rules")) == "tax-rules"


def test_endless_names_end() -> None:
    assert len(shown("x" * 5000)) == 100


def test_a_detached_worktree_is_named_by_its_commit() -> None:
    assert party(side(FEATURE, ref="1a2b3c4d5e" * 4)) == "feat-1 (detached at 1a2b3c4d5e)"


def test_many_lines_are_cut_short() -> None:
    assert lines([Region(3, 5), Region(12, 12)]) == "lines 3-5, 12"
    assert lines([Region(at, at) for at in range(1, 10)]) == "lines 1, 2, 3, 4, 5, 6 and 3 more"


def test_an_edit_on_trunk_says_how_many_places_there_are_to_work_in() -> None:
    assert trunk_edit_sentence("main", 1).endswith("while another worktree exists to work in.")
    assert trunk_edit_sentence("main", 3).endswith("while 3 other worktrees exist to work in.")


@pytest.mark.parametrize(
    ("verdicts", "title"),
    [
        ([("feat-1", "clean")], "feat-1 changed this file too"),
        ([("feat-1", "conflict")], "feat-1 changed this file too (conflict)"),
        ([("feat-2", "clean"), ("feat-1", "conflict")], "2 worktrees changed this file: feat-1 (conflict), feat-2"),
        ([("trunk", "clean"), ("feat-1", "clean")], "2 others changed this file: trunk, feat-1"),
        ([(f"w{at}", "clean") for at in range(8)], "8 worktrees changed this file: w0, w1, w2, w3, w4, w5 and 2 more"),
    ],
)
def test_the_lens_says_who_else_changed_the_file(verdicts: list[tuple[str, str]], title: str) -> None:
    assert lens_title(verdicts) == title
