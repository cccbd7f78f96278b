"""Marks: where they are as they were, git lists worktrees, refs and configuration as it did."""

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from sidecar.git.marks import RACY_NS, Marked, Marks, marked_by, read_marks
from sidecar.git.repository import Repository, open_repository
from sidecar.git.surroundings import Surroundings, read_surroundings
from sidecar.model.settings import Options
from sidecar.session.reader import Listing, list_all, settings_of
from tests.harness import GitFailedError, add_worktree, commit, git, init, write
from tests.model.examples import examples

DEADLINE = 10.0
Deed = Callable[[Path], object]
Known = tuple[Repository, Listing, Surroundings]


def _begin(folder: Path) -> Path:
    main = init(folder / "main")
    commit(main, {"a.txt": "1\n2\n3\n"})
    commit(main, {"a.txt": "1\ntwo\n3\n"})
    for name in ("one", "two"):
        commit(add_worktree(main, name), {"a.txt": f"1\n{name}\n3\n"})
    git(main, "update-ref", "refs/remotes/origin/one", "one")
    return main


def _listed(main: Path) -> Known:
    repository = open_repository(main)
    assert isinstance(repository, Repository)
    listing = list_all(repository, settings_of(repository, Options()))
    return repository, listing, read_surroundings(repository, listing.checkout)


def _marked(known: Known) -> Marked | None:
    repository, listing, surroundings = known
    return marked_by(repository, listing.worktrees, surroundings.files)


def _read(marked: Marked) -> Marks:
    """Read the marks once everything is as old as it has to be."""
    end = time.monotonic() + DEADLINE
    while (marks := read_marks(marked)) is None:
        assert time.monotonic() < end, "there are no marks"
    return marks


def _replace(main: Path) -> None:
    git(main, "replace", "--force", git(main, "rev-parse", "HEAD~1:a.txt"), git(main, "rev-parse", "HEAD:a.txt"))


def _write_in_place(main: Path) -> None:
    """Write the configuration with the same number of bytes in the same file."""
    file = main / ".git/config"
    text = file.read_text()
    with file.open("r+") as opened:
        opened.write(text.replace("filemode = true", "filemode =  yes"))


def _stop_in_the_middle(main: Path) -> None:
    git(main.parent / "one", "rebase", "--quiet", "two", check=False)


def _include(main: Path) -> None:
    git(main, "config", "include.path", str(main.parent / "more"))
    write(main.parent, {"more": "[merge]\n\tdefault = union\n"})


DEEDS: dict[str, Deed] = {
    "a worktree is added": lambda main: add_worktree(main, "three"),
    "one is added at a commit": lambda main: git(main, "worktree", "add", "--quiet", "--detach", "../four"),
    "one is removed": lambda main: git(main, "worktree", "remove", "--force", "../two"),
    "one is moved": lambda main: git(main, "worktree", "move", "../two", "../moved"),
    "one is locked": lambda main: git(main, "worktree", "lock", "--reason", "mine", "../one"),
    "a folder is deleted": lambda main: shutil.rmtree(main.parent / "two"),
    "a folder is moved away": lambda main: (main.parent / "one").rename(main.parent / "away"),
    "a link is rewritten": lambda main: write(main.parent / "one", {".git": f"gitdir: {main}/.git/worktrees/two\n"}),
    "an administrative directory is begun": lambda main: (main / ".git/worktrees/begun").mkdir(),
    "trunk moves on": lambda main: commit(main, {"b.txt": "b\n"}),
    "trunk is set back": lambda main: git(main, "update-ref", "refs/heads/main", "HEAD~1"),
    "a branch moves on": lambda main: commit(main.parent / "one", {"c.txt": "c\n"}),
    "another branch": lambda main: git(main.parent / "one", "switch", "--quiet", "-c", "other"),
    "no branch": lambda main: git(main.parent / "one", "checkout", "--quiet", "--detach"),
    "a branch gets another name": lambda main: git(main, "branch", "-m", "one", "renamed"),
    "origin says which is trunk": lambda main: git(
        main, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/one"
    ),
    "a rebase stops": _stop_in_the_middle,
    "a merge stops": lambda main: git(main.parent / "one", "merge", "--quiet", "two", check=False),
    "an object is replaced": _replace,
    "trunk is another one": lambda main: git(main, "config", "sidecar.trunk", "one"),
    "configuration": lambda main: git(main, "config", "merge.default", "union"),
    "configuration in place": _write_in_place,
    "configuration of the worktree": lambda main: (
        git(main, "config", "extensions.worktreeConfig", "true"),
        git(main, "config", "--worktree", "merge.default", "union"),
    ),
    "a file that is included": _include,
    "attributes": lambda main: write(main / ".git", {"info/attributes": "* merge=union\n"}),
    "what is ignored": lambda main: write(main / ".git", {"info/exclude": "junk\n"}),
    "it is called bare": lambda main: git(main, "config", "core.bare", "true"),
}


@pytest.fixture
def main(tmp_path: Path) -> Path:
    """A repository with two linked worktrees, in which each branch has changed line 2."""
    return _begin(tmp_path)


@pytest.mark.parametrize("deed", DEEDS)
def test_they_differ_where_git_lists_otherwise(main: Path, deed: str) -> None:
    known = _listed(main)
    marked = _marked(known)
    assert marked is not None
    before = _read(marked)
    DEEDS[deed](main)
    assert _listed(main) != known
    assert _read(marked) != before


ORDINARY: dict[str, Deed] = {
    "a file is written": lambda main: write(main.parent / "one", {"a.txt": "1\nthree\n3\n", "new.txt": "n\n"}),
    "a file is staged": lambda main: git(main, "add", "--all"),
    "its status is asked": lambda main: git(main, "status"),
    "a state is kept": lambda main: git(main, "update-ref", "--create-reflog", "refs/sidecar/guard/x", "HEAD"),
    "something of ours is written": lambda main: write(main / ".git", {"sidecar/agents/a.json": "{}"}),
    "an object is written": lambda main: git(main, "hash-object", "-w", "a.txt"),
}


@pytest.mark.parametrize("deed", ORDINARY)
def test_they_stay_while_people_work(main: Path, deed: str) -> None:
    marked = _marked(_listed(main))
    assert marked is not None
    before = _read(marked)
    ORDINARY[deed](main)
    assert _read(marked) == before


@examples(8)
@given(st.lists(st.sampled_from(sorted({**DEEDS, **ORDINARY})), min_size=2, max_size=5, unique=True))
def test_as_they_were_git_lists_the_same_whatever_happens(deeds: list[str]) -> None:
    with TemporaryDirectory() as folder:
        main = _begin(Path(folder).resolve())
        known, marked, before = _listed(main), None, None
        for deed in deeds:
            marked = _marked(known)
            before = _read(marked) if marked is not None else None
            note(deed)
            with suppress(GitFailedError, OSError):  # not every one is possible after those before it
                {**DEEDS, **ORDINARY}[deed](main)
            if marked is not None and read_marks(marked) == before:
                assert _listed(main) == known
            known = _listed(main)


def test_what_has_just_changed_has_none(main: Path) -> None:
    marked = _marked(_listed(main))
    assert marked is not None
    began = time.time_ns()
    write(main / ".git", {"description": "now\n"})
    assert read_marks(marked) is None or time.time_ns() > began + RACY_NS


def test_a_worktree_with_a_problem_has_none(main: Path) -> None:
    shutil.rmtree(main.parent / "one")
    assert _marked(_listed(main)) is None


def test_a_branch_may_be_called_as_a_directory_of_git(main: Path) -> None:
    marked = _marked(_listed(main))
    assert marked is not None
    before = _read(marked)
    git(main, "branch", "objects/sidecar")
    assert _read(marked) != before
