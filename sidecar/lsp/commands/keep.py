"""Ask about protecting a worktree, and tell what came of it: `sidecar.keep`; say what an agent in it should know."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sidecar.lsp.commands.arguments import Request
from sidecar.lsp.commands.flow import Choice, Outcome, Question, sentences
from sidecar.model.findings import Failure
from sidecar.model.messages import agent_sentence
from sidecar.model.schema import Json, restore_object
from sidecar.model.words import shown

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
        unprotect = Choice("Unprotect", f"Unprotecting {name}", partial(_apply, plan))
        return Question(f"Protect {name} no longer?", planned, (unprotect,))
    text = f"Protect {name}? Git locks it, so that it is not removed until you take that back."
    return Question(text, planned, (Choice("Protect", f"Protecting {name}", partial(_apply, plan)),))


def agent_note(request: Request, _control: Control) -> Json | Failure:
    """Give, as `sentence`, what a person can tell an agent that works in a worktree."""
    states = request.picture.worktrees if request.picture is not None else ()
    state = next((one for one in states if one.worktree.key == request.worktree), None)
    if state is None or request.picture is None:
        return Failure("unknown-name", f"There is no worktree called {request.called}.")
    return {**restore_object("planned", state.worktree.key, ()), "sentence": agent_sentence(request.picture, state)}


def _apply(plan: KeepPlan, control: Control) -> Outcome:
    from sidecar.operations.keep import apply_keep

    result = apply_keep(plan, control)
    answer = restore_object(result.outcome, plan.worktree.key, result.findings)
    if result.findings:
        return Outcome(answer, sentences(result.findings, "blocks"), ok=False)
    return Outcome(answer, f"{shown(plan.worktree.name)} is {'not ' if plan.undo else ''}protected.", ok=True)
