"""`sidecar merge --all`: everything that is ready, one after the other, until one does not go through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from sidecar.cli.asking import print_json
from sidecar.cli.consent import DONE, REFUSED, agree, can_ask, status_of
from sidecar.cli.merge import ask_merge, carry_out, planned_object, result_object, show_plan, show_result
from sidecar.cli.plan import ask_order
from sidecar.model.messages import shown
from sidecar.model.order import Order, Turn
from sidecar.model.schema import merge_all_object

if TYPE_CHECKING:
    from sidecar.operations.merge.values import MergeChoices


@dataclass(frozen=True, slots=True)
class _Merged:
    """How one worktree fared: its MERGE object, and the exit status that it alone would give."""

    worktree: str
    said: dict[str, Any]
    status: int


def merge_all(choices: MergeChoices, *, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Merge what is ready in the order of the plan; what came before a failure stays merged."""
    order = ask_order(trust=not dry_run)
    if not as_json or (can_ask() and not yes):
        _show(order, err=as_json)
    branch = shown(order.trunk.branch)
    count = f"the {len(order.ready)} ready worktrees" if len(order.ready) > 1 else "the ready worktree"
    if not order.ready or dry_run or not agree(f"Merge {count} into {branch}, one by one?", yes=yes):
        if as_json:
            print_json(merge_all_object("planned", [(turn.worktree.name, None) for turn in order.ready]))
        return DONE if dry_run or not order.ready else REFUSED
    merged: list[_Merged] = []
    for turn in order.ready:
        merged.append(_merge(turn, choices, as_json=as_json))
        if merged[-1].status != DONE:
            break
    if as_json:
        outcome = str(merged[-1].said["outcome"])
        left = [(turn.worktree.name, None) for turn in order.ready[len(merged) :]]
        print_json(merge_all_object(outcome, [*((one.worktree, one.said) for one in merged), *left]))
    elif merged[-1].status != DONE:
        landed = len(merged) - 1
        verb = "is" if landed == 1 else "are"
        click.echo(f"Stopped there: {landed} of {len(order.ready)} {verb} merged into {branch}.", err=True)
    return merged[-1].status


def _show(order: Order, *, err: bool) -> None:
    from sidecar.cli.plan_table import print_plan  # rich takes longer than many an answer

    print_plan(order, err=err)


def _merge(turn: Turn, choices: MergeChoices, *, as_json: bool) -> _Merged:
    """Merge one, planned anew on what trunk is by now; consent was to what has nothing in its way."""
    name = turn.worktree.name
    plan = ask_merge(turn.worktree.key, choices, dry_run=False)
    if plan.blocked:
        if not as_json:
            show_plan(plan, err=True)
        return _Merged(name, planned_object(plan), REFUSED)
    result, interrupted = carry_out(plan)
    if not as_json:
        show_result(plan, result)
    return _Merged(name, result_object(result), status_of(result.outcome, interrupted=interrupted))
