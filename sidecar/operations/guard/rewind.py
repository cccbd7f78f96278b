"""Go back to an earlier state: the files of a worktree are as they were again; what they are now is kept first.

HEAD, the branch and the index stay, so that nothing committed or staged is touched. A worktree that is gone is brought
back from the state, all of it. What going back would change is shown as a diff that a person reads before.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from sidecar.git.objects import tree_of
from sidecar.git.process import GitError, run
from sidecar.git.repository import Repository, place_of_files
from sidecar.model.changes import Change
from sidecar.model.findings import Failure, Finding, as_finding, finding
from sidecar.model.picture import Worktree
from sidecar.model.settings import Options
from sidecar.model.words import counted, escape, named, shown
from sidecar.operations import journal
from sidecar.operations.guard.browse import Kept
from sidecar.operations.guard.histories import MEBIBYTE, Wish, open_histories
from sidecar.operations.guard.ignored import put_back
from sidecar.operations.guard.placing import Target, clear, put, put_beside, take_away, write_beside
from sidecar.operations.guard.restore import bring_back, unfetched
from sidecar.operations.guard.states import State, mark_restored, read_state
from sidecar.operations.journal import Journal
from sidecar.operations.landing_repository.lent import is_submodule
from sidecar.operations.merge.run import worktree_at
from sidecar.operations.records import RestoreResult, aside_of, new_id, sidecar_path
from sidecar.operations.release.restore import is_taken
from sidecar.operations.run import Control, hold
from sidecar.session.present_state import PresentState, present_state
from sidecar.session.reader import Sources, ask
from sidecar.session.reading import read_worktree

T = TypeVar("T")

MOST = 1 << 20
"""Mebibytes of new content that are kept before something is changed: in effect, all."""

DIFF = ("diff-tree", "-r", "-p", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames")


def with_present(
    repository: Repository, worktree: Worktree, options: Options, use: Callable[[Sources, PresentState], T | Failure]
) -> T | Failure:
    """Give a worktree's present state, read afresh, to `use`; a Failure where it can't be read."""

    def question(sources: Sources) -> T | Failure:
        reading = read_worktree(sources, worktree)
        present = present_state(sources, reading)
        if present is None:
            return Failure("unreadable-worktree", reading.problem or f"{worktree.name} can't be read.")
        return use(sources, present)

    return ask(repository, options, question)


def keep_now(sources: Sources, present: PresentState) -> State | Failure:
    """Add the present state to the worktree's history, before something is done to it."""
    try:
        histories = open_histories(sources)
        try:
            kept = histories.keep(Wish(present, safe=False, work=True, why="restore"), MOST * MEBIBYTE)
            mark_restored(sidecar_path(sources.repository.common_dir), histories.history(present))
            return kept
        finally:
            histories.close()
    except (GitError, OSError) as error:
        return Failure("not-kept", f"The present state of {present.worktree.name} can't be kept: {error}")


def change_files(
    sources: Sources, present: PresentState, sidecar_dir: Path, change: Callable[[Target], T]
) -> tuple[State, T] | Failure:
    """Have `change` put files into a worktree, announced in the journal, once its present state is kept.

    Gives that state, and what `change` gives. What it takes away was not wiped, which the guard reads from a mark.
    """
    kept = keep_now(sources, present)
    if isinstance(kept, Failure):
        return kept
    worktree, operation = present.worktree, new_id(sidecar_dir, "restore")
    facts = {"path": worktree.key, "kept": kept.commit, "name": worktree.name}
    journal.begin(sidecar_dir, operation, "restore", "rewind", facts)
    target = _target(sources, worktree, operation)
    try:
        done = change(target)
    finally:
        clear(target, lambda path: sources.trees.entry(kept.tree, path))
    mark_restored(sidecar_dir, kept.history)
    journal.finish(sidecar_dir)
    return kept, done


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
    changes: Mapping[str, Change] = field(default_factory=dict)

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

    def use(sources: Sources, present: PresentState) -> RewindPlan:
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

    def use(sources: Sources, present: PresentState) -> tuple[Finding, ...] | Failure:
        if present.tree != plan.present:
            said = f"Something was written in {shown(worktree.name)} meanwhile. Nothing was done; look again."
            return Failure("changed-meanwhile", said)
        changes = _changes(sources, present, plan.state)
        done = change_files(sources, present, sidecar_dir, lambda target: _place(target, changes))
        if isinstance(done, Failure):
            return done
        kept, (stayed, beside) = done
        back = put_back(sidecar_dir, plan.state.history, worktree.key, plan.state.facts.time, later=False)
        return (*_findings(kept, stayed, beside), *back)

    return with_present(plan.repository, worktree, plan.options, use)


def _place(target: Target, changes: Mapping[str, Change]) -> tuple[list[str], list[str]]:
    """Take away and put what differs: (paths at which something was written meanwhile, names of what is beside)."""
    folder = write_beside(target, {path: one.after for path, one in changes.items() if one.after is not None})
    stayed, beside = [], []
    for path, one in changes.items():
        if one.before is not None and one.after is None and not take_away(target, path, one.before):
            stayed.append(path)
    for path, one in changes.items():
        new = str(folder / path)
        if one.after is not None and os.path.lexists(new) and not put(target, new, path, one.before):
            beside.append(put_beside(target, new, path))
    return stayed, beside


def recover_rewind(repository: Repository, sidecar_dir: Path, entry: Journal) -> tuple[Finding, ...]:
    """Settle a killed rewinding, or mending: it stays as far as it came, and nothing is lost."""
    path, commit = str(entry.facts.get("path")), str(entry.facts.get("kept"))
    kept = read_state(repository, commit)
    worktree = None if kept is None else worktree_at(repository, path)
    if kept is None or worktree is None:
        return (finding("bad-journal", f"The journal of {entry.id} names no worktree. Look at it, move it away."),)

    def use(sources: Sources) -> tuple[str, ...]:
        target = _target(sources, worktree, entry.id)
        return clear(target, lambda path: sources.trees.entry(kept.tree, path))

    names = ask(repository, Options(), use)
    if isinstance(names, Failure):
        return (finding("not-recovered", names.message),)
    journal.finish(sidecar_dir)
    said = f"The restoration in {shown(worktree.name)} was ended half-way. What was there before is {kept.id}."
    found = [finding("recovered", f"{said} Start again, or go back: sidecar restore {kept.id}")]
    return (*found, *_beside(names))


def _target(sources: Sources, worktree: Worktree, operation: str) -> Target:
    """Give the place where an operation puts files in a worktree; what git reads for it goes into the quarantine."""
    place = sources.quarantine.writing(place_of_files(sources.repository, worktree))
    return Target(worktree.key, aside_of(worktree.key, operation), place, sources.repository.object_format)


def _changes(sources: Sources, present: PresentState, state: State) -> dict[str, Change]:
    """Give what would be another file there, by path.

    A submodule stays as it is, and so does what is left out (git-sparse-checkout(1)), now as then.
    """
    changed = sources.trees.touched(present.tree, state.tree)
    lacking = frozenset(unfetched(sources.repository, state.tree)) if changed else frozenset()
    return {
        path: one
        for path, one in changed.items()
        if not (is_submodule(one) or path in lacking or _is_left_out(sources, present.worktree, state, one))
    }


def _is_left_out(sources: Sources, worktree: Worktree, state: State, change: Change) -> bool:
    """Tell whether a file is committed, now as then, and is not on disk now, which to git is no change."""
    after, head = change.after, state.facts.head
    if change.before is None or after is None or head is None:
        return False
    if os.path.lexists(os.path.join(worktree.key, change.path)):
        return False
    return sources.trees.entry(tree_of(sources.quarantine.objects, head), change.path) == after


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


def rewind_diff(plan: RewindPlan) -> str | Failure:
    """Show what going back would change, as a diff; of a worktree that is gone, what it had besides its HEAD."""
    if plan.worktree is None:
        head = plan.state.facts.head
        return ask(plan.repository, plan.options, lambda sources: diff_of(sources, head, plan.state.tree))

    def use(sources: Sources, present: PresentState) -> str:
        return diff_of(sources, present.tree, plan.state.tree)

    return with_present(plan.repository, plan.worktree, plan.options, use)


def diff_of(sources: Sources, before: str | None, after: str, paths: Sequence[str] = ()) -> str:
    """Show the difference of two commits or trees, of some paths only where they are given; None is an empty one."""
    objects = sources.quarantine.objects
    base = tree_of(objects, before) if before is not None else objects.empty_tree
    chosen = ("--", *paths) if paths else ()
    how = ("--literal-pathspecs", *DIFF, base, tree_of(objects, after), *chosen)
    return run(sources.quarantine.plumbing, *how).decode("utf-8", "replace")


def write_diff(folder: Path, name: str, text: str) -> Path:
    """Put a diff into a file that only its reader can read; gives its path."""
    place = folder / f"{name}.diff"
    place.unlink(missing_ok=True)
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return place
