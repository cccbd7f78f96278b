"""Which branch work comes back to."""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.git.process import run
from sidecar.git.repository import Repository
from sidecar.model.findings import Failure
from sidecar.model.picture import Trunk, Worktree

ORIGIN_HEAD = "refs/remotes/origin/HEAD"


def find_trunk(repository: Repository, worktrees: Sequence[Worktree], configured: str) -> Trunk | Failure:
    """The trunk rule of the design; `configured` is the setting's value, '' when not set.

    A branch that exists at origin only is trunk by its remote-tracking ref. Before the first commit trunk is the main
    worktree's branch, without a commit.
    """
    refs = _read_refs(repository, configured)
    if configured:
        refs = {ref: known for ref, known in refs.items() if ref != ORIGIN_HEAD}
        found = _branch(configured.removeprefix("refs/heads/"), refs)
        return found or Failure(
            "no-trunk",
            f"sidecar.trunk names {configured}, but there is no such branch. Set it to a branch that exists.",
        )
    pointed = refs.get(ORIGIN_HEAD, ("", ""))[1]
    names = [pointed.removeprefix("refs/remotes/origin/")] if pointed.startswith("refs/remotes/origin/") else []
    local_only = [(name, f"refs/heads/{name}") for name in ("main", "master")]
    for name in names:
        if (found := _branch(name, refs)) is not None:
            return found
    for name, ref in local_only:
        if ref in refs:
            return Trunk(name, ref, refs[ref][0])
    main = next((worktree for worktree in worktrees if worktree.main), None)
    if main is not None and main.branch is not None:
        ref = f"refs/heads/{main.branch}"
        return Trunk(main.branch, ref, _commit(repository, ref) or main.head)
    return Failure("no-trunk", "Which branch is trunk is not clear. Name it with: git config sidecar.trunk BRANCH")


def _branch(name: str, refs: dict[str, tuple[str, str]]) -> Trunk | None:
    for ref in (f"refs/heads/{name}", f"refs/remotes/origin/{name}"):
        if ref in refs:
            return Trunk(name, ref, refs[ref][0])
    return None


def _read_refs(repository: Repository, configured: str) -> dict[str, tuple[str, str]]:
    names = ["main", "master", *([configured.removeprefix("refs/heads/")] if configured else [])]
    patterns = [ORIGIN_HEAD, *(f"refs/heads/{name}" for name in names)]
    refs = _list_refs(repository, patterns)
    pointed = refs.get(ORIGIN_HEAD, ("", ""))[1]
    if pointed:
        local = pointed.replace("refs/remotes/origin/", "refs/heads/", 1)
        refs |= _list_refs(repository, [pointed, local])
    if configured and f"refs/heads/{configured}" not in refs:
        refs |= _list_refs(repository, [f"refs/remotes/origin/{configured}"])
    return refs


def _list_refs(repository: Repository, patterns: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Full name -> (commit id, symbolic target or ''), for the refs that exist under exactly these names."""
    form = "%(refname)%00%(objectname)%00%(symref)"
    listing = run(repository.place, "for-each-ref", f"--format={form}", "--end-of-options", *patterns)
    rows = [line.decode("utf-8", "surrogateescape").split("\0") for line in listing.split(b"\n") if line]
    return {name: (oid, symref) for name, oid, symref in rows if name in patterns}


def _commit(repository: Repository, ref: str) -> str | None:
    found = _list_refs(repository, [ref]).get(ref)
    return found[0] if found else None
