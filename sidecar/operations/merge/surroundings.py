"""What a merge needs besides two commits that merge: an identity, room, submodules that others can get."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from sidecar.git.process import GitError, Place, run
from sidecar.git.refs import has_commit
from sidecar.git.repository import Repository
from sidecar.model.changes import SUBMODULE, Change
from sidecar.model.findings import Finding, blocks, info
from sidecar.model.messages import counted, shown
from sidecar.model.picture import Trunk, Worktree
from sidecar.operations.merge.lean import is_lean
from sidecar.operations.merge.values import MergePlan
from sidecar.operations.temporary import temporary_path

LEAST_FREE = 16 * 1024 * 1024
"""Bytes that are left free on every disk, for what else is written."""

PERSON = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL")
"""The variables that give an identity (git(1))."""


def surrounding_findings(
    repository: Repository, worktree: Worktree, trunk: Trunk, changes: Mapping[str, Change], plan: MergePlan
) -> Iterator[Finding]:
    """Everything outside of the two histories that stands in the way of a merge, or that one should know."""
    yield from _identity(repository)
    yield from _upstream(repository, trunk)
    yield from _submodules(worktree, plan.checkout, changes)
    yield from _room(repository, trunk, plan)


def _identity(repository: Repository) -> Iterator[Finding]:
    place = repository.place.plus(**{name: os.environ[name] for name in PERSON if name in os.environ})
    try:
        for name in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
            run(place, "var", name)
    except GitError:
        said = "Git does not know who you are. Run: git config --global user.name NAME, and user.email ADDRESS"
        yield blocks("no-identity", said)


def _upstream(repository: Repository, trunk: Trunk) -> Iterator[Finding]:
    """Trunk being behind is told and does not block: it may be on purpose, and merging loses nothing by it."""
    form = "%(upstream:short)%00%(upstream)"
    said = run(repository.place, "for-each-ref", f"--format={form}", "--end-of-options", trunk.ref)
    upstream, _, ref = os.fsdecode(said.split(b"\n")[0]).partition("\0")
    if not ref:
        return
    try:
        behind = int(run(repository.place, "rev-list", "--count", f"{trunk.commit}..{ref}", "--"))
    except (GitError, ValueError):
        return
    if behind:
        commits = counted(behind, "commit", "commits")
        said_so = f"{shown(upstream)} has {commits} that {shown(trunk.branch)} lacks. Pull before you push."
        yield info("trunk-behind", said_so)


def _room(repository: Repository, trunk: Trunk, plan: MergePlan) -> Iterator[Finding]:
    """Whether the disks have room for another checkout of trunk, and for what changes in its own."""
    need = _size_of_checkout(repository, trunk) if not is_lean(repository, plan.verify) else 0
    places = [(_existing(temporary_path(repository.common_dir, "merge")), need), (Path(repository.common_dir), 0)]
    places += [(Path(plan.checkout.key), 0)] if plan.checkout is not None else []
    full: set[int] = set()
    for place, wanted in places:
        try:
            free, device = shutil.disk_usage(place).free, place.stat().st_dev
        except OSError:
            continue
        if free < wanted + LEAST_FREE and device not in full:
            full.add(device)
            megabytes = f"{free // 2**20} MiB are free, {(wanted + LEAST_FREE) // 2**20} MiB are needed"
            yield blocks("disk", f"The disk of {place} is too full: {megabytes}.")


def _size_of_checkout(repository: Repository, trunk: Trunk) -> int:
    """Bytes of all files of trunk; 0 where that can't be told, since some are not here (a partial clone)."""
    try:
        said = run(repository.place, "ls-tree", "-r", "--format=%(objectsize)", f"{trunk.commit}")
    except GitError:
        return 0
    return sum(int(size) for size in said.split() if size.isdigit())


def _existing(path: Path) -> Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _submodules(worktree: Worktree, checkout: Worktree | None, changes: Mapping[str, Change]) -> Iterator[Finding]:
    """Submodules that trunk would point to a commit which only the worktree's own copy of them has."""
    for path, change in changes.items():
        after = change.after
        if after is None or after.mode != SUBMODULE:
            continue
        own = _inside(worktree, path)
        if own is None or not has_commit(own, after.oid):
            continue  # it came from elsewhere
        others = [_inside(checkout, path)] if checkout is not None and checkout.key != worktree.key else []
        if any(other is not None and has_commit(other, after.oid) for other in others) or _is_pushed(own, after.oid):
            continue
        said = f"The submodule {shown(path)} is at {after.oid[:10]}, a commit that nobody else has. Push it first."
        yield blocks("submodule-commit", said, (path,))


def _inside(worktree: Worktree, path: str) -> Place | None:
    """Where a submodule's own repository is asked; None when it is not checked out."""
    folder = os.path.join(worktree.key, path)
    if not os.path.lexists(os.path.join(folder, ".git")):
        return None
    return Place(folder, {"GIT_CEILING_DIRECTORIES": worktree.key})


def _is_pushed(place: Place, commit: str) -> bool:
    try:
        return bool(run(place, "for-each-ref", "--count=1", f"--contains={commit}", "refs/remotes"))
    except GitError:
        return False
