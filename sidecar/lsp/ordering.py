"""`sidecar.mergeAll`: everything that is ready, in the best order, one by one, until one does not go through."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sidecar.lsp.consent import Json, Offer, Outcome, Proposal, Request, paragraph, sentences
from sidecar.lsp.merging import failed_merge, merge_outcome, merge_plan_object
from sidecar.lsp.unsaved import unsaved_for_merge
from sidecar.model.findings import Failure, as_finding
from sidecar.model.messages import named, shown
from sidecar.model.order import Order, Turn
from sidecar.model.schema import finding_object, merge_all_object, plan_object

if TYPE_CHECKING:
    from sidecar.operations.control import Control

MOST_NAMED = 8
"""How many worktrees a message names."""


def order_plan(request: Request, control: Control) -> Json | Failure:
    """The order object, as `plan --json` prints it."""
    order = _order(request, control)
    return order if isinstance(order, Failure) else plan_object(order)


def propose_all(request: Request, control: Control) -> Proposal | Failure:
    """The order, as one question: consent to it is consent to merge whatever nothing stands in the way of."""
    order = _order(request, control)
    if isinstance(order, Failure):
        return order
    branch = shown(order.trunk.branch)
    planned = merge_all_object("planned", [(turn.worktree.name, None) for turn in order.ready])
    others = [f"{shown(turn.worktree.name)}: {turn.why}" for turn in order.turns if turn.why is not None][:MOST_NAMED]
    if not order.ready:
        text = paragraph(f"Nothing is ready to be merged into {branch}.", *others)
        return Proposal(text, planned, blocked=True)
    unsaved = [
        finding
        for turn in order.ready
        for finding in unsaved_for_merge(request.target.picture, request.documents, turn.worktree.key)
    ]
    if unsaved:
        return Proposal(sentences(unsaved, "blocks"), planned, blocked=True)
    names = [turn.worktree.name for turn in order.ready]
    which = named(names, MOST_NAMED)
    what = f"Merge {which} into {branch}{', one by one in this order' if len(names) > 1 else ''}?"
    offer = Offer(f"Merging into {branch}", partial(_merge_in_turn, request, order))
    return Proposal(paragraph(what, *others), planned, {"Merge": offer})


def _order(request: Request, control: Control) -> Order | Failure:
    from sidecar.operations.order import plan_order

    return plan_order(request.target.folder, request.reading, control)


def _merge_in_turn(request: Request, order: Order, control: Control) -> Outcome:
    """Merge one after the other; what came before a failure stays merged."""
    outcomes: list[Outcome] = []
    for turn in order.ready:
        outcomes.append(_merge(request, turn, control))
        if not outcomes[-1].ok:
            break
    merged = sum(outcome.ok for outcome in outcomes)
    answers = [outcome.answer for outcome in outcomes] + [None] * (len(order.ready) - len(outcomes))
    merges = zip((turn.worktree.name for turn in order.ready), answers, strict=True)
    answer = merge_all_object(outcomes[-1].answer["outcome"], merges)
    branch = shown(order.trunk.branch)
    done = f"Merged {merged} of {len(order.ready)} into {branch}."
    if outcomes[-1].ok:
        return Outcome(answer, f"Merged all {merged} into {branch}." if merged > 1 else outcomes[-1].sentence, ok=True)
    return Outcome(answer, paragraph(done, outcomes[-1].sentence), ok=False)


def _merge(request: Request, turn: Turn, control: Control) -> Outcome:
    """Merge one, planned anew on what trunk is by now."""
    from sidecar.operations.merge.apply import apply_merge
    from sidecar.operations.merge.plan import plan_merge
    from sidecar.operations.merge.values import MergeChoices

    name, given = shown(turn.worktree.name), request.arguments
    if control.cancelled():
        stopped = Failure("cancelled", f"Stopped before {name}.")
        return Outcome(failed_merge(stopped), stopped.message, ok=False)
    choices = MergeChoices(given.get("strategy", "merge"), None, given.get("verify"), None)
    plan = plan_merge(request.target.folder, turn.worktree.key, request.options, choices)
    if isinstance(plan, Failure):
        return Outcome(failed_merge(plan), plan.message, ok=False)
    if plan.blocked:
        reasons = paragraph(f"{name} was not merged.", sentences(plan.findings, "blocks"))
        return Outcome(merge_plan_object("refused", plan, plan.findings), reasons, ok=False)
    return merge_outcome(plan, apply_merge(plan, control))


def failed_all(failure: Failure) -> Json:
    """The object of merging all when there is no plan."""
    return merge_all_object("failed", ()) | {"findings": [finding_object(as_finding(failure))]}
