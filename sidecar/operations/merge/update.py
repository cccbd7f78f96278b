"""Merge trunk, or another worktree, into a worktree, and leave conflicts there as git leaves them, to be resolved.

Of another worktree its commits are merged, as git does: what is not committed there is named, and stays there.

An update whose git was killed is found finished, left waiting for a person, or taken back by the next command.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from sidecar.git.judge import Question
from sidecar.git.objects import tree_of
from sidecar.git.process import GitError, Place, run
from sidecar.git.refs import has_commit, is_ancestor
from sidecar.git.repository import Repository, list_worktrees
from sidecar.git.status import changed_paths, read_uncommitted
from sidecar.git.user_git import UserGit, run_user_git
from sidecar.model.changes import Change, Entry
from sidecar.model.decode import AbsolutePath, ObjectId, Seconds
from sidecar.model.findings import Failure, Finding, finding
from sidecar.model.picture import Trunk, Worktree
from sidecar.model.settings import Options
from sidecar.model.words import counted, named, shown, them
from sidecar.operations.journal import Journal, bad_journal, decode_facts, finish
from sidecar.operations.merge.blockers import in_the_way, index_lock, unmerged_paths
from sidecar.operations.merge.conflicts import unfinished
from sidecar.operations.merge.land import clear_worktree_locks, head_locks
from sidecar.operations.merge.make_commit import quoted
from sidecar.operations.merge.run import head_commit, tree_changes, worktree_at
from sidecar.operations.run import QUIET, Agreed, Control, Plan, run_plan, who_holds
from sidecar.session.once import resolve_worktree, worktree_called
from sidecar.session.reader import Sources, ask, ask_repository, settings_of
from sidecar.system.processes import end_marked


@dataclass(frozen=True, slots=True)
class Incoming:
    """What is merged into a worktree: what it is called, its full ref (None: a detached HEAD), and its commit."""

    name: str
    ref: str | None
    commit: str | None


@dataclass(frozen=True, slots=True)
class UpdatePlan(Plan):
    """A merge into one worktree, not begun; `behind` counts the incoming commits that it lacks.

    `source` is the worktree that they come from, None for trunk.
    """

    worktree: Worktree
    incoming: Incoming
    source: Worktree | None = None
    behind: int = 0


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """What became of it: `conflicts` are the paths to be resolved, in the worktree at `path`.

    `updated`: it is merged; `conflicts`: git waits for them to be resolved, or with none left for a look at what it
    resolved as before; `refused`: as it was; `failed`: as it was, or with the merge unfinished there (`waits`).
    """

    outcome: Literal["updated", "conflicts", "refused", "failed"]
    path: str
    conflicts: tuple[str, ...]
    findings: tuple[Finding, ...]
    waits: bool = False


@dataclass(frozen=True, slots=True)
class UpdateFacts:
    """An update as its journal tells it: the worktree's path, its HEAD before, what is merged, and when it began."""

    worktree: AbsolutePath
    head: ObjectId
    incoming: ObjectId
    since: Seconds


def plan_update(folder: Path, name: str, options: Options, source: str | None = None) -> UpdatePlan | Failure:
    """Plan to merge trunk, or the worktree `source`, into the worktree of this name, branch or path.

    Writes nothing, runs nothing.
    """
    return ask_repository(folder, options, lambda repository: _plan(repository, folder, name, options, source))


def _plan(
    repository: Repository, folder: Path, name: str, options: Options, source: str | None
) -> UpdatePlan | Failure:
    settings = settings_of(repository, options)
    resolved = resolve_worktree(repository, folder, name, str(settings["trunk"]))
    if isinstance(resolved, Failure):
        return resolved
    worktree, trunk = resolved.worktree, resolved.trunk
    other = None if source is None else worktree_called(list_worktrees(repository), source, folder)
    if isinstance(other, Failure):
        return other
    if other is not None and other.key == worktree.key:
        return Failure("bad-arguments", f"{shown(worktree.name)} can't be merged into itself.")
    incoming = _incoming(trunk, other)
    plan = UpdatePlan(folder, repository.common_dir, options, worktree, incoming, other)
    findings: list[Finding] = []
    called, branch = shown(worktree.name), shown(incoming.name)
    if incoming.commit is None:
        findings.append(finding("no-local-trunk", f"{'Trunk ' if other is None else ''}{branch} has no commit yet."))
    elif worktree.branch == trunk.branch:
        instead = "" if other is None else f" Merge {branch} into trunk instead."
        findings.append(finding("is-trunk", f"{called} is trunk itself ({shown(trunk.branch)}).{instead}"))
    elif worktree.problem is not None or not worktree.readable or worktree.head is None:
        findings.append(finding("problem", worktree.problem or f"{called} has no files or no commit."))
    elif (word := unfinished(worktree)) is not None:
        findings.append(finding("operation-in-progress", f"{word} is unfinished in {called}. Finish or abort it."))
    elif (locked := index_lock(worktree)) is not None:
        findings.append(finding("operation-in-progress", locked))
    if findings:
        return replace(plan, findings=tuple(findings))
    assert worktree.head is not None
    behind = int(run(repository.place, "rev-list", "--count", f"{worktree.head}..{incoming.commit}", "--"))
    if not behind:
        findings.append(finding("nothing-to-merge", f"{called} has all commits of {branch} already."))
    else:
        findings += _overwritten(repository, plan)
    if other is not None and (paths := _uncommitted(repository, other)):
        files, verb = counted(len(paths), "file", "files"), "is" if len(paths) == 1 else "are"
        said = f"{files} in {shown(other.name)} {verb} not committed, and not merged: {named(paths)}."
        findings.append(finding("left-uncommitted", said, paths))
    if (busy := who_holds(repository.common_dir)) is not None:
        findings.append(busy)
    return replace(plan, behind=behind, findings=tuple(findings))


def _incoming(trunk: Trunk, other: Worktree | None) -> Incoming:
    if other is None:
        return Incoming(trunk.branch, trunk.ref, trunk.commit)
    return Incoming(other.branch or other.name, f"refs/heads/{other.branch}" if other.branch else None, other.head)


def _uncommitted(repository: Repository, worktree: Worktree) -> tuple[str, ...]:
    """List what is not committed in a worktree that is merged from, sorted; nothing where it has no files."""
    if not worktree.readable:
        return ()
    return tuple(sorted(changed_paths(repository.inside(worktree), untracked=True, submodules="all")))


def _overwritten(repository: Repository, plan: UpdatePlan) -> list[Finding]:
    """Find what a merge might write over: git guards what it tracks and what is untracked, not what it ignores.

    Every path that was changed there since they parted may be written; so may the index, which must be as in HEAD.
    """
    worktree, incoming, found = plan.worktree, plan.incoming, []
    assert worktree.head is not None
    called, branch = shown(worktree.name), shown(incoming.name)
    bases = run(repository.place, "merge-base", worktree.head, f"{incoming.commit}", accept=(0, 1)).decode().split()
    if not bases:
        return [finding("unrelated", f"{called} shares no history with {branch}, so git would not merge them.")]
    staged = run(repository.inside(worktree), "diff-index", "--cached", "--name-only", "-z", "--no-ext-diff", "HEAD")
    if paths := tuple(os.fsdecode(path) for path in staged.split(b"\0") if path):
        found.append(finding("uncommitted", f"{called} has staged changes. Commit them first.", paths))
    theirs = tree_changes(repository, bases[0], f"{incoming.commit}")
    ahead = tree_changes(repository, worktree.head, f"{incoming.commit}")
    changes = {path: change for path, change in ahead.items() if path in theirs} | _merged(repository, plan)
    if paths := in_the_way(repository, worktree, changes):
        files, it = counted(len(paths), "uncommitted file", "uncommitted files"), them(len(paths))
        said = f"Merging {branch} would write over {files} in {called}: {named(paths, 5)}."
        found.append(finding("would-overwrite", f"{said} Commit {it}, or move {it} away.", paths))
    return found


def _merged(repository: Repository, plan: UpdatePlan) -> dict[str, Change]:
    """Give what git's merge makes other than HEAD, also at paths that the incoming commit does not have.

    Git puts a new file into the new place of a renamed directory, and more than one merge base can bring back a file
    that the incoming commit only kept. Nothing where git can't merge the two.
    """
    head, commit = str(plan.worktree.head), str(plan.incoming.commit)

    def question(sources: Sources) -> dict[str, Change]:
        objects, trees = sources.quarantine.objects, sources.trees
        ours, theirs = tree_of(objects, head), tree_of(objects, commit)
        bases = sources.history.merge_bases(*sorted((head, commit)))
        base = tree_of(objects, bases[0])
        asked = Question(ours, theirs, base) if len(bases) == 1 else Question(ours, theirs, None, (head, commit))
        merge = sources.judge.merge_trees(asked, {*trees.touched(base, ours), *trees.touched(base, theirs)})
        return trees.touched(ours, merge.tree)

    found = ask(repository, plan.options, question)
    return {} if isinstance(found, Failure) else found


def apply_update(plan: UpdatePlan, control: Control = QUIET) -> UpdateResult:
    """Merge into the worktree with everything that the person has configured; conflicts stay there."""
    source = plan.source.key if plan.source is not None else None
    return run_plan(
        plan,
        control,
        doing=f"merging {shown(plan.incoming.name)} into {shown(plan.worktree.name)}",
        again=lambda _repository: plan_update(plan.folder, plan.worktree.key, plan.options, source),
        essence=lambda one: (one.worktree.head, one.worktree.branch, one.incoming),
        refused=lambda findings: UpdateResult("refused", plan.worktree.key, (), findings),
        steps=_update,
    )


def _name(repository: Repository, incoming: Incoming) -> str:
    """Name what is merged as the conflict markers shall call it: by its branch, where that can mean nothing else."""
    if incoming.ref is None:
        return f"{incoming.commit}"
    short = os.fsdecode(run(repository.place, "rev-parse", "--abbrev-ref=strict", incoming.ref)).strip()
    return f"{incoming.commit}" if not short or short.startswith("-") else short


def _update(agreed: Agreed[UpdatePlan]) -> UpdateResult:
    worktree, incoming, sidecar_dir = agreed.plan.worktree, agreed.plan.incoming, agreed.sidecar_dir
    assert worktree.head is not None
    assert incoming.commit is not None
    facts = UpdateFacts(worktree.key, worktree.head, incoming.commit, time.time())
    try:
        entry = agreed.begin("update", "merge", asdict(facts))
        result = _merge(agreed.repository, agreed.plan, agreed.acting(entry), agreed.control)
        finish(sidecar_dir)
    except OSError as error:
        return UpdateResult(
            "failed", worktree.key, (), (finding("bad-state", f"{sidecar_dir} can't be written: {error}"),)
        )
    except GitError as error:  # the next command settles it
        return UpdateResult("failed", worktree.key, (), (finding("merge-failed", error.message),))
    return result


def _merge(repository: Repository, plan: UpdatePlan, acting: UserGit, control: Control) -> UpdateResult:
    worktree, incoming = plan.worktree, plan.incoming
    control.stage(f"Merging {shown(incoming.name)} into {shown(worktree.name)}")
    fixed = ("--no-edit", "--no-stat", "--no-autostash", "--commit", "--no-squash", *_fast_forward(repository, plan))
    try:
        wording = _message(repository, plan)
        said = run_user_git(acting, Place(worktree.key), "merge", *fixed, "-m", wording, _name(repository, incoming))
        if not said.ok and said.stopped is not None:
            end_marked(acting.tag)
        paths = unmerged_paths(repository, worktree)
    except GitError as error:
        return UpdateResult("failed", worktree.key, (), (finding("merge-failed", error.message),))
    if paths:
        return UpdateResult("conflicts", worktree.key, paths, ())
    if said.ok and head_commit(repository, worktree) != worktree.head:
        return UpdateResult("updated", worktree.key, (), ())
    waits = unfinished(worktree) is not None
    if waits and (settled := _resolved_before(repository, plan)):
        files, it = counted(len(settled), "file", "files"), them(len(settled))
        text = (
            f"Git has resolved {files} in {shown(worktree.name)} as before (rerere): {named(settled, 5)}. Look at {it}."
        )
        return UpdateResult("conflicts", worktree.key, (), (finding("resolved-before", text, settled),))
    told = f"Git did not merge {shown(incoming.name)} into {shown(worktree.name)}: {quoted(said)}"
    if waits:
        told += "\nThe merge is unfinished there. Commit it, or take it back with: git merge --abort"
    return UpdateResult("failed", worktree.key, (), (finding("merge-failed", told),), waits)


def _resolved_before(repository: Repository, plan: UpdatePlan) -> tuple[str, ...]:
    """List the paths that conflict, sorted, where git stages what it has resolved before; none where it does not."""
    worktree, how = plan.worktree, ("config", "--type=bool", "--get", "rerere.autoUpdate")
    if run(repository.inside(worktree), *how, accept=(0, 1)) != b"true\n":
        return ()
    merging = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z")
    said = run(repository.place, *merging, f"{worktree.head}", f"{plan.incoming.commit}", accept=(0, 1))
    return tuple(sorted({os.fsdecode(path) for path in said.split(b"\0")[1:] if path}))


def _fast_forward(repository: Repository, plan: UpdatePlan) -> tuple[str, ...]:
    """Give `--no-ff` where there is something to merge, because merge.ff may allow nothing but a fast-forward."""
    worktree, incoming = plan.worktree, plan.incoming
    return () if is_ancestor(repository.place, f"{worktree.head}", f"{incoming.commit}") else ("--no-ff",)


def _message(repository: Repository, plan: UpdatePlan) -> str:
    """Give git's own message: of the branch by its name, of one that is at origin only as such.

    Git itself adds what merge.log asks for.
    """
    incoming, into = plan.incoming, plan.worktree.branch or "HEAD"
    ref, what = incoming.ref, f"branch '{incoming.name}' of ."
    if ref is None:
        what = f"commit '{incoming.commit}'"
    elif ref.startswith("refs/remotes/"):
        what = f"remote-tracking branch '{ref.removeprefix('refs/remotes/')}' of ."
    line = os.fsencode(f"{incoming.commit}\t\t{what}\n")
    said = run(repository.inside(plan.worktree), "fmt-merge-msg", "--no-log", "--into-name", into, stdin=line)
    return said.decode("utf-8", "surrogateescape").strip("\n")


def recover_update(repository: Repository, sidecar_dir: Path, journal: Journal) -> tuple[Finding, ...]:
    """Say how a merge into a worktree ended that was killed; what git had begun to write is put back."""
    facts = decode_facts(UpdateFacts, journal)
    if isinstance(facts, Finding):
        return (facts,)
    if not all(has_commit(repository.place, commit) for commit in (facts.head, facts.incoming)):
        return (bad_journal(f"The journal of {journal.id} names a commit that is not there."),)
    key = facts.worktree
    worktree = worktree_at(repository, key)
    try:
        done, told = _settle(repository, journal, worktree, facts) if worktree is not None else ("is over", [])
    except (GitError, OSError) as error:
        said = f"A merge into {shown(key)} was under way, and that can't be brought to an end now: {error}"
        return (finding("not-recovered", said),)
    finish(sidecar_dir)
    name = shown(worktree.name) if worktree is not None else shown(key)
    return (
        finding("recovered", f"The merge into {name} that was ended half-way ({journal.id}) {done}."),
        *told,
    )


def _settle(
    repository: Repository, journal: Journal, worktree: Worktree, facts: UpdateFacts
) -> tuple[str, list[Finding]]:
    """Give (what became of it, what a person has to know); GitError or OSError when it has to be tried again."""
    before, merged = facts.head, facts.incoming
    clear_worktree_locks(worktree, head_locks(repository, worktree, worktree.branch), facts.since, journal.id)
    now = head_commit(repository, worktree)
    if now is not None and now != before and is_ancestor(repository.place, merged, now):
        return "is done", []
    if unfinished(worktree) is not None:
        return "waits there. Resolve what conflicts and commit it, or run: git merge --abort", []
    if now != before:
        return "has left the worktree, which has moved on since", []
    options = Options(trusted=repository.trusted)
    found = ask(Path(worktree.key), options, lambda sources: _take_back(sources, journal, worktree, before, merged))
    if isinstance(found, Failure):
        raise GitError(found.message)
    if not found:
        return "was taken back", []
    it, verb = them(len(found)), "is" if len(found) == 1 else "are"
    files = f"{counted(len(found), 'file', 'files')} in {shown(worktree.name)}"
    said = f"{files} {verb} neither as before nor as merged: {named(found)}. To have {it} as before: git restore PATH"
    return "was taken back, but for what a person has to look at", [finding("half-written", said, found)]


def _take_back(sources: Sources, journal: Journal, worktree: Worktree, before: str, merged: str) -> tuple[str, ...]:
    """Put back what git wrote, where it is just that; gives the paths that hold something else.

    A merge was only begun while nothing uncommitted was at any path that it might write.
    """
    repository, was = sources.repository, tree_of(sources.quarantine.objects, before)
    written = _what_git_writes(sources, before, merged)
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


def _what_git_writes(sources: Sources, before: str, merged: str) -> dict[str, set[Entry | None]]:
    """Give by path what a merge may have put there: the incoming content, or what git merges."""
    objects, repository = sources.quarantine.objects, sources.repository
    trees = [tree_of(objects, merged)]
    with contextlib.suppress(GitError):
        place = sources.quarantine.writing(repository.place)
        said = run(place, "merge-tree", "--write-tree", before, merged, accept=(0, 1))
        trees.append(said.split(b"\n")[0].decode("ascii"))
    written: dict[str, set[Entry | None]] = {}
    for tree in trees:
        for path, change in sources.trees.touched(tree_of(objects, before), tree).items():
            written.setdefault(path, set()).add(change.after)
    return written
