"""Release: remove a worktree after proving that its work is in trunk, and keep everything else restorable."""

from sidecar.operations.release.apply import ReleaseResult, apply_release
from sidecar.operations.release.plan import ReleasePlan, plan_release
from sidecar.operations.release.recover import recover_release

__all__ = ["ReleasePlan", "ReleaseResult", "apply_release", "plan_release", "recover_release"]
