"""How a merge of trunk into a worktree ends whose git was killed: finished, waiting for a person, or taken back."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from sidecar.git.acting import Act, act
from sidecar.git.objects import tree_of
from sidecar.git.process import GitError, Place, run
from sidecar.git.refs import has_commit, is_ancestor
from sidecar.git.repository import Repository
from sidecar.git.status import read_uncommitted
from sidecar.model.changes import Entry
from sidecar.model.findings import Failure, Finding, blocks, info
from sidecar.model.messages import counted, named, shown, them
from sidecar.model.object_ids import is_object_id
from sidecar.model.picture import Worktree
from sidecar.operations.journal import Journal, finish
from sidecar.operations.merge.desk import head_commit, worktree_at
from sidecar.operations.merge.locks import clear_worktree_locks, head_locks
from sidecar.operations.merge.progress import unfinished
from sidecar.session.sources import Options, Sources, ask


def recover_update(repository: Repository, state: Path, journal: Journal) -> tuple[Finding, ...]:
    """Say how a merge of trunk into a worktree ended that was killed; what git had begun to write is put back."""
    key, before, trunk = (str(journal.facts.get(name)) for name in ("worktree", "head", "trunk"))
    since = journal.facts.get("since")
    if (
        isinstance(since, bool)
        or not isinstance(since, int | float)
        or not all(is_object_id(commit) and has_commit(repository.place, commit) for commit in (before, trunk))
    ):
        said = f"The journal of {journal.id} is not as we wrote it. Look at it, and move it away."
        return (blocks("bad-journal", said),)
    worktree = worktree_at(repository, key)
    try:
        done, told = _settle(repository, journal, worktree, before, trunk) if worktree is not None else ("is over", [])
    except (GitError, OSError) as error:
        said = f"Trunk was being merged into {shown(key)}, and that can't be brought to an end now: {error}"
        return (blocks("not-recovered", said),)
    finish(state)
    name = shown(worktree.name) if worktree is not None else shown(key)
    return (info("recovered", f"The merge of trunk into {name} that was ended half-way ({journal.id}) {done}."), *told)


def _settle(
    repository: Repository, journal: Journal, worktree: Worktree, before: str, trunk: str
) -> tuple[str, list[Finding]]:
    """(what became of it, what a person has to know); GitError or OSError when it has to be tried again."""
    locks = head_locks(repository, worktree, worktree.branch)
    clear_worktree_locks(worktree, locks, float(journal.facts["since"]), journal.id)
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
    return "was taken back, but for what a person has to look at", [info("half-written", said, found)]


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
    acting = Act(journal.id, repository=repository.common_dir)
    if back:
        listing = b"".join(os.fsencode(path) + b"\0" for path in sorted(back))
        done = act(acting, Place(worktree.key), "checkout-index", "--force", "--quiet", "-z", "--stdin", stdin=listing)
        if not done.ok:
            raise GitError(done.last_words)
    act(acting, Place(worktree.key), "update-index", "-q", "--refresh")
    return tuple(sorted((edits.keys() - ours) | (set(found.skipped) & written.keys())))


def _what_git_writes(sources: Sources, before: str, trunk: str) -> dict[str, set[Entry | None]]:
    """By path, what a merge of trunk may have put there: trunk's content, or what git merges."""
    objects, repository = sources.quarantine.objects, sources.repository
    trees = [tree_of(objects, trunk)]
    with contextlib.suppress(GitError):
        place = sources.quarantine.writing(repository.place, repository)
        said = run(place, "merge-tree", "--write-tree", before, trunk, accept=(0, 1))
        trees.append(said.split(b"\n")[0].decode("ascii"))
    written: dict[str, set[Entry | None]] = {}
    for tree in trees:
        for path, change in sources.trees.touched(tree_of(objects, before), tree).items():
            written.setdefault(path, set()).add(change.after)
    return written
