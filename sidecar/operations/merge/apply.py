"""Carry a merge out: have the commit made and verified, move trunk, and settle what was begun however it ended.

Success, refusal and recovery after a kill end in the same function, `settle`, because each has to leave trunk wholly
before or wholly after, and nothing else of the operation.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from sidecar.git.process import GitError
from sidecar.git.refs import is_ancestor, resolve_commit
from sidecar.git.repository import Repository
from sidecar.git.user_git import operation_tag
from sidecar.model.findings import Failure, Finding, finding
from sidecar.model.merge_order import Order, Turn
from sidecar.model.receipts import Receipt
from sidecar.model.settings import Options
from sidecar.model.words import shown
from sidecar.operations.journal import Journal, finish, pending
from sidecar.operations.kept_refs import let_go_all
from sidecar.operations.landing_repository.lent import carry_extras
from sidecar.operations.landing_repository.original import carry_refs
from sidecar.operations.landing_repository.place import close_landing_worktree, remove_landing_repository
from sidecar.operations.merge.backup import forget_kept, keep_file
from sidecar.operations.merge.conflicts import as_remade
from sidecar.operations.merge.land import (
    check_landing,
    clear_keeping,
    clear_landing,
    clear_worktree_locks,
    has_landed,
    head_locks,
    hold_index,
    land,
    take_back,
)
from sidecar.operations.merge.make_commit import (
    commit_work,
    make_commit,
    merge_message,
    run_late_hooks,
)
from sidecar.operations.merge.plan import fetch_for, look_again, plan_merge
from sidecar.operations.merge.regenerate import regenerate
from sidecar.operations.merge.run import (
    BEGUN,
    COMMITTING,
    LANDING,
    WORKING,
    MergeChoices,
    MergeFacts,
    MergePlan,
    MergeResult,
    MergeRun,
    head_commit,
    kept_objects,
    kept_refs,
    read_facts,
    stop_if_cancelled,
    worktree_at,
)
from sidecar.operations.merge.verify import verify_commit
from sidecar.operations.records import drop_receipt, read_receipt, write_receipt
from sidecar.operations.run import QUIET, Agreed, Control, RefusedError, run_plan
from sidecar.system.processes import end_marked


def recover_merge(repository: Repository, sidecar_dir: Path, journal: Journal) -> tuple[Finding, ...]:
    """Bring trunk to wholly before or wholly after a merge or an undo that was ended, and say which.

    Runs nothing of the repository. What can't be done now stays in the journal, and is tried again the next time.
    """
    facts = read_facts(repository, journal)
    if isinstance(facts, Finding):
        return (facts,)
    try:
        landed, found = settle(repository, sidecar_dir, journal, facts)
    except (GitError, OSError) as error:
        said = f"{journal.id} was ended half-way and can't be taken back now: {error}"
        return (finding("not-recovered", said),)
    branch = shown(facts.trunk.removeprefix("refs/heads/"))
    word = "merge into" if journal.what == "merge" else "undo on"
    after = "is done" if landed else f"was taken back; {branch} is as it was"
    return (finding("recovered", f"The {word} {branch} that was ended ({journal.id}) {after}."), *found)


def settle(
    repository: Repository, sidecar_dir: Path, journal: Journal, facts: MergeFacts
) -> tuple[bool, list[Finding]]:
    """Give (whether trunk moved, what could not be put back); afterwards nothing of the operation is left.

    GitError or OSError when it has to be tried again. Every part of it can be done twice.
    """
    found: list[Finding] = []
    landed = journal.step == LANDING and has_landed(repository, facts)
    if journal.step == COMMITTING:
        found += _settle_commit(repository, sidecar_dir, facts, journal.id)
    if journal.step == LANDING:
        stuck = clear_landing(repository, facts, journal.id)
        if stuck and not landed:
            raise GitError(stuck[0].message)
        found += stuck
        if not landed:
            found += take_back(repository, sidecar_dir, facts, journal.id)
    _settle_receipt(sidecar_dir, journal, facts, landed=landed)
    if landed:
        if facts.extras:
            checkout = worktree_at(repository, facts.checkout)
            git_dir = checkout.git_dir if checkout is not None else repository.common_dir
            found += carry_extras(repository.common_dir, git_dir, journal.id, facts.extras)
        found += carry_refs(repository, facts.refs, f"merge {facts.branch or facts.head[:10]}: Sidecar")
    if journal.what == "merge" and journal.step in (WORKING, LANDING):
        clear_keeping(repository, facts, journal.id)
        count = len(kept_objects(facts.after or "", facts.refs)) if journal.step == LANDING else None
        let_go_all(repository, kept_refs(journal.id), count)
    remove_landing_repository(repository.common_dir, journal.id)
    close_landing_worktree(repository.common_dir)
    forget_kept(sidecar_dir)
    finish(sidecar_dir)
    return landed, found


def _settle_commit(repository: Repository, sidecar_dir: Path, facts: MergeFacts, operation_id: str) -> list[Finding]:
    """Put the worktree's index back, unless what was not committed is committed by now, as agreed."""
    worktree = worktree_at(repository, facts.worktree)
    if worktree is None:
        return []
    git_dir, kept = Path(worktree.git_dir), sidecar_dir / "landing" / "index"
    clear_worktree_locks(worktree, head_locks(repository, worktree, facts.branch), facts.since, operation_id)
    if head_commit(repository, worktree) != facts.head:
        return [finding("committed", f"What was not committed in {shown(worktree.name)} is committed now, as agreed.")]
    if kept.exists():
        with hold_index(git_dir, operation_id):
            beside = kept.with_name("index.back")
            beside.unlink(missing_ok=True)
            keep_file(kept, beside)
            beside.replace(git_dir / "index")
    return []


def _settle_receipt(sidecar_dir: Path, journal: Journal, facts: MergeFacts, *, landed: bool) -> None:
    """Drop a merge's receipt unless it landed; after an undo, mark the receipt of what it took back."""
    if journal.what == "merge":
        if not landed:
            drop_receipt(sidecar_dir, journal.id)
        return
    receipt = read_receipt(sidecar_dir, facts.receipt) if facts.receipt is not None else None
    if receipt is not None and landed and "restored" not in receipt.facts:
        with contextlib.suppress(OSError):
            write_receipt(sidecar_dir, replace(receipt, facts={**receipt.facts, "restored": time.time()}))


def apply_merge(plan: MergePlan, control: Control = QUIET) -> MergeResult:
    """Do what the plan says, if the world is still the one that it saw; trunk moves wholly, or not at all.

    The consent to it is the trust of `git merge`: hooks, drivers, signing and the verify command run.
    """
    name, branch = shown(plan.worktree.name), shown(plan.trunk.branch)
    return run_plan(
        plan,
        control,
        doing=f"merging {name} into {branch}",
        again=lambda repository: look_again(plan, repository),
        essence=_essence,
        refused=lambda findings: MergeResult("refused", plan.trunk.branch, plan.trunk.commit, None, findings, None),
        steps=_apply,
    )


def _essence(plan: MergePlan) -> tuple[object, ...]:
    """Give what was agreed to: which commits and files, into what, by which commands."""
    checkout = plan.checkout.key if plan.checkout is not None else None
    what = (plan.worktree.key, plan.worktree.branch, plan.head, plan.tree, plan.trunk, checkout)
    return (*what, plan.verify, plan.prepare, plan.limit, plan.remakes if plan.regenerates else ())


def _apply(agreed: Agreed[MergePlan]) -> MergeResult:
    plan, branch = agreed.plan, agreed.plan.trunk.branch
    assert plan.trunk.commit is not None
    assert plan.head is not None
    facts = MergeFacts(
        trunk=plan.trunk.ref,
        branch=plan.worktree.branch,
        worktree=plan.worktree.key,
        checkout=plan.checkout.key if plan.checkout is not None else None,
        before=plan.trunk.commit,
        head=plan.head,
        since=time.time(),
        strategy=plan.strategy,
    )
    told: list[Finding] = []
    ended = conduct(agreed, "merge", facts, lambda running: _steps(running, plan, agreed.control, told), agreed.control)
    if ended.after is None:
        return MergeResult("failed", branch, facts.before, None, (*ended.findings, *told), None)
    kept = tuple(as_remade(found, plan.remakes) for found in plan.findings if found.severity != "blocks")
    return MergeResult("merged", branch, facts.before, ended.after, (*kept, *told, *ended.findings), ended.id)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a merge or an undo ended: `after` is where trunk moved, None when it did not, for the reason in findings."""

    id: str
    after: str | None
    findings: tuple[Finding, ...]


def conduct(
    agreed: Agreed[Any], what: str, facts: MergeFacts, steps: Callable[[MergeRun], None], control: Control
) -> Ended:
    """Take the steps of a merge or an undo under a journal, and settle it however they went."""
    repository, sidecar_dir = agreed.repository, agreed.sidecar_dir
    findings: list[Finding] = []
    try:
        journal = agreed.begin(what, BEGUN, asdict(facts))
        steps(MergeRun(repository, sidecar_dir, control.acting(journal.id, repository.common_dir), journal, facts))
    except RefusedError as refused:
        findings.append(refused.finding)
    except GitError as error:
        findings.append(finding("failed", f"Git failed: {error.message}"))
    except OSError as error:
        findings.append(finding("failed", f"The disk can't be written: {error.strerror or error}."))
    try:
        standing = pending(sidecar_dir)
        if standing is None:
            return Ended("", None, tuple(findings))
        if findings:
            end_marked(operation_tag(standing.id, repository.common_dir))
        known = read_facts(repository, standing)
        if isinstance(known, Finding):
            raise ValueError(known.message)
        landed, found = settle(repository, sidecar_dir, standing, known)
    except (GitError, OSError, ValueError) as error:
        said = f"It could not be cleaned up now and will be by the next command: {error}"
        return Ended("", None, (*findings, finding("not-recovered", said)))
    return Ended(standing.id, known.after if landed else None, tuple(found if landed else findings + found))


def _steps(running: MergeRun, plan: MergePlan, control: Control, told: list[Finding]) -> None:
    name, branch = shown(plan.worktree.name), shown(plan.trunk.branch)
    uncommitted = next((one.paths for one in plan.findings if one.code == "will-commit"), ())
    if plan.commit is not None and uncommitted:
        control.stage(f"Committing what is not committed in {name}")
        running = _commit(running, plan, uncommitted)
        plan = replace(plan, message=merge_message(running.repository, plan, running.facts.head))  # of one commit more
    else:
        running = running.step(WORKING)
    control.stage(f"Merging {name} into {branch} in a landing repository")
    made = make_commit(running, plan, partial(regenerate, running, plan, control))
    told += verify_commit(running, plan, made, control)
    running = replace(running, facts=replace(running.facts, refs=made.refs, extras=made.extras))
    stop_if_cancelled(running.acting)
    if head_commit(running.repository, plan.worktree) != running.facts.head:  # what lands is all that it had
        said = f"{name} has moved meanwhile. Run it again to merge what it has now."
        raise RefusedError(finding("branch-moved", said))
    control.stage(f"Moving {branch}")
    check_landing(running, None, {})
    write_receipt(running.sidecar_dir, _receipt(running, plan, made.commit))
    acting = control.acting(running.journal.id, running.repository.common_dir, stoppable=False)
    label = plan.worktree.branch or running.facts.head[:10]
    run_late_hooks(land(replace(running, acting=acting), plan.checkout, made.commit, label), plan, made)
    told += _replaced(running, made.commit)
    control.stage("Cleaning up")


def _replaced(running: MergeRun, landed: str) -> tuple[Finding, ...]:
    """Tell that what landed is not in trunk any more, as where a hook has amended it (githooks(5), post-merge)."""
    place, trunk = running.repository.place, running.facts.trunk
    now = resolve_commit(place, trunk)
    if now is None or is_ancestor(place, landed, now):
        return ()
    branch = shown(trunk.removeprefix("refs/heads/"))
    said = f"{branch} is at {now[:10]} by now: a hook, or somebody else, has put that in the place of {landed[:10]}."
    return (finding("trunk-moved", said, severity="info"),)


def _commit(running: MergeRun, plan: MergePlan, paths: tuple[str, ...]) -> MergeRun:
    (running.kept).mkdir(mode=0o700, exist_ok=True)
    index = Path(plan.worktree.git_dir) / "index"
    (running.kept / "index").unlink(missing_ok=True)
    keep_file(index, running.kept / "index")
    if os.path.lexists(f"{index}.lock"):
        raise RefusedError(finding("git-lock", f"Another git is at work in {shown(plan.worktree.name)}: {index}.lock"))
    return commit_work(running.step(COMMITTING), plan, plan.worktree, paths)


def _receipt(running: MergeRun, plan: MergePlan, after: str) -> Receipt:
    facts = running.facts
    known = {
        "trunk": facts.trunk,
        "before": facts.before,
        "after": after,
        "head": facts.head,
        "path": facts.worktree,
        "checkout": facts.checkout,
        "strategy": facts.strategy,
    }
    return Receipt(running.journal.id, "merge", plan.worktree.name, plan.worktree.branch, time.time(), 0, known)


Tried = tuple[Turn, MergePlan | Failure, MergeResult | None]
"""A worktree in its turn, its plan, and what became of it: None where the plan was blocked, or there was none."""


def merge_ready(
    folder: Path, order: Order, options: Options, choices: MergeChoices, control: Control
) -> Iterator[Tried]:
    """Merge the ready worktrees of an order, each planned anew on what trunk is by then; yield each as it is done.

    Consent was to what nothing stands in the way of. The first that does not go through ends it, and so does a person
    between two; what was merged before stays merged.
    """
    for turn in order.ready:
        if control.cancelled():
            yield turn, Failure("cancelled", f"Stopped before {shown(turn.worktree.name)}."), None
            return
        plan = plan_merge(folder, turn.worktree.key, options, choices)
        if not isinstance(plan, Failure):
            plan = fetch_for(plan, control)
        if isinstance(plan, Failure) or plan.blocked:
            yield turn, plan, None
            return
        result = apply_merge(plan, control)
        yield turn, plan, result
        if result.outcome != "merged":
            return
