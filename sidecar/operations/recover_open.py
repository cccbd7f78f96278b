"""End an opening that git did not bring to its end: finish it where there is a worktree, else undo it.

Nothing that could be a person's is deleted: files that stand are left as they are, directories go when they are empty,
the branch only as long as it is as it was made.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from sidecar.git.process import GitError, Place, run
from sidecar.git.refs import branch_tip, read_reflog
from sidecar.git.repository import INITIALIZING, Repository
from sidecar.git.user_git import UserGit, run_user_git
from sidecar.model.decode import AbsolutePath, BranchName, ObjectId, Size
from sidecar.model.findings import Finding, finding
from sidecar.model.words import counted, escape, shown
from sidecar.operations import journal
from sidecar.operations.included import bring_along, lacking
from sidecar.operations.journal import Journal, decode_facts
from sidecar.operations.run import QUIET, Control
from sidecar.operations.setup import Setup, again, plan_setup
from sidecar.system.files import read_small
from sidecar.system.worktree_links import git_directory, worktree_of

NEVER_MORE = 1
"""Lines in the reflog of a branch on which nothing was done."""


@dataclass(frozen=True, slots=True)
class OpenFacts:
    """An opening as its journal tells it; `parent` says that the directory above the worktree is to be made too.

    `source` is the worktree that ignored files are brought from, `setup` the command that runs when it is there.
    """

    path: AbsolutePath
    branch: BranchName
    commit: ObjectId
    parent: bool = field(default=False, kw_only=True)
    source: AbsolutePath | None = field(default=None, kw_only=True)
    setup: str = field(default="", kw_only=True)
    limit: Size = field(default=0, kw_only=True)


def recover_open(repository: Repository, sidecar_dir: Path, entry: Journal) -> tuple[Finding, ...]:
    """Bring an opening that was killed to one of its ends, and say which."""
    facts = decode_facts(OpenFacts, entry)
    if isinstance(facts, Finding):
        return (facts,)
    branch = shown(facts.branch)
    try:
        opened, findings = settle_opening(repository, entry.id, facts)
        journal.finish(sidecar_dir)
    except (OSError, GitError) as error:
        return (finding("not-recovered", f"{branch} was being opened, and can't be finished now: {error}"),)
    said = f"is finished at {shown(facts.path)}" if opened else "is undone. Open it again"
    told = not_set_up(facts) if opened else ()
    return (finding("recovered", f"The opening of {branch} was ended half-way; it {said}."), *findings, *told)


def settle_opening(
    repository: Repository, operation: str, facts: OpenFacts, control: Control = QUIET
) -> tuple[bool, tuple[Finding, ...]]:
    """Finish an opening where there is a worktree, else undo it: (whether it is there, what is to be known of it)."""
    path, branch, commit = facts.path, facts.branch, facts.commit
    acting = UserGit(operation, repository=repository.common_dir)
    git_dir = _administrative_directory(repository, path)
    if git_dir is not None and _is_linked(git_dir, path) and branch_tip(repository.place, branch) is not None:
        finished = _finish(acting, git_dir, path, branch)
        brought = bring_along(repository, operation, facts.source, path, control)
        place = Place(path, {"GIT_DIR": git_dir, "GIT_WORK_TREE": path})
        noted = note_setup(repository.common_dir, facts)
        return True, (*finished, *brought, *lacking(place, path), *noted)
    if git_dir is not None and _is_initializing(git_dir):
        if _is_linked(git_dir, path):
            os.unlink(os.path.join(path, ".git"))
        shutil.rmtree(git_dir)
    if git_dir is None or not os.path.isdir(git_dir):
        _remove_empty(path)
    _remove_empty(*([os.path.dirname(path)] if facts.parent else []), os.path.join(repository.common_dir, "worktrees"))
    if git_dir is None or not os.path.isdir(git_dir):
        _forget_branch(repository, acting, branch, commit)
    return False, _left(repository, path, branch)


def note_setup(common_dir: str, facts: OpenFacts) -> tuple[Finding, ...]:
    """Note the command that is to run in the worktree, if any; says why that can't be done."""
    if not facts.setup.strip():
        return ()
    return plan_setup(common_dir, facts.path, Setup(facts.setup, facts.branch, facts.source, facts.limit, os.getpid()))


def not_set_up(facts: OpenFacts) -> tuple[Finding, ...]:
    """Say that the command has not run in a worktree whose opening was killed."""
    if not facts.setup.strip():
        return ()
    said = f"Its setup has not run: {escape(facts.setup)}. {again(os.path.basename(facts.path))}"
    return (finding("setup-failed", said),)


def _remove_empty(*folders: str) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def has_made_nothing(repository: Repository, entry: Journal) -> bool:
    """Tell whether neither the worktree of an opening is known to git nor its branch there."""
    facts = decode_facts(OpenFacts, entry)
    if isinstance(facts, Finding):
        return False
    unknown = _administrative_directory(repository, facts.path) is None
    return unknown and branch_tip(repository.place, facts.branch) is None


def _left(repository: Repository, path: str, branch: str) -> tuple[Finding, ...]:
    """Find what of it stands all the same, and is not ours to delete."""
    found = [shown(path)] if os.path.lexists(path) else []
    if branch_tip(repository.place, branch) is not None:
        found.append(f"the branch {shown(branch)}")
    if not found:
        return ()
    verb, them = ("is", "it") if len(found) == 1 else ("are", "them")
    said = f"{' and '.join(found)} {verb} left. If nothing in {them} is anybody's work, delete {them}."
    return (finding("half-written", said[0].upper() + said[1:], (path,)),)


def _finish(acting: UserGit, git_dir: str, path: str, branch: str) -> tuple[Finding, ...]:
    """Do what git had left to do: HEAD on the branch, an index, the files that are not there yet, no lock."""
    if not _is_initializing(git_dir):
        return ()
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(git_dir, "index.lock"))
    place = Place(path)
    for command in (
        ("symbolic-ref", "HEAD", f"refs/heads/{branch}"),
        ("read-tree", "HEAD"),
        ("sparse-checkout", "reapply"),  # refused where it is not sparse
        ("checkout-index", "--all", "--quiet"),
        ("update-index", "--refresh", "-q"),
    ):
        done = run_user_git(acting, place, *command)
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
    return (finding("half-written", said, differing),)


def _administrative_directory(repository: Repository, path: str) -> str | None:
    """Find the directory under `worktrees/` that is of this path, or that git had just begun for it."""
    home = os.path.join(repository.common_dir, "worktrees")
    with contextlib.suppress(OSError):
        for entry in sorted(os.scandir(home), key=lambda entry: entry.name):
            if entry.is_symlink() or not entry.is_dir():
                continue
            try:
                named = worktree_of(entry.path)
            except OSError:
                if entry.name.startswith(os.path.basename(path)) and _is_initializing(entry.path):
                    return entry.path
                continue
            if named == path:
                return entry.path
    return None


def _is_initializing(git_dir: str) -> bool:
    try:
        return read_small(os.path.join(git_dir, "locked")).strip() == INITIALIZING.encode()
    except OSError:
        return False


def _is_linked(git_dir: str, path: str) -> bool:
    """Tell whether the two point at each other, so that git can be run there."""
    there = all(os.path.isfile(os.path.join(git_dir, name)) for name in ("HEAD", "commondir"))
    return there and git_directory(Path(path)) == Path(git_dir).resolve()


def _forget_branch(repository: Repository, acting: UserGit, branch: str, commit: str) -> None:
    """Delete the branch again if nothing was done on it since it was made."""
    try:
        log = read_reflog(repository, repository.place, f"refs/heads/{branch}")
    except (OSError, GitError):
        return
    if len(log.splitlines()) > NEVER_MORE:
        return
    run_user_git(acting, repository.place, "update-ref", "-d", f"refs/heads/{branch}", commit)
