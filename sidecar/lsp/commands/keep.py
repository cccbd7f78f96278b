"""Ask about protecting a worktree, and tell what came of it: `sidecar.keep`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sidecar.lsp.commands.arguments import Request
from sidecar.lsp.commands.flow import Choice, Outcome, Question, sentences
from sidecar.model.findings import Failure
from sidecar.model.messages import shown
from sidecar.model.schema import restore_object

if TYPE_CHECKING:
    from sidecar.operations.keep import KeepPlan
    from sidecar.operations.run import Control


def ask_keep(request: Request, _control: Control) -> Question | Failure:
    """Plan to lock a worktree, or, with `undo`, to unlock it."""
    from sidecar.operations.keep import plan_keep

    undo = request.arguments.get("undo") is True
    plan = plan_keep(request.folder, request.worktree, request.options, undo=undo)
    if isinstance(plan, Failure):
        return plan
    if plan.blocked:
        planned = restore_object("refused", plan.worktree.key, plan.findings)
        return Question(sentences(plan.findings, "blocks"), planned, blocked=True)
    name = shown(plan.worktree.name)
    planned = restore_object("planned", plan.worktree.key, ())
    if undo:
        return Question(f"Protect {name} no longer?", planned, (Choice("Unprotect", name, partial(_apply, plan)),))
    text = f"Protect {name}? Git locks it, so that it is not removed until you take that back."
    return Question(text, planned, (Choice("Protect", name, partial(_apply, plan)),))


def _apply(plan: KeepPlan, control: Control) -> Outcome:
    from sidecar.operations.keep import apply_keep

    result = apply_keep(plan, control)
    answer = restore_object(result.outcome, plan.worktree.key, result.findings)
    if result.findings:
        return Outcome(answer, sentences(result.findings, "blocks"), ok=False)
    return Outcome(answer, f"{shown(plan.worktree.name)} is {'not ' if plan.undo else ''}protected.", ok=True)
