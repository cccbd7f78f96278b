"""Find what a worktree would still need before it is merged, where git merges it without a word.

What it takes back of trunk, files that it adds with a number that is taken, uses that break, and what is installed to
verify it.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Collection, Iterable, Iterator

from sidecar.git.objects import TREE_MODE, read_blob
from sidecar.git.repository import NOT_FETCHED
from sidecar.model import recipes
from sidecar.model.broken_uses import broken_use_sentence
from sidecar.model.changes import Entry
from sidecar.model.findings import Finding, finding
from sidecar.model.may_overlap import footprint
from sidecar.model.messages import undone_clause
from sidecar.model.overlaps import Side
from sidecar.model.picture import TRUNK_KEY, BrokenUse, Trunk, WorktreeState
from sidecar.model.recipes import Install
from sidecar.model.words import named, shown
from sidecar.operations.merge.run import MergeChoices
from sidecar.session.intended import IntendedRecord
from sidecar.session.numbered import same_numbers
from sidecar.session.participants import Participant
from sidecar.session.reader import Sources
from sidecar.session.undoes_trunk import find_undone

_LACKING = f"{NOT_FETCHED[:1].lower()}{NOT_FETCHED[1:]}"

MOST_NAMED = 3
"""How many paths a command names."""


def taking_back(sources: Sources, state: WorktreeState, trunk: Trunk, choices: MergeChoices) -> Iterator[Finding]:
    """Name each commit of trunk that would be taken back without a word, unless that is intended. GitError."""
    intended = IntendedRecord(sources.repository.common_dir).of(state.worktree)
    found = find_undone(sources, state, trunk, intended)
    undone = found.undone
    name, branch = shown(state.worktree.name), shown(trunk.branch)
    for one in {one.commit: one for one in undone}.values():
        paths = tuple(other.path for other in undone if other.commit == one.commit)
        said = f"{name} {undone_clause(one, branch)}."
        if "undoes-trunk" in choices.allow:
            yield finding("undoes-trunk", said, paths, severity="info")
        else:
            yield finding("undoes-trunk", f"{said} Take {branch}'s lines back, or allow it if it is intended.", paths)
    if found.unread:
        said = f"Whether {name} takes back what {branch} did to {named(found.unread)} is not known: {_LACKING}"
        way = shlex.join(("git", "log", "-p", trunk.branch, "--", *found.unread[:MOST_NAMED]))
        yield finding("not-fetched", f"{said} To fetch it: {way}", found.unread, severity="info")


def find_installs(sources: Sources, tree: str) -> tuple[Install, ...]:
    """Find what would be run before these files are verified; nothing where nothing verifies them. GitError."""
    if not str(sources.settings["verify"]).strip():
        return ()
    objects = sources.quarantine.objects
    files: dict[str, Entry] = {}
    for name, entry in objects.tree(tree).items():
        if entry.mode == TREE_MODE:
            files |= {f"{name}/{below}": one for below, one in objects.tree(entry.oid).items()}
        else:
            files[name] = entry
    files = {path: entry for path, entry in files.items() if entry.is_file}

    def read(path: str) -> str:
        return read_blob(objects, files[path].oid).decode("utf-8", "replace") if path in files else ""

    return recipes.find_installs(files, read, str(sources.settings["prepare"]), shutil.which)


def participant_of(state: WorktreeState) -> Participant:
    """Give a worktree as it meets others in its own work."""
    worktree, own = state.worktree, state.changes
    assert own is not None
    return Participant(worktree.key, worktree.name, worktree.ref, worktree.head or "", own, footprint(own.touched))


def trunk_since(sources: Sources, state: WorktreeState, trunk: Trunk, tree: str) -> Participant:
    """Give trunk, at this tree, as it meets a worktree: by what it did since the other left it."""
    assert state.changes is not None
    since = sources.trees.changes(state.changes.base, tree)
    return Participant(TRUNK_KEY, None, trunk.branch, trunk.commit or "", since, footprint(since.touched))


def numbers_taken(sources: Sources, one: Participant, other: Participant) -> Iterator[Finding]:
    """Name the new files of one that have a number which a new file of the other has, too. GitError."""
    for overlap in same_numbers(sources, one, other):
        sides = overlap.seen_from(one.key)
        assert sides is not None
        mine, theirs = sides
        said = f"{_called(mine)} adds {shown(mine.path)}, and {_called(theirs)} {shown(theirs.path)}."
        yield finding("same-number", f"{said} {overlap.note} Renumber one of them.", (mine.path,))


def uses_broken(found: Iterable[BrokenUse], key: str, others: Collection[str]) -> Iterator[Finding]:
    """Name the definitions that a worktree, by its key, or one of the others takes away and the other newly uses."""
    for one in found:
        ends = one.ends(key)
        if ends is not None and ends[1].key in others:
            yield finding("broken-use", f"{shown(ends[0].path)}: {broken_use_sentence(one, key)}", (ends[0].path,))


def _called(side: Side) -> str:
    return shown(side.name if side.name is not None else side.ref)
