"""The hover: the other side's diff of the lines, never more than a screen, never markup of its own."""

from dataclasses import replace

from lsprotocol.types import MarkupContent, MarkupKind, Position, Range

from sidecar.lsp.client import Client
from sidecar.lsp.hover import MOST_LINES, hover
from sidecar.model.overlaps import Overlap, Region, region
from tests.lsp.pictures import ALL, FEATURE, MINE, document, entry, picture, scene, side

MY_FILE = f"{MINE}/a.py"
LINE_3 = Region(3, 3)
OLD, OURS, THEIRS = entry(1), entry(3), entry(4)


def said(
    theirs: str,
    old: str = "one\ntwo\nthree\nfour\n",
    where: Region = LINE_3,
    line: int = 2,
    client: Client = ALL,
    name: str = "feat-1",
) -> str | None:
    mine = side(MINE, before=OLD, after=OURS)
    other = side(FEATURE, name=name, before=OLD, after=THEIRS, regions=(where,), changed=(where,))
    opened = document(MY_FILE, "one\ntwo\nmine\nfour\n")
    drawn = picture(Overlap("a.py", "conflict", "content", (mine, other)))
    moment = scene(drawn, {OLD: old, OURS: opened.text, THEIRS: theirs}, opened, client=client)
    found = hover(moment, opened, Position(line, 1))
    if found is None:
        return None
    assert found.range == Range(Position(2, 0), Position(2, 4))
    assert isinstance(found.contents, MarkupContent)
    assert found.contents.kind == (MarkupKind.Markdown if client.markdown else MarkupKind.PlainText)
    return found.contents.value


def test_the_other_sides_change_of_these_lines_is_shown() -> None:
    assert said("one\ntwo\ntheirs\nfour\n") == (
        "Conflicts with feat-1 \\(branch feature/one\\), which changed line 3.\n\n```diff\n-three\n+theirs\n```"
    )


def test_other_changes_of_the_file_are_not() -> None:
    text = said("ONE\ntwo\ntheirs\nfour\nfive\n")
    assert text is not None and "ONE" not in text and "five" not in text and "+theirs" in text


def test_a_deletion_is_shown_as_one() -> None:
    text = said("one\ntwo\nfour\n", where=region(3, 0))
    assert text is not None and text.endswith("```diff\n-three\n```")


def test_there_is_no_hover_on_other_lines() -> None:
    assert said("one\ntwo\ntheirs\nfour\n", line=1) is None


def test_a_long_change_is_cut() -> None:
    text = said("one\ntwo\n" + "x\n" * 500 + "four\n", where=region(3, 500))
    assert text is not None and text.count("+x") == MOST_LINES - 1
    assert f"({501 - MOST_LINES} more lines)" in text


def test_a_change_that_takes_too_long_to_compare_is_shown_as_it_is_now() -> None:
    old = "".join(f"{at}\n" for at in range(5000))
    new = "".join(f"new {at}\n" for at in range(5000))
    text = said(new, old=old, where=region(3, 2))
    assert text is not None and text.endswith("```diff\n+new 2\n+new 3\n```")


def test_backticks_in_the_text_do_not_end_the_block() -> None:
    text = said("one\ntwo\n```` <b>\nfour\n")
    assert text is not None and text.endswith("\n`````diff\n-three\n+```` <b>\n`````")


def test_names_and_text_can_not_hide_anything() -> None:
    text = said("one\ntwo\nx\u202ey\x1b[1m\n", name="[x](http://evil) <img>\n")
    assert text is not None
    assert "\\[x\\]\\(http" in text and "\\<img\\>\\\\x0a" in text
    assert "+x\\u202ey\\x1b[1m" in text


def test_a_client_without_markdown_gets_plain_text() -> None:
    text = said("one\ntwo\ntheirs\nfour\n", client=replace(ALL, markdown=False))
    assert text == "Conflicts with feat-1 (branch feature/one), which changed line 3.\n-three\n+theirs"
