"""Bringing one worktree into trunk: planned, agreed to, made aside, verified, and landed wholly or not at all."""

from sidecar.operations.merge.apply import apply_merge
from sidecar.operations.merge.plan import plan_merge
from sidecar.operations.merge.recover import recover_merge
from sidecar.operations.merge.undo import UndoResult, undo_merge
from sidecar.operations.merge.update import UpdatePlan, UpdateResult, apply_update, plan_update
from sidecar.operations.merge.values import MergeChoices, MergePlan, MergeResult

__all__ = [
    "MergeChoices",
    "MergePlan",
    "MergeResult",
    "UndoResult",
    "UpdatePlan",
    "UpdateResult",
    "apply_merge",
    "apply_update",
    "plan_merge",
    "plan_update",
    "recover_merge",
    "undo_merge",
]
