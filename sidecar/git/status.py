"""Read what is not committed in a worktree: its index and its files, as git sees them.

While a merge waits for a person, whoever has taken the conflict markers out of a file and saved it has resolved it, as
`git commit --all` sees it. What leaves no markers (a binary file, a deletion, a merge driver), or reads as one of the
sides, is resolved by `git add`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from sidecar.git.attributes import CONVERTING, check_attributes, set_attributes
from sidecar.git.blobs import Hashed, hash_files
from sidecar.git.config import read_config
from sidecar.git.objects import parse_entry
from sidecar.git.process import GitError, Place, run, run_with_warnings
from sidecar.git.quarantine import Quarantine
from sidecar.git.repository import Repository, has_index, is_at_work, place_of_files, place_without_filters
from sidecar.git.trees import parse_raw
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
from sidecar.model.overlaps import Unread
from sidecar.model.picture import Worktree
from sidecar.system.files import read_regular

STATUS = (
    *("status", "--porcelain=v2", "-z", "--no-renames"),
    *("--untracked-files=all", "--ignored=matching", "--ignore-submodules=dirty"),
)

MOST_IGNORED = 2000
"""How many ignored entries of a worktree are noted."""

_WHY = "|".join(re.escape(os.strerror(number)) for number in (errno.EACCES, errno.EPERM, errno.EIO, errno.ELOOP))
CLOSED = re.compile(
    r"(?:warning: could not open directory '(?P<folder>.*?)/?'|(?P<file>(?!(?:fatal|error|warning|hint): ).*))"
    f": (?P<why>{_WHY})"
)
"""How `git status` says that it could not look at a directory, or at a tracked file in one."""


def changed_paths(place: Place, *paths: str, untracked: bool = False, submodules: str = "dirty") -> list[str]:
    """List what is not as in HEAD, in the index or on the disk; GitError.

    Of tracked files what a setting hides from git is looked at all the same. `submodules` says what of them does not
    count (git-status(1), --ignore-submodules).
    """
    which = (f"--untracked-files={'all' if untracked else 'no'}", f"--ignore-submodules={submodules}")
    whole = ("--literal-pathspecs", "-c", "core.checkStat=default", "-c", "core.trustctime=true")
    said = run(place, *whole, "status", "--porcelain=v1", "-z", "--no-renames", *which, *paths)
    return [os.fsdecode(row[3:]) for row in said.split(b"\0") if row]


@dataclass(frozen=True, slots=True)
class Edit:
    """One path that is not as in HEAD: what it is now (None: gone), and how the change is present."""

    path: str
    now: Entry | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Uncommitted:
    """Everything in a worktree that is not committed; `skipped` are files that were too large or unreadable, and why.

    A skipped file is an edit like any other, with an entry that stands for its content.

    `rows` has what git said about each path, as long as its index stays as it is; `raw` are those of these paths
    whose content git takes as it stands on disk, without filters or line ends to convert. `nested` are untracked
    directories that are repositories of their own, `ignored` the files and directories (with `/`) that a rule ignores.
    """

    edits: tuple[Edit, ...]
    skipped: Mapping[str, Unread] = field(default_factory=dict)
    rows: Mapping[str, Row] = field(default_factory=dict, compare=False, repr=False)
    raw: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    nested: tuple[str, ...] = field(default=(), compare=False)
    ignored: tuple[str, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Row:
    """A path of `git status`: what HEAD and the index have, and the mode on disk (None: not there).

    `stages` is what the index has in place of one entry while a merge is unresolved: base, ours, theirs.
    """

    path: str
    head: Entry | None
    index: Entry | None
    disk_mode: int | None
    tracked: bool
    stages: tuple[Entry | None, ...] = ()


def read_uncommitted(
    repository: Repository, quarantine: Quarantine, worktree: Worktree, limit: int, paths: Sequence[str] = ()
) -> Uncommitted:
    """Read what `git status` shows (of these paths only, when given), and hash every changed file.

    `limit` is the size in bytes above which a file is skipped. Raises GitError when the worktree can't be read.
    """
    if worktree.head is not None and not has_index(worktree):
        return _read_without_index(worktree)
    # git writes trees when it expands a sparse index, whatever it is asked
    place = quarantine.writing(place_of_files(repository, worktree))
    literal = ("--", *(f":(top,literal){path}" for path in paths)) if paths else ()
    try:
        listed, closed, ignored = _rows(place, literal)
    except GitError as error:
        if error.status is None:
            raise
        plain = quarantine.writing(place_without_filters(repository, worktree))
        listed, closed, ignored = _rows_without_filters(plain, os.path.join(worktree.git_dir, "index"), literal)
    rows = [row for row in listed if not _is_other_repository(worktree, row)]
    on_disk = [row.path for row in rows if row.disk_mode in (FILE, EXECUTABLE, SYMLINK)]
    modes_count = _modes_count(repository)
    hashed = hash_files(place, quarantine, on_disk, limit, modes_count=modes_count)
    edits: dict[str, Edit] = {}
    for row in rows:
        edit = _edit(row, hashed, worktree)
        if edit is not None:
            # a file that was only taken out of the index has two rows: staged as gone, and untracked
            before = edits[row.path].sources if row.path in edits else ()
            edits[row.path] = replace(edit, sources=merge_sources(before, edit.sources))
    known = {row.path: row for row in rows}
    read = [path for path in known if path not in hashed.skipped]
    raw = _unconverted(repository, place, read) if len(known) == len(rows) else frozenset()
    nested = tuple(row.path.rstrip("/") for row in listed if row.path.endswith("/"))
    return Uncommitted(tuple(edits.values()), {**hashed.skipped, **closed}, known, raw, nested, ignored)


Listing: TypeAlias = tuple[list[Row], dict[str, Unread], tuple[str, ...]]
"""Rows, what could not be looked at, and what is ignored."""


def _rows(place: Place, literal: Sequence[str]) -> Listing:
    """Give the rows of git, the directories and files at which it could not look and went on, and what it ignores."""
    said, warnings = run_with_warnings(place, *STATUS, *literal)
    matches = filter(None, map(CLOSED.fullmatch, warnings))
    closed = {found["folder"] or found["file"]: Unread(f"It can't be read: {found['why']}.") for found in matches}
    ignored = [os.fsdecode(record[2:]) for record in said.split(b"\0") if record.startswith(b"! ")]
    return list(_parse(said)), closed, tuple(ignored[:MOST_IGNORED])


def _rows_without_filters(place: Place, index: str, literal: Sequence[str]) -> Listing:
    """Give the rows where a filter fails at some file, which git doesn't name, or stops at; `index` is the index file.

    Git compares without filters, and every filtered file that may have been written since it was last compared has a
    row as well: whoever hashes those with their filters finds out which fail. GitError when it was not for a filter.
    """
    rows, closed, ignored = _rows(place, literal)
    known = {row.path for row in rows}
    staged = {}
    for record in run(place, "ls-files", "--stage", "-z", *literal).split(b"\0"):
        head, _, path = record.partition(b"\t")
        if head.endswith(b" 0") and (name := os.fsdecode(path)) not in known:
            mode, oid, _ = head.decode("ascii").split(" ")
            staged[name] = parse_entry(mode, oid)
    written = parse_raw(run(place, "diff-files", "--raw", "-z", "--no-abbrev", "--ignore-submodules", *literal))
    suspects = {change.path for change in written} | _racy(place.cwd, index, staged)
    filtered = suspects & set_attributes(place, sorted(suspects & staged.keys()), "filter").keys()
    entries = ((path, staged[path]) for path in sorted(filtered))
    rows += [Row(path, now, now, now.mode, tracked=True) for path, now in entries if now is not None and now.is_file]
    return rows, closed, ignored


def _racy(top: str, index: str, paths: Iterable[str]) -> set[str]:
    """Give the files written in the second of the index or later, whose times don't say whether they changed."""
    found = set()
    since = int(os.stat(index).st_mtime)
    for path in paths:
        with contextlib.suppress(OSError):
            if int(os.lstat(os.path.join(top, path)).st_mtime) >= since:
                found.add(path)
    return found


def _read_without_index(worktree: Worktree) -> Uncommitted:
    """Give no edits where git has checked nothing out yet or is at it; GitError where files are there all the same.

    To git all that is committed would be deleted there, which nobody has done.
    """
    try:
        names = set(os.listdir(worktree.key)) - {".git"}
    except OSError as error:
        raise GitError(f"{worktree.key} can't be read: {error.strerror}.") from error
    if names and not is_at_work(os.path.join(worktree.git_dir, "index.lock")):
        raise GitError("it has files, but no index that says what they were. Run there: git reset")
    return Uncommitted(())


def reread_raw(
    repository: Repository, quarantine: Quarantine, worktree: Worktree, limit: int, known: Uncommitted, path: str
) -> Edit | None:
    """Read again a file that git was asked about before, without asking git, since its index entry is still the same.

    None when it is as in HEAD. Raises GitError where git has to be asked after all: not a small regular file, or gone.
    """
    row, full = known.rows[path], os.path.join(worktree.key, path)
    try:
        if not os.path.lexists(full):
            return _edit(replace(row, disk_mode=None), Hashed({}, {}), worktree)
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
    hashed = Hashed({path: Entry(mode, oid)}, {})
    return _edit(replace(row, disk_mode=mode), hashed, worktree)


def _modes_count(repository: Repository) -> bool:
    return repository.config.flag("core.filemode", default=True) is not False


def _unconverted(repository: Repository, place: Place, paths: Sequence[str]) -> frozenset[str]:
    """Give those of the paths for which no attribute and no setting changes their content on the way into git."""
    if not paths or repository.config.flag("core.autocrlf", default=False) is not False:
        return frozenset()
    return frozenset(paths) - set_attributes(place, paths, *CONVERTING).keys()


def _parse(listing: bytes) -> Iterator[Row]:
    """Parse the rows of porcelain v2 (git-status(1))."""
    for record in listing.split(b"\0"):
        kind = record[:1]
        if kind == b"1":
            _, xy, _, mode_head, mode_index, mode_disk, oid_head, oid_index, path = os.fsdecode(record).split(" ", 8)
            yield Row(
                path,
                parse_entry(mode_head, oid_head),
                None if xy[1:2] == "A" else parse_entry(mode_index, oid_index),
                int(mode_disk, 8) or None,
                tracked=True,
            )
        elif kind == b"u":
            _, _, _, base, ours, theirs, mode_disk, *oids, path = os.fsdecode(record).split(" ", 10)
            stages = tuple(map(parse_entry, (base, ours, theirs), oids))
            yield Row(path, stages[1], stages[1], int(mode_disk, 8) or None, tracked=True, stages=stages)
        elif kind == b"?":
            yield Row(os.fsdecode(record[2:]), None, None, FILE, tracked=False)


def _is_other_repository(worktree: Worktree, row: Row) -> bool:
    """Tell whether an untracked directory is another repository or worktree, whose files are not this one's work."""
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
    """Keep git's own word on the mode of a tracked file, in which core.fileMode and core.symlinks are honoured."""
    if now is None or row.disk_mode is None or now.mode == row.disk_mode:
        return now
    return Entry(row.disk_mode, now.oid) if row.disk_mode in (FILE, EXECUTABLE, SYMLINK) else now


def _submodule(worktree: Worktree, row: Row) -> Entry | None:
    """Give the commit that is checked out in a submodule, or the index's when it can't be read."""
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


MOST_RESOLVED = 8 * 1024 * 1024
"""Bytes of a file above which only `git add` says that it is resolved."""

_OWN_DRIVERS = ("set", "text", "union")
_OURS, _THEIRS = 2, 3


@dataclass(frozen=True, slots=True)
class Unmerged:
    """Paths that are unmerged in the index, sorted: those that wait for a person, and those resolved on the disk."""

    unresolved: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()


def read_unmerged(repository: Repository, worktree: Worktree) -> Unmerged:
    """Read what is unmerged in a worktree; GitError when its index can't be read. Runs nothing of the repository."""
    stages = read_stages(repository, worktree)
    texts = {path: text for path, sides in stages.items() if (text := _resolution(worktree, path, sides)) is not None}
    place = repository.inside(worktree)
    attributes = check_attributes(place, texts, "merge", "conflict-marker-size") if texts else {}
    default = (read_config(place).get("merge.default") if texts else None) or "text"
    texts = {path: text for path, text in texts.items() if _has_no_markers(text, attributes[path], default)}
    settled = {path for path, text in texts.items() if not _is_a_side(repository, worktree, text, stages[path])}
    return Unmerged(tuple(sorted(stages.keys() - settled)), tuple(sorted(settled)))


def read_stages(repository: Repository, worktree: Worktree) -> Mapping[str, Mapping[int, str]]:
    """Give for each path that is unmerged in the index the blob of each stage (git-ls-files(1))."""
    found: dict[str, dict[int, str]] = {}
    for row in run(repository.inside(worktree), "ls-files", "--unmerged", "-z").split(b"\0"):
        about, tab, path = row.partition(b"\t")
        if tab:
            _mode, oid, stage = about.split(b" ")
            found.setdefault(os.fsdecode(path), {})[int(stage)] = oid.decode("ascii")
    return found


def _has_no_markers(text: bytes, attributes: Mapping[str, str], default: str) -> bool:
    """Tell whether git's own merge of lines made a text, and left no markers of the length that they have there.

    `default` is the merge driver of a path for which the attributes name none (gitattributes(5)).
    """
    driver, size = attributes["merge"], attributes["conflict-marker-size"]
    driver = default if driver == "unspecified" else driver
    least = int(size) if size in ("1", "2", "3", "4") else 5
    marker = rb"^(<{%d,}|>{%d,})( |\r?$)" % (least, least)
    return driver in _OWN_DRIVERS and re.search(marker, text, re.MULTILINE) is None


def _resolution(worktree: Worktree, path: str, stages: Mapping[int, str]) -> bytes | None:
    """Give the text of a file that both sides have; None for any other."""
    if not {_OURS, _THEIRS} <= stages.keys():
        return None
    try:
        text = read_regular(os.path.join(worktree.key, path), MOST_RESOLVED)
    except (OSError, ValueError):
        return None
    return None if b"\0" in text else text


def _is_a_side(repository: Repository, worktree: Worktree, text: bytes, stages: Mapping[int, str]) -> bool:
    """Tell whether a file reads as one of the sides, apart from line ends: a merge may have left it so."""
    place = repository.inside(worktree)
    sides = (run(place, "cat-file", "blob", stages[stage]) for stage in (_OURS, _THEIRS))
    return any(side.replace(b"\r\n", b"\n") == text.replace(b"\r\n", b"\n") for side in sides)
