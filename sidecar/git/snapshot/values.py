"""What a snapshot is made of, and what its makers answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sidecar.model.findings import Failure

Signature = tuple[int, int, int, int, int]
"""(mode, size in bytes, time of the last change in ns, time of the last status change in ns, inode) by lstat."""

FILE_KIND, LINK_KIND, DIRECTORY_KIND = KINDS = ("f", "l", "d")


class RefusedError(Exception):
    """Why a snapshot can't be made or restored; does not leave this package."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.failure = Failure(code, message)


@dataclass(frozen=True, slots=True)
class Item:
    """One file, symbolic link or directory below a root: its kind, full mode bits and time of the last change in ns.

    `oid` is the blob with the raw content, or with a link's target; None for a directory. `path` is "" for the root.
    """

    kind: str
    path: str
    mode: int
    mtime: int
    oid: str | None = None
    size: int = 0
    xattrs: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Unheld:
    """Something in the worktree that its snapshot does not hold, by path.

    Codes: `ignored`, `nested-repository`, `submodule`, `mount`, `special-file` (FIFO, socket, device), `unreadable`,
    `too-large`, `overlong-path`, `git-name` (a name that is git's own), `attribute` (an extended attribute),
    `hard-link` (the content is held, that two names are one file is not), `lock-file`, `symbolic-branch`,
    `missing-object`. A path below `.git/` is in the administrative directory; an id stands for an object.
    """

    code: str
    path: str


@dataclass(frozen=True, slots=True)
class Known:
    """What a snapshot learned about files: path -> (signature, blob id), as of `taken` (ns since 1970)."""

    blobs: Mapping[str, tuple[Signature, str]] = field(default_factory=lambda: MappingProxyType({}))
    taken: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot that is in the user's object store; nothing refers to `commit` yet.

    `files` counts regular files and links, `bytes` their content, `written` what of it the store did not have.
    `changed` names what changed while it was taken: empty means that the snapshot is one moment of the worktree. `lost`
    are the files and directories that were there when it was begun, and not at its end.
    """

    commit: str
    tree: str
    parents: tuple[str, ...]
    files: int
    bytes: int
    written: int
    unheld: tuple[Unheld, ...] = ()
    changed: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    known: Known = field(default=Known(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch that the worktree is on or in the middle of: its tip, the blob of its reflog, its configuration."""

    name: str
    tip: str | None
    log: str | None = None
    config: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class IndexFile:
    """The raw index: its blob, mode bits and time of the last change in ns."""

    oid: str
    mode: int
    mtime: int


@dataclass(frozen=True, slots=True)
class Lock:
    """The `locked` file of a worktree (git-worktree(1)): its text, mode bits and time of the last change in ns."""

    text: str
    mode: int
    mtime: int


@dataclass(frozen=True, slots=True)
class Header:
    """What a snapshot says of the worktree as a whole; `lists` are the blobs that list its files."""

    name: str
    path: str
    administrative: str
    head: str | None
    branch: str | None
    branches: tuple[Branch, ...]
    locked: Lock | None
    index: IndexFile | None
    link: tuple[int, int]
    relative: bool
    admin: tuple[Item, ...]
    tags: tuple[tuple[str, str], ...]
    lists: tuple[str, ...]
    files: int
    bytes: int
    unheld: tuple[Unheld, ...]


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """What a snapshot holds: the worktree's name, path, branch and HEAD as they were at `time` (s since 1970)."""

    commit: str
    name: str
    path: str
    branch: str | None
    head: str | None
    time: int
    files: int
    bytes: int
    locked: str | None
    branches: tuple[Branch, ...]
    unheld: tuple[Unheld, ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """A worktree that is back: where, under which name, and on which branch (None: detached).

    `branches` has the branches that had to get another name: (was, is). `kept_administrative` tells that the
    worktree's administrative directory was still there and was left as it was. `notes` are sentences for a person
    about what is not as it was.
    """

    path: str
    name: str
    git_dir: str
    branch: str | None
    files: int
    bytes: int
    branches: tuple[tuple[str, str], ...] = ()
    kept_administrative: bool = False
    notes: tuple[str, ...] = ()
    unheld: tuple[Unheld, ...] = ()


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who follows a long work: told (bytes done, bytes in all), asked whether to give up."""

    progress: Callable[[int, int], None] = field(default=lambda _done, _all: None)
    cancelled: Callable[[], bool] = field(default=lambda: False)

    def check(self) -> None:
        """Give up if the person wants it."""
        if self.cancelled():
            raise RefusedError("cancelled", "It was cancelled. Nothing was changed.")
