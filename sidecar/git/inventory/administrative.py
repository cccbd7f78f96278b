"""The administrative directory of a linked worktree, name by name: what is not git's own is told.

Source: gitrepository-layout(5).
"""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Iterator

from sidecar.git.files import read_small
from sidecar.git.inventory.ownership import ids_in
from sidecar.git.unfinished import OPERATIONS, unfinished_operations
from sidecar.model.inventory import Administration

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
)
"""Everything else that git itself makes there."""

NOT_WORK = frozenset({"index", "FETCH_HEAD", "gitdir", "commondir"})
"""Files whose ids do not name work: what was fetched is at its origin, and the index names blobs."""

MOST_BYTES = 1 << 20
"""How large a file may be to be searched for object ids; git's own state files are far smaller."""


def read_administration(administrative: str, common_dir: str, branch: str | None) -> Administration:
    """What the names in the administrative directory say, and locks on what the branch has in common with others."""
    locks: list[str] = []
    extras: list[str] = []
    unexplained: list[str] = []
    unreadable: list[str] = []
    names: set[str] = set()
    for path, status in _entries(administrative, unreadable):
        top, _, below = path.partition("/")
        names.add(top)
        if stat.S_ISLNK(status.st_mode) or not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            if not fnmatch.fnmatchcase(top, "fsmonitor--daemon*"):
                unexplained.append(path)
        elif path.endswith(".lock") and stat.S_ISREG(status.st_mode):
            locks.append(path)
        elif not below and top not in OPERATIONS and not any(fnmatch.fnmatchcase(top, known) for known in ORDINARY):
            extras.append(path)
    shared = ("packed-refs.lock", "config.lock", *((f"refs/heads/{branch}.lock",) if branch is not None else ()))
    locks += [path for path in shared if os.path.lexists(os.path.join(common_dir, path))]
    return Administration(
        unfinished_operations(administrative),
        tuple(sorted(locks)),
        _reason(administrative) if "locked" in names else None,
        tuple(sorted(extras)),
        "config.worktree" in names,
        tuple(sorted(unreadable)),
        tuple(sorted(unexplained)),
    )


def _reason(administrative: str) -> str:
    try:
        return read_small(os.path.join(administrative, "locked")).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _entries(administrative: str, unreadable: list[str]) -> Iterator[tuple[str, os.stat_result]]:
    """(relative path, lstat) of everything in the directory but the inside of submodules' git directories."""
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


def named_ids(administrative: str) -> set[str]:
    """Every full object id in a small file of the directory, whatever the file is for, and in the reflogs.

    So no pseudo ref, old or new, is forgotten.
    """
    found: set[str] = set()
    for path, status in _entries(administrative, []):
        small = status.st_size <= MOST_BYTES or path.startswith("logs/")
        if stat.S_ISREG(status.st_mode) and small and path not in NOT_WORK:
            try:
                found |= ids_in(os.path.join(administrative, path))
            except OSError:
                continue
    return found
