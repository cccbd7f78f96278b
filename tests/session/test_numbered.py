"""Two worktrees, or one and trunk, that add files of one number meet, although git merges them without a word."""

from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.messages import overlap_sentence
from sidecar.model.overlaps import Overlap
from sidecar.model.settings import Options
from sidecar.session.at_paths import look_at_paths
from sidecar.session.once import compare, look
from tests.harness import add_worktree, commit, git, init, write
from tests.session.pictures import pictured
from tests.session.watching import watching


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    main = init(tmp_path / "shop")
    commit(main, {f"app/migrations/{number:04}_x{number}.py": f"{number}\n" for number in range(1, 7)}, "Begin")
    return main


def told(shop: Path) -> list[tuple[str, ...]]:
    return [_said(one) for one in pictured(look(shop)).overlaps]


def _said(one: Overlap) -> tuple[str, ...]:
    return one.verdict, one.kind, *(f"{side.name or 'trunk'}:{side.path.rpartition('/')[2]}" for side in one.sides)


A, B = "app/migrations/0007_a.py", "app/migrations/0007_b.py"


@pytest.mark.parametrize("committed", [True, False])
def test_two_worktrees(shop: Path, committed: bool) -> None:
    one, two = add_worktree(shop, "one"), add_worktree(shop, "two")
    write(one, {A: "a\n"})
    (commit if committed else write)(two, {B: "b\n"})
    assert told(shop) == [("clean", "same number", "one:0007_a.py", "two:0007_b.py")]
    (overlap,) = pictured(look(shop)).overlaps
    mine, other = overlap.sides
    assert overlap_sentence(overlap, mine, other, ()) == (
        f"Has the same number as {B}, which two added; git merges both without a word. "
        "Both are number 7 of their directory."
    )
    at_path = pictured(look_at_paths(str(one), [A], Options()))
    assert at_path.overlaps == (overlap,)


def test_with_trunk_once_also_where_a_third_has_it_from_trunk(shop: Path) -> None:
    commit(add_worktree(shop, "one"), {A: "a\n"})
    commit(shop, {B: "b\n"})
    commit(add_worktree(shop, "later"), {"later.py": "later\n"})
    assert told(shop) == [("clean", "same number", "one:0007_a.py", "trunk:0007_b.py")]


def test_several_numbers_of_a_directory_are_told_once(shop: Path) -> None:
    commit(add_worktree(shop, "one"), {A: "a\n", A.replace("7", "8"): "a\n"})
    commit(add_worktree(shop, "two"), {B: "b\n", B.replace("7", "8"): "b\n"})
    (overlap,) = pictured(look(shop)).overlaps
    assert overlap.note == "Both are number 7 of their directory. So have 1 more file here."


def test_one_file_under_two_names_or_on_a_branch_upon_the_other_is_none(shop: Path) -> None:
    one = add_worktree(shop, "one")
    commit(one, {A: "same\n"})
    commit(add_worktree(shop, "two"), {B: "same\n"})
    commit(add_worktree(shop, "upon", start="one"), {"app/migrations/0008_c.py": "c\n"})
    assert told(shop) == []


def test_it_goes_when_one_is_renumbered_and_nothing_else_is_touched(shop: Path) -> None:
    one, two = add_worktree(shop, "one"), add_worktree(shop, "two")
    write(one, {A: "a\n"})
    commit(two, {B: "b\n"})
    with watching(shop) as live:
        live.until(lambda picture: [one.kind for one in picture.overlaps] == ["same number"])
        git(two, "mv", B, B.replace("7", "8"))
        live.until(lambda picture: picture.overlaps == ())


def test_two_commits_are_compared_alike(shop: Path) -> None:
    commit(add_worktree(shop, "one"), {A: "a\n"})
    commit(add_worktree(shop, "two"), {B: "b\n"})
    first, second = git(shop, "rev-parse", "one"), git(shop, "rev-parse", "two")
    found = compare(shop, first, second)
    assert not isinstance(found, Failure)
    assert [one.kind for one in found.overlaps] == ["same number"]


def test_a_file_of_git_keeps_its_own_overlap_beside(shop: Path) -> None:
    commit(add_worktree(shop, "one"), {A: "a\n", "app/migrations/0001_x1.py": "one\n"})
    commit(add_worktree(shop, "two"), {B: "b\n", "app/migrations/0001_x1.py": "two\n"})
    assert [(one.verdict, one.kind) for one in pictured(look(shop)).overlaps] == [
        ("conflict", "content"),
        ("clean", "same number"),
    ]
