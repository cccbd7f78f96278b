"""Ask about merges, and tell what came of them: `sidecar.merge`, `update`, `continue` and `mergeAll`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sidecar.lsp.code_actions import MERGE, RELEASE
from sidecar.lsp.commands.arguments import Request
from sidecar.lsp.commands.flow import Choice, Outcome, PlanRow, Question, failed, paragraph, sentences
from sidecar.lsp.results import Step
from sidecar.model.findings import Failure, Finding, is_blocked
from sidecar.model.merge_order import Order, Turn
from sidecar.model.messages import short
from sidecar.model.picture import TRUNK_KEY
from sidecar.model.schema import (
    Json,
    finding_object,
    merge_all_object,
    merge_object,
    plan_object,
    restore_object,
    update_object,
)
from sidecar.model.words import counted, named, shown, them

if TYPE_CHECKING:
    from sidecar.model.settings import Options
    from sidecar.operations.merge.continue_merge import ContinuePlan
    from sidecar.operations.merge.run import MergeChoices, MergePlan, MergeResult
    from sidecar.operations.merge.update import UpdatePlan
    from sidecar.operations.run import Control

STRATEGIES = ("merge", "squash", "rebase")
HOW = {"merge": "with a merge commit", "squash": "as one commit", "rebase": "rebased, without a merge commit"}
SET_VERIFY = "Set Verify Command..."
MOST_NAMED = 8
"""How many worktrees a message names."""

NO_UPDATE = update_object("failed", None, None, (), ())
NO_MERGE = merge_object("failed", None, None, None, ())
NO_MERGES: Json = {**merge_all_object("failed", ()), "findings": []}
"""The answers where nothing could be planned, without why."""


def ask_update(request: Request, _control: Control) -> Question | Failure:
    """Plan merging trunk, or the worktree `from`, into a worktree."""
    planned = _plan_update(request, request.options)
    if isinstance(planned, Failure):
        return planned
    plan, findings = planned
    name, branch = shown(plan.worktree.name), shown(plan.incoming.name)
    if is_blocked(findings):
        text = paragraph(f"{branch} can't be merged into {name} now.", sentences(findings, "blocks"))
        return Question(text, _update_object("refused", plan, findings), blocked=True)
    commits = counted(plan.behind, "commit that is", "commits that are")
    text = f"Merge {branch} ({commits} not there yet) into {name}? Conflicts are left there, to be resolved."
    choice = Choice("Merge", f"Merging {branch} into {name}", partial(_apply_update, plan))
    return Question(paragraph(text, sentences(findings, "info")), _update_object("planned", plan, findings), (choice,))


def update_plan(request: Request, _control: Control) -> Json | Failure:
    """Make the update object of a plan, for a client that shows it."""
    planned = _plan_update(request, request.reading)
    return planned if isinstance(planned, Failure) else _update_object("planned", *planned)


def _plan_update(request: Request, options: Options) -> tuple[UpdatePlan, tuple[Finding, ...]] | Failure:
    """Give (the plan, all that was found, unsaved text included)."""
    from sidecar.operations.merge.update import plan_update
    from sidecar.operations.unsaved import unsaved_for_update

    plan = plan_update(request.folder, request.worktree, options, request.arguments.get("from"))
    if isinstance(plan, Failure):
        return plan
    other = plan.source.key if plan.source is not None else TRUNK_KEY
    return plan, (*plan.findings, *unsaved_for_update(request.picture, request.unsaved, plan.worktree, other))


def _update_now(request: Request, control: Control) -> Outcome | Failure:
    """Plan and do it at once: the person has agreed when the plan of something else was shown."""
    planned = _plan_update(request, request.options)
    if isinstance(planned, Failure):
        return planned
    plan, findings = planned
    if is_blocked(findings):
        refused = _update_object("refused", plan, findings)
        why = paragraph(f"{shown(plan.worktree.name)} is as it was.", sentences(findings, "blocks"))
        return Outcome(refused, why, ok=False)
    return _apply_update(plan, control)


def _apply_update(plan: UpdatePlan, control: Control) -> Outcome:
    from sidecar.operations.merge.update import apply_update

    result = apply_update(plan, control)
    name, branch = shown(plan.worktree.name), shown(plan.incoming.name)
    told = sentences(plan.findings, "info")
    findings = (*(found for found in plan.findings if found.severity == "info"), *result.findings)
    answer = update_object(result.outcome, plan.worktree.name, result.path, result.conflicts, findings)
    if result.outcome == "updated":
        return Outcome(answer, paragraph(f"Merged {branch} into {name}.", told), ok=True)
    if result.outcome == "conflicts":
        count = len(result.conflicts)
        files = counted(count, "file", "files")
        text = f"{branch} and {name} conflict in {files}. Resolve {them(count)} in {name}, and continue the merge."
        if not count:
            text = paragraph(sentences(result.findings, "info"), "Then continue the merge.")
        return Outcome(
            answer,
            paragraph(text, told),
            ok=False,
            documents=tuple(Path(result.path, path) for path in result.conflicts),
        )
    kept = f"The merge waits in {name}." if result.waits else f"{name} is as it was."
    return Outcome(answer, paragraph(kept, sentences(result.findings, "blocks")), ok=False)


def _update_object(outcome: str, plan: UpdatePlan, findings: tuple[Finding, ...]) -> Json:
    return update_object(outcome, plan.worktree.name, plan.worktree.key, (), findings)


def ask_continue(request: Request, _control: Control) -> Question | Failure:
    """Plan to end the merge that is under way in a worktree."""
    from sidecar.operations.merge.continue_merge import plan_continue
    from sidecar.operations.unsaved import unsaved_in

    plan = plan_continue(request.folder, request.worktree, request.options)
    if isinstance(plan, Failure):
        return plan
    findings = (*plan.findings, *unsaved_in(plan.worktree, request.unsaved))
    name = shown(plan.worktree.name)
    if is_blocked(findings):
        text = paragraph(f"The merge in {name} can't be continued now.", sentences(findings, "blocks"))
        return Question(text, restore_object("refused", plan.worktree.key, findings), blocked=True)
    added = f" {named(plan.settled)} {'is' if len(plan.settled) == 1 else 'are'} added first." if plan.settled else ""
    text = f"Commit the merge in {name}, with the message that git prepared?{added}"
    choice = Choice("Continue", f"Committing the merge in {name}", partial(_continue, plan))
    return Question(text, restore_object("planned", plan.worktree.key, findings), (choice,))


def _continue(plan: ContinuePlan, control: Control) -> Outcome:
    from sidecar.operations.merge.continue_merge import apply_continue

    result = apply_continue(plan, control)
    answer = restore_object(result.outcome, result.path, result.findings)
    if result.outcome == "continued":
        merge = Step("Merge into Trunk", MERGE, {"worktree": plan.worktree.key, "repository": plan.common_dir})
        return Outcome(answer, f"The merge in {shown(plan.worktree.name)} is committed.", ok=True, steps=(merge,))
    return Outcome(answer, sentences(result.findings, "blocks"), ok=False)


def ask_merge(request: Request, control: Control) -> Question | Failure:
    """Plan a merge: the ways out of what blocks it, and what the editor has not saved."""
    from sidecar.operations.merge.plan import fetch_for
    from sidecar.operations.merge.run import MAY_BE_ALLOWED

    plan = _plan_merge(request)
    if isinstance(plan, Failure):
        return plan
    plan = fetch_for(plan, control)
    if isinstance(plan, Failure):
        return plan
    findings = (*plan.findings, *_unsaved(request, plan.worktree.key))
    codes = {found.code for found in findings if found.severity == "blocks"}
    name, branch = shown(plan.worktree.name), shown(plan.trunk.branch)
    title = f"Merging {name} into {branch}"
    planned = _merge_object("refused" if codes else "planned", plan, findings)
    if not codes:
        button = "Merge and Regenerate" if plan.regenerates else "Commit and Merge" if plan.commit else "Merge"
        merging = Choice(button, title, partial(_apply_merge, plan))
        without = request.asks and not plan.verify and plan.choices.verify is None
        setting = (Choice(SET_VERIFY, title, lambda _control: Outcome({**planned, "asks": "verify"}, "", ok=True)),)
        return Question(_merge_text(plan, findings), planned, (merging, *(setting if without else ())))
    choices = []
    if codes == {"conflict"} and plan.remakes:
        regenerating = _plan_merge(request, regenerate=True)
        if not isinstance(regenerating, Failure) and regenerating.remakes == plan.remakes and not regenerating.blocked:
            choices.append(Choice("Merge and Regenerate", title, partial(_apply_merge, regenerating)))
    if "uncommitted" in codes and codes <= {"uncommitted", "nothing-to-merge"}:
        committing = partial(_merge_now, request, commit=f"Work in {request.called}")
        choices.append(Choice("Commit and Merge", title, committing))
    allows: tuple[Finding, ...] = ()
    if codes <= MAY_BE_ALLOWED:
        allows = tuple(found for found in findings if found.severity == "blocks")
        allowing = partial(_merge_now, request, allow=codes | plan.choices.allow)
        choices.append(Choice("Merge Anyway", title, allowing))
    if "conflict" in codes:
        update = f"Merging {branch} into {name}"
        choices.append(Choice(f"Merge {branch} into {name}", update, partial(_update_now, request)))
    text = f"{name} can't be merged into {branch} now."
    text = paragraph(text, sentences(findings, "blocks"))
    return Question(text, planned, tuple(choices), blocked=True, allows=allows)


def merge_plan(request: Request, _control: Control) -> Json | Failure:
    """Make the merge object of a plan, for a client that shows it."""
    plan = _plan_merge(replace(request, options=request.reading))
    if isinstance(plan, Failure):
        return plan
    return _merge_object("planned", plan, (*plan.findings, *_unsaved(request, plan.worktree.key)))


def _unsaved(request: Request, key: str) -> tuple[Finding, ...]:
    from sidecar.operations.unsaved import unsaved_for_merge

    return unsaved_for_merge(request.picture, request.unsaved, key)


def _choices(request: Request, **chosen: Any) -> MergeChoices | Failure:
    """Read how to merge from what was asked for; what is `chosen` goes before it."""
    from sidecar.operations.merge.run import MergeChoices

    given = {**request.arguments, **chosen}
    strategy = given.get("strategy", "merge")
    if strategy not in STRATEGIES:
        return Failure("bad-arguments", f"The strategy is one of {', '.join(STRATEGIES)}.")
    allow = frozenset(map(str, given.get("allow", ())))
    regenerate = given.get("regenerate") is True
    return MergeChoices(strategy, given.get("message"), given.get("verify"), given.get("commit"), allow, regenerate)


def _plan_merge(request: Request, **chosen: Any) -> MergePlan | Failure:
    """Plan what was asked for; what is `chosen` goes before it."""
    from sidecar.operations.merge.plan import plan_merge

    choices = _choices(request, **chosen)
    if isinstance(choices, Failure):
        return choices
    return plan_merge(request.folder, request.worktree, request.options, choices)


def _merge_now(request: Request, control: Control, **chosen: Any) -> Outcome | Failure:
    """Plan and merge at once, unless something stands in the way."""
    plan = _plan_merge(request, **chosen)
    if isinstance(plan, Failure):
        return plan
    return _refused(plan) if plan.blocked else _apply_merge(plan, control)


def _refused(plan: MergePlan) -> Outcome:
    reasons = paragraph(f"{shown(plan.worktree.name)} was not merged.", sentences(plan.findings, "blocks"))
    return Outcome(_merge_object("refused", plan, plan.findings), reasons, ok=False)


def _merge_text(plan: MergePlan, findings: tuple[Finding, ...]) -> str:
    """Say in a short paragraph what would be merged into what, how, and what else there is to know."""
    commits = counted(plan.ahead, "commit", "commits")
    branch = plan.worktree.branch if plan.worktree.branch != plan.worktree.name else None
    what = f"{shown(plan.worktree.name)} ({f'branch {shown(branch)}, ' if branch else ''}{commits})"
    committing = f"Its uncommitted work is committed first: “{shown(plan.commit)}”." if plan.commit else ""
    prepare = f"“{shown(plan.prepare)}” runs, then " if plan.prepare and plan.verify else ""
    check = f"{prepare}“{shown(plan.verify)}” has to pass first." if plan.verify else "No verify command is set."
    merge = f"Merge {what} into {shown(plan.trunk.branch)} {HOW[plan.strategy]}?"
    extent = plan.extent.said if plan.extent is not None else ""
    return paragraph(merge, extent, committing, check, sentences(findings, "info", "kept"))


def _apply_merge(plan: MergePlan, control: Control) -> Outcome:
    from sidecar.operations.merge.apply import apply_merge

    return _merged(plan, apply_merge(plan, control))


def _merged(plan: MergePlan, result: MergeResult) -> Outcome:
    name, branch = shown(plan.worktree.name), shown(result.branch)
    answer = result.as_object(plan.extent)
    if result.outcome == "merged":
        done = f"Merged {name} into {branch}, which is now at {short(result.after or '')}."
        told = sentences(result.findings, "info", "kept")
        return Outcome(answer, paragraph(done, told), ok=True, steps=_after_merge(plan, result))
    left = f"{name} was not merged, and {branch} is as it was."
    return Outcome(answer, paragraph(left, sentences(result.findings, "blocks")), ok=False)


def _after_merge(plan: MergePlan, result: MergeResult) -> tuple[Step, ...]:
    one, repository = plan.worktree, {"repository": plan.common_dir}
    release = () if one.main else (Step("Release", RELEASE, {**repository, "worktree": one.key}),)
    undo = () if result.receipt is None else (Step("Undo", "sidecar.restore", {**repository, "id": result.receipt}),)
    return (*release, *undo)


def _merge_object(outcome: str, plan: MergePlan, findings: tuple[Finding, ...]) -> Json:
    """Make the merge object of a plan, with what a client shows of it."""
    worktree = plan.worktree
    shown_plan = {
        "worktree": worktree.name,
        "path": worktree.key,
        "branch": worktree.branch,
        **{name: getattr(plan, name) for name in ("strategy", "message", "verify", "prepare", "commit", "ahead")},
    }
    return {**plan.as_object(outcome, findings), "plan": shown_plan}


def order_plan(request: Request, control: Control) -> Json | Failure:
    """Make the order object, as `plan --json` prints it."""
    order = _order(request, control)
    return order if isinstance(order, Failure) else plan_object(order)


def ask_merge_all(request: Request, control: Control) -> Question | Failure:
    """Ask about the order at once: consent to it is consent to merge whatever nothing stands in the way of."""
    choices = _choices(request)
    order = choices if isinstance(choices, Failure) else _order(request, control, choices)
    if isinstance(order, Failure):
        return order
    branch = shown(order.trunk.branch)
    unsaved = [finding for turn in order.ready for finding in _unsaved(request, turn.worktree.key)]
    merges = [(turn.worktree.name, None) for turn in order.ready]
    planned = _merges_object("planned", merges, [finding_object(one) for one in unsaved])
    rows = tuple(_row(turn) for turn in order.turns)
    others = [f"{shown(turn.worktree.name)}: {turn.why}" for turn in order.turns if turn.why is not None][:MOST_NAMED]
    needs = [one.message for turn in order.ready for one in turn.needs][:MOST_NAMED]
    if not order.ready:
        return Question(paragraph(f"Nothing is ready to be merged into {branch}.", *others), planned, blocked=True)
    if unsaved:
        return Question(sentences(unsaved, "blocks"), planned, blocked=True)
    which = named([turn.worktree.name for turn in order.ready], MOST_NAMED)
    what = f"Merge {which} into {branch}{', one by one in this order' if len(order.ready) > 1 else ''}?"
    extents = [f"{shown(turn.worktree.name)}: {turn.extent.said}" for turn in order.ready if turn.extent is not None]
    merge = partial(_merge_in_turn, request)
    choice = Choice(
        "Merge",
        f"Merging into {branch}",
        partial(merge, order),
        do_some=lambda keys: partial(merge, _only(order, keys)),
    )
    text = paragraph(what, *extents[:MOST_NAMED], *others, *needs)
    return Question(text, planned, (choice,), title=f"Merge into {branch}, one by one in this order", rows=rows)


def _row(turn: Turn) -> PlanRow:
    """Say of a worktree in its turn what merging it does; one that would stop there is not ticked beforehand."""
    worktree = turn.worktree
    branch = "" if worktree.branch in (None, worktree.name) else f"branch {worktree.branch}"
    extent = turn.extent.said.rstrip(".") if turn.extent is not None else ""
    detail = paragraph(turn.why or "", sentences(turn.needs, "blocks", "kept", "info") if turn.ready else "")
    described = " · ".join(part for part in (branch, extent) if part)
    return PlanRow(worktree.key, worktree.name, described, detail, turn.ready, turn.ready and not turn.paths)


def _only(order: Order, keys: frozenset[str]) -> Order:
    """Give the order without the ready ones that nobody wants merged."""
    return replace(order, turns=tuple(turn for turn in order.turns if not turn.ready or turn.worktree.key in keys))


def _order(request: Request, control: Control, choices: MergeChoices | None = None) -> Order | Failure:
    from sidecar.operations.merge_order import plan_order

    return plan_order(request.folder, request.reading, control, choices)


def _merges_object(outcome: str, merges: Iterable[tuple[str, Json | None]], findings: list[Json]) -> Json:
    """Make the object of merging all; it has `findings` as each answer of a command."""
    return {**merge_all_object(outcome, merges), "findings": findings}


def _merge_in_turn(request: Request, order: Order, control: Control) -> Outcome | Failure:
    """Merge one after the other; what came before a failure stays merged."""
    from sidecar.operations.merge.apply import merge_ready

    choices = _choices(request)
    if isinstance(choices, Failure):
        return choices
    outcomes: list[Outcome] = []
    for _, plan, result in merge_ready(request.folder, order, request.options, choices, control):
        if isinstance(plan, Failure):
            outcomes.append(Outcome(failed(NO_MERGE, plan), plan.message, ok=False))
        else:
            outcomes.append(_refused(plan) if result is None else _merged(plan, result))
    last, merged, ready = outcomes[-1], sum(outcome.ok for outcome in outcomes), len(order.ready)
    answers = [outcome.answer for outcome in outcomes] + [None] * (ready - len(outcomes))
    names = (turn.worktree.name for turn in order.ready)
    answer = _merges_object(last.answer["outcome"], zip(names, answers, strict=True), last.answer["findings"])
    branch = shown(order.trunk.branch)
    if last.ok:
        if merged == 1:
            return replace(last, answer=answer)
        release = Step("Release All...", "sidecar.releaseAll", {"repository": request.repository})
        return Outcome(answer, f"Merged all {merged} into {branch}.", ok=True, steps=(release,))
    return Outcome(answer, paragraph(f"Merged {merged} of {ready} into {branch}.", last.sentence), ok=False)
