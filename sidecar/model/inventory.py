"""Define what a linked worktree holds: what a release must prove, keep or may delete."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple


@dataclass(frozen=True, slots=True)
class Nested:
    """Another repository inside: its directory, and whether it is a worktree of some repository."""

    path: str
    kind: Literal["repository", "worktree"]


@dataclass(frozen=True, slots=True)
class Output:
    """One piece of build output: a directory with all that is in it, or a file; bytes on the disk."""

    path: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Files:
    """Every entry below the worktree that is not a tracked file just as HEAD and the index have it.

    Paths are relative to the worktree, with `/`, as `os.fsdecode` gives them; each group is sorted. A path of
    `staged` may be in `unstaged` too; otherwise an entry is in one group, but for `xattrs` and `hard_links`.

    - `staged`: the index differs from HEAD; `conflicted`: the index has more than one stage.
    - `unstaged`: the file differs from the index, by content, kind or mode, or is gone.
    - `hidden`: the same, where a flag, a setting or a filter keeps `git status` from showing it.
    - `untracked`, `unique`, `equal`, `output`: neither tracked nor ignored; ignored and only here; ignored and equal to
      the main worktree's; ignored and made by a build, with nothing at stake inside.
    - `submodule_changes`: what is not committed in submodules.
    - `empty_directories`, `special` (pipes, sockets, devices), `nested`, `mounts`: as they say.
    - `unreadable`, `overlong`: what could not be looked at.
    - `xattrs`: entries with `user.` attributes; `hard_links`: files with another name outside.
    """

    staged: tuple[str, ...] = ()
    conflicted: tuple[str, ...] = ()
    unstaged: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    equal: tuple[str, ...] = ()
    output: tuple[Output, ...] = ()
    submodule_changes: tuple[str, ...] = ()
    empty_directories: tuple[str, ...] = ()
    special: tuple[str, ...] = ()
    nested: tuple[Nested, ...] = ()
    mounts: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    overlong: tuple[str, ...] = ()
    xattrs: tuple[str, ...] = ()
    hard_links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Commits:
    """The commits that the worktree names, and those that nothing but the worktree and its branch hold.

    "Hold" means other branches, tags and remote-tracking branches. Lists of commits are newest first and at most
    `MOST_COMMITS` long.

    - `head`: HEAD's commit, None before the first; `branch`: short, None when detached.
    - `own`: reached by HEAD or the branch, and held by nothing else.
    - `by_refs`: reached by refs of this worktree alone, and by nothing above; `refs`: their full names and ids.
    - `by_log`: reached only by a reflog, or by an id in the administrative directory.
    - `roots`: every commit id that any of these name and that exists.
    """

    head: str | None
    branch: str | None
    own: tuple[str, ...] = ()
    by_refs: tuple[str, ...] = ()
    by_log: tuple[str, ...] = ()
    refs: tuple[tuple[str, str], ...] = ()
    roots: tuple[str, ...] = ()


MOST_COMMITS = 10_000
"""How many commits of one group are listed."""


@dataclass(frozen=True, slots=True)
class Administration:
    """What the administrative directory tells; paths are absolute.

    `operations` are in git's words ("rebase", "cherry-pick"); `locked` is the reason given, '' without one, None
    when it is not locked; `extras` are not git's own, `unreadable` could not be looked at.
    """

    operations: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    locked: str | None = None
    extras: tuple[str, ...] = ()
    worktree_config: bool = False
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What outside the worktree has to do with it.

    `pointers` are (where, value) of configuration values and alternates that lead into it; `stashes` the messages of
    stash entries made on its branch; `elsewhere` the names of other worktrees that use the branch;
    `submodule_commits` the submodules' directories with how many commits only this worktree's copy has; `contents` what
    of Git LFS (SHA-256 -> path) no other branch and no remote is known to have.
    """

    pointers: tuple[tuple[str, str], ...] = ()
    stashes: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    submodule_commits: tuple[tuple[str, int], ...] = ()
    contents: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes on the disk (st_blocks), an inode counted once.

    `kept` is what the files take that a release keeps in the trash: changed, converted (line ends, Git LFS), untracked,
    and ignored ones that no build makes. `reclaimable` is what it would free: `total` without those, and without what
    has another name outside.
    """

    total: int = 0
    reclaimable: int = 0
    kept: int = 0


class HeldFile(NamedTuple):
    """A file whose very bytes HEAD has as a blob, and what lstat(2) said of it then: mode, size, times in ns, inode."""

    oid: str
    mode: int
    size: int
    mtime: int
    ctime: int
    inode: int

    @classmethod
    def of(cls, oid: str, status: os.stat_result) -> HeldFile:
        """Make one of a file as lstat sees it now."""
        return cls(oid, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


Status = tuple[int, int, int, int, int, int]


@dataclass(slots=True)
class Fingerprint:
    """What each directory below a folder is like, by its path ('' for the folder itself), as a walk fills it.

    `contents` is a digest of its entries, without those that were only passed through; `own` is what lstat says of the
    directory itself, but for the folder's own, since renaming that is not writing into it. What counts of an entry:
    name, inode, mode, size, and the times of change of content and inode, in ns.
    """

    contents: dict[str, bytes] = field(default_factory=dict)
    own: dict[str, Status] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inventory:
    """A linked worktree (absolute path and short name), and all that is in it.

    `held` are the files that need not be kept, by path; `modules` the directories of submodules, each with its git
    directory relative to the common directory; `seen` is what everything was like when it was looked at.
    """

    worktree: str
    name: str
    files: Files
    commits: Commits
    administration: Administration
    surroundings: Surroundings
    bytes: Bytes
    held: Mapping[str, HeldFile] = field(default_factory=dict, repr=False, compare=False)
    modules: tuple[tuple[str, str], ...] = ()
    inode: int = 0
    seen: Fingerprint = field(default_factory=Fingerprint, repr=False, compare=False)
    seen_administration: Fingerprint = field(default_factory=Fingerprint, repr=False, compare=False)
