"""`sidecar open`: a branch and a worktree for a new task, beside the main worktree."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from sidecar.git.acting import act
from sidecar.git.process import GitError, run
from sidecar.git.refs import resolve_commit
from sidecar.git.repository import Repository, list_worktrees, open_repository, unreadable
from sidecar.git.trunk import find_trunk
from sidecar.model.findings import Failure, Finding, as_finding, blocks, info, is_blocked
from sidecar.model.messages import shown
from sidecar.model.picture import Worktree, WorktreeState
from sidecar.operations import journal
from sidecar.operations.control import QUIET, Control
from sidecar.operations.lock import hold
from sidecar.operations.opening_ends import settle_opening
from sidecar.operations.receipts import new_id
from sidecar.session.look import find_worktree
from sidecar.session.sources import Options, settings_of


@dataclass(frozen=True, slots=True)
class OpenPlan:
    """A worktree to be made: its new branch (short), the absolute path, and the commit that both begin at.

    `start` is what that commit was asked for as. `commit` is '' where there is none; then a finding blocks.
    """

    folder: Path
    common_dir: str
    options: Options
    branch: str
    start: str
    commit: str
    path: str
    findings: tuple[Finding, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether something stands in the way."""
        return is_blocked(self.findings)


@dataclass(frozen=True, slots=True)
class OpenResult:
    """What became of it: `path` is where the worktree is, None when there is none."""

    outcome: Literal["opened", "refused", "failed"]
    path: str | None
    findings: tuple[Finding, ...] = ()


def plan_open(folder: Path, name: str, start: str | None, options: Options) -> OpenPlan | Failure:
    """A worktree on a new branch NAME at trunk, or at a commit, branch or worktree; nothing is written."""
    repository = open_repository(folder, trust=options.trusted)
    if isinstance(repository, Failure):
        return repository
    try:
        return _plan(repository, folder, name, start, options)
    except GitError as error:
        return unreadable(error)


def _plan(repository: Repository, folder: Path, name: str, start: str | None, options: Options) -> OpenPlan | Failure:
    settings = settings_of(repository, options)
    worktrees = list_worktrees(repository)
    trunk = find_trunk(repository, worktrees, str(settings["trunk"]))
    if start is None and isinstance(trunk, Failure):
        return trunk
    from_ref = start if start is not None else "" if isinstance(trunk, Failure) else trunk.branch
    commit = "" if start is not None or isinstance(trunk, Failure) else trunk.commit or ""
    if start is not None:
        commit = _find_commit(repository, worktrees, start, folder)
    branch = name.removeprefix("refs/heads/")
    path = _path(repository, worktrees, branch, str(settings["worktreeFolder"]))
    plan = OpenPlan(folder, repository.common_dir, options, branch, from_ref, commit, path)
    return replace(plan, findings=tuple(_findings(repository, worktrees, plan)))


def _find_commit(repository: Repository, worktrees: tuple[Worktree, ...], start: str, folder: Path) -> str:
    if not start or "\0" in start:
        return ""
    found = find_worktree([WorktreeState(worktree) for worktree in worktrees], start, folder)
    if isinstance(found, Failure):
        return ""
    return resolve_commit(repository.place, start) or (found.worktree.head if found is not None else None) or ""


def _path(repository: Repository, worktrees: tuple[Worktree, ...], branch: str, configured: str) -> str:
    """Where VS Code's own command puts it too: `shop.worktrees/NAME` beside `shop`; a `/` in NAME becomes `-`.

    A bare repository in a hidden directory (`shop/.bare`) has its worktrees beside it.
    """
    main = next((worktree for worktree in worktrees if worktree.main), None)
    home = main.key if main is not None else repository.common_dir
    above, last = os.path.split(home)
    base = os.path.join(above, f"{last.removesuffix('.git')}.worktrees") if not last.startswith(".") else above
    if configured:
        base = os.path.join(home, os.path.expanduser(configured))
    return os.path.join(os.path.realpath(base), branch.replace("/", "-").replace("\0", "-"))


def _findings(repository: Repository, worktrees: tuple[Worktree, ...], plan: OpenPlan) -> Iterator[Finding]:
    branch = shown(plan.branch)
    if not _is_name(repository, plan.branch):
        said = f"{branch or 'An empty name'} can't be the name of a branch. Take letters, digits, - and /."
        yield blocks("bad-name", said)
        return
    if not plan.commit:
        said = f"There is no commit, branch or worktree called {shown(plan.start)} to begin at."
        yield blocks("unknown-ref", said)
    yield from _branch_findings(repository, worktrees, plan.branch)
    there = next((worktree for worktree in worktrees if worktree.key == plan.path), None)
    if there is not None and there.missing:
        said = f"Git still lists a worktree at {shown(plan.path)}, whose folder is gone. Forget it: git worktree prune"
        yield blocks("path-exists", said, (plan.path,))
    elif os.path.lexists(plan.path):
        yield blocks("path-exists", f"Something is at {shown(plan.path)} already.", (plan.path,))
    last = os.path.basename(plan.path)
    others = [worktree.key for worktree in worktrees if worktree.name == last and worktree.key != plan.path]
    if others:
        said = f"Another worktree is called {shown(last)}: {shown(others[0])}. Take another name."
        yield blocks("name-taken", said, tuple(others))


def _is_name(repository: Repository, branch: str) -> bool:
    """Whether git takes it for the name of a new branch (git-check-ref-format(1))."""
    if branch in ("", "HEAD", "@") or branch.startswith("-") or "\0" in branch:
        return False
    try:
        said = run(repository.place, "check-ref-format", "--branch", branch)
    except GitError:
        return False
    return os.fsdecode(said.removesuffix(b"\n")) == branch


def _branch_findings(repository: Repository, worktrees: tuple[Worktree, ...], branch: str) -> Iterator[Finding]:
    listing = run(repository.place, "for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes/origin")
    refs = [os.fsdecode(line) for line in listing.splitlines()]
    local = {_same_case(repository, ref.removeprefix("refs/heads/")): ref for ref in refs if ref.startswith("refs/h")}
    mine = _same_case(repository, branch)
    if mine in local:
        where = next((f" (in {shown(one.key)})" for one in worktrees if one.branch == branch), "")
        said = f"There is a branch called {shown(branch)} already{where}. Take another name."
        yield blocks("branch-exists", said)
        return
    clash = [other for other in local if other.startswith(f"{mine}/") or mine.startswith(f"{other}/")]
    if clash:
        said = f"The branch {shown(clash[0])} leaves no room for one called {shown(branch)}. Take another name."
        yield blocks("branch-exists", said)
    elif f"refs/remotes/origin/{branch}" in refs:
        said = f"origin has a branch called {shown(branch)} too; the new one has nothing to do with it."
        yield info("branch-at-origin", said)


def _same_case(repository: Repository, name: str) -> str:
    return name.casefold() if repository.config.flag("core.ignorecase", default=False) else name


def apply_open(plan: OpenPlan, control: Control = QUIET) -> OpenResult:
    """Make the branch and the worktree, as `git worktree add -b` does with the person's hooks and filters."""
    if plan.blocked:
        return OpenResult("refused", None, plan.findings)
    with hold(plan.common_dir, f"opening {shown(plan.branch)}") as held:
        if isinstance(held, Finding):
            return OpenResult("refused", None, (held,))
        refusal = _look_again(plan, held)
        if refusal:
            return OpenResult("refused", None, refusal)
        repository = open_repository(plan.folder, trust=plan.options.trusted)
        if isinstance(repository, Failure):
            return OpenResult("refused", None, (as_finding(repository),))
        return _open(repository, held, plan, control)


def _look_again(plan: OpenPlan, state: Path) -> tuple[Finding, ...]:
    """Why the plan is not to be carried out now."""
    if (standing := journal.left_over(state)) is not None:
        return (standing,)
    fresh = plan_open(plan.folder, plan.branch, plan.commit, plan.options)
    if isinstance(fresh, Failure):
        return (as_finding(fresh),)
    return fresh.findings if fresh.blocked else ()


def _open(repository: Repository, state: Path, plan: OpenPlan, control: Control) -> OpenResult:
    control.stage(f"Opening {shown(plan.branch)}")
    operation = new_id(state, "open")
    facts = facts_of(plan)
    try:
        journal.begin(state, operation, "open", "add", facts)
        opened, words, findings = add_worktree(repository, plan, control, operation, facts)
        journal.finish(state)
    except (OSError, GitError) as error:
        return OpenResult("failed", None, (not_opened(state, error),))
    if not opened:
        return OpenResult("failed", None, (blocks("not-opened", words or "Git made no worktree."), *findings))
    told = (info("git-said", words),) if words else ()
    return OpenResult("opened", plan.path, (*plan.findings, *told, *findings))


def facts_of(plan: OpenPlan) -> dict[str, Any]:
    """What the journal has to say, so that an opening can be finished or undone."""
    there = os.path.isdir(os.path.dirname(plan.path))
    return {"path": plan.path, "branch": plan.branch, "commit": plan.commit, "parent": not there}


def add_worktree(
    repository: Repository, plan: OpenPlan, control: Control, operation: str, facts: Mapping[str, Any]
) -> tuple[bool, str, tuple[Finding, ...]]:
    """(whether there is a worktree now, git's last words, what is to be known of it); the journal has been begun.

    OSError or GitError where it is neither made nor undone.
    """
    try:
        os.makedirs(os.path.dirname(plan.path), exist_ok=True)
        made = act(
            control.acting(operation, repository.common_dir, stoppable=False),
            repository.place,
            *("worktree", "add", "--quiet", "--no-track", "-b", plan.branch),
            *("--end-of-options", plan.path, plan.commit),
        )
        words = made.last_words
    except (OSError, GitError) as error:
        words = error.message if isinstance(error, GitError) else f"{plan.path} can't be made: {error.strerror}."
    opened, findings = settle_opening(repository, operation, facts)
    return opened, words, findings


def not_opened(state: Path, error: OSError | GitError) -> Finding:
    """What to say when an opening could not be brought to an end."""
    if not (state / "journal").exists():
        return blocks("not-opened", f"Nothing was begun: {error}")
    return blocks("not-opened", f"It could not be finished now and will be by the next command: {error}")
