"""Which changes meet in git's merges of trees at random: every conflict has its meeting, and no pair meets twice."""

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import event, given, note

from sidecar.git.judge import Judge, Question
from sidecar.git.trees import TreeReader
from sidecar.model.changes import Change, ChangeSet
from sidecar.model.may_overlap import footprint, interplay
from sidecar.model.merging import Meeting, find_meetings
from tests.git.opening import judging
from tests.harness import GitFailedError
from tests.model.examples import examples
from tests.model.loose import File, Store, open_store
from tests.model.tree_edits import Edit, apply, bases, edits


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with TemporaryDirectory() as place:
        yield open_store(Path(place) / "store.git")


@pytest.fixture
def asking(store: Store) -> Iterator[tuple[Judge, TreeReader]]:
    with judging(store.path) as (quarantine, judge):
        trees = TreeReader(quarantine)
        try:
            yield judge, trees
        finally:
            trees.close()


@examples(150)
@given(base=bases(), mine=edits(4), other=edits(4))
def test_every_conflict_is_met(
    store: Store, asking: tuple[Judge, TreeReader], base: dict[str, File], mine: list[Edit], other: list[Edit]
) -> None:
    judge, trees = asking
    before, our_tree, their_tree = (store.tree(files) for files in (base, apply(base, mine), apply(base, other)))
    ours, theirs = trees.changes(before, our_tree), trees.changes(before, their_tree)
    merge = judge.merge_trees(Question(our_tree, their_tree, before), {*ours.touched, *theirs.touched})
    stops, stopping = _stopping(store, before, our_tree, their_tree)
    meetings = find_meetings(merge, ours, theirs)
    note(f"{stopping}\n{merge.messages}\n{meetings}")
    event("stops" if stops else "merges")
    conflicts = [meeting for meeting in meetings if meeting.conflict]
    assert bool(conflicts) == stops
    named = {name for meeting in conflicts for name in _names(meeting)}
    assert stopping <= named, f"git stops at {stopping - named}, where nothing meets"
    for meeting in meetings:
        _belongs(meeting.ours, ours)
        _belongs(meeting.theirs, theirs)
        if not meeting.conflict:
            assert meeting.ours and meeting.theirs
            assert {*meeting.ours.names} & {*meeting.theirs.names}
    pairs = [(meeting.ours, meeting.theirs, meeting.path) for meeting in meetings]
    assert len({str(pair) for pair in pairs}) == len(pairs)
    if meetings:
        assert interplay(footprint(ours.touched), footprint(theirs.touched)), "what meets passes the filter"
    for path in ours.touched.keys() & theirs.touched.keys():
        assert any(path in _names(meeting) for meeting in meetings), f"both changed {path}"


def _stopping(store: Store, base: str, ours: str, theirs: str) -> tuple[bool, set[str]]:
    """Whether git stops, and the paths that it leaves unmerged, by their names before it moved any aside.

    A directory rename that something is in the way of stops it and leaves nothing unmerged.
    """
    root = store.commit(base)
    commits = [store.commit(tree, root, note=word) for tree, word in ((ours, "ours"), (theirs, "theirs"))]
    command = ("merge-tree", "--write-tree", "--no-messages", "-z", *commits)
    rows = store.git(*command, accept_failure=True).decode().split("\0")[1:]
    aside = re.compile("~(?:" + "|".join(commits) + r")(?:_\d+)?$")
    try:
        store.git(*command)
    except GitFailedError:
        return True, {aside.sub("", row.partition("\t")[2]) for row in rows if row}
    return False, set()


def _names(meeting: Meeting) -> set[str]:
    changes = (meeting.ours, meeting.theirs)
    return {meeting.path, *meeting.names, *(name for change in changes if change for name in change.names)}


def _belongs(change: Change | None, changes: ChangeSet) -> None:
    """A change of that side; renames may be paired otherwise than by a diff, as git's merge has paired them."""
    if change is not None:
        assert all(name in changes.touched for name in change.names)
        touched = changes.touched[change.path]
        assert change.after == touched.after
