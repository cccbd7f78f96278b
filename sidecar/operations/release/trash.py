"""Move a released worktree's folder, and git's own directory of it, into the trash and back; say where they are.

What journal and receipt say of it is decoded here, before any of it is obeyed. `trash/ID/files` and `trash/ID/admin`
are whole, because each came there by one rename. The administrative directory goes first and comes back last, because
`git worktree prune` deletes one whose folder is not there.

What nobody needs back is deleted after the release: set aside by one rename each, and nobody waits for the rest. What
lies in `<common dir>/sidecar/doomed` is only ever deleted, by whoever comes by: a killed deletion is taken up by the
next command.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sidecar.git.repository import Repository
from sidecar.model.decode import AbsolutePath, BranchName, FileName, ObjectId, SafePath, Size, Text, decode
from sidecar.model.findings import Failure
from sidecar.operations.records import DOOMED, aside_of, is_swept, sync_directory
from sidecar.operations.release.relocation import DIRECTORY, copy_folder, entered
from sidecar.system.mounts import mounted_in
from sidecar.system.processes import delete_behind


@dataclass(frozen=True, slots=True)
class Facts:
    """A release as its journal and receipt tell it.

    `path` is where the worktree was and `inode` its folder's, `administrative` the name of its administrative
    directory, `tip` what the branch pointed at when it is to be deleted (None: it stays), `anchor` the commit that
    keeps what only the worktree names, `output` the build output that is not kept, `modules` the submodules with their
    git directories (relative to the common directory), `freed` and `kept` bytes on the disk as the plan has them.
    """

    path: AbsolutePath
    name: Text
    inode: Size
    administrative: FileName
    branch: BranchName | None
    tip: ObjectId | None
    head: ObjectId | None
    anchor: ObjectId | None
    output: tuple[str, ...]
    modules: tuple[tuple[SafePath, SafePath], ...]
    freed: Size
    kept: Size


CONTENTS = "lfs"
"""The directory, in the trash of a release, of contents of Git LFS that `git lfs prune` would delete."""


def decode_release(repository: Repository, record: Mapping[str, Any]) -> Facts | Failure:
    """Give the facts that a journal or a receipt tells; a Failure, whose message says of which field, when it can't."""
    facts = decode(Facts, record)
    if isinstance(facts, Facts) and f"{repository.common_dir}/".startswith(f"{facts.path}/"):
        return Failure("bad-record", "its path has the repository in it")
    return facts


def trash_of(sidecar_dir: Path, operation_id: str) -> Path:
    """Give the directory of a release in the trash; `files` is the worktree's folder, `admin` git's own of it."""
    return sidecar_dir / "trash" / operation_id


def make_room(sidecar_dir: Path, operation_id: str) -> None:
    """Make the directory of one release; OSError when it can't be made."""
    trash = trash_of(sidecar_dir, operation_id)
    trash.parent.mkdir(mode=0o700, exist_ok=True)
    if trash.parent.is_symlink():
        raise OSError(errno.ELOOP, "the trash is a link", str(trash.parent))
    trash.mkdir(mode=0o700, exist_ok=True)
    sync_directory(trash.parent)


def check_trash(sidecar_dir: Path, operation_id: str) -> None:
    """Raise OSError when a part of the trash is a link, which leads nobody knows where."""
    trash = trash_of(sidecar_dir, operation_id)
    for place in (trash.parent, trash, trash / "files", trash / "admin"):
        if place.is_symlink():
            raise OSError(errno.ELOOP, "a link is where a folder of the trash should be", str(place))


def home_of(common_dir: str, facts: Facts) -> Path:
    """Give where the administrative directory of a worktree was."""
    return Path(common_dir) / "worktrees" / facts.administrative


def put_away(common_dir: str, facts: Facts, sidecar_dir: Path, operation_id: str) -> Path:
    """Move both directories out of everybody's sight; give where the folder is now. Again is fine.

    OSError when one did not move. The caller has checked that the two are each other's.
    """
    admin, home = trash_of(sidecar_dir, operation_id) / "admin", home_of(common_dir, facts)
    if not os.path.lexists(admin):
        os.rename(home, admin)
        sync_directory(admin.parent)
        with contextlib.suppress(OSError):
            home.parent.rmdir()
        sync_directory(home.parent if home.parent.is_dir() else home.parent.parent)
    return where_is(facts.path, sidecar_dir, operation_id) or _put_folder_away(facts.path, sidecar_dir, operation_id)


def _put_folder_away(worktree: str, sidecar_dir: Path, operation_id: str) -> Path:
    target = trash_of(sidecar_dir, operation_id) / "files"
    try:
        os.rename(worktree, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        target = aside_of(worktree, operation_id)  # the trash is on another file system
        if os.path.lexists(target):
            raise OSError(errno.EEXIST, "there is something already", str(target)) from error
        os.rename(worktree, target)
    sync_directory(target.parent)
    sync_directory(Path(worktree).parent)
    return target


def put_back(common_dir: str, facts: Facts, sidecar_dir: Path, operation_id: str) -> bool:
    """Undo `put_away`, as far as it was done; False, with nothing moved, when something new is in the old place."""
    where = where_is(facts.path, sidecar_dir, operation_id)
    admin, home = trash_of(sidecar_dir, operation_id) / "admin", home_of(common_dir, facts)
    if (where is not None and os.path.lexists(facts.path)) or (admin.is_dir() and os.path.lexists(home)):
        return False
    if where is not None:
        os.rename(where, facts.path)
        sync_directory(Path(facts.path).parent)
    if admin.is_dir():
        home.parent.mkdir(exist_ok=True)
        os.rename(admin, home)
        sync_directory(home.parent)
    return True


def where_is(worktree: str, sidecar_dir: Path, operation_id: str) -> Path | None:
    """Find where a folder that was put away is, if it was; OSError when links were put in its place.

    What is in the trash is whole: it came there by one rename.
    """
    check_trash(sidecar_dir, operation_id)
    for place in (trash_of(sidecar_dir, operation_id) / "files", aside_of(worktree, operation_id)):
        if os.path.isdir(place) and not os.path.islink(place):
            return place
    return None


def bring_home(aside: Path, sidecar_dir: Path, operation_id: str, check: Callable[[], None]) -> None:
    """Copy what is left of a folder on another file system into the trash, compare, then delete it there.

    OSError when the copy is not whole; the folder is still where it was then. `check` may raise, to leave it there.
    """
    trash = trash_of(sidecar_dir, operation_id)
    draft = trash / "copy"
    try:
        shutil.rmtree(draft, ignore_errors=True)
        copy_folder(str(aside), str(draft), check)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    os.rename(draft, trash / "files")
    sync_directory(trash)
    shutil.rmtree(aside)


def delete_trash(sidecar_dir: Path, operation_id: str, worktree: str) -> None:
    """Delete what the trash has of one release, and nothing else; OSError when something stays.

    `worktree` is where the folder was: from another file system it may not have come farther than beside that.
    """
    check_trash(sidecar_dir, operation_id)
    trash = trash_of(sidecar_dir, operation_id)
    for place in (trash, aside_of(worktree, operation_id)):
        if place.is_dir() and not place.is_symlink():
            if mounts := mounted_in(place):
                raise OSError(errno.EBUSY, "another file system is mounted there", str(place / mounts[0]))
            shutil.rmtree(place)
    with contextlib.suppress(OSError):
        trash.parent.rmdir()


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


AT_ONCE = 500
"""Up to so many entries are deleted before a release returns; what has more is left to a process behind it."""


def set_aside(
    root: Path,
    paths: Iterable[str],
    sidecar_dir: Path,
    operation_id: str,
    is_same: Callable[[Path, str], bool] | None = None,
) -> list[str]:
    """Move files and whole directories below a root to where `sweep` deletes them; gives those that stay.

    What is gone, or reached only through a link, is passed over. `is_same` is asked about each, where it is then and
    where it was: one that somebody wrote into meanwhile comes back.
    """
    left = []
    with _home(sidecar_dir, operation_id) as home:
        for path in paths:
            parent, _, name = path.rpartition("/")
            with entered(root, parent) as directory:
                if directory is None or name in ("", ".", ".."):
                    continue
                new = secrets.token_hex(8)
                try:
                    if home is None:
                        raise OSError(errno.ENOSPC, "there is no place for it", path)
                    os.rename(name, new, src_dir_fd=directory, dst_dir_fd=home)
                    if is_same is not None and not _asked(is_same, sidecar_dir / DOOMED / operation_id / new, path):
                        os.rename(new, name, src_dir_fd=home, dst_dir_fd=directory)
                        left.append(path)
                except FileNotFoundError:
                    continue
                except OSError:
                    left.append(path)
    return left


def _asked(is_same: Callable[[Path, str], bool], moved: Path, path: str) -> bool:
    """Ask; what can't be looked at is not the same."""
    try:
        return is_same(moved, path)
    except OSError:
        return False


@contextlib.contextmanager
def _home(sidecar_dir: Path, operation_id: str) -> Iterator[int | None]:
    """Open the directory that takes what is set aside; None when it can't be made."""
    path = f"{DOOMED}/{operation_id}"
    with contextlib.suppress(OSError):
        _make(sidecar_dir, DOOMED)
        _make(sidecar_dir, path)
    with entered(sidecar_dir, path) as home:
        yield home if home is not None and _claim(home) else None  # nobody sweeps what may yet come back


def sweep(sidecar_dir: Path) -> None:
    """Delete what was set aside: a little of it now, the rest by a process of the system's own that goes on behind."""
    if is_swept(sidecar_dir) or mounted_in(sidecar_dir / DOOMED):
        return
    with entered(sidecar_dir, DOOMED) as doomed:
        if doomed is not None:
            for name in os.listdir(doomed):
                _sweep(sidecar_dir, name, doomed)
    with contextlib.suppress(OSError):
        (sidecar_dir / DOOMED).rmdir()


def _sweep(sidecar_dir: Path, name: str, doomed: int) -> None:
    try:
        directory = os.open(name, DIRECTORY, dir_fd=doomed)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=doomed)
        return
    try:
        if not _claim(directory):
            return
        if _has_few(sidecar_dir / DOOMED / name):
            shutil.rmtree(name, ignore_errors=True, dir_fd=doomed)  # something may resist
        if os.path.lexists(sidecar_dir / DOOMED / name):
            delete_behind(sidecar_dir / DOOMED / name, directory)
    except OSError:
        return  # the next one tries again
    finally:
        os.close(directory)


def _claim(directory: int) -> bool:
    """Tell whether nobody else is deleting it: a claim ends with the last process that has the directory open."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _has_few(folder: Path) -> bool:
    """Tell whether a folder of ours has at most AT_ONCE entries, without asking what they are."""
    left = AT_ONCE
    for _, names, files in os.walk(folder):
        left -= len(names) + len(files)
        if left < 0:
            return False
    return True


def _make(sidecar_dir: Path, path: str) -> None:
    """Make a directory of ours below the sidecar directory, reached through no link."""
    parent, _, name = path.rpartition("/")
    with entered(sidecar_dir, parent) as directory:
        if directory is None:
            raise NotADirectoryError(str(sidecar_dir / parent))
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=directory)
