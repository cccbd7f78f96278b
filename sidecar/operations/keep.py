"""`sidecar keep`: lock a worktree, so that git and the tools that heed its locks leave it, and unlock it again.

Git writes one file, or deletes it. There is nothing half-done that a journal would have to tell of.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sidecar.git.process import GitError, run
from sidecar.git.repository import Repository, list_worktrees
from sidecar.model.findings import Failure, Finding, finding
from sidecar.model.picture import PROTECTED, Worktree
from sidecar.model.settings import Options
from sidecar.model.words import escape, shown
from sidecar.operations.run import QUIET, Agreed, Control, Plan, run_plan
from sidecar.session.once import worktree_called
from sidecar.session.reader import ask_repository

REASON = f"{PROTECTED}. To undo: sidecar keep --undo NAME"


@dataclass(frozen=True, slots=True)
class KeepPlan(Plan):
    """A worktree to be locked, or, with `undo`, unlocked."""

    worktree: Worktree
    undo: bool


@dataclass(frozen=True, slots=True)
class KeepResult:
    """What became of it; one that was as asked for before is no failure."""

    outcome: Literal["protected", "unprotected", "refused", "failed"]
    findings: tuple[Finding, ...] = ()


def plan_keep(folder: Path, name: str, options: Options, *, undo: bool = False) -> KeepPlan | Failure:
    """Plan to lock or unlock the worktree of that name, branch or path; nothing is written."""

    def plan(repository: Repository) -> KeepPlan | Failure:
        worktree = worktree_called(list_worktrees(repository), name, folder)
        if isinstance(worktree, Failure):
            return worktree
        return KeepPlan(folder, repository.common_dir, options, worktree, undo, findings=tuple(_findings(worktree)))

    return ask_repository(folder, options, plan)


def _findings(worktree: Worktree) -> list[Finding]:
    if worktree.main or worktree.bare:
        said = f"{shown(worktree.name)} is the main worktree. Git never removes it, and can't lock it."
        return [finding("not-lockable", said)]
    if worktree.locked is not None and not worktree.protected:
        reason = f": {escape(worktree.locked)}" if worktree.locked else ""
        return [finding("locked-already", f"{shown(worktree.name)} is locked by somebody else{reason}.")]
    return []


def apply_keep(plan: KeepPlan, control: Control = QUIET) -> KeepResult:
    """Lock the worktree with our reason, or take that lock away."""
    return run_plan(
        plan,
        control,
        doing=f"{'no longer protecting' if plan.undo else 'protecting'} {shown(plan.worktree.name)}",
        again=lambda _repository: plan_keep(plan.folder, plan.worktree.key, plan.options, undo=plan.undo),
        essence=lambda one: one.worktree.git_dir,
        refused=lambda findings: KeepResult("refused", findings),
        steps=_lock,
    )


def _lock(agreed: Agreed[KeepPlan]) -> KeepResult:
    plan = agreed.plan
    how = ("unlock",) if plan.undo else ("lock", "--reason", REASON)
    if plan.worktree.protected == plan.undo:
        try:
            run(agreed.repository.place, "worktree", *how, "--end-of-options", plan.worktree.key)
        except GitError as error:
            return KeepResult("failed", (finding("not-locked", error.message),))
    return KeepResult("unprotected" if plan.undo else "protected")
