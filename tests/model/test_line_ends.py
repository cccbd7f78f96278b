"""Line ends: what an editor evens out is no edit, and what was typed keeps the ends that the file has."""

import difflib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.model.hunks import Hunk, evened, with_ends_of
from tests.model.examples import examples


def compare(before: str, after: str) -> Sequence[Hunk]:
    """The hunks by another hand than git's."""
    old, new = (text.splitlines(keepends=True) for text in (before, after))
    blocks = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [Hunk(a, b - a, c, d - c) for tag, a, b, c, d in blocks.get_opcodes() if tag != "equal"]


@pytest.mark.parametrize(
    ("file", "typed", "written"),
    [
        ("1\n2\n", "1\r\n2\r\n3\r\n", "1\r\n2\r\n3\r\n"),
        ("1\r\n2\r\n", "1\n2\n3\n", "1\r\n2\r\n3\r\n"),
        ("1\r\n2\r\n", "1\r\n2\r\n3\r\n", "1\r\n2\r\n3\r\n"),
        ("1\r2\r", "1\n2\nx\n", "1\r2\rx\r"),
        ("1\n2\r\n3\n", "1\n2\nx\n", "1\n2\r\nx\n"),
        ("1\n2\r\n3\n", "1\r\n2\r\n3\r\nx\r\n", "1\n2\r\n3\nx\n"),
        ("1\n2\r\n3\n", "x\n1\n2\n3", "x\n1\n2\r\n3"),
        ("1\r\n\r\n\n2", "1\n\n\n2\nx", "1\r\n\r\n\n2\nx"),
        ("a\rb\nc\n", "a\nb\nx\n", "a\rb\nx\n"),
        ("1\n2\r\n", "", ""),
        ("a\rc\n", "a\n\n", "a\r\r"),
        ("a\rb\n\n\n", "a\n\n\n", "a\r\r\r"),
    ],
)
def test_what_is_written(file: str, typed: str, written: str) -> None:
    assert with_ends_of(file, typed, compare) == written


TEXTS = st.lists(st.sampled_from(["a", "b", "", "\n", "\r\n", "\r", "c\n", "d\r\n"])).map("".join)


@examples(400)
@given(TEXTS, TEXTS)
def test_every_line_is_as_typed(file: str, typed: str) -> None:
    assert evened(with_ends_of(file, typed, compare)) == evened(typed)


@examples(400)
@given(TEXTS)
def test_nothing_typed_is_nothing_changed(file: str) -> None:
    """Where the file says anything about its ends."""
    written = with_ends_of(file, evened(file), compare)
    assert written == file
