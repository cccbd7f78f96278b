"""Doing what a plan said: the commit is made aside and verified, then trunk moves, or nothing has happened."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sidecar.git.acting import mark_of
from sidecar.git.process import GitError
from sidecar.git.repository import Repository, open_repository
from sidecar.model.findings import Failure, Finding, as_finding, blocks, is_blocked
from sidecar.model.messages import shown
from sidecar.operations.control import QUIET, Control
from sidecar.operations.journal import begin, left_over, pending
from sidecar.operations.lock import hold
from sidecar.operations.merge.desk import BEGUN, COMMITTING, WORKING, Desk, Facts, head_commit, read_facts
from sidecar.operations.merge.keeping import keep_file
from sidecar.operations.merge.landing import check_landing, land
from sidecar.operations.merge.making import commit_work, make_commit, stop_if_cancelled
from sidecar.operations.merge.plan import look_again
from sidecar.operations.merge.recover import settle
from sidecar.operations.merge.values import MergePlan, MergeResult, RefusedError
from sidecar.operations.merge.verify import verify_commit
from sidecar.operations.merge.wording import default_message
from sidecar.operations.receipts import Receipt, new_id, write_receipt
from sidecar.system.processes import end_marked


def apply_merge(plan: MergePlan, control: Control = QUIET) -> MergeResult:
    """Do what the plan says, if the world is still the one that it saw; trunk moves wholly, or not at all.

    The consent to it is the trust of `git merge`: hooks, drivers, signing and the verify command run.
    """
    doing = f"merging {shown(plan.worktree.name)} into {shown(plan.trunk.branch)}"
    with hold(plan.common_dir, doing) as held:
        if isinstance(held, Finding):
            return _refused(plan, (held,))
        repository = open_repository(plan.folder, trust=plan.options.trusted)
        if isinstance(repository, Failure):
            return _refused(plan, (as_finding(repository),))
        fresh = _look_again(plan, repository, held)
        if isinstance(fresh, tuple):
            return _refused(plan, fresh)
        return _apply(repository, held, fresh, control)


def _refused(plan: MergePlan, findings: tuple[Finding, ...]) -> MergeResult:
    return MergeResult("refused", plan.trunk.branch, plan.trunk.commit, None, findings, None)


def _look_again(plan: MergePlan, repository: Repository, state: Path) -> MergePlan | tuple[Finding, ...]:
    """The plan as it would be made now, if it is the same; else why it is not to be done."""
    if plan.blocked:
        return plan.findings
    if (standing := left_over(state)) is not None:
        return (standing,)
    fresh = look_again(plan, repository)
    if isinstance(fresh, Failure):
        return (as_finding(fresh),)
    findings = tuple(finding for finding in fresh.findings if finding.code != "busy")
    if is_blocked(findings):
        return findings
    if _essence(fresh) != _essence(plan):
        names = f"{shown(plan.worktree.name)} or {shown(plan.trunk.branch)}"
        return (blocks("changed-since", f"{names} has changed since this was planned. Look at the plan again."),)
    return plan


def _essence(plan: MergePlan) -> tuple[object, ...]:
    """What was agreed to: which commits and files, into what, by which commands."""
    checkout = plan.checkout.key if plan.checkout is not None else None
    what = (plan.worktree.key, plan.worktree.branch, plan.head, plan.tree, plan.trunk, checkout)
    return (*what, plan.verify, plan.prepare, plan.limit)


def _apply(repository: Repository, state: Path, plan: MergePlan, control: Control) -> MergeResult:
    assert plan.trunk.commit is not None
    assert plan.head is not None
    facts = Facts(
        trunk=plan.trunk.ref,
        branch=plan.worktree.branch,
        worktree=plan.worktree.key,
        checkout=plan.checkout.key if plan.checkout is not None else None,
        before=plan.trunk.commit,
        head=plan.head,
        since=time.time(),
        strategy=plan.strategy,
    )
    operation_id = new_id(state, "merge")
    told: list[Finding] = []

    def steps(desk: Desk) -> None:
        _steps(desk, plan, control, told)

    landed, findings, after = conduct(repository, state, operation_id, "merge", facts, control, steps)
    kept = tuple(finding for finding in plan.findings if finding.severity != "blocks")
    if not landed:
        return MergeResult("failed", plan.trunk.branch, facts.before, None, (*findings, *told), None)
    return MergeResult("merged", plan.trunk.branch, facts.before, after, (*kept, *told, *findings), operation_id)


def conduct(
    repository: Repository,
    state: Path,
    operation_id: str,
    what: str,
    facts: Facts,
    control: Control,
    steps: Callable[[Desk], None],
) -> tuple[bool, list[Finding], str | None]:
    """Do the steps under a journal, and end the operation however they went: (did trunk move, why not, to where)."""
    findings: list[Finding] = []
    try:
        journal = begin(state, operation_id, what, BEGUN, facts.as_json())
        steps(Desk(repository, state, control.acting(operation_id, repository.common_dir), journal, facts))
    except RefusedError as refused:
        findings.append(refused.finding)
    except GitError as error:
        findings.append(blocks("failed", f"Git failed: {error.message}"))
    except OSError as error:
        findings.append(blocks("failed", f"The disk can't be written: {error.strerror or error}."))
    try:
        standing = pending(state)
        if standing is None:
            return False, findings, None
        if findings:
            end_marked(mark_of(operation_id, repository.common_dir))
        known = read_facts(repository, standing.facts)
        landed, found = settle(repository, state, standing, known)
    except (GitError, OSError, ValueError) as error:
        said = f"It could not be cleaned up now and will be by the next command: {error}"
        return False, [*findings, blocks("not-recovered", said)], None
    return landed, ([] if landed else findings) + found, known.after


def _steps(desk: Desk, plan: MergePlan, control: Control, told: list[Finding]) -> None:
    name, branch = shown(plan.worktree.name), shown(plan.trunk.branch)
    if plan.commit is not None and (uncommitted := _to_commit(plan)):
        control.stage(f"Committing what is not committed in {name}")
        desk = _commit(desk, plan, uncommitted)
        plan = _reworded(desk, plan)
    else:
        desk = desk.step(WORKING)
    control.stage(f"Merging {name} into {branch}, aside")
    place, after = make_commit(desk, plan)
    told += verify_commit(desk, plan, place, after, control)
    stop_if_cancelled(desk)
    _check_branch(desk, plan)
    control.stage(f"Moving {branch}")
    check_landing(desk, None, {})
    write_receipt(desk.state, _receipt(desk, plan, after))
    uncancelled = replace(desk, acting=control.acting(desk.journal.id, desk.repository.common_dir, stoppable=False))
    label = plan.worktree.branch or desk.facts.head[:10]
    land(uncancelled, plan.checkout, after, label)
    control.stage("Cleaning up")


def _to_commit(plan: MergePlan) -> tuple[str, ...]:
    return next((finding.paths for finding in plan.findings if finding.code == "will-commit"), ())


def _commit(desk: Desk, plan: MergePlan, paths: tuple[str, ...]) -> Desk:
    (desk.kept).mkdir(mode=0o700, exist_ok=True)
    index = Path(plan.worktree.git_dir) / "index"
    (desk.kept / "index").unlink(missing_ok=True)
    keep_file(index, desk.kept / "index")
    if os.path.lexists(f"{index}.lock"):
        raise RefusedError(blocks("git-lock", f"Another git is at work in {shown(plan.worktree.name)}: {index}.lock"))
    return commit_work(desk.step(COMMITTING), plan, plan.worktree, paths)


def _reworded(desk: Desk, plan: MergePlan) -> MergePlan:
    """Git's own message, now that there is one more commit to be told of."""
    if plan.choices.message is not None and plan.choices.message.strip():
        return plan
    said = default_message(desk.repository, plan.trunk, plan.worktree, desk.facts.head, plan.strategy)
    return replace(plan, message=said)


def _check_branch(desk: Desk, plan: MergePlan) -> None:
    """The worktree is to be where it was: what lands is all that it had."""
    if head_commit(desk.repository, plan.worktree) != desk.facts.head:
        said = f"{shown(plan.worktree.name)} has moved meanwhile. Run it again to merge what it has now."
        raise RefusedError(blocks("branch-moved", said))


def _receipt(desk: Desk, plan: MergePlan, after: str) -> Receipt:
    facts = desk.facts
    known = {
        "trunk": facts.trunk,
        "before": facts.before,
        "after": after,
        "head": facts.head,
        "path": facts.worktree,
        "checkout": facts.checkout,
        "strategy": facts.strategy,
    }
    return Receipt(desk.journal.id, "merge", plan.worktree.name, plan.worktree.branch, time.time(), 0, known)
