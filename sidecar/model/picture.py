"""Describe one repository at one moment, immutable and numbered: the only thing that doors read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from sidecar.model.changes import ChangeSet, Entry
from sidecar.model.hunks import Hunk
from sidecar.model.inventory import Bytes
from sidecar.model.overlaps import Overlap, Unknown, Unread

TRUNK_KEY = ""
"""The key of trunk among the sides of an overlap; a worktree's key is its absolute path."""


@dataclass(frozen=True, slots=True)
class Trunk:
    """The branch that work comes back to; `commit` is None while it has none; `ref` is its full name."""

    branch: str
    ref: str
    commit: str | None


PROTECTED = "Protected by Worktree Sidecar"
"""How the reason of a lock of ours begins."""

DOING = {"rebase": "rebasing", "bisect": "bisecting"}
"""How an operation is called while it is unfinished."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An operation that has detached HEAD (`rebase` or `bisect`) and the short name of the branch it comes back to."""

    operation: str
    branch: str


@dataclass(frozen=True, slots=True)
class Worktree:
    """One worktree as git lists it (git-worktree(1)).

    `key` is its absolute path, `name` the last part of it, `git_dir` the administrative directory.
    `head` is a commit id, or None before the first commit; `branch` is short, None when detached. `unfinished` is the
    operation that has detached it; its branch is a name of the worktree all the same. `merging` are the commits that a
    merge under way brings in: the commit that ends it will have them as parents beside `head`.
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
    unfinished: Unfinished | None = None
    merging: tuple[str, ...] = ()

    @property
    def ref(self) -> str:
        """Give what its side of an overlap is called: the branch, also in the middle of a rebase, or the commit."""
        if self.branch is None and self.unfinished is not None:
            return f"{self.unfinished.branch} ({DOING[self.unfinished.operation]})"
        return self.branch or self.head or "HEAD"

    @property
    def branches(self) -> tuple[str, ...]:
        """Give the short names of the branches that it goes by: it is on one, or comes back to one."""
        held = self.unfinished.branch if self.unfinished is not None else None
        return tuple(name for name in (self.branch, held) if name is not None)

    @property
    def protected(self) -> bool:
        """Tell whether `sidecar keep` has locked it."""
        return self.locked is not None and self.locked.startswith(PROTECTED)

    @property
    def readable(self) -> bool:
        """Tell whether it has files that can be compared."""
        return not (self.missing or self.bare or self.problem)


@dataclass(frozen=True, slots=True)
class Integration:
    """Whether a worktree's work is in trunk, and which proof says so."""

    state: Literal["integrated", "not-integrated", "no-work"]
    how: str | None = None


@dataclass(frozen=True, slots=True)
class Undone:
    """What a worktree takes back of trunk in one file, without saying so: which commit, and by which hunks.

    `before` is what the fork point has at the path, `after` the present state, None where the file is deleted; the
    hunks lead from one to the other. The `commit` named is the oldest that is taken back, `since` are the others.
    """

    path: str
    before: Entry
    after: Entry | None
    commit: str
    subject: str
    author: str
    hunks: tuple[Hunk, ...]
    exact: bool
    since: tuple[str, ...] = ()

    @property
    def commits(self) -> frozenset[str]:
        """Give the id of each commit that is taken back."""
        return frozenset((self.commit, *self.since))


Deed = Literal["removed", "renamed", "moved", "parameters"]


@dataclass(frozen=True, slots=True)
class End:
    """One of the two ends: whose it is (as in a `Side`), the file, its content now, and the first line (1-based).

    `after` is None where the file is deleted; there is no line then.
    """

    key: str
    name: str | None
    ref: str
    path: str
    line: int
    after: Entry | None


@dataclass(frozen=True, slots=True)
class BrokenUse:
    """A use that one side adds of a definition that another one takes away, or has require more.

    `symbol` is the definition as it was called, or of a moved or removed module its path. `now` is what it is called,
    or where it is, afterwards. `lines` are all of the use's, in `used.path`. `required` is how many arguments a call
    has to give now. `nowhere`: the merge of the two defines it nowhere. None is what is not known.
    """

    did: Deed
    symbol: str
    removed: End
    used: End
    lines: tuple[int, ...]
    is_module: bool = False
    now: str | None = None
    required: int | None = None
    nowhere: bool | None = None

    def ends(self, key: str) -> tuple[End, End] | None:
        """Give (this side's end, the other's) for the party of that key; None when it takes no part."""
        if self.removed.key == key:
            return self.removed, self.used
        return (self.used, self.removed) if self.used.key == key else None


@dataclass(frozen=True, slots=True)
class Broken:
    """What `sidecar.check` says of a worktree's file merged with another's, and of neither alone.

    `entry` is the file that has the `line`; `base` the tree that it is unchanged from, None for one that the worktree
    has changed. `other` is the worktree's name, or trunk's branch. The line is the worktree's `own`, or the one after
    which the other's comes in.
    """

    path: str
    entry: Entry
    base: str | None
    line: int
    own: bool
    message: str
    other: str


@dataclass(frozen=True, slots=True)
class Tip:
    """The commit that a worktree is at, as a person knows it; `time` in seconds since 1970, that of the commit."""

    subject: str
    author: str
    time: int


@dataclass(frozen=True, slots=True)
class WorktreeState:
    """A worktree with what it changed; `changes` is None when git can't tell even what it has committed.

    `unread` says why what is not committed is not known, None when it is: `changes` are the committed ones only then.
    `files` are the changed files whose content is not known, by path. `problem` is all that is unusual, in sentences.
    `bytes` is what it takes on the disk, None until it was measured, `undone` what it takes back of trunk as far as was
    looked, and `broken` what its merges break as far as was tried; two states are equal without them. `tip` is the
    commit at HEAD, `unresolved` the paths at which a merge under way waits for a person.
    """

    worktree: Worktree
    fork_point: str | None = None
    changes: ChangeSet | None = None
    ahead: int = 0
    behind: int = 0
    integration: Integration = Integration("no-work")
    problem: str | None = None
    bytes: Bytes | None = field(default=None, compare=False)
    undone: tuple[Undone, ...] = field(default=(), compare=False)
    broken: tuple[Broken, ...] = field(default=(), compare=False)
    unread: str | None = None
    tip: Tip | None = None
    unresolved: tuple[str, ...] = ()
    files: Mapping[str, Unread] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Picture:
    """One moment of one repository.

    `number` grows by one for every new Picture of a session. `documents` has the version of each unsaved editor text
    that this Picture saw, by absolute path. `problem` is one sentence about the whole repository, or None. `unknown` is
    where overlaps may be that are not among the `overlaps`. `broken_uses` are those that were found so far, beside; two
    Pictures are equal without them.
    """

    number: int
    repository: str
    trunk: Trunk | None
    worktrees: tuple[WorktreeState, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    documents: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    problem: str | None = None
    unknown: tuple[Unknown, ...] = ()
    broken_uses: tuple[BrokenUse, ...] = field(default=(), compare=False)


def has_trunk(picture: Picture, worktree: Worktree) -> bool:
    """Tell whether a worktree has trunk checked out, and trunk a commit."""
    trunk = picture.trunk
    return trunk is not None and trunk.commit is not None and worktree.branch == trunk.branch


def trunk_checkout(picture: Picture) -> WorktreeState | None:
    """Find the worktree that has trunk checked out."""
    return next((state for state in picture.worktrees if has_trunk(picture, state.worktree)), None)


def problems(picture: Picture) -> list[tuple[str | None, str]]:
    """Give (worktree's name, None for the repository, sentence) of what is unusual, and of pairs that are not known."""
    whole: list[tuple[str | None, str]] = [(None, picture.problem)] if picture.problem else []
    pairs = [(unknown.name(), unknown.reason) for unknown in picture.unknown if len(unknown.parties) > 1]
    return [*whole, *pairs] + [
        (state.worktree.name, problem)
        for state in picture.worktrees
        if (problem := state.problem or state.worktree.problem) is not None
    ]


def locate(picture: Picture, path: str) -> tuple[Worktree, str] | None:
    """Find (worktree, path inside it) of an absolute path: the innermost of nested worktrees, None when outside."""
    inside = [
        state.worktree
        for state in picture.worktrees
        if path == state.worktree.key or path.startswith(state.worktree.key + "/")
    ]
    if not inside:
        return None
    worktree = max(inside, key=lambda found: len(found.key))
    return worktree, path[len(worktree.key) + 1 :]


@dataclass(frozen=True, slots=True)
class WatchNote:
    """How a process watches a repository.

    repository: the common directory. backend: as in `sidecar.watch.Report`. watches: inotify watches, or directories
    that are watched as a whole. worktrees: how many are followed. polled: how many of them are not watched as a whole.
    """

    repository: str
    pid: int
    backend: str
    watches: int
    worktrees: int
    polled: int


def watch_sentence(note: WatchNote) -> str:
    """Say the note in one line for a person."""
    worktrees = f"{note.worktrees:,} worktree{'' if note.worktrees == 1 else 's'}"
    if note.backend == "polling":
        return f"Watching: {worktrees}, by looking again and again (process {note.pid})."
    directories = f"{note.watches:,} director{'y' if note.watches == 1 else 'ies'}"
    told = f"Watching: {directories} of {worktrees} (process {note.pid})."
    if not note.polled:
        return told
    return f"{told} For {note.polled:,} of these there are not enough watches; changes far from all others show late."
