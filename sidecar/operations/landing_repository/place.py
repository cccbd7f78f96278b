"""Know where landing repositories are, outside of every folder of the user, and take them away.

The path of one follows from the repository and the operation's id alone, so that recovery obeys no path that a file
tells it. The landing worktree is beside them, with `LANDING` for an id. Between two operations it has files only, and a
record, which is there only while nobody works in it: so what a kill has left is thrown away, and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import platformdirs

from sidecar.git.inventory.walk import size_on_disk
from sidecar.model.changes import ancestors
from sidecar.model.decode import AbsolutePath, SafePath, Seconds, Size, Text
from sidecar.operations.records import read_as, write_record

LANDING, CHECK = SLOTS = ("landing", "check")
"""What stands for an operation in the paths of the worktrees that stay: that of merges, and that of `sidecar.check`."""

MOST_DAYS = 30
"""Days after which a landing worktree that nobody has used goes."""


def landing_repository_path(common_dir: str, operation_id: str) -> Path:
    """Give the path of the files of an operation's landing repository."""
    repository = hashlib.sha256(os.fsencode(common_dir)).hexdigest()[:12]
    return Path(platformdirs.user_cache_dir("worktree-sidecar")) / repository / f"sidecar-{operation_id}"


def landing_repository_git_dir(common_dir: str, operation_id: str) -> Path:
    """Give the path of its git directory when `.git` is not that directory itself."""
    path = landing_repository_path(common_dir, operation_id)
    return path.with_name(f"{path.name}.git")


def remove_landing_repository(common_dir: str, operation_id: str) -> None:
    """Take the landing repository of an operation away; what it links to stays. Twice is fine."""
    path = landing_repository_path(common_dir, operation_id)
    for folder in (path, landing_repository_git_dir(common_dir, operation_id)):
        remove_tree(folder)
    with contextlib.suppress(OSError):
        path.parent.rmdir()


def remove_tree(folder: Path) -> None:
    """Delete a directory of ours, also where a command took away the right to write in it; links are not followed.

    A link in its place is deleted itself, because nobody else's directory is to be taken for ours.
    """
    with contextlib.suppress(OSError):
        if folder.is_symlink():
            folder.unlink()
            return
        shutil.rmtree(folder, onerror=_allow)
    shutil.rmtree(folder, ignore_errors=True)


def link_above(top: Path, path: str) -> Path | None:
    """Give the first link on the way from a directory to a path below it; None where that is really there."""
    return next((top / above for above in reversed([*ancestors(path)]) if (top / above).is_symlink()), None)


def _allow(again: Callable[..., Any], path: str, _error: object) -> None:
    for one in (os.path.dirname(path), path):
        with contextlib.suppress(OSError):
            if stat.S_ISDIR(os.lstat(one).st_mode):
                os.chmod(one, 0o700)
    if again is not os.open and again is not os.scandir:
        with contextlib.suppress(OSError):
            again(path)


@dataclass(frozen=True, slots=True)
class Step:
    """Something that prepare ran: the digest of its command and of its tools' versions, and what came of it.

    `read` is what it read of the tree: path -> blob id, a directory with a slash -> digest of its names, "/" -> the
    whole tree; nothing where it has to run again. `left` are the ignored entries that it made.
    """

    key: Text
    read: Mapping[str, str]
    left: tuple[SafePath, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """The record of a landing worktree that can be used again.

    `inode` tells its directory from another one in its place, and `laid_out` is a digest of how git wrote its files,
    '' where they have to be written again. `slot` is which one of `SLOTS` it is. It may have `limit` bytes, `used` is
    when it last was.
    """

    common_dir: AbsolutePath
    inode: Size
    laid_out: str
    slot: str = LANDING
    used: Seconds = 0.0
    limit: Size = 0
    steps: tuple[Step, ...] = ()


def _record(common_dir: str, slot: str) -> Path:
    return landing_repository_path(common_dir, f"{slot}.json")


def landing_index(common_dir: str, slot: str = LANDING) -> Path:
    """Give the path of the index of a landing worktree as its files were laid out."""
    return landing_repository_path(common_dir, f"{slot}.index")


def read_kept(common_dir: str, slot: str = LANDING) -> Kept | None:
    """Read what is known of a landing worktree of a repository; None where none is there that can be used."""
    kept = read_as(Kept, _record(common_dir, slot))
    try:
        status = os.lstat(landing_repository_path(common_dir, slot))
    except OSError:
        return None
    if kept is None or (kept.common_dir, kept.slot, kept.inode) != (common_dir, slot, status.st_ino):
        return None
    return kept if stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() else None


def take_landing_worktree(common_dir: str, slot: str = LANDING) -> Kept | None:
    """Begin to work in a landing worktree; gives what is known of it, None where nothing of it is left now."""
    kept = read_kept(common_dir, slot)
    _record(common_dir, slot).unlink(missing_ok=True)
    if kept is None:
        remove_landing_worktree(common_dir, slot)
    else:
        _remove_git(common_dir, slot)
    return kept


def keep_landing_worktree(kept: Kept) -> None:
    """Note that it can be used again; where that can't be written, it goes."""
    with contextlib.suppress(OSError):
        write_record(_record(kept.common_dir, kept.slot), {"schema": 1, **asdict(kept)})


def close_landing_worktree(common_dir: str, slot: str = LANDING) -> None:
    """Leave its files alone there, and nothing where it can't be used again or has become too large; twice is fine."""
    kept, top = read_kept(common_dir, slot), landing_repository_path(common_dir, slot)
    if kept is None:
        remove_landing_worktree(common_dir, slot)
    elif any(os.path.lexists(one) for one in (top / ".git", landing_repository_git_dir(common_dir, slot))):
        if bytes_below(str(top)) > kept.limit:
            remove_landing_worktree(common_dir, slot)
        else:
            _remove_git(common_dir, slot)


def bytes_below(folder: str) -> int:
    """Measure a directory on the disk; of what has several names, its part."""
    size, waiting = 0, [folder]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                status = entry.stat(follow_symlinks=False)
                size += size_on_disk(status) // (1 if entry.is_dir(follow_symlinks=False) else status.st_nlink)
    return size


def remove_landing_worktree(common_dir: str, slot: str = LANDING) -> None:
    """Take a landing worktree away, with all that is known of it; what can't be deleted is in nobody's way."""
    for file in (_record(common_dir, slot), landing_index(common_dir, slot)):
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)
    remove_landing_repository(common_dir, slot)


def _remove_git(common_dir: str, slot: str) -> None:
    own = landing_repository_path(common_dir, slot) / ".git"
    if own.is_symlink() or own.is_file():
        own.unlink()
    remove_tree(own)
    remove_tree(landing_repository_git_dir(common_dir, slot))


def expire_landing_worktrees(common_dir: str) -> None:
    """Remove those of other repositories that are gone, and those that nobody has used for long.

    What a kill has left has no record, and is removed likewise: nobody is at work in it for so long.
    """
    own = landing_repository_path(common_dir, LANDING).parent
    for folder in own.parent.glob("*/"):
        if folder == own or not _OF_A_REPOSITORY.fullmatch(folder.name) or folder.is_symlink():
            continue
        for slot in SLOTS:
            kept = read_as(Kept, folder / f"sidecar-{slot}.json")
            if kept is None or kept.slot != slot or landing_repository_path(kept.common_dir, slot).parent != folder:
                continue
            if time.time() - kept.used > MOST_DAYS * 86400 or not os.path.isdir(kept.common_dir):
                remove_landing_worktree(kept.common_dir, slot)
        if not any((folder / f"sidecar-{slot}.json").exists() for slot in SLOTS) and _is_left(folder):
            _empty(folder)


def _empty(folder: Path) -> None:
    for one in (*folder.glob("sidecar-*"), *folder.glob(".sidecar-*.new")):
        if one.is_dir():
            remove_tree(one)
        else:
            one.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


_OF_A_REPOSITORY = re.compile(r"[0-9a-f]{12}")


def _is_left(folder: Path) -> bool:
    """Tell whether what is there without a record belongs to no repository any more, or to no operation."""
    for one in (*folder.glob("sidecar-*.git"), *(one / ".git" for one in folder.glob("sidecar-*"))):
        with contextlib.suppress(OSError):
            of = os.path.dirname(os.readlink(one / "objects"))
            if landing_repository_path(of, LANDING).parent == folder and not os.path.isdir(of):
                return True
    try:
        newest = max(os.lstat(one).st_mtime for one in (folder, *folder.iterdir()))
    except OSError:
        return False
    return time.time() - newest > MOST_DAYS * 86400
