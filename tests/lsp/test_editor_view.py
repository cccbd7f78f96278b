"""The index of a Picture by file: one that follows another has what one made afresh has."""

from hypothesis import given
from hypothesis import strategies as st

from sidecar.lsp.editor_view import IndexedPicture
from sidecar.model.overlaps import Overlap
from tests.lsp.pictures import FEATURE, MINE, TRUNK, picture, side

KEYS = ("/w/repo", MINE, FEATURE)
PATHS = ("a.py", "b.py", "c.py")


def overlap(one: str, two: str, path: str, renamed: str, line: int) -> Overlap:
    return Overlap(path, "conflict", "content", (side(one, path=path), side(two, path=renamed)), f"Line {line}.")


pairs = st.sampled_from([(MINE, FEATURE), ("/w/repo", MINE), (FEATURE, TRUNK), ("/w/repo", FEATURE)])
overlaps = st.builds(
    lambda pair, path, renamed, line: overlap(pair[0], pair[1], path, renamed or path, line),
    pairs,
    st.sampled_from(PATHS),
    st.sampled_from((None, None, *PATHS)),
    st.integers(1, 3),
)


@given(st.lists(overlaps, min_size=8, max_size=8), st.data())
def test_a_picture_that_follows_another_has_what_it_has_by_itself(known: list[Overlap], data: st.DataObject) -> None:
    """Whatever stayed, went, came or moved, and whatever was asked of the pictures in between."""
    some = st.lists(st.sampled_from(known), max_size=8, unique_by=id)
    indexed = IndexedPicture(picture(*data.draw(some)), lambda _: None, lambda *_: ())
    for _ in range(3):
        for key in data.draw(st.sets(st.sampled_from(KEYS))):
            indexed.overlaps_in(key)
        after = picture(*data.draw(some))
        indexed = indexed.followed_by(after)
        fresh = IndexedPicture(after, lambda _: None, lambda *_: ())
        assert {key: indexed.overlaps_in(key) for key in KEYS} == {key: fresh.overlaps_in(key) for key in KEYS}
        assert all(indexed.overlaps_at(f"{MINE}/{path}") == fresh.overlaps_at(f"{MINE}/{path}") for path in PATHS)
