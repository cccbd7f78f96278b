"""Everything that a linked worktree holds, and what it is: what a release must prove, keep or may delete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


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
    - `unreadable`, `overlong`: what could not be looked at; `unexplained`: what is none of all this.
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
    unexplained: tuple[str, ...] = ()
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
    - `roots`: every commit id that any of these name and that exists: what a snapshot has to reach.
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
    """What the administrative directory tells: names are relative to it, but for locks of the branch's ref.

    `operations` are in git's words ("rebase", "cherry-pick"); `locked` is the reason given, '' without one, None
    when it is not locked; `unreadable` could not be looked at; `unexplained` are kinds of entries that git never makes.
    """

    operations: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    locked: str | None = None
    extras: tuple[str, ...] = ()
    worktree_config: bool = False
    unreadable: tuple[str, ...] = ()
    unexplained: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What outside the worktree has to do with it.

    `pointers` are (where, value) of configuration values and alternates that lead into it; `stashes` the messages of
    stash entries made on its branch; `elsewhere` the names of other worktrees that use the branch;
    `submodule_commits` the submodules' directories with how many commits only this worktree's copy has.
    """

    pointers: tuple[tuple[str, str], ...] = ()
    stashes: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    submodule_commits: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes on the disk (st_blocks), an inode counted once.

    `kept` is what the files take that a release keeps, in the trash or in the snapshot: changed, untracked, and ignored
    ones that no build makes. `reclaimable` is what it would free: `total` without those, and without what has another
    name outside.
    """

    total: int = 0
    reclaimable: int = 0
    kept: int = 0


@dataclass(frozen=True, slots=True)
class Inventory:
    """A linked worktree (absolute path and short name), and all that is in it."""

    worktree: str
    name: str
    files: Files
    commits: Commits
    administration: Administration
    surroundings: Surroundings
    bytes: Bytes
    entries: int = 0
