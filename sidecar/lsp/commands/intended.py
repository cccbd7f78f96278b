"""Ask about what a file takes back of trunk on purpose, and tell what came of it: `sidecar.intended`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sidecar.lsp.commands.arguments import Request
from sidecar.lsp.commands.flow import Choice, Outcome, Question, sentences
from sidecar.model.findings import Failure
from sidecar.model.messages import intended_sentence
from sidecar.model.schema import intended_object
from sidecar.model.words import shown

if TYPE_CHECKING:
    from sidecar.operations.intended import IntendPlan
    from sidecar.operations.run import Control

NO_INTENTION = intended_object("failed", None, {}, ())


def ask_intended(request: Request, _control: Control) -> Question | Failure:
    """Plan to remember, or with `undo` to forget, that a file takes back these commits on purpose, or all it does."""
    from sidecar.operations.intended import plan_intended

    path, given = str(request.arguments["path"]), request.arguments.get("commits")
    commits = {path: frozenset(map(str, given)) if given is not None else None}
    undo = request.arguments.get("undo") is True
    plan = plan_intended(request.folder, request.worktree, commits, request.options, undo=undo)
    if isinstance(plan, Failure):
        return plan
    name = plan.worktree.name
    if plan.blocked:
        refused = intended_object("refused", name, plan.commits, plan.findings)
        return Question(sentences(plan.findings, "blocks"), refused, blocked=True)
    text = (
        f"Is it {'no longer ' if undo else ''}intended that {shown(name)} takes back what trunk did in {shown(path)}?"
    )
    button = "Not Intended" if undo else "Intended"
    planned = intended_object("planned", name, plan.commits, ())
    return Question(text, planned, (Choice(button, shown(name), partial(_apply, plan)),))


def _apply(plan: IntendPlan, control: Control) -> Outcome:
    from sidecar.operations.intended import apply_intended

    result = apply_intended(plan, control)
    answer = intended_object(result.outcome, plan.worktree.name, plan.commits, result.findings)
    if result.findings:
        return Outcome(answer, sentences(result.findings, "blocks"), ok=False)
    return Outcome(answer, intended_sentence(plan.worktree.name, list(plan.commits), undo=plan.undo), ok=True)
