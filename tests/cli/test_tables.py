"""What people read: the tables, letter for letter."""

from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from sidecar.cli.render import joined, overlap_blocks, show
from sidecar.cli.status_table import status_blocks
from sidecar.model.inventory import Bytes
from sidecar.model.messages import ranges, where
from sidecar.model.overlaps import Overlap, Side, Verdict, region
from sidecar.model.picture import Picture
from sidecar.system.processes import Process
from tests.cli.pictures import LINK, MODULE, TRUNK, change_set, overlap, picture, side, state, worktree

MEETINGS = [
    overlap("identical", side("free-shipping", "README.md", (5, 1)), side("tax-rules", "README.md", (5, 1))),
    overlap("clean", side("discounts", "shop/cart.py", (12, 1)), side(None, "shop/cart.py", (80, 3))),
    overlap(
        "conflict",
        side("discounts", "shop/cart.py", (31, 1), (47, 3)),
        side("wish-lists", "shop/cart.py", (31, 1), (47, 6), sources=("committed", "unstaged"), ref="ada/wishes"),
    ),
    overlap(
        "conflict",
        side("cleanup", "shop/csv_export.py", after=None),
        side("notifications", "shop/csv_export.py", (3, 3)),
        kind="modify/delete",
    ),
    overlap(
        "clean",
        side("search-box", "shop/find.py", (3, 0)),
        side("tax-rules", "shop/search.py", (20, 6)),
        kind="rename",
        note="Its merge driver did not take part.",
    ),
]


def table(name: str) -> str:
    return (Path(__file__).parent / "tables" / f"{name}.txt").read_text(encoding="utf-8")


def printed(overlaps: list[Overlap], width: int, capsys: pytest.CaptureFixture[str]) -> str:
    show(Console(width=width, highlight=False), overlap_blocks([(one, *one.sides) for one in overlaps], width))
    return capsys.readouterr().out


def status(shown: Picture, width: int, capsys: pytest.CaptureFixture[str], **in_use: list[Process]) -> str:
    users = {f"/r/{name}": inside for name, inside in in_use.items()}
    show(Console(width=width, highlight=False), status_blocks(shown, users, width))
    return capsys.readouterr().out


LONG = "agent-fix-the-login-timeout-in-the-session-store-3f2a"


def test_overlaps_take_a_line_each_where_there_is_room(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(MEETINGS, 140, capsys) == table("overlaps-140")


def test_overlaps_take_two_lines_each_where_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(MEETINGS, 80, capsys) == table("overlaps-80")


def test_long_and_wide_names_are_folded_and_nothing_is_cut_off(capsys: pytest.CaptureFixture[str]) -> None:
    first = side(LONG, "deep/" * 16 + "x.py", (1, 3), (10, 20), (40, 4), (60, 1), (70, 1), (80, 1), (90, 2))
    second = side("agent-日本語", "src/x.py", (5, 1), sources=("committed", "staged", "unstaged", "untracked"))
    assert printed([overlap("conflict", first, second)], 80, capsys) == table("overlaps-long")


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
def test_no_line_is_wider_than_the_terminal(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    wide = overlap("conflict", side(LONG, f"{LONG}/{LONG}", (1, 2)), side(f"{LONG}日本語", "b", (1, 2), ref=LONG))
    printed_lines = printed([*MEETINGS, wide], width, capsys).splitlines()
    assert max(cell_len(line) for line in printed_lines) <= width
    everything = printed([*MEETINGS, wide], 500, capsys)
    assert sorted("".join(printed_lines).replace(" ", "")) == sorted("".join(everything.split()))


def test_names_cannot_paint_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    odd = overlap(
        "clean", side("a\x1b[31m\u202eb", "x\udcff\n.py", (1, 1)), side("m\u2028", "x\udcff\n.py", (2, 1)), note="\x07"
    )
    out = printed([odd], 80, capsys)
    assert (
        out
        == """\
x\\xff\\x0a.py
  clean   a\\x1b[31m\\u202eb  line 1   m\\u2028  line 2
  \\x07

1 clean.
"""
    )


def test_markup_in_names_is_only_text(capsys: pytest.CaptureFixture[str]) -> None:
    odd = overlap("clean", side("[red]a[/]", "[bold]x.py", (1, 1)), side(":smile:", "[bold]x.py", (2, 1)))
    assert "[bold]x.py\n  clean   [red]a[/]  line 1   :smile:  line 2\n" in printed([odd], 80, capsys)


@pytest.mark.parametrize(
    ("verdict", "kind", "one", "said"),
    [
        ("conflict", "content", side("a", "x", (3, 1)), "line 3"),
        ("conflict", "content", side("a", "x", (3, 2), (9, 1)), "lines 3-4, 9"),
        ("conflict", "content", side("a", "x", (3, 0)), "after line 2"),
        ("conflict", "content", side("a", "x", (1, 0)), "before line 1"),
        ("conflict", "content", side("a", "x", (2, 1), (9, 0)), "line 2, after line 8"),
        ("conflict", "modify/delete", side("a", "x", (1, 1), after=None), "deleted"),
        ("conflict", "binary", side("a", "x", (1, 1)), "changed"),
        ("conflict", "binary", side("a", "x", (1, 1), before=None), "added"),
        ("conflict", "add/add", side("a", "x", (1, 4), before=None, sources=("untracked",)), "lines 1-4 (untracked)"),
        ("conflict", "symlink", side("a", "x", (1, 1), after=LINK), "symbolic link"),
        ("conflict", "submodule", side("a", "x", (1, 1), after=MODULE), "submodule"),
        ("clean", "rename", side("a", "y", (4, 1)), "line 4 in y"),
        ("clean", "mode", side("a", "x"), "changed"),
    ],
)
def test_what_a_side_has_there(verdict: Verdict, kind: str, one: Side, said: str) -> None:
    assert where(one, overlap(verdict, one, side("b", "x"), kind=kind, path="x")) == said


def test_clean_overlaps_show_what_each_side_changed_itself() -> None:
    one = replace(side("a", "x", (4, 1)), changed=(region(9, 2),))
    assert where(one, overlap("clean", one, side("b", "x"))) == "lines 9-10"
    assert where(one, overlap("conflict", one, side("b", "x"))) == "line 4"


def test_many_gaps_are_cut_short() -> None:
    assert (
        ranges([region(number, 0) for number in (2, 4, 6, 8, 10)])
        == "after line 1, after line 3, after line 5, and more"
    )


GONE, BROKEN = "The folder of gone is not there.", "broken can't be read (Permission denied)."
SHOP = picture(
    state(worktree("shop", "main", main=True), change_set(unstaged=1), integrated=None),
    state(worktree("cleanup"), change_set(committed=1), 1, 2),
    state(worktree("discounts"), change_set(committed=3, staged=2, unstaged=1, untracked=12), 3, 2),
    state(worktree("wish-lists", "ada/wishes"), change_set(committed=2), 2, 120, integrated=True),
    state(worktree("look", None, locked="on a stick"), integrated=None),
    replace(state(replace(worktree("gone"), missing=True)), changes=None, problem=GONE, unread=GONE),
    replace(state(worktree("broken", locked="")), changes=None, problem=BROKEN, unread=BROKEN),
    overlaps=tuple(MEETINGS),
)
USERS = {"cleanup": [Process(9, "zsh")], "discounts": [Process(4180, "bash"), Process(5, "node"), Process(6, "node")]}


def test_status_at_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(SHOP, 80, capsys, **USERS) == table("status-80")


def test_status_at_120_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(SHOP, 120, capsys, **USERS) == table("status-120")


def test_a_column_that_has_no_room_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    sized = picture(replace(state(worktree("shop", "main", main=True), change_set()), bytes=Bytes(1000, 0, 0)))
    assert "The column SIZE is left out: it takes 100 columns, here are 80." in status(sized, 80, capsys)
    assert " SIZE\n" in (wide := status(sized, 120, capsys)) and "left out" not in wide


def test_status_of_a_repository_without_commits(capsys: pytest.CaptureFixture[str]) -> None:
    empty = picture(
        state(worktree("new", "main", main=True), change_set(untracked=1), integrated=None),
        trunk=replace(TRUNK, commit=None),
    )
    assert status(empty, 80, capsys) == table("status-empty")


def test_status_of_a_bare_repository_without_trunk(capsys: pytest.CaptureFixture[str]) -> None:
    bare = replace(state(replace(worktree("shop.git", None, main=True), bare=True)), changes=None)
    shown = replace(picture(bare, trunk=None), problem="Which branch is trunk is not clear.")
    assert status(shown, 80, capsys) == table("status-bare")


def test_items_stay_whole_when_lines_are_folded() -> None:
    items = ["3 committed", "2 staged", "1 unstaged"]
    assert joined(items, 30) == "3 committed, 2 staged,\n1 unstaged"
    assert joined(items, 5) == "3 committed,\n2 staged,\n1 unstaged"
    assert joined(items, 100) == "3 committed, 2 staged, 1 unstaged"
    assert joined([], 10) == ""
