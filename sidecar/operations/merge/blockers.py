"""Find what stands in the way of a merge besides a conflict: files that it would write over, an identity, room.

Nothing is written. A merge needs no files on disk at all where git makes the same commit without them (`is_lean`).
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sidecar.git.blobs import path_line
from sidecar.git.config import Config
from sidecar.git.history import upstream_ahead
from sidecar.git.process import GitError, Place, run
from sidecar.git.refs import has_commit
from sidecar.git.repository import Repository, nearest_directory, place_of_files
from sidecar.git.status import changed_paths, read_stages
from sidecar.model.changes import SUBMODULE, Change, ancestors
from sidecar.model.findings import Finding, finding
from sidecar.model.picture import Trunk, Worktree
from sidecar.model.words import counted, escape, named, shown, them
from sidecar.operations.landing_repository.lent import submodule_place
from sidecar.operations.landing_repository.original import Original, place_of, read_original
from sidecar.operations.landing_repository.place import LANDING, landing_repository_path, read_kept
from sidecar.operations.merge.conflicts import unfinished
from sidecar.operations.merge.run import MergePlan
from sidecar.session.reader import Sources
from sidecar.system.files import free_bytes

BY_NAME = 300
"""Up to so many paths are named to git; above that it is asked about all."""

Changes = Mapping[str, Change]
"""What differs between trunk before and after, path by path, without renames."""


def checkout_findings(repository: Repository, checkout: Worktree, changes: Changes) -> list[Finding]:
    """Say why trunk can't move in its checkout; raises GitError when that can't be read."""
    name = shown(checkout.name)
    if not checkout.readable:
        said = checkout.problem or f"Trunk's checkout {name} is not there."
        return [finding("trunk-checkout", f"{said} Trunk does not move while it is checked out there.")]
    if (word := unfinished(checkout)) is not None:
        return [finding("trunk-in-operation", f"{word} is unfinished in {name}, where trunk is checked out.")]
    if (locked := index_lock(checkout)) is not None:
        return [finding("trunk-in-operation", locked)]
    if unmerged := unmerged_paths(repository, checkout):
        return [finding("trunk-in-operation", f"{name}, where trunk is checked out, has unmerged paths.", unmerged)]
    if paths := in_the_way(repository, checkout, changes):
        files, it = counted(len(paths), "file", "files"), them(len(paths))
        said = f"The merge would write over {files} in {name}, where trunk is checked out: {named(paths, 5)}."
        return [finding("would-overwrite", f"{said} Commit {it}, or move {it} away.", paths)]
    return []


def index_lock(worktree: Worktree) -> str | None:
    """Say which lock on the index of a worktree keeps git from writing there; None where there is none."""
    lock = os.path.join(worktree.git_dir, "index.lock")
    if not os.path.lexists(lock):
        return None
    return f"Another git is at work in {shown(worktree.name)}, or was killed. It left {escape(lock)}."


def unmerged_paths(repository: Repository, worktree: Worktree) -> tuple[str, ...]:
    """List the paths of the index that have a conflict, sorted; GitError when it can't be read."""
    return tuple(sorted(read_stages(repository, worktree)))


def in_the_way(repository: Repository, checkout: Worktree, changes: Changes) -> tuple[str, ...]:
    """List the paths that hold something that no commit of trunk's has and these changes would write over, sorted.

    Tracked files that are not as committed (also where a flag hides that), untracked and ignored files, and what
    stands where a directory has to be, or below where a file has to be.
    """
    relevant = {path: change for path, change in changes.items() if not _only_submodule(change)}
    tracked = [path for path, change in relevant.items() if change.before is not None]
    place = place_of_files(repository, checkout)
    found = {path for path in changed_paths(place, *_named(tracked)) if path in relevant} if tracked else set()
    found |= {
        path for path in hidden_paths(repository, checkout, tracked) if _differs(repository, checkout, relevant[path])
    }
    for path, change in relevant.items():
        if change.after is not None:
            found.update(standing(checkout.key, path, change, changes))
        elif change.before is not None and change.before.mode == SUBMODULE:
            found.update(_below(checkout.key, path, {}))
    return tuple(sorted(found))


def _only_submodule(change: Change) -> bool:
    """Tell whether a change only has a submodule point elsewhere: git leaves its files alone."""
    return all(entry is not None and entry.mode == SUBMODULE for entry in (change.before, change.after))


def hidden_paths(repository: Repository, checkout: Worktree, paths: Sequence[str]) -> list[str]:
    """Give those of these paths that git takes as unchanged whatever is on disk: assume-unchanged, skip-worktree.

    GitError when the index can't be read.
    """
    if not paths:
        return []
    wanted = set(paths)
    said = run(repository.inside(checkout), "--literal-pathspecs", "ls-files", "-v", "-z", *_named(paths))
    rows = ((row[:1], os.fsdecode(row[2:])) for row in said.split(b"\0") if row)
    return [path for tag, path in rows if path in wanted and (tag.islower() or tag == b"S")]


def _named(paths: Sequence[str]) -> tuple[str, ...]:
    return ("--", *paths) if len(paths) <= BY_NAME else ()


def _differs(repository: Repository, checkout: Worktree, change: Change) -> bool:
    """Tell whether a file on disk is something else than trunk has; one that is not there is not."""
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


def standing(top: str, path: str, change: Change, changes: Changes) -> Iterator[str]:
    """Find what stands at a path that is to be written, or above it, and is not tracked by trunk."""
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
        if change.after is None or change.after.mode != SUBMODULE:
            yield from _below(top, path, changes)
    elif change.before is None and not _is_other_case(top, path, changes):
        yield path


def _file_above(top: str, path: str) -> str | None:
    """Find the first thing above a path that is no directory; a link to one is none."""
    with contextlib.suppress(OSError):
        for above in reversed([*ancestors(path)]):
            if not stat.S_ISDIR(os.lstat(os.path.join(top, above)).st_mode):
                return above
    return None


def _goes(path: str, changes: Changes) -> bool:
    """Tell whether trunk's own file at this path is taken away by the merge itself."""
    change = changes.get(path)
    return change is not None and change.before is not None and change.after is None


def _below(top: str, path: str, changes: Changes) -> Iterator[str]:
    """List every file below a directory that the merge does not take away itself."""
    for folder, names, files in os.walk(os.path.join(top, path)):
        links = [name for name in names if os.path.islink(os.path.join(folder, name))]
        for name in (*files, *links):
            inside = os.path.relpath(os.path.join(folder, name), top).replace(os.sep, "/")
            if not _goes(inside, changes):
                yield inside


def _is_other_case(top: str, path: str, changes: Changes) -> bool:
    """Tell whether what stands there is trunk's own file, renamed by the merge, where the file system ignores case."""
    folded = path.casefold()
    others = [other for other in changes if other != path and other.casefold() == folded and _goes(other, changes)]
    return any(_is_same(os.path.join(top, path), os.path.join(top, other)) for other in others)


def _is_same(one: str, two: str) -> bool:
    try:
        return os.path.samestat(os.lstat(one), os.lstat(two))
    except OSError:
        return False


LAID_OUT = ".gitattributes\n"
"""What is laid out all the same, in every directory: git's merge reads it from the working tree (gitattributes(5))."""

WHOLE = (
    *("-c", "core.fsmonitor=false", "-c", "submodule.recurse=false", "-c", "core.fsync=objects,derived-metadata"),
    *("-c", "core.untrackedCache=false"),
)
"""Told to git in every landing repository: only objects outlive it, and submodules are not git's to lay out there."""

LEAN = (*WHOLE, "-c", "core.sparseCheckout=true", "-c", "core.sparseCheckoutCone=false", "-c", "index.sparse=false")
"""Told to git where few files are laid out (git-sparse-checkout(1), non-cone patterns)."""


def is_lean(original: Original) -> bool:
    """Tell whether nothing takes part that may read files: no hook, driver or filter of the person's."""
    return not original.runs_programs


LEAST_FREE = 16 * 1024 * 1024
"""Bytes that are left free on every disk, for what else is written."""

PERSON = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL")
"""The variables that give an identity (git(1))."""


def surrounding_findings(sources: Sources, changes: Mapping[str, Change], plan: MergePlan) -> Iterator[Finding]:
    """Find everything outside of the two histories that stands in the way of a merge, or that one should know."""
    repository, known, worktree, trunk = sources.repository, sources.surroundings, plan.worktree, plan.trunk
    is_there = known.checkout is not None and plan.checkout is not None and known.checkout.key == plan.checkout.key
    yield from _identity(repository, (plan.checkout, *((worktree,) if plan.commit is not None else ())))
    yield from _upstream(repository, trunk)
    yield from _submodules(worktree, plan.checkout, changes)
    yield from _room(repository, trunk, plan, known.config if is_there else None)
    yield from _linking(plan)


def _identity(repository: Repository, checkouts: tuple[Worktree | None, ...]) -> Iterator[Finding]:
    """Tell whether git knows who commits, in each of the worktrees where a commit is made."""
    given = {name: os.environ[name] for name in PERSON if name in os.environ}
    try:
        for checkout in checkouts:
            for name in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
                run(place_of(repository, checkout).plus(**given), "var", name)
    except GitError:
        said = "Git does not know who you are. Run: git config --global user.name NAME, and user.email ADDRESS"
        yield finding("no-identity", said)


LINKING = re.compile(r"\b(ln|cp\s+-\w*[ls]|mklink|mount\s+--bind|(npm|pnpm|yarn)\s+link)\b")
"""How a command line begins that makes links, or another name of a directory."""


def _linking(plan: MergePlan) -> Iterator[Finding]:
    """Tell that the person's own prepare links into another checkout, where verify would test that one's packages."""
    checkouts = [worktree.key for worktree in (plan.worktree, plan.checkout) if worktree is not None]
    names = ("SIDECAR_CHECKOUT", "SIDECAR_WORKTREE", *checkouts)
    for command in re.split(r"&&|\|\||[;|\n]", plan.prepare if plan.verify.strip() else ""):
        if LINKING.search(command) and any(re.search(rf"{re.escape(name)}(?![\w.-])", command) for name in names):
            said = f"sidecar.prepare links into another checkout, whose packages verify would test: “{shown(command)}”."
            yield finding("prepare-links", f"{said} Leave it empty, and the lock files say what is installed.")
            return


def _upstream(repository: Repository, trunk: Trunk) -> Iterator[Finding]:
    """Tell that trunk is behind. It does not block: it may be on purpose, and merging loses nothing by it."""
    ahead = upstream_ahead(repository, trunk)
    if ahead is not None:
        commits = counted(ahead[1], "commit", "commits")
        said_so = f"{shown(ahead[0])} has {commits} that {shown(trunk.branch)} lacks. Pull before you push."
        yield finding("trunk-behind", said_so)


def _room(repository: Repository, trunk: Trunk, plan: MergePlan, config: Config | None) -> Iterator[Finding]:
    """Tell whether the disks have room for what is laid out of trunk, and for what changes in its own."""
    lean = is_lean(read_original(repository, plan.checkout, config)) and not plan.regenerates
    again = bool(plan.verify.strip()) and read_kept(repository.common_dir) is None
    need = _size_of_checkout(repository, trunk) * ((not lean) + again) if again or not lean else 0
    landing_repository = landing_repository_path(repository.common_dir, LANDING)
    places = [(nearest_directory(landing_repository), need), (Path(repository.common_dir), 0)]
    places += [(Path(plan.checkout.key), 0)] if plan.checkout is not None else []
    full: set[int] = set()
    for place, wanted in places:
        try:
            free, device = free_bytes(place), place.stat().st_dev
        except OSError:
            continue
        if free is not None and free < wanted + LEAST_FREE and device not in full:
            full.add(device)
            megabytes = f"{free // 2**20} MiB are free, {(wanted + LEAST_FREE) // 2**20} MiB are needed"
            yield finding("disk", f"The disk of {place} is too full: {megabytes}.")


def _size_of_checkout(repository: Repository, trunk: Trunk) -> int:
    """Count the bytes of all files of trunk; 0 where that can't be told, since some are not here (a partial clone)."""
    try:
        said = run(repository.place, "ls-tree", "-r", "--format=%(objectsize)", f"{trunk.commit}")
    except GitError:
        return 0
    return sum(int(size) for size in said.split() if size.isdigit())


def _submodules(worktree: Worktree, checkout: Worktree | None, changes: Mapping[str, Change]) -> Iterator[Finding]:
    """Find submodules that trunk would point to a commit which only the worktree's own copy of them has."""
    for path, change in changes.items():
        after = change.after
        if after is None or after.mode != SUBMODULE:
            continue
        own = submodule_place(worktree.key, path)
        if own is None or not has_commit(own, after.oid):
            continue  # it came from elsewhere
        others = [submodule_place(checkout.key, path)] if checkout is not None and checkout.key != worktree.key else []
        if any(other is not None and has_commit(other, after.oid) for other in others) or _is_pushed(own, after.oid):
            continue
        said = f"The submodule {shown(path)} is at {after.oid[:10]}, a commit that nobody else has. Push it first."
        yield finding("submodule-commit", said, (path,))


def _is_pushed(place: Place, commit: str) -> bool:
    try:
        return bool(run(place, "for-each-ref", "--count=1", f"--contains={commit}", "refs/remotes"))
    except GitError:
        return False
