"""Set the verify command of one repository, in its own configuration. Git writes one file, as a whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sidecar.git.process import GitError, run
from sidecar.model.findings import Failure, Finding, finding
from sidecar.model.settings import Options
from sidecar.operations.run import QUIET, Agreed, Control, Plan, run_plan
from sidecar.session.reader import ask_repository

KEY = "sidecar.verify"


@dataclass(frozen=True, slots=True)
class VerifyPlan(Plan):
    """A command line that is to run before each merge lands; "" for none."""

    command: str


def plan_verify(folder: Path, command: str, options: Options) -> VerifyPlan | Failure:
    """Plan to set it; nothing is written."""
    if "\n" in command:
        return Failure("bad-arguments", "A verify command is one line.")
    return ask_repository(folder, options, lambda known: VerifyPlan(folder, known.common_dir, options, command.strip()))


def apply_verify(plan: VerifyPlan, control: Control = QUIET) -> tuple[Finding, ...]:
    """Set it; give why it is not set, if so."""
    return run_plan(
        plan,
        control,
        doing="setting the verify command",
        again=lambda _repository: plan_verify(plan.folder, plan.command, plan.options),
        essence=lambda one: one.command,
        refused=lambda findings: findings,
        steps=_set,
    )


def _set(agreed: Agreed[VerifyPlan]) -> tuple[Finding, ...]:
    try:
        run(agreed.repository.place, "config", "--local", "--replace-all", KEY, agreed.plan.command)
    except GitError as error:
        return (finding("problem", error.message),)
    return ()
