"""`sidecar.merge`: a worktree into trunk."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from sidecar.lsp.consent import Json, Offer, Outcome, Proposal, Request, paragraph, sentences
from sidecar.lsp.unsaved import unsaved_for_merge
from sidecar.lsp.updating import update_now
from sidecar.model.findings import Failure, Finding, as_finding
from sidecar.model.messages import counted, short, shown
from sidecar.model.schema import merge_object

if TYPE_CHECKING:
    from sidecar.operations.control import Control
    from sidecar.operations.merge.values import MergePlan, MergeResult

STRATEGIES = ("merge", "squash", "rebase")
HOW = {"merge": "with a merge commit", "squash": "as one commit", "rebase": "rebased, without a merge commit"}


def propose_merge(request: Request, _control: Control) -> Proposal | Failure:
    """The plan of a merge, the ways out of what blocks it, and what the editor has not saved."""
    from sidecar.operations.merge.apply import apply_merge

    plan = plan_for(request)
    if isinstance(plan, Failure):
        return plan
    findings = (*plan.findings, *unsaved_for_merge(request.target.picture, request.documents, plan.worktree.key))
    codes = {found.code for found in findings if found.severity == "blocks"}
    name, branch = shown(plan.worktree.name), shown(plan.trunk.branch)
    title = f"Merging {name} into {branch}"
    planned = merge_plan_object("refused" if codes else "planned", plan, findings)
    if not codes:
        offer = Offer(title, lambda control: merge_outcome(plan, apply_merge(plan, control)))
        return Proposal(question(plan, findings), planned, {"Commit and Merge" if plan.commit else "Merge": offer})
    offers = {}
    if "uncommitted" in codes and codes <= {"uncommitted", "nothing-to-merge"}:
        offers["Commit and Merge"] = Offer(title, partial(_commit_and_merge, request))
    if "conflict" in codes:
        offers[f"Merge {branch} into {name}"] = Offer(f"Merging {branch} into {name}", partial(update_now, request))
    text = f"{name} can't be merged into {branch} now."
    return Proposal(paragraph(text, sentences(findings, "blocks")), planned, offers, blocked=True)


def merge_plan(request: Request, _control: Control) -> Json | Failure:
    """The merge object of a plan, for a client that shows it."""
    plan = plan_for(replace(request, options=request.reading))
    if isinstance(plan, Failure):
        return plan
    unsaved = unsaved_for_merge(request.target.picture, request.documents, plan.worktree.key)
    return merge_plan_object("planned", plan, (*plan.findings, *unsaved))


def plan_for(request: Request, **chosen: str) -> MergePlan | Failure:
    """The operation's own plan for what was asked; `chosen` goes before it."""
    from sidecar.operations.merge.plan import plan_merge
    from sidecar.operations.merge.values import MergeChoices

    given = {**request.arguments, **chosen}
    strategy = given.get("strategy", "merge")
    if strategy not in STRATEGIES:
        return Failure("bad-arguments", f"The strategy is one of {', '.join(STRATEGIES)}.")
    choices = MergeChoices(strategy, given.get("message"), given.get("verify"), given.get("commit"))
    return plan_merge(request.target.folder, request.target.name, request.options, choices)


def _commit_and_merge(request: Request, control: Control) -> Outcome:
    """Commit what is there under a plain name, and merge; the person has agreed to both."""
    from sidecar.operations.merge.apply import apply_merge

    plan = plan_for(request, commit=f"Work in {request.target.called}")
    if isinstance(plan, Failure):
        return Outcome(failed_merge(plan), plan.message, ok=False)
    if plan.blocked:
        return Outcome(merge_plan_object("refused", plan, plan.findings), sentences(plan.findings, "blocks"), ok=False)
    return merge_outcome(plan, apply_merge(plan, control))


def question(plan: MergePlan, findings: tuple[Finding, ...]) -> str:
    """The plan in a short paragraph: what would be merged into what, how, and what else there is to know."""
    commits = counted(plan.ahead, "commit", "commits")
    branch = f"branch {shown(plan.worktree.branch)}, " if plan.worktree.branch else ""
    what = f"{shown(plan.worktree.name)} ({branch}{commits})"
    committing = f"Its uncommitted work is committed first: “{shown(plan.commit)}”." if plan.commit else ""
    prepare = f"“{shown(plan.prepare)}” runs, then " if plan.prepare and plan.verify else ""
    check = f"{prepare}“{shown(plan.verify)}” has to pass first." if plan.verify else "No verify command is set."
    merge = f"Merge {what} into {shown(plan.trunk.branch)} {HOW[plan.strategy]}?"
    return paragraph(merge, committing, check, sentences(findings, "info", "kept"))


def merge_outcome(plan: MergePlan, result: MergeResult) -> Outcome:
    """What came of a merge."""
    name, branch = shown(plan.worktree.name), shown(result.branch)
    answer = merge_object(result.outcome, result.branch, result.before, result.after, result.findings, result.receipt)
    if result.outcome == "merged":
        done = f"Merged {name} into {branch}, which is now at {short(result.after or '')}."
        return Outcome(answer, paragraph(done, sentences(result.findings, "info", "kept")), ok=True)
    left = f"{name} was not merged, and {branch} is as it was."
    return Outcome(answer, paragraph(left, sentences(result.findings, "blocks")), ok=False)


def merge_plan_object(outcome: str, plan: MergePlan, findings: tuple[Finding, ...]) -> Json:
    """The merge object of a plan, with what a client shows of it."""
    shown_plan = {
        "worktree": plan.worktree.name,
        "path": plan.worktree.key,
        "branch": plan.worktree.branch,
        "strategy": plan.strategy,
        "message": plan.message,
        "verify": plan.verify,
        "prepare": plan.prepare,
        "commit": plan.commit,
        "ahead": plan.ahead,
    }
    trunk = plan.trunk
    return {**merge_object(outcome, trunk.branch, trunk.commit, None, findings), "plan": shown_plan}


def failed_merge(failure: Failure) -> Json:
    """The merge object of a question that has no answer."""
    return merge_object("failed", None, None, None, [as_finding(failure)])
