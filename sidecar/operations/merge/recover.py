"""Ending a merge or an undo: after success, after a refusal and after a kill it is the same."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from sidecar.git.process import GitError
from sidecar.git.refs import is_ancestor, resolve_commit
from sidecar.git.repository import Repository
from sidecar.model.findings import Finding, blocks, info
from sidecar.model.messages import shown
from sidecar.operations.journal import Journal, finish
from sidecar.operations.merge.desk import (
    COMMITTING,
    LANDING,
    STEPS,
    Facts,
    head_commit,
    read_facts,
    worktree_at,
)
from sidecar.operations.merge.keeping import forget_kept, keep_file
from sidecar.operations.merge.landing import clear_landing, take_back
from sidecar.operations.merge.locks import clear_worktree_locks, head_locks, hold_index
from sidecar.operations.receipts import Receipt, drop_receipt, read_receipt, write_receipt
from sidecar.operations.temporary import remove_temporary


def recover_merge(repository: Repository, state: Path, journal: Journal) -> tuple[Finding, ...]:
    """Bring trunk to wholly before or wholly after a merge or an undo that was ended, and say which.

    Runs nothing of the repository. What can't be done now stays in the journal, and is tried again the next time.
    """
    try:
        facts = _checked(repository, journal)
    except ValueError as error:
        said = f"{state / 'journal'} is not as we wrote it ({error}). Look at it, and move it away."
        return (blocks("bad-journal", said),)
    try:
        landed, found = settle(repository, state, journal, facts)
    except (GitError, OSError) as error:
        said = f"{journal.id} was ended half-way and can't be taken back now: {error}"
        return (blocks("not-recovered", said),)
    branch = shown(facts.trunk.removeprefix("refs/heads/"))
    word = "merge into" if journal.what == "merge" else "undo on"
    after = "is done" if landed else f"was taken back; {branch} is as it was"
    return (info("recovered", f"The {word} {branch} that was ended ({journal.id}) {after}."), *found)


def _checked(repository: Repository, journal: Journal) -> Facts:
    if journal.step not in STEPS:
        raise ValueError(f"{journal.step[:80]!r} is no step")
    return read_facts(repository, journal.facts)


def settle(repository: Repository, state: Path, journal: Journal, facts: Facts) -> tuple[bool, list[Finding]]:
    """(whether trunk moved, what could not be put back); afterwards nothing of the operation is left.

    GitError or OSError when it has to be tried again. Every part of it can be done twice.
    """
    found: list[Finding] = []
    landed = journal.step == LANDING and has_landed(repository, facts)
    if journal.step == COMMITTING:
        found += _settle_commit(repository, state, facts, journal.id)
    if journal.step == LANDING:
        stuck = clear_landing(repository, facts, journal.id)
        if stuck and not landed:
            raise GitError(stuck[0].message)
        found += stuck
        if not landed:
            found += take_back(repository, state, facts, journal.id)
    _settle_receipt(state, journal, facts, landed=landed)
    remove_temporary(repository.common_dir, journal.id)
    forget_kept(state)
    finish(state)
    return landed, found


def has_landed(repository: Repository, facts: Facts) -> bool:
    """Whether trunk is where it was to go, or has gone on from there."""
    now = resolve_commit(repository.place, facts.trunk)
    if facts.after is None or now is None or now == facts.before:
        return False
    if is_ancestor(repository.place, facts.before, facts.after):
        return is_ancestor(repository.place, facts.after, now)
    return is_ancestor(repository.place, facts.after, now) and not is_ancestor(repository.place, facts.before, now)


def _settle_commit(repository: Repository, state: Path, facts: Facts, operation_id: str) -> list[Finding]:
    """Put the worktree's index back, unless what was not committed is committed by now, as agreed."""
    worktree = worktree_at(repository, facts.worktree)
    if worktree is None:
        return []
    git_dir, kept = Path(worktree.git_dir), state / "landing" / "index"
    clear_worktree_locks(worktree, head_locks(repository, worktree, facts.branch), facts.since, operation_id)
    if head_commit(repository, worktree) != facts.head:
        return [info("committed", f"What was not committed in {shown(worktree.name)} is committed now, as agreed.")]
    if kept.exists():
        with hold_index(git_dir, operation_id):
            beside = kept.with_name("index.back")
            beside.unlink(missing_ok=True)
            keep_file(kept, beside)
            beside.replace(git_dir / "index")
    return []


def _settle_receipt(state: Path, journal: Journal, facts: Facts, *, landed: bool) -> None:
    """A merge's receipt is there when it landed and only then; an undo marks the receipt of what it took back."""
    if journal.what == "merge":
        if not landed:
            drop_receipt(state, journal.id)
        return
    receipt = read_receipt(state, facts.receipt) if facts.receipt is not None else None
    if receipt is not None and landed and "restored" not in receipt.facts:
        with contextlib.suppress(OSError):
            write_receipt(state, undone(receipt))


def undone(receipt: Receipt) -> Receipt:
    """The receipt of a merge that was taken back: it proves nothing any more."""
    return Receipt(
        receipt.id,
        receipt.what,
        receipt.worktree,
        receipt.branch,
        receipt.time,
        receipt.bytes,
        {**receipt.facts, "restored": time.time()},
    )
