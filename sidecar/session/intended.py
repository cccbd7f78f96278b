"""Remember what a person says is intended of what a worktree takes back of trunk: by path, which commits.

The record lies in the sidecar directory and is written by `operations/intended.py`. A worktree is known in it by when
git made it, so what is said of one ends with it. What can't be read says nothing, because silence has to be asked for.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

from sidecar.model.changes import is_object_id
from sidecar.model.picture import Undone, Worktree
from sidecar.system.files import Signature, read_regular, signature
from sidecar.system.worktree_links import made_of

Intended: TypeAlias = Mapping[str, frozenset[str]]
"""The commits that a worktree takes back on purpose, by path."""

NOTHING: Intended = MappingProxyType({})

MOST_BYTES = 8 * 1024 * 1024


def record_path(common_dir: str) -> str:
    """Give the file of a repository's record; it need not be there."""
    return os.path.join(common_dir, "sidecar", "intended")


def mark_of(common_dir: str, worktree: Worktree) -> str:
    """Name a worktree in the record: its administrative directory, and when git made it."""
    return f"{os.path.relpath(worktree.git_dir, common_dir)} {made_of(worktree.git_dir)}"


def is_intended(undone: Undone, intended: Intended) -> bool:
    """Tell whether all that is taken back in a file is taken back on purpose."""
    return undone.commits <= intended.get(undone.path, frozenset())


class IntendedRecord:
    """Reads the record, again when it has changed; any thread."""

    def __init__(self, common_dir: str) -> None:
        self._common_dir = common_dir
        self._read: tuple[Signature | None, Mapping[str, Intended]] = (None, {})

    def of(self, worktree: Worktree) -> Intended:
        """Give what is intended in a worktree, as it is on the disk now."""
        every = self.every()
        return every.get(mark_of(self._common_dir, worktree), NOTHING) if every else NOTHING

    def every(self) -> Mapping[str, Intended]:
        """Give what is intended, by the mark of each worktree."""
        path = record_path(self._common_dir)
        try:
            now = signature(os.lstat(path))
        except OSError:
            return {}
        known, found = self._read
        if now != known:
            found = _parse(path)
            self._read = now, found
        return found


def _parse(path: str) -> Mapping[str, Intended]:
    try:
        said = json.loads(read_regular(path, MOST_BYTES))
        rows = {
            mark: {name: frozenset(filter(is_object_id, commits)) for name, commits in paths.items()}
            for mark, paths in said["worktrees"].items()
        }
    except (OSError, ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return {}
    return rows if said.get("schema") == 1 else {}
