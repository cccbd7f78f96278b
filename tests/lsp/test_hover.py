"""The hover: the other side's diff of the lines, never more than a screen, never markup of its own."""

import json
from dataclasses import replace
from urllib.parse import unquote

from lsprotocol.types import MarkupContent, MarkupKind, Position, Range

from sidecar.lsp.client import Client
from sidecar.lsp.hover import MOST_DIFFS, MOST_LINES, hover
from sidecar.model.overlaps import Overlap, Region, region
from tests.lsp.pictures import ALL, FEATURE, MINE, document, entry, picture, side, view

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
    moment = view(drawn, {OLD: old, OURS: opened.text, THEIRS: theirs}, opened, client=client)
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


def test_a_change_of_a_large_file_is_shown_as_git_sees_it() -> None:
    old = "".join(f"{at}\n" for at in range(5000))
    new = old.replace("\n4000\n", "\nnew 4000\n").replace("\n2\n", "\nnew 2\n")
    text = said(new, old=old)
    assert text is not None and text.endswith("```diff\n-2\n+new 2\n```")


def test_lines_that_the_other_side_has_added_with_the_file_are_shown_as_they_are_now() -> None:
    added = side(FEATURE, name="feat-1", before=None, after=THEIRS, regions=(LINE_3,), changed=(LINE_3,))
    opened = document(MY_FILE, "one\ntwo\nmine\n")
    drawn = picture(Overlap("a.py", "conflict", "add/add", (side(MINE, before=None, after=OURS), added)))
    found = hover(view(drawn, {OURS: opened.text, THEIRS: "1\n2\ntheirs\n"}, opened), opened, Position(2, 0))
    assert found is not None and isinstance(found.contents, MarkupContent)
    assert found.contents.value.endswith("```diff\n+theirs\n```")


def test_backticks_in_the_text_do_not_end_the_block() -> None:
    text = said("one\ntwo\n```` <b>\nfour\n")
    assert text is not None and text.endswith("\n`````diff\n-three\n+```` <b>\n`````")


def test_names_and_text_can_not_hide_anything() -> None:
    text = said("one\ntwo\nx\u202ey\x1b[1m\n", name="[x](http://evil) <img>\n")
    assert text is not None
    assert "\\[x\\]\\(http" in text and "\\<img\\>\\\\x0a" in text
    assert "+x\\u202ey\\x1b[1m" in text


def crowd(texts: list[str], client: Client = ALL, show: str = "everything", line: int = 2) -> str:
    """The hover where so many others changed line 3, to these texts."""
    mine = side(MINE, before=OLD, after=OURS)
    opened = document(MY_FILE, "one\ntwo\nmine\nfour\n")
    stored, overlaps = {OLD: "one\ntwo\nthree\nfour\n", OURS: opened.text}, []
    for number, text in enumerate(texts, 1):
        after = entry(10 + number)
        stored[after] = f"one\ntwo\n{text}\nfour\n"
        other = side(f"/w/agent-{number}", before=OLD, after=after)
        overlaps.append(Overlap("a.py", "conflict" if show == "everything" else "clean", "content", (mine, other)))
    moment = view(picture(*overlaps), stored, opened, client=client, show=show)
    found = hover(moment, opened, Position(line, 1))
    assert found is not None and isinstance(found.contents, MarkupContent)
    return found.contents.value


def test_several_are_one_sentence_and_then_their_diffs_each_once() -> None:
    assert crowd(["same", "other", "same"]) == (
        "Conflicts with agent\\-1, agent\\-2 and agent\\-3.\n\n"
        "agent\\-1, agent\\-3:\n\n```diff\n-three\n+same\n```\n\n"
        "agent\\-2:\n\n```diff\n-three\n+other\n```"
    ).replace("\\-", "-")


def test_all_diffs_together_are_no_longer_than_one() -> None:
    text = crowd([f"{number}\n" * 100 for number in range(MOST_DIFFS + 2)])
    assert text.count("```diff") == MOST_DIFFS and text.count("\n+") + text.count("\n-") <= MOST_LINES
    assert text.endswith("2 more versions are not shown.")


def test_an_editor_that_says_the_problem_itself_gets_diffs_and_then_what_can_be_done() -> None:
    text = crowd(["theirs"], replace(ALL, hover_links=True))
    assert text.startswith("```diff\n-three\n+theirs\n```\n\n[Compare with agent-1's version](command:sidecar.compare?")
    (argument,) = json.loads(unquote(text.partition("sidecar.compare?")[2].partition(")")[0]))
    assert argument == {"uri": f"file://{MY_FILE}", "worktree": "agent-1"}


def test_what_is_no_problem_is_said_in_the_hover() -> None:
    text = crowd(["theirs"], replace(ALL, hover_links=True), show="conflicts")
    assert text.startswith(
        "Meets agent-1 \\(branch topic\\), which changed line 3; git merges the two cleanly.\n\n```diff"
    )


def test_a_client_without_markdown_gets_plain_text() -> None:
    text = said("one\ntwo\ntheirs\nfour\n", client=replace(ALL, markdown=False))
    assert text == "Conflicts with feat-1 (branch feature/one), which changed line 3.\n-three\n+theirs"
