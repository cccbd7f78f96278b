"""How an opening ends that git did not bring to its end: finished where there is a worktree, else undone.

Nothing that could be a person's is deleted: files that stand are left as they are, directories go when they are empty,
the branch only as long as it is as it was made.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sidecar.git.acting import Act, act
from sidecar.git.files import read_small
from sidecar.git.process import GitError, Place, run
from sidecar.git.repository import Repository
from sidecar.model.findings import Finding, blocks, info
from sidecar.model.messages import counted, shown
from sidecar.operations import journal
from sidecar.operations.journal import Journal

INITIALIZING = b"initializing"
"""What git locks a worktree with while it makes it (builtin/worktree.c)."""

NEVER_MORE = 1
"""Lines in the reflog of a branch on which nothing was done."""


def recover_open(repository: Repository, state: Path, entry: Journal) -> tuple[Finding, ...]:
    """Bring an opening that was killed to one of its ends, and say which."""
    known = [entry.facts.get(name) for name in ("path", "branch", "commit")]
    if not all(isinstance(value, str) and value and "\0" not in value for value in known):
        return (_strange(entry),)
    path, branch, _ = (str(value) for value in known)
    if not os.path.isabs(path):
        return (_strange(entry),)
    try:
        opened, findings = settle_opening(repository, entry.id, entry.facts)
        journal.finish(state)
    except (OSError, GitError) as error:
        said = f"{shown(branch)} was being opened, and can't be finished now: {error}"
        return (blocks("not-recovered", said),)
    said = f"is finished at {shown(path)}" if opened else "is undone. Open it again"
    return (info("recovered", f"The opening of {shown(branch)} was ended half-way; it {said}."), *findings)


def settle_opening(
    repository: Repository, operation: str, facts: Mapping[str, Any]
) -> tuple[bool, tuple[Finding, ...]]:
    """(whether there is a worktree now, what is to be known of it)."""
    path, branch, commit = str(facts["path"]), str(facts["branch"]), str(facts["commit"])
    git_dir = _administrative_directory(repository, path)
    if git_dir is not None and _is_linked(git_dir, path) and _stands(repository, branch, commit):
        return True, _finish(Act(operation, repository=repository.common_dir), git_dir, path, branch)
    if git_dir is not None and _is_initializing(git_dir):
        if _is_linked(git_dir, path):
            os.unlink(os.path.join(path, ".git"))
        shutil.rmtree(git_dir)
        with contextlib.suppress(OSError):
            os.rmdir(path)
    elif git_dir is None:
        with contextlib.suppress(OSError):
            os.rmdir(path)
    made = (os.path.dirname(path),) if facts.get("parent") is True else ()
    for empty in (*made, os.path.join(repository.common_dir, "worktrees")):
        with contextlib.suppress(OSError):
            os.rmdir(empty)
    if git_dir is None or not os.path.isdir(git_dir):
        _forget_branch(repository, operation, branch, commit)
    return False, ()


def _finish(acting: Act, git_dir: str, path: str, branch: str) -> tuple[Finding, ...]:
    """Do what git had left to do: HEAD on the branch, an index, the files that are not there yet, no lock."""
    if not _is_initializing(git_dir):
        return ()
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(git_dir, "index.lock"))
    place = Place(path)
    for command in (
        ("symbolic-ref", "HEAD", f"refs/heads/{branch}"),
        ("read-tree", "HEAD"),
        ("checkout-index", "--all", "--quiet"),
        ("update-index", "--refresh", "-q"),
    ):
        done = act(acting, place, *command)
        if not done.ok and command[0] in ("symbolic-ref", "read-tree"):
            raise GitError(done.last_words)
    os.unlink(os.path.join(git_dir, "locked"))
    listing = run(place, "diff-files", "--name-only", "-z")
    differing = tuple(os.fsdecode(name) for name in listing.split(b"\0") if name)
    if not differing:
        return ()
    files = f"{counted(len(differing), 'file', 'files')} at {shown(path)}"
    verb = "is" if len(differing) == 1 else "are"
    said = f"{files} {verb} not as in the commit. If that is not your work, run: git restore ."
    return (info("half-written", said, differing),)


def _administrative_directory(repository: Repository, path: str) -> str | None:
    """The directory under `worktrees/` that is of this path, or that git had just begun for it."""
    home = os.path.join(repository.common_dir, "worktrees")
    with contextlib.suppress(OSError):
        for entry in sorted(os.scandir(home), key=lambda entry: entry.name):
            if entry.is_symlink() or not entry.is_dir():
                continue
            try:
                said = os.fsdecode(read_small(os.path.join(entry.path, "gitdir")).rstrip(b"\n"))
            except OSError:
                if entry.name.startswith(os.path.basename(path)) and _is_initializing(entry.path):
                    return entry.path
                continue
            if os.path.realpath(os.path.dirname(os.path.join(entry.path, said))) == path:
                return entry.path
    return None


def _is_initializing(git_dir: str) -> bool:
    try:
        return read_small(os.path.join(git_dir, "locked")).strip() == INITIALIZING
    except OSError:
        return False


def _is_linked(git_dir: str, path: str) -> bool:
    """Whether the two point at each other, so that git can be run there."""
    try:
        said = read_small(os.path.join(path, ".git"))
        read_small(os.path.join(git_dir, "HEAD"))
        read_small(os.path.join(git_dir, "commondir"))
    except OSError:
        return False
    pointed = os.path.join(path, os.fsdecode(said.removeprefix(b"gitdir:").strip()))
    return said.startswith(b"gitdir:") and os.path.realpath(pointed) == os.path.realpath(git_dir)


def _stands(repository: Repository, branch: str, commit: str) -> bool:
    """Whether the branch is there; where a worktree of it is complete it may have moved on."""
    try:
        return (
            bool(run(repository.place, "rev-parse", "--verify", "-q", f"refs/heads/{branch}^{{commit}}")) or not commit
        )
    except GitError:
        return False


def _forget_branch(repository: Repository, operation: str, branch: str, commit: str) -> None:
    """Delete the branch again if nothing was done on it since it was made."""
    log = os.path.join(repository.common_dir, "logs", "refs", "heads", *branch.split("/"))
    with contextlib.suppress(OSError):
        if len(read_small(log).splitlines()) > NEVER_MORE:
            return
    act(
        Act(operation, repository=repository.common_dir),
        repository.place,
        "update-ref",
        "-d",
        f"refs/heads/{branch}",
        commit,
    )


def _strange(entry: Journal) -> Finding:
    said = f"The journal of {entry.id} is not as we wrote it. Look at it, and move it away."
    return blocks("bad-journal", said)
