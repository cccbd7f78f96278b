"""Move trunk, and take that back: the only stage in which a person's checkout is touched.

Lock files that a killed git of ours left are removed first, and nobody else's.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sidecar.git.process import GitError, Place, run
from sidecar.git.refs import is_ancestor, read_reflog, resolve_commit
from sidecar.git.repository import Repository, place_of_files
from sidecar.git.user_git import run_user_git
from sidecar.model.changes import SUBMODULE, SYMLINK, Change
from sidecar.model.findings import Finding, finding
from sidecar.model.picture import Worktree
from sidecar.model.words import counted, named, shown
from sidecar.operations.landing_repository.place import landing_repository_path
from sidecar.operations.merge.backup import Candidates, keep_file, keep_files, put_back
from sidecar.operations.merge.blockers import checkout_findings, hidden_paths
from sidecar.operations.merge.make_commit import quoted
from sidecar.operations.merge.run import (
    LANDING,
    MergeFacts,
    MergeRun,
    head_ref,
    kept_refs,
    tree_changes,
    worktree_at,
)
from sidecar.operations.records import sync_directory
from sidecar.operations.run import RefusedError
from sidecar.system.files import read_regular, read_small
from sidecar.system.processes import processes_inside

PATIENCE = 10.0
"""Seconds that a git at work is waited for."""

STANDS_STILL = 0.3
"""Seconds for which a lock that nobody holds must not change before it is taken for left behind."""

CLOCK = 2.0
"""Seconds by which a file system's clock may differ from ours."""


def clear_locks(locks: Sequence[Path], folders: Sequence[Path], since: float, operation_id: str) -> list[Finding]:
    """Remove lock files that were made since then and that no living git holds; a finding for each that stays.

    The caller has ended all that the operation had started. While our git had a lock nobody else could get it, so one
    that stands still, with no git at work in these folders, is ours.
    """
    found = [_clear(lock, folders, since, operation_id) for lock in locks]
    for lock in locks:
        if not os.path.lexists(lock):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # refs/heads is a file with reftables
                _beside(lock).unlink()
    return [finding for finding in found if finding is not None]


def _beside(lock: Path) -> Path:
    """Give what git puts beside a lock from 2.54 on, if it is told to: who has it (core.lockfilePid)."""
    return lock.with_name(f"{lock.name.removesuffix('.lock')}~pid.lock")


def clear_worktree_locks(worktree: Worktree, more: Sequence[Path], since: float, operation_id: str) -> None:
    """Remove what a killed git of ours left of its index's lock, and these; GitError for a lock that stays."""
    git_dir = Path(worktree.git_dir)
    stuck = clear_locks([git_dir / "index.lock", *more], [Path(worktree.key), git_dir], since, operation_id)
    if stuck:
        raise GitError(stuck[0].message)


def head_locks(repository: Repository, worktree: Worktree, branch: str | None) -> list[Path]:
    """List the locks that a git has while it moves a worktree's HEAD, and the branch (short) that it is on."""
    of_branch = [Path(repository.common_dir) / f"refs/heads/{branch}.lock"] if branch is not None else []
    tables = [Path(folder) / REFTABLE_LOCK for folder in (worktree.git_dir, repository.common_dir)]
    return [Path(worktree.git_dir) / "HEAD.lock", *of_branch, *tables]


def _clear(lock: Path, folders: Sequence[Path], since: float, operation_id: str) -> Finding | None:
    deadline = time.monotonic() + PATIENCE
    seen, still = None, 0.0
    while (now := _look(lock)) is not None:
        if _is_marked(lock, operation_id):
            lock.unlink(missing_ok=True)
            return None
        if now[1] < (since - CLOCK) * 1e9 or time.monotonic() > deadline:
            return finding("git-lock", f"{lock} was left by another git. Delete it if no git is running.")
        if now != seen:
            seen, still = now, time.monotonic()
        elif time.monotonic() - still > STANDS_STILL and not _git_inside(folders):
            lock.unlink(missing_ok=True)
            return None
        time.sleep(0.05)
    return None


def _look(lock: Path) -> tuple[int, int, int] | None:
    try:
        status = lock.lstat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _git_inside(folders: Sequence[Path]) -> bool:
    found = processes_inside(str(folder) for folder in folders)
    return any(one.name.startswith("git") for inside in found.values() for one in inside)


@contextlib.contextmanager
def hold_index(git_dir: Path, operation_id: str) -> Iterator[None]:
    """Keep every other git from writing the index meanwhile; OSError when one has it."""
    lock = git_dir / "index.lock"
    descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with contextlib.suppress(OSError):  # on a full disk it is an empty lock, and as good
        os.write(descriptor, _mark(operation_id))
    os.close(descriptor)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _mark(operation_id: str) -> bytes:
    return f"sidecar {operation_id}\n".encode()


def _is_marked(lock: Path, operation_id: str) -> bool:
    try:
        return read_small(str(lock)) == _mark(operation_id)
    except OSError:
        return False


LARGEST = 1 << 30
"""Bytes of a file that is compared with what git was writing; a larger one is left alone."""

REFTABLE_LOCK = "reftable/tables.list.lock"
"""What a git holds while it moves refs that are not in files: of all worktrees, or of one (its HEAD)."""

EXACTLY = ("--ff-only", "--no-squash", "--commit", "--no-autostash", "--no-verify-signatures", "--no-stat", "--quiet")
"""A merge that can only move the branch, whatever is configured."""


def land(running: MergeRun, checkout: Worktree | None, after: str, name: str) -> MergeRun:
    """Move trunk from `before` to `after`, in its checkout if it has one; RefusedError when it did not move.

    Forward by git's own fast-forward; backward (an undo) as `git reset --keep` does, but with the branch named.
    """
    facts, repository = running.facts, running.repository
    directories: tuple[str, ...] = ()
    if checkout is not None:
        changes = tree_changes(repository, facts.before, after)
        check_landing(running, checkout, changes)
        hidden = hidden_paths(repository, checkout, list(changes))
        try:
            directories = keep_files(checkout.key, running.kept, changes, hidden)
            keep_file(Path(checkout.git_dir) / "index", running.kept / "index")
            sync_directory(running.kept)
        except OSError as error:
            raise RefusedError(
                finding("landing-failed", f"{running.kept} can't be written: {error.strerror}.")
            ) from error
    running = running.step(LANDING, after=after, directories=directories)
    said = _move(running, checkout, after, name)
    if not has_landed(repository, running.facts):
        raise RefusedError(finding("landing-failed", f"{_branch(facts)} did not move: {said}"))
    return running


def has_landed(repository: Repository, facts: MergeFacts) -> bool:
    """Tell whether trunk came to where it was to go, also where a hook, or somebody else, has moved it on from there.

    GitError or OSError where that can't be told.
    """
    place = repository.place
    now = resolve_commit(place, facts.trunk)
    if facts.after is None or now is None or now == facts.before:
        return False
    if is_ancestor(place, facts.before, facts.after):
        return is_ancestor(place, facts.after, now) or _was_there(repository, facts)
    return is_ancestor(place, facts.after, now) and not is_ancestor(place, facts.before, now)


def _was_there(repository: Repository, facts: MergeFacts) -> bool:
    """Tell whether trunk's reflog has the very move, where its commit has been replaced since (`commit --amend`)."""
    move = f"{facts.before} {facts.after} ".encode()
    lines = read_reflog(repository, repository.place, facts.trunk).splitlines()
    return any(line.startswith(move) for line in lines)


def check_landing(running: MergeRun, checkout: Worktree | None, changes: Mapping[str, Change]) -> None:
    """Raise RefusedError unless trunk and its checkout are as they were planned with, right now."""
    facts, repository = running.facts, running.repository
    if resolve_commit(repository.place, facts.trunk) != facts.before:
        said = f"{_branch(facts)} has moved meanwhile, so what was made does not fit any more. Run it again."
        raise RefusedError(finding("trunk-moved", said))
    if checkout is None:
        return
    if head_ref(repository, checkout) != facts.trunk:
        said = f"{shown(checkout.name)} was switched to another branch meanwhile. Run it again."
        raise RefusedError(finding("checkout-switched", said))
    if found := checkout_findings(repository, checkout, changes):
        raise RefusedError(found[0])


def _move(running: MergeRun, checkout: Worktree | None, after: str, name: str) -> str:
    """Have git do it, and give its last words; whether it was done shows in the ref."""
    facts = running.facts
    forward = running.journal.what == "merge"
    action = f"{'merge' if forward else 'undo'} {name}"
    if checkout is None:
        log = ("update-ref", "-m", f"{action}: Sidecar", "--end-of-options", facts.trunk, after, facts.before)
        return quoted(run_user_git(running.acting, running.repository.place.plus(SIDECAR_STAGE=LANDING), *log))
    if forward:
        plain = f"--config-env=branch.{facts.trunk.removeprefix('refs/heads/')}.mergeoptions=SIDECAR_NOTHING"
        names = {"GIT_REFLOG_ACTION": action, "SIDECAR_STAGE": LANDING, "SIDECAR_NOTHING": ""}
        return quoted(run_user_git(running.acting, Place(checkout.key, names), plain, "merge", *EXACTLY, after))
    running.act(checkout.key, "update-index", "-q", "--refresh")  # keeping files has changed what stat says of them
    said = running.act(checkout.key, "read-tree", "-m", "-u", facts.before, after)
    if said.ok:
        log = ("update-ref", "-m", f"{action}: Sidecar", "--end-of-options", facts.trunk, after, facts.before)
        said = running.act(checkout.key, *log)
    return quoted(said)


def take_back(repository: Repository, sidecar_dir: Path, facts: MergeFacts, operation_id: str) -> list[Finding]:
    """Bring trunk's checkout back to what it was before a landing that did not come to its end.

    Raises GitError or OSError when that can't be done now; it can be tried again at any time.
    """
    kept = sidecar_dir / "landing"
    checkout = worktree_at(repository, facts.checkout)
    if facts.checkout is None or facts.after is None or not kept.exists():
        return []  # nothing was to be touched, or all was put back already
    if checkout is None:
        said = f"{facts.checkout} can't be read, so it was not put back. Look there with: git status"
        return [finding("left-alone", said)]
    if head_ref(repository, checkout) != facts.trunk or not (kept / "index").exists():
        said = f"{shown(checkout.name)} is on another branch by now, so its files were left alone. Look: git status"
        return [finding("left-alone", said)]
    changes = tree_changes(repository, facts.before, facts.after)
    git_dir = Path(checkout.git_dir)
    with hold_index(git_dir, operation_id):
        now = _entries(repository, checkout, git_dir / "index")
        before = _entries(repository, checkout, kept / "index")
        unmoved = resolve_commit(repository.place, facts.trunk) == facts.before
        if now != before and not (unmoved and now == _moved(before, changes)):
            said = f"{shown(checkout.name)} was worked in since, so its files were left alone. Look: git status"
            return [finding("left-alone", said)]
        foreign = put_back(
            checkout.key, kept, changes, facts.directories, _written(repository, checkout, changes, operation_id)
        )
        if now != before:
            beside = kept / "index.back"
            beside.unlink(missing_ok=True)
            keep_file(kept / "index", beside)
            beside.replace(git_dir / "index")
            sync_directory(git_dir)
    if foreign:
        files = counted(len(foreign), "file was", "files were")
        said = f"In {shown(checkout.name)} {files} edited while trunk moved, and left alone: {named(foreign, 5)}."
        return [finding("left-alone", said, foreign)]
    return []


def _entries(repository: Repository, checkout: Worktree, index: Path) -> dict[bytes, bytes]:
    """Give path -> mode, id and stage of an index file."""
    place = repository.inside(checkout).plus(GIT_INDEX_FILE=str(index))
    rows = run(place, "ls-files", "--stage", "-z").split(b"\0")
    return {path: head for head, _, path in (row.partition(b"\t") for row in rows if row)}


def _moved(before: Mapping[bytes, bytes], changes: Mapping[str, Change]) -> dict[bytes, bytes]:
    """Give the entries that the index has after these changes."""
    moved = dict(before)
    for path, change in changes.items():
        key = os.fsencode(path)
        if change.after is None:
            moved.pop(key, None)
        else:
            moved[key] = f"{change.after.mode:06o} {change.after.oid} 0".encode()
    return moved


def _written(
    repository: Repository, checkout: Worktree, changes: Mapping[str, Change], operation_id: str
) -> Candidates:
    """Give what git may have been writing at a path: as in the landing repository, filtered, and as stored."""
    landing_repository = landing_repository_path(repository.common_dir, operation_id)

    def candidates(path: str) -> Iterator[bytes]:
        change = changes.get(path)
        if change is None or change.after is None or change.after.mode == SUBMODULE:
            return
        entry = change.after
        if entry.mode != SYMLINK:
            with contextlib.suppress(OSError):
                yield read_regular(str(landing_repository / path), LARGEST)
            with contextlib.suppress(GitError):
                yield run(place_of_files(repository, checkout), "cat-file", "--filters", f"--path={path}", entry.oid)
        yield run(repository.place, "cat-file", "blob", entry.oid)

    return candidates


def clear_landing(repository: Repository, facts: MergeFacts, operation_id: str) -> list[Finding]:
    """Remove the locks that our killed git left where trunk was to move; a finding for one that may be another's."""
    folders = [Path(repository.common_dir)]
    locks = [Path(repository.common_dir) / f"{facts.trunk}.lock"]
    checkout = worktree_at(repository, facts.checkout)
    if checkout is not None:
        git_dir = Path(checkout.git_dir)
        folders = [Path(checkout.key), git_dir]
        names = ("index.lock", "HEAD.lock", "ORIG_HEAD.lock", REFTABLE_LOCK)
        locks += [git_dir / name for name in names]
    locks.append(Path(repository.common_dir) / REFTABLE_LOCK)
    return clear_locks(locks, folders, facts.since, operation_id)


def clear_keeping(repository: Repository, facts: MergeFacts, operation_id: str) -> None:
    """Remove the locks that a killed git of ours left where refs hold what was made; GitError for one that stays."""
    common = Path(repository.common_dir)
    own = sorted((common / kept_refs(operation_id)).glob("*.lock"))
    for lock in own:
        lock.unlink(missing_ok=True)
    shared = [common / name for name in ("packed-refs.lock", REFTABLE_LOCK)]
    if stuck := clear_locks(shared, [common], facts.since, operation_id):
        raise GitError(stuck[0].message)


def _branch(facts: MergeFacts) -> str:
    return shown(facts.trunk.removeprefix("refs/heads/"))
