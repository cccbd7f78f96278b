"""Bringing a worktree back from its snapshot: validated first, built beside, renamed into place, verified."""

from __future__ import annotations

import os
import stat
import zlib
from dataclasses import dataclass, replace

from sidecar.git.files import read_small
from sidecar.git.process import GitError
from sidecar.git.repository import Repository, list_worktrees
from sidecar.git.snapshot.branches import restore_branches
from sidecar.git.snapshot.build import build, check_built, compare, finish_directory
from sidecar.git.snapshot.format import MalformedError
from sidecar.git.snapshot.home import (
    MOST_IN_INDEX,
    Home,
    build_home,
    check_head,
    find_home,
    finish_home,
    remove_draft,
    remove_draft_home,
    restore_tags,
)
from sidecar.git.snapshot.index import has_same_entries
from sidecar.git.snapshot.read import Contents, bad, read_contents
from sidecar.git.snapshot.store import Exchange, Store, open_store, read_object
from sidecar.git.snapshot.values import RefusedError, Restored, Watcher
from sidecar.model.findings import Failure
from sidecar.model.picture import Worktree

GITS_OWN = frozenset(
    {"branches", "hooks", "info", "lfs", "logs", "modules", "objects", "refs", "rr-cache", "sidecar", "worktrees"}
)
"""What of a common directory no worktree may be put into; a bare repository may have worktrees beside these."""


YOUNGER = (
    "Git still had its HEAD and index, which are younger than its files and stay as they are. What was staged or "
    "committed last shows as changed back; git restore PATH brings it."
)
"""Said where files are as of a moment before the last thing that git was told."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a worktree goes: its real path, what is there, and the two places beside where it is built."""

    path: str
    occupied: bool
    draft: str
    draft_home: str


def check_readable(repository: Repository, commit: str) -> Failure | None:
    """Why a restoration would refuse a snapshot (`bad-snapshot`): the very checks that it makes before it writes."""
    try:
        with open_store(repository) as store:
            check_head(store, read_contents(repository, store, commit, Watcher()))
    except RefusedError as refused:
        return refused.failure
    except (GitError, OSError, MalformedError) as error:
        return bad(commit, error)
    return None


def restore_snapshot(
    repository: Repository, commit: str, path: str, *, watcher: Watcher | None = None
) -> Restored | Failure:
    """Bring a worktree back at `path`, which is not there or an empty directory; every file is read again afterwards.

    Steps, in this order: (1) everything is validated and nothing written, else a Failure `bad-snapshot`; (2) the
    files are built in `.sidecar-restore-*` beside `path` and compared; (3) branches are created by compare-and-swap;
    (4) the administrative directory is built in `<common>/sidecar`, then renamed into `<common>/worktrees`, locked;
    (5) the files are renamed to `path`; (6) the lock goes. Killed at any of them, the same call again does the rest:
    after (4) our lock tells that the administrative directory is ours; after (6), a worktree at `path` that is as the
    snapshot has it is the answer. A worktree whose administrative directory is still there (`rm -rf` without a prune)
    keeps it: its index and HEAD may be younger. Failures: `path-taken`, `bad-path`, `disk-full`, `not-restored`,
    `cancelled`, `no-restore` (with git's or the system's word).
    """
    watcher = watcher or Watcher()
    try:
        with open_store(repository) as store:
            return _restore(repository, store, commit, path, watcher)
    except RefusedError as refused:
        return refused.failure
    except MalformedError as error:
        return bad(commit, error)
    except GitError as error:
        return Failure("no-restore", f"{path} could not be restored: {error.message}")
    except OSError as error:
        where = "" if error.filename is None else f" ({os.fsdecode(error.filename)})"
        return Failure("no-restore", f"{path} could not be restored: {error.strerror}{where}.")


def _restore(repository: Repository, store: Store, commit: str, path: str, watcher: Watcher) -> Restored:
    try:
        contents = read_contents(repository, store, commit, watcher)
        check_head(store, contents)
    except GitError as error:
        raise MalformedError(error.message) from error
    there = _destination(repository, commit, path)
    home = find_home(repository, commit, there.path)
    remove_draft(there.draft)
    remove_draft_home(repository, there.draft_home)
    if there.occupied:
        return _finish_or_refuse(repository, store, contents, there, home, watcher)
    _check_space(there.path, contents)
    built = None
    try:
        os.mkdir(there.draft, 0o700)
        build(store, there.draft, contents.files, watcher)
        minor = check_built(store, there.draft, contents.files, watcher)
        restore_tags(store, contents)
        kept = home is not None and not home.ours
        names = restore_branches(
            repository, store, contents.header.branches, home.git_dir if home else "", only_missing=kept
        )
        git_dir = home.git_dir if home is not None else ""
        if home is None:
            built, others = build_home(
                repository, store, contents, there.path, there.draft_home, names, Watcher(cancelled=watcher.cancelled)
            )
            git_dir, minor = built, [*minor, *(f".git/{path}" for path in others)]
        _write_link(there, git_dir, contents)
        os.rename(there.draft, there.path)
    except BaseException:
        if built is not None and os.path.lexists(there.draft):
            remove_draft(built)
        remove_draft(there.draft)
        remove_draft_home(repository, there.draft_home)
        raise
    notes = [f"The times or attributes of {path} could not be set." for path in minor]
    restored = _finish(repository, contents, there, Home(git_dir, not kept), names, notes)
    if kept and _is_younger(repository, store, contents, restored):
        return replace(restored, notes=(*restored.notes, YOUNGER))
    return restored


def _is_younger(repository: Repository, store: Store, contents: Contents, restored: Restored) -> bool:
    """Whether HEAD or the index, which were still there, are not those of the snapshot."""
    index = contents.header.index
    if _listed(repository, restored.path).head != contents.header.head or index is None:
        return True
    try:
        with Exchange(store, "cat-file", "--batch") as git:
            raw = read_object(git, index.oid, "blob", MOST_IN_INDEX, Watcher())
        return not has_same_entries(raw, restored.git_dir, repository.object_format)
    except (RefusedError, GitError, OSError):
        return True


def _destination(repository: Repository, commit: str, path: str) -> Destination:
    if not os.path.isabs(path) or not os.path.basename(path.rstrip("/")):
        raise RefusedError("bad-path", f"{path} is not an absolute path of a directory.")
    parent, name = os.path.split(path.rstrip("/"))
    parent = os.path.realpath(parent)
    full = os.path.join(parent, name)
    inside = os.path.relpath(full, repository.common_dir).split(os.sep)[0]
    if name in (".", "..") or full == repository.common_dir or inside in GITS_OWN:
        raise RefusedError("bad-path", f"{path} is inside the repository. Choose another path.")
    os.makedirs(parent, exist_ok=True)
    state = os.path.join(repository.common_dir, "sidecar")
    os.makedirs(state, 0o700, exist_ok=True)
    if not stat.S_ISDIR(os.lstat(state).st_mode):
        raise RefusedError("bad-path", f"{state} is not a directory. Move it away.")
    mark = f"{commit[:12]}-{zlib.crc32(os.fsencode(full)):08x}"
    draft, draft_home = os.path.join(parent, f".sidecar-restore-{mark}"), os.path.join(state, f"restore-{mark}")
    return Destination(full, _is_occupied(full), draft, draft_home)


def _is_occupied(path: str) -> bool:
    """Whether something is at a path that a directory can't be renamed onto."""
    try:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            return True
        with os.scandir(path) as entries:
            return next(entries, None) is not None
    except FileNotFoundError:
        return False


def _check_space(path: str, contents: Contents) -> None:
    if hasattr(os, "statvfs"):
        disk = os.statvfs(os.path.dirname(path))
        if disk.f_bavail * disk.f_frsize < contents.header.bytes:
            raise RefusedError("disk-full", f"{path} needs {contents.header.bytes} bytes, more than its disk has free.")


def _write_link(there: Destination, git_dir: str, contents: Contents) -> None:
    """The worktree's `.git` file."""
    link = os.path.join(there.draft, ".git")
    mode, mtime = contents.header.link
    said = os.path.relpath(git_dir, there.path) if contents.header.relative else git_dir
    with open(link, "xb") as file:
        file.write(b"gitdir: " + os.fsencode(said) + b"\n")
    os.chmod(link, mode)
    os.utime(link, ns=(mtime, mtime))


def _finish_or_refuse(
    repository: Repository, store: Store, contents: Contents, there: Destination, home: Home | None, watcher: Watcher
) -> Restored:
    """The end of an attempt that was killed, or that was done; a path with anything else in it stays as it is."""
    taken = RefusedError("path-taken", f"{there.path} is there already, and not empty. Choose another path.")
    if home is None or not os.path.isdir(there.path) or os.path.islink(there.path):
        raise taken
    try:
        said = read_small(os.path.join(there.path, ".git"))
    except OSError as error:
        raise taken from error
    pointed = os.path.join(there.path, os.fsdecode(said.removeprefix(b"gitdir:").strip()))
    if os.path.realpath(pointed) != home.git_dir:
        raise taken
    if not home.ours and compare(store, there.path, contents.files, (".git",), watcher)[0]:
        raise taken
    return _finish(repository, contents, there, home, {}, [])


def _finish(
    repository: Repository,
    contents: Contents,
    there: Destination,
    home: Home,
    names: dict[str, str],
    notes: list[str],
) -> Restored:
    finish_directory(there.path, contents.files[""])
    finish_home(home.git_dir, contents)
    if hasattr(os, "sync"):
        os.sync()
    listed = _listed(repository, there.path)
    header = contents.header
    if listed.problem is not None:
        raise RefusedError("not-restored", f"{there.path} is back, but git can't use it: {listed.problem}")
    if names and listed.head != header.head:
        notes.append(f"Its HEAD is {listed.head}, not {header.head}.")
    renamed = tuple((old, new) for old, new in names.items() if old != new)
    notes += [f"The branch {old} is somewhere else now; its work is on {new}." for old, new in renamed]
    return Restored(
        path=there.path,
        name=listed.name,
        git_dir=home.git_dir,
        branch=listed.branch,
        files=header.files,
        bytes=header.bytes,
        branches=renamed,
        kept_administrative=not home.ours,
        notes=tuple(notes),
        unheld=header.unheld,
    )


def _listed(repository: Repository, path: str) -> Worktree:
    for worktree in list_worktrees(repository):
        if worktree.key == path:
            return worktree
    raise RefusedError("not-restored", f"git does not list {path}.")
