"""Where a released worktree's folder goes, and what of it need not stay there.

A directory is opened and entered, never reached by a path that could lead through a link.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sidecar.git.inventory.content import blob_id
from sidecar.git.inventory.watching import Watching
from sidecar.git.mounts import mount_points, mounts_below
from sidecar.operations.state import sync_directory

IsHeld = Callable[[str, os.stat_result, str], bool]
"""Whether the content of a regular file (relative path, lstat, absolute path) is in the snapshot."""

ON_ANOTHER_DISK = frozenset({errno.EXDEV})

DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
"""How a directory is opened, and nothing else."""


def trash_of(state: Path, operation_id: str) -> Path:
    """The directory of one release in the trash; `files` is the worktree's folder, `admin` git's own of it."""
    return state / "trash" / operation_id


def aside_of(worktree: str, operation_id: str) -> Path:
    """Where the folder goes at once when the trash is on another file system: right beside where it was."""
    return Path(worktree).parent / f".sidecar-{operation_id}"


def make_room(state: Path, operation_id: str) -> None:
    """Make the directory of one release; OSError when it can't be made."""
    trash = trash_of(state, operation_id)
    trash.parent.mkdir(mode=0o700, exist_ok=True)
    if trash.parent.is_symlink():
        raise OSError(errno.ELOOP, "the trash is a link", str(trash.parent))
    trash.mkdir(mode=0o700, exist_ok=True)
    sync_directory(trash.parent)


def check_trash(state: Path, operation_id: str) -> None:
    """OSError when a part of the trash is a link, which leads nobody knows where."""
    trash = trash_of(state, operation_id)
    for place in (trash.parent, trash, trash / "files", trash / "admin"):
        if place.is_symlink():
            raise OSError(errno.ELOOP, "a link is where a folder of the trash should be", str(place))


def mounted_in(folder: Path) -> tuple[str, ...]:
    """Where other file systems are mounted in a folder: what lies there is not the folder's."""
    return mounts_below(os.path.realpath(folder), mount_points())


def put_away(worktree: str, state: Path, operation_id: str) -> Path:
    """Move a folder as a whole out of everybody's sight; gives where it is now. OSError when it did not move."""
    target = trash_of(state, operation_id) / "files"
    try:
        os.rename(worktree, target)
    except OSError as error:
        if error.errno not in ON_ANOTHER_DISK:
            raise
        target = aside_of(worktree, operation_id)
        if os.path.lexists(target):
            raise OSError(errno.EEXIST, "there is something already", str(target)) from error
        os.rename(worktree, target)
    sync_directory(target.parent)
    sync_directory(Path(worktree).parent)
    return target


def where_is(worktree: str, state: Path, operation_id: str) -> Path | None:
    """Where a folder that was put away is, if it was; OSError when links were put in its place.

    What is in the trash is whole: it came there by one rename.
    """
    check_trash(state, operation_id)
    for place in (trash_of(state, operation_id) / "files", aside_of(worktree, operation_id)):
        if os.path.isdir(place) and not os.path.islink(place):
            return place
    return None


def delete_inside(root: Path, paths: Sequence[str]) -> None:
    """Delete files and whole directories below a root; what is gone, or reached only through a link, is passed over."""
    for path in paths:
        parent, _, name = path.rpartition("/")
        with entered(root, parent) as descriptor:
            if descriptor is None or name in ("", ".", ".."):
                continue
            with contextlib.suppress(OSError):
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    shutil.rmtree(name, ignore_errors=True, dir_fd=descriptor)
                else:
                    os.unlink(name, dir_fd=descriptor)


def thin(root: Path, is_held: IsHeld, below: str = "", *, whole: bool) -> tuple[str, ...]:
    """Delete every regular file that the snapshot holds as it is, then the directories that this leaves empty.

    With `whole` a directory of which the snapshot holds all is left alone: the outermost ones are given. `below` is
    where in the root to begin. A file with a second name stays: the snapshot does not hold that the two are one.
    """
    given: set[str] = set()
    top = os.path.join(root, below) if below else root
    for folder, names, files, descriptor in os.fwalk(top, topdown=False, follow_symlinks=False):
        inside = os.path.relpath(folder, root)
        start = "" if inside == "." else f"{inside}/"
        held = [name for name in files if _is_plain(name, descriptor, start, folder, is_held)]
        complete = [name for name in names if start + name in given]
        given -= {start + name for name in complete}
        if inside not in (".", below) and names + files and len(held) + len(complete) == len(names) + len(files):
            given.add(inside)
            if whole:
                continue
        elif whole:
            given |= {start + name for name in complete}
        for name in held:
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=descriptor)
        for name in complete if not whole else ():
            with contextlib.suppress(OSError):
                os.rmdir(name, dir_fd=descriptor)
    return tuple(sorted(given))


def _is_plain(name: str, directory: int, start: str, folder: str, is_held: IsHeld) -> bool:
    """Whether an entry is a regular file of one name that is held."""
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        plain = stat.S_ISREG(status.st_mode) and status.st_nlink == 1
        return plain and is_held(start + name, status, os.path.join(folder, name))
    except OSError:
        return False


def bring_home(aside: Path, state: Path, operation_id: str) -> Path:
    """Copy what is left of a folder on another file system into the trash, look whether it is all there, delete it.

    OSError when the copy is not whole; the folder is still where it was then.
    """
    trash = trash_of(state, operation_id)
    draft, target = trash / "copy", trash / "files"
    try:
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(aside, draft, symlinks=True, copy_function=copy_entry)
        for path in _below(aside):
            _check_copy(aside / path, draft / path)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    if hasattr(os, "sync"):
        os.sync()
    os.rename(draft, target)
    sync_directory(trash)
    shutil.rmtree(aside)
    return target


def _check_copy(original: Path, copy: Path) -> None:
    one, two = os.lstat(original), os.lstat(copy)
    same = one.st_mode == two.st_mode
    if same and stat.S_ISREG(one.st_mode):
        same = digest_of(original, one, "sha256") == digest_of(copy, two, "sha256")
    elif same and stat.S_ISLNK(one.st_mode):
        same = os.readlink(original) == os.readlink(copy)
    if not same:
        raise OSError(errno.EIO, "the copy differs", str(copy))


def digest_of(path: Path, seen: os.stat_result, object_format: str) -> str:
    """The id that a regular file's raw content has as a blob, read in pieces."""
    return blob_id(str(path), seen, object_format, Watching(lambda: False, lambda _stage, _entries: None))


def delete_trash(state: Path, operation_id: str, worktree: str) -> None:
    """Delete what the trash has of one release, and nothing else; OSError when something stays.

    `worktree` is where the folder was: from another file system it may not have come farther than beside that.
    """
    check_trash(state, operation_id)
    trash = trash_of(state, operation_id)
    for place in (trash, aside_of(worktree, operation_id)):
        if place.is_dir() and not place.is_symlink():
            if mounts := mounted_in(place):
                raise OSError(errno.EBUSY, "another file system is mounted there", str(place / mounts[0]))
            shutil.rmtree(place)
    with contextlib.suppress(OSError):
        trash.parent.rmdir()


def _below(root: Path) -> Iterator[str]:
    for folder, names, files in os.walk(root):
        inside = os.path.relpath(folder, root)
        yield from (name if inside == "." else f"{inside}/{name}" for name in (*names, *files))


def copy_entry(source: str, target: str) -> None:
    """A regular file with its times and attributes; a pipe as a pipe; a socket or a device leads nowhere by now."""
    mode = os.lstat(source).st_mode
    if stat.S_ISLNK(mode):
        os.symlink(os.readlink(source), target)
    elif stat.S_ISREG(mode):
        shutil.copy2(source, target, follow_symlinks=False)
        with open(target, "rb") as file:
            os.fsync(file.fileno())
    elif stat.S_ISFIFO(mode):
        os.mkfifo(target, stat.S_IMODE(mode))
    elif stat.S_ISSOCK(mode):
        os.mknod(target, mode)
    else:
        raise OSError(errno.EINVAL, "it can't be copied", source)


@contextlib.contextmanager
def entered(root: Path, inside: str) -> Iterator[int | None]:
    """A directory below a root, opened step by step without following a link; None when there is no such."""
    with contextlib.ExitStack() as stack:
        try:
            descriptor = os.open(root, DIRECTORY)
            stack.callback(os.close, descriptor)
            for name in filter(None, inside.split("/")):
                if name in (".", ".."):
                    raise OSError(errno.EINVAL, "not below", inside)
                descriptor = os.open(name, DIRECTORY, dir_fd=descriptor)
                stack.callback(os.close, descriptor)
        except OSError:
            yield None
            return
        yield descriptor
