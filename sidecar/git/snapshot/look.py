"""One look at all of a worktree, and what differs between two of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from sidecar.git.files import read_small
from sidecar.git.process import run
from sidecar.git.repository import Repository
from sidecar.git.snapshot.admin import BranchNow, check_identity, left_out, read_branches
from sidecar.git.snapshot.index import GITLINK, SPARSE_DIRECTORY, Index, make_whole, read_index
from sidecar.git.snapshot.store import Store, signature_of
from sidecar.git.snapshot.values import DIRECTORY_KIND, Lock, Signature, Unheld, Watcher
from sidecar.git.snapshot.walk import Ignoring, Tracked, Walked, scan, walk
from sidecar.model.picture import Worktree


@dataclass(frozen=True, slots=True)
class Look:
    """A worktree as it was: as git lists it, its index, files, administrative files, branches, lock and `.git` file."""

    worktree: Worktree
    index: Index | None
    files: Walked
    admin: Walked
    branches: tuple[BranchNow, ...]
    locked: Lock | None
    link: Signature
    relative: bool

    @property
    def unheld(self) -> tuple[Unheld, ...]:
        """What the walks found and can't hold."""
        return (*self.files.unheld, *self.admin.unheld)


def look(
    repository: Repository,
    worktree: Worktree,
    store: Store,
    ignored: Ignoring,
    watcher: Watcher,
    before: Look | None = None,
) -> Look:
    """Look once, perhaps again; OSError, GitError, or RefusedError when it can't be read."""
    listed = check_identity(repository, worktree)
    index = read_index(listed.git_dir, repository.object_format, before.index if before is not None else None)
    if index is not None:
        index = make_whole(index, listed.git_dir, store.plumbing(), repository.object_format)
    link = os.path.join(listed.key, ".git")
    return Look(
        listed,
        index,
        walk(listed.key, _tracked(repository, listed, index), ignored, watcher),
        scan(listed.git_dir, left_out, watcher),
        read_branches(repository, listed),
        _read_lock(listed.git_dir),
        signature_of(os.lstat(link)),
        not os.path.isabs(os.fsdecode(read_small(link).removeprefix(b"gitdir:").strip())),
    )


def differences(before: Look, after: Look) -> tuple[str, ...]:
    """The paths at which two looks differ; what the administrative directory has is below `.git/`."""
    changed = {path or "." for path in _differing(before.files.found, after.files.found)}
    changed |= {f".git/{path}" for path in _differing(before.admin.found, after.admin.found) if path}
    if (before.index and before.index.raw) != (after.index and after.index.raw):
        changed.add(".git/index")
    if (before.worktree.head, before.worktree.branch) != (after.worktree.head, after.worktree.branch):
        changed.add(".git/HEAD")
    if before.branches != after.branches:
        changed |= {f".git/refs/heads/{branch.name}" for branch in before.branches}
    return tuple(sorted(changed))


def _differing(
    before: Mapping[str, tuple[str, Signature]], after: Mapping[str, tuple[str, Signature]]
) -> frozenset[str]:
    return frozenset(path for path, _ in before.items() ^ after.items())


def _tracked(repository: Repository, worktree: Worktree, index: Index | None) -> Tracked:
    if index is None:
        return Tracked()
    submodules = frozenset(entry.path for entry in index.entries if entry.mode == GITLINK)
    if any(entry.mode == SPARSE_DIRECTORY for entry in index.entries):
        listing = run(repository.inside(worktree), "ls-files", "-z").split(b"\0")
        files = frozenset(os.fsdecode(path) for path in listing if path) - submodules
    else:
        files = frozenset(entry.path for entry in index.entries) - submodules
    directories: set[str] = set()
    for path in (*files, *submodules):
        while (path := path.rpartition("/")[0]) and path not in directories:
            directories.add(path)
    return Tracked(files, frozenset(directories), submodules)


def _read_lock(git_dir: str) -> Lock | None:
    path = os.path.join(git_dir, "locked")
    try:
        status = os.lstat(path)
        return Lock(os.fsdecode(read_small(path)), status.st_mode & 0o7777, status.st_mtime_ns)
    except FileNotFoundError:
        return None


def paths_of(walked: Walked, *, directories: bool = False) -> list[str]:
    """The paths of a walk's files and links, or of its directories."""
    return [path for path, (kind, _) in walked.found.items() if (kind == DIRECTORY_KIND) == directories]
