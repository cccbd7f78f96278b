"""Repositories, worktrees, submodules and file systems inside a worktree."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.harness.repository import add_worktree, commit, git, init, write
from tests.harness.states.standing import Standing, State, state

LOCAL = ("-c", "protocol.file.allow=always")


def _repository(at: Standing, below: str) -> Path:
    path = init(at.worktree / below)
    commit(path, {"work.txt": "work\n"})
    return path


def _clone(at: Standing, below: str, *options: str) -> Path:
    origin = init(at.outside / "library")
    commit(origin, {"library.txt": "library\n"})
    commit(origin, {"library.txt": "library, better\n"})
    git(at.worktree, *LOCAL, "clone", "--quiet", *options, f"file://{origin}", str(at.worktree / below))
    return at.worktree / below


def _submodule(at: Standing) -> Path:
    """A submodule `lib` that trunk has too, checked out in the worktree."""
    origin = init(at.outside / "library")
    commit(origin, {"library.txt": "library\n"})
    git(at.worktree, *LOCAL, "submodule", "--quiet", "add", str(origin), "lib")
    commit(at.worktree, message="Add lib")
    git(at.main, "merge", "--quiet", "--ff-only", "feat-1")
    return at.worktree / "lib"


def _submodule_ahead(at: Standing) -> None:
    """Trunk itself names a commit that only the worktree's copy of the submodule has."""
    commit(_submodule(at), {"library.txt": "unpushed\n"})
    commit(at.worktree, message="Take the new lib")
    git(at.main, "merge", "--quiet", "--ff-only", "feat-1")


def _submodule_pushed(at: Standing) -> None:
    lib = _submodule(at)
    commit(lib, {"library.txt": "pushed\n"})
    git(lib, *LOCAL, "push", "--quiet", "origin", "HEAD:refs/heads/new")
    commit(at.worktree, message="Take the new lib")
    git(at.main, "merge", "--quiet", "--ff-only", "feat-1")


def _submodule_stashed(at: Standing) -> None:
    lib = _submodule(at)
    write(lib, {"library.txt": "stashed\n"})
    git(lib, "stash", "--quiet")


def _absorbed_not(at: Standing) -> None:
    """A submodule with a git directory of its own."""
    lib = _repository(at, "lib")
    assert lib.exists()
    at.git("add", "lib")
    at.git("commit", "--quiet", "--message=Add lib")
    git(at.main, "merge", "--quiet", "--ff-only", "feat-1")


def _submodule_not_there(at: Standing) -> None:
    _submodule(at)
    at.git("submodule", "--quiet", "deinit", "--force", "lib")


def _files_in_its_place(at: Standing) -> None:
    _submodule_not_there(at)
    write(at.worktree, {"lib/mine.txt": "mine\n"})


def _worktree_of_another(at: Standing) -> None:
    other = init(at.outside / "other")
    commit(other, {"a": "a"})
    add_worktree(other, at.worktree / "data/theirs")


def _dangling(at: Standing) -> None:
    write(at.worktree, {"data/x/.git": "gitdir: /nowhere\n", "data/x/file": "x"})


def _in_a_tracked_directory(at: Standing) -> None:
    git(at.worktree / "src", "init", "--quiet")


def _edited_clone(at: Standing) -> None:
    write(_clone(at, "node_modules/lib"), {"library.txt": "edited\n"})


def _clone_told_not_to_look(at: Standing) -> None:
    lib = _clone(at, "node_modules/lib")
    git(lib, "update-index", "--assume-unchanged", "library.txt")
    write(lib, {"library.txt": "edited\n"})


def _committed_clone(at: Standing) -> None:
    commit(_clone(at, "node_modules/lib"), {"library.txt": "committed\n"})


def _stashed_clone(at: Standing) -> None:
    lib = _clone(at, "node_modules/lib")
    write(lib, {"library.txt": "stashed\n"})
    git(lib, "stash", "--quiet")


def _reset_clone(at: Standing) -> None:
    lib = _clone(at, "node_modules/lib")
    commit(lib, {"library.txt": "committed\n"})
    git(lib, "reset", "--quiet", "--hard", "HEAD^")


def _mount(at: Standing, below: str, *how: str) -> None:
    place = at.worktree / below
    place.mkdir(parents=True)
    subprocess.run(["mount", *how, str(place)], check=True, capture_output=True)


def _bind(at: Standing) -> None:
    write(at.outside, {"precious": "precious\n"})
    _mount(at, "data/bound", "--bind", str(at.outside))


def _unmount(below: str) -> Callable[[Standing], object]:
    return lambda at: subprocess.run(["umount", str(at.worktree / below)], check=False, capture_output=True)


def _too_long(at: Standing) -> None:
    """A path that no system call takes as a whole, so that it must be walked into."""
    here = os.open(at.worktree, os.O_RDONLY)
    try:
        for _ in range(20):
            name = "d" * 250
            os.mkdir(name, dir_fd=here)
            below = os.open(name, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        os.close(os.open("work", os.O_WRONLY | os.O_CREAT, dir_fd=here))
    finally:
        os.close(here)


INSIDE: tuple[State, ...] = (
    state("a repository inside", lambda at: _repository(at, "inner"), "nested-repository"),
    state("a repository in an ignored directory", lambda at: _repository(at, "data/x"), "nested-repository"),
    state("a repository in a tracked directory", _in_a_tracked_directory, "nested-repository"),
    state("a repository without a commit", lambda at: init(at.worktree / "data/x"), "nested-repository"),
    state("a bare repository", lambda at: init(at.worktree / "data/x.git", "--bare"), "nested-repository"),
    state("a .git file that leads nowhere", _dangling, "nested-repository"),
    state(
        "a repository in build output",
        lambda at: _repository(at, "node_modules/x"),
        "nested-repository",
    ),
    state("a clone in build output", lambda at: _clone(at, "node_modules/lib"), "build-output"),
    state("a shallow clone in build output", lambda at: _clone(at, "node_modules/lib", "--depth=1"), "build-output"),
    state("a clone with a commit in build output", _committed_clone, "nested-repository"),
    state("a clone with an edit in build output", _edited_clone, "nested-repository"),
    state("a clone with a hidden edit in build output", _clone_told_not_to_look, "nested-repository"),
    state("a clone with a stash in build output", _stashed_clone, "nested-repository"),
    state("a clone with a lost commit in build output", _reset_clone, "nested-repository"),
    state("a worktree inside", lambda at: add_worktree(at.main, at.worktree / "inner"), "nested-worktree"),
    state(
        "a worktree in an ignored directory",
        lambda at: write(add_worktree(at.main, at.worktree / "data/in"), {"new": "x"}),
        "nested-worktree",
    ),
    state(
        "a worktree in build output",
        lambda at: add_worktree(at.main, at.worktree / "node_modules/in"),
        "nested-worktree",
    ),
    state("a worktree of another repository", _worktree_of_another, "nested-worktree"),
    state("a submodule", _submodule),
    state("a submodule that is not there", _submodule_not_there),
    state("files in place of a submodule", _files_in_its_place, "submodule-changes"),
    state(
        "a submodule with a commit",
        lambda at: commit(_submodule(at), {"library.txt": "x"}),
        "submodule-commits",
        "uncommitted",
    ),
    state("a submodule with a commit that trunk names", _submodule_ahead, "submodule-commits"),
    state("a submodule with a commit that was pushed", _submodule_pushed),
    state("a submodule with an edit", lambda at: write(_submodule(at), {"library.txt": "x"}), "submodule-changes"),
    state("a submodule with a new file", lambda at: write(_submodule(at), {"new": "x"}), "submodule-changes"),
    state("a submodule with a stash", _submodule_stashed, "submodule-commits"),
    state("a submodule with its own git directory", _absorbed_not, "submodule-commits"),
    state("a bound directory", _bind, "mount", undo=_unmount("data/bound"), needs="mount"),
    state(
        "a file system in build output",
        lambda at: _mount(at, "node_modules/m", "-t", "tmpfs", "none"),
        "mount",
        undo=_unmount("node_modules/m"),
        needs="mount",
    ),
    state("a path that is too long", _too_long, "overlong-path"),
)
