"""Where conflicts lie: the walk along both sides' hunks, held against the places that git itself tells."""

import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from sidecar.model.hunks import Hunk
from sidecar.model.markers import Block, Segment, carry_over, locate_blocks, parse_markers, resolved_as
from sidecar.model.overlaps import Region, region
from tests.model.diffs import as_bytes, blobs, hunks_of_trees, tree_of_texts
from tests.model.examples import examples
from tests.model.labelled import SIZE, Merged, Placed, merge_labelled
from tests.model.loose import Store, open_store
from tests.model.texts import Text, triples

Case = tuple[Text, Text, Text]


@examples(12)
@given(st.lists(triples(), min_size=25, max_size=40))
def test_every_conflict_lies_where_git_has_it(cases: list[Case]) -> None:
    """No case needs the fallback, and no region is off by a line, however many lines are alike."""
    with TemporaryDirectory() as place:
        truth = merge_labelled(Path(place) / "labelled", cases)
        store, merged, (ours, theirs) = _merge(Path(place) / "plain", cases)
        assert _plain(merged) == [found.text for found in truth]
        for number, (case, text, right) in enumerate(zip(cases, merged, truth, strict=True)):
            note(f"{case}")
            segments = parse_markers(text, SIZE)
            located = locate_blocks(
                segments, _lines(case[1]), _lines(case[2]), ours.get(number, []), theirs.get(number, [])
            )
            assert located is not None
            _compare(located, right)
        _by_likeness(store, cases, merged)


def _merge(place: Path, cases: Sequence[Case]) -> tuple[Store, list[bytes], list[dict[int, list[Hunk]]]]:
    """(the store, merged files, hunks of ours and of theirs by number)."""
    store = open_store(place)
    (store.path / "info" / "attributes").write_text(f"* conflict-marker-size={SIZE}\n")
    trees = [tree_of_texts(store, [as_bytes(case[side]) for case in cases]) for side in range(3)]
    base = store.commit(trees[0])
    ours, theirs = (store.commit(tree, base, note=word) for tree, word in zip(trees[1:], ("o", "t"), strict=True))
    merged = blobs(store, store.merge(ours, theirs).split(b"\0")[0].decode())
    return store, merged, [dict(hunks_of_trees(store, trees[0], tree)) for tree in trees[1:]]


def _by_likeness(store: Store, cases: Sequence[Case], merged: Sequence[bytes]) -> None:
    """The fallback finds every conflict's lines too: their text, if not always the right one of two copies."""
    for side in (1, 2):
        resolved = [resolved_as(parse_markers(text, SIZE), ours=side == 1) for text in merged]
        before = tree_of_texts(store, [b"".join(line + b"\n" for line in lines) for lines, _ in resolved])
        after = tree_of_texts(store, [as_bytes(case[side]) for case in cases])
        hunks = hunks_of_trees(store, before, after)
        for number, (case, text, (_, spans)) in enumerate(zip(cases, merged, resolved, strict=True)):
            blocks = [segment for segment in parse_markers(text, SIZE) if isinstance(segment, Block)]
            for span, block in zip(spans, blocks, strict=True):
                found = carry_over(span, hunks.get(number, []))
                assert 1 <= found.start <= found.end <= max(1, len(case[side]))
                if all(_is_apart(hunk, span) for hunk in hunks.get(number, [])):
                    wanted = block.ours if side == 1 else block.theirs
                    there = () if found.gap is not None else tuple(_lines(case[side])[found.start - 1 : found.end])
                    assert there == wanted


def _is_apart(hunk: Hunk, span: tuple[int, int]) -> bool:
    return hunk.base_end < span[0] or hunk.base > span[0] + span[1]


def _compare(located: Sequence[tuple[Region, Region]], right: Merged) -> None:
    assert len(located) == len(right.conflicts)
    for (mine, other), placed in zip(located, right.conflicts, strict=True):
        _at(mine, placed.ours, placed.our_gap)
        _at(other, placed.theirs, placed.their_gap)


def _at(found: Region, numbers: tuple[int, ...], gap: tuple[int, int]) -> None:
    if numbers:
        assert found == Region(numbers[0], numbers[-1])
        assert len(numbers) == numbers[-1] - numbers[0] + 1
    else:
        assert found.gap is not None and gap[0] <= found.gap <= gap[1]
        assert found == region(found.gap + 1, 0)


def _plain(merged: Sequence[bytes]) -> list[bytes]:
    """The merged files with all labels of markers alike."""
    return [re.sub(rb"(?m)^(<{41}|>{41}) .*$", rb"\1 x", text) for text in merged]


def _lines(text: Text) -> list[bytes]:
    return [line.encode() for line in text]


SEGMENTS: list[Segment] = [[b"a"], Block((b"x",), (b"y",)), [b"c"]]
CHANGED = [Hunk(1, 1, 1, 1)]


def test_a_conflict_between_equal_lines() -> None:
    found = locate_blocks(SEGMENTS, [b"a", b"x", b"c"], [b"a", b"y", b"c"], CHANGED, CHANGED)
    assert found == [(Region(2, 2), Region(2, 2))]


@pytest.mark.parametrize(
    ("ours", "theirs", "our_hunks"),
    [
        ([b"a", b"X", b"c"], [b"a", b"y", b"c"], CHANGED),
        ([b"a", b"x", b"c"], [b"a", b"Y", b"c"], CHANGED),
        ([b"A", b"x", b"c"], [b"a", b"y", b"c"], CHANGED),
        ([b"a", b"x", b"C"], [b"a", b"y", b"c"], CHANGED),
        ([b"a", b"x", b"c", b"more"], [b"a", b"y", b"c"], CHANGED),
        ([b"a", b"x", b"c"], [b"a", b"y", b"c", b"more"], CHANGED),
        ([b"a", b"x"], [b"a", b"y", b"c"], CHANGED),
        ([b"a", b"x", b"c"], [b"a", b"y", b"c"], []),
        ([b"a", b"x", b"c"], [b"a", b"y", b"c"], [Hunk(0, 3, 0, 3)]),
    ],
)
def test_a_merge_that_did_not_work_on_these_hunks(
    ours: list[bytes], theirs: list[bytes], our_hunks: list[Hunk]
) -> None:
    """Whatever does not add up gives None or regions that hold the conflict's very lines, never wrong lines."""
    found = locate_blocks(SEGMENTS, ours, theirs, our_hunks, CHANGED)
    assert found is None or found == [(Region(2, 2), Region(2, 2))]
    if ours != [b"a", b"x", b"c"] or theirs != [b"a", b"y", b"c"]:
        assert found is None


def test_empty_sides_are_gaps() -> None:
    segments: list[Segment] = [[], Block((), (b"y",)), []]
    found = locate_blocks(segments, [], [b"y"], [Hunk(0, 1, 0, 0)], [Hunk(0, 1, 0, 1)])
    assert found == [(Region(1, 1, gap=0), Region(1, 1))]


def test_no_conflict_at_all() -> None:
    assert locate_blocks([[b"a"]], [b"a"], [b"a"], [], []) == []


def test_labels_tell_gaps(tmp_path: Path) -> None:
    """The oracle itself: a deletion against an edit has a gap, after exactly two lines."""
    cases = [(("a", "b", "c", "d", "e"), ("a", "b", "d", "e"), ("a", "b", "C", "d", "e"))]
    (merged,) = merge_labelled(tmp_path / "r", cases)
    assert merged.conflicts == (Placed((), (3,), (2, 2), (0, 5)),)
