"""Moving trunk: the only stage in which a person's checkout is touched, and how it is taken back."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from sidecar.git.acting import act
from sidecar.git.files import read_regular
from sidecar.git.process import GitError, Place, run
from sidecar.git.refs import resolve_commit
from sidecar.git.repository import Repository, place_of_files
from sidecar.model.changes import SUBMODULE, SYMLINK, Change
from sidecar.model.findings import Finding, blocks
from sidecar.model.messages import counted, named, shown
from sidecar.model.picture import Worktree
from sidecar.operations.merge.desk import (
    LANDING,
    Desk,
    Facts,
    head_ref,
    tree_changes,
    worktree_at,
)
from sidecar.operations.merge.keeping import Candidates, keep_file, keep_files, put_back
from sidecar.operations.merge.locks import clear_locks, hold_index
from sidecar.operations.merge.making import quoted
from sidecar.operations.merge.obstacles import checkout_findings
from sidecar.operations.merge.values import RefusedError
from sidecar.operations.state import sync_directory
from sidecar.operations.temporary import temporary_path

LARGEST = 1 << 30
"""Bytes of a file that is compared with what git was writing; a larger one is left alone."""

EXACTLY = ("--ff-only", "--no-squash", "--commit", "--no-autostash", "--no-verify-signatures", "--no-stat", "--quiet")
"""A merge that can only move the branch, whatever is configured."""


def land(desk: Desk, checkout: Worktree | None, after: str, name: str) -> Desk:
    """Move trunk from `before` to `after`, in its checkout if it has one; RefusedError when it did not move.

    Forward by git's own fast-forward; backward (an undo) as `git reset --keep` does, but with the branch named.
    """
    facts, repository = desk.facts, desk.repository
    directories: tuple[str, ...] = ()
    if checkout is not None:
        changes = tree_changes(repository, facts.before, after)
        check_landing(desk, checkout, changes)
        try:
            directories = keep_files(checkout.key, desk.kept, changes)
            keep_file(Path(checkout.git_dir) / "index", desk.kept / "index")
            sync_directory(desk.kept)
        except OSError as error:
            raise RefusedError(blocks("landing-failed", f"{desk.kept} can't be written: {error.strerror}.")) from error
    desk = desk.step(LANDING, after=after, directories=directories)
    said = _move(desk, checkout, after, name)
    if resolve_commit(repository.place, facts.trunk) != after:
        raise RefusedError(blocks("landing-failed", f"{_branch(facts)} did not move: {said}"))
    return desk


def check_landing(desk: Desk, checkout: Worktree | None, changes: Mapping[str, Change]) -> None:
    """RefusedError unless trunk and its checkout are as they were planned with, right now."""
    facts, repository = desk.facts, desk.repository
    if resolve_commit(repository.place, facts.trunk) != facts.before:
        said = f"{_branch(facts)} has moved meanwhile, so what was made does not fit any more. Run it again."
        raise RefusedError(blocks("trunk-moved", said))
    if checkout is None:
        return
    if head_ref(repository, checkout) != facts.trunk:
        said = f"{shown(checkout.name)} was switched to another branch meanwhile. Run it again."
        raise RefusedError(blocks("checkout-switched", said))
    if found := checkout_findings(repository, checkout, changes):
        raise RefusedError(found[0])


def _move(desk: Desk, checkout: Worktree | None, after: str, name: str) -> str:
    """Have git do it, and give its last words; whether it was done shows in the ref."""
    facts = desk.facts
    forward = desk.journal.what == "merge"
    action = f"{'merge' if forward else 'undo'} {name}"
    if checkout is None:
        log = ("update-ref", "-m", f"{action}: Sidecar", "--end-of-options", facts.trunk, after, facts.before)
        return quoted(act(desk.acting, desk.repository.place.plus(SIDECAR_STAGE=LANDING), *log))
    if forward:
        plain = f"--config-env=branch.{facts.trunk.removeprefix('refs/heads/')}.mergeoptions=SIDECAR_NOTHING"
        names = {"GIT_REFLOG_ACTION": action, "SIDECAR_STAGE": LANDING, "SIDECAR_NOTHING": ""}
        return quoted(act(desk.acting, Place(checkout.key, names), plain, "merge", *EXACTLY, after))
    desk.act(checkout.key, "update-index", "-q", "--refresh")  # keeping files has changed what stat says of them
    said = desk.act(checkout.key, "read-tree", "-m", "-u", facts.before, after)
    if said.ok:
        log = ("update-ref", "-m", f"{action}: Sidecar", "--end-of-options", facts.trunk, after, facts.before)
        said = desk.act(checkout.key, *log)
    return quoted(said)


def take_back(repository: Repository, state: Path, facts: Facts, operation_id: str) -> list[Finding]:
    """Bring trunk's checkout back to what it was before a landing that did not come to its end.

    Raises GitError or OSError when that can't be done now; it can be tried again at any time.
    """
    kept = state / "landing"
    checkout = worktree_at(repository, facts.checkout)
    if facts.checkout is None or facts.after is None or not kept.exists():
        return []  # nothing was to be touched, or all was put back already
    if checkout is None:
        said = f"{facts.checkout} can't be read, so it was not put back. Look there with: git status"
        return [blocks("left-alone", said)]
    if head_ref(repository, checkout) != facts.trunk or not (kept / "index").exists():
        said = f"{shown(checkout.name)} is on another branch by now, so its files were left alone. Look: git status"
        return [blocks("left-alone", said)]
    changes = tree_changes(repository, facts.before, facts.after)
    git_dir = Path(checkout.git_dir)
    with hold_index(git_dir, operation_id):
        now = _entries(repository, checkout, git_dir / "index")
        before = _entries(repository, checkout, kept / "index")
        unmoved = resolve_commit(repository.place, facts.trunk) == facts.before
        if now != before and not (unmoved and now == _moved(before, changes)):
            said = f"{shown(checkout.name)} was worked in since, so its files were left alone. Look: git status"
            return [blocks("left-alone", said)]
        foreign = put_back(
            checkout.key, kept, changes, facts.directories, _written(repository, checkout, changes, operation_id)
        )
        if now != before:
            beside = kept / "index.back"
            beside.unlink(missing_ok=True)
            keep_file(kept / "index", beside)
            beside.replace(git_dir / "index")
            sync_directory(git_dir)
    if foreign:
        files = counted(len(foreign), "file was", "files were")
        said = f"In {shown(checkout.name)} {files} edited while trunk moved, and left alone: {named(foreign, 5)}."
        return [blocks("left-alone", said, foreign)]
    return []


def _entries(repository: Repository, checkout: Worktree, index: Path) -> dict[bytes, bytes]:
    """Path -> mode, id and stage of an index file."""
    place = repository.inside(checkout).plus(GIT_INDEX_FILE=str(index))
    rows = run(place, "ls-files", "--stage", "-z").split(b"\0")
    return {path: head for head, _, path in (row.partition(b"\t") for row in rows if row)}


def _moved(before: Mapping[bytes, bytes], changes: Mapping[str, Change]) -> dict[bytes, bytes]:
    """The entries that the index has after these changes."""
    moved = dict(before)
    for path, change in changes.items():
        key = os.fsencode(path)
        if change.after is None:
            moved.pop(key, None)
        else:
            moved[key] = f"{change.after.mode:06o} {change.after.oid} 0".encode()
    return moved


def _written(
    repository: Repository, checkout: Worktree, changes: Mapping[str, Change], operation_id: str
) -> Candidates:
    """What git may have been writing at each path: as it stands in the temporary worktree, filtered, and as stored."""
    temporary = temporary_path(repository.common_dir, operation_id)

    def candidates(path: str) -> Iterator[bytes]:
        change = changes.get(path)
        if change is None or change.after is None or change.after.mode == SUBMODULE:
            return
        entry = change.after
        if entry.mode != SYMLINK:
            with contextlib.suppress(OSError):
                yield read_regular(str(temporary / path), LARGEST)
            with contextlib.suppress(GitError):
                yield run(place_of_files(repository, checkout), "cat-file", "--filters", f"--path={path}", entry.oid)
        yield run(repository.place, "cat-file", "blob", entry.oid)

    return candidates


def clear_landing(repository: Repository, facts: Facts, operation_id: str) -> list[Finding]:
    """Remove the locks that our killed git left where trunk was to move; a finding for one that may be another's."""
    folders = [Path(repository.common_dir)]
    locks = [Path(repository.common_dir) / f"{facts.trunk}.lock"]
    checkout = worktree_at(repository, facts.checkout)
    if checkout is not None:
        git_dir = Path(checkout.git_dir)
        folders = [Path(checkout.key), git_dir]
        locks += [git_dir / "index.lock", git_dir / "HEAD.lock", git_dir / "ORIG_HEAD.lock"]
    return clear_locks(locks, folders, facts.since, operation_id)


def _branch(facts: Facts) -> str:
    return shown(facts.trunk.removeprefix("refs/heads/"))
