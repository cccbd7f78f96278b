"""An old worktree beside many that started later: one warning about trunk, and none about them."""

from pathlib import Path

import pytest

from sidecar.session.once import compare, look
from sidecar.session.overlaps import OverlapResult
from tests.harness import add_worktree, commit, git, tick, write
from tests.session.pictures import overlaps_of, pictured
from tests.session.watching import watching

LINES = [f"line {number}" for number in range(1, 31)]


def text(**changed: str) -> str:
    """The file with these lines (`l5="x"`) changed."""
    return "".join(changed.get(f"l{number}", line) + "\n" for number, line in enumerate(LINES, 1))


@pytest.fixture
def forks(repo: Path) -> list[Path]:
    """An old worktree that conflicts with trunk in line 5 of a.txt, and four that started there and work below it."""
    commit(repo, {"a.txt": text()})
    old = add_worktree(repo, "a-old")
    commit(old, {"a.txt": text(l5="old")})
    commit(repo, {"a.txt": text(l5="trunk")})
    later = [add_worktree(repo, f"fork-{number}") for number in range(4)]
    for number, fork in enumerate(later):
        write(fork, {"a.txt": text(l5="trunk", **{f"l{10 + 5 * number}": fork.name})})
    return [old, *later]


def conflicts_of(repo: Path) -> list[str]:
    """Every conflict of the repository, in one line each."""
    return [line for line in overlaps_of(pictured(look(repo))) if line.startswith("conflict")]


def test_a_line_of_trunk_is_trunks_alone(repo: Path, forks: list[Path]) -> None:
    assert conflicts_of(repo) == ["conflict content a.txt a-old:a.txt:5-5 | trunk:a.txt:5-5"]


def test_the_others_merge_cleanly_where_they_work(repo: Path, forks: list[Path]) -> None:
    found = [line for line in overlaps_of(pictured(look(repo))) if "a-old" in line and "fork" in line]
    assert found == [
        f"clean content a.txt a-old:a.txt:{10 + 5 * number}-{10 + 5 * number} | fork-{number}:a.txt:5-5"
        for number in range(4)
    ]


def test_a_line_that_a_fork_changes_again_is_between_the_two(repo: Path, forks: list[Path]) -> None:
    write(forks[1], {"a.txt": text(l5="again")})
    assert conflicts_of(repo) == [
        "conflict content a.txt a-old:a.txt:5-5 | fork-0:a.txt:5-5",
        "conflict content a.txt a-old:a.txt:5-5 | trunk:a.txt:5-5",
    ]


def test_two_that_are_named_meet_in_their_own_work(repo: Path, forks: list[Path]) -> None:
    found = compare(repo, "a-old", "fork-0")
    assert isinstance(found, OverlapResult)
    assert [overlap.verdict for overlap in found.overlaps] == ["clean"]


def test_commits_and_trunk_are_compared_as_they_are(repo: Path, forks: list[Path]) -> None:
    commit(forks[1])
    for first, second in (("a-old", git(forks[1], "rev-parse", "HEAD")), ("a-old", "main")):
        found = compare(repo, first, second)
        assert isinstance(found, OverlapResult)
        assert [overlap.verdict for overlap in found.overlaps] == ["conflict"]


def test_a_live_picture_follows_trunk(repo: Path, forks: list[Path]) -> None:
    with watching(repo) as live:
        live.until_fresh()
        commit(repo, {"a.txt": text(l5="trunk", l20="trunk again")})
        live.until_fresh()
        git(forks[0], "merge", "--quiet", "-X", "ours", "--no-edit", "main", env=tick(forks[0]))
        live.until_fresh()
        write(forks[2], {"a.txt": text(l5="trunk", l16="near")})
        live.until_fresh()
