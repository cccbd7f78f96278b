"""Where there are watches for hardly anything, the Picture is right all the same."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.model.picture import Picture
from sidecar.model.settings import Options
from tests.harness import add_worktree, commit, git, init, write
from tests.session.pictures import changes_of, sources_of
from tests.session.watching import watching

SCARCE = Options(editor={"maxWatches": 60})


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    made = init(tmp_path / "repo")
    commit(made, {"README.md": "1\n", **{f"d{number}/f.txt": "1\n2\n3\n" for number in range(30)}})
    return made


@pytest.fixture
def many(repo: Path) -> list[Path]:
    found = [add_worktree(repo, f"w{number}") for number in range(4)]
    write(found[0], {"d7/f.txt": "w0\n2\n3\n"})
    return found


def changed_in(worktree: Path, path: str) -> Callable[[Picture], bool]:
    return lambda picture: path in changes_of(picture, worktree)


def test_where_worktrees_can_meet_all_are_watched(repo: Path, many: list[Path]) -> None:
    with watching(repo, SCARCE) as live:
        for number, worktree in enumerate(many[1:], 1):
            write(worktree, {"d7/f.txt": f"w{number}\n2\n3\n"})
            live.until(changed_in(worktree, "d7/f.txt"))
        live.until_fresh()
        assert len(live.pictures[-1].overlaps) == 6
        write(many[0], {"d9/f.txt": "now hot too\n"})
        (many[0] / "README.md").read_text()
        live.until(lambda picture: "d9/f.txt" in changes_of(picture, many[0]))
        write(many[3], {"d9/f.txt": "meets it\n"})
        live.until(lambda picture: [overlap.path for overlap in picture.overlaps].count("d9/f.txt") == 1)
        live.until_fresh()


def test_far_from_all_others_whoever_is_at_work_is_seen(repo: Path, many: list[Path]) -> None:
    with watching(repo, SCARCE) as live:
        for worktree in many:
            write(worktree, {"d20/f.txt": "where nobody was\n"})
            (worktree / "README.md").read_text()
        live.until(lambda picture: all("d20/f.txt" in changes_of(picture, worktree) for worktree in many))
        live.until_fresh()


def test_git_tells_of_itself(repo: Path, many: list[Path]) -> None:
    with watching(repo, SCARCE) as live:
        for worktree in many:
            write(worktree, {"d21/f.txt": "committed\n"})
            commit(worktree)
        live.until(lambda picture: all(sources_of(picture, each).get("d21/f.txt") == ("committed",) for each in many))
        git(many[2], "reset", "--quiet", "--hard", "HEAD~1")
        live.until(lambda picture: "d21/f.txt" not in changes_of(picture, many[2]))
        live.until_fresh()
