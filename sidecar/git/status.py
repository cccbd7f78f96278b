"""What is not committed in a worktree: its index and its files, as git sees them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sidecar.git.files import read_regular
from sidecar.git.hashing import Hashed, hash_files
from sidecar.git.process import GitError, Place, run
from sidecar.git.quarantine import Quarantine
from sidecar.git.repository import Repository, place_of_files
from sidecar.model.changes import (
    EXECUTABLE,
    FILE,
    STAGED,
    SUBMODULE,
    SYMLINK,
    UNSTAGED,
    UNTRACKED,
    Entry,
    merge_sources,
)
from sidecar.model.picture import Worktree

STATUS = ("status", "--porcelain=v2", "-z", "--no-renames", "--untracked-files=all", "--ignore-submodules=dirty")


@dataclass(frozen=True, slots=True)
class Edit:
    """One path that is not as in HEAD: what it is now (None: gone), and how the change is present."""

    path: str
    now: Entry | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Uncommitted:
    """Everything in a worktree that is not committed; `skipped` are files that were too large or unreadable.

    `rows` has what git said about each path, as long as its index stays as it is; `raw` are those of these paths
    whose content git takes as it stands on disk, without filters or line ends to convert.
    """

    edits: tuple[Edit, ...]
    skipped: tuple[str, ...] = ()
    rows: Mapping[str, Row] = field(default_factory=dict, compare=False, repr=False)
    raw: frozenset[str] = field(default=frozenset(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Row:
    """A path of `git status`: what HEAD and the index have, and the mode on disk (None: not there)."""

    path: str
    head: Entry | None
    index: Entry | None
    disk_mode: int | None
    tracked: bool


def read_uncommitted(
    repository: Repository, quarantine: Quarantine, worktree: Worktree, limit: int, paths: Sequence[str] = ()
) -> Uncommitted:
    """What `git status` shows (of these paths only, when given), with the content of every changed file hashed.

    `limit` is the size in bytes above which a file is skipped. Raises GitError when the worktree can't be read.
    """
    # git writes trees when it expands a sparse index, whatever it is asked
    place = quarantine.writing(place_of_files(repository, worktree), repository)
    literal = ("--", *(f":(top,literal){path}" for path in paths)) if paths else ()
    rows = [row for row in _parse(run(place, *STATUS, *literal)) if not _is_other_repository(worktree, row)]
    on_disk = [row.path for row in rows if row.disk_mode in (FILE, EXECUTABLE, SYMLINK)]
    modes_count = _modes_count(repository)
    hashed = hash_files(place, quarantine, on_disk, limit, modes_count=modes_count)
    edits: dict[str, Edit] = {}
    for row in rows:
        edit = _edit(row, hashed, worktree) if row.path not in hashed.skipped else None
        if edit is not None:
            # a file that was only taken out of the index has two rows: staged as gone, and untracked
            before = edits[row.path].sources if row.path in edits else ()
            edits[row.path] = replace(edit, sources=merge_sources(before, edit.sources))
    known = {row.path: row for row in rows if row.path not in hashed.skipped}
    raw = _unconverted(repository, place, list(known)) if len(known) == len(rows) else frozenset()
    return Uncommitted(tuple(edits.values()), tuple(sorted(hashed.skipped)), known, raw)


def reread_raw(
    repository: Repository, quarantine: Quarantine, worktree: Worktree, limit: int, known: Uncommitted, path: str
) -> Edit | None:
    """What a file is now that git was asked about before, without asking again: its index entry is still the same.

    None when it is as in HEAD. Raises GitError where git has to be asked after all: not a small regular file, or gone.
    """
    row, full = known.rows[path], os.path.join(worktree.key, path)
    try:
        if not os.path.lexists(full):
            return _edit(replace(row, disk_mode=None), Hashed({}, frozenset()), worktree)
        status = os.lstat(full)
        if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
            raise GitError(f"{path} is not a regular file of a usual size.")
        oid = quarantine.objects.write("blob", read_regular(full, limit))
    except OSError as error:
        raise GitError(f"{path} can't be read: {error.strerror}.") from error
    executable = bool(status.st_mode & stat.S_IXUSR)
    if not _modes_count(repository):
        executable = row.index is not None and row.index.mode == EXECUTABLE
    mode = EXECUTABLE if executable else FILE
    hashed = Hashed({path: Entry(mode, oid)}, frozenset())
    return _edit(replace(row, disk_mode=mode), hashed, worktree)


def _modes_count(repository: Repository) -> bool:
    return repository.config.flag("core.filemode", default=True) is not False


CONVERTING = ("text", "eol", "crlf", "ident", "filter", "working-tree-encoding")
"""The attributes under which git stores something else than what is on disk (gitattributes(5))."""


def _unconverted(repository: Repository, place: Place, paths: Sequence[str]) -> frozenset[str]:
    """Those of the paths for which no attribute and no setting changes their content on the way into git."""
    if not paths or repository.config.flag("core.autocrlf", default=False) is not False:
        return frozenset()
    listing = b"".join(os.fsencode(path) + b"\0" for path in paths)
    fields = run(place, "check-attr", "-z", "--stdin", *CONVERTING, stdin=listing).split(b"\0")
    converted = {
        os.fsdecode(path)
        for path, _, value in zip(fields[::3], fields[1::3], fields[2::3], strict=False)
        if value not in (b"unspecified", b"unset")
    }
    return frozenset(paths) - converted


def _parse(listing: bytes) -> Iterable[Row]:
    """The rows of porcelain v2 (git-status(1))."""
    for record in listing.split(b"\0"):
        kind = record[:1]
        if kind == b"1":
            _, xy, _, mode_head, mode_index, mode_disk, oid_head, oid_index, path = record.split(b" ", 8)
            yield Row(
                os.fsdecode(path),
                _entry(mode_head, oid_head),
                None if xy[1:2] == b"A" else _entry(mode_index, oid_index),
                int(mode_disk, 8) or None,
                tracked=True,
            )
        elif kind == b"u":
            _, _, _, _, mode_ours, _, mode_disk, _, oid_ours, _, path = record.split(b" ", 10)
            ours = _entry(mode_ours, oid_ours)
            yield Row(os.fsdecode(path), ours, ours, int(mode_disk, 8) or None, tracked=True)
        elif kind == b"?":
            yield Row(os.fsdecode(record[2:]), None, None, FILE, tracked=False)


def _entry(mode: bytes, oid: bytes) -> Entry | None:
    number = int(mode, 8)
    return Entry(number, oid.decode("ascii")) if number else None


def _is_other_repository(worktree: Worktree, row: Row) -> bool:
    """An untracked directory is another repository or worktree; its files are not this worktree's work."""
    full = os.path.join(worktree.key, row.path)
    return row.path.endswith("/") or (not row.tracked and os.path.isdir(full) and not os.path.islink(full))


def _edit(row: Row, hashed: Hashed, worktree: Worktree) -> Edit | None:
    if not row.tracked:
        found = hashed.entries.get(row.path)
        return Edit(row.path, found, (UNTRACKED,)) if found is not None else None
    if row.disk_mode == SUBMODULE:
        now: Entry | None = _submodule(worktree, row)
    else:
        now = hashed.entries.get(row.path)
    now = _keep_mode(row, now)
    staged = (STAGED,) if row.index != row.head else ()
    unstaged = (UNSTAGED,) if now != row.index else ()
    if now == row.head and not staged:
        return None
    return Edit(row.path, now, staged + unstaged)


def _keep_mode(row: Row, now: Entry | None) -> Entry | None:
    """Git's own word on the mode of a tracked file: core.fileMode and core.symlinks are honoured in it."""
    if now is None or row.disk_mode is None or now.mode == row.disk_mode:
        return now
    return Entry(row.disk_mode, now.oid) if row.disk_mode in (FILE, EXECUTABLE, SYMLINK) else now


def _submodule(worktree: Worktree, row: Row) -> Entry | None:
    """The commit that is checked out in a submodule, or the index's when it can't be read."""
    folder = os.path.join(worktree.key, row.path)
    try:
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            return row.index
        head = run(
            Place(folder, {"GIT_CEILING_DIRECTORIES": worktree.key}), "rev-parse", "--verify", "-q", "HEAD^{commit}"
        )
    except (GitError, OSError):
        return row.index
    return Entry(SUBMODULE, head.decode("ascii").strip())
