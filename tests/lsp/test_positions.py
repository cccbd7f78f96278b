"""Positions in every encoding, and lines as git and LSP count them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol.types import (
    Position,
    Range,
    TextDocumentContentChangePartial,
    TextDocumentContentChangeWholeDocument,
    TextDocumentItem,
)

from sidecar.lsp.documents import Document, change_document, open_document
from sidecar.lsp.positions import decode, line_count, offset_at, position_at, region_range, text_lines
from sidecar.model.overlaps import Region, region

ENCODINGS = ("utf-8", "utf-16", "utf-32")
WIDTHS = {"utf-8": 4, "utf-16": 2, "utf-32": 1}
texts = st.text(alphabet=st.sampled_from("ab \té漢😋\n\r\x0c\u2028"), max_size=40).map(
    lambda text: text.replace("\r", "\r\n")
)


def document(text: str, encoding: str = "utf-16", uri: str = "file:///d/a.txt") -> Document:
    opened = open_document(TextDocumentItem(uri, "plaintext", 1, text), 1)
    assert opened is not None
    return opened


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_region_ends_where_its_last_line_ends_in_the_units_of_the_client(encoding: str) -> None:
    text = "one\nx = '😋'\nlast"
    end = {"utf-8": 10, "utf-16": 8, "utf-32": 7}[encoding]
    assert region_range(text, Region(2, 2), encoding) == Range(Position(1, 0), Position(1, end))
    assert region_range(text, Region(1, 3), encoding) == Range(Position(0, 0), Position(2, 4))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_carriage_return_of_a_line_end_is_outside_of_the_range(encoding: str) -> None:
    assert region_range("a\r\nbcd\r\n", Region(2, 2), encoding) == Range(Position(1, 0), Position(1, 3))


def test_a_lone_carriage_return_ends_a_line_of_the_client_but_not_one_of_git() -> None:
    text = "a\rb\nc\n"
    assert line_count(text) == 2
    assert region_range(text, Region(1, 1), "utf-16") == Range(Position(0, 0), Position(1, 1))
    assert region_range(text, Region(2, 2), "utf-16") == Range(Position(2, 0), Position(2, 1))


def test_a_form_feed_and_a_line_separator_end_no_line() -> None:
    assert region_range("a\x0cb\u2028c\nd\n", Region(2, 2), "utf-16") == Range(Position(1, 0), Position(1, 1))


@pytest.mark.parametrize("text", ["", "a", "a\n"])
def test_a_region_beyond_the_end_is_on_the_last_line(text: str) -> None:
    assert region_range(text, Region(7, 9), "utf-16") == Range(Position(0, 0), Position(0, min(1, len(text))))


def test_a_gap_is_shown_on_the_line_before_it_and_has_no_lines() -> None:
    assert region_range("a\nb\n", region(2, 0), "utf-16") == Range(Position(0, 0), Position(0, 1))
    assert text_lines("a\nb\n", region(2, 0)) == []


@given(texts, st.integers(0, 9), st.integers(0, 9), st.sampled_from(ENCODINGS))
def test_a_range_begins_and_ends_with_text_where_there_is_any(text: str, first: int, more: int, encoding: str) -> None:
    found = region_range(text, Region(first, first + more), encoding)
    start, end = (offset_at(text, place, encoding) for place in (found.start, found.end))
    assert start <= end
    if text.strip():
        assert text[start:end] == text[start:end].strip() != ""
    else:
        assert text[start:end] == ""


@given(texts, st.sampled_from(ENCODINGS), st.data())
def test_position_and_offset_lead_back_to_each_other(text: str, encoding: str, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(text)))
    inside_line_end = text[offset - 1 : offset + 1] == "\r\n" and offset > 0
    position = position_at(text, offset, encoding)
    assert offset_at(text, position, encoding) == (offset - 1 if inside_line_end else offset)
    assert position.line == len(re.findall(r"\r\n|\r|\n", text[:offset])) - inside_line_end


@given(texts, texts, st.sampled_from(ENCODINGS), st.data())
def test_a_change_of_a_range_is_what_python_makes_of_it(
    text: str, new: str, encoding: str, data: st.DataObject
) -> None:
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    edges = [at for at in (first, last) if at and text[at - 1 : at + 1] == "\r\n"]
    if edges:
        return
    place = Range(position_at(text, first, encoding), position_at(text, last, encoding))
    change = TextDocumentContentChangePartial(place, new)
    changed = change_document(document(text), [change], 2, 2, encoding)
    assert changed.text == text[:first] + new + text[last:]
    assert (changed.version, changed.stamp) == (2, 2)


def test_changes_are_applied_one_on_top_of_the_other() -> None:
    first = TextDocumentContentChangePartial(Range(Position(0, 1), Position(0, 1)), "\n")
    second = TextDocumentContentChangePartial(Range(Position(1, 0), Position(1, 1)), "X")
    assert change_document(document("ab"), [first, second], 2, 2, "utf-16").text == "a\nX"
    whole = TextDocumentContentChangeWholeDocument("new")
    assert change_document(document("ab"), [first, whole], 2, 2, "utf-16").text == "new"


def test_positions_beyond_the_text_are_its_ends() -> None:
    assert offset_at("ab\ncd", Position(0, 99), "utf-16") == 2
    assert offset_at("ab\ncd", Position(9, 0), "utf-16") == 5


def test_a_file_is_decoded_as_an_editor_does() -> None:
    assert decode(b"\xef\xbb\xbfa") == "a"
    assert decode(b"caf\xe9") == "caf\ufffd"
