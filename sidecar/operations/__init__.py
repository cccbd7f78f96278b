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
    apply_merge,
    plan_merge,
    recover_merge,
)
from sidecar.operations.recovery import Recover, recover

RECOVER: Mapping[str, Recover] = {"merge": recover_merge, "undo": recover_merge}
"""How what a killed operation left is finished or undone, by what it was."""


def recover_all(folder: Path) -> tuple[Finding, ...]:
    """What became of an operation that was killed in the repository of a folder; every door asks this first.

    Costs a look when there was none. A folder outside of any repository has nothing to recover.
    """
    common_dir = find_common_dir(folder)
    return () if isinstance(common_dir, Failure) else recover(folder, common_dir, RECOVER)


__all__ = [
    "MergeChoices",
    "MergePlan",
    "MergeResult",
    "apply_merge",
    "plan_merge",
    "recover_all",
    "recover_merge",
]
