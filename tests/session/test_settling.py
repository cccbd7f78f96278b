"""Who asks a session gets the Picture of all that has happened by then, whatever kind of thing that was."""

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sidecar.model.picture import Integration, Picture
from sidecar.session.once import look
from tests.harness import add_worktree, commit, git, init, write
from tests.session.pictures import changes_of
from tests.session.watching import DEADLINE, Live, differences, watching, what_is_seen

WORDS = "".join(f"line {number}\n" for number in range(1, 13))


@pytest.fixture
def main(tmp_path: Path, home: Path) -> Path:
    """Two worktrees that conflict at line 2, one with an untracked file; a configuration that includes a file."""
    (home / ".config/git").mkdir()
    git(home, "config", "--file", ".gitconfig", "include.path", "there/later")
    main = init(tmp_path / "main")
    commit(main, {"a.txt": WORDS})
    for name in ("one", "two"):
        write(add_worktree(main, name), {"a.txt": WORDS.replace("line 2\n", f"{name}\n")})
    write(tmp_path / "one", {"junk": "j\n"})
    return main


def _settle(live: Live) -> None:
    live.until(lambda picture: [overlap.verdict for overlap in picture.overlaps] == ["conflict"])
    for number in range(3):
        write(live.folder.parent / "two", {"news": f"{number}\n"})
        live.until_fresh()


def _until_marked(live: Live) -> None:
    """Ask until the session would answer without asking git again."""
    end = time.monotonic() + DEADLINE
    while not live.session.is_as_listed:
        assert time.monotonic() < end, "it asks git every time"
        live.session.settle(DEADLINE)


def _without_proofs(picture: Picture) -> Picture:
    states = tuple(replace(state, integration=Integration("no-work")) for state in picture.worktrees)
    return replace(picture, worktrees=states)


def _hold(settled: Picture, fresh: Picture) -> None:
    one, two = (what_is_seen(_without_proofs(picture)) for picture in (settled, fresh))
    assert one == two, "\n".join(differences(one, two))


def _name_attributes(home: Path) -> None:
    git(home, "config", "--file", ".gitconfig", "core.attributesFile", "~/elsewhere/attributes")
    write(home, {"elsewhere/attributes": "* merge=union\n"})


Deed = Callable[[Path, Path], object]

DEEDS: dict[str, Deed] = {
    "the person's driver": lambda _, home: git(home, "config", "--file", ".gitconfig", "merge.default", "union"),
    "a file that it includes": lambda _, home: write(home, {"there/later": "[merge]\n\tdefault = union\n"}),
    "attributes by default": lambda _, home: write(home, {".config/git/attributes": "* merge=union\n"}),
    "attributes by name": lambda _, home: _name_attributes(home),
    "what the person ignores": lambda _, home: write(home, {".config/git/ignore": "junk\n"}),
    "the repository's driver": lambda main, _: git(main, "config", "merge.default", "union"),
    "the repository's attributes": lambda main, _: write(main / ".git", {"info/attributes": "* merge=union\n"}),
    "what the repository ignores": lambda main, _: write(main / ".git", {"info/exclude": "junk\n"}),
    "a folder deleted": lambda main, _: shutil.rmtree(main.parent / "one"),
    "a folder moved away": lambda main, _: (main.parent / "one").rename(main.parent / "elsewhere"),
    "a worktree added": lambda main, _: add_worktree(main, "three"),
    "a worktree removed": lambda main, _: git(main, "worktree", "remove", "--force", "two"),
    "a worktree moved": lambda main, _: git(main, "worktree", "move", "two", "../moved"),
    "trunk moved on": lambda main, _: commit(main, {"a.txt": WORDS.replace("line 9\n", "nine\n")}),
    "trunk set back": lambda main, _: git(main, "update-ref", "refs/heads/main", git(main, "rev-parse", "one")),
    "another branch": lambda main, _: git(main.parent / "one", "switch", "--quiet", "-c", "other"),
    "refs packed": lambda main, _: git(main, "pack-refs", "--all"),
    "a branch renamed": lambda main, _: git(main, "branch", "-m", "one", "renamed"),
    "something staged": lambda main, _: git(main.parent / "one", "add", "junk"),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_it_is_the_fresh_one(main: Path, home: Path, deed: str) -> None:
    with watching(main) as live:
        _settle(live)
        _until_marked(live)
        DEEDS[deed](main, home)
        settled, fresh = live.session.settle(DEADLINE), look(main, live.options)
        assert settled is not None
        assert isinstance(fresh, Picture)
        _hold(settled, fresh)


def test_it_is_also_where_a_folder_comes_back(main: Path) -> None:
    with watching(main) as live:
        _settle(live)
        (main.parent / "one").rename(main.parent / "elsewhere")
        live.until_fresh()
        (main.parent / "elsewhere").rename(main.parent / "one")
        settled, fresh = live.session.settle(DEADLINE), look(main, live.options)
        assert settled is not None
        assert isinstance(fresh, Picture)
        _hold(settled, fresh)


def test_an_edit_is_in_it_although_git_is_not_asked_again(main: Path) -> None:
    with watching(main) as live:
        _settle(live)
        _until_marked(live)
        for number in range(5):
            write(main.parent / "one", {"a.txt": WORDS.replace("line 7\n", f"{number}\n"), f"new{number}": "n\n"})
            assert live.session.is_as_listed
            settled, fresh = live.session.settle(DEADLINE), look(main, live.options)
            assert settled is not None
            assert isinstance(fresh, Picture)
            _hold(settled, fresh)


def test_a_worktree_that_is_committed_in_the_one_around_it_moves_on(repo: Path) -> None:
    """As `git add --all` takes a worktree inside of another one: to git it is a submodule there."""
    commit(repo, {"a.txt": "a\n"})
    nested = repo / ".claude/worktrees/nested"
    git(repo, "worktree", "add", "--quiet", "-b", "nested", str(nested))
    git(repo, "add", "--all")
    commit(repo, {"a.txt": "b\n"})
    with watching(repo) as live:
        live.until_fresh()
        for number in range(2):
            commit(nested, {f"{number}.txt": "new\n"})
            assert changes_of(live.until_fresh(), repo).keys() == {".claude/worktrees/nested"}
        git(nested, "switch", "--quiet", "--detach", git(repo, "rev-parse", "HEAD:.claude/worktrees/nested"))
        assert not changes_of(live.until_fresh(), repo)
