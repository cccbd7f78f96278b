"""Merge trunk into a worktree, where the work is, and leave conflicts there as git leaves them, to be resolved.

An update whose git was killed is found finished, left waiting for a person, or taken back by the next command.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from sidecar.git.objects import tree_of
from sidecar.git.process import GitError, Place, run
from sidecar.git.refs import has_commit, is_ancestor
from sidecar.git.repository import Repository
from sidecar.git.status import read_uncommitted
from sidecar.git.user_git import UserGit, run_user_git
from sidecar.model.changes import Entry
from sidecar.model.decode import AbsolutePath, ObjectId, Seconds
from sidecar.model.findings import Failure, Finding, finding
from sidecar.model.messages import counted, named, shown, them
from sidecar.model.picture import Trunk, Worktree
from sidecar.model.settings import Options
from sidecar.operations.journal import Journal, bad_journal, decode_facts, finish
from sidecar.operations.merge.blockers import in_the_way, unmerged_paths
from sidecar.operations.merge.conflicts import unfinished
from sidecar.operations.merge.land import clear_worktree_locks, head_locks
from sidecar.operations.merge.make_commit import quoted
from sidecar.operations.merge.run import head_commit, tree_changes, worktree_at
from sidecar.operations.run import QUIET, Agreed, Control, Plan, run_plan, who_holds
from sidecar.session.once import resolve_worktree
from sidecar.session.reader import Sources, ask, ask_repository, settings_of
from sidecar.system.processes import end_marked


@dataclass(frozen=True, slots=True)
class UpdatePlan(Plan):
    """A merge of trunk into one worktree, not begun; `behind` counts the commits of trunk that it lacks."""

    worktree: Worktree
    trunk: Trunk
    behind: int = 0


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """What became of it: `conflicts` are the paths to be resolved, in the worktree at `path`.

    `updated`: trunk is merged; `conflicts`: git waits for them to be resolved; `refused` and `failed`: as it was.
    """

    outcome: Literal["updated", "conflicts", "refused", "failed"]
    path: str
    conflicts: tuple[str, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class UpdateFacts:
    """An update as its journal tells it: the worktree's path, its HEAD before, trunk's commit, and when it began."""

    worktree: AbsolutePath
    head: ObjectId
    trunk: ObjectId
    since: Seconds


def plan_update(folder: Path, name: str, options: Options) -> UpdatePlan | Failure:
    """Plan to merge trunk into the worktree of this name, branch or path; writes nothing, runs nothing."""
    return ask_repository(folder, options, lambda repository: _plan(repository, folder, name, options))


def _plan(repository: Repository, folder: Path, name: str, options: Options) -> UpdatePlan | Failure:
    settings = settings_of(repository, options)
    resolved = resolve_worktree(repository, folder, name, str(settings["trunk"]))
    if isinstance(resolved, Failure):
        return resolved
    worktree, trunk = resolved.worktree, resolved.trunk
    plan = UpdatePlan(folder, repository.common_dir, options, worktree, trunk)
    findings: list[Finding] = []
    called, branch = shown(worktree.name), shown(trunk.branch)
    if trunk.commit is None:
        findings.append(finding("no-local-trunk", f"Trunk {branch} has no commit yet."))
    elif worktree.branch == trunk.branch:
        findings.append(finding("is-trunk", f"{called} is trunk itself ({branch})."))
    elif worktree.problem is not None or not worktree.readable or worktree.head is None:
        findings.append(finding("problem", worktree.problem or f"{called} has no files or no commit."))
    elif (word := unfinished(worktree)) is not None:
        findings.append(finding("operation-in-progress", f"{word} is unfinished in {called}. Finish or abort it."))
    if findings:
        return replace(plan, findings=tuple(findings))
    assert trunk.commit is not None
    assert worktree.head is not None
    behind = int(run(repository.place, "rev-list", "--count", f"{worktree.head}..{trunk.commit}", "--"))
    if not behind:
        findings.append(finding("nothing-to-merge", f"{called} has all of {branch} already."))
    else:
        findings += _overwritten(repository, plan)
    if (busy := who_holds(repository.common_dir)) is not None:
        findings.append(busy)
    return replace(plan, behind=behind, findings=tuple(findings))


def _overwritten(repository: Repository, plan: UpdatePlan) -> list[Finding]:
    """Find what a merge might write over: git guards what it tracks and what is untracked, not what it ignores.

    Every path that trunk changed since they parted may be written; so may the index, which must be as in HEAD.
    """
    worktree, trunk, found = plan.worktree, plan.trunk, []
    assert worktree.head is not None
    called, branch = shown(worktree.name), shown(trunk.branch)
    bases = run(repository.place, "merge-base", worktree.head, f"{trunk.commit}", accept=(0, 1)).decode().split()
    if not bases:
        return [finding("unrelated", f"{called} shares no history with {branch}, so git would not merge them.")]
    staged = run(repository.inside(worktree), "diff-index", "--cached", "--name-only", "-z", "--no-ext-diff", "HEAD")
    if paths := tuple(os.fsdecode(path) for path in staged.split(b"\0") if path):
        found.append(finding("uncommitted", f"{called} has staged changes. Commit them first.", paths))
    theirs = tree_changes(repository, bases[0], f"{trunk.commit}")
    ahead = tree_changes(repository, worktree.head, f"{trunk.commit}")
    changes = {path: change for path, change in ahead.items() if path in theirs}
    if paths := in_the_way(repository, worktree, changes):
        files, it = counted(len(paths), "uncommitted file", "uncommitted files"), them(len(paths))
        said = f"Merging {branch} would write over {files} in {called}: {named(paths, 5)}."
        found.append(finding("would-overwrite", f"{said} Commit {it}, or move {it} away.", paths))
    return found


def apply_update(plan: UpdatePlan, control: Control = QUIET) -> UpdateResult:
    """Merge trunk into the worktree with everything that the person has configured; conflicts stay there."""
    return run_plan(
        plan,
        control,
        doing=f"merging {shown(plan.trunk.branch)} into {shown(plan.worktree.name)}",
        again=lambda _repository: plan_update(plan.folder, plan.worktree.key, plan.options),
        essence=lambda one: (one.worktree.head, one.worktree.branch, one.trunk),
        refused=lambda findings: UpdateResult("refused", plan.worktree.key, (), findings),
        steps=_update,
    )


def _name(repository: Repository, trunk: Trunk) -> str:
    """Name trunk as the conflict markers shall call it: by its branch, where that can mean nothing else."""
    short = os.fsdecode(run(repository.place, "rev-parse", "--abbrev-ref=strict", trunk.ref)).strip()
    return f"{trunk.commit}" if not short or short.startswith("-") else short


def _update(agreed: Agreed[UpdatePlan]) -> UpdateResult:
    worktree, trunk, sidecar_dir = agreed.plan.worktree, agreed.plan.trunk, agreed.sidecar_dir
    assert worktree.head is not None
    assert trunk.commit is not None
    facts = UpdateFacts(worktree.key, worktree.head, trunk.commit, time.time())
    try:
        entry = agreed.begin("update", "merge", asdict(facts))
        result = _merge(agreed.repository, agreed.plan, agreed.acting(entry), agreed.control)
        finish(sidecar_dir)
    except OSError as error:
        return UpdateResult(
            "failed", worktree.key, (), (finding("bad-state", f"{sidecar_dir} can't be written: {error}"),)
        )
    return result


def _merge(repository: Repository, plan: UpdatePlan, acting: UserGit, control: Control) -> UpdateResult:
    worktree, trunk = plan.worktree, plan.trunk
    control.stage(f"Merging {shown(trunk.branch)} into {shown(worktree.name)}")
    fixed = ("--no-edit", "--no-stat", "--no-autostash", "--commit", "--no-squash", *_fast_forward(repository, plan))
    wording = _message(repository, plan)
    try:
        said = run_user_git(acting, Place(worktree.key), "merge", *fixed, "-m", wording, _name(repository, trunk))
        if not said.ok and said.stopped is not None:
            end_marked(acting.tag)
        paths = unmerged_paths(repository, worktree)
    except GitError as error:
        return UpdateResult("failed", worktree.key, (), (finding("merge-failed", error.message),))
    if paths:
        return UpdateResult("conflicts", worktree.key, paths, ())
    if said.ok and head_commit(repository, worktree) != worktree.head:
        return UpdateResult("updated", worktree.key, (), ())
    told = f"Git did not merge {shown(trunk.branch)} into {shown(worktree.name)}: {quoted(said)}"
    if unfinished(worktree) is not None:
        told += "\nThe merge is unfinished there. Commit it, or take it back with: git merge --abort"
    return UpdateResult("failed", worktree.key, (), (finding("merge-failed", told),))


def _fast_forward(repository: Repository, plan: UpdatePlan) -> tuple[str, ...]:
    """Give `--no-ff` where there is something to merge, because merge.ff may allow nothing but a fast-forward."""
    worktree, trunk = plan.worktree, plan.trunk
    return () if is_ancestor(repository.place, f"{worktree.head}", f"{trunk.commit}") else ("--no-ff",)


def _message(repository: Repository, plan: UpdatePlan) -> str:
    """Give git's own message: of the branch by its name, of one that is at origin only as such."""
    trunk, into = plan.trunk, plan.worktree.branch or "HEAD"
    remote = trunk.ref.startswith("refs/remotes/")
    name = trunk.ref.removeprefix("refs/remotes/") if remote else trunk.branch
    kind = "remote-tracking branch" if remote else "branch"
    line = os.fsencode(f"{trunk.commit}\t\t{kind} '{name}' of .\n")
    said = run(repository.place, "fmt-merge-msg", "--into-name", into, stdin=line)
    return said.decode("utf-8", "surrogateescape").strip("\n")


def recover_update(repository: Repository, sidecar_dir: Path, journal: Journal) -> tuple[Finding, ...]:
    """Say how a merge of trunk into a worktree ended that was killed; what git had begun to write is put back."""
    facts = decode_facts(UpdateFacts, journal)
    if isinstance(facts, Finding):
        return (facts,)
    if not all(has_commit(repository.place, commit) for commit in (facts.head, facts.trunk)):
        return (bad_journal(f"The journal of {journal.id} names a commit that is not there."),)
    key = facts.worktree
    worktree = worktree_at(repository, key)
    try:
        done, told = _settle(repository, journal, worktree, facts) if worktree is not None else ("is over", [])
    except (GitError, OSError) as error:
        said = f"Trunk was being merged into {shown(key)}, and that can't be brought to an end now: {error}"
        return (finding("not-recovered", said),)
    finish(sidecar_dir)
    name = shown(worktree.name) if worktree is not None else shown(key)
    return (
        finding("recovered", f"The merge of trunk into {name} that was ended half-way ({journal.id}) {done}."),
        *told,
    )


def _settle(
    repository: Repository, journal: Journal, worktree: Worktree, facts: UpdateFacts
) -> tuple[str, list[Finding]]:
    """Give (what became of it, what a person has to know); GitError or OSError when it has to be tried again."""
    before, trunk = facts.head, facts.trunk
    clear_worktree_locks(worktree, head_locks(repository, worktree, worktree.branch), facts.since, journal.id)
    now = head_commit(repository, worktree)
    if now is not None and now != before and is_ancestor(repository.place, trunk, now):
        return "is done", []
    if unfinished(worktree) is not None:
        return "waits there. Resolve what conflicts and commit it, or run: git merge --abort", []
    if now != before:
        return "has left the worktree, which has moved on since", []
    options = Options(trusted=repository.trusted)
    found = ask(Path(worktree.key), options, lambda sources: _take_back(sources, journal, worktree, before, trunk))
    if isinstance(found, Failure):
        raise GitError(found.message)
    if not found:
        return "was taken back", []
    it, verb = them(len(found)), "is" if len(found) == 1 else "are"
    files = f"{counted(len(found), 'file', 'files')} in {shown(worktree.name)}"
    said = f"{files} {verb} neither as before nor as in trunk: {named(found)}. To have {it} as before: git restore PATH"
    return "was taken back, but for what a person has to look at", [finding("half-written", said, found)]


def _take_back(sources: Sources, journal: Journal, worktree: Worktree, before: str, trunk: str) -> tuple[str, ...]:
    """Put back what git wrote, where it is just that; gives the paths that hold something else.

    A merge was only begun while nothing uncommitted was at any path that it might write.
    """
    repository, was = sources.repository, tree_of(sources.quarantine.objects, before)
    written = _what_git_writes(sources, before, trunk)
    found = read_uncommitted(repository, sources.quarantine, worktree, sources.size_limit)
    edits = {edit.path: edit.now for edit in found.edits if edit.path in written}
    ours = {path for path, now in edits.items() if now in written[path]}
    back = {path for path in ours if sources.trees.entry(was, path) is not None}
    for path in ours - back:
        os.unlink(os.path.join(worktree.key, path))
    acting = UserGit(journal.id, repository=repository.common_dir)
    if back:
        listing = b"".join(os.fsencode(path) + b"\0" for path in sorted(back))
        done = run_user_git(
            acting, Place(worktree.key), "checkout-index", "--force", "--quiet", "-z", "--stdin", stdin=listing
        )
        if not done.ok:
            raise GitError(done.last_words)
    run_user_git(acting, Place(worktree.key), "update-index", "-q", "--refresh")
    return tuple(sorted(edits.keys() - ours))


def _what_git_writes(sources: Sources, before: str, trunk: str) -> dict[str, set[Entry | None]]:
    """Give by path what a merge of trunk may have put there: trunk's content, or what git merges."""
    objects, repository = sources.quarantine.objects, sources.repository
    trees = [tree_of(objects, trunk)]
    with contextlib.suppress(GitError):
        place = sources.quarantine.writing(repository.place)
        said = run(place, "merge-tree", "--write-tree", before, trunk, accept=(0, 1))
        trees.append(said.split(b"\n")[0].decode("ascii"))
    written: dict[str, set[Entry | None]] = {}
    for tree in trees:
        for path, change in sources.trees.touched(tree_of(objects, before), tree).items():
            written.setdefault(path, set()).add(change.after)
    return written
