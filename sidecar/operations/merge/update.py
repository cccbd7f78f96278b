"""Merging trunk into a worktree, where the work is: conflicts are left there as git leaves them, to be resolved."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sidecar.git.acting import act
from sidecar.git.process import GitError, Place, run
from sidecar.git.repository import Repository, open_repository, unreadable
from sidecar.model.findings import Failure, Finding, as_finding, blocks, is_blocked
from sidecar.model.messages import counted, named, shown, them
from sidecar.model.picture import Trunk, Worktree
from sidecar.operations.control import QUIET, Control
from sidecar.operations.journal import begin, finish, left_over
from sidecar.operations.lock import hold, who_holds
from sidecar.operations.merge.desk import head_commit, tree_changes
from sidecar.operations.merge.making import quoted
from sidecar.operations.merge.obstacles import in_the_way, unmerged_paths
from sidecar.operations.merge.progress import unfinished
from sidecar.operations.receipts import new_id
from sidecar.operations.scene import set_scene
from sidecar.session.sources import Options, settings_of
from sidecar.system.processes import end_marked


@dataclass(frozen=True, slots=True)
class UpdatePlan:
    """A merge of trunk into one worktree, not begun; `behind` counts the commits of trunk that it lacks."""

    folder: Path
    common_dir: str
    worktree: Worktree
    trunk: Trunk
    options: Options
    behind: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether something stands in the way."""
        return is_blocked(self.findings)


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """What became of it: `conflicts` are the paths to be resolved, in the worktree at `path`.

    `updated`: trunk is merged; `conflicts`: git waits for them to be resolved; `refused` and `failed`: as it was.
    """

    outcome: Literal["updated", "conflicts", "refused", "failed"]
    path: str
    conflicts: tuple[str, ...]
    findings: tuple[Finding, ...]


def plan_update(folder: Path, name: str, options: Options) -> UpdatePlan | Failure:
    """The plan for merging trunk into the worktree of this name, branch or path; writes nothing, runs nothing."""
    repository = open_repository(folder, trust=options.trusted)
    if isinstance(repository, Failure):
        return repository
    try:
        return _plan(repository, folder, name, options)
    except GitError as error:
        return unreadable(error)


def _plan(repository: Repository, folder: Path, name: str, options: Options) -> UpdatePlan | Failure:
    settings = settings_of(repository, options)
    scene = set_scene(repository, folder, name, str(settings["trunk"]))
    if isinstance(scene, Failure):
        return scene
    worktree, trunk = scene.worktree, scene.trunk
    plan = UpdatePlan(folder, repository.common_dir, worktree, trunk, options)
    findings: list[Finding] = []
    called, branch = shown(worktree.name), shown(trunk.branch)
    if trunk.commit is None:
        findings.append(blocks("no-local-trunk", f"Trunk {branch} has no commit yet."))
    elif worktree.branch == trunk.branch:
        findings.append(blocks("is-trunk", f"{called} is trunk itself ({branch})."))
    elif worktree.problem is not None or not worktree.readable or worktree.head is None:
        findings.append(blocks("problem", worktree.problem or f"{called} has no files or no commit."))
    elif (word := unfinished(worktree)) is not None:
        findings.append(blocks("operation-in-progress", f"{word} is unfinished in {called}. Finish or abort it."))
    if findings:
        return UpdatePlan(folder, repository.common_dir, worktree, trunk, options, 0, tuple(findings))
    assert trunk.commit is not None
    assert worktree.head is not None
    behind = int(run(repository.place, "rev-list", "--count", f"{worktree.head}..{trunk.commit}", "--"))
    if not behind:
        findings.append(blocks("nothing-to-merge", f"{called} has all of {branch} already."))
    else:
        findings += _overwritten(repository, plan)
    if (busy := who_holds(repository.common_dir)) is not None:
        findings.append(busy)
    return UpdatePlan(folder, repository.common_dir, worktree, trunk, options, behind, tuple(findings))


def _overwritten(repository: Repository, plan: UpdatePlan) -> list[Finding]:
    """What a merge might write over: git guards what it tracks and what is untracked, but not what it ignores.

    Every path that trunk changed since they parted may be written; so may the index, which must be as in HEAD.
    """
    worktree, trunk, found = plan.worktree, plan.trunk, []
    assert worktree.head is not None
    called, branch = shown(worktree.name), shown(trunk.branch)
    bases = run(repository.place, "merge-base", worktree.head, f"{trunk.commit}", accept=(0, 1)).decode().split()
    if not bases:
        return [blocks("unrelated", f"{called} shares no history with {branch}, so git would not merge them.")]
    staged = run(repository.inside(worktree), "diff-index", "--cached", "--name-only", "-z", "--no-ext-diff", "HEAD")
    if paths := tuple(os.fsdecode(path) for path in staged.split(b"\0") if path):
        found.append(blocks("uncommitted", f"{called} has staged changes. Commit them first.", paths))
    theirs = tree_changes(repository, bases[0], f"{trunk.commit}")
    ahead = tree_changes(repository, worktree.head, f"{trunk.commit}")
    changes = {path: change for path, change in ahead.items() if path in theirs}
    if paths := in_the_way(repository, worktree, changes):
        files, it = counted(len(paths), "uncommitted file", "uncommitted files"), them(len(paths))
        said = f"Merging {branch} would write over {files} in {called}: {named(paths, 5)}."
        found.append(blocks("would-overwrite", f"{said} Commit {it}, or move {it} away.", paths))
    return found


def apply_update(plan: UpdatePlan, control: Control = QUIET) -> UpdateResult:
    """Merge trunk into the worktree with everything that the person has configured; conflicts stay there."""
    key = plan.worktree.key
    doing = f"merging {shown(plan.trunk.branch)} into {shown(plan.worktree.name)}"
    with hold(plan.common_dir, doing) as held:
        if isinstance(held, Finding):
            return UpdateResult("refused", key, (), (held,))
        if plan.blocked:
            return UpdateResult("refused", key, (), plan.findings)
        if (standing := left_over(held)) is not None:
            return UpdateResult("refused", key, (), (standing,))
        repository = open_repository(plan.folder, trust=plan.options.trusted)
        fresh = plan_update(plan.folder, key, plan.options)
        if isinstance(repository, Failure) or isinstance(fresh, Failure):
            failure = repository if isinstance(repository, Failure) else fresh
            assert isinstance(failure, Failure)
            return UpdateResult("refused", key, (), (as_finding(failure),))
        findings = tuple(finding for finding in fresh.findings if finding.code != "busy")
        if findings:
            return UpdateResult("refused", key, (), findings)
        if _essence(fresh) != _essence(plan):
            said = f"{shown(plan.worktree.name)} or {shown(plan.trunk.branch)} has changed since this was planned."
            return UpdateResult("refused", key, (), (blocks("changed-since", f"{said} Look at it again."),))
        return _update(repository, held, plan, control)


def _essence(plan: UpdatePlan) -> tuple[object, ...]:
    return plan.worktree.head, plan.worktree.branch, plan.trunk


def _name(repository: Repository, trunk: Trunk) -> str:
    """Trunk as the conflict markers shall call it: by its branch, where that can mean nothing else."""
    short = os.fsdecode(run(repository.place, "rev-parse", "--abbrev-ref=strict", trunk.ref)).strip()
    return f"{trunk.commit}" if not short or short.startswith("-") else short


def _update(repository: Repository, state: Path, plan: UpdatePlan, control: Control) -> UpdateResult:
    worktree, trunk = plan.worktree, plan.trunk
    facts = {"worktree": worktree.key, "head": worktree.head, "trunk": trunk.commit, "since": time.time()}
    try:
        entry = begin(state, new_id(state, "update"), "update", "merge", facts)
        result = _merge(repository, plan, entry.id, control)
        finish(state)
    except OSError as error:
        return UpdateResult("failed", worktree.key, (), (blocks("bad-state", f"{state} can't be written: {error}"),))
    return result


def _merge(repository: Repository, plan: UpdatePlan, operation_id: str, control: Control) -> UpdateResult:
    worktree, trunk = plan.worktree, plan.trunk
    control.stage(f"Merging {shown(trunk.branch)} into {shown(worktree.name)}")
    fixed = ("--no-edit", "--no-stat", "--no-autostash", "--commit", "--no-squash")
    wording = _message(repository, plan)
    acting = control.acting(operation_id, plan.common_dir)
    try:
        said = act(acting, Place(worktree.key), "merge", *fixed, "-m", wording, _name(repository, trunk))
        if not said.ok and said.stopped is not None:
            end_marked(acting.mark)
        paths = unmerged_paths(repository, worktree)
    except GitError as error:
        return UpdateResult("failed", worktree.key, (), (blocks("merge-failed", error.message),))
    if paths:
        return UpdateResult("conflicts", worktree.key, paths, ())
    if said.ok and head_commit(repository, worktree) != worktree.head:
        return UpdateResult("updated", worktree.key, (), ())
    told = f"Git did not merge {shown(trunk.branch)} into {shown(worktree.name)}: {quoted(said)}"
    if unfinished(worktree) is not None:
        told += "\nThe merge is unfinished there. Commit it, or take it back with: git merge --abort"
    return UpdateResult("failed", worktree.key, (), (blocks("merge-failed", told),))


def _message(repository: Repository, plan: UpdatePlan) -> str:
    """Git's own message: of the branch by its name, of one that is at origin only as such."""
    trunk, into = plan.trunk, plan.worktree.branch or "HEAD"
    remote = trunk.ref.startswith("refs/remotes/")
    name = trunk.ref.removeprefix("refs/remotes/") if remote else trunk.branch
    kind = "remote-tracking branch" if remote else "branch"
    line = os.fsencode(f"{trunk.commit}\t\t{kind} '{name}' of .\n")
    said = run(repository.place, "fmt-merge-msg", "--into-name", into, stdin=line)
    return said.decode("utf-8", "surrogateescape").strip("\n")
