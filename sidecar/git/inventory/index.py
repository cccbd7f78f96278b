"""What git tracks in a working tree: its index, held against the tree of HEAD."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from sidecar.git.process import Place, run
from sidecar.model.changes import SUBMODULE, Entry, ancestors


@dataclass(frozen=True, slots=True)
class Tracked:
    """One path of the index; `flagged` when assume-unchanged or skip-worktree hides it from git status."""

    entry: Entry
    flagged: bool
    skipped: bool


@dataclass(frozen=True, slots=True)
class Index:
    """The index: entries of stage 0, paths with other stages, and every directory that any of them is in."""

    entries: Mapping[str, Tracked]
    conflicted: frozenset[str]
    directories: frozenset[str]

    def is_submodule(self, path: str) -> bool:
        """Whether the path is a submodule's."""
        tracked = self.entries.get(path)
        return tracked is not None and tracked.entry.mode == SUBMODULE


def read_index(place: Place) -> Index:
    """The index of the place's worktree (git-ls-files(1)), sparse directories expanded; GitError when it is broken."""
    entries: dict[str, Tracked] = {}
    conflicted: set[str] = set()
    directories: set[str] = set()
    for record in run(place, "ls-files", "-z", "-v", "--stage", "--full-name").split(b"\0"):
        if not record:
            continue
        facts, _, name = record.partition(b"\t")
        tag, mode, oid, stage = facts.split(b" ")
        path = os.fsdecode(name)
        if stage == b"0":
            skipped = tag in b"Ss"
            entry = Entry(int(mode, 8), oid.decode("ascii"))
            entries[path] = Tracked(entry, skipped or tag.islower(), skipped)
        else:
            conflicted.add(path)
        for directory in ancestors(path):
            if directory in directories:
                break
            directories.add(directory)
    return Index(entries, frozenset(conflicted), frozenset(directories))


def staged_paths(place: Place, index: Index, head: str | None) -> list[str]:
    """Paths that the index has otherwise than the commit (None: no commit yet), intent-to-add included."""
    tree = _read_tree(place, head) if head is not None else {}
    changed = {path for path, tracked in index.entries.items() if tree.get(path) != tracked.entry}
    gone = tree.keys() - index.entries.keys()
    return sorted((changed | gone) - index.conflicted)


def _read_tree(place: Place, commit: str) -> dict[str, Entry]:
    """Every path of a commit's tree (git-ls-tree(1))."""
    entries = {}
    for record in run(place, "ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
        facts, tab, path = record.partition(b"\t")
        if tab:
            mode, _, oid = facts.split(b" ")
            entries[os.fsdecode(path)] = Entry(int(mode, 8), oid.decode("ascii"))
    return entries
