"""Find worktrees that are gone without a release by the states that are kept of them; each gets a receipt."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sidecar.git.process import run
from sidecar.git.repository import Repository, list_worktrees
from sidecar.model.receipts import Receipt
from sidecar.operations import kept_refs
from sidecar.operations.guard.ignored import drop_ignored
from sidecar.operations.guard.states import (
    REFS,
    State,
    history_in,
    newest,
    place_of_common,
    read_states,
    read_tips,
)
from sidecar.operations.journal import pending
from sidecar.operations.records import list_receipts, new_id, write_receipt

DELETION = 600.0
"""Seconds before it was found gone in which states that only lost files belong to the deletion."""


@dataclass(frozen=True, slots=True)
class Vanished:
    """A worktree that is gone without a release: what brings it back, and of when (seconds since 1970) its state is.

    `safe`: all that it had was in trunk.
    """

    receipt: str
    name: str
    branch: str | None
    path: str
    kept: float
    safe: bool


def drop_history(repository: Repository, sidecar_dir: Path, history: str) -> None:
    """Let go of all that is kept of a worktree: its states and its ignored files. GitError when a ref stays."""
    said = run(repository.place, "for-each-ref", "--format=delete %(refname) %(objectname)", f"{REFS}/{history}/*")
    run(repository.place, "update-ref", "--no-deref", "--stdin", stdin=said)
    drop_ignored(sidecar_dir, history)


def find_vanished(repository: Repository, sidecar_dir: Path) -> tuple[tuple[Receipt, ...], frozenset[str]]:
    """Write a receipt for every worktree that is gone without a release: (the new ones, the histories of all gone).

    One without any work of its own gets none. The caller holds the lock. GitError or OSError when something can't be
    read.
    """
    worktrees = list_worktrees(repository)
    there = {history_in(repository, one) for one in worktrees if one.main or (one.git_dir and not one.missing)}
    gone = {history: segments for history, segments in read_tips(repository).items() if history not in there}
    if not gone:
        return (), frozenset()
    found: list[Receipt] = []
    place, told, receipts = place_of_common(repository), declared(sidecar_dir), list_receipts(sidecar_dir)
    for history, segments in gone.items():
        tip = newest(segments)
        if tip.facts.home == "" or tip.facts.common != place or told.get(history, 0.0) >= tip.facts.time:
            continue
        if _released(receipts, tip):
            drop_ignored(sidecar_dir, history)  # the release has them
            continue
        if not (tip.facts.work or tip.facts.beside) or _under_way(sidecar_dir, tip.facts.path):
            continue
        found.append(_make_receipt(repository, sidecar_dir, history, _whole(repository, segments)))
    return tuple(found), frozenset(gone)


def declared(sidecar_dir: Path) -> dict[str, float]:
    """Tell when each history's worktree was last told to have vanished, in seconds since 1970."""
    found: dict[str, float] = {}
    for receipt in list_receipts(sidecar_dir):
        history = receipt.facts.get("history")
        if receipt.what == "vanished" and isinstance(history, str):
            found[history] = max(receipt.time, found.get(history, 0.0))
    return found


def vanished_of(receipt: Receipt) -> Vanished:
    """Read from a receipt what it tells of a worktree that has vanished."""
    facts: Mapping[str, object] = receipt.facts
    kept = facts.get("kept")
    moment = float(kept) if isinstance(kept, int | float) else receipt.time
    path, safe = str(facts.get("path")), facts.get("safe") is True
    return Vanished(receipt.id, receipt.worktree, receipt.branch, path, moment, safe)


def _whole(repository: Repository, segments: Mapping[str, State]) -> State:
    """Find the last state that was not kept while the worktree was being deleted: later ones only lack files."""
    states = read_states(repository, segments)
    found = next(states)
    for before in states:
        if time.time() - found.facts.time > DELETION or not _only_lost_files(repository, before, found):
            break
        found = before
    return found


def _only_lost_files(repository: Repository, before: State, after: State) -> bool:
    if before.tree == after.tree or (before.index, before.facts.head) != (after.index, after.facts.head):
        return False
    said = run(repository.place, "diff-tree", "-r", "-z", "--name-status", "--no-renames", before.tree, after.tree)
    return all(kind == b"D" for kind in said.split(b"\0")[:-1:2])


def _make_receipt(repository: Repository, sidecar_dir: Path, history: str, kept: State) -> Receipt:
    receipt_id = new_id(sidecar_dir, "vanished")
    kept_refs.keep(repository, kept_refs.ref_of(receipt_id), kept.commit)
    facts = {
        "snapshot": kept.commit,
        "path": kept.facts.path,
        "kept": kept.facts.time,
        "safe": kept.facts.safe,
        "made": kept.facts.made,
        "history": history,
    }
    receipt = Receipt(receipt_id, "vanished", kept.facts.name, kept.facts.branch, time.time(), 0, facts)
    write_receipt(sidecar_dir, receipt)
    return receipt


def _released(receipts: tuple[Receipt, ...], tip: State) -> bool:
    """Tell whether this worktree, as it was kept, has been released by us since."""
    return any(
        receipt.what == "release" and receipt.facts.get("path") == tip.facts.path and receipt.time >= tip.facts.time
        for receipt in receipts
    )


def _under_way(sidecar_dir: Path, path: str) -> bool:
    """Tell whether an operation of ours is at it right now."""
    try:
        entry = pending(sidecar_dir)
    except ValueError:
        return False
    return entry is not None and entry.facts.get("path") == path
