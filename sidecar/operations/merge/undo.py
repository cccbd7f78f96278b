"""Taking a merge back: trunk goes to where it was, as long as nobody builds on the merge yet."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sidecar.git.process import GitError, run
from sidecar.git.refs import has_commit, is_ancestor, resolve_commit
from sidecar.git.repository import Repository, list_worktrees, open_repository, unreadable
from sidecar.model.findings import Failure, Finding, blocks
from sidecar.model.messages import escape, shown
from sidecar.model.object_ids import is_object_id
from sidecar.model.picture import Worktree
from sidecar.operations.control import QUIET, Control
from sidecar.operations.journal import left_over
from sidecar.operations.lock import hold
from sidecar.operations.merge.apply import conduct
from sidecar.operations.merge.desk import Desk, Facts, tree_changes
from sidecar.operations.merge.landing import land
from sidecar.operations.merge.obstacles import checkout_findings
from sidecar.operations.merge.progress import holders_of
from sidecar.operations.merge.values import RefusedError
from sidecar.operations.receipts import Receipt, new_id, read_receipt
from sidecar.operations.state import state_path
from sidecar.session.sources import Options


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
    """What a receipt says of a merge: trunk's full ref, where it was, where it went, what was merged."""

    trunk: str
    before: str
    after: str
    head: str

    @property
    def branch(self) -> str:
        return self.trunk.removeprefix("refs/heads/")


def undo_merge(folder: Path, receipt_id: str, options: Options, control: Control = QUIET) -> UndoResult | Failure:
    """Move trunk back to before a merge, if it is still there and nothing of it was published.

    Otherwise the findings offer `git revert`. A Failure when there is no such merge.
    """
    repository = open_repository(folder, trust=options.trusted)
    if isinstance(repository, Failure):
        return repository
    receipt = read_receipt(state_path(repository.common_dir), receipt_id)
    merge = _read(repository, receipt) if receipt is not None and receipt.what == "merge" else None
    if receipt is None or merge is None:
        return Failure("unknown-id", f"There is no merge called {escape(receipt_id)}. See: sidecar restore")
    with hold(repository.common_dir, f"taking back {receipt_id}") as held:
        if isinstance(held, Finding):
            return UndoResult("refused", merge.branch, merge.after, None, (held,))
        try:
            return _undo(repository, held, receipt, merge, control)
        except GitError as error:
            return unreadable(error)


def _read(repository: Repository, receipt: Receipt) -> _Merge | None:
    """The receipt's facts, if each of them is what we would have written."""
    facts = [receipt.facts.get(name) for name in ("trunk", "before", "after", "head")]
    texts = [fact for fact in facts if isinstance(fact, str)]
    if len(texts) != len(facts) or not texts[0].startswith("refs/heads/"):
        return None
    if not all(is_object_id(oid) and has_commit(repository.place, oid) for oid in texts[1:]):
        return None
    return _Merge(*texts)


def _undo(repository: Repository, state: Path, receipt: Receipt, merge: _Merge, control: Control) -> UndoResult:
    if (standing := left_over(state)) is not None:
        return UndoResult("refused", merge.branch, merge.after, None, (standing,))
    worktrees = list_worktrees(repository)
    checkouts = [one for one in worktrees if one.branch == merge.branch and not one.bare]
    if refused := _refusals(repository, receipt, merge, worktrees, checkouts):
        return UndoResult("refused", merge.branch, merge.after, None, tuple(refused))
    checkout = checkouts[0] if checkouts else None
    facts = Facts(
        trunk=merge.trunk,
        branch=None,
        worktree=checkout.key if checkout is not None else "",
        checkout=checkout.key if checkout is not None else None,
        before=merge.after,
        head=merge.head,
        since=time.time(),
        strategy="undo",
        receipt=receipt.id,
    )

    def steps(desk: Desk) -> None:
        if control.cancelled():
            raise RefusedError(blocks("cancelled", f"Cancelled. {shown(merge.branch)} is as it was."))
        control.stage(f"Moving {shown(merge.branch)} back")
        land(desk, checkout, merge.before, receipt.id)

    quiet = Control(control.stage, control.output)
    landed, findings, after = conduct(repository, state, new_id(state, "undo"), "undo", facts, quiet, steps)
    outcome: Literal["undone", "failed"] = "undone" if landed else "failed"
    return UndoResult(outcome, merge.branch, merge.after, after if landed else None, tuple(findings))


def _refusals(
    repository: Repository, receipt: Receipt, merge: _Merge, worktrees: tuple[Worktree, ...], checkouts: list[Worktree]
) -> list[Finding]:
    """Why trunk can't simply go back, each with what can be done instead."""
    branch, now = shown(merge.branch), resolve_commit(repository.place, merge.trunk)
    instead = _revert(receipt, merge)
    if now != merge.after:
        if now is None or not is_ancestor(repository.place, merge.after, now):
            return [blocks("not-in-trunk", f"{branch} does not have {receipt.id}, so there is nothing to take back.")]
        return [blocks("trunk-moved", f"{branch} has gone on since {receipt.id}. {instead}")]
    published = run(
        repository.place, "for-each-ref", f"--contains={merge.after}", "--format=%(refname)", "refs/remotes"
    )
    if published:
        named = shown(published.decode("utf-8", "surrogateescape").splitlines()[0].removeprefix("refs/remotes/"))
        return [blocks("published", f"{receipt.id} was published: {named} has it. {instead}")]
    found = []
    for holder in holders_of(merge.branch, worktrees):
        said = f"A rebase or bisect of {branch} is unfinished in {shown(holder.name)}. Finish or abort it."
        found.append(blocks("trunk-in-operation", said))
    if len(checkouts) > 1:
        names = ", ".join(shown(one.name) for one in checkouts)
        found.append(blocks("trunk-checkout", f"{branch} is checked out more than once ({names})."))
    elif checkouts:
        found += checkout_findings(repository, checkouts[0], tree_changes(repository, merge.after, merge.before))
    return found


def _revert(receipt: Receipt, merge: _Merge) -> str:
    """The command that takes the same back by a new commit (git-revert(1))."""
    strategy = receipt.facts.get("strategy")
    if strategy == "rebase":
        return f"To take it back by new commits, run: git revert {merge.before[:12]}..{merge.after[:12]}"
    mainline = "-m 1 " if strategy == "merge" else ""
    return f"To take it back by a new commit, run: git revert {mainline}{merge.after[:12]}"
