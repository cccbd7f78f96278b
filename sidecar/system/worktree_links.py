"""Read the links between a worktree and its repository: `.git`, `gitdir` and `commondir` (gitrepository-layout(5)).

`.git` is nearly always a directory, or a small file that names one. Some tools (git-annex) put a symbolic link in the
file's place; git follows it, and so do we. Nothing is read but regular files, and of those a few bytes. A link is only
read here, never believed: whether both ends name each other is for the caller to ask.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from sidecar.system.files import read_small

if TYPE_CHECKING:
    from pathlib import Path

_MOST_BYTES = 8192
_READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def git_directory(worktree: Path) -> Path | None:
    """Give the real path of the git directory that `<worktree>/.git` is or names; None when there is none."""
    from pathlib import Path  # an agent's hook does without

    found = git_directory_at(str(worktree))
    return None if found is None else Path(found)


def git_directory_at(worktree: str) -> str | None:
    """Give what `git_directory` does, of and as text."""
    dot_git = os.path.join(worktree, ".git")
    try:
        mode = os.stat(dot_git).st_mode
        said = "" if stat.S_ISDIR(mode) else _named(dot_git) if stat.S_ISREG(mode) else None
        if said is None:
            return None
        found = os.path.realpath(os.path.join(worktree, said) if said else dot_git)
        return None if os.path.islink(found) else found  # what leads in a circle stays a link
    except (OSError, ValueError):  # a NUL in the name
        return None


def git_file(git_dir: str | os.PathLike[str]) -> bytes:
    """Give the content of a `.git` file that names a git directory."""
    return b"gitdir: " + os.fsencode(git_dir) + b"\n"


def read_gitdir(administrative: str | os.PathLike[str]) -> str:
    """Give the path of the `.git` file that an administrative directory names, as it stands there; OSError.

    A relative one (git 2.48 on) is relative to the administrative directory.
    """
    return os.fsdecode(read_small(os.path.join(administrative, "gitdir")).rstrip(b"\n"))


def worktree_of(administrative: str | os.PathLike[str]) -> str:
    """Give the real path of the worktree that an administrative directory names, there or not; OSError."""
    return os.path.realpath(os.path.dirname(os.path.join(administrative, read_gitdir(administrative))))


def common_directory(administrative: str | os.PathLike[str]) -> str:
    """Give the real path of the common directory that an administrative directory names; OSError."""
    said = os.fsdecode(read_small(os.path.join(administrative, "commondir")).rstrip(b"\n"))
    return os.path.realpath(os.path.join(administrative, said))


def _named(dot_git: str) -> str | None:
    """Give the path that a `.git` file names, as it stands there; None for another file."""
    descriptor = os.open(dot_git, _READING)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        content = os.read(descriptor, _MOST_BYTES)
    finally:
        os.close(descriptor)
    return os.fsdecode(content.removeprefix(b"gitdir:").strip()) if content.startswith(b"gitdir:") else None


def made_of(git_dir: str) -> str:
    """Give what tells a worktree from every other of its name: when git made its administrative directory.

    Git writes `commondir` then and never again (gitrepository-layout(5)); moving and repairing leave it alone.
    """
    try:
        return str(os.lstat(os.path.join(git_dir, "commondir")).st_mtime_ns)
    except OSError:
        return ""
