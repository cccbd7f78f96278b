"""Everything of one worktree that must be the same again after it went and came back, as one comparable value."""

import os
import stat
from collections.abc import Collection
from pathlib import Path

from tests.harness.repository import git, git_bytes

Whole = dict[str, object]


def whole(worktree: Path, without: Collection[str] = ()) -> Whole:
    """Files by kind, mode, content, target, attributes and time; the index with its flags; HEAD, refs, reflogs, status.

    `without` are paths that are not looked at, with all below them.
    """
    found: Whole = {
        "index": git_bytes(worktree, "ls-files", "--stage", "-v", "-z"),
        "HEAD": git(worktree, "rev-parse", "--symbolic-full-name", "HEAD", check=False),
        "commit": git(worktree, "rev-parse", "HEAD", check=False),
        "reflog": git(worktree, "reflog", "show", "--format=%H %gd %gs", "HEAD", check=False),
        "branch": git(worktree, "reflog", "show", "--format=%H %gs", "@{0}", check=False),
        "refs": git(worktree, "for-each-ref", "--exclude=refs/sidecar", check=False)
        or git(worktree, "for-each-ref", "refs/heads", "refs/worktree", "refs/bisect", "refs/tags"),
        "status": git_bytes(worktree, "--no-optional-locks", "status", "--porcelain=v2", "--branch", "-z", check=False),
        "config": git(worktree, "config", "--list", "--worktree", check=False),
    }
    for folder, names, leaves in os.walk(worktree):
        here = Path(folder)
        inside = here.relative_to(worktree)
        names[:] = [name for name in names if (inside / name).as_posix() not in without]
        for name in (*names, *leaves):
            path = (inside / name).as_posix()
            if path != ".git" and path not in without:
                found[f"file {path}"] = _entry(here / name)
    return found


def as_kept(found: Whole) -> Whole:
    """What of it a state of the guard holds: no times, attributes, reflogs, nor directories without files."""
    kept: Whole = {key: found[key] for key in ("index", "HEAD", "commit", "status")}
    for key, entry in found.items():
        if key.startswith("file ") and isinstance(entry, tuple) and entry[0] != "directory":
            kept[key] = (entry[0], bool(entry[1] & 0o100), entry[-1]) if entry[0] == "file" else entry
    return kept


def _entry(path: Path) -> object:
    try:
        status = path.lstat()
    except OSError as error:
        return "unreadable", error.errno
    kind = stat.S_IFMT(status.st_mode)
    attributes = tuple(sorted(os.listxattr(path, follow_symlinks=False))) if hasattr(os, "listxattr") else ()
    if stat.S_ISLNK(kind):
        return "link", os.readlink(path)
    if stat.S_ISREG(kind):
        content = path.read_bytes() if status.st_size < 1 << 20 else status.st_size
        return "file", stat.S_IMODE(status.st_mode), status.st_mtime_ns, attributes, content
    if stat.S_ISDIR(kind):
        return "directory", stat.S_IMODE(status.st_mode), attributes
    return "special", kind, stat.S_IMODE(status.st_mode)
