"""Put files into a worktree where somebody may be writing, and overwrite only what was expected there.

A file that gives way gets a second name first (a hard link), and is looked at after the new one has its place: what was
written in between is put back. New files are written beside, and come by one rename.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sidecar.git.blobs import hash_text
from sidecar.git.objects import id_of
from sidecar.git.process import Place, run
from sidecar.model.changes import EXECUTABLE, SUBMODULE, SYMLINK, Entry, ancestors

OLD = "old"
"""The part of the folder beside in which what gives way has its second name, at the path that it had."""

PATIENCE = 1800.0
"""Seconds that git may take to write files."""


@dataclass(frozen=True, slots=True)
class Target:
    """A worktree's folder, a folder beside it on the same disk, and the git that reads the worktree's files."""

    top: str
    beside: Path
    place: Place
    object_format: str

    def full(self, path: str) -> str:
        """Give the absolute path of one inside the worktree."""
        return os.path.join(self.top, path)


def write_beside(target: Target, entries: Mapping[str, Entry]) -> Path:
    """Write files as git checks them out, in a new folder beside; GitError or OSError when that can't be done."""
    folder = target.beside / "new"
    folder.mkdir(parents=True)
    wanted = {path: entry for path, entry in entries.items() if entry.mode != SUBMODULE}
    index = target.place.plus(GIT_INDEX_FILE=str(target.beside / "index"))
    rows = b"".join(b"%o %s\t%s\0" % (one.mode, one.oid.encode(), os.fsencode(path)) for path, one in wanted.items())
    run(index, "update-index", "-z", "--index-info", stdin=rows)
    run(index, "checkout-index", "--all", "--force", f"--prefix={folder}/", timeout=PATIENCE)
    return folder


def is_as(target: Target, file: str, path: str, entry: Entry | None) -> bool:
    """Tell whether what is at `file` is this entry of the worktree at `path`; None stands for nothing."""
    try:
        status = os.lstat(file)
        if entry is None or entry.mode == SUBMODULE:
            return False
        if stat.S_ISLNK(status.st_mode):
            link = id_of(target.object_format, os.fsencode(os.readlink(file)))
            return entry.mode == SYMLINK and link == entry.oid
        if not stat.S_ISREG(status.st_mode) or entry.mode == SYMLINK:
            return False
        content = Path(file).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return entry is None
    return id_of(target.object_format, content) == entry.oid or hash_text(target.place, path, content) == entry.oid


def put(target: Target, new: str, path: str, expected: Entry | None) -> bool:
    """Give a new file its place where the expected entry, or nothing, is; tell whether that was so.

    Directories without a file are nothing, as they are to git.
    """
    full, old = target.full(path), _old(target, path)
    if not _can_hold(target, path):
        return False
    os.makedirs(os.path.dirname(full), exist_ok=True)
    if expected is None:
        _remove_empty(full)
        try:
            os.link(new, full, follow_symlinks=False)
        except FileExistsError:
            return False
        except OSError:  # no hard links here
            if os.path.lexists(full):
                return False
            os.rename(new, full)
        return True
    if not is_as(target, full, path, expected):
        return False
    has_name = _link(full, old)
    os.replace(new, full)
    if has_name and not is_as(target, old, path, expected):
        os.link(full, new, follow_symlinks=False)
        os.replace(old, full)
        return False
    Path(old).unlink(missing_ok=True)
    return True


def take_away(target: Target, path: str, expected: Entry) -> bool:
    """Remove a file that is the expected entry, and directories that this leaves empty; tell whether it was that."""
    full, old = target.full(path), _old(target, path)
    if not is_as(target, full, path, expected):
        return False
    os.rename(full, old)
    if not is_as(target, old, path, expected):
        with contextlib.suppress(FileExistsError):
            os.link(old, full, follow_symlinks=False)
            Path(old).unlink(missing_ok=True)
        return False
    Path(old).unlink(missing_ok=True)
    for directory in ancestors(path):
        try:
            os.rmdir(target.full(directory))
        except OSError:
            break
    return True


def put_beside(target: Target, new: str, path: str) -> str:
    """Put a new file next to a path at which something else is, under a name that is free; gives that name."""
    while not _can_hold(target, path):
        path = os.path.dirname(path) + ".restored/" + os.path.basename(path)
    os.makedirs(os.path.dirname(target.full(path)), exist_ok=True)
    for number in range(1, 1000):
        name = f"{path}.restored" + (f"-{number}" if number > 1 else "")
        full = target.full(name)
        if os.path.lexists(full) and not os.path.islink(full) and _is_same(new, full):
            return name
        if not os.path.lexists(full):
            os.rename(new, full)
            return name
    raise OSError(f"{path} has too many copies beside it")


def set_mode(file: str, entry: Entry) -> None:
    """Make a file executable, or not, as its entry says."""
    status = os.lstat(file)
    if stat.S_ISREG(status.st_mode):
        bits = (status.st_mode & 0o444) >> 2
        os.chmod(file, status.st_mode | bits if entry.mode == EXECUTABLE else status.st_mode & ~0o111)


def clear(target: Target, expected: Callable[[str], Entry | None]) -> tuple[str, ...]:
    """Remove the folder beside; what gave way in it and is not as `expected` at its path is put beside that.

    Gives the names that such files got: somebody wrote them at the very moment at which it was killed.
    """
    names, top = [], target.beside / OLD
    for folder, _, files in os.walk(top):
        for name in files:
            old = os.path.join(folder, name)
            path = os.path.relpath(old, top)
            entry = expected(path)
            if entry is None or not is_as(target, old, path, entry):
                names.append(put_beside(target, old, path))
    shutil.rmtree(target.beside, ignore_errors=True)
    return tuple(names)


def _can_hold(target: Target, path: str) -> bool:
    """Tell whether every directory above a path is one, or can be made."""
    above: Iterable[str] = (target.full(directory) for directory in ancestors(path))
    return all(not os.path.lexists(one) or (os.path.isdir(one) and not os.path.islink(one)) for one in above)


def _remove_empty(directory: str) -> None:
    """Remove a directory in which there are at most other such directories."""
    if os.path.islink(directory) or any(files for _, _, files in os.walk(directory)):
        return
    for folder, _, _ in os.walk(directory, topdown=False):
        with contextlib.suppress(OSError):  # a link, or what has come in since
            os.rmdir(folder)


def _old(target: Target, path: str) -> str:
    """Give the path at which a file gets its second name."""
    old = target.beside / OLD / path
    old.parent.mkdir(parents=True, exist_ok=True)
    return str(old)


def _link(file: str, name: str) -> bool:
    try:
        os.link(file, name, follow_symlinks=False)
    except OSError:
        return False
    return True


def _is_same(one: str, two: str) -> bool:
    try:
        return Path(one).read_bytes() == Path(two).read_bytes()
    except OSError:
        return False
