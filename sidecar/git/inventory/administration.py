"""Read git's side of a linked worktree: its administrative directory, its commits, and what elsewhere leads into it.

Whether worktree and administrative directory are each other's (gitrepository-layout(5)) is asked before anything in
them is believed. Then everything in the directory that is not git's own is named, and every commit that only the
worktree holds. Nothing is written.

Two traps that would answer "none" (git-rev-list(1)): `--all` counts the worktree's own HEAD among the holders, and an
`--exclude` for `--branches` takes the branch's short name.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sidecar.git.inventory.repositories import Checkout
from sidecar.git.process import GitError, run
from sidecar.git.refs import (
    OWN_REFS,
    commits_reached,
    existing_commits,
    head_of,
    ids_in,
    ids_of_own_refs,
    ids_of_reflog,
    lines_of,
)
from sidecar.git.repository import Repository
from sidecar.git.unfinished import OPERATIONS, branches_held, unfinished_operations
from sidecar.model.findings import Finding, finding
from sidecar.model.inventory import Administration, Commits
from sidecar.model.picture import Worktree
from sidecar.model.words import escape, shown
from sidecar.system.files import read_small
from sidecar.system.worktree_links import common_directory, git_directory, read_gitdir

ORDINARY = (
    *("HEAD", "commondir", "gitdir", "index", "logs", "refs", "locked", "modules", "info", "config.worktree"),
    *("ORIG_HEAD", "FETCH_HEAD", "REBASE_HEAD", "AUTO_MERGE", "MERGE_MODE", "MERGE_MSG", "SQUASH_MSG", "MERGE_RR"),
    *(
        "BISECT_*",
        "NOTES_MERGE_*",
        "NOTES_EDITMSG",
        "COMMIT_EDITMSG",
        "TAG_EDITMSG",
        "MERGE_EDITMSG",
        "EDIT_DESCRIPTION",
    ),
    *("sharedindex.*", "gc.log", "gc.pid", "fsmonitor--daemon*", "addp-hunk-edit.diff", "ADD_EDIT.patch", "reftable"),
    "sidecar",
)
"""Everything else that git itself makes there, and what the sidecar keeps of a worktree's setup."""

NOT_WORK = frozenset({"index", "FETCH_HEAD", "gitdir", "commondir"})
"""Files whose ids do not name work: what was fetched is at its origin, and the index names blobs."""

MOST_BYTES = 1 << 20
"""How large a file may be to be searched for object ids; git's own state files are far smaller."""


def read_administration(administrative: str, common_dir: str, branch: str | None) -> Administration:
    """Read what is in the administrative directory, and the locks on what the branch shares with others.

    From git 2.54 on a lock may have a `~pid.lock` beside it (core.lockfilePid), which locks nothing.
    """
    locks: list[str] = []
    extras: list[str] = []
    unreadable: list[str] = []
    names: set[str] = set()
    for path, status in _entries(administrative, unreadable):
        top, _, below = path.partition("/")
        names.add(top)
        known = any(fnmatch.fnmatchcase(top, name) for name in ORDINARY) or top in OPERATIONS
        plain = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
        if path.endswith(".lock") and plain:
            locks += [path] if not path.endswith("~pid.lock") else []
        elif (not below and not known) or not (plain or top.startswith("fsmonitor--daemon")):
            extras.append(path)
    shared = ("packed-refs.lock", "config.lock", *((f"refs/heads/{branch}.lock",) if branch is not None else ()))
    held = [os.path.join(common_dir, path) for path in shared]
    return Administration(
        unfinished_operations(administrative),
        tuple(sorted([os.path.join(administrative, path) for path in locks] + [*filter(os.path.lexists, held)])),
        _reason(administrative) if "locked" in names else None,
        tuple(sorted(os.path.join(administrative, path) for path in extras)),
        "config.worktree" in names,
        tuple(sorted(os.path.join(administrative, path) for path in unreadable)),
    )


def _reason(administrative: str) -> str:
    try:
        return read_small(os.path.join(administrative, "locked")).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _entries(administrative: str, unreadable: list[str]) -> Iterator[tuple[str, os.stat_result]]:
    """Give (relative path, lstat) of everything in the directory but what is inside of submodules' git directories."""
    waiting = [""]
    while waiting:
        directory = waiting.pop()
        try:
            with os.scandir(os.path.join(administrative, directory)) as entries:
                found = sorted(
                    (f"{directory}/{entry.name}" if directory else entry.name, entry.stat(follow_symlinks=False))
                    for entry in entries
                )
        except OSError:
            unreadable.append(directory or ".")
            continue
        for path, status in found:
            yield path, status
            if stat.S_ISDIR(status.st_mode) and path != "modules":
                waiting.append(path)


def named_ids(administrative: str, but: frozenset[str] = NOT_WORK) -> set[str]:
    """Give every full object id in a small file of the directory, whatever it is for, and in the reflogs.

    So no pseudo ref, old or new, is forgotten. `but` are files that are not looked at.
    """
    found: set[str] = set()
    for path, status in _entries(administrative, []):
        small = status.st_size <= MOST_BYTES or path.startswith("logs/")
        if stat.S_ISREG(status.st_mode) and small and path not in but:
            try:
                found |= ids_in(os.path.join(administrative, path))
            except OSError:
                continue
    return found


def why_not_its_own(repository: Repository, worktree: Worktree) -> Finding | None:
    """Say why nothing in a worktree is to be believed: it is the main one, missing, or not as git made it.

    The links of gitrepository-layout(5) are read anew: what an earlier listing said may be of another time.
    """
    name = shown(worktree.name)
    if worktree.main or worktree.bare:
        return finding("main-worktree", f"{name} is the main worktree, which can't be released.")
    if worktree.missing or not os.path.lexists(worktree.key):
        return finding("missing", f"The folder of {name} is not there: {escape(worktree.key)}.")
    problem = _problem(repository.common_dir, worktree)
    return None if problem is None else finding("identity", f"{name} is not as git made it: {escape(problem)}.")


def _problem(common: str, worktree: Worktree) -> str | None:
    """Say what is wrong with the links between the two, as the rest of a sentence."""
    folder, administrative = worktree.key, worktree.git_dir
    if not administrative:
        return "it has no administrative directory"
    if os.path.dirname(administrative) != os.path.join(common, "worktrees"):
        return f"its administrative directory {administrative} is not in {common}/worktrees"
    if not _is_plain_directory(administrative):
        return f"its administrative directory {administrative} is not a directory"
    if not _is_plain_directory(folder):
        return f"{folder} is not a directory"
    if os.path.realpath(folder) != folder:
        return f"{folder} is reached through a link"
    if common == folder or common.startswith(folder + "/"):
        return "the repository itself lies in it"
    try:
        back, shared = read_gitdir(administrative), common_directory(administrative)
    except OSError as error:
        return f"{error.filename} can't be read ({error.strerror})"
    listed = os.path.join(administrative, back)
    if os.path.basename(listed) != ".git" or os.path.realpath(os.path.dirname(listed)) != folder:
        return f"its administrative directory belongs to {back}"
    if os.path.islink(os.path.dirname(listed)):
        return f"its path {os.path.dirname(listed)} is a link"
    if git_directory(Path(folder)) != Path(administrative):
        return "its .git file points somewhere else"
    link = os.path.join(folder, ".git")
    if os.path.islink(link) and os.path.realpath(link) != administrative:
        return "its .git file lies behind a link"
    if shared != common:
        return "its administrative directory belongs to another repository"
    return None


def _is_plain_directory(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


HARMLESS = frozenset({"safe.directory", "gui.recentrepo", "maintenance.repo", "scalar.repo", "sidecar.trusted"})
"""Settings that list places; one that is gone does no harm."""


def pointers_into(checkout: Checkout, folder: str) -> Iterator[tuple[str, str]]:
    """Give (where it stands, value) of settings, hooks and alternates that lead into a folder (absolute, real).

    Of the shared hooks those that are, or call, something there, as pre-commit and lefthook have them do.
    """
    inside = re.compile(rf"(?:^|[\s\"'=:;(!]|//)({re.escape(folder)}(?:/[^\s\"';:)]*)?)(?![^\s\"';:)])")
    for scope, key, value in checkout.config.pairs:
        if scope != "worktree" and key not in HARMLESS and (inside.search(value) or inside.search(_real(value))):
            yield key, value
    hooks = os.path.join(checkout.common_dir, Path(checkout.config.get("core.hookspath") or "hooks").expanduser())
    for name in sorted(os.listdir(hooks)) if os.path.isdir(hooks) and not inside.match(hooks) else ():
        path = os.path.join(hooks, name)
        try:
            text = _real(path) if os.path.islink(path) else os.fsdecode(read_small(path))
        except OSError:
            continue
        if (called := inside.search(text)) is not None and not name.endswith(".sample"):
            yield f"hooks/{name}", called[1]
    objects = os.path.join(checkout.common_dir, "objects")
    for line in lines_of(os.path.join(objects, "info", "alternates")):
        named = os.fsdecode(line.rstrip(b"\n")).strip('"')
        if named and not named.startswith("#") and inside.match(_real(os.path.join(objects, named))):
            yield "objects/info/alternates", named


def _real(value: str) -> str:
    """Give the real path of a value that is an absolute one, or one below the home; any other value as it is."""
    if value.startswith(("/", "~/")) and "\0" not in value:
        return os.path.realpath(Path(value).expanduser())
    return value


def list_refs(checkout: Checkout) -> dict[str, tuple[str, str]]:
    """Give (object id, the ref that it is an alias of, or "") of branches, tags, the stash, and a worktree's own refs.

    By full name; every question about refs is answered from this one listing.
    """
    where = ("refs/heads", "refs/tags", "refs/remotes", "refs/stash", *OWN_REFS)
    said = run(checkout.place, "for-each-ref", "--format=%(objectname) %(symref) %(refname)", *where)
    rows = (os.fsdecode(line).split(" ") for line in said.split(b"\n") if line)
    return {name: (oid, aim) for oid, aim, name in rows}


def stashes_of(checkout: Checkout, refs: Mapping[str, tuple[str, str]], branch: str | None) -> tuple[str, ...]:
    """Give the messages of stash entries that were made on a branch (git-stash(1)), newest first."""
    if branch is None or "refs/stash" not in refs:
        return ()
    said = run(checkout.place, "log", "-g", "-z", "--no-show-signature", "--format=%gs", "refs/stash", "--")
    messages = (message.decode("utf-8", "replace") for message in said.split(b"\0"))
    return tuple(message for message in messages if message.startswith((f"WIP on {branch}:", f"On {branch}:")))


def users_of_branch(worktrees: Sequence[Worktree], own: Worktree, branch: str | None) -> tuple[str, ...]:
    """Give the names of other worktrees that have a branch checked out, or are rebasing or bisecting it."""
    if branch is None:
        return ()
    others = [worktree for worktree in worktrees if worktree.key != own.key]
    return tuple(
        sorted(worktree.name for worktree in others if branch in (worktree.branch, *branches_held(worktree.git_dir)))
    )


def read_commits(
    repository: Repository, checkout: Checkout, administrative: str, refs: Mapping[str, tuple[str, str]]
) -> Commits:
    """Read which commits HEAD, branch, the worktree's own refs, reflogs and pseudo refs hold; GitError."""
    branch = _branch(checkout)
    tip = refs.get(f"refs/heads/{branch}", ("", ""))[0]
    head = tip or head_of(checkout.place)
    own_refs = tuple(sorted((name, oid) for name, (oid, _) in refs.items() if name.startswith(OWN_REFS)))
    named = named_ids(administrative) | ids_of_own_refs(repository, checkout.place)
    if branch is not None:
        named |= ids_of_reflog(repository, checkout.place, f"refs/heads/{branch}")
    there = set(existing_commits(checkout.place, {*named, *(oid for _, oid in own_refs), *([head] if head else ())}))
    if head is not None and head not in there:
        raise GitError(f"its commit {head} is missing.")
    first = [head] if head is not None else []
    by_ref = sorted(there & {oid for _, oid in own_refs})
    others = sorted(there & named)
    elsewhere = holders(refs, branch)
    own = commits_reached(checkout.place, first, (), *elsewhere)
    held_by_refs = commits_reached(checkout.place, by_ref, first, *elsewhere)
    by_log = commits_reached(checkout.place, others, (*first, *by_ref), *elsewhere)
    roots = tuple(sorted({*first, *by_ref, *others}))
    return Commits(head, branch, own, held_by_refs, by_log, own_refs, roots)


def _branch(checkout: Checkout) -> str | None:
    """Give the short name of the branch that HEAD names, also before its first commit; None when detached."""
    said = os.fsdecode(run(checkout.place, "symbolic-ref", "-q", "HEAD", accept=(0, 1)).removesuffix(b"\n"))
    return said.removeprefix("refs/heads/") if said.startswith("refs/heads/") else None


def holders(refs: Mapping[str, tuple[str, str]], branch: str | None) -> tuple[str, ...]:
    """Give the options of rev-list for all refs that hold commits, but for the branch and its aliases."""
    gone = set() if branch is None else {f"refs/heads/{branch}"}
    while more := {name for name, (_, aim) in refs.items() if aim in gone} - gone:
        gone |= more
    options: list[str] = []
    for option, start in (("--branches", "refs/heads/"), ("--tags", "refs/tags/"), ("--remotes", "refs/remotes/")):
        options += [f"--exclude={name.removeprefix(start)}" for name in sorted(gone) if name.startswith(start)]
        options.append(option)
    return tuple(options)
