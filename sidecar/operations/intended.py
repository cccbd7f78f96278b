"""`sidecar intended`: remember that what a worktree takes back of trunk in a file is intended, or forget it again.

One record is written, whole. There is nothing half-done that a journal would have to tell of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sidecar.git.repository import Repository, list_worktrees
from sidecar.model.changes import is_object_id
from sidecar.model.findings import Failure, Finding, finding
from sidecar.model.picture import Worktree
from sidecar.model.settings import Options
from sidecar.model.words import named, shown
from sidecar.operations.records import write_record
from sidecar.operations.run import QUIET, Agreed, Control, Plan, run_plan
from sidecar.session.intended import Intended, IntendedRecord, mark_of, record_path
from sidecar.session.once import taken_back, worktree_called
from sidecar.session.reader import ask_repository


@dataclass(frozen=True, slots=True)
class IntendPlan(Plan):
    """Commits, by path, that a worktree takes back on purpose; with `undo` those of which that is not so any more."""

    worktree: Worktree
    commits: Intended
    undo: bool


@dataclass(frozen=True, slots=True)
class IntendResult:
    """What became of it; what was as asked for before is no failure."""

    outcome: Literal["intended", "not-intended", "refused", "failed"]
    findings: tuple[Finding, ...] = ()


def plan_intended(
    folder: Path,
    name: str,
    commits: Mapping[str, frozenset[str] | None],
    options: Options,
    *,
    undo: bool = False,
) -> IntendPlan | Failure:
    """Plan to remember that the worktree of that name takes back these commits, by path, on purpose.

    None instead of commits stands for all that it takes back there now, or, with `undo`, for all that is remembered.
    """

    def plan(repository: Repository) -> IntendPlan | Failure:
        worktree = worktree_called(list_worktrees(repository), name, folder)
        if isinstance(worktree, Failure):
            return worktree
        found = _known(repository, folder, worktree, commits, options, undo=undo)
        if isinstance(found, Failure):
            return found
        findings = () if all(found.values()) else (_nothing([path for path in found if not found[path]], undo=undo),)
        return IntendPlan(folder, repository.common_dir, options, worktree, found, undo, findings=findings)

    return ask_repository(folder, options, plan)


def _known(
    repository: Repository,
    folder: Path,
    worktree: Worktree,
    commits: Mapping[str, frozenset[str] | None],
    options: Options,
    *,
    undo: bool,
) -> Intended | Failure:
    asked = [path for path, given in commits.items() if given is None]
    known: dict[str, frozenset[str]] = {}
    if asked and undo:
        known = dict(IntendedRecord(repository.common_dir).of(worktree))
    elif asked:
        undone = taken_back(folder, worktree.key, options)
        if isinstance(undone, Failure):
            return undone
        known = {one.path: one.commits for one in undone}
    return {
        path: known.get(path, frozenset()) if given is None else frozenset(filter(is_object_id, given))
        for path, given in commits.items()
    }


def _nothing(paths: list[str], *, undo: bool) -> Finding:
    said = "nothing is remembered as intended" if undo else "nothing of trunk is taken back"
    return finding("not-taken-back", f"In {named(paths)} {said}.", tuple(paths))


def apply_intended(plan: IntendPlan, control: Control = QUIET) -> IntendResult:
    """Write it into the record, in which worktrees that are gone are left out."""
    name = shown(plan.worktree.name)
    return run_plan(
        plan,
        control,
        doing=f"remembering what {name} takes back on purpose",
        again=lambda _repository: plan_intended(
            plan.folder, plan.worktree.key, plan.commits, plan.options, undo=plan.undo
        ),
        essence=lambda one: (one.worktree.git_dir, one.commits),
        refused=lambda findings: IntendResult("refused", findings),
        steps=_remember,
    )


def _remember(agreed: Agreed[IntendPlan]) -> IntendResult:
    plan, common_dir = agreed.plan, agreed.repository.common_dir
    marks = [mark_of(common_dir, one) for one in list_worktrees(agreed.repository)]
    before = IntendedRecord(common_dir).every()
    kept = {mark: {path: set(commits) for path, commits in before.get(mark, {}).items()} for mark in marks}
    own = kept.setdefault(mark_of(common_dir, plan.worktree), {})
    for path, commits in plan.commits.items():
        own[path] = own.get(path, set()) - commits if plan.undo else own.get(path, set()) | commits
    rows = {
        mark: {path: sorted(commits) for path, commits in sorted(paths.items()) if commits}
        for mark, paths in sorted(kept.items())
    }
    try:
        write_record(
            Path(record_path(common_dir)), {"schema": 1, "worktrees": {mark: row for mark, row in rows.items() if row}}
        )
    except OSError as error:
        return IntendResult("failed", (finding("bad-state", f"It can't be remembered: {error.strerror or error}."),))
    return IntendResult("not-intended" if plan.undo else "intended")
