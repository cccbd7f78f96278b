"""Merge everything that is ready, one worktree at a time; every door shows the same one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sidecar.model.findings import Failure
from sidecar.model.merge_order import Order, Turn
from sidecar.model.settings import Options
from sidecar.model.words import shown
from sidecar.operations.merge.apply import apply_merge
from sidecar.operations.merge.plan import fetch_for, plan_merge
from sidecar.operations.merge.run import MergeChoices, MergePlan, MergeResult
from sidecar.operations.run import Control

Tried = tuple[Turn, MergePlan | Failure, MergeResult | None]
"""A worktree in its turn, its plan, and what became of it: None where the plan was blocked, or there was none."""


def merge_ready(
    folder: Path, order: Order, options: Options, choices: MergeChoices, control: Control
) -> Iterator[Tried]:
    """Merge the ready worktrees of an order, each planned anew on what trunk is by then; yield each as it is done.

    Consent was to what nothing stands in the way of. The first that does not go through ends it, and so does a person
    between two; what was merged before stays merged.
    """
    for turn in order.ready:
        if control.cancelled():
            yield turn, Failure("cancelled", f"Stopped before {shown(turn.worktree.name)}."), None
            return
        plan = plan_merge(folder, turn.worktree.key, options, choices)
        if not isinstance(plan, Failure):
            plan = fetch_for(plan, control)
        if isinstance(plan, Failure) or plan.blocked:
            yield turn, plan, None
            return
        result = apply_merge(plan, control)
        yield turn, plan, result
        if result.outcome != "merged":
            return
