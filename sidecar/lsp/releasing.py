"""`sidecar.release` and `sidecar.releaseAll`: letting go of what is done, with everything named before."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from sidecar.lsp.consent import Json, Offer, Outcome, Proposal, Request, paragraph, sentences
from sidecar.lsp.unsaved import unsaved_in
from sidecar.model.finding_codes import FINDING_CODES, NOT_AT_STAKE
from sidecar.model.findings import Failure, as_finding
from sidecar.model.inventory_findings import size_text
from sidecar.model.messages import counted, shown
from sidecar.model.schema import release_object

if TYPE_CHECKING:
    from sidecar.operations.control import Control
    from sidecar.operations.release.plan import ReleasePlan

MOST_NAMED = 8
"""How many worktrees a message names."""


def propose_release(request: Request, control: Control) -> Proposal | Failure:
    """The plan of a release; what blocks it and is kept all the same can be agreed to by name."""
    plan = _plan(request, request.target.name, frozenset(map(str, request.arguments.get("allow", ()))), control)
    if isinstance(plan, Failure):
        return plan
    name = shown(plan.worktree.name)
    title = f"Releasing {name}"
    if not plan.blocked:
        offer = Offer(title, partial(_release, plan))
        return Proposal(_question(plan), _object("planned", plan), {"Release": offer})
    text = paragraph(f"{name} is not ready to be released.", sentences(plan.findings, "blocks"))
    allowable = _allowable(plan)
    if not allowable:
        return Proposal(text, _object("refused", plan), blocked=True)
    keep = Offer(title, partial(_allow_and_release, request, plan.allow | allowable))
    text = paragraph(text, "All of it can be kept, and restored later.")
    return Proposal(text, _object("refused", plan), {"Release and Keep It": keep}, blocked=True)


def release_plan(request: Request, control: Control) -> Json | Failure:
    """The release object of a plan, for a client that shows it."""
    plan = _plan(request, request.target.name, frozenset(map(str, request.arguments.get("allow", ()))), control)
    return plan if isinstance(plan, Failure) else _object("planned", plan)


def propose_all_releases(request: Request, control: Control) -> Proposal | Failure:
    """The plans of all worktrees whose work is in trunk, as one question."""
    picture = request.target.picture
    states = picture.worktrees if picture is not None else ()
    integrated = [
        state.worktree for state in states if state.integration.state == "integrated" and not state.worktree.main
    ]
    ready: list[ReleasePlan] = []
    others: list[str] = []
    for worktree in integrated:
        if control.cancelled():
            return Failure("cancelled", "The planning was cancelled. Nothing was changed.")
        control.stage(f"Proving {shown(worktree.name)}")
        plan = _plan(request, worktree.key, frozenset(), control)
        if isinstance(plan, Failure):
            others.append(plan.message)
        elif plan.blocked:
            others.append(f"{shown(worktree.name)} stays: {sentences(plan.findings, 'blocks')}")
        else:
            ready.append(plan)
    if not ready:
        text = paragraph("No worktree is ready to be released.", *others[:MOST_NAMED])
        return Proposal(text, release_object("planned", ()), blocked=True)
    freed = sum(plan.bytes.reclaimable for plan in ready)
    kept = sum(plan.bytes.kept for plan in ready)
    names = ", ".join(shown(plan.worktree.name) for plan in ready)
    text = f"Release {names}? {size_text(freed)} freed, {size_text(kept)} kept; all of it can be restored."
    planned = release_object("planned", [found for plan in ready for found in plan.findings], None, freed, kept)
    offer = Offer("Releasing worktrees", partial(_release_each, ready))
    return Proposal(paragraph(text, *others[:MOST_NAMED]), planned, {"Release All": offer})


def _plan(request: Request, name: str, allow: frozenset[str], control: Control) -> ReleasePlan | Failure:
    from sidecar.operations.release.plan import plan_release

    unsaved = _unsaved(request, name)
    return plan_release(request.target.folder, name, request.reading, allow, control, unsaved=unsaved)


def _unsaved(request: Request, name: str) -> tuple[str, ...]:
    picture = request.target.picture
    states = picture.worktrees if picture is not None else ()
    state = next((state for state in states if state.worktree.key == name), None)
    if picture is None or state is None:
        return ()
    found = unsaved_in(picture, request.documents, state.worktree)
    return found.paths if found is not None else ()


def _question(plan: ReleasePlan) -> str:
    """The plan in a short paragraph: what goes, what it frees, and everything that was found."""
    branch = f"its branch {shown(plan.worktree.branch)}" if plan.worktree.branch else "no branch"
    sizes = f"{size_text(plan.bytes.reclaimable)} freed, {size_text(plan.bytes.kept)} kept and restorable."
    what = f"Release {shown(plan.worktree.name)} and {branch}?" if plan.worktree.branch else ""
    asked = what or f"Release {shown(plan.worktree.name)}?"
    return paragraph(asked, sizes, sentences(plan.findings, "kept", "info"))


def _allowable(plan: ReleasePlan) -> frozenset[str]:
    """What has to be allowed for the release to go through; nothing where that is not enough."""
    codes = frozenset(found.code for found in plan.findings if found.severity == "blocks")
    safe = all(code in FINDING_CODES and FINDING_CODES[code].kept != NOT_AT_STAKE for code in codes)
    return codes if safe else frozenset()


def _allow_and_release(request: Request, allow: frozenset[str], control: Control) -> Outcome:
    """Release with what was shown being accepted by name; anything new still stands in the way."""
    plan = _plan(request, request.target.name, allow, control)
    if isinstance(plan, Failure):
        return Outcome(failed_release(plan), plan.message, ok=False)
    if plan.blocked:
        return Outcome(_object("refused", plan), sentences(plan.findings, "blocks"), ok=False)
    return _release(plan, control)


def _release(plan: ReleasePlan, control: Control) -> Outcome:
    from sidecar.operations.release.apply import apply_release

    result = apply_release(plan, control)
    answer = release_object(result.outcome, result.findings, result.receipt, result.reclaimed, result.kept)
    name = shown(plan.worktree.name)
    if result.outcome == "released":
        sizes = f"{size_text(result.reclaimed)} freed, {size_text(result.kept)} kept, restorable"
        return Outcome(answer, f"Released {name}: {sizes}.", ok=True)
    return Outcome(answer, paragraph(f"{name} was not released.", sentences(result.findings, "blocks")), ok=False)


def _release_each(plans: list[ReleasePlan], control: Control) -> Outcome:
    """Release one after the other; one that does not go through does not keep the others."""
    outcomes = []
    for plan in plans:
        if control.cancelled():
            break
        control.stage(f"Releasing {shown(plan.worktree.name)}")
        outcomes.append(_release(plan, control))
    failed = [outcome for outcome in outcomes if not outcome.ok]
    freed, kept = (sum(outcome.answer["bytes"][key] for outcome in outcomes) for key in ("reclaimed", "kept"))
    findings = [found for outcome in outcomes for found in outcome.answer["findings"]]
    outcome = failed[0].answer["outcome"] if failed else "released"
    answer = {**release_object(outcome, (), None, freed, kept), "findings": findings}
    planned = counted(len(plans), "worktree", "worktrees")
    done = f"Released {len(outcomes) - len(failed)} of {planned}: {size_text(freed)} freed."
    return Outcome(
        answer, paragraph(done, *(one.sentence for one in failed)), ok=len(outcomes) == len(plans) and not failed
    )


def _object(outcome: Literal["planned", "refused"], plan: ReleasePlan) -> Json:
    return release_object(outcome, plan.findings, None, plan.bytes.reclaimable, plan.bytes.kept)


def failed_release(failure: Failure) -> Json:
    """The release object of a question that has no answer."""
    return release_object("failed", [as_finding(failure)])
