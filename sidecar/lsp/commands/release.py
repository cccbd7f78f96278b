"""Ask about releases, and tell what came of them: `sidecar.release` and `sidecar.releaseAll`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sidecar.lsp.commands.arguments import Request
from sidecar.lsp.commands.flow import Choice, Outcome, Question, paragraph, sentences
from sidecar.model.findings import Failure
from sidecar.model.inventory_findings import size_text
from sidecar.model.messages import counted, shown
from sidecar.model.schema import Json, release_object

if TYPE_CHECKING:
    from sidecar.operations.release.plan import ReleasePlan
    from sidecar.operations.run import Control


MOST_NAMED = 8
"""How many worktrees a message names."""

NO_RELEASE = release_object("failed", ())
"""The answer where nothing could be planned, without why."""


def ask_release(request: Request, control: Control) -> Question | Failure:
    """Plan a release; what blocks it and is kept all the same can be agreed to by name."""
    plan = _plan(request, request.worktree, control)
    if isinstance(plan, Failure):
        return plan
    name = shown(plan.worktree.name)
    title = f"Releasing {name}"
    if not plan.blocked:
        return Question(_text(plan), plan.as_object("planned"), (Choice("Release", title, partial(_release, plan)),))
    text = paragraph(f"{name} is not ready to be released.", sentences(plan.findings, "blocks"))
    if not plan.allowable:
        return Question(text, plan.as_object("refused"), blocked=True)
    release = partial(_allow_and_release, request, plan.allow | {*plan.allowable})
    anyway = Choice("Release Anyway (can be restored)", title, release)
    text = paragraph(text, "All of it can be kept, and restored later.")
    allows = tuple(found for found in plan.findings if found.severity == "blocks")
    return Question(text, plan.as_object("refused"), (anyway,), blocked=True, allows=allows)


def release_plan(request: Request, control: Control) -> Json | Failure:
    """Make the release object of a plan, for a client that shows it."""
    plan = _plan(request, request.worktree, control)
    return plan if isinstance(plan, Failure) else plan.as_object("planned")


def ask_release_all(request: Request, control: Control) -> Question | Failure:
    """Plan the release of all worktrees whose work is in trunk, as one question."""
    states = request.picture.worktrees if request.picture is not None else ()
    ready: list[ReleasePlan] = []
    others: list[str] = []
    for worktree in (one.worktree for one in states if one.integration.state == "integrated" and not one.worktree.main):
        if control.cancelled():
            return Failure("cancelled", "The planning was cancelled. Nothing was changed.")
        control.stage(f"Proving {shown(worktree.name)}")
        plan = _plan(request, worktree.key, control)
        if isinstance(plan, Failure):
            others.append(plan.message)
        elif plan.blocked:
            others.append(f"{shown(worktree.name)} stays: {sentences(plan.findings, 'blocks')}")
        else:
            ready.append(plan)
    if not ready:
        text = paragraph("No worktree is ready to be released.", *others[:MOST_NAMED])
        return Question(text, release_object("planned", ()), blocked=True)
    freed, kept = sum(plan.bytes.reclaimable for plan in ready), sum(plan.bytes.kept for plan in ready)
    names = ", ".join(shown(plan.worktree.name) for plan in ready)
    text = f"Release {names}? {_sizes(freed, kept)}; all of it can be restored."
    planned = release_object("planned", [found for plan in ready for found in plan.findings], None, freed, kept)
    choice = Choice("Release All", "Releasing worktrees", partial(_release_each, ready))
    return Question(paragraph(text, *others[:MOST_NAMED]), planned, (choice,))


def _plan(request: Request, name: str, control: Control, allow: frozenset[str] | None = None) -> ReleasePlan | Failure:
    from sidecar.operations.release.plan import plan_release

    given = frozenset(map(str, request.arguments.get("allow", ()))) if allow is None else allow
    unsaved = [path for key, path in request.unsaved if key == name]
    return plan_release(request.folder, name, request.reading, given, control, unsaved=unsaved)


def _text(plan: ReleasePlan) -> str:
    """Say in a short paragraph what goes, why that is safe, what it frees, and everything that was found."""
    branch = f" and its branch {shown(plan.worktree.branch)}" if plan.worktree.branch else ""
    asked = f"Release {shown(plan.worktree.name)}{branch}?"
    sizes = f"{_sizes(plan.bytes.reclaimable, plan.bytes.kept)}. It can be restored."
    return paragraph(asked, plan.proven, sizes, sentences(plan.findings, "kept", "info"))


def _sizes(freed: int, kept: int) -> str:
    """Say what a release frees, and what it keeps on the disk if it is anything."""
    return f"{size_text(freed)} freed" + (f", {size_text(kept)} kept" if kept else "")


def _allow_and_release(request: Request, allow: frozenset[str], control: Control) -> Outcome | Failure:
    """Release with what was shown being accepted by name; anything new still stands in the way."""
    plan = _plan(request, request.worktree, control, allow)
    if isinstance(plan, Failure):
        return plan
    if plan.blocked:
        return Outcome(plan.as_object("refused"), sentences(plan.findings, "blocks"), ok=False)
    return _release(plan, control)


def _release(plan: ReleasePlan, control: Control) -> Outcome:
    from sidecar.operations.release.apply import apply_release

    result = apply_release(plan, control)
    answer = result.as_object()
    name = shown(plan.worktree.name)
    if result.outcome == "released":
        return Outcome(
            answer, f"Released {name}: {_sizes(result.reclaimed, result.kept)}. It can be restored.", ok=True
        )
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
