"""The steps of a release, each of which can be taken again: the release takes them in order, recovery those that lack.

    prove -> keep -> move -> detach -> branch -> receipt -> thin

Until `detach` is done the way leads back: the worktree is wholly there. From `branch` on it leads forward: it is
released and can be restored.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from sidecar.git.acting import DURABLE
from sidecar.git.process import GitError, run, run_for_status
from sidecar.git.repository import Repository, list_worktrees
from sidecar.git.snapshot.store import signature_of
from sidecar.git.snapshot.values import Known
from sidecar.operations import refs
from sidecar.operations.guard.records import forget
from sidecar.operations.receipts import Receipt, read_receipt, write_receipt
from sidecar.operations.release.facts import Facts, snapshot_ref
from sidecar.operations.release.sweeping import set_aside
from sidecar.operations.release.trash import (
    aside_of,
    bring_home,
    delete_inside,
    digest_of,
    make_room,
    mounted_in,
    put_away,
    thin,
    trash_of,
    where_is,
)
from sidecar.operations.state import sync_directory


def keep_snapshot(repository: Repository, release_id: str, commit: str) -> None:
    """Have a ref hold the snapshot; GitError when there is another one already."""
    refs.keep(repository, snapshot_ref(release_id), commit)


def holds_snapshot(repository: Repository, release_id: str, commit: str) -> bool:
    """Whether the ref holds this snapshot."""
    return refs.holds(repository, snapshot_ref(release_id), commit)


def drop_snapshot(repository: Repository, release_id: str) -> None:
    """Let go of the snapshot; one that is gone is fine."""
    refs.let_go(repository, snapshot_ref(release_id))


def move_folder(facts: Facts, state: Path, release_id: str) -> Path:
    """The worktree's folder goes into the trash as a whole."""
    make_room(state, release_id)
    return put_away(facts.path, state, release_id)


def return_folder(facts: Facts, state: Path, release_id: str) -> bool:
    """Put the folder back where it was; False when something else has taken its place meanwhile."""
    where = where_is(facts.path, state, release_id)
    if where is not None:
        if os.path.lexists(facts.path):
            return False
        os.rename(where, facts.path)
        sync_directory(Path(facts.path).parent)
    with contextlib.suppress(OSError):
        trash_of(state, release_id).rmdir()
    with contextlib.suppress(OSError):
        trash_of(state, release_id).parent.rmdir()
    return True


def detach(repository: Repository, facts: Facts, state: Path, release_id: str) -> None:
    """Git's own directory of the worktree goes into the trash: from here on git does not know the worktree.

    When it is there already, one of that name is another worktree's.
    """
    source = Path(repository.common_dir) / "worktrees" / facts.administrative
    if os.path.lexists(trash_of(state, release_id) / "admin"):
        return
    if source.is_dir() and not source.is_symlink():
        os.rename(source, trash_of(state, release_id) / "admin")
        sync_directory(trash_of(state, release_id))
    with contextlib.suppress(OSError):
        source.parent.rmdir()
    sync_directory(Path(repository.common_dir))


def attach(repository: Repository, facts: Facts, state: Path, release_id: str) -> None:
    """Undo `detach`, if it was done."""
    source = trash_of(state, release_id) / "admin"
    target = Path(repository.common_dir) / "worktrees" / facts.administrative
    if source.is_dir() and not source.is_symlink() and not os.path.lexists(target):
        target.parent.mkdir(exist_ok=True)
        os.rename(source, target)
        sync_directory(target.parent)


def delete_branch(repository: Repository, facts: Facts) -> bool:
    """Delete the branch if it still points at what was proven and nobody else has it; says whether it is gone.

    One that is only another name of a branch (git-symbolic-ref(1)), or has another name, stays: a snapshot does not
    hold that it is, and the other name would lead nowhere.
    """
    if facts.branch is None or facts.tip is None:
        return False
    ref = f"refs/heads/{facts.branch}"
    names = run(repository.place, "for-each-ref", "--format=%(refname) %(symref)", "refs/heads").decode(
        errors="replace"
    )
    if any(ref in (name, of) for name, _, of in (line.partition(" ") for line in names.splitlines()) if of):
        return False
    used = any(worktree.branch == facts.branch for worktree in list_worktrees(repository))
    if used:
        return False
    try:
        run(repository.place, *DURABLE, "update-ref", "--no-deref", "-d", ref, facts.tip)
    except GitError:
        return False
    section = ("config", "--local", "--remove-section", f"branch.{facts.branch}")
    with contextlib.suppress(GitError):
        run_for_status(repository.place, *section, accept=(0, 5, 128))
    return True


def record(facts: Facts, state: Path, release_id: str, more: Mapping[str, object] | None = None) -> Receipt:
    """The receipt: from here on the release can be taken back. Written again, it keeps its time."""
    earlier = read_receipt(state, release_id)
    receipt = Receipt(
        release_id,
        "release",
        facts.name,
        facts.branch,
        time.time() if earlier is None else earlier.time,
        facts.kept,
        {**facts.record(), **(more or {})},
    )
    write_receipt(state, receipt)
    return receipt


def let_guard_go(repository: Repository, facts: Facts, state: Path) -> None:
    """What the guard kept of the worktree goes: the release keeps more."""
    with contextlib.suppress(GitError, OSError):  # the guard itself lets go of it later
        forget(repository, state, facts.path)


def lighten(
    repository: Repository,
    facts: Facts,
    state: Path,
    release_id: str,
    known: Known | None,
    held: Mapping[str, str],
) -> None:
    """Take build output, and what the snapshot holds, out of the trash; then bring it home from another disk.

    `held` has the blob of every file of the snapshot; `known` what the files were like when it was taken: without it
    each is read again. What the trash has no room for stays on its own disk, beside where the worktree was.
    """
    where = where_is(facts.path, state, release_id)
    if where is None or mounted_in(where):
        return
    delete_inside(where, set_aside(where, facts.output, state, release_id))

    def is_held(path: str, status: os.stat_result, full: str) -> bool:
        if path not in held:
            return False
        if known is not None and path in known.blobs:
            return known.blobs[path] == (signature_of(status), held[path])
        try:
            return digest_of(Path(full), status, repository.object_format) == held[path]
        except OSError:
            return False

    held_wholly = thin(where, is_held, whole=True)
    for path in set_aside(where, held_wholly, state, release_id, watched=True):
        thin(where, is_held, path, whole=False)
    aside = aside_of(facts.path, release_id)
    if where == aside:
        with contextlib.suppress(OSError):
            bring_home(where, state, release_id)
    elif aside.is_dir() and not aside.is_symlink() and not mounted_in(aside):
        shutil.rmtree(aside, ignore_errors=True)  # it was brought home, and we were ended before it was gone
