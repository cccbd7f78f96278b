"""What every step of a merge or an undo has at hand, and its facts as the journal keeps them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sidecar.git.acting import Act, Ended, act
from sidecar.git.process import GitError, Place, run
from sidecar.git.refs import has_commit, is_ref_name, resolve_commit
from sidecar.git.repository import Repository, list_worktrees
from sidecar.model.changes import Change
from sidecar.model.object_ids import is_object_id
from sidecar.model.picture import Worktree
from sidecar.operations.journal import Journal, advance

BEGUN, COMMITTING, WORKING, LANDING = STEPS = ("begun", "commit", "work", "land")
"""The steps of the journal: each is written before the first thing of it is done."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What recovery has to know, every field of it checked when it is read.

    `trunk` is a full ref; `branch` short, None when detached; `worktree` and `checkout` are keys of worktrees; `before`
    and `after` are trunk's commits; `directories` those that were there before files were put into them.
    """

    trunk: str
    branch: str | None
    worktree: str
    checkout: str | None
    before: str
    head: str
    since: float
    strategy: str = "merge"
    after: str | None = None
    directories: tuple[str, ...] = ()
    receipt: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The facts as the journal keeps them."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Desk:
    """A running operation: where it is, who acts, what it has written down."""

    repository: Repository
    state: Path
    acting: Act
    journal: Journal
    facts: Facts

    def step(self, step: str, **known: Any) -> Desk:
        """The same with the next step on the disk; OSError when it can't be written."""
        facts = replace(self.facts, **known)
        return replace(self, facts=facts, journal=advance(self.state, self.journal, step, **facts.as_json()))

    def act(self, folder: str, *args: str, stdin: bytes = b"") -> Ended:
        """Git as the person would run it in a folder; GitError only when it can't be started."""
        place = Place(folder, {"SIDECAR_STAGE": self.journal.step})
        return act(self.acting, place, *args, stdin=stdin)

    @property
    def kept(self) -> Path:
        """Where the checkout's files are kept while trunk moves."""
        return self.state / "landing"


def read_facts(repository: Repository, facts: Mapping[str, Any]) -> Facts:
    """The facts of a journal, checked; ValueError for what we would not have written."""
    texts: dict[str, Any] = {name: facts.get(name) for name in ("trunk", "worktree", "before", "head", "strategy")}
    maybe: dict[str, Any] = {name: facts.get(name) for name in ("branch", "checkout", "after", "receipt")}
    since, directories = facts.get("since"), facts.get("directories")
    if not all(isinstance(value, str) for value in texts.values()):
        raise ValueError("a fact is missing")
    if not all(value is None or isinstance(value, str) for value in maybe.values()):
        raise ValueError("a fact is of another kind")
    if isinstance(since, bool) or not isinstance(since, int | float):
        raise ValueError("it has no time")
    if not isinstance(directories, list | tuple) or not all(
        isinstance(one, str) and is_safe(one) for one in directories
    ):
        raise ValueError("it names strange directories")
    found = Facts(since=float(since), directories=tuple(directories), **texts, **maybe)
    for oid in (found.before, found.head, *([found.after] if found.after is not None else [])):
        if not is_object_id(oid) or not has_commit(repository.place, oid):
            raise ValueError(f"{oid[:80]!r} is no commit")
    if not found.trunk.startswith("refs/heads/") or not is_ref_name(repository.place, found.trunk):
        raise ValueError(f"{found.trunk[:80]!r} is no branch")
    return found


def is_safe(path: str) -> bool:
    """Whether a path stays inside the worktree and out of git's own directory."""
    parts = path.split("/")
    return "\0" not in path and not any(part in ("", ".", "..") or part.casefold() == ".git" for part in parts)


def head_ref(repository: Repository, worktree: Worktree) -> str | None:
    """The full name of the branch that a worktree is on; None when detached."""
    try:
        said = run(repository.inside(worktree), "symbolic-ref", "-q", "HEAD")
    except GitError:
        return None
    return os.fsdecode(said.removesuffix(b"\n"))


def head_commit(repository: Repository, worktree: Worktree) -> str | None:
    """The commit that a worktree is at."""
    return resolve_commit(repository.inside(worktree), "HEAD")


def worktree_at(repository: Repository, key: str | None) -> Worktree | None:
    """The worktree of this path, if git still knows it and it can be read."""
    found = next((one for one in list_worktrees(repository) if one.key == key), None)
    return found if found is not None and found.readable else None


def tree_changes(repository: Repository, before: str, after: str) -> dict[str, Change]:
    """What differs between two commits, path by path, without renames; GitError for a path that no git would write."""
    from sidecar.git.trees import parse_raw

    said = run(repository.place, "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", before, after, "--")
    found = {change.path: change for change in parse_raw(said)}
    for path in found:
        if not is_safe(path):
            raise GitError(f"A tree has the path {path!r}.")
    return found
