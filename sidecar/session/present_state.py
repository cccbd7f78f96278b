"""Give a worktree's present state as trees: what the guard keeps, and what a merge is tried with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sidecar.git.objects import Objects, edit_tree, tree_of
from sidecar.model.changes import Entry
from sidecar.model.picture import Worktree
from sidecar.session.reader import Sources
from sidecar.session.reading import Reading


@dataclass(frozen=True, slots=True)
class PresentState:
    """A worktree's present state without the editor's unsaved text, as trees of the quarantine or of the user's store.

    `index` is the index as a tree; while a merge is unresolved, `stages` are the trees of what its three sides have at
    the unresolved paths. `left_out` are paths whose content is in none of them: too large, unreadable, or repositories
    of their own. `ignored` are the files, and with `/` the directories, that a rule ignores.
    """

    worktree: Worktree
    head_tree: str
    tree: str
    index: str
    stages: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def present_state(sources: Sources, reading: Reading) -> PresentState | None:
    """Give the present state that a reading found; None for a worktree that could not be read. GitError."""
    worktree, found, objects = reading.worktree, reading.uncommitted, sources.quarantine.objects
    if not worktree.readable or reading.problem is not None or reading.began is None:
        return None
    head_tree = tree_of(objects, worktree.head) if worktree.head else objects.empty_tree
    read = {edit.path: edit.now for edit in found.edits if edit.path not in found.skipped}
    tree = edit_tree(objects, head_tree, read)
    rows = [row for row in found.rows.values() if row.tracked]
    index = edit_tree(objects, head_tree, {row.path: row.index for row in rows if row.index != row.head})
    unresolved = [row for row in rows if row.stages]
    stages = tuple(_tree_of_stage(objects, {row.path: row.stages[number] for row in unresolved}) for number in range(3))
    left_out = tuple(sorted((*found.skipped, *found.nested)))
    return PresentState(worktree, head_tree, tree, index, stages if unresolved else (), left_out, found.ignored)


def _tree_of_stage(objects: Objects, entries: Mapping[str, Entry | None]) -> str:
    return edit_tree(objects, objects.empty_tree, {path: entry for path, entry in entries.items() if entry is not None})
