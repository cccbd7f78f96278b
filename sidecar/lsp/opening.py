"""`sidecar.open`: a worktree and a branch for a new task."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sidecar.lsp.consent import Json, Offer, Outcome, Proposal, Request, paragraph, sentences
from sidecar.model.findings import Failure, as_finding
from sidecar.model.messages import escape, shown
from sidecar.model.schema import restore_object

if TYPE_CHECKING:
    from sidecar.operations.control import Control
    from sidecar.operations.opening import OpenPlan, OpenResult


def propose_open(request: Request, _control: Control) -> Proposal | Failure:
    """The plan of a new worktree: its name, where it goes, and where it begins."""
    from sidecar.operations.opening import plan_open

    name, start = str(request.arguments["worktree"]), request.arguments.get("from")
    plan = plan_open(request.target.folder, name, start, request.options)
    if isinstance(plan, Failure):
        return plan
    called = shown(plan.branch)
    if plan.blocked:
        planned = restore_object("refused", None, plan.findings)
        return Proposal(paragraph(f"{called} can't be opened.", sentences(plan.findings, "blocks")), planned, {}, True)
    text = f"Open a worktree {called}, from {shown(plan.start)}, in {escape(plan.path)}?"
    offer = Offer(f"Opening {called}", partial(_open, plan))
    planned = restore_object("planned", plan.path, plan.findings)
    return Proposal(paragraph(text, sentences(plan.findings, "info")), planned, {"Open": offer})


def _open(plan: OpenPlan, control: Control) -> Outcome:
    from sidecar.operations.opening import apply_open

    called = shown(plan.branch)
    return opened_outcome(apply_open(plan, control), f"{called} is open", f"{called} was not opened.")


def opened_outcome(result: OpenResult, done: str, failed: str) -> Outcome:
    """What is told of a worktree that was to be made, in these words."""
    answer = restore_object(result.outcome, result.path, result.findings)
    if result.outcome == "opened":
        text = f"{done} in {escape(result.path or '')}."
        return Outcome(answer, paragraph(text, sentences(result.findings, "info")), ok=True)
    return Outcome(answer, paragraph(failed, sentences(result.findings, "blocks")), ok=False)


def failed_open(failure: Failure) -> Json:
    """The object of a question that has no answer."""
    return restore_object("failed", None, [as_finding(failure)])
