"""The inventory of a linked worktree: every source of loss there is, looked at once, and nothing written or run."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence

from sidecar.git.inventory.administrative import read_administration
from sidecar.git.inventory.commits import read_commits
from sidecar.git.inventory.ground import Ground, ground_of_worktree
from sidecar.git.inventory.identity import check_identity
from sidecar.git.inventory.listing import Item
from sidecar.git.inventory.output import usable_patterns
from sidecar.git.inventory.ownership import existing_commits
from sidecar.git.inventory.scope import Scope, files_of
from sidecar.git.inventory.submodules import own_modules
from sidecar.git.inventory.surroundings import pointers_into, stashes_of, users_of_branch
from sidecar.git.inventory.survey import survey
from sidecar.git.inventory.watching import CancelledError, ImpossibleError, Watching
from sidecar.git.mounts import mount_points, mounts_below
from sidecar.git.process import GitError
from sidecar.git.repository import Repository, list_worktrees
from sidecar.model.finding_codes import finding
from sidecar.model.findings import Finding
from sidecar.model.inventory import Inventory, Nested, Surroundings
from sidecar.model.messages import escape, shown
from sidecar.model.picture import Worktree


def take_inventory(
    repository: Repository,
    worktree: Worktree,
    *,
    disposable: Sequence[str],
    cancelled: Callable[[], bool] = lambda: False,
    progress: Callable[[str, int], None] = lambda _stage, _entries: None,
) -> Inventory | tuple[Finding, ...]:
    """All that a linked worktree holds, or why that can't be told (then every finding blocks).

    `disposable` are the patterns of the setting. `cancelled` is asked, and `progress` told a sentence and how many
    entries were looked at, often and from this thread.
    """
    watching = Watching(cancelled, progress)
    try:
        return _take(repository, worktree, disposable, watching)
    except ImpossibleError as error:
        return error.findings
    except CancelledError:
        return (finding("cancelled", f"The proof of {shown(worktree.name)} was stopped."),)
    except GitError as error:
        return (finding("unreadable", f"{shown(worktree.name)} can't be read: {escape(error.message)}"),)
    except OSError as error:
        where = escape(os.fsdecode(error.filename or worktree.key))
        return (finding("unreadable", f"{shown(worktree.name)} can't be read: {error.strerror or error} ({where})."),)


def _take(repository: Repository, worktree: Worktree, disposable: Sequence[str], watching: Watching) -> Inventory:
    check_identity(repository, worktree)
    ground = ground_of_worktree(repository, worktree)
    worktrees = list_worktrees(repository)
    watching.begin("Looking at commits")
    commits = read_commits(ground, worktree.git_dir)
    if commits.head is not None and not existing_commits(ground.place, [commits.head]):
        raise GitError(f"its commit {commits.head} is missing.")
    scope, start = _scope(repository, worktree, worktrees, ground, disposable, watching)
    watching.begin("Looking at files")
    survey(ground, start, commits.head, scope)
    watching.begin("Looking at what leads here")
    own_modules(scope, worktree.git_dir)
    surroundings = Surroundings(
        tuple(sorted(set(pointers_into(ground, worktree.key)))),
        stashes_of(ground, commits.branch),
        users_of_branch(worktrees, worktree, commits.branch),
        tuple(sorted(scope.found.submodule_commits)),
    )
    return Inventory(
        worktree.key,
        worktree.name,
        files_of(scope),
        commits,
        read_administration(worktree.git_dir, repository.common_dir, commits.branch),
        surroundings,
        scope.tally.bytes(),
        watching.entries,
    )


def _scope(
    repository: Repository,
    worktree: Worktree,
    worktrees: Sequence[Worktree],
    ground: Ground,
    disposable: Sequence[str],
    watching: Watching,
) -> tuple[Scope, Item]:
    """Where the survey may look, and the entry that it starts from."""
    start = Item("", os.lstat(worktree.key))
    points = mount_points()
    inside = [other.key for other in worktrees if other.key.startswith(worktree.key + "/")]
    below = mounts_below(worktree.key, points)
    main = next((other.key for other in worktrees if other.main and other.readable), None)
    scope = Scope(
        root=worktree.key,
        device=start.status.st_dev,
        barred=points | frozenset(inside),
        main=main,
        patterns=usable_patterns(disposable),
        modules=(os.path.join(worktree.git_dir, "modules"), os.path.join(repository.common_dir, "modules")),
        common_dir=repository.common_dir,
        modeless=_keeps_no_modes(ground, worktree),
        watching=watching,
    )
    scope.tally.add(start)
    scope.found.mounts += [*below, *(f".git/{path}" for path in mounts_below(worktree.git_dir, points))]
    scope.found.nested += [Nested(os.path.relpath(path, worktree.key), "worktree") for path in inside]
    return scope, start


def _keeps_no_modes(ground: Ground, worktree: Worktree) -> bool:
    """Whether the file system calls everything executable, as git found when it set core.fileMode to false."""
    link = os.lstat(os.path.join(worktree.key, ".git"))
    return ground.config.flag("core.filemode", default=True) is False and bool(link.st_mode & stat.S_IXUSR)
