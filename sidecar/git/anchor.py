"""Write the commit that keeps from `git gc` what only a worktree names, once git no longer knows the worktree.

Its parents are the commits of HEAD, branches, reflogs, pseudo refs and operations in progress; its tree has, by id,
what only the index or an administrative file names. It holds no file of the worktree, and nothing that git ignores, so
`git push --mirror` publishes no secret.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from sidecar.git.inventory.administration import named_ids
from sidecar.git.inventory.repositories import Checkout, open_checkout
from sidecar.git.process import GitError, Place, run
from sidecar.git.refs import branch_tip, ids_of_own_refs, ids_of_reflog, kinds_of
from sidecar.git.repository import Repository
from sidecar.git.user_git import DURABLE
from sidecar.model.picture import Worktree
from sidecar.model.words import escape

MODES = {"blob": "100644", "tree": "040000"}


def write_anchor(repository: Repository, worktree: Worktree, branches: Sequence[str]) -> str:
    """Write the anchor of a linked worktree and of these branches (short names); give its id.

    Nothing refers to it yet: `check_anchor` is for afterwards. A history that has a hole is left out, because a ref on
    it would make `git gc` fail. GitError where the object store can't be written.
    """
    checkout = open_checkout(repository, worktree)
    place = checkout.place
    heads = [worktree.head, *(branch_tip(repository.place, name) for name in branches)]
    first = list(dict.fromkeys(oid for oid in heads if oid is not None))
    named = named_ids(worktree.git_dir, but=frozenset({"index", "gitdir", "commondir"}))
    for name in branches:
        named |= ids_of_reflog(repository, repository.place, f"refs/heads/{name}")
    named |= ids_of_own_refs(repository, place)
    kinds = kinds_of(place, {*first, *named})
    tags = sorted(oid for oid, kind in kinds.items() if kind == "tag")
    for tag in tags:
        kinds |= kinds_of(place, run(place, "rev-parse", "--verify", f"{tag}^{{}}").decode("ascii").split())
    commits = sorted(oid for oid, kind in kinds.items() if kind == "commit")
    parents = _independent(repository, checkout, first, commits)
    objects = {oid: kind for oid, kind in kinds.items() if kind in MODES} | _named_by_index(place, worktree.head)
    rows = [f"{MODES[kind]} {kind} {oid}\t{oid}\n" for oid, kind in sorted(objects.items())]
    for tag in tags:
        blob = _write(place, "hash-object", "-w", "--stdin", stdin=run(place, "cat-file", "tag", tag))
        rows.append(f"100644 blob {blob}\ttag-{tag}\n")
    tree = _write(place, "mktree", stdin="".join(rows).encode("ascii"))
    now = f"Worktree Sidecar <> {int(time.time())} +0000"
    lines = [f"tree {tree}", *(f"parent {oid}" for oid in parents), f"author {now}", f"committer {now}", ""]
    lines += [f"What only the worktree {escape(worktree.name)!a} names", ""]
    return _write(place, "hash-object", "-t", "commit", "-w", "--stdin", stdin="\n".join(lines).encode("ascii"))


def check_anchor(repository: Repository, commit: str) -> None:
    """Raise GitError unless every object of an anchor is there.

    It is asked once a ref holds the anchor, because `git gc --prune=now` may have run before that.
    """
    tips = [oid for oid in _ref_tips(repository) if oid != commit]
    if not _is_whole(repository, repository.place, tips, [commit]):
        raise GitError("objects that only it names are gone.")


def restore_tags(repository: Repository, commit: str) -> None:
    """Write the tag objects of an anchor again: a tree can hold none, so it has their texts. GitError."""
    for row in run(repository.place, "ls-tree", commit).decode("ascii").splitlines():
        facts, _, name = row.partition("\t")
        if name.startswith("tag-"):
            text = run(repository.place, "cat-file", "blob", facts.split(" ")[2])
            _write(repository.place, "hash-object", "-t", "tag", "-w", "--stdin", stdin=text)


def _write(place: Place, *args: str, stdin: bytes) -> str:
    return run(place, *DURABLE, *args, stdin=stdin).decode("ascii").strip()


def _named_by_index(place: Place, head: str | None) -> dict[str, str]:
    """Give id -> kind of what the index names and the commit's tree lacks: stages, resolved conflicts, cached trees."""
    without = () if head is None else (f"^{head}^{{tree}}",)
    how = ("rev-list", "--objects", "--indexed-objects", "--single-worktree", "--missing=print")
    said = run(place, *how, *without).split(b"\n")
    kinds = kinds_of(place, [line.partition(b" ")[0].decode("ascii") for line in said if line and line[:1] != b"?"])
    return {oid: kind for oid, kind in kinds.items() if kind in MODES}


def _independent(repository: Repository, checkout: Checkout, heads: Sequence[str], commits: Sequence[str]) -> list[str]:
    """Give the commits that none of the others reaches, `heads` first; without those whose history has a hole."""
    firsts = list(heads)
    if len(firsts) > 1:
        said = run(checkout.place, "merge-base", "--independent", *firsts).decode("ascii").split()
        firsts = [oid for oid in firsts if oid in said]
    rest = [oid for oid in commits if oid not in firsts]
    if not rest:
        return firsts
    reachable = [*firsts, *_ref_tips(repository)]
    if not _is_whole(repository, checkout.place, reachable, rest):
        rest = [oid for oid in rest if _is_whole(repository, checkout.place, reachable, [oid])]
    listed: set[str] = set()
    reached: set[str] = set()
    for line in run(checkout.place, "rev-list", "--parents", "--stdin", stdin=_range(firsts, rest)).splitlines():
        commit, *parents = line.decode("ascii").split(" ")
        listed.add(commit)
        reached.update(parents)
    return [oid for oid in (*firsts, *(oid for oid in rest if oid in listed)) if oid not in reached]


def _ref_tips(repository: Repository) -> list[str]:
    return run(repository.place, "for-each-ref", "--format=%(objectname)").decode("ascii").split()


def _is_whole(repository: Repository, place: Place, heads: Sequence[str], commits: Sequence[str]) -> bool:
    """Tell whether all objects of these commits are there that the heads don't have (a partial clone lacks some)."""
    try:
        how = ("rev-list", "--objects", "--missing=print", "--ignore-missing", "--stdin")
        said = run(place, *how, stdin=_range(heads, commits))
    except GitError:
        return False
    partial = repository.config.get("extensions.partialclone") is not None
    return partial or not any(line.startswith(b"?") for line in said.splitlines())


def _range(heads: Sequence[str], commits: Sequence[str]) -> bytes:
    return "\n".join([*commits, *(f"^{oid}" for oid in heads), ""]).encode("ascii")
