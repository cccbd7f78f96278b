"""Record the branches that a worktree is on before it goes, and make them again beside those that are there then."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sidecar.git.config import read_config
from sidecar.git.process import GitError, run
from sidecar.git.refs import branch_tip, is_branch_name, read_reflog, write_reflog
from sidecar.git.repository import Repository, list_worktrees
from sidecar.git.unfinished import COMES_BACK_TO, branches_held
from sidecar.git.user_git import DURABLE
from sidecar.model.decode import BranchName, ObjectId, decode
from sidecar.model.findings import Failure
from sidecar.model.picture import Worktree
from sidecar.operations.records import read_record, write_new, write_record
from sidecar.system.files import read_regular, read_small

MOST_NAMES = 100
MOST_IN_LOG = 1 << 30

RECORD = "branches.json"

NAMING_A_BRANCH = ("HEAD", *COMES_BACK_TO)
"""The files of an administrative directory that name a branch."""


@dataclass(frozen=True, slots=True)
class KeptBranch:
    """A branch as it was: short name, tip (None before the first commit), configuration, and its reflog as text."""

    name: BranchName
    tip: ObjectId | None
    config: tuple[tuple[str, str], ...] = ()
    log: bytes = b""


@dataclass(frozen=True, slots=True)
class KeptBranches:
    """The branches that a worktree is on, or in the middle of; `files` are git's files that name one, by path."""

    branches: tuple[KeptBranch, ...]
    files: Mapping[str, str]


def read_branches(repository: Repository, worktree: Worktree) -> KeptBranches:
    """Read the branches of a worktree as they are now; GitError or OSError when they can't be read."""
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
        log = read_reflog(repository, repository.place, f"refs/heads/{name}")
        found.append(KeptBranch(name, branch_tip(repository.place, name), pairs, log))
    files = {}
    for path in NAMING_A_BRANCH:
        with contextlib.suppress(OSError):
            files[path] = os.fsdecode(read_small(os.path.join(worktree.git_dir, path)))
    return KeptBranches(tuple(found), files)


def write_branches(kept: KeptBranches, folder: Path) -> None:
    """Put the record of them, and their reflogs, into a folder; OSError when they can't be written."""
    for number, branch in enumerate(kept.branches):
        write_new(folder / f"log-{number}", branch.log)
    rows = [{"name": one.name, "tip": one.tip, "config": [list(pair) for pair in one.config]} for one in kept.branches]
    write_record(folder / RECORD, {"schema": 1, "branches": rows, "files": dict(kept.files)})


def load_branches(folder: Path) -> KeptBranches:
    """Read what `write_branches` wrote; ValueError for what it did not, OSError when a reflog can't be read."""
    kept = decode(KeptBranches, read_record(folder / RECORD))
    if isinstance(kept, Failure):
        raise ValueError(kept.message)
    if not kept.files.keys() <= {*NAMING_A_BRANCH}:
        raise ValueError("its files are not as they were written")
    logs = (read_regular(str(folder / f"log-{number}"), MOST_IN_LOG) for number in range(len(kept.branches)))
    return replace(kept, branches=tuple(replace(one, log=log) for one, log in zip(kept.branches, logs, strict=True)))


def restore_branches(repository: Repository, branches: Sequence[KeptBranch]) -> dict[str, str]:
    """Create each branch at its tip, with its reflog and configuration: the name that it has now, by its old one.

    One that is at its tip and that no worktree is on stays; else it gets another name, `NAME-restored`. Doing it twice
    changes nothing. GitError when there is no name for it.
    """
    taken = {worktree.branch for worktree in list_worktrees(repository) if worktree.branch is not None}
    names: dict[str, str] = {}
    for branch in branches:
        for name in names_like(branch.name):
            if name not in taken and create_branch(repository, name, branch.tip, logged=False):
                names[branch.name] = name
                if branch.tip is not None and branch.log:
                    write_reflog(repository, f"refs/heads/{name}", branch.log)
                _restore_config(repository, name, branch)
                break
        else:
            raise GitError(f"the branch {branch.name} and {MOST_NAMES} names like it are taken.")
    return names


def names_like(name: str) -> Iterator[str]:
    """Give the names under which a branch may come back: its own, then others, as many as are tried."""
    yield name
    yield f"{name}-restored"
    yield from (f"{name}-restored-{number}" for number in range(2, MOST_NAMES))


def create_branch(repository: Repository, name: str, tip: str | None, *, logged: bool) -> bool:
    """Tell whether the branch is now at its tip: created by compare-and-swap, `logged` or not, or there already."""
    if not is_branch_name(repository.place, name):
        return False
    now = branch_tip(repository.place, name)
    if now is not None or tip is None:
        return now == tip
    how = (*DURABLE, *(() if logged else ("-c", "core.logAllRefUpdates=false")), "update-ref", "--no-deref")
    with contextlib.suppress(GitError):  # somebody else's is there now, or `a/b` where this is `a`
        run(repository.place, *how, f"refs/heads/{name}", tip, "0" * len(tip))
    return branch_tip(repository.place, name) == tip


def _restore_config(repository: Repository, name: str, branch: KeptBranch) -> None:
    """Set what the branch had configured, key by key, where it has nothing now."""
    now = {key for scope, key, _ in read_config(repository.place).pairs if scope == "local"}
    for key, value in branch.config:
        full = f"branch.{name}.{key}"
        if full not in now:
            run(repository.place, "config", "--local", "--add", "--", full, value)


def delete_branch(repository: Repository, name: str, tip: str) -> bool:
    """Delete a branch if it still points at `tip` and nobody has it; says whether it is gone.

    One that is only another name of a branch (git-symbolic-ref(1)), or has another name, stays: the other name would
    lead nowhere.
    """
    ref = f"refs/heads/{name}"
    how = ("for-each-ref", "--format=%(refname) %(symref)", "refs/heads")
    names = run(repository.place, *how).decode(errors="replace")
    if any(ref in (name, of) for name, _, of in (line.partition(" ") for line in names.splitlines()) if of):
        return False
    if any(worktree.branch == name for worktree in list_worktrees(repository)):
        return False
    try:
        run(repository.place, *DURABLE, "update-ref", "--no-deref", "-d", ref, tip)
    except GitError:
        return False
    section = ("config", "--local", "--remove-section", f"branch.{name}")
    with contextlib.suppress(GitError):
        run(repository.place, *section, accept=(0, 5, 128))
    return True


def rename_in(text: str, names: Mapping[str, str]) -> str:
    """Give the text of a HEAD, a `head-name` or a BISECT_START with the branch's new name."""
    for old, new in names.items():
        for prefix in ("", "refs/heads/", "ref: refs/heads/"):
            if text.rstrip("\n") == prefix + old:
                return prefix + new + text[len(text.rstrip("\n")) :]
    return text
