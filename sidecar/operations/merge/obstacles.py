"""What of a person's own in a checkout would be written over when trunk moves there."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence

from sidecar.git.hashing import path_line
from sidecar.git.process import run
from sidecar.git.repository import Repository, place_of_files
from sidecar.model.changes import SUBMODULE, Change, Entry
from sidecar.model.findings import Finding, blocks
from sidecar.model.messages import counted, named, shown, them
from sidecar.model.picture import Worktree
from sidecar.operations.merge.progress import unfinished

STATUS = (
    *("-c", "core.checkStat=default", "-c", "core.trustctime=true"),
    *("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=no", "--ignore-submodules=dirty"),
)
"""Tracked files only; what a setting hides from git is looked at all the same."""

BY_NAME = 300
"""Up to so many paths are named to git; above that it is asked about all."""

UNMERGED = frozenset({"DD", "AU", "UD", "UA", "DU", "AA", "UU"})

Changes = Mapping[str, Change]
"""What differs between trunk before and after, path by path, without renames."""


def checkout_findings(repository: Repository, checkout: Worktree, changes: Changes) -> list[Finding]:
    """Why trunk can't move in its checkout; raises GitError when that can't be read."""
    name = shown(checkout.name)
    if not checkout.readable:
        said = checkout.problem or f"Trunk's checkout {name} is not there."
        return [blocks("trunk-checkout", f"{said} Trunk does not move while it is checked out there.")]
    if (word := unfinished(checkout)) is not None:
        return [blocks("trunk-in-operation", f"{word} is unfinished in {name}, where trunk is checked out.")]
    if os.path.lexists(os.path.join(checkout.git_dir, "index.lock")):
        lock = os.path.join(checkout.git_dir, "index.lock")
        return [blocks("trunk-in-operation", f"Another git is at work in {name}, or was killed. It left {lock}.")]
    if unmerged := unmerged_paths(repository, checkout):
        return [blocks("trunk-in-operation", f"{name}, where trunk is checked out, has unmerged paths.", unmerged)]
    if paths := in_the_way(repository, checkout, changes):
        files, it = counted(len(paths), "file", "files"), them(len(paths))
        said = f"The merge would write over {files} in {name}, where trunk is checked out: {named(paths, 5)}."
        return [blocks("would-overwrite", f"{said} Commit {it}, or move {it} away.", paths)]
    return []


def unmerged_paths(repository: Repository, worktree: Worktree) -> tuple[str, ...]:
    """The paths of the index that have a conflict, sorted; GitError when it can't be read."""
    said = run(repository.inside(worktree), "ls-files", "--unmerged", "-z")
    return tuple(sorted({os.fsdecode(row.partition(b"\t")[2]) for row in said.split(b"\0") if row}))


def in_the_way(repository: Repository, checkout: Worktree, changes: Changes) -> tuple[str, ...]:
    """Paths that hold something that is in no commit of trunk's and that these changes would write over, sorted.

    Tracked files that are not as committed (also where a flag hides that), untracked and ignored files, and what
    stands where a directory has to be, or below where a file has to be.
    """
    relevant = {path: change for path, change in changes.items() if not _only_submodule(change)}
    tracked = [path for path, change in relevant.items() if change.before is not None]
    found = {path for path in _changed(repository, checkout, tracked) if path in relevant}
    found |= {path for path in _hidden(repository, checkout, tracked) if _differs(repository, checkout, relevant[path])}
    for path, change in relevant.items():
        if change.after is not None:
            found.update(_standing(checkout.key, path, change, changes))
        elif change.before is not None and change.before.mode == SUBMODULE:
            found.update(_below(checkout.key, path, {}))
    return tuple(sorted(found))


def _only_submodule(change: Change) -> bool:
    """A submodule that points elsewhere: git leaves its files alone."""
    return all(entry is not None and entry.mode == SUBMODULE for entry in (change.before, change.after))


def _changed(repository: Repository, checkout: Worktree, paths: Sequence[str]) -> list[str]:
    """Of these tracked paths (or more), those that are not as in HEAD, in the index or on disk."""
    if not paths:
        return []
    said = run(place_of_files(repository, checkout), "--literal-pathspecs", *STATUS, *_named(paths))
    return [os.fsdecode(row[3:]) for row in said.split(b"\0") if row]


def _hidden(repository: Repository, checkout: Worktree, paths: Sequence[str]) -> list[str]:
    """Of these paths, those that git takes as unchanged whatever is on disk: assume-unchanged, skip-worktree."""
    if not paths:
        return []
    wanted = set(paths)
    said = run(repository.inside(checkout), "--literal-pathspecs", "ls-files", "-v", "-z", *_named(paths))
    rows = ((row[:1], os.fsdecode(row[2:])) for row in said.split(b"\0") if row)
    return [path for tag, path in rows if path in wanted and (tag.islower() or tag == b"S")]


def _named(paths: Sequence[str]) -> tuple[str, ...]:
    return ("--", *paths) if len(paths) <= BY_NAME else ()


def _differs(repository: Repository, checkout: Worktree, change: Change) -> bool:
    """Whether a file on disk is something else than trunk has; one that is not there is not."""
    full, before = os.path.join(checkout.key, change.path), change.before
    assert before is not None
    try:
        status = os.lstat(full)
    except OSError:
        return False
    if not stat.S_ISREG(status.st_mode) or not before.is_file:
        return True
    place = place_of_files(repository, checkout)
    return run(place, "hash-object", "--stdin-paths", stdin=path_line(change.path)).decode().strip() != before.oid


def _standing(top: str, path: str, change: Change, changes: Changes) -> Iterator[str]:
    """What stands at a path that is to be written, or above it, and is not tracked by trunk."""
    above = _file_above(top, path)
    if above is not None:
        if not _goes(above, changes):
            yield above
        return
    full = os.path.join(top, path)
    try:
        mode = os.lstat(full).st_mode
    except OSError:
        return
    if stat.S_ISDIR(mode):
        if not _is_directory(change.after):
            yield from _below(top, path, changes)
    elif change.before is None and not _is_other_case(top, path, changes):
        yield path


def _file_above(top: str, path: str) -> str | None:
    """The first thing above a path that is no directory; a link to one is none."""
    parts = path.split("/")[:-1]
    for end in range(1, len(parts) + 1):
        here = "/".join(parts[:end])
        try:
            mode = os.lstat(os.path.join(top, here)).st_mode
        except OSError:
            return None
        if not stat.S_ISDIR(mode):
            return here
    return None


def _goes(path: str, changes: Changes) -> bool:
    """Whether trunk's own file at this path is taken away by the merge itself."""
    change = changes.get(path)
    return change is not None and change.before is not None and change.after is None


def _is_directory(entry: Entry | None) -> bool:
    return entry is not None and entry.mode == SUBMODULE


def _below(top: str, path: str, changes: Changes) -> Iterator[str]:
    """Every file below a directory that the merge does not take away itself."""
    for folder, names, files in os.walk(os.path.join(top, path)):
        links = [name for name in names if os.path.islink(os.path.join(folder, name))]
        for name in (*files, *links):
            inside = os.path.relpath(os.path.join(folder, name), top).replace(os.sep, "/")
            if not _goes(inside, changes):
                yield inside


def _is_other_case(top: str, path: str, changes: Changes) -> bool:
    """On a file system that ignores case: whether what stands there is trunk's own file, renamed by the merge."""
    folded = path.casefold()
    others = [other for other in changes if other != path and other.casefold() == folded and _goes(other, changes)]
    return any(_is_same(os.path.join(top, path), os.path.join(top, other)) for other in others)


def _is_same(one: str, two: str) -> bool:
    try:
        return os.path.samestat(os.lstat(one), os.lstat(two))
    except OSError:
        return False
