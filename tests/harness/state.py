"""Everything of a repository that reading must leave alone, as one value that can be compared."""

import os
from pathlib import Path
from typing import TypeAlias

from tests.harness.repository import git, git_bytes

State: TypeAlias = dict[str, object]


def worktree_paths(repository: Path) -> list[Path]:
    """The worktrees in git's order, main first; those that are missing or bare are left out."""
    records = git_bytes(repository, "worktree", "list", "--porcelain", "-z").split(b"\0\0")
    fields = [record.strip(b"\0").split(b"\0") for record in records if record.strip(b"\0")]
    present = [Path(os.fsdecode(field[0].removeprefix(b"worktree "))) for field in fields if b"bare" not in field]
    return [path for path in present if path.exists()]


def state_of(repository: Path) -> State:
    """Object counts, refs, files of the common directory, and of each worktree its status, index and files.

    Equal before and after means that nobody wrote: index and worktree files are compared with their time stamps,
    the files of the common directory by name, size and, where they hold settings or refs, content.
    """
    common = Path(git(repository, "rev-parse", "--path-format=absolute", "--git-common-dir"))
    state: State = {
        "objects": git(repository, "count-objects", "-v"),
        "refs": git(repository, "for-each-ref"),
        "common directory": _administrative_files(common),
    }
    for path in worktree_paths(repository):
        index = _git_directory(path) / "index"
        state |= {
            f"{path}: status": git_bytes(path, "--no-optional-locks", "status", "--porcelain=v2", "--branch", "-z"),
            f"{path}: index": (index.read_bytes(), index.stat().st_mtime_ns) if index.exists() else None,
            f"{path}: files": _worktree_files(path),
        }
    return state


def _git_directory(worktree: Path) -> Path:
    """A worktree's own directory of git's, which `.git` is or names."""
    link = worktree / ".git"
    return link if link.is_dir() else worktree / os.fsdecode(link.read_bytes()).rstrip("\n").removeprefix("gitdir: ")


def _administrative_files(common: Path) -> dict[str, object]:
    """Name -> size, or content where it is short; the object store is left to `count-objects`."""
    files: dict[str, object] = {}
    for folder, names, leaves in os.walk(common):
        here = Path(folder)
        if here == common:
            names.remove("objects")
        for name in leaves:
            path = here / name
            size = path.lstat().st_size
            files[str(path.relative_to(common))] = path.read_bytes() if size < 4096 else size
        files |= {f"{(here / name).relative_to(common)}/": "directory" for name in names}
    return files


def _worktree_files(worktree: Path) -> dict[str, tuple[int, int]]:
    """Name -> (size, time of the last change in ns) of all files but git's own, ignored ones included."""
    files = {}
    for folder, names, leaves in os.walk(worktree):
        if ".git" in names:
            names.remove(".git")
        for name in leaves:
            path = Path(folder) / name
            seen = path.lstat()
            files[str(path.relative_to(worktree))] = (seen.st_size, seen.st_mtime_ns)
    return files
