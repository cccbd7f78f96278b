"""Ask about releases, and tell what came of them: `sidecar.release` and `sidecar.releaseAll`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from sidecar.lsp.commands.arguments import Request
from sidecar.lsp.commands.flow import Choice, Outcome, PlanRow, Question, paragraph, sentences
from sidecar.lsp.results import Step
from sidecar.model.findings import Failure
from sidecar.model.inventory_findings import size_text, sizes_text
from sidecar.model.schema import Json, release_object
from sidecar.model.words import counted, shown

if TYPE_CHECKING:
    from sidecar.operations.release.apply import ReleaseResult
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
    if request.closes and {found.code for found in plan.findings if found.severity == "blocks"} == {"in-editor"}:
        return _ask_closing(request, control)
    text = paragraph(f"{name} is not ready to be released.", sentences(plan.findings, "blocks"))
    if not plan.allowable:
        return Question(text, plan.as_object("refused"), blocked=True)
    release = partial(_allow_and_release, request, plan.allow | {*plan.allowable})
    anyway = Choice("Release Anyway (can be restored)", title, release)
    text = paragraph(text, "All of it can be kept, and restored later.")
    allows = tuple(found for found in plan.findings if found.severity == "blocks")
    return Question(text, plan.as_object("refused"), (anyway,), blocked=True, allows=allows)


def _ask_closing(request: Request, control: Control) -> Question | Failure:
    """Ask about the release of the worktree that the window shows, which closes with it, and all that runs in it."""
    plan = _plan(request, request.worktree, control, frozenset({*request.arguments.get("allow", ()), "in-editor"}))
    if isinstance(plan, Failure):
        return plan
    if plan.blocked:
        return Question(sentences(plan.findings, "blocks"), plan.as_object("refused"), blocked=True)

    def release(control: Control) -> Outcome:
        outcome = _release(plan, control)
        return replace(outcome, answer={**outcome.answer, "closes": outcome.ok})

    findings = tuple(one for one in plan.findings if one.code != "in-editor")
    text = paragraph(_text(replace(plan, findings=findings)), "This window closes, with the terminals in it.")
    closing = Choice("Close This Window and Release", f"Releasing {shown(plan.worktree.name)}", release)
    return Question(text, plan.as_object("planned"), (closing,))


def release_plan(request: Request, control: Control) -> Json | Failure:
    """Make the release object of a plan, for a client that shows it."""
    plan = _plan(request, request.worktree, control)
    return plan if isinstance(plan, Failure) else plan.as_object("planned")


def ask_release_all(request: Request, control: Control) -> Question | Failure:
    """Plan the release of all worktrees whose work is in trunk, as one question."""
    from sidecar.operations.release.plan import plan_integrated

    states = request.picture.worktrees if request.picture is not None else ()
    found = plan_integrated(request.folder, states, request.reading, control, request.unsaved)
    if isinstance(found, Failure):
        return found
    ready, others = found.ready, [one.said for one in found.others]
    if not ready:
        text = paragraph("No worktree is ready to be released.", *others[:MOST_NAMED])
        return Question(text, release_object("planned", ()), blocked=True)
    freed, kept = sum(plan.bytes.reclaimable for plan in ready), sum(plan.bytes.kept for plan in ready)
    names = ", ".join(shown(plan.worktree.name) for plan in ready)
    text = f"Release {names}? {sizes_text(freed, kept)}; all of it can be restored."
    planned = release_object("planned", [found for plan in ready for found in plan.findings], None, freed, kept)
    choice = Choice(
        "Release All",
        "Releasing worktrees",
        partial(_release_each, ready),
        do_some=lambda keys: partial(_release_each, tuple(plan for plan in ready if plan.worktree.key in keys)),
    )
    stays = (
        PlanRow(one.worktree.key, one.worktree.name, "", one.why, offered=False, ticked=False) for one in found.others
    )
    rows = (*map(_row, ready), *stays)
    title = "Release these worktrees; all of it can be restored"
    return Question(paragraph(text, *others[:MOST_NAMED]), planned, (choice,), title=title, rows=rows)


def _row(plan: ReleasePlan) -> PlanRow:
    """Say what releasing a worktree frees, and why nothing is lost by it."""
    said = paragraph(plan.proven, sentences(plan.findings, "kept", "info"))
    sizes = sizes_text(plan.bytes.reclaimable, plan.bytes.kept)
    return PlanRow(plan.worktree.key, plan.worktree.name, sizes, said)


def _plan(request: Request, name: str, control: Control, allow: frozenset[str] | None = None) -> ReleasePlan | Failure:
    from sidecar.operations.release.plan import plan_release

    given = frozenset(map(str, request.arguments.get("allow", ()))) if allow is None else allow
    unsaved = [path for key, path in request.unsaved if key == name]
    return plan_release(request.folder, name, request.reading, given, control, unsaved=unsaved)


def _text(plan: ReleasePlan) -> str:
    """Say in a short paragraph what goes, why that is safe, what it frees, and everything that was found."""
    branch = f" and its branch {shown(plan.worktree.branch)}" if plan.worktree.branch else ""
    asked = f"Release {shown(plan.worktree.name)}{branch}?"
    sizes = f"{sizes_text(plan.bytes.reclaimable, plan.bytes.kept)}. It can be restored."
    return paragraph(asked, plan.proven, sizes, sentences(plan.findings, "kept", "info"))


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

    return _released(plan, apply_release(plan, control))


def _released(plan: ReleasePlan, result: ReleaseResult) -> Outcome:
    answer = result.as_object()
    name = shown(plan.worktree.name)
    if result.outcome == "released":
        said = f"Released {name}: {sizes_text(result.reclaimed, result.kept)}. It can be restored."
        undo = {"id": result.receipt, "repository": plan.common_dir, "confirmed": True}
        return Outcome(answer, said, ok=True, steps=(Step("Undo", "sidecar.restore", undo),))
    return Outcome(answer, paragraph(f"{name} was not released.", sentences(result.findings, "blocks")), ok=False)


def _release_each(plans: tuple[ReleasePlan, ...], control: Control) -> Outcome:
    from sidecar.operations.release.apply import release_each

    outcomes = [_released(plan, result) for plan, result in release_each(plans, control)]
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
