"""Take a merge back: trunk goes to where it was, as long as nobody builds on the merge yet."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sidecar.git.process import GitError
from sidecar.git.refs import has_commit, is_ancestor, ref_names, resolve_commit
from sidecar.git.repository import Repository, list_worktrees, open_repository
from sidecar.model.decode import BranchRef, ObjectId, decode
from sidecar.model.findings import Failure, Finding, finding
from sidecar.model.picture import Worktree
from sidecar.model.receipts import Receipt
from sidecar.model.settings import Options
from sidecar.model.words import escape, shown
from sidecar.operations.merge.apply import conduct
from sidecar.operations.merge.blockers import checkout_findings
from sidecar.operations.merge.conflicts import trunk_in_operation
from sidecar.operations.merge.land import land
from sidecar.operations.merge.run import MergeFacts, MergeRun, tree_changes
from sidecar.operations.records import is_restorable, list_receipts, read_receipt, sidecar_path
from sidecar.operations.run import QUIET, Agreed, Control, Plan, RefusedError, run_plan


@dataclass(frozen=True, slots=True)
class UndoResult:
    """What became of an undo: `branch` is trunk's; `before` and `after` its commits, `after` None unless undone."""

    outcome: Literal["undone", "refused", "failed"]
    branch: str
    before: str | None
    after: str | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Merge:
    """A merge as its receipt tells it: trunk's full ref, where it was, where it went, what was merged, and how."""

    trunk: BranchRef
    before: ObjectId
    after: ObjectId
    head: ObjectId
    strategy: str = "squash"

    @property
    def branch(self) -> str:
        return self.trunk.removeprefix("refs/heads/")


@dataclass(frozen=True, slots=True)
class UndoPlan(Plan):
    """Moving trunk back to before the merge of a receipt; made under the lock, since nobody is asked in between."""

    receipt: Receipt
    merge: _Merge
    checkout: Worktree | None = None


def undo_merge(folder: Path, receipt_id: str, options: Options, control: Control = QUIET) -> UndoResult | Failure:
    """Move trunk back to before a merge, if it is still there and nothing of it was published.

    Otherwise the findings offer `git revert`. A Failure when there is no such merge.
    """
    repository = open_repository(folder, trust=options.trusted)
    if isinstance(repository, Failure):
        return repository
    receipt = read_receipt(sidecar_path(repository.common_dir), receipt_id)
    merge = _read(repository, receipt) if receipt is not None and receipt.what == "merge" else None
    if receipt is None or merge is None:
        return Failure("unknown-id", f"There is no merge called {escape(receipt_id)}. See: sidecar restore")
    plan = UndoPlan(folder, repository.common_dir, options, receipt, merge)
    return run_plan(
        plan,
        control,
        doing=f"taking back {receipt_id}",
        again=lambda repository: _plan(repository, plan),
        essence=lambda one: one.receipt.id,
        refused=lambda findings: UndoResult("refused", merge.branch, merge.after, None, findings),
        steps=_undo,
    )


def _read(repository: Repository, receipt: Receipt) -> _Merge | None:
    """Read what a receipt says of a merge; None where it is not what we would have written."""
    merge = decode(_Merge, receipt.facts)
    if isinstance(merge, Failure):
        return None
    commits = (merge.before, merge.after, merge.head)
    return merge if all(has_commit(repository.place, oid) for oid in commits) else None


def _plan(repository: Repository, plan: UndoPlan) -> UndoPlan:
    """Look at trunk and its checkout; GitError when the repository can't be read."""
    worktrees = list_worktrees(repository)
    checkouts = [one for one in worktrees if one.branch == plan.merge.branch and not one.bare]
    found = _refusals(repository, plan.receipt, plan.merge, worktrees, checkouts)
    return replace(plan, checkout=checkouts[0] if checkouts else None, findings=tuple(found))


def _undo(agreed: Agreed[UndoPlan]) -> UndoResult:
    plan, merge, control = agreed.plan, agreed.plan.merge, agreed.control
    key = plan.checkout.key if plan.checkout is not None else None
    facts = MergeFacts(
        trunk=merge.trunk,
        branch=None,
        worktree=key or "",
        checkout=key,
        before=merge.after,
        head=merge.head,
        since=time.time(),
        strategy="undo",
        receipt=plan.receipt.id,
    )

    def steps(running: MergeRun) -> None:
        if control.cancelled():
            raise RefusedError(finding("cancelled", f"Cancelled. {shown(merge.branch)} is as it was."))
        control.stage(f"Moving {shown(merge.branch)} back")
        land(running, plan.checkout, merge.before, plan.receipt.id)

    ended = conduct(agreed, "undo", facts, steps, Control(control.stage, control.output))
    outcome: Literal["undone", "failed"] = "failed" if ended.after is None else "undone"
    left = _left_without_branch(agreed.repository, agreed.sidecar_dir, plan) if outcome == "undone" else ()
    return UndoResult(outcome, merge.branch, merge.after, ended.after, (*ended.findings, *left))


def _left_without_branch(repository: Repository, sidecar_dir: Path, plan: UndoPlan) -> tuple[Finding, ...]:
    """Say how to get at what had been merged, where its worktree was released since, or its branch deleted."""
    place, head, name = repository.place, plan.merge.head, plan.receipt.branch or plan.receipt.worktree
    refs = ("refs/heads", "refs/tags", "refs/remotes")
    try:
        if ref_names(place, *refs, f"--contains={head}"):
            return ()
        if any(one.head is not None and is_ancestor(place, head, one.head) for one in list_worktrees(repository)):
            return ()
    except GitError:
        return ()
    kept = (one for one in list_receipts(sidecar_dir) if one.what == "release" and is_restorable(one))
    released = next((one.id for one in kept if one.facts.get("head") == head), None)
    way = f"sidecar restore {released}" if released is not None else shlex.join(("git", "branch", name, head))
    return (finding("no-branch-left", f"No branch has what was merged of {shown(name)} any more. Get it back: {way}"),)


def _refusals(
    repository: Repository, receipt: Receipt, merge: _Merge, worktrees: tuple[Worktree, ...], checkouts: list[Worktree]
) -> list[Finding]:
    """Say why trunk can't simply go back, each with what can be done instead."""
    branch, now = shown(merge.branch), resolve_commit(repository.place, merge.trunk)
    instead = _revert(merge)
    if now != merge.after:
        if now is None or not is_ancestor(repository.place, merge.after, now):
            return [finding("not-in-trunk", f"{branch} does not have {receipt.id}, so there is nothing to take back.")]
        return [finding("trunk-moved", f"{branch} has gone on since {receipt.id}. {instead}")]
    if published := ref_names(repository.place, f"--contains={merge.after}", "refs/remotes"):
        named = shown(published[0].removeprefix("refs/remotes/"))
        return [finding("published", f"{receipt.id} was published: {named} has it. {instead}")]
    found = list(trunk_in_operation(merge.branch, worktrees))
    if len(checkouts) > 1:
        names = ", ".join(shown(one.name) for one in checkouts)
        found.append(finding("trunk-checkout", f"{branch} is checked out more than once ({names})."))
    elif checkouts:
        found += checkout_findings(repository, checkouts[0], tree_changes(repository, merge.after, merge.before))
    return found


def _revert(merge: _Merge) -> str:
    """Give the command that takes the same back by a new commit (git-revert(1))."""
    if merge.strategy == "rebase":
        return f"To take it back by new commits, run: git revert {merge.before[:12]}..{merge.after[:12]}"
    mainline = "-m 1 " if merge.strategy == "merge" else ""
    return f"To take it back by a new commit, run: git revert {mainline}{merge.after[:12]}"
