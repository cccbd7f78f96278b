"""End a merge into a worktree once its conflicts are resolved, as `git merge --continue` does, with git's own message.

A file whose conflict markers are gone is taken for resolved; what leaves none waits for `git add`. Only the index is
committed: what is edited beside the conflicts stays as it is.
"""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from sidecar.git.process import GitError, Place
from sidecar.git.repository import Repository, list_worktrees
from sidecar.git.status import read_unmerged
from sidecar.git.user_git import UserGit, run_user_git
from sidecar.model.decode import AbsolutePath, ObjectId, Seconds
from sidecar.model.findings import Failure, Finding, finding
from sidecar.model.picture import Worktree
from sidecar.model.settings import Options
from sidecar.model.words import counted, named, shown, them
from sidecar.operations.journal import Journal, advance, decode_facts, finish
from sidecar.operations.merge.conflicts import unfinished
from sidecar.operations.merge.land import clear_worktree_locks, head_locks
from sidecar.operations.merge.make_commit import quoted
from sidecar.operations.merge.run import head_commit, worktree_at
from sidecar.operations.run import QUIET, Agreed, Control, Plan, run_plan, who_holds
from sidecar.session.once import worktree_called
from sidecar.session.reader import ask_repository
from sidecar.system.processes import end_marked

ADDING, COMMITTING = "add", "commit"


@dataclass(frozen=True, slots=True)
class ContinuePlan(Plan):
    """A merge that waits in a worktree; `settled` are the paths that are resolved on the disk and not yet added."""

    worktree: Worktree
    settled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContinueResult:
    """What became of it. `refused`: as it was; `failed`: git, or a hook, did not commit, and the merge still waits."""

    outcome: Literal["continued", "refused", "failed"]
    path: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class ContinueFacts:
    """What the journal tells: the worktree's path, its HEAD before, and when it began."""

    worktree: AbsolutePath
    head: ObjectId
    since: Seconds


def plan_continue(folder: Path, name: str, options: Options) -> ContinuePlan | Failure:
    """Plan to end the merge that is under way in the worktree of this name, branch or path; nothing is written."""
    return ask_repository(folder, options, lambda repository: _plan(repository, folder, name, options))


def _plan(repository: Repository, folder: Path, name: str, options: Options) -> ContinuePlan | Failure:
    worktree = worktree_called(list_worktrees(repository), name, folder)
    if isinstance(worktree, Failure):
        return worktree
    plan = ContinuePlan(folder, repository.common_dir, options, worktree)
    called = shown(worktree.name)
    if worktree.problem is not None or not worktree.readable or worktree.head is None:
        return replace(plan, findings=(finding("problem", worktree.problem or f"{called} has no files or no commit."),))
    if not worktree.merging:
        word = unfinished(worktree)
        if word is not None:
            said = f"{word} is unfinished in {called}. Finish or abort it."
            return replace(plan, findings=(finding("operation-in-progress", said),))
        return replace(plan, findings=(finding("nothing-to-continue", f"No merge is in progress in {called}."),))
    unmerged = read_unmerged(repository, worktree)
    findings = []
    if paths := unmerged.unresolved:
        files, it = counted(len(paths), "file", "files"), them(len(paths))
        said = f"{files} in {called} still to be resolved: {named(paths, 5)}. Resolve {it}, and save or git add {it}."
        findings.append(finding("unresolved", said, paths))
    if (busy := who_holds(repository.common_dir)) is not None:
        findings.append(busy)
    return replace(plan, settled=unmerged.settled, findings=tuple(findings))


def apply_continue(plan: ContinuePlan, control: Control = QUIET) -> ContinueResult:
    """Add what is resolved, and commit the merge with everything that the person has configured."""
    key = plan.worktree.key
    return run_plan(
        plan,
        control,
        doing=f"continuing the merge in {shown(plan.worktree.name)}",
        again=lambda _repository: plan_continue(plan.folder, key, plan.options),
        essence=lambda one: (one.worktree.head, one.worktree.branch, one.worktree.merging, one.settled),
        refused=lambda findings: ContinueResult("refused", key, findings),
        steps=_continue,
    )


def _continue(agreed: Agreed[ContinuePlan]) -> ContinueResult:
    worktree, sidecar_dir = agreed.plan.worktree, agreed.sidecar_dir
    assert worktree.head is not None
    facts = ContinueFacts(worktree.key, worktree.head, time.time())
    try:
        entry = agreed.begin("continue", ADDING, asdict(facts))
        acting = agreed.acting(entry)
        told = _add(acting, agreed.plan)
        if told is None:
            entry = advance(sidecar_dir, entry, COMMITTING)
            told = _commit(agreed.repository, acting, agreed.plan, agreed.control)
        finish(sidecar_dir)
    except OSError as error:
        said = f"{sidecar_dir} can't be written: {error}"
        return ContinueResult("failed", worktree.key, (finding("bad-state", said),))
    return ContinueResult("continued" if told is None else "failed", worktree.key, () if told is None else (told,))


def _add(acting: UserGit, plan: ContinuePlan) -> Finding | None:
    """Add what is resolved on the disk; gives why it could not be."""
    if not plan.settled:
        return None
    listing = b"".join(os.fsencode(path) + b"\0" for path in plan.settled)
    how = ("--literal-pathspecs", "add", "--pathspec-from-file=-", "--pathspec-file-nul")
    try:
        said = run_user_git(acting, Place(plan.worktree.key), *how, stdin=listing)
    except GitError as error:
        return finding("merge-failed", error.message)
    if said.ok:
        return None
    return finding("merge-failed", f"Git did not add what is resolved in {shown(plan.worktree.name)}: {quoted(said)}")


def _commit(repository: Repository, acting: UserGit, plan: ContinuePlan, control: Control) -> Finding | None:
    """Commit the merge; gives why it was not. The editor that git would open for the message leaves it as it is."""
    worktree = plan.worktree
    control.stage(f"Committing the merge in {shown(worktree.name)}")
    try:
        said = run_user_git(acting, Place(worktree.key), "merge", "--continue")
        if said.stopped is not None:
            end_marked(acting.tag)
        if head_commit(repository, worktree) != worktree.head:
            return None
    except GitError as error:
        return finding("merge-failed", error.message)
    told = f"Git did not commit the merge in {shown(worktree.name)}: {quoted(said)}"
    return finding("merge-failed", f"{told}\nIt still waits there.")


def recover_continue(repository: Repository, sidecar_dir: Path, journal: Journal) -> tuple[Finding, ...]:
    """Say how the end of a merge was ended that was killed: it is committed, or still waits; both are whole."""
    facts = decode_facts(ContinueFacts, journal)
    if isinstance(facts, Finding):
        return (facts,)
    worktree = worktree_at(repository, facts.worktree)
    done = "is over"
    try:
        if worktree is not None:
            clear_worktree_locks(worktree, head_locks(repository, worktree, worktree.branch), facts.since, journal.id)
            has_moved = head_commit(repository, worktree) != facts.head
            done = "is done" if has_moved else "still waits there. Continue it, or run: git merge --abort"
    except (GitError, OSError) as error:
        said = (
            f"A merge in {shown(facts.worktree)} was being committed, and that can't be brought to an end now: {error}"
        )
        return (finding("not-recovered", said),)
    finish(sidecar_dir)
    name = shown(worktree.name if worktree is not None else facts.worktree)
    return (finding("recovered", f"The merge in {name} that was being committed ({journal.id}) {done}."),)
