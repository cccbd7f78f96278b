"""`sidecar.compare` and the code lens that leads to it."""

from pathlib import Path

import pytest

from sidecar.lsp.code_lens import code_lenses
from sidecar.lsp.compare import Wanted, candidates, choices, comparison, read_wanted
from sidecar.lsp.documents import path_of
from sidecar.model.changes import UNSAVED
from sidecar.model.overlaps import Overlap, Side, Verdict
from tests.lsp.pictures import AFTER, FEATURE, MINE, TRUNK, document, picture, side, view

MY_FILE = f"{MINE}/a.py"
URI = f"file://{MY_FILE}"


def overlaps(*others: tuple[Side, Verdict]) -> list[Overlap]:
    return [Overlap("a.py", verdict, "content", (side(MINE), other)) for other, verdict in others]


EVERYONE = overlaps((side(FEATURE), "clean"), (side("/w/feat-2"), "conflict"), (side(TRUNK, name=None), "identical"))


@pytest.mark.parametrize(
    ("argument", "request_"),
    [
        ({"uri": URI}, Wanted(URI, MY_FILE, False, None)),
        ({"uri": URI, "worktree": None}, Wanted(URI, MY_FILE, True, None)),
        ({"uri": URI, "worktree": "feat-1"}, Wanted(URI, MY_FILE, True, "feat-1")),
        ({"uri": "untitled:1"}, None),
        ({"uri": 3}, None),
        ({"uri": URI, "worktree": 3}, None),
        ("text", None),
        (None, None),
    ],
)
def test_one_object_says_what_is_compared(argument: object, request_: Wanted | None) -> None:
    assert read_wanted((argument,)) == request_
    assert read_wanted(()) is None


@pytest.mark.parametrize(
    ("named", "other", "keys"),
    [
        (False, None, [FEATURE, "/w/feat-2", TRUNK]),
        (True, None, [TRUNK]),
        (True, "feat-1", [FEATURE]),
        (True, "feature/one", [FEATURE]),
        (True, FEATURE, [FEATURE]),
        (True, "nobody", []),
    ],
)
def test_a_version_is_named_by_worktree_branch_or_path_or_not_at_all(
    named: bool, other: str | None, keys: list[str]
) -> None:
    found = candidates(view(picture(*EVERYONE)), MY_FILE, Wanted(URI, MY_FILE, named, other))
    assert [seen.other.key for seen in found] == keys


def test_a_person_picks_from_conflicts_first() -> None:
    moment = view(picture(*EVERYONE))
    assert choices(moment, candidates(moment, MY_FILE, Wanted(URI, MY_FILE, False, None))) == [
        {"worktree": "feat-2", "title": "feat-2 (branch topic): conflict"},
        {"worktree": "feat-1", "title": "feat-1 (branch feature/one)"},
        {"worktree": None, "title": "trunk (branch main): identical"},
    ]


def compared(overlap: Overlap, tmp_path: Path, key: str = MINE) -> dict[str, str]:
    moment = view(picture(overlap), {AFTER: "theirs\n"}, folders=())
    path = f"{key}/a.py"
    (seen,) = candidates(moment, path, Wanted(f"file://{path}", path, False, None))
    return comparison(moment, seen, f"file://{path}", tmp_path / "copies")


def test_a_file_on_disk_is_shown_itself(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("theirs\n")
    answer = compared(overlaps((side(str(tmp_path), name="feat-1"), "conflict"))[0], tmp_path)
    assert answer == {"left": f"file://{tmp_path}/a.py", "right": URI, "title": "a.py: feat-1 ↔ mine"}
    assert not (tmp_path / "copies").exists()


@pytest.mark.parametrize(
    ("other", "content"),
    [
        (side(TRUNK, name=None), "theirs\n"),
        (side(FEATURE, sources=(UNSAVED,)), "theirs\n"),
        (side(FEATURE, after=None), ""),
        (side(FEATURE), "theirs\n"),
    ],
    ids=["trunk", "unsaved", "deleted", "gone from disk meanwhile"],
)
def test_anything_else_is_a_read_only_copy_of_the_same_name(other: Side, content: str, tmp_path: Path) -> None:
    answer = compared(overlaps((other, "conflict"))[0], tmp_path)
    left = Path(path_of(answer["left"]) or "")
    assert (left.name, left.read_text(), left.stat().st_mode & 0o777) == ("a.py", content, 0o400)
    assert left.is_relative_to(tmp_path / "copies")
    assert compared(overlaps((other, "conflict"))[0], tmp_path) == answer


def test_the_lens_is_on_the_first_line_and_lets_the_server_choose() -> None:
    moment = view(picture(*EVERYONE), {AFTER: "x"})
    (lens,) = code_lenses(moment, document(MY_FILE, "x"))
    assert (lens.range.start.line, lens.range.end.line) == (0, 0)
    assert lens.command is not None
    assert lens.command.title == "3 others changed this file: feat-2 (conflict), feat-1, trunk"
    assert (lens.command.command, list(lens.command.arguments or ())) == ("sidecar.compare", [{"uri": URI}])
    assert code_lenses(moment, document(f"{MINE}/other.py", "x")) == []
