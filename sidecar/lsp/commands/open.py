"""Ask about new worktrees, and tell what came of them: `sidecar.open`, and `sidecar.move` of edits on trunk itself."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from sidecar.lsp.commands.arguments import Request
from sidecar.lsp.commands.flow import Choice, Outcome, Question, paragraph, sentences
from sidecar.lsp.results import open_window
from sidecar.model.findings import Failure, is_blocked
from sidecar.model.schema import restore_object
from sidecar.model.words import counted, escape, shown

if TYPE_CHECKING:
    from sidecar.operations.move import MovePlan
    from sidecar.operations.open import OpenPlan, OpenResult
    from sidecar.operations.run import Control


NO_WORKTREE = restore_object("failed", None, ())
"""The answer where nothing could be planned, without why."""


def ask_open(request: Request, _control: Control) -> Question | Failure:
    """Plan a new worktree: its name, where it goes, and where it begins."""
    from sidecar.operations.open import plan_open

    name, start = str(request.arguments["worktree"]), request.arguments.get("from")
    plan = plan_open(request.folder, name, start, request.options)
    if isinstance(plan, Failure):
        return plan
    called = shown(plan.branch)
    if plan.blocked:
        planned = restore_object("refused", None, plan.findings)
        return Question(
            paragraph(f"{called} can't be opened.", sentences(plan.findings, "blocks")), planned, blocked=True
        )
    then = f" It is set up then: {escape(plan.setup)}" if plan.setup else ""
    text = f"Open a worktree {called}, from {shown(plan.start)}, in {escape(plan.path)}?{then}"
    knows = request.arguments.get("confirmed") is True  # then the client opens a window by itself
    choice = Choice("Open", f"Opening {called}", partial(_open, plan, knows))
    planned = restore_object("planned", plan.path, plan.findings)
    return Question(paragraph(text, sentences(plan.findings, "info")), planned, (choice,))


def _open(plan: OpenPlan, knows: bool, control: Control) -> Outcome:
    from sidecar.operations.open import apply_open

    called = shown(plan.branch)
    outcome = _outcome(apply_open(plan, control), plan.common_dir, f"{called} is open", f"{called} was not opened.")
    return replace(outcome, steps=()) if knows else outcome


def _outcome(result: OpenResult, repository: str, done: str, failed: str) -> Outcome:
    """Tell of a worktree that was to be made, in these words."""
    answer = restore_object(result.outcome, result.path, result.findings)
    if result.outcome == "opened" and result.path is not None:
        text = paragraph(f"{done} in {escape(result.path)}.", sentences(result.findings, "info"))
        return Outcome(answer, text, ok=True, steps=(open_window(result.path, repository),))
    return Outcome(answer, paragraph(failed, sentences(result.findings, "blocks")), ok=False)


def ask_move(request: Request, _control: Control) -> Question | Failure:
    """Plan how many files go, from where, and into what."""
    from sidecar.operations.move import plan_move
    from sidecar.operations.unsaved import unsaved_in

    plan = plan_move(request.folder, request.arguments.get("worktree"), request.options)
    if isinstance(plan, Failure):
        return plan
    findings = (*plan.findings, *unsaved_in(plan.source, request.unsaved))
    source, branch = shown(plan.source.name), shown(plan.opening.branch)
    if is_blocked(findings):
        text = paragraph(f"The edits in {source} can't be moved.", sentences(findings, "blocks"))
        return Question(text, restore_object("refused", None, findings), blocked=True)
    files = counted(len(plan.paths), "file", "files")
    where = escape(plan.opening.path)
    then = f" It is set up then: {escape(plan.opening.setup)}" if plan.opening.setup else ""
    text = f"Move what is not committed in {source} ({files}) into a new worktree {branch}, in {where}?{then}"
    choice = Choice("Move", f"Moving edits into {branch}", partial(_move, plan))
    planned = restore_object("planned", plan.opening.path, findings)
    return Question(paragraph(text, sentences(findings, "info")), planned, (choice,))


def _move(plan: MovePlan, control: Control) -> Outcome:
    from sidecar.operations.move import apply_move

    result = apply_move(plan, control)
    files = counted(len(plan.paths), "file", "files")
    return _outcome(
        result, plan.common_dir, f"{files} moved into {shown(plan.opening.branch)}", "The edits were not moved."
    )
