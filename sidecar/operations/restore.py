"""Take back a merge, a release, or a worktree that vanished, and let go of what is kept for that.

What is kept goes only because a person says so or because its time is over.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path

from sidecar.git.process import GitError
from sidecar.git.repository import Repository, list_worktrees, open_repository
from sidecar.model.findings import Failure, Finding, finding
from sidecar.model.receipts import Receipt
from sidecar.model.settings import Options
from sidecar.model.words import escape, shown
from sidecar.operations import journal, kept_refs
from sidecar.operations.guard.restore import bring_back, recover_back
from sidecar.operations.guard.states import read_state
from sidecar.operations.guard.vanished import drop_history, find_vanished
from sidecar.operations.journal import Journal
from sidecar.operations.records import (
    RestoreResult,
    drop_receipt,
    is_restorable,
    list_receipts,
    read_receipt,
    sidecar_path,
    why_unreadable,
    write_receipt,
)
from sidecar.operations.release.restore import is_taken, recover_release_restore, restore_release
from sidecar.operations.release.trash import delete_trash
from sidecar.operations.run import QUIET, Agreed, Control, Plan, hold, run_plan
from sidecar.session.reader import settings_of
from sidecar.system.worktree_links import made_of

DAY = 24 * 60 * 60


def let_go(repository: Repository, sidecar_dir: Path, receipt: Receipt) -> None:
    """Drop what a receipt keeps, then the receipt; GitError or OSError when something of it stays.

    The caller holds the lock. The receipt says first what is about to happen: half of what was kept is never restored.
    """
    if receipt.what in ("release", "vanished", "wiped") and "restored" not in receipt.facts:
        write_receipt(sidecar_dir, replace(receipt, facts={**receipt.facts, "emptied": time.time()}))
    if receipt.what == "release":
        delete_trash(sidecar_dir, receipt.id, str(receipt.facts.get("path")))
    if receipt.what != "merge":
        kept_refs.let_go(repository, kept_refs.ref_of(receipt.id))
    if receipt.what == "vanished" and re.fullmatch(r"[0-9a-f]{16}", history := str(receipt.facts.get("history"))):
        drop_history(repository, sidecar_dir, history)
    drop_receipt(sidecar_dir, receipt.id)


def is_emptied(receipt: Receipt) -> bool:
    """Tell whether what it kept is gone, or was going when the one who let go of it was ended."""
    return "emptied" in receipt.facts


def let_go_of_old(repository: Repository, sidecar_dir: Path, options: Options) -> None:
    """Let go of what was kept for longer than the setting `retention` says, and of what was being let go of.

    The caller holds the lock. While an operation waits to be recovered nothing goes, and what can't go is tried again
    the next time.
    """
    try:
        if journal.pending(sidecar_dir) is not None:
            return
        days = settings_of(repository, options)["retention"]
        oldest = time.time() - int(days) * DAY if isinstance(days, int) and days > 0 else 0.0
        for receipt in list_receipts(sidecar_dir):
            kept = receipt.what in ("release", "vanished", "wiped") and "restored" not in receipt.facts
            if is_emptied(receipt) or (kept and receipt.time < oldest):
                let_go(repository, sidecar_dir, receipt)
    except (GitError, OSError, ValueError):
        return


def list_restorable(folder: Path, options: Options) -> tuple[Receipt, ...] | Failure:
    """List everything that can be taken back, the newest first; worktrees that vanished unseen are found now."""
    repository = open_repository(folder, trust=options.trusted)
    if isinstance(repository, Failure):
        return repository
    if (why := why_unreadable(repository.common_dir)) is not None:
        return Failure("bad-state", why)
    sidecar_dir = sidecar_path(repository.common_dir)
    if not sidecar_dir.is_dir():
        return ()
    with hold(repository.common_dir, "looking for worktrees that have vanished", brief=True) as held:
        if isinstance(held, Path):
            try:
                find_vanished(repository, held)
                let_go_of_old(repository, held, options)
            except (GitError, OSError) as error:
                return Failure("unreadable-repository", f"The repository can't be read: {error}")
    return tuple(one for one in list_receipts(sidecar_dir) if is_restorable(one))


def restore(
    folder: Path, receipt_id: str, options: Options, control: Control = QUIET, into: Path | None = None
) -> RestoreResult | Failure:
    """Take back what a receipt records: a merge, or a worktree, into its old path unless `into` is given."""
    repository = open_repository(folder, trust=options.trusted)
    if isinstance(repository, Failure):
        return repository
    receipt = read_receipt(sidecar_path(repository.common_dir), receipt_id)
    if receipt is None and (why := why_unreadable(repository.common_dir)) is not None:
        return Failure("bad-state", why)
    if receipt is None:
        return Failure("unknown-id", f"There is nothing to restore called {escape(receipt_id)}. See: sidecar restore")
    if receipt.what == "merge":
        from sidecar.operations.merge.undo import undo_merge

        undone = undo_merge(folder, receipt_id, options, control)
        if isinstance(undone, Failure):
            return undone
        return RestoreResult("restored" if undone.outcome == "undone" else undone.outcome, None, undone.findings)
    if receipt.what == "wiped" and into is not None:
        said = f"What was wiped goes back into {escape(receipt.worktree)}. Leave out --into."
        return RestoreResult("refused", None, (finding("bad-path", said),))
    where = os.path.realpath(folder / into) if into is not None else str(receipt.facts.get("path"))
    where = os.path.join(os.path.realpath(os.path.dirname(where)), os.path.basename(where))
    if into is not None and ".git" in Path(where).parts:
        said = f"{escape(where)} is inside a repository's own directory. Choose another path."
        return RestoreResult("refused", None, (finding("bad-path", said),))
    plan = RestorePlan(folder, repository.common_dir, options, receipt, where)
    return run_plan(
        plan,
        control,
        doing=f"restoring {receipt.worktree}",
        again=lambda repository: _plan(repository, plan),
        essence=lambda one: (one.receipt.id, one.where),
        refused=lambda findings: RestoreResult("refused", None, findings),
        steps=_restore,
    )


@dataclass(frozen=True, slots=True)
class RestorePlan(Plan):
    """Taking back what a receipt keeps, to `where`; made under the lock, since nobody is asked in between."""

    receipt: Receipt
    where: str


def _plan(repository: Repository, plan: RestorePlan) -> RestorePlan:
    """Say why it can't be restored there, if so; GitError when the repository can't be read."""
    found = _gone_already(plan)
    if found is None and plan.receipt.what != "wiped":
        found = _taken(plan) or _registered(repository, plan.receipt, plan.where)
    return replace(plan, findings=() if found is None else (found,))


def _restore(agreed: Agreed[RestorePlan]) -> RestoreResult:
    plan, repository, sidecar_dir = agreed.plan, agreed.repository, agreed.sidecar_dir
    if plan.receipt.what == "wiped":
        from sidecar.operations.guard.mending import mend  # it reads the worktree, which nothing else here does

        return mend(repository, sidecar_dir, plan.receipt, plan.options, agreed.control)
    if plan.receipt.what == "release":
        return restore_release(repository, sidecar_dir, plan.receipt, plan.where, agreed.control)
    return _bring_back(repository, sidecar_dir, plan.receipt, plan.where, agreed.control)


def _taken(plan: RestorePlan) -> Finding | None:
    """Say why a worktree can't be at that place."""
    receipt_id, where = plan.receipt.id, plan.where
    if not os.path.isabs(where):
        return finding("bad-receipt", f"The receipt {receipt_id} is not as it was written.")
    if is_taken(where):
        said = f"Something is at {escape(where)} already. Give another place: sidecar restore {receipt_id} --into PATH"
        return finding("path-taken", said, (where,))
    return None


def _gone_already(plan: RestorePlan) -> Finding | None:
    """Say why nothing can be restored from a receipt now, read under the lock."""
    receipt = read_receipt(sidecar_path(plan.common_dir), plan.receipt.id)
    restored = None if receipt is None else receipt.facts.get("restored")
    if receipt is not None and is_emptied(receipt):
        return finding("bad-receipt", f"What {escape(plan.receipt.id)} kept was let go of.")
    if receipt is None or isinstance(restored, str):
        there = f" to {escape(str(restored))}" if restored else ""
        return finding("restored-already", f"{escape(plan.receipt.id)} has been restored{there}.")
    return None


def _registered(repository: Repository, receipt: Receipt, where: str) -> Finding | None:
    """Say that git has another worktree of this path, whose folder is gone: HEAD and index there are not this one's."""
    for other in list_worktrees(repository):
        if other.key == where and not (other.git_dir and _is_its_own(receipt, other.git_dir)):
            said = f"Git still knows another worktree at {escape(where)}, whose folder is gone. Run git worktree prune"
            other_place = f"give another place: sidecar restore {receipt.id} --into PATH"
            return finding("path-taken", f"{said} if nobody needs it, or {other_place}", (where,))
    return None


def _is_its_own(receipt: Receipt, git_dir: str) -> bool:
    """Tell whether an administrative directory is that of the worktree that vanished; a release took its own along."""
    return receipt.what == "vanished" and receipt.facts.get("made", "") in ("", made_of(git_dir))


def _bring_back(
    repository: Repository, sidecar_dir: Path, receipt: Receipt, where: str, control: Control
) -> RestoreResult:
    """Bring back a worktree that vanished, from the state that is kept of it."""
    commit, name = str(receipt.facts.get("snapshot")), shown(receipt.worktree)
    try:
        kept = read_state(repository, commit)
        if kept is None:
            said = f"What is kept of {name} is not as it was written."
            return RestoreResult("refused", None, (finding("bad-snapshot", said),))
        back = bring_back(repository, sidecar_dir, kept, where, control, receipt)
    except (OSError, GitError) as error:
        said = f"{name} could not be restored as a whole: {error}. Run: sidecar status"
        return RestoreResult("failed", where, (finding("not-restored", said),))
    return RestoreResult("restored", back.path, back.findings)


def recover_restore(repository: Repository, sidecar_dir: Path, entry: Journal) -> tuple[Finding, ...]:
    """Settle a restoration that was killed: it is finished, or was not yet begun in its place."""
    if entry.step == "rewind":
        from sidecar.operations.guard.rewind import recover_rewind  # it reads a worktree, which nothing else here does

        return recover_rewind(repository, sidecar_dir, entry)
    if "state" in entry.facts:
        return recover_back(repository, sidecar_dir, entry)
    receipt = read_receipt(sidecar_dir, str(entry.facts.get("receipt")))
    if receipt is None or receipt.what != "release":
        return (finding("bad-journal", f"The journal of {entry.id} names no receipt. Look at it, move it away."),)
    return recover_release_restore(repository, sidecar_dir, receipt, entry)


@dataclass(frozen=True, slots=True)
class EmptyPlan:
    """Receipts whose kept state would go for good, and the bytes on the disk that this frees at least."""

    receipts: tuple[Receipt, ...]

    @property
    def bytes(self) -> int:
        """Count the bytes that their part of the trash takes."""
        return sum(receipt.bytes for receipt in self.receipts if receipt.what == "release")


def plan_empty(folder: Path, receipt_id: str | None, options: Options) -> EmptyPlan | Failure:
    """Plan to forget one receipt, or all of them."""
    listed = list_restorable(folder, options)
    if isinstance(listed, Failure):
        return listed
    chosen = tuple(one for one in listed if receipt_id in (None, one.id))
    if receipt_id is not None and not chosen:
        return Failure("unknown-id", f"There is nothing to restore called {escape(receipt_id)}. See: sidecar restore")
    return EmptyPlan(chosen)


def apply_empty(folder: Path, plan: EmptyPlan, options: Options) -> tuple[Finding, ...] | Failure:
    """Let go of what the plan names, for good; nothing that it does not name. The findings say what did not go."""
    repository = open_repository(folder, trust=options.trusted)
    if isinstance(repository, Failure):
        return repository
    with hold(repository.common_dir, "emptying the trash") as held:
        if isinstance(held, Finding):
            return (held,)
        left = []
        for receipt in plan.receipts:
            try:
                let_go(repository, held, receipt)
            except (OSError, GitError) as error:
                left.append(finding("not-emptied", f"{receipt.id} could not be emptied: {error}"))
    return tuple(left)
