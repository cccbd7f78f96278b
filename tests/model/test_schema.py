"""The JSON objects, field by field as the design has them."""

import json

from sidecar.model.changes import Change, ChangeSet, Entry
from sidecar.model.overlaps import Overlap, Region, Side
from sidecar.model.picture import Integration, Picture, Trunk, Worktree, WorktreeState
from sidecar.model.schema import check_object, overlap_object, overlaps_object, status_object

ONE = Entry(0o100644, "1" * 40)
CHANGES = {
    "a": Change("a", ONE, ONE, ("committed", "unstaged")),
    "b\udcff": Change("b\udcff", None, ONE, ("untracked",)),
    "c": Change("c", ONE, ONE, ("unsaved",)),
}
MINE = Side("/w/f", "f", "topic", "a", (Region(2, 3), Region(4, 4, gap=4)), (Region(1, 1),), ("committed",), ONE, ONE)
TRUNK = Side("", None, "main", "b\udcff", (Region(5, 5),), (), ("committed",), ONE, None)
OVERLAP = Overlap("a", "conflict", "rename/delete", (MINE, TRUNK), "A note.")
OVERLAP_OBJECT = {
    "path": "a",
    "verdict": "conflict",
    "kind": "rename/delete",
    "sides": [
        {
            "worktree": "f",
            "ref": "topic",
            "path": "a",
            "regions": [{"start": 2, "end": 3}, {"start": 4, "end": 4}],
            "sources": ["committed"],
        },
        {
            "worktree": None,
            "ref": "main",
            "path": "b\udcff",
            "regions": [{"start": 5, "end": 5}],
            "sources": ["committed"],
        },
    ],
}


def test_overlap() -> None:
    assert overlap_object(OVERLAP) == OVERLAP_OBJECT
    assert overlaps_object([OVERLAP]) == {"schema": 1, "overlaps": [OVERLAP_OBJECT]}


def test_check() -> None:
    said = check_object([("a", "f", [OVERLAP]), ("z", "f", [])])
    assert said == {
        "schema": 1,
        "files": [
            {"path": "a", "worktree": "f", "overlaps": [OVERLAP_OBJECT]},
            {"path": "z", "worktree": "f", "overlaps": []},
        ],
    }


def test_status() -> None:
    main = Worktree("/w/repo", "repo", "/w/repo/.git", True, "main", "2" * 40)
    linked = Worktree("/w/f", "f", "/w/repo/.git/worktrees/f", False, None, "3" * 40, locked="a drive", missing=True)
    states = (
        WorktreeState(main, changes=ChangeSet("", "", CHANGES, CHANGES), ahead=2, behind=1, problem="Not all."),
        WorktreeState(linked, integration=Integration("integrated", "ancestor")),
    )
    picture = Picture(7, "/w/repo/.git", Trunk("main", "refs/heads/main", "2" * 40), states, (OVERLAP,))
    said = status_object(picture, {"/w/f": [{"pid": 1, "name": "sh"}]})
    assert said == {
        "schema": 1,
        "repository": "/w/repo/.git",
        "trunk": {"branch": "main", "commit": "2" * 40},
        "worktrees": [
            {
                "name": "repo",
                "path": "/w/repo",
                "main": True,
                "branch": "main",
                "head": "2" * 40,
                "locked": None,
                "missing": False,
                "changes": {"committed": 1, "staged": 0, "unstaged": 1, "untracked": 1},
                "ahead": 2,
                "behind": 1,
                "integration": {"state": "no-work", "how": None},
                "in_use": [],
                "bytes": None,
                "problem": "Not all.",
            },
            {
                "name": "f",
                "path": "/w/f",
                "main": False,
                "branch": None,
                "head": "3" * 40,
                "locked": "a drive",
                "missing": True,
                "changes": {"committed": 0, "staged": 0, "unstaged": 0, "untracked": 0},
                "ahead": 0,
                "behind": 0,
                "integration": {"state": "integrated", "how": "ancestor"},
                "in_use": [{"pid": 1, "name": "sh"}],
                "bytes": None,
                "problem": None,
            },
        ],
        "overlaps": [OVERLAP_OBJECT],
    }
    assert json.loads(json.dumps(said)) == said


def test_no_trunk_and_a_worktrees_own_problem() -> None:
    broken = WorktreeState(Worktree("/w/f", "f", "", False, "f", None, problem="It is broken."), problem="Also this.")
    said = status_object(Picture(1, "/w/.git", None, (broken,)))
    assert said["trunk"] is None
    assert said["worktrees"][0]["problem"] == "It is broken."
    assert said["worktrees"][0]["head"] is None
