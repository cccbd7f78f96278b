"""One worktree read: its change set, how far it is from trunk, what is unusual about it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType

from sidecar.git.history import Divergence, had_own_commits
from sidecar.git.objects import edit_tree, tree_of
from sidecar.git.process import GitError
from sidecar.git.status import Edit, Uncommitted, read_uncommitted, reread_raw
from sidecar.model.changes import COMMITTED, Change, ChangeSet, ancestors, merge_sources
from sidecar.model.picture import Integration, Trunk, Worktree, WorktreeState
from sidecar.session.sources import Sources
from sidecar.session.unsaved import Unsaved, lay_over
from sidecar.watch.events import Moment, now

READERS = 4
"""How many worktrees are read at a time."""

NOTHING = Uncommitted(())


INDEX = ("index", "config.worktree", "info/sparse-checkout")
"""What, besides HEAD and the files, says in a worktree's own git directory what is not committed."""

RACY_NS = 100_000_000
"""A file written this recently may be written again without looking otherwise (git's "racy" entries)."""

Marks = tuple[tuple[int, int, int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A worktree as last read: what is not committed in it, or why that could not be read.

    `began` is when the reading began, `marks` what its index looked like then; None when it must not be relied on.
    """

    worktree: Worktree
    uncommitted: Uncommitted = NOTHING
    problem: str | None = None
    began: Moment | None = field(default=None, compare=False)
    marks: Marks | None = field(default=None, compare=False, repr=False)


def marks_of(worktree: Worktree) -> Marks | None:
    """What the files of `INDEX` look like; None right after one was written, when the next change might not show."""
    found: list[tuple[int, int, int, int] | None] = []
    for name in INDEX:
        try:
            at = os.stat(os.path.join(worktree.git_dir, name))
        except OSError:
            found.append(None)
            continue
        if max(at.st_mtime_ns, at.st_ctime_ns) > time.time_ns() - RACY_NS:
            return None
        found.append((at.st_mtime_ns, at.st_ctime_ns, at.st_size, at.st_ino))
    return tuple(found)


def read_worktree(sources: Sources, worktree: Worktree) -> Reading:
    """Everything that is not committed in a worktree; what can't be read becomes the problem, nothing is raised."""
    if not worktree.readable:
        return Reading(worktree)
    began, marks = now(), marks_of(worktree)
    try:
        found = read_uncommitted(sources.repository, sources.quarantine, worktree, sources.size_limit)
    except GitError as error:
        return Reading(worktree, problem=f"{worktree.name} can't be read: {error.message}")
    return Reading(worktree, found, began=began, marks=marks)


def read_all(sources: Sources, worktrees: Sequence[Worktree]) -> list[Reading]:
    """Several worktrees at a time; git does the work, in processes of its own."""
    if len(worktrees) < 2:
        return [read_worktree(sources, worktree) for worktree in worktrees]
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(partial(read_worktree, sources), worktrees))


def read_paths(sources: Sources, known: Reading, paths: Sequence[str]) -> Reading:
    """The reading with these paths, and all below them, read again."""
    if known.problem is not None or not known.worktree.readable:
        return read_worktree(sources, known.worktree)
    quick = _reread(sources, known, paths)
    if quick is not None:
        return quick
    try:
        found = read_uncommitted(sources.repository, sources.quarantine, known.worktree, sources.size_limit, paths)
    except GitError:
        return read_worktree(sources, known.worktree)
    named = set(paths)

    def is_old(path: str) -> bool:
        return path in named or not named.isdisjoint(ancestors(path))

    edits = [edit for edit in known.uncommitted.edits if not is_old(edit.path)]
    skipped = [path for path in known.uncommitted.skipped if not is_old(path)]
    rows = {path: row for path, row in known.uncommitted.rows.items() if not is_old(path)} | dict(found.rows)
    raw = frozenset(path for path in known.uncommitted.raw if not is_old(path)) | found.raw
    return replace(known, uncommitted=Uncommitted((*edits, *found.edits), (*skipped, *found.skipped), rows, raw))


def _reread(sources: Sources, known: Reading, paths: Sequence[str]) -> Reading | None:
    """The reading with these files read again, if git need not be asked: it told all about them already."""
    before = known.uncommitted
    edits = {edit.path: edit for edit in before.edits}
    try:
        present = [path for path in paths if path in before.raw or not _came_and_went(sources, known, path)]
        if not before.raw.issuperset(present):
            return None
        for path in present:
            edit = reread_raw(sources.repository, sources.quarantine, known.worktree, sources.size_limit, before, path)
            if edit is None:
                edits.pop(path, None)
            else:
                edits[path] = edit
    except GitError:
        return None
    return replace(known, uncommitted=replace(before, edits=tuple(edits.values())))


def _came_and_went(sources: Sources, known: Reading, path: str) -> bool:
    """Whether a path is nothing to git: a temporary file that has been renamed or removed again."""
    worktree, objects = known.worktree, sources.quarantine.objects
    if os.path.lexists(os.path.join(worktree.key, path)) or path in known.uncommitted.rows:
        return False
    if any(other.startswith(path + "/") for other in known.uncommitted.rows):
        return False
    return worktree.head is None or sources.trees.entry(tree_of(objects, worktree.head), path) is None


def worktree_state(sources: Sources, trunk: Trunk, reading: Reading, unsaved: Mapping[str, Unsaved]) -> WorktreeState:
    """The state that follows from a reading; `unsaved` has the editor's texts by path inside the worktree."""
    worktree = reading.worktree
    if reading.problem is not None or not worktree.readable:
        return WorktreeState(worktree, problem=reading.problem)
    try:
        return _state(sources, trunk, worktree, lay_over(sources, worktree, reading.uncommitted, unsaved))
    except GitError as error:
        return WorktreeState(worktree, problem=f"{worktree.name} can't be read: {error.message}")


def _state(sources: Sources, trunk: Trunk, worktree: Worktree, uncommitted: Uncommitted) -> WorktreeState:
    head, objects = worktree.head, sources.quarantine.objects
    known = trunk.commit is not None and head is not None
    divergence = sources.history.divergence(trunk.commit or "", head or "") if known else Divergence((), frozenset(), 0)
    fork_point = divergence.bases[0] if divergence.bases else None
    head_tree = tree_of(objects, head) if head else objects.empty_tree
    base_tree = tree_of(objects, fork_point) if fork_point else objects.empty_tree
    tree = edit_tree(objects, head_tree, {edit.path: edit.now for edit in uncommitted.edits})
    return WorktreeState(
        worktree,
        fork_point,
        _change_set(sources, base_tree, head_tree, tree, uncommitted.edits),
        ahead=len(divergence.own),
        behind=divergence.behind,
        integration=_integration(sources, worktree, divergence, uncommitted),
        problem=_problem(worktree, trunk, fork_point, uncommitted),
    )


def _change_set(sources: Sources, base: str, head: str, tree: str, edits: tuple[Edit, ...]) -> ChangeSet:
    """The changes from base to tree, each with its sources: committed where HEAD differs, and what its edit says.

    An edit that puts a path back to the base's content is no change; neither is a committed one that it undoes.
    """
    committed = sources.trees.changes(base, head)
    if not edits:
        return committed
    touched = dict(committed.touched)
    for edit in edits:
        known = committed.touched.get(edit.path)
        before = known.before if known is not None else sources.trees.entry(head, edit.path)
        touched.pop(edit.path, None)
        if before != edit.now:
            present = merge_sources((COMMITTED,) if known is not None else (), edit.sources)
            touched[edit.path] = Change(edit.path, before, edit.now, present)
    changes = sources.trees.fold_renames(base, tree, touched)
    return ChangeSet(base, tree, MappingProxyType(touched), MappingProxyType(changes))


def _integration(sources: Sources, worktree: Worktree, divergence: Divergence, uncommitted: Uncommitted) -> Integration:
    if uncommitted.edits or divergence.own:
        return Integration("not-integrated")
    if divergence.bases and worktree.branch and had_own_commits(sources.repository, worktree.branch):
        return Integration("integrated", "ancestor")
    return Integration("no-work")


def _problem(worktree: Worktree, trunk: Trunk, fork_point: str | None, uncommitted: Uncommitted) -> str | None:
    said = []
    if trunk.commit and worktree.head and fork_point is None:
        said.append(f"{worktree.name} shares no history with {trunk.branch}, so git would not merge it.")
    if uncommitted.skipped:
        names = ", ".join(uncommitted.skipped[:3]) + (" and others" if len(uncommitted.skipped) > 3 else "")
        said.append(f"Too large to compare, or unreadable, in {worktree.name}: {names}.")
    return " ".join(said) or None
