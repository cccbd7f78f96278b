"""A worktree's side of the repository: its administrative directory, its branch, and every commit that either names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sidecar.git.config import read_config
from sidecar.git.files import read_regular
from sidecar.git.process import GitError, run, run_for_status
from sidecar.git.refs import branch_tip, is_branch_name
from sidecar.git.repository import Repository, list_worktrees
from sidecar.git.snapshot.store import Store, look_up
from sidecar.git.snapshot.values import RefusedError, Unheld
from sidecar.git.unfinished import branches_held
from sidecar.model.object_ids import object_ids_in
from sidecar.model.picture import Worktree

REBUILT = frozenset({"", "index", "gitdir", "commondir", "locked"})
"""What of an administrative directory is written anew (gitrepository-layout(5)), or held apart."""

MOST_BYTES = 256 * 1024 * 1024


def check_identity(repository: Repository, worktree: Worktree) -> Worktree:
    """The worktree as git lists it now; RefusedError when it is not a linked one whose two ends point at each other."""
    for listed in list_worktrees(repository):
        if listed.key != worktree.key or listed.git_dir != worktree.git_dir:
            continue
        if listed.main:
            raise RefusedError(
                "main-worktree", f"{listed.name} is the main worktree. Only linked ones can be snapshots."
            )
        if listed.problem is not None:
            raise RefusedError("unreadable-worktree", listed.problem)
        if os.path.dirname(listed.git_dir) != os.path.join(repository.common_dir, "worktrees"):
            raise RefusedError("unreadable-worktree", f"The administrative directory of {listed.name} lies elsewhere.")
        return listed
    raise RefusedError("unreadable-worktree", f"{worktree.key} is not a worktree of this repository.")


def left_out(path: str) -> str | None:
    """Why a path of the administrative directory is not held ("": without a word); None when it is."""
    top = path.partition("/")[0]
    if path in REBUILT or top.startswith(("sharedindex.", "fsmonitor--daemon")):
        return ""
    if top == "modules":
        return "submodule"
    return "lock-file" if path.endswith(".lock") else None


@dataclass(frozen=True, slots=True)
class BranchNow:
    """A branch as it is: tip, reflog file if there is one, configuration; `symbolic` when it stands for another."""

    name: str
    tip: str | None
    log: str | None
    config: tuple[tuple[str, str], ...]
    symbolic: bool


def read_branches(repository: Repository, worktree: Worktree) -> tuple[BranchNow, ...]:
    """The branches that a worktree is on, or in the middle of a rebase or bisection of."""
    names = [*([worktree.branch] if worktree.branch is not None else []), *branches_held(worktree.git_dir)]
    config = read_config(repository.place)
    found = []
    for name in dict.fromkeys(names):
        if not is_branch_name(repository.place, name):
            continue
        prefix = f"branch.{name}."
        pairs = tuple(
            (key.removeprefix(prefix), value)
            for scope, key, value in config.pairs
            if scope == "local" and key.startswith(prefix) and "." not in key.removeprefix(prefix)
        )
        tip, symbolic = _tip(repository, name)
        log = os.path.join(repository.common_dir, "logs", "refs", "heads", name)
        found.append(
            BranchNow(name, tip, log if os.path.isfile(log) and not os.path.islink(log) else None, pairs, symbolic)
        )
    return tuple(found)


def _tip(repository: Repository, name: str) -> tuple[str | None, bool]:
    tip = branch_tip(repository.place, name)
    if tip is None:
        return None, False
    alias, _ = run_for_status(repository.place, "symbolic-ref", "-q", f"refs/heads/{name}", accept=(0, 1))
    return tip, alias == 0


@dataclass(frozen=True, slots=True)
class Roots:
    """What a snapshot must keep alive: its parents, and other objects (id -> kind) that files name."""

    parents: tuple[str, ...]
    others: dict[str, str]
    tags: tuple[str, ...]
    unheld: tuple[Unheld, ...]


def find_roots(repository: Repository, store: Store, heads: Sequence[str], files: Iterable[str]) -> Roots:
    """Every object that one of the files names in full; `heads` are commits that come first.

    What the repository's refs reach is taken to be whole; of the rest, what has a hole is left out. Whatever looks
    like an id and is one counts: reflogs, pseudo refs, per-worktree refs, the states of operations.
    """
    named = set(heads)
    for path in files:
        content = read_regular(path, MOST_BYTES)
        named.update(oid for oid in object_ids_in(content) if len(oid) == store.width)
    objects = look_up(store, named)
    kinds = {oid: found.kind for oid, found in objects.items()}
    tags = tuple(sorted(oid for oid, kind in kinds.items() if kind == "tag"))
    for tag in tags:
        peeled = run(store.place, "rev-parse", "--verify", f"{tag}^{{}}").decode("ascii").strip()
        kinds |= {oid: found.kind for oid, found in look_up(store, [peeled]).items()}
    commits = [oid for oid, kind in kinds.items() if kind == "commit"]
    parents, broken = _independent(repository, store, [oid for oid in heads if oid in kinds], commits)
    others = {oid: kind for oid, kind in kinds.items() if kind in ("tree", "blob")}
    return Roots(parents, others, tags, tuple(Unheld("missing-object", oid) for oid in broken))


def _independent(
    repository: Repository, store: Store, heads: Sequence[str], commits: Sequence[str]
) -> tuple[tuple[str, ...], list[str]]:
    """The commits that no other one reaches, and those that are left out because their history is broken."""
    firsts = list(dict.fromkeys(heads))
    if len(firsts) > 1:
        said = run(store.place, "merge-base", "--independent", *firsts).decode("ascii").split()
        firsts = [oid for oid in firsts if oid in said]
    rest = sorted(oid for oid in commits if oid not in firsts)
    if not rest:
        return tuple(firsts), []
    partial = repository.config.get("extensions.partialclone") is not None
    reachable = list(dict.fromkeys([*firsts, *ref_tips(repository)]))
    whole = rest
    if not is_whole(store, reachable, rest, partial):
        whole = [oid for oid in rest if is_whole(store, reachable, [oid], partial)]
    broken = [oid for oid in rest if oid not in whole]
    if not whole:
        return tuple(firsts), broken
    listed: set[str] = set()
    reached: set[str] = set()
    for line in run(store.place, "rev-list", "--parents", "--stdin", stdin=_range(firsts, whole)).splitlines():
        commit, *parents = line.decode("ascii").split(" ")
        listed.add(commit)
        reached.update(parents)
    others = [oid for oid in whole if oid in listed]
    return tuple(oid for oid in (*firsts, *others) if oid not in reached), broken


def ref_tips(repository: Repository) -> list[str]:
    """What the repository's refs point at."""
    return run(repository.place, "for-each-ref", "--format=%(objectname)").decode("ascii").split()


def is_whole(store: Store, heads: Sequence[str], commits: Sequence[str], partial: bool) -> bool:
    """Whether all objects of these commits are there that the heads don't have (a partial clone lacks some)."""
    try:
        how = ("rev-list", "--objects", "--missing=print", "--ignore-missing", "--stdin")
        said = run(store.place, *how, stdin=_range(heads, commits))
    except GitError:
        return False
    return partial or not any(line.startswith(b"?") for line in said.splitlines())


def _range(heads: Sequence[str], commits: Sequence[str]) -> bytes:
    return "\n".join([*commits, *(f"^{oid}" for oid in heads), ""]).encode("ascii")
