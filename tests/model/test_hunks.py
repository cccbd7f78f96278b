"""Where another side's hunks land in a text, held against counting lines one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.model.hunks import Hunk, landing
from sidecar.model.markers import carry_over
from sidecar.model.overlaps import Region, region
from tests.model.examples import examples

LENGTH = 20


@st.composite
def hunks(draw: st.DrawFn) -> list[Hunk]:
    """A text's hunks from a base of LENGTH lines: in order, at least one common line between any two."""
    found: list[Hunk] = []
    at = draw(st.integers(0, 4))
    shift = 0
    while at <= LENGTH and len(found) < 4:
        base_count = draw(st.integers(0, min(3, LENGTH - at)))
        count = draw(st.integers(0 if base_count else 1, 3))
        found.append(Hunk(at, base_count, at + shift, count))
        shift += count - base_count
        at += base_count + draw(st.integers(1, 6))
    return found


@examples(400)
@given(hunks(), hunks())
def test_landing_is_where_the_lines_are_now(mine: list[Hunk], others: list[Hunk]) -> None:
    """The lines that stand in place of the hunk's base lines, and all of an own hunk that shares some with it."""
    kept = _kept(mine)
    for hunk in others:
        touched = [own for own in mine if _shares(own, hunk)]
        if any(_only_touches(own, hunk) for own in mine):
            continue  # git never merges these cleanly
        lines = {kept[at] for at in range(hunk.base, hunk.base_end) if at in kept}
        lines |= {own.start + at for own in touched for at in range(own.count)}
        found = landing(hunk, mine)
        if lines:
            assert (found.start, found.end, found.gap) == (min(lines) + 1, max(lines) + 1, None)
            assert len(lines) == max(lines) - min(lines) + 1
        else:
            before = sum(1 for at in kept if at < hunk.base) + sum(
                own.count for own in mine if own.base_end <= hunk.base and own not in touched
            )
            assert found == region(before + 1, 0)


@examples(400)
@given(hunks(), st.integers(0, LENGTH), st.integers(0, 6))
def test_lines_are_carried_over_with_all_of_each_hunk_that_reaches_into_them(
    mine: list[Hunk], first: int, count: int
) -> None:
    """Nothing that was put in at one of their ends is left out, and no line is told that the text does not have."""
    kept, last = _kept(mine), min(first + count, LENGTH)
    lines = {kept[at] for at in range(first, last) if at in kept}
    for own in mine:
        if (own.base < last and own.base_end > first) or (not own.base_count and first <= own.base <= last):
            lines |= set(range(own.start, own.end))
    found = carry_over((first, last - first), mine)
    if lines:
        assert found == Region(min(lines) + 1, max(lines) + 1)
        assert len(lines) == max(lines) - min(lines) + 1
    else:
        assert found.gap is not None and 0 <= found.gap <= LENGTH + sum(own.count - own.base_count for own in mine)


def _kept(mine: list[Hunk]) -> dict[int, int]:
    """Line of the base -> line of my text, both from 0, for the lines that are in both."""
    kept, here = {}, 0
    starts = {own.base: own for own in mine}
    at = 0
    while at <= LENGTH:
        own = starts.get(at)
        if own is not None:
            assert own.start == here
            here += own.count
            at += own.base_count
        if at < LENGTH:
            kept[at] = here
        at, here = at + 1, here + 1
    return kept


def _shares(own: Hunk, hunk: Hunk) -> bool:
    lines = set(range(own.base, own.base_end)) & set(range(hunk.base, hunk.base_end))
    inside = not hunk.base_count and own.base < hunk.base < own.base_end
    within = not own.base_count and hunk.base < own.base < hunk.base_end
    return bool(lines) or inside or within or (own.base, own.base_count) == (hunk.base, hunk.base_count)


def _only_touches(own: Hunk, hunk: Hunk) -> bool:
    return not _shares(own, hunk) and own.base <= hunk.base_end and hunk.base <= own.base_end


@pytest.mark.parametrize(
    ("hunk", "mine", "lands"),
    [
        (Hunk(4, 1, 4, 1), [], Region(5, 5)),
        (Hunk(4, 1, 4, 1), [Hunk(0, 0, 0, 3)], Region(8, 8)),
        (Hunk(4, 1, 4, 1), [Hunk(0, 2, 0, 0)], Region(3, 3)),
        (Hunk(4, 1, 4, 1), [Hunk(9, 1, 9, 5)], Region(5, 5)),
        (Hunk(4, 0, 4, 2), [], Region(4, 4, gap=4)),
        (Hunk(0, 0, 0, 2), [], Region(1, 1, gap=0)),
        (Hunk(4, 2, 4, 0), [Hunk(4, 2, 4, 1)], Region(5, 5)),
    ],
)
def test_plain_cases(hunk: Hunk, mine: list[Hunk], lands: Region) -> None:
    assert landing(hunk, mine) == lands


def test_the_ends_of_a_hunk() -> None:
    hunk = Hunk(base=2, base_count=3, start=4, count=1)
    assert (hunk.base_end, hunk.end, hunk.changed) == (5, 5, Region(5, 5))
    assert Hunk(2, 3, 4, 0).changed == Region(4, 4, gap=4)
    assert Hunk(0, 3, 0, 0).changed == Region(1, 1, gap=0)
