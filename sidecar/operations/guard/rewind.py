"""Go back to an earlier state: the files of a worktree are as they were again; what they are now is kept first.

HEAD, the branch and the index stay, so that nothing committed or staged is touched. A worktree that is gone is brought
back from the state, all of it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sidecar.git.process import GitError
from sidecar.git.repository import Repository, list_worktrees, place_of_files
from sidecar.model.changes import SUBMODULE, Entry, is_object_id
from sidecar.model.findings import Failure, Finding, as_finding, finding
from sidecar.model.picture import Worktree
from sidecar.model.settings import Options
from sidecar.model.words import counted, escape, named, shown
from sidecar.operations import journal
from sidecar.operations.guard.browse import Kept
from sidecar.operations.guard.ignored import put_back
from sidecar.operations.guard.keep_now import end_restoration, keep_now, with_present
from sidecar.operations.guard.placing import (
    Target,
    beside_of,
    changed_entries,
    clear,
    put,
    put_beside,
    take_away,
    write_beside,
)
from sidecar.operations.guard.restore import bring_back
from sidecar.operations.guard.states import State, history_of, read_state
from sidecar.operations.journal import Journal
from sidecar.operations.records import RestoreResult, new_id
from sidecar.operations.release.restore import is_taken
from sidecar.operations.run import Control, hold
from sidecar.session.live import Present
from sidecar.session.reader import Sources, ask

Changes = Mapping[str, tuple[Entry | None, Entry | None]]
"""By path: what is there now, and what is there in the state."""


@dataclass(frozen=True, slots=True)
class RewindPlan:
    """Going back to a state: `worktree` is None when it is gone; `present` is the tree that the worktree has now.

    `changes` are the paths that would be others.
    """

    repository: Repository
    worktree: Worktree | None
    state: State
    options: Options
    present: str | None = None
    changes: Changes = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """Say what would be done, for a person."""
        name, facts = shown(self.state.facts.name), self.state.facts
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(facts.time))
        if self.worktree is None:
            return f"{name} is not there. It would be brought back to {escape(facts.path)}, as it was at {when}."
        if not self.changes:
            return f"The files of {name} are as they were at {when}."
        files = counted(len(self.changes), "file", "files")
        return f"{files} of {name} would be as at {when}. What is there now is kept first; commits and the index stay."


def plan_rewind(kept: Kept, state: State, options: Options) -> RewindPlan | Failure:
    """Plan going back to a state; nothing is written."""
    if kept.worktree is None:
        return RewindPlan(kept.repository, None, state, options)
    worktree = kept.worktree

    def use(sources: Sources, present: Present) -> RewindPlan:
        changes = _changes(sources, present, state)
        return RewindPlan(kept.repository, worktree, state, options, present.tree, changes)

    return with_present(kept.repository, worktree, options, use)


def apply_rewind(plan: RewindPlan, control: Control, into: str | None = None) -> RestoreResult:
    """Go back to the state of a plan, or bring its worktree back from it, to `into` if given (absolute)."""
    name = shown(plan.state.facts.name)
    with hold(plan.repository.common_dir, f"restoring an earlier state of {name}") as held:
        if isinstance(held, Finding):
            return RestoreResult("refused", None, (held,))
        if (standing := journal.left_over(held)) is not None:
            return RestoreResult("refused", None, (standing,))
        try:
            if plan.worktree is None:
                return _bring_back(plan, held, control, into)
            done = _rewind(plan, plan.worktree, held, control)
        except (OSError, GitError) as error:
            said = f"{name} could not be restored as a whole: {escape(str(error))}. Run: sidecar status"
            return RestoreResult("failed", None, (finding("not-restored", said),))
    if isinstance(done, Failure):
        refused = done.code == "changed-meanwhile"
        return RestoreResult("refused" if refused else "failed", None, (as_finding(done),))
    return RestoreResult("restored", plan.worktree.key, done)


def _bring_back(plan: RewindPlan, sidecar_dir: Path, control: Control, into: str | None) -> RestoreResult:
    where = into or plan.state.facts.path
    if is_taken(where):
        said = f"Something is at {escape(where)} already. Give another place: --into PATH"
        return RestoreResult("refused", None, (finding("path-taken", said, (where,)),))
    back = bring_back(plan.repository, sidecar_dir, plan.state, where, control)
    return RestoreResult("restored", back.path, back.findings)


def _rewind(plan: RewindPlan, worktree: Worktree, sidecar_dir: Path, control: Control) -> tuple[Finding, ...] | Failure:
    control.stage(f"Keeping what {escape(worktree.name)} has now")

    def use(sources: Sources, present: Present) -> tuple[Finding, ...] | Failure:
        if present.tree != plan.present:
            said = f"Something was written in {shown(worktree.name)} meanwhile. Nothing was done; look again."
            return Failure("changed-meanwhile", said)
        kept = keep_now(sources, present)
        if isinstance(kept, Failure):
            return kept
        operation = new_id(sidecar_dir, "restore")
        facts = {"path": worktree.key, "kept": kept.commit, "name": worktree.name}
        journal.begin(sidecar_dir, operation, "restore", "rewind", facts)
        target = target_of(sources, worktree, operation)
        try:
            stayed, beside = _place(target, _changes(sources, present, plan.state))
        finally:
            clear(target, lambda path: sources.trees.entry(kept.tree, path))
        back = put_back(sidecar_dir, _history(plan.state), worktree.key, plan.state.facts.time, later=False)
        end_restoration(sidecar_dir, kept)
        journal.finish(sidecar_dir)
        return (*_findings(kept, stayed, beside), *back)

    return with_present(plan.repository, worktree, plan.options, use)


def _place(target: Target, changes: Changes) -> tuple[list[str], list[str]]:
    """Take away and put what differs: (paths at which something was written meanwhile, names of what is beside)."""
    folder = write_beside(target, {path: after for path, (_, after) in changes.items() if after is not None})
    stayed, beside = [], []
    for path, (before, after) in changes.items():
        if before is not None and after is None and not take_away(target, path, before):
            stayed.append(path)
    for path, (before, after) in changes.items():
        new = str(folder / path)
        if after is not None and os.path.lexists(new) and not put(target, new, path, before):
            beside.append(put_beside(target, new, path))
    return stayed, beside


def recover_rewind(repository: Repository, sidecar_dir: Path, entry: Journal) -> tuple[Finding, ...]:
    """Settle a killed rewinding, or mending: it stays as far as it came, and nothing is lost."""
    path, commit = str(entry.facts.get("path")), str(entry.facts.get("kept"))
    kept = read_state(repository, commit) if is_object_id(commit) else None
    worktree = None if kept is None else _worktree_at(repository, path)
    if kept is None or worktree is None:
        return (finding("bad-journal", f"The journal of {entry.id} names no worktree. Look at it, move it away."),)

    def use(sources: Sources) -> tuple[str, ...]:
        target = target_of(sources, worktree, entry.id)
        return clear(target, lambda path: sources.trees.entry(kept.tree, path))

    names = ask(repository, Options(), use)
    if isinstance(names, Failure):
        return (finding("not-recovered", names.message),)
    journal.finish(sidecar_dir)
    said = f"The restoration in {shown(worktree.name)} was ended half-way. What was there before is {kept.id}."
    found = [finding("recovered", f"{said} Start again, or go back: sidecar restore {kept.id}")]
    return (*found, *_beside(names))


def target_of(sources: Sources, worktree: Worktree, operation: str) -> Target:
    """Give the place where an operation puts files in a worktree; what git reads for it goes into the quarantine."""
    place = sources.quarantine.writing(place_of_files(sources.repository, worktree))
    return Target(worktree.key, beside_of(worktree.key, operation), place, sources.repository.object_format)


def _history(state: State) -> str:
    return history_of(state.facts.home, state.facts.made)


def _worktree_at(repository: Repository, path: str) -> Worktree | None:
    return next((one for one in list_worktrees(repository) if one.key == path and one.readable), None)


def _changes(sources: Sources, present: Present, state: State) -> Changes:
    changed = changed_entries(sources.quarantine.plumbing, present.tree, state.tree)
    return {path: pair for path, pair in changed.items() if all(one is None or one.mode != SUBMODULE for one in pair)}


def _findings(kept: State, stayed: list[str], beside: list[str]) -> tuple[Finding, ...]:
    found = [finding("kept-before", f"What was there before is kept: sidecar restore {kept.id}")]
    if stayed:
        said = f"Something was written meanwhile, so it stays as it is: {named(stayed)}."
        found.append(finding("restored-otherwise", said, tuple(stayed)))
    return (*found, *_beside(beside))


def _beside(names: list[str] | tuple[str, ...]) -> tuple[Finding, ...]:
    if not names:
        return ()
    said = f"Something else is there now, so this is beside it: {named(names)}."
    return (finding("restored-beside", said, tuple(names)),)
