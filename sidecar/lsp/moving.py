"""`sidecar.move`: what is edited on trunk itself goes into a worktree of its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sidecar.lsp.consent import Offer, Outcome, Proposal, Request, paragraph, sentences
from sidecar.lsp.opening import opened_outcome
from sidecar.lsp.unsaved import unsaved_in
from sidecar.model.findings import Failure, is_blocked
from sidecar.model.messages import counted, escape, shown
from sidecar.model.schema import restore_object

if TYPE_CHECKING:
    from sidecar.operations.control import Control
    from sidecar.operations.moving import MovePlan


def propose_move(request: Request, _control: Control) -> Proposal | Failure:
    """The plan: how many files go, from where, and into what."""
    plan = _plan(request)
    if isinstance(plan, Failure):
        return plan
    picture = request.target.picture
    unsaved = unsaved_in(picture, request.documents, plan.source) if picture is not None else None
    findings = (*plan.findings, *([unsaved] if unsaved is not None else []))
    source, branch = shown(plan.source.name), shown(plan.opening.branch)
    if is_blocked(findings):
        text = paragraph(f"The edits in {source} can't be moved.", sentences(findings, "blocks"))
        return Proposal(text, restore_object("refused", None, findings), blocked=True)
    files = counted(len(plan.paths), "file", "files")
    where = escape(plan.opening.path)
    text = f"Move what is not committed in {source} ({files}) into a new worktree {branch}, in {where}?"
    offer = Offer(f"Moving edits into {branch}", partial(_move, plan))
    planned = restore_object("planned", plan.opening.path, findings)
    return Proposal(paragraph(text, sentences(findings, "info")), planned, {"Move": offer})


def _plan(request: Request) -> MovePlan | Failure:
    from sidecar.operations.moving import plan_move

    return plan_move(request.target.folder, request.arguments.get("worktree"), request.options)


def _move(plan: MovePlan, control: Control) -> Outcome:
    from sidecar.operations.moving import apply_move

    result = apply_move(plan, control)
    files = counted(len(plan.paths), "file", "files")
    return opened_outcome(result, f"{files} moved into {shown(plan.opening.branch)}", "The edits were not moved.")
