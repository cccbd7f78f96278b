"""Open, merge, release, restore: each is planned, agreed to and then applied, and a journal survives its end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sidecar.git.repository import find_common_dir
from sidecar.model.findings import Failure, Finding
from sidecar.operations.merge import (
    MergeChoices,
    MergePlan,
    MergeResult,
    UndoResult,
    UpdatePlan,
    UpdateResult,
    apply_merge,
    apply_update,
    plan_merge,
    plan_update,
    recover_merge,
    undo_merge,
)
from sidecar.operations.opening import OpenPlan, OpenResult, apply_open, plan_open
from sidecar.operations.opening_ends import recover_open
from sidecar.operations.recovery import Recover, recover
from sidecar.operations.release import ReleasePlan, ReleaseResult, apply_release, plan_release, recover_release
from sidecar.operations.release.sweeping import sweep
from sidecar.operations.restore import (
    EmptyPlan,
    RestoreResult,
    apply_empty,
    list_restorable,
    plan_empty,
    recover_restore,
    restore,
)
from sidecar.operations.state import state_path

RECOVER: Mapping[str, Recover] = {
    "merge": recover_merge,
    "undo": recover_merge,
    "open": recover_open,
    "release": recover_release,
    "restore": recover_restore,
}
"""How what a killed operation left is finished or undone, by what it was."""


def recover_all(folder: Path) -> tuple[Finding, ...]:
    """What became of an operation that was killed in the repository of a folder; every door asks this first.

    Costs a look when there was none. A folder outside of any repository has nothing to recover.
    """
    common_dir = find_common_dir(folder)
    if isinstance(common_dir, Failure):
        return ()
    sweep(state_path(common_dir))
    return recover(folder, common_dir, RECOVER)


__all__ = [
    "EmptyPlan",
    "MergeChoices",
    "MergePlan",
    "MergeResult",
    "OpenPlan",
    "OpenResult",
    "ReleasePlan",
    "ReleaseResult",
    "RestoreResult",
    "UndoResult",
    "UpdatePlan",
    "UpdateResult",
    "apply_empty",
    "apply_merge",
    "apply_open",
    "apply_release",
    "apply_update",
    "list_restorable",
    "plan_empty",
    "plan_merge",
    "plan_open",
    "plan_release",
    "plan_update",
    "recover_all",
    "recover_merge",
    "recover_open",
    "recover_release",
    "recover_restore",
    "restore",
    "undo_merge",
]
