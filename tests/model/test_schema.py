"""The JSON objects, field by field as the design has them."""

import json
from dataclasses import replace

import pytest

from sidecar.model.changes import Change, ChangeSet, Entry
from sidecar.model.overlaps import Overlap, Region, Side, Unknown
from sidecar.model.picture import Integration, Picture, Tip, Trunk, Unfinished, Worktree, WorktreeState
from sidecar.model.regenerate import Regeneration
from sidecar.model.schema import check_object, overlap_object, overlaps_object, status_object, unknown_object

ONE = Entry(0o100644, "1" * 40)
CHANGES = {
    "a": Change("a", ONE, ONE, ("committed", "unstaged")),
    "b\udcff": Change("b\udcff", None, ONE, ("untracked",)),
    "c": Change("c", ONE, ONE, ("unsaved",)),
}
MINE = Side("/w/f", "f", "topic", "a", (Region(2, 3), Region(4, 4, gap=4)), (Region(1, 1),), ("committed",), ONE, ONE)
TRUNK = Side("", None, "main", "b\udcff", (Region(5, 5),), (), ("committed",), ONE, None)
MADE = Regeneration("lock file", "a", "make a", beside=True)
OVERLAP = Overlap("a", "conflict", "rename/delete", (MINE, TRUNK), "A note.", regeneration=MADE)
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
    "regenerate": {"kind": "lock file", "command": "make a"},
}


def test_overlap() -> None:
    assert overlap_object(OVERLAP) == OVERLAP_OBJECT
    assert overlaps_object([OVERLAP], []) == {"schema": 1, "overlaps": [OVERLAP_OBJECT], "unknown": []}


def test_unknown() -> None:
    """Of a pair, the one that is not the asker's; trunk has no name."""
    broken = Unknown((("/w/f", "f"),), None, "Why.")
    assert unknown_object(broken) == unknown_object(broken, "/w/f") == {"worktree": "f", "path": None, "reason": "Why."}
    pair = Unknown((("/w/f", "f"), ("/w/g", "g")), "a", "Why.")
    names = [unknown_object(pair, key)["worktree"] for key in (None, "/w/f", "/w/g")]
    assert (names, unknown_object(pair)["path"]) == (["f", "g", "f"], "a")
    trunk = Unknown((("/w/f", "f"), ("", None)), "a", "Why.")
    assert [unknown_object(trunk, key)["worktree"] for key in (None, "/w/f")] == ["f", None]
    assert [unknown_object(one).get("with", "nobody") for one in (broken, pair, trunk)] == ["nobody", "g", None]


@pytest.mark.parametrize(
    ("path", "asked", "may_be"),
    [
        (None, "a", True),
        ("a", "a", True),
        ("a", "ab", False),
        ("d/a", "d", True),
        ("d", "d/a", True),
        ("a", "", True),
        ("a", "b", False),
    ],
)
def test_what_is_not_known_of_a_path(path: str | None, asked: str, may_be: bool) -> None:
    assert Unknown((("/w/f", "f"),), path, "Why.").may_be_at(asked) is may_be


def test_whom_it_concerns() -> None:
    """What could not be read of one concerns everybody; what two could not be merged, those two."""
    assert Unknown((("/w/f", "f"),), None, "Why.").concerns("/w/other")
    pair = Unknown((("/w/f", "f"), ("", None)), None, "Why.")
    assert [pair.concerns(key) for key in ("/w/f", "", "/w/other")] == [True, True, False]


def test_check() -> None:
    unknown = {"worktree": "g", "path": None, "reason": "Why."}
    agent = {"worktree": "g", "client": "Codex", "since": 1.0, "edited": 2.0}
    said = check_object([("a", "f", [OVERLAP]), ("z", "f", [])], [unknown], [agent])
    assert said == {
        "schema": 1,
        "files": [
            {"path": "a", "worktree": "f", "overlaps": [OVERLAP_OBJECT]},
            {"path": "z", "worktree": "f", "overlaps": []},
        ],
        "unknown": [unknown],
        "agents": [agent],
    }


TIP = Tip("Begin", "Ada", 5)


def test_status() -> None:
    main = Worktree("/w/repo", "repo", "/w/repo/.git", True, "main", "2" * 40)
    linked = Worktree("/w/f", "f", "/w/repo/.git/worktrees/f", False, None, "3" * 40, locked="a drive", missing=True)
    states = (
        WorktreeState(
            main, changes=ChangeSet("", "", CHANGES, CHANGES), ahead=2, behind=1, problem="Not all.", tip=TIP
        ),
        WorktreeState(linked, integration=Integration("integrated", "ancestor")),
    )
    unknown = (Unknown((("/w/f", "f"),), None, "Why."),)
    trunk = Trunk("main", "refs/heads/main", "2" * 40)
    picture = Picture(7, "/w/repo/.git", trunk, states, (OVERLAP,), unknown=unknown)
    agent = {"client": "Codex", "since": 1.0, "edited": 2.0}
    said = status_object(picture, {"/w/f": [{"pid": 1, "name": "sh"}]}, {"/w/f": [agent]})
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
                "tip": {"subject": "Begin", "author": "Ada", "time": 5},
                "locked": None,
                "protected": False,
                "missing": False,
                "changes": {"committed": 1, "staged": 0, "unstaged": 1, "untracked": 1},
                "merging": None,
                "ahead": 2,
                "behind": 1,
                "integration": {"state": "no-work", "how": None},
                "merge": None,
                "swept_by": None,
                "in_use": [],
                "agents": [],
                "bytes": None,
                "problem": "Not all.",
            },
            {
                "name": "f",
                "path": "/w/f",
                "main": False,
                "branch": None,
                "head": "3" * 40,
                "tip": None,
                "locked": "a drive",
                "protected": False,
                "missing": True,
                "changes": {"committed": 0, "staged": 0, "unstaged": 0, "untracked": 0},
                "merging": None,
                "ahead": 0,
                "behind": 0,
                "integration": {"state": "integrated", "how": "ancestor"},
                "merge": {"ready": False, "why": "It could not be read.", "next": None},
                "swept_by": None,
                "in_use": [{"pid": 1, "name": "sh"}],
                "agents": [agent],
                "bytes": None,
                "problem": None,
            },
        ],
        "overlaps": [OVERLAP_OBJECT],
        "unknown": [{"worktree": "f", "path": None, "reason": "Why."}],
    }
    assert json.loads(json.dumps(said)) == said


def test_a_branch_that_is_being_rebased() -> None:
    worktree = Worktree("/w/f", "f", "/w/repo/.git/worktrees/f", False, None, "3" * 40)
    rebased = replace(worktree, unfinished=Unfinished("rebase", "feat"))
    said = status_object(Picture(1, "/w/.git", None, (WorktreeState(rebased),)))["worktrees"][0]
    assert (said["branch"], said["unfinished"]) == (None, {"operation": "rebase", "branch": "feat"})


def test_no_trunk_and_a_worktrees_own_problem() -> None:
    broken = WorktreeState(Worktree("/w/f", "f", "", False, "f", None, problem="It is broken."), problem="Also this.")
    said = status_object(Picture(1, "/w/.git", None, (broken,)))
    assert said["trunk"] is None
    assert said["worktrees"][0]["problem"] == "It is broken."
    assert said["worktrees"][0]["head"] is None


def test_sides_of_worktrees_with_one_name_have_their_paths_in_status() -> None:
    states = tuple(
        WorktreeState(Worktree(key, name, f"{key}/.git", False, name, "3" * 40))
        for key, name in (("/a/shop", "shop"), ("/b/shop", "shop"), ("/w/f", "f"))
    )
    sides = (replace(MINE, key="/b/shop", name="shop"), MINE)
    said = status_object(Picture(1, "/w/.git", None, states, (replace(OVERLAP, sides=sides),)))
    assert [side.get("worktree_path") for side in said["overlaps"][0]["sides"]] == ["/b/shop", None]
