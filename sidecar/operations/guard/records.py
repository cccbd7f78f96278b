"""What the guard remembers on the disk: for each worktree a record and a ref, and a receipt when it has vanished."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sidecar.git.process import GitError, run, run_for_status
from sidecar.git.repository import Repository, list_worktrees
from sidecar.model.object_ids import is_object_id
from sidecar.model.picture import Worktree
from sidecar.operations import refs
from sidecar.operations.journal import pending
from sidecar.operations.receipts import Receipt, list_receipts, new_id, write_receipt
from sidecar.operations.state import read_record, remove_record, write_record


@dataclass(frozen=True, slots=True)
class Guarded:
    """A worktree as last kept: its path, name and branch, git's own directory of it, the snapshot, and as of when.

    `safe`: all that it had was in trunk then. `made` tells it from another worktree that later has the same path.
    `state` names what it was like then, so that nobody has to look again; "" where it changed while it was kept.
    """

    path: str
    name: str
    branch: str | None
    git_dir: str
    commit: str
    time: float
    bytes: int
    safe: bool
    made: str = ""
    state: str = ""


def made_of(git_dir: str) -> str:
    """What tells a worktree from every other of its name: when git made its administrative directory.

    Git writes `commondir` then and never again (gitrepository-layout(5)); moving and repairing leave it alone.
    """
    try:
        return str(os.lstat(os.path.join(git_dir, "commondir")).st_mtime_ns)
    except OSError:
        return ""


def is_same(one: Guarded, now: Worktree) -> bool:
    """Whether a worktree that is there is the one that was kept."""
    return not now.missing and now.git_dir != "" and one.made in ("", made_of(now.git_dir))


def guard_ref(path: str) -> str:
    """The ref that keeps the last state of the worktree at a path."""
    return f"refs/sidecar/guard/{_key(path)}"


def vanished_ref(receipt_id: str) -> str:
    """The ref that keeps the last state of a worktree that has vanished."""
    return f"refs/sidecar/vanished/{receipt_id}"


def remember(repository: Repository, state: Path, guarded: Guarded) -> None:
    """Keep a snapshot as the last state of its worktree; GitError or OSError when that can't be written.

    The record first: killed in between, it names a snapshot that is there until `git gc` comes by, and the ref holds
    the one before.
    """
    record = {
        "schema": 1,
        "path": guarded.path,
        "name": guarded.name,
        "branch": guarded.branch,
        "git_dir": guarded.git_dir,
        "commit": guarded.commit,
        "time": guarded.time,
        "bytes": guarded.bytes,
        "safe": guarded.safe,
        "made": guarded.made,
        "state": guarded.state,
    }
    write_record(_file(state, guarded.path), record)
    refs.keep_instead(repository, guard_ref(guarded.path), guarded.commit)


def forget(repository: Repository, state: Path, path: str) -> None:
    """Let go of the last state of a worktree: it was released, or is kept elsewhere."""
    refs.let_go(repository, guard_ref(path))
    remove_record(_file(state, path))


def drop_vanished(repository: Repository, receipt_id: str) -> None:
    """Let go of the last state of a worktree that had vanished."""
    refs.let_go(repository, vanished_ref(receipt_id))


def guarded(state: Path) -> tuple[Guarded, ...]:
    """Every record that is as we write them."""
    found = []
    for file in sorted((state / "guard").glob("*.json")):
        try:
            record = read_record(file)
        except ValueError:
            continue
        one = None if record is None else _parse(record)
        if one is not None and _file(state, one.path) == file:
            found.append(one)
    return tuple(found)


def still_kept(repository: Repository, state: Path) -> tuple[Guarded, ...]:
    """The records whose snapshot is kept by its ref."""
    tips = _tips(repository)
    return tuple(one for one in guarded(state) if tips.get(guard_ref(one.path)) == one.commit)


def _tips(repository: Repository) -> dict[str, str]:
    said = run(repository.place, "for-each-ref", "--format=%(refname) %(objectname)", "refs/sidecar/guard")
    return dict(line.split(" ", 1) for line in said.decode("ascii").splitlines())


def find_vanished(repository: Repository, state: Path) -> tuple[Receipt, ...]:
    """Turn the record of every worktree that is gone without a release into a receipt; gives the new ones.

    The caller holds the repository's lock.
    """
    records = guarded(state)
    if not records:
        return ()
    worktrees = [worktree for worktree in list_worktrees(repository) if not worktree.main]
    there = {worktree.key: worktree for worktree in worktrees}
    by_home = {worktree.git_dir: worktree for worktree in worktrees}
    found = []
    for one in records:
        if one.path in there and is_same(one, there[one.path]):
            continue
        moved = one.git_dir in by_home and is_same(one, by_home[one.git_dir])
        if moved or _released(state, one):
            forget(repository, state, one.path)
        elif not _under_way(state, one.path):
            held = _as_held(repository, one)
            if held is None:
                forget(repository, state, one.path)
            else:
                found.append(_make_receipt(repository, state, held))
    return tuple(found)


def gone(state: Path, there: Mapping[str, Worktree]) -> tuple[Guarded, ...]:
    """The records of worktrees that are not there, or of which another has the path; nothing is changed."""
    return tuple(one for one in guarded(state) if one.path not in there or not is_same(one, there[one.path]))


def _as_held(repository: Repository, one: Guarded) -> Guarded | None:
    """The record with a snapshot that is still there: its own, or the one before; None when there is neither."""
    if _is_there(repository, one.commit):
        return one
    before = _tips(repository).get(guard_ref(one.path))
    return replace(one, commit=before) if before is not None and _is_there(repository, before) else None


def _is_there(repository: Repository, commit: str) -> bool:
    """Whether the store has a snapshot; GitError where git can't be asked, since what is not there is forgotten."""
    status, _ = run_for_status(repository.place, "cat-file", "-e", f"{commit}^{{tree}}", accept=(0, 1, 128))
    return status == 0


def _make_receipt(repository: Repository, state: Path, one: Guarded) -> Receipt:
    receipt_id = new_id(state, "vanished")
    refs.keep(repository, vanished_ref(receipt_id), one.commit)
    facts = {"snapshot": one.commit, "path": one.path, "kept": one.time, "safe": one.safe, "made": one.made}
    receipt = Receipt(receipt_id, "vanished", one.name, one.branch, time.time(), one.bytes, facts)
    write_receipt(state, receipt)
    forget(repository, state, one.path)
    return receipt


def _released(state: Path, one: Guarded) -> bool:
    """Whether this worktree, as it was kept, has been released by us since."""
    return any(
        receipt.what == "release" and receipt.facts.get("path") == one.path and receipt.time >= one.time
        for receipt in list_receipts(state)
    )


def _under_way(state: Path, path: str) -> bool:
    """Whether an operation of ours is at it right now."""
    try:
        entry = pending(state)
    except ValueError:
        return False
    return entry is not None and entry.facts.get("path") == path


def _key(path: str) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _file(state: Path, path: str) -> Path:
    return state / "guard" / f"{_key(path)}.json"


def _parse(record: dict[str, object]) -> Guarded | None:
    path, name, branch, git_dir = (record.get(key) for key in ("path", "name", "branch", "git_dir"))
    commit, moment, size = record.get("commit"), record.get("time"), record.get("bytes")
    made, state = record.get("made", ""), record.get("state", "")
    if not (isinstance(path, str) and isinstance(name, str) and isinstance(git_dir, str) and isinstance(commit, str)):
        return None
    if not (branch is None or isinstance(branch, str)) or not is_object_id(commit) or not os.path.isabs(path):
        return None
    if not isinstance(moment, int | float) or not isinstance(size, int) or size < 0:
        return None
    return Guarded(
        path, name, branch, git_dir, commit, float(moment), size, record.get("safe") is True, str(made), str(state)
    )


GuardError = (GitError, OSError)
"""What keeping a state can fail with."""
