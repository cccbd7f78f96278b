"""`sidecar.update`: trunk into a worktree, where conflicts are resolved with all that the editor has."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sidecar.lsp.consent import Json, Offer, Outcome, Proposal, Request, paragraph, sentences
from sidecar.lsp.unsaved import unsaved_in
from sidecar.model.findings import Failure, Finding, as_finding, is_blocked
from sidecar.model.messages import counted, shown, them
from sidecar.model.picture import TRUNK_KEY, Picture
from sidecar.model.schema import update_object

if TYPE_CHECKING:
    from sidecar.operations.control import Control
    from sidecar.operations.merge.update import UpdatePlan, UpdateResult


def propose_update(request: Request, _control: Control) -> Proposal | Failure:
    """The plan of merging trunk into a worktree."""
    plan = _plan(request)
    if isinstance(plan, Failure):
        return plan
    findings = (*plan.findings, *_unsaved(request, plan.worktree.key))
    name, branch = shown(plan.worktree.name), shown(plan.trunk.branch)
    if is_blocked(findings):
        text = paragraph(f"{branch} can't be merged into {name} now.", sentences(findings, "blocks"))
        return Proposal(text, _object("refused", plan, findings), blocked=True)
    commits = counted(plan.behind, "commit that is", "commits that are")
    text = f"Merge {branch} ({commits} not there yet) into {name}? Conflicts are left there, to be resolved."
    offer = Offer(f"Merging {branch} into {name}", partial(_apply, plan))
    return Proposal(paragraph(text, sentences(findings, "info")), _object("planned", plan, findings), {"Merge": offer})


def update_plan(request: Request, _control: Control) -> Json | Failure:
    """The update object of a plan, for a client that shows it."""
    plan = _plan(replace(request, options=request.reading))
    if isinstance(plan, Failure):
        return plan
    return _object("planned", plan, (*plan.findings, *_unsaved(request, plan.worktree.key)))


def update_now(request: Request, control: Control) -> Outcome:
    """Plan and do it at once: the person has agreed when the plan of something else was shown."""
    plan = _plan(request)
    if isinstance(plan, Failure):
        return Outcome(failed_update(plan), plan.message, ok=False)
    return _apply(plan, control)


def _plan(request: Request) -> UpdatePlan | Failure:
    from sidecar.operations.merge.update import plan_update

    return plan_update(request.target.folder, request.target.name, request.options)


def _apply(plan: UpdatePlan, control: Control) -> Outcome:
    from sidecar.operations.merge.update import apply_update

    return _outcome(plan, apply_update(plan, control))


def _outcome(plan: UpdatePlan, result: UpdateResult) -> Outcome:
    name, branch = shown(plan.worktree.name), shown(plan.trunk.branch)
    answer = update_object(result.outcome, plan.worktree.name, result.path, result.conflicts, result.findings)
    if result.outcome == "updated":
        return Outcome(answer, f"Merged {branch} into {name}.", ok=True)
    if result.outcome == "conflicts":
        count = len(result.conflicts)
        files = counted(count, "file", "files")
        text = f"{branch} and {name} conflict in {files}. Resolve {them(count)} in {name}, and commit."
        return Outcome(answer, text, ok=False, documents=tuple(Path(result.path, path) for path in result.conflicts))
    return Outcome(answer, paragraph(f"{name} is as it was.", sentences(result.findings, "blocks")), ok=False)


def _unsaved(request: Request, key: str) -> tuple[Finding, ...]:
    """What is not saved of the files that trunk has changed too."""
    picture = request.target.picture
    state = next((state for state in picture.worktrees if state.worktree.key == key), None) if picture else None
    if picture is None or state is None:
        return ()
    found = unsaved_in(picture, request.documents, state.worktree, _met_by_trunk(picture, key).__contains__)
    return () if found is None else (found,)


def _met_by_trunk(picture: Picture, key: str) -> frozenset[str]:
    pairs = (overlap.sides for overlap in picture.overlaps)
    return frozenset(side.path for pair in pairs if {side.key for side in pair} == {TRUNK_KEY, key} for side in pair)


def _object(outcome: Literal["planned", "refused"], plan: UpdatePlan, findings: tuple[Finding, ...]) -> Json:
    return update_object(outcome, plan.worktree.name, plan.worktree.key, (), findings)


def failed_update(failure: Failure) -> Json:
    """The update object of a question that has no answer."""
    return update_object("failed", None, None, (), [as_finding(failure)])
