"""Worktrees that an operation works in: outside every folder of the user, known by the operation's id alone.

The path follows from the repository and the id, so recovery obeys no path that a file tells it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from pathlib import Path

import platformdirs

from sidecar.git.acting import Act, act
from sidecar.git.files import read_small
from sidecar.git.process import GitError
from sidecar.git.repository import OPERATION_REASON, Repository
from sidecar.model.findings import Finding, blocks
from sidecar.model.picture import Worktree


def temporary_path(common_dir: str, operation_id: str) -> Path:
    """Where the temporary worktree of an operation is; its last part is what git calls it."""
    repository = hashlib.sha256(os.fsencode(common_dir)).hexdigest()[:12]
    return Path(platformdirs.user_cache_dir("worktree-sidecar")) / repository / f"sidecar-{operation_id}"


def add_temporary(repository: Repository, act_as: Act, commit: str, *, checkout: bool = True) -> Worktree | Finding:
    """A detached worktree at a commit, for one operation; hooks, filters and sparse settings are the user's.

    Without `checkout` it has neither an index nor files yet, and no hook has run.
    """
    path = temporary_path(repository.common_dir, act_as.operation)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        return blocks("no-temporary-worktree", f"{path.parent} can't be written: {error.strerror}.")
    reason = f"{OPERATION_REASON} {act_as.operation}"
    try:
        made = act(
            act_as,
            repository.place,
            *("-c", "core.fsmonitor=false", "-c", "submodule.recurse=false"),
            *("worktree", "add", "--quiet", "--detach", "--lock", "--reason", reason),
            *(() if checkout else ("--no-checkout",)),
            *("--end-of-options", str(path), commit),
        )
    except GitError as error:
        return blocks("no-temporary-worktree", error.message)
    if not made.ok:
        return blocks("no-temporary-worktree", f"A temporary worktree can't be made: {made.last_words}")
    git_dir = _administrative_directory(repository.common_dir, path)
    if git_dir is None:
        return blocks("no-temporary-worktree", f"Git made no administrative directory for {path}.")
    return Worktree(str(path), path.name, str(git_dir), False, None, commit)


def remove_temporary(common_dir: str, operation_id: str) -> None:
    """Take the temporary worktree of an operation away, both its files and git's record of it; twice is fine."""
    path = temporary_path(common_dir, operation_id)
    git_dir = _administrative_directory(common_dir, path)
    shutil.rmtree(path, ignore_errors=True)
    if git_dir is not None:
        shutil.rmtree(git_dir, ignore_errors=True)
    for folder in (path.parent, Path(common_dir) / "worktrees"):
        with contextlib.suppress(OSError):
            folder.rmdir()


def _administrative_directory(common_dir: str, path: Path) -> Path | None:
    """The directory under `worktrees/` that says it is of this path (gitrepository-layout(5))."""
    wanted = os.path.realpath(path)
    for found in sorted((Path(common_dir) / "worktrees").glob(f"{path.name}*")):
        if found.is_symlink():
            continue
        try:
            said = os.fsdecode(read_small(str(found / "gitdir")).rstrip(b"\n"))
        except OSError:
            if not (found / "gitdir").exists() and found.name == path.name:
                return found  # git was ended before it had written where it belongs
            continue
        if os.path.realpath(os.path.dirname(found / said)) == wanted:
            return found
    return None
