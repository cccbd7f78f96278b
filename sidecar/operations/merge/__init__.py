"""Bringing one worktree into trunk: planned, agreed to, made aside, verified, and landed wholly or not at all."""

from sidecar.operations.merge.apply import apply_merge
from sidecar.operations.merge.plan import plan_merge
from sidecar.operations.merge.recover import recover_merge
from sidecar.operations.merge.values import MergeChoices, MergePlan, MergeResult

__all__ = ["MergeChoices", "MergePlan", "MergeResult", "apply_merge", "plan_merge", "recover_merge"]
