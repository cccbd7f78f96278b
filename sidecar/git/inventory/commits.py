"""The commits that a linked worktree names, and which of them nothing else holds.

Two traps that would answer "none" (git-rev-list(1)): `--all` counts the worktree's own HEAD among the holders, and an
`--exclude` for `--branches` takes the branch's short name.
"""

from __future__ import annotations

import os

from sidecar.git.inventory.administrative import named_ids
from sidecar.git.inventory.ground import Ground
from sidecar.git.inventory.ownership import commits_reached, existing_commits, head_of, ids_of_log
from sidecar.git.process import run
from sidecar.model.inventory import Commits

OWN_REFS = ("refs/worktree/", "refs/bisect/", "refs/rewritten/")
"""The refs that every worktree has for itself (gitrepository-layout(5))."""


def read_commits(ground: Ground, administrative: str) -> Commits:
    """What HEAD, branch, the worktree's own refs, both reflogs and all pseudo refs hold; GitError when unreadable."""
    head, branch = head_of(ground), _branch(ground)
    tip = _tip(ground, branch)
    first = existing_commits(ground.place, [oid for oid in (head, tip) if oid is not None])
    elsewhere = _holders(ground, branch)
    own = commits_reached(ground.place, first, (), *elsewhere)
    refs = _own_refs(ground)
    by_ref = existing_commits(ground.place, [oid for _, oid in refs])
    held_by_refs = commits_reached(ground.place, by_ref, first, *elsewhere)
    named = named_ids(administrative) | _branch_log(ground, branch)
    others = existing_commits(ground.place, named)
    by_log = commits_reached(ground.place, others, (*first, *by_ref), *elsewhere)
    roots = tuple(sorted({*first, *by_ref, *others}))
    return Commits(head, branch, own, held_by_refs, by_log, refs, roots)


def _branch(ground: Ground) -> str | None:
    """The short name of the branch that HEAD names, also before its first commit; None when detached."""
    said = os.fsdecode(run(ground.place, "symbolic-ref", "-q", "HEAD", accept=(0, 1)).removesuffix(b"\n"))
    return said.removeprefix("refs/heads/") if said.startswith("refs/heads/") else None


def _holders(ground: Ground, branch: str | None) -> tuple[str, ...]:
    """The options of rev-list for every ref that holds commits without the branch; its aliases hold nothing."""
    if branch is None:
        return ("--branches", "--tags", "--remotes")
    listing = run(
        ground.place, "for-each-ref", "--format=%(symref) %(refname)", "refs/heads", "refs/tags", "refs/remotes"
    )
    aims = dict(os.fsdecode(line).partition(" ")[::-2] for line in listing.split(b"\n") if line)
    gone = {f"refs/heads/{branch}"}
    while more := {name for name, aim in aims.items() if aim in gone} - gone:
        gone |= more
    options: list[str] = []
    for option, start in (("--branches", "refs/heads/"), ("--tags", "refs/tags/"), ("--remotes", "refs/remotes/")):
        options += [f"--exclude={name.removeprefix(start)}" for name in sorted(gone) if name.startswith(start)]
        options.append(option)
    return tuple(options)


def _tip(ground: Ground, branch: str | None) -> str | None:
    if branch is None:
        return None
    asked = f"refs/heads/{branch}^{{commit}}"
    said = run(ground.place, "rev-parse", "--verify", "-q", "--end-of-options", asked, accept=(0, 1))
    return said.decode("ascii").strip() or None


def _own_refs(ground: Ground) -> tuple[tuple[str, str], ...]:
    """(full name, id) of the refs that only this worktree sees."""
    said = run(ground.place, "for-each-ref", "--format=%(objectname) %(refname)", *OWN_REFS)
    rows = (os.fsdecode(line).partition(" ") for line in said.split(b"\n") if line)
    return tuple(sorted((name, oid) for oid, _, name in rows))


def _branch_log(ground: Ground, branch: str | None) -> set[str]:
    """Every id in the branch's reflog, which goes with the branch."""
    if branch is None:
        return set()
    return ids_of_log(os.path.join(ground.common_dir, "logs", "refs", "heads", *branch.split("/")))
