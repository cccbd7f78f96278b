"""Say what one worktree changed: entries of trees, changes, change sets, and what an object id looks like."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

SOURCES = ("committed", "staged", "unstaged", "untracked", "unsaved")
"""How a change is present in its worktree, from the most to the least durable."""
COMMITTED, STAGED, UNSTAGED, UNTRACKED, UNSAVED = SOURCES

FILE, EXECUTABLE, SYMLINK, SUBMODULE = 0o100644, 0o100755, 0o120000, 0o160000
"""The modes that git stores for a path (gitformat-index(5))."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One path's content in a tree, as `git ls-tree` shows it: mode and object id (hex)."""

    mode: int
    oid: str

    @property
    def is_file(self) -> bool:
        """Tell whether the content is text or bytes in a regular file, executable or not."""
        return self.mode in (FILE, EXECUTABLE)


@dataclass(frozen=True, slots=True)
class Change:
    """One path whose present content differs from the base's.

    `path` and `old_path` are relative to the worktree, `/` between the parts, decoded as `os.fsdecode` does.
    `old_path` is set for a rename only; `before` is None for an addition, `after` None for a deletion.
    """

    path: str
    before: Entry | None
    after: Entry | None
    sources: tuple[str, ...] = (COMMITTED,)
    old_path: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Give every name under which the change can meet another one."""
        return (self.path,) if self.old_path is None else (self.path, self.old_path)


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """All changes of one side against one base.

    `touched` has them path by path, without rename detection; `changes` with renames folded into one change.
    `base` and `tree` are tree ids: the base's tree, and the present state's.
    """

    base: str
    tree: str
    touched: Mapping[str, Change] = field(default_factory=lambda: MappingProxyType({}))
    changes: Mapping[str, Change] = field(default_factory=lambda: MappingProxyType({}))

    def __iter__(self) -> Iterator[Change]:
        """Give every change once, renames folded."""
        return iter(self.changes.values())

    def named(self, name: str) -> Change | None:
        """Give the change that has this name now, or had it before a rename."""
        found = self.changes.get(name)
        if found is not None or name not in self.touched:
            return found
        return next((change for change in self if change.old_path == name), None)


def merge_sources(*groups: tuple[str, ...]) -> tuple[str, ...]:
    """Give one ordered tuple of all sources in the groups."""
    present = {source for group in groups for source in group}
    return tuple(source for source in SOURCES if source in present)


def ancestors(path: str) -> Iterator[str]:
    """Give the directories above a path, nearest first, the top one ('') left out."""
    while (cut := path.rfind("/")) > 0:
        path = path[:cut]
        yield path


def count_by_source(changes: ChangeSet) -> dict[str, int]:
    """Count how many changes are present in each way; a change with two sources counts in both."""
    counts = dict.fromkeys(SOURCES, 0)
    for change in changes:
        for source in change.sources:
            counts[source] += 1
    return counts


_OBJECT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_IN_TEXT = re.compile(rb"(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{40})(?![0-9a-f])")


def is_object_id(text: str) -> bool:
    """Tell whether a text is an object id, and nothing else."""
    return _OBJECT_ID.fullmatch(text) is not None


def object_ids_in(text: bytes) -> list[str]:
    """Find whatever in a text looks like an object id, in its order; the null id left out."""
    return [oid.decode("ascii") for oid in _IN_TEXT.findall(text) if oid.strip(b"0")]
