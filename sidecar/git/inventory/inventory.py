"""Take the inventory of a linked worktree: one look at everything that is in it. Nothing is written or run.

Every entry of a checked-out repository is explained by the index or by git's ignore rules, or named. The walk is our
own because git's listings leave out pipes, empty directories, what lies in other repositories, and whatever a setting
tells them to. A tracked file with other bytes than the index has changed, or was only converted on its way out of git.
"""

from __future__ import annotations

import os
import stat
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sidecar.git.blobs import blob_id
from sidecar.git.conversions import stored_contents
from sidecar.git.ignore import Ignoring
from sidecar.git.inventory.administration import (
    holders,
    list_refs,
    pointers_into,
    read_administration,
    read_commits,
    stashes_of,
    users_of_branch,
    why_not_its_own,
)
from sidecar.git.inventory.ignored import (
    leads_to_main,
    looks_like_output,
    note_kept,
    survey_ignored,
    usable_patterns,
)
from sidecar.git.inventory.repositories import (
    Checkout,
    Differing,
    Index,
    Tracked,
    is_bare,
    is_repository,
    note_repository,
    open_checkout,
    open_submodule,
    own_modules,
    read_index,
    settle_differing,
    staged_paths,
)
from sidecar.git.inventory.walk import (
    CancelledError,
    Item,
    Scope,
    Watching,
    fingerprint,
    look,
    measure,
    note_attributes,
)
from sidecar.git.objects import id_of
from sidecar.git.process import GitError, run
from sidecar.git.refs import head_of
from sidecar.git.repository import Repository, list_worktrees
from sidecar.model.changes import EXECUTABLE, FILE, SUBMODULE, SYMLINK
from sidecar.model.findings import Finding, finding
from sidecar.model.inventory import HeldFile, Inventory, Nested, Surroundings
from sidecar.model.picture import Worktree
from sidecar.model.words import escape, shown
from sidecar.system.mounts import mount_points, mounts_below


def take_inventory(
    repository: Repository,
    worktree: Worktree,
    *,
    disposable: Sequence[str],
    cancelled: Callable[[], bool] = lambda: False,
) -> Inventory | tuple[Finding, ...]:
    """Take in all that a linked worktree holds, or say why that can't be told (then every finding blocks).

    `disposable` are the patterns of the setting. `cancelled` is asked often, from this thread.
    """
    refusal = why_not_its_own(repository, worktree)
    if refusal is not None:
        return (refusal,)
    try:
        return _take(repository, worktree, disposable, Watching(cancelled))
    except CancelledError:
        return (finding("cancelled", f"The proof of {shown(worktree.name)} was stopped."),)
    except GitError as error:
        return (finding("unreadable", f"{shown(worktree.name)} can't be read: {escape(error.message)}"),)
    except OSError as error:
        where = escape(os.fsdecode(error.filename or worktree.key))
        return (finding("unreadable", f"{shown(worktree.name)} can't be read: {error.strerror or error} ({where})."),)


def _take(repository: Repository, worktree: Worktree, disposable: Sequence[str], watching: Watching) -> Inventory:
    administration = fingerprint(worktree.git_dir, watching.cancelled)
    checkout = open_checkout(repository, worktree)
    worktrees = list_worktrees(repository)
    watching.check()
    refs = list_refs(checkout)
    commits = read_commits(repository, checkout, worktree.git_dir, refs)
    scope, start = _scope(repository, worktree, worktrees, checkout, disposable, watching)
    watching.check()
    survey_checkout(checkout, start, commits.head, scope)
    watching.check()
    own_modules(scope, worktree.git_dir)
    surroundings = Surroundings(
        tuple(sorted(set(pointers_into(checkout, worktree.key)))),
        stashes_of(checkout, refs, commits.branch),
        users_of_branch(worktrees, worktree, commits.branch),
        tuple(sorted(scope.submodule_commits)),
        stored_contents(
            *(checkout.place, repository.common_dir, checkout.config, commits.head, commits.roots),
            *holders(refs, commits.branch),
        ),
    )
    return Inventory(
        worktree.key,
        worktree.name,
        scope.files(),
        commits,
        read_administration(worktree.git_dir, repository.common_dir, commits.branch),
        surroundings,
        scope.tally.bytes(),
        scope.held,
        tuple(sorted(scope.checked_out.items())),
        start.status.st_ino,
        scope.seen,
        administration,
    )


def _scope(
    repository: Repository,
    worktree: Worktree,
    worktrees: Sequence[Worktree],
    checkout: Checkout,
    disposable: Sequence[str],
    watching: Watching,
) -> tuple[Scope, Item]:
    """Give where the survey may look, and the entry that it starts from."""
    start = Item("", os.lstat(worktree.key))
    points = mount_points()
    inside = [other.key for other in worktrees if other.key.startswith(worktree.key + "/")]
    scope = Scope(
        root=worktree.key,
        device=start.status.st_dev,
        barred=points | frozenset(inside),
        main=next((other.key for other in worktrees if other.main and other.readable), None),
        patterns=usable_patterns(disposable),
        modules=(os.path.join(worktree.git_dir, "modules"), os.path.join(repository.common_dir, "modules")),
        common_dir=repository.common_dir,
        modeless=_keeps_no_modes(checkout, worktree),
        watching=watching,
    )
    scope.tally.add(start)
    scope.note("mounts", *mounts_below(worktree.key, points))
    scope.note("mounts", *(f".git/{path}" for path in mounts_below(worktree.git_dir, points)))
    scope.nested.extend(Nested(os.path.relpath(path, worktree.key), "worktree") for path in inside)
    return scope, start


def _keeps_no_modes(checkout: Checkout, worktree: Worktree) -> bool:
    """Tell whether all is executable to the file system, as git found when it set core.fileMode to false."""
    link = os.lstat(os.path.join(worktree.key, ".git"))
    return checkout.config.flag("core.filemode", default=True) is False and bool(link.st_mode & stat.S_IXUSR)


RACY = 20_000_000
"""Nanoseconds in which a system may give two writes one time."""

LARGE = 16 << 20
"""Bytes from which on a file's size is asked before it is read."""


@dataclass(slots=True)
class _Survey:
    """One repository under way: which tracked paths were met, and which of them need a second look."""

    checkout: Checkout
    index: Index
    staged: frozenset[str]
    scope: Scope
    ignoring: Ignoring
    met: set[str] = field(default_factory=set)
    differing: list[Differing] = field(default_factory=list)


def survey_checkout(checkout: Checkout, start: Item, head: str | None, scope: Scope) -> None:
    """Explain everything below `start`, the checkout's root, and note in the scope what is not as in the commit `head`.

    Raises GitError when the repository can't answer.
    """
    index = read_index(checkout.place)
    staged = staged_paths(checkout.place, index, head)
    scope.note("staged", *(checkout.prefix + path for path in staged))
    scope.note("conflicted", *(checkout.prefix + path for path in index.conflicted))
    survey = _Survey(checkout, index, frozenset(staged), scope, Ignoring(checkout.place))
    try:
        waiting = [(start, False)]
        while waiting:
            directory, output = waiting.pop()
            waiting += _enter(survey, directory, start, output)
    finally:
        survey.ignoring.close()
    _settle(survey)


def _enter(survey: _Survey, directory: Item, start: Item, output: bool) -> list[tuple[Item, bool]]:
    """Explain what is in a directory; give those below that are to be entered, each with whether it looks like output.

    `output`: the directory is untracked and looks like build output, so that what is ignored in it is.
    """
    checkout, index, scope = survey.checkout, survey.index, survey.scope
    items = look(scope, directory)
    if items is None:
        return []
    below = directory.path != start.path
    held = not below or checkout.own(directory.path) in index.directories
    if below and is_repository(items) and not (held and is_bare(items)):
        note_repository(scope, directory, items)
        if not held:
            measure(scope, directory, kept=True)
            return []
    if not items and below:
        scope.note("empty_directories", directory.path)
    output = not held and (output or looks_like_output(scope, directory, items))
    following: list[tuple[Item, bool]] = []
    asked: list[Item] = []
    for item in items:
        path = checkout.own(item.path)
        if item.is_special and item.name in (".gitignore", ".gitattributes"):
            raise GitError(f"{item.path} is no file, and git would wait for it for ever.")
        if item.name == ".git":
            scope.tally.add(item, named=True)
            if item.is_directory:
                measure(scope, item, kept=False)
        elif item.is_directory and index.is_submodule(path):
            survey.met.add(path)
            _survey_submodule(survey, item)
        elif item.is_directory and path in index.directories:
            scope.tally.add(item)
            note_attributes(scope, item)
            following.append((item, False))
        elif path in index.entries and not item.is_directory:
            kept = not _compare(survey, item, path, index.entries[path])
            scope.tally.add(item, kept=kept, named=True)
        elif path in index.conflicted and not item.is_directory:
            scope.tally.add(item, kept=True, named=True)
        else:
            asked.append(item)
    return [*following, *_explain_untracked(survey, asked, output)]


def _explain_untracked(survey: _Survey, items: Sequence[Item], output: bool) -> list[tuple[Item, bool]]:
    """Explain entries that the index does not know; give the directories that are to be entered."""
    checkout, scope = survey.checkout, survey.scope
    names = {f"{checkout.own(item.path)}{'/' if item.is_directory else ''}": item for item in items}
    ignored = survey.ignoring.of([*names]) if names else frozenset()
    following: list[tuple[Item, bool]] = []
    for name, item in names.items():
        if name in ignored:
            survey_ignored(scope, item, output=output)
        elif item.is_directory:
            scope.tally.add(item)
            following.append((item, output))
        elif item.is_link and leads_to_main(scope, item):
            scope.tally.add(item)
            scope.note("equal", item.path)
        else:
            note_kept(scope, item, "special" if item.is_special else "untracked")
    return following


def _compare(survey: _Survey, item: Item, path: str, tracked: Tracked) -> bool:
    """Hold a tracked path's bytes and mode against the index; git's own idea of what is unchanged is not asked.

    True where HEAD has all of it, so that it need not be kept.
    """
    checkout, scope, mode = survey.checkout, survey.scope, tracked.entry.mode
    survey.met.add(path)
    has_attributes = note_attributes(scope, item)
    full = scope.full(item.path)
    try:
        if item.is_link and mode == SYMLINK:
            if tracked.entry.oid != id_of(checkout.object_format, os.fsencode(os.readlink(full))):
                _note_change(survey, path, tracked)
        elif item.is_regular and (mode in (FILE, EXECUTABLE) or (mode == SYMLINK and _links_are_files(checkout))):
            if _mode_differs(survey, item, mode):
                seen_by_git = checkout.config.flag("core.filemode", default=True) is not False
                _note_change(survey, path, tracked, hidden=not seen_by_git)
            if _has_another_size(checkout, item, tracked) or tracked.entry.oid != blob_id(
                full, item.status, checkout.object_format, scope.watching.check
            ):
                survey.differing.append(Differing(path, tracked.entry.oid, item.status))
            elif not (checkout.prefix or has_attributes or item.status.st_nlink > 1 or path in survey.staged):
                return _hold(scope, item, tracked.entry.oid)
        else:
            _note_change(survey, path, tracked)
            if item.is_special:
                scope.note("special", item.path)
    except OSError as error:
        scope.note_unreadable(item.path, error)
    return False


def _hold(scope: Scope, item: Item, oid: str) -> bool:
    """Note a file that can be written again from HEAD, unless it is so young that one more write would not show."""
    if abs(time.time_ns() - item.status.st_ctime_ns) < RACY:
        return False
    scope.held[item.path] = HeldFile.of(oid, item.status)
    return True


def _has_another_size(checkout: Checkout, item: Item, tracked: Tracked) -> bool:
    """Tell whether a large file need not be read to know that its bytes are others."""
    if item.status.st_size < LARGE:
        return False
    said = run(checkout.place, "cat-file", "--batch-check=%(objectsize)", stdin=f"{tracked.entry.oid}\n".encode())
    return said.strip().isdigit() and int(said) != item.status.st_size


def _links_are_files(checkout: Checkout) -> bool:
    return checkout.config.flag("core.symlinks", default=True) is False


def _mode_differs(survey: _Survey, item: Item, mode: int) -> bool:
    """Tell whether only one of file and index is executable, on a file system that can tell."""
    if os.name == "nt" or survey.scope.modeless or mode == SYMLINK:
        return False
    return bool(item.status.st_mode & stat.S_IXUSR) != (mode == EXECUTABLE)


def _note_change(survey: _Survey, path: str, tracked: Tracked, *, hidden: bool = False) -> None:
    survey.scope.note("hidden" if hidden or tracked.flagged else "unstaged", survey.checkout.prefix + path)


def _settle(survey: _Survey) -> None:
    """Look again at what differs, and note the tracked paths that were not met."""
    index, scope = survey.index, survey.scope
    same, hidden = settle_differing(survey.checkout, survey.differing, scope.watching.check)
    for differing in survey.differing:
        if differing.path not in same:
            _note_change(survey, differing.path, index.entries[differing.path], hidden=differing.path in hidden)
    for path, tracked in index.entries.items():
        if path not in survey.met and not tracked.skipped and tracked.entry.mode != SUBMODULE:
            _note_change(survey, path, tracked)


UNCOMMITTED = frozenset({"staged", "conflicted", "unstaged", "hidden", "untracked"})
"""The groups of which a submodule's are told as one."""


def _survey_submodule(survey: _Survey, item: Item) -> None:
    """Survey a submodule like the worktree itself; all that is not committed in it is told as one group."""
    checkout, scope = survey.checkout, survey.scope
    tracked = survey.index.entries[checkout.own(item.path)]
    scope.tally.add(item)
    opened = open_submodule(scope, item, trusted=checkout.trusted)
    if opened is None:
        return
    head = head_of(opened.place)
    if head != tracked.entry.oid:
        _note_change(survey, checkout.own(item.path), tracked)
    inside = replace(scope, groups=defaultdict(set))
    survey_checkout(opened, item, head, inside)
    for group, paths in inside.groups.items():
        scope.note("submodule_changes" if group in UNCOMMITTED else group, *paths)
