"""The live picture of one repository: immutable and numbered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from sidecar.model.changes import ChangeSet
from sidecar.model.inventory import Bytes
from sidecar.model.overlaps import Overlap

TRUNK_KEY = ""
"""The key of trunk among the sides of an overlap; a worktree's key is its absolute path."""


@dataclass(frozen=True, slots=True)
class Trunk:
    """The branch that work comes back to; `commit` is None while it has none; `ref` is its full name."""

    branch: str
    ref: str
    commit: str | None


@dataclass(frozen=True, slots=True)
class Worktree:
    """One worktree as git lists it (git-worktree(1)).

    `key` is its absolute path, `name` the last part of it, `git_dir` the administrative directory.
    `head` is a commit id, or None before the first commit; `branch` is short, None when detached.
    """

    key: str
    name: str
    git_dir: str
    main: bool
    branch: str | None
    head: str | None
    locked: str | None = None
    missing: bool = False
    bare: bool = False
    problem: str | None = None

    @property
    def ref(self) -> str:
        """What its side of an overlap is called: the branch, or the commit when detached."""
        return self.branch or self.head or "HEAD"

    @property
    def readable(self) -> bool:
        """Whether it has files that can be compared."""
        return not (self.missing or self.bare or self.problem)


@dataclass(frozen=True, slots=True)
class Integration:
    """Whether a worktree's work is in trunk, and which proof says so."""

    state: Literal["integrated", "not-integrated", "no-work"]
    how: str | None = None


@dataclass(frozen=True, slots=True)
class WorktreeState:
    """A worktree with what it changed; `changes` is None when it could not be read, and `problem` says why.

    `bytes` is what it takes on the disk, None until it was measured; two states are equal without it.
    """

    worktree: Worktree
    fork_point: str | None = None
    changes: ChangeSet | None = None
    ahead: int = 0
    behind: int = 0
    integration: Integration = Integration("no-work")
    problem: str | None = None
    bytes: Bytes | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Picture:
    """One moment of one repository.

    `number` grows by one for every new Picture of a session. `documents` has the version of each unsaved editor text
    that this Picture saw, by absolute path. `problem` is one sentence about the whole repository, or None.
    """

    number: int
    repository: str
    trunk: Trunk | None
    worktrees: tuple[WorktreeState, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    documents: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    problem: str | None = None


def locate(picture: Picture, path: str) -> tuple[Worktree, str] | None:
    """(worktree, path inside it) of an absolute path; the innermost where worktrees are nested, None when outside."""
    inside = [
        state.worktree
        for state in picture.worktrees
        if path == state.worktree.key or path.startswith(state.worktree.key + "/")
    ]
    if not inside:
        return None
    worktree = max(inside, key=lambda found: len(found.key))
    return worktree, path[len(worktree.key) + 1 :]
