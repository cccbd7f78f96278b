"""Make a branch and a worktree for a new task, beside the main worktree: `sidecar open`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from sidecar.git.history import find_trunk, upstream_ahead
from sidecar.git.process import GitError, Place, run
from sidecar.git.refs import ref_names, resolve_commit
from sidecar.git.repository import Repository, list_worktrees
from sidecar.git.user_git import UserGit, run_user_git
from sidecar.model.findings import Failure, Finding, finding
from sidecar.model.picture import Trunk, Worktree, WorktreeState
from sidecar.model.settings import Options
from sidecar.model.sweepers import sweeper_of
from sidecar.model.words import counted, shown
from sidecar.operations.journal import finish
from sidecar.operations.recover_open import OpenFacts, note_setup, settle_opening
from sidecar.operations.run import QUIET, Agreed, Control, Plan, hold, run_plan
from sidecar.operations.setup import run_setup, running_setup
from sidecar.session.once import find_worktree, worktree_called
from sidecar.session.reader import ask_repository, settings_of
from sidecar.system.worktree_links import git_directory


@dataclass(frozen=True, slots=True)
class OpenPlan(Plan):
    """A worktree to be made: its new branch (short), the absolute path, and the commit that both begin at.

    `start` is what that commit was asked for as. `commit` is '' where there is none; then a finding blocks. `source` is
    the worktree that ignored files are brought from: trunk's checkout, else the main worktree, if there is either.
    `setup` is the command line that runs in it then, '' for none, and `limit` the seconds that it may take (0: any).
    """

    branch: str
    start: str
    commit: str
    path: str
    source: str | None = None
    setup: str = ""
    limit: int = 0


@dataclass(frozen=True, slots=True)
class OpenResult:
    """What became of it: `path` is where the worktree is, None when there is none."""

    outcome: Literal["opened", "refused", "failed"]
    path: str | None
    findings: tuple[Finding, ...] = ()


TAKEN = frozenset({"branch-exists", "path-exists", "name-taken"})
"""What another name helps against."""
RELATIVE_LINKS = (2, 48)
"""The first git that can have a worktree and its repository name each other by relative paths."""

_NO_PLACE = (
    "From here it is not known where the main worktree is, beside which this one would be. Run it in the main "
    "worktree, or set sidecar.worktreeFolder to an absolute path."
)


def plan_open(folder: Path, name: str, start: str | None, options: Options) -> OpenPlan | Failure:
    """Plan a worktree on a new branch NAME at trunk, or at a commit, branch or worktree; nothing is written."""
    return ask_repository(folder, options, lambda repository: _plan(repository, folder, name, start, options))


def plan_open_free(folder: Path, name: str, start: str | None, options: Options) -> OpenPlan | Failure:
    """Plan a worktree called NAME or, where that is taken, NAME-2 and so on."""
    opening: OpenPlan | Failure = Failure("bad-name", "There is no name that is free. Give one.")
    for one in (name, *(f"{name}-{number}" for number in range(2, 100))):
        opening = plan_open(folder, one, start, options)
        if isinstance(opening, Failure) or not any(found.code in TAKEN for found in opening.findings):
            break
    return opening


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
    source = _source(worktrees, trunk.branch if isinstance(trunk, Trunk) else None)
    setup, limit = str(settings["setup"]), int(str(settings["verifyTimeout"]))
    plan = OpenPlan(folder, repository.common_dir, options, branch, from_ref, commit, path, source, setup, limit)
    behind = _behind(repository, trunk, plan) if isinstance(trunk, Trunk) else ()
    return replace(plan, findings=(*_findings(repository, worktrees, plan), *behind))


def _behind(repository: Repository, trunk: Trunk, plan: OpenPlan) -> tuple[Finding, ...]:
    """Say that trunk's upstream has more, where the worktree begins at trunk; nothing is fetched for it."""
    if plan.commit != trunk.commit or (ahead := upstream_ahead(repository, trunk)) is None:
        return ()
    upstream, commits = shown(ahead[0]), counted(ahead[1], "commit", "commits")
    said = f"{upstream} has {commits} that {shown(trunk.branch)} lacks, as of the last fetch."
    return (finding("base-behind", f"{said} To begin there: sidecar open {shown(plan.branch)} --from {upstream}"),)


def _source(worktrees: tuple[Worktree, ...], trunk: str | None) -> str | None:
    there = [one for one in worktrees if one.readable]
    found = [one for one in there if one.branch is not None and one.branch == trunk] + [
        one for one in there if one.main
    ]
    return found[0].key if found else None


def _find_commit(repository: Repository, worktrees: tuple[Worktree, ...], start: str, folder: Path) -> str:
    if not start or "\0" in start:
        return ""
    found = find_worktree([WorktreeState(worktree) for worktree in worktrees], start, folder)
    if isinstance(found, Failure):
        return ""
    return resolve_commit(repository.place, start) or (found.worktree.head if found is not None else None) or ""


def _path(repository: Repository, worktrees: tuple[Worktree, ...], branch: str, configured: str) -> str:
    """Give the path where VS Code's own command would put it: `shop.worktrees/NAME` beside `shop`; `/` becomes `-`.

    A bare repository in a hidden directory (`shop/.bare`) has its worktrees beside it, a submodule beside all that it
    is in. '' where it is not known from here where the main worktree is.
    """
    main = next((worktree for worktree in worktrees if worktree.main), None)
    home = main.key if main is not None else repository.common_dir
    chosen = os.path.expanduser(configured)
    if main is not None and not main.bare and home == repository.common_dir and not os.path.isabs(chosen):
        return ""
    above, last = _beside(repository, home)
    base = os.path.join(above, f"{last.removesuffix('.git')}.worktrees") if not last.startswith(".") else above
    if configured:
        base = os.path.join(home, chosen)
    return os.path.join(os.path.realpath(base), branch.replace("/", "-").replace("\0", "-"))


def _beside(repository: Repository, home: str) -> tuple[str, str]:
    """Give (directory, name) beside which worktrees go: those of a submodule beside the outermost superproject."""
    names, top = [os.path.basename(home)], home
    if repository.config.get("core.worktree") is not None:
        while above := run(Place(top), "rev-parse", "--show-superproject-working-tree"):
            top = os.fsdecode(above.removesuffix(b"\n"))
            names.insert(0, os.path.basename(top))
    return os.path.dirname(top), "-".join(names)


def _no_start(repository: Repository, start: str) -> str:
    """Say that there is nothing of that name to begin at, or nothing at all yet."""
    if not resolve_commit(repository.place, "HEAD") and not ref_names(repository.place, "refs/"):
        return "There is no commit yet, and a worktree begins at one. Commit something first."
    return f"There is no commit, branch or worktree called {shown(start)} to begin at."


def _findings(repository: Repository, worktrees: tuple[Worktree, ...], plan: OpenPlan) -> Iterator[Finding]:
    branch = shown(plan.branch)
    if not _is_name(repository, plan.branch):
        said = f"{branch or 'An empty name'} can't be the name of a branch. Take letters, digits, - and /."
        yield finding("bad-name", said)
        return
    if not plan.commit:
        yield finding("unknown-ref", _no_start(repository, plan.start))
    yield from _branch_findings(repository, worktrees, plan.branch)
    if plan.path == "":
        yield finding("unknown-place", _NO_PLACE)
        return
    if (sweeper := sweeper_of(plan.path)) is not None:
        said = f"{sweeper.tool} takes {shown(plan.path)} for its own, and deletes it {sweeper.when}."
        yield finding("swept-place", f"{said} Take another name, or another sidecar.worktreeFolder.")
    there = next((worktree for worktree in worktrees if worktree.key == plan.path), None)
    if there is not None and there.missing:
        said = f"Git still lists a worktree at {shown(plan.path)}, whose folder is gone. Forget it: git worktree prune"
        yield finding("path-exists", said, (plan.path,))
    elif os.path.lexists(plan.path):
        yield finding("path-exists", f"Something is at {shown(plan.path)} already.", (plan.path,))
    last = os.path.basename(plan.path)
    others = [worktree.key for worktree in worktrees if worktree.name == last and worktree.key != plan.path]
    if others:
        said = f"Another worktree is called {shown(last)}: {shown(others[0])}. Take another name."
        yield finding("name-taken", said, tuple(others))


def _is_name(repository: Repository, branch: str) -> bool:
    """Tell whether git takes it for the name of a new branch (git-check-ref-format(1))."""
    if branch in ("", "HEAD", "@") or branch.startswith("-") or "\0" in branch:
        return False
    try:
        said = run(repository.place, "check-ref-format", "--branch", branch)
    except GitError:
        return False
    return os.fsdecode(said.removesuffix(b"\n")) == branch


def _branch_findings(repository: Repository, worktrees: tuple[Worktree, ...], branch: str) -> Iterator[Finding]:
    refs = ref_names(repository.place, "refs/heads", "refs/remotes/origin")
    local = {_same_case(repository, ref.removeprefix("refs/heads/")): ref for ref in refs if ref.startswith("refs/h")}
    mine = _same_case(repository, branch)
    if mine in local:
        where = next((f" (in {shown(one.key)})" for one in worktrees if branch in one.branches), "")
        said = f"There is a branch called {shown(branch)} already{where}. Take another name."
        yield finding("branch-exists", said)
        return
    clash = [other for other in local if other.startswith(f"{mine}/") or mine.startswith(f"{other}/")]
    if clash:
        said = f"The branch {shown(clash[0])} leaves no room for one called {shown(branch)}. Take another name."
        yield finding("branch-exists", said)
    elif f"refs/remotes/origin/{branch}" in refs:
        said = f"origin has a branch called {shown(branch)} too; the new one has nothing to do with it."
        yield finding("branch-at-origin", said)


def _same_case(repository: Repository, name: str) -> str:
    return name.casefold() if repository.config.flag("core.ignorecase", default=False) else name


def apply_open(plan: OpenPlan, control: Control = QUIET) -> OpenResult:
    """Make the branch and the worktree, as `git worktree add -b` does with the person's hooks and filters."""
    result = run_plan(
        plan,
        control,
        doing=f"opening {shown(plan.branch)}",
        again=lambda _repository: plan_open(plan.folder, plan.branch, plan.commit, plan.options),
        essence=lambda one: (one.path, one.commit, one.setup),
        refused=lambda findings: OpenResult("refused", None, findings),
        steps=_open,
        queued=True,
    )
    return set_up(result, plan, control)


def set_up(result: OpenResult, plan: OpenPlan, control: Control) -> OpenResult:
    """Run the setup of a worktree that was opened; nobody else has to wait for it."""
    if result.outcome != "opened" or result.path is None or not plan.setup.strip():
        return result
    return replace(result, findings=(*result.findings, *run_setup(plan.common_dir, result.path, control)))


def set_up_again(folder: Path, name: str, options: Options, control: Control) -> OpenResult | Failure:
    """Run the setup, as it is set now, in a worktree that is open already."""
    found = ask_repository(folder, options, lambda repository: _facts_of_opened(repository, folder, name, options))
    if isinstance(found, Failure):
        return found
    common_dir, facts = found
    with hold(common_dir, f"setting up {shown(name)}", queue=control) as held:
        if isinstance(held, Finding):
            return OpenResult("refused", None, (held,))
        if running := running_setup(facts.path):
            return OpenResult("refused", facts.path, (running,))
        if noted := note_setup(common_dir, facts):
            return OpenResult("failed", facts.path, noted)
    return OpenResult("opened", facts.path, run_setup(common_dir, facts.path, control))


def _facts_of_opened(
    repository: Repository, folder: Path, name: str, options: Options
) -> tuple[str, OpenFacts] | Failure:
    """Give (common directory, what an opening would note) of a linked worktree that is open already."""
    worktrees = list_worktrees(repository)
    found = worktree_called([one for one in worktrees if one.readable and not one.main], name, folder)
    if isinstance(found, Failure):
        return found
    settings = settings_of(repository, options)
    setup, limit = str(settings["setup"]), int(str(settings["verifyTimeout"]))
    if not setup.strip():
        return Failure("no-setup", "Nothing is to be run. Set it: git config sidecar.setup COMMAND")
    trunk = find_trunk(repository, worktrees, str(settings["trunk"]))
    source = _source(worktrees, trunk.branch if isinstance(trunk, Trunk) else None)
    return repository.common_dir, OpenFacts(found.key, found.ref, "", source=source, setup=setup, limit=limit)


def _open(agreed: Agreed[OpenPlan]) -> OpenResult:
    plan = agreed.plan
    agreed.control.stage(f"Opening {shown(plan.branch)}")
    try:
        facts = facts_of(plan)
        entry = agreed.begin("open", "add", asdict(facts))
        acting = agreed.acting(entry, stoppable=False)
        opened, words, findings = add_worktree(agreed, acting, entry.id, facts)
        finish(agreed.sidecar_dir)
    except (OSError, GitError) as error:
        return OpenResult("failed", None, (not_opened(agreed.sidecar_dir, error),))
    if not opened:
        return OpenResult("failed", None, (none_made(words), *findings))
    return OpenResult("opened", plan.path, (*plan.findings, *git_said(words), *findings))


def none_made(words: str) -> Finding:
    """Say that git made no worktree, with its last words."""
    return finding("not-opened", words or "Git made no worktree that can be used.")


def git_said(words: str) -> tuple[Finding, ...]:
    """Pass on what git said while it made a worktree; nothing where it was silent."""
    return (finding("git-said", words),) if words else ()


def facts_of(plan: OpenPlan) -> OpenFacts:
    """Give what the journal has to say, so that an opening can be finished or undone."""
    parent = not os.path.isdir(os.path.dirname(plan.path))
    facts = OpenFacts(plan.path, plan.branch, plan.commit, parent=parent, source=plan.source)
    return replace(facts, setup=plan.setup, limit=plan.limit)


def add_worktree(
    agreed: Agreed[Any], acting: UserGit, operation: str, facts: OpenFacts
) -> tuple[bool, str, tuple[Finding, ...]]:
    """Make the worktree: (whether it is there now, git's last words, what is to be known of it).

    The journal has been begun. OSError or GitError where the worktree is neither made nor undone. Git takes
    over what is sparse (git-sparse-checkout(1)) from the worktree that it runs for: where ignored files come from, too.
    """
    repository = agreed.repository
    place = repository.place
    if facts.source is not None and (git_dir := git_directory(Path(facts.source))) is not None:
        place = place.plus(GIT_DIR=str(git_dir))
    try:
        os.makedirs(os.path.dirname(facts.path), exist_ok=True)
        made = run_user_git(
            acting,
            place,
            *("worktree", "add", "--quiet", "--no-track", *_link_form(repository), "-b", facts.branch),
            *("--end-of-options", facts.path, facts.commit),
        )
        words = made.last_words
    except (OSError, GitError) as error:
        words = error.message if isinstance(error, GitError) else f"{facts.path} can't be made: {error.strerror}."
    opened, findings = settle_opening(repository, operation, facts, agreed.control)
    return opened, words, findings


def _link_form(repository: Repository) -> tuple[str, ...]:
    """Give the option for links as the repository's other worktrees have them; relative ones came with git 2.48."""
    relative = repository.config.flag("extensions.relativeworktrees", default=False)
    return ("--relative-paths",) if relative and repository.version >= RELATIVE_LINKS else ()


def not_opened(sidecar_dir: Path, error: OSError | GitError) -> Finding:
    """Say that an opening could not be brought to an end."""
    if not (sidecar_dir / "journal").exists():
        return finding("not-opened", f"Nothing was begun: {error}")
    return finding("not-opened", f"It could not be finished now and will be by the next command: {error}")
