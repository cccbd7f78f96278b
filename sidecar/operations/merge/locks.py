"""Git's lock files: those that a killed git of ours left are removed, and nobody else's."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from sidecar.git.files import read_small
from sidecar.git.process import GitError
from sidecar.git.repository import Repository
from sidecar.model.findings import Finding, blocks
from sidecar.model.picture import Worktree
from sidecar.system.processes import processes_inside

PATIENCE = 10.0
"""Seconds that a git at work is waited for."""

STANDS_STILL = 0.3
"""Seconds for which a lock that nobody holds must not change before it is taken for left behind."""

CLOCK = 2.0
"""Seconds by which a file system's clock may differ from ours."""


def clear_locks(locks: Sequence[Path], folders: Sequence[Path], since: float, operation_id: str) -> list[Finding]:
    """Remove lock files that were made since then and that no living git holds; a finding for each that stays.

    The caller has ended all that the operation had started. While our git had a lock nobody else could get it, so one
    that stands still, with no git at work in these folders, is ours.
    """
    return [finding for lock in locks if (finding := _clear(lock, folders, since, operation_id)) is not None]


def clear_worktree_locks(worktree: Worktree, more: Sequence[Path], since: float, operation_id: str) -> None:
    """Remove what a killed git of ours left of its index's lock, and these; GitError for a lock that stays."""
    git_dir = Path(worktree.git_dir)
    stuck = clear_locks([git_dir / "index.lock", *more], [Path(worktree.key), git_dir], since, operation_id)
    if stuck:
        raise GitError(stuck[0].message)


def head_locks(repository: Repository, worktree: Worktree, branch: str | None) -> list[Path]:
    """The locks that a git has while it moves a worktree's HEAD, and the branch (short) that it is on."""
    of_branch = [Path(repository.common_dir) / f"refs/heads/{branch}.lock"] if branch is not None else []
    return [Path(worktree.git_dir) / "HEAD.lock", *of_branch]


def _clear(lock: Path, folders: Sequence[Path], since: float, operation_id: str) -> Finding | None:
    deadline = time.monotonic() + PATIENCE
    seen, still = None, 0.0
    while (now := _look(lock)) is not None:
        if _is_marked(lock, operation_id):
            lock.unlink(missing_ok=True)
            return None
        if now[1] < (since - CLOCK) * 1e9 or time.monotonic() > deadline:
            return blocks("git-lock", f"{lock} was left by another git. Delete it if no git is running.")
        if now != seen:
            seen, still = now, time.monotonic()
        elif time.monotonic() - still > STANDS_STILL and not _git_inside(folders):
            lock.unlink(missing_ok=True)
            return None
        time.sleep(0.05)
    return None


def _look(lock: Path) -> tuple[int, int, int] | None:
    try:
        status = lock.lstat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _git_inside(folders: Sequence[Path]) -> bool:
    found = processes_inside(str(folder) for folder in folders)
    return any(one.name.startswith("git") for inside in found.values() for one in inside)


@contextlib.contextmanager
def hold_index(git_dir: Path, operation_id: str) -> Iterator[None]:
    """Keep every other git from writing the index meanwhile; OSError when one has it."""
    lock = git_dir / "index.lock"
    descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with contextlib.suppress(OSError):  # on a full disk it is an empty lock, and as good
        os.write(descriptor, _mark(operation_id))
    os.close(descriptor)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _mark(operation_id: str) -> bytes:
    return f"sidecar {operation_id}\n".encode()


def _is_marked(lock: Path, operation_id: str) -> bool:
    try:
        return read_small(str(lock)) == _mark(operation_id)
    except OSError:
        return False
