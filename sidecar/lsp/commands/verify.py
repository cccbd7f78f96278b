"""Ask about the verify command of a repository, and tell what came of it: `sidecar.setVerify`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sidecar.lsp.commands.arguments import Request
from sidecar.lsp.commands.flow import Choice, Outcome, Question, sentences
from sidecar.model.findings import Failure
from sidecar.model.schema import restore_object
from sidecar.model.words import escape

if TYPE_CHECKING:
    from sidecar.operations.run import Control
    from sidecar.operations.verify_command import VerifyPlan


def ask_set_verify(request: Request, _control: Control) -> Question | Failure:
    """Plan to have a command line run before every merge into trunk of this repository."""
    from sidecar.operations.verify_command import plan_verify

    plan = plan_verify(request.folder, str(request.arguments.get("verify") or ""), request.options)
    if isinstance(plan, Failure):
        return plan
    text = f"Run “{escape(plan.command)}” before each merge of this repository lands?"
    choice = Choice("Set", "Setting the verify command", partial(_apply, plan))
    return Question(text, restore_object("planned", None, ()), (choice,))


def _apply(plan: VerifyPlan, control: Control) -> Outcome:
    from sidecar.operations.verify_command import apply_verify

    findings = apply_verify(plan, control)
    answer = restore_object("failed" if findings else "set", None, findings)
    if findings:
        return Outcome(answer, sentences(findings, "blocks"), ok=False)
    return Outcome(answer, f"“{escape(plan.command)}” runs before each merge of this repository.", ok=True)
