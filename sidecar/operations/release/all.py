"""Plan the release of every worktree that trunk has the work of, and carry the plans out; for every door the same."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sidecar.model.findings import Failure, as_finding
from sidecar.model.picture import Worktree, WorktreeState
from sidecar.model.schema import Json, release_object
from sidecar.model.settings import Options
from sidecar.model.words import shown
from sidecar.operations.release.apply import ReleaseResult, apply_release
from sidecar.operations.release.plan import ReleasePlan, plan_release
from sidecar.operations.run import Control


@dataclass(frozen=True, slots=True)
class Staying:
    """A worktree that stays, why, and the RELEASE object of that."""

    worktree: Worktree
    why: str
    answer: Json

    @property
    def said(self) -> str:
        """Say it where nothing else names the worktree."""
        return f"{shown(self.worktree.name)} stays: {self.why}"


@dataclass(frozen=True, slots=True)
class Integrated:
    """The plans of those that nothing stands in the way of, and the others."""

    ready: tuple[ReleasePlan, ...]
    others: tuple[Staying, ...]


def plan_integrated(
    folder: Path,
    states: Sequence[WorktreeState],
    options: Options,
    control: Control,
    unsaved: Collection[tuple[str, str]] = (),
) -> Integrated | Failure:
    """Plan to release the linked worktrees that are integrated; `unsaved` has (worktree's key, path) of the editor."""
    ready: list[ReleasePlan] = []
    others: list[Staying] = []
    for worktree in (one.worktree for one in states if one.integration.state == "integrated" and not one.worktree.main):
        if control.cancelled():
            return Failure("cancelled", "The planning was cancelled. Nothing was changed.")
        control.stage(f"Proving {shown(worktree.name)}")
        paths = [path for key, path in unsaved if key == worktree.key]
        plan = plan_release(folder, worktree.key, options, frozenset(), control, unsaved=paths)
        if isinstance(plan, Failure):
            others.append(Staying(worktree, plan.message, release_object("failed", [as_finding(plan)])))
        elif plan.blocked:
            why = dict.fromkeys(found.message for found in plan.findings if found.severity == "blocks")
            others.append(Staying(worktree, " ".join(why), plan.as_object()))
        else:
            ready.append(plan)
    return Integrated(tuple(ready), tuple(others))


def release_each(plans: Sequence[ReleasePlan], control: Control) -> Iterator[tuple[ReleasePlan, ReleaseResult]]:
    """Release one after the other, and yield each as it is done; one that does not go through keeps no other."""
    for plan in plans:
        if control.cancelled():
            return
        control.stage(f"Releasing {shown(plan.worktree.name)}")
        yield plan, apply_release(plan, control)
