"""Regions, sides that meet, and where a path lies in a Picture."""

from dataclasses import replace

import pytest

from sidecar.model.overlaps import Overlap, Region, Side, counterparts, region
from sidecar.model.picture import Picture, Worktree, WorktreeState, locate


@pytest.mark.parametrize(
    ("first", "count", "found"),
    [
        (1, 1, Region(1, 1)),
        (3, 4, Region(3, 6)),
        (1, 0, Region(1, 1, gap=0)),
        (2, 0, Region(1, 1, gap=1)),
        (9, 0, Region(8, 8, gap=8)),
    ],
)
def test_a_region_without_lines_is_the_line_before_the_gap(first: int, count: int, found: Region) -> None:
    assert region(first, count) == found


def _side(key: str, *regions: Region, changed: tuple[Region, ...] = ()) -> Side:
    return Side(key, key or None, "main", "a", regions, changed, ("committed",), None, None)


MINE = _side("/w/mine", Region(9, 9), Region(2, 3), changed=(Region(5, 5), Region(7, 7)))
OTHER = _side("/w/other", Region(4, 4), Region(1, 1), changed=(Region(6, 6), Region(8, 8)))


def test_an_overlap_is_seen_from_either_side() -> None:
    overlap = Overlap("a", "conflict", "content", (MINE, OTHER))
    assert overlap.seen_from("/w/mine") == (MINE, OTHER)
    assert overlap.seen_from("/w/other") == (OTHER, MINE)
    assert overlap.seen_from("") is None
    trunk = replace(overlap, sides=(MINE, _side("")))
    assert trunk.seen_from("") == (_side(""), MINE)


def test_conflicting_regions_meet_pair_by_pair() -> None:
    pairs = [(Region(2, 3), Region(1, 1)), (Region(9, 9), Region(4, 4))]
    assert counterparts(MINE, OTHER, "conflict") == pairs
    assert counterparts(MINE, OTHER, "identical") == pairs


def test_where_lines_merge_the_others_changed_lines_land_here() -> None:
    assert counterparts(MINE, OTHER, "clean") == [(Region(2, 3), Region(8, 8)), (Region(9, 9), Region(6, 6))]


def _picture(*keys: str) -> Picture:
    worktrees = [Worktree(key, key.rpartition("/")[2], "/g", False, "b", "1" * 40) for key in keys]
    return Picture(1, "/g", None, tuple(WorktreeState(worktree) for worktree in worktrees))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/w/repo/a/b.txt", ("/w/repo", "a/b.txt")),
        ("/w/repo", ("/w/repo", "")),
        ("/w/repo/in/side/a", ("/w/repo/in/side", "a")),
        ("/w/repo/in/sideways", ("/w/repo", "in/sideways")),
        ("/w/repository/a", None),
        ("/w", None),
        ("/elsewhere", None),
    ],
)
def test_a_path_belongs_to_the_innermost_worktree(path: str, found: tuple[str, str] | None) -> None:
    located = locate(_picture("/w/repo", "/w/repo/in/side"), path)
    assert (located and (located[0].key, located[1])) == found


@pytest.mark.parametrize(
    ("changes", "ref", "readable"),
    [
        ({}, "b", True),
        ({"branch": None}, "1" * 40, True),
        ({"branch": None, "head": None}, "HEAD", True),
        ({"missing": True}, "b", False),
        ({"bare": True}, "b", False),
        ({"problem": "It is broken."}, "b", False),
    ],
)
def test_what_a_worktree_is_called_and_whether_it_can_be_read(
    changes: dict[str, object], ref: str, readable: bool
) -> None:
    worktree = replace(Worktree("/w", "w", "/g", False, "b", "1" * 40), **changes)  # type: ignore[arg-type]
    assert (worktree.ref, worktree.readable) == (ref, readable)
