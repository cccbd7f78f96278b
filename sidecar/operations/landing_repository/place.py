"""Know where landing repositories are, outside of every folder of the user, and take them away.

The path of one follows from the repository and the operation's id alone, so that recovery obeys no path that a file
tells it. The landing worktree is beside them, with `LANDING` for an id. Between two operations it has files only, and a
record, which is there only while nobody works in it: so what a kill has left is thrown away, and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
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
from sidecar.model.decode import AbsolutePath, SafePath, Seconds, Size, Text, decode
from sidecar.model.findings import Failure
from sidecar.operations.records import read_record, write_record

LANDING = "landing"
"""What stands for an operation in the path of the landing worktree."""

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
    '' where they have to be written again. It may have `limit` bytes, `used` is when it last was.
    """

    common_dir: AbsolutePath
    inode: Size
    laid_out: str
    used: Seconds = 0.0
    limit: Size = 0
    steps: tuple[Step, ...] = ()


def _record(common_dir: str) -> Path:
    return landing_repository_path(common_dir, f"{LANDING}.json")


def landing_index(common_dir: str) -> Path:
    """Give the path of the index of the landing worktree as its files were laid out."""
    return landing_repository_path(common_dir, f"{LANDING}.index")


def read_kept(common_dir: str) -> Kept | None:
    """Read what is known of the landing worktree of a repository; None where none is there that can be used."""
    try:
        kept = decode(Kept, read_record(_record(common_dir)))
        status = os.lstat(landing_repository_path(common_dir, LANDING))
    except (OSError, ValueError):
        return None
    if isinstance(kept, Failure) or (kept.common_dir, kept.inode) != (common_dir, status.st_ino):
        return None
    return kept if stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() else None


def take_landing_worktree(common_dir: str) -> Kept | None:
    """Begin to work in the landing worktree; gives what is known of it, None where nothing of it is left now."""
    kept = read_kept(common_dir)
    _record(common_dir).unlink(missing_ok=True)
    if kept is None:
        remove_landing_worktree(common_dir)
    else:
        _remove_git(common_dir)
    return kept


def keep_landing_worktree(kept: Kept) -> None:
    """Note that it can be used again; where that can't be written, it goes."""
    with contextlib.suppress(OSError):
        write_record(_record(kept.common_dir), {"schema": 1, **asdict(kept)})


def close_landing_worktree(common_dir: str) -> None:
    """Leave its files alone there, and nothing where it can't be used again or has become too large; twice is fine."""
    kept, top = read_kept(common_dir), landing_repository_path(common_dir, LANDING)
    if kept is None:
        remove_landing_worktree(common_dir)
    elif any(os.path.lexists(one) for one in (top / ".git", landing_repository_git_dir(common_dir, LANDING))):
        if bytes_below(str(top)) > kept.limit:
            remove_landing_worktree(common_dir)
        else:
            _remove_git(common_dir)


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


def remove_landing_worktree(common_dir: str) -> None:
    """Take the landing worktree away, with all that is known of it; what can't be deleted is in nobody's way."""
    for file in (_record(common_dir), landing_index(common_dir)):
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)
    remove_landing_repository(common_dir, LANDING)


def _remove_git(common_dir: str) -> None:
    own = landing_repository_path(common_dir, LANDING) / ".git"
    if own.is_symlink() or own.is_file():
        own.unlink()
    remove_tree(own)
    remove_tree(landing_repository_git_dir(common_dir, LANDING))


def expire_landing_worktrees(common_dir: str) -> None:
    """Remove those of other repositories that are gone, and those that nobody has used for long."""
    for record in landing_repository_path(common_dir, LANDING).parent.parent.glob(f"*/sidecar-{LANDING}.json"):
        try:
            kept = decode(Kept, read_record(record))
        except ValueError:
            continue
        if isinstance(kept, Failure) or _record(kept.common_dir) != record or kept.common_dir == common_dir:
            continue
        if time.time() - kept.used > MOST_DAYS * 86400 or not os.path.isdir(kept.common_dir):
            remove_landing_worktree(kept.common_dir)
