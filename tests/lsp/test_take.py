"""Taking lines over makes them the same, whatever the ends of lines and files are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.lsp.code_actions import taking
from sidecar.lsp.positions import line_count, text_lines
from sidecar.model.overlaps import Region, region


def taken(mine: str, ours: Region, other: str, theirs: Region) -> str:
    start, end, text = taking(mine, ours, other, theirs)
    return mine[:start] + text + mine[end:]


@pytest.mark.parametrize(
    ("mine", "ours", "other", "theirs", "result"),
    [
        ("a\nm\nz\n", region(2, 1), "a\no\np\nz\n", region(2, 2), "a\no\np\nz\n"),
        ("a\nm\nz\n", region(2, 1), "a\nz\n", region(2, 0), "a\nz\n"),
        ("a\nz\n", region(2, 0), "a\no\nz\n", region(2, 1), "a\no\nz\n"),
        ("z\n", region(1, 0), "o\nz\n", region(1, 1), "o\nz\n"),
        ("m\nz\n", region(1, 1), "z\n", region(1, 0), "z\n"),
        ("a\n", region(2, 0), "a\no\n", region(2, 1), "a\no\n"),
        ("a\nm", region(2, 1), "a\no", region(2, 1), "a\no"),
        ("a\nm\n", region(2, 1), "a\no", region(2, 1), "a\no"),
        ("a\nm", region(2, 1), "a\no\n", region(2, 1), "a\no\n"),
        ("a\r\nm\r\nz\r\n", region(2, 1), "a\no\np\nz\n", region(2, 2), "a\r\no\r\np\r\nz\r\n"),
        ("a\nm\nz\n", region(2, 1), "a\r\no\r\nz\r\n", region(2, 1), "a\no\nz\n"),
        ("a\nm\nz", region(2, 1), "o", region(1, 1), "a\no\nz"),
        ("a", region(2, 0), "a\no\n", region(2, 1), "a\no\n"),
        ("", region(1, 0), "o\n", region(1, 1), "o\n"),
        ("m\n", region(1, 1), "", region(1, 0), ""),
    ],
)
def test_the_lines_of_the_other_side_take_the_place_of_mine(
    mine: str, ours: Region, other: str, theirs: Region, result: str
) -> None:
    assert taken(mine, ours, other, theirs) == result


lines = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n"]), max_size=6)


@given(lines, lines, lines, lines)
def test_two_texts_that_differ_in_one_place_become_equal(
    head: list[str], tail: list[str], one: list[str], two: list[str]
) -> None:
    mine, other = "".join(head + one + tail), "".join(head + two + tail)
    ours, theirs = region(len(head) + 1, len(one)), region(len(head) + 1, len(two))
    assert taken(mine, ours, other, theirs) == other
    assert taken(mine.replace("\n", "\r\n"), ours, other, theirs) == (other.replace("\n", "\r\n") if mine else other)
    assert line_count(other) == len(head + two + tail)
    assert text_lines(other, theirs) == two
