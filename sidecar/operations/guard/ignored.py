"""Keep ignored files that are nowhere else (`.env`, local databases, notes) in the sidecar directory, never in git.

Of each worktree there is a folder (mode 0700) with contents by their hash and manifests (mode 0600): what it had at a
time. A file is kept when it is no build output, no copy of what the main worktree has, and not too large; what is too
much is named.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

from sidecar.git.inventory.ignored import is_marked_output, is_named_output, usable_patterns
from sidecar.git.inventory.walk import Item
from sidecar.model.changes import ancestors
from sidecar.model.decode import is_safe
from sidecar.model.findings import Finding, finding
from sidecar.model.words import counted, named
from sidecar.operations.merge.backup import make_directories
from sidecar.operations.records import read_as, write_new, write_record
from sidecar.system.files import read_regular, why_not_ours

LARGEST = 5 * 1024 * 1024
"""Bytes of a file above which it is not kept."""

MOST_BYTES = 20 * 1024 * 1024
"""Bytes that are kept of one worktree at a time, the smallest files first."""

MOST_FILES = 200
"""How many files are kept of one worktree, and how many entries a directory may have that is looked through."""

MOST_MANIFESTS = 20
"""How many manifests of a worktree stay: the youngest."""

NAME = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file as a manifest has it: the name of its content, and its mode."""

    sha256: Annotated[str, NAME.fullmatch]
    mode: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a worktree had at a time: files by path, and what could not be kept."""

    files: Mapping[str, KeptFile]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ignored:
    """What a worktree has: regular files by path, each with what its status tells; `left_out` are too large or many."""

    files: Mapping[str, tuple[int, int, int, int]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def look_at_ignored(
    top: str, main: str | None, entries: Sequence[str], patterns: Sequence[str], go_on: Callable[[], bool]
) -> Ignored:
    """Find the ignored files of a worktree that are to be kept; git's `entries` are paths, directories with a `/`.

    `main` is the main worktree's folder, None in the main worktree itself.
    """
    sizes: dict[str, os.stat_result] = {}
    left_out = []
    for entry in entries:
        if not go_on():
            break
        found = list(_files(top, entry, usable_patterns(patterns)))
        if len(found) > MOST_FILES or not is_safe(entry.rstrip("/")):
            left_out.append(entry.rstrip("/"))
            continue
        for path, status in found:
            if status.st_size > LARGEST:
                left_out.append(path)
            elif main is None or not _is_copy(os.path.join(top, path), os.path.join(main, path), status):
                sizes[path] = status
    files: dict[str, tuple[int, int, int, int]] = {}
    total = 0
    for path, status in sorted(sizes.items(), key=lambda pair: (pair[1].st_size, pair[0])):
        total += status.st_size
        if len(files) >= MOST_FILES or total > MOST_BYTES:
            left_out.append(path)
        else:
            files[path] = (status.st_mtime_ns, status.st_size, status.st_ino, stat.S_IMODE(status.st_mode))
    return Ignored(files, tuple(sorted(left_out)))


def keep_ignored(sidecar_dir: Path, history: str, top: str, found: Ignored, moment: float) -> None:
    """Keep these files as what a worktree has at a moment; OSError when they can't be written.

    A file that goes, or changes, meanwhile is left for the next time.
    """
    folder = _folder(sidecar_dir, history)
    blobs = folder / "blobs"
    for one in (folder.parent, folder, blobs):
        one.mkdir(mode=0o700, exist_ok=True)
        if (why := why_not_ours(one)) is not None:
            raise OSError(errno.ELOOP, why, str(one))
    rows = {}
    for path, (_, _, _, mode) in found.files.items():
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            content = read_regular(os.path.join(top, path), LARGEST)
            name = hashlib.sha256(content).hexdigest()
            if not (blobs / name).exists():
                write_new(blobs / name, content)
            rows[path] = KeptFile(name, mode)
    manifests = _manifests(folder)
    manifest = Manifest(rows, found.left_out)
    if not manifests or _read(manifests[-1]) != manifest:
        record = {"schema": 1, "time": moment, **asdict(manifest)}
        write_record(folder / f"{int(moment * 1000):016}.json", record)
        _expire(folder)


def has_ignored(sidecar_dir: Path, history: str) -> bool:
    """Tell whether the last manifest of a worktree has a file."""
    manifests = _manifests(_folder(sidecar_dir, history))
    last = _read(manifests[-1]) if manifests else None
    return bool(last and last.files)


def put_back(sidecar_dir: Path, history: str, top: str, moment: float, *, later: bool) -> tuple[Finding, ...]:
    """Bring back into a worktree what it had at a moment, where nothing is now; `later`: also what it had after that.

    What is told: the files that are back, and those that could not be kept.
    """
    folder = _folder(sidecar_dir, history)
    back, left_out, taken = [], [], []
    for path, row in _rows(folder, moment, later=later):
        target = os.path.join(top, path)
        if row is None:
            left_out.append(path)
        elif os.path.lexists(target):
            taken.append(path)
        elif make_directories(top, path) and _put(folder / "blobs" / row.sha256, target, row.mode):
            back.append(path)
        else:
            left_out.append(path)
    found = []
    if back:
        files = counted(len(back), "ignored file is", "ignored files are")
        found.append(finding("restored-ignored", f"{files} back: {named(back)}.", tuple(back)))
    if left_out:
        said = f"Ignored files that are too large, or too many, were not kept: {named(left_out)}."
        found.append(finding("not-in-states", said, tuple(left_out)))
    return tuple(found)


def drop_ignored(sidecar_dir: Path, history: str) -> None:
    """Let go of all that is kept of a worktree's ignored files."""
    shutil.rmtree(_folder(sidecar_dir, history), ignore_errors=True)


def drop_older(sidecar_dir: Path, oldest: float) -> None:
    """Let go of the manifests from before a moment, and of the contents that no other has."""
    for folder in (sidecar_dir / "guard").glob("*/"):
        if folder.is_symlink() or (folder / "blobs").is_symlink():
            continue
        old = [path for path in _manifests(folder) if int(path.stem) / 1000 < oldest]
        for path in old:
            path.unlink(missing_ok=True)
        if old:
            _expire(folder)


def _files(top: str, entry: str, patterns: Sequence[str]) -> Iterator[tuple[str, os.stat_result]]:
    """List the regular files of an ignored entry that are no build output; one more than may be when there are more."""
    path = entry.rstrip("/")
    if any(is_named_output(above, patterns, directory=True) for above in ancestors(path)):
        return
    try:
        status = os.lstat(os.path.join(top, path))
    except OSError:
        return
    if not stat.S_ISDIR(status.st_mode):
        if stat.S_ISREG(status.st_mode) and not is_named_output(path, patterns, directory=False):
            yield path, status
        return
    waiting, count = [path], 0
    while waiting:
        directory = waiting.pop()
        if is_named_output(directory, patterns, directory=True):
            continue
        try:
            items = [
                Item(f"{directory}/{one.name}", one.stat(follow_symlinks=False)) for one in _listed(top, directory)
            ]
        except OSError:
            continue
        if any(item.name.casefold() == ".git" for item in items) or is_marked_output(top, items):
            continue
        for item in items:
            count += 1
            if item.is_directory:
                waiting.append(item.path)
            elif item.is_regular and not is_named_output(item.path, patterns, directory=False):
                yield item.path, item.status
            if count > MOST_FILES:
                yield from [(item.path, item.status)] * (MOST_FILES + 1)
                return


def _listed(top: str, directory: str) -> list[os.DirEntry[str]]:
    """List the first entries of a directory, one more than may be when there are more."""
    found = []
    with os.scandir(os.path.join(top, directory)) as entries:
        for entry in entries:
            found.append(entry)
            if len(found) > MOST_FILES:
                break
    return found


def _is_copy(mine: str, theirs: str, status: os.stat_result) -> bool:
    """Tell whether the main worktree has the same file at the same path."""
    try:
        other = os.lstat(theirs)
        if not stat.S_ISREG(other.st_mode) or other.st_size != status.st_size:
            return False
        return read_regular(mine, LARGEST) == read_regular(theirs, LARGEST)
    except OSError:
        return False


def _put(blob: Path, target: str, mode: int) -> bool:
    """Write a content to a path at which nothing is; tell whether that could be done."""
    try:
        content = read_regular(str(blob), LARGEST)
        if hashlib.sha256(content).hexdigest() != blob.name:
            return False
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(descriptor, mode & 0o777)
    except OSError:
        return False
    return True


def _rows(folder: Path, moment: float, *, later: bool) -> Iterator[tuple[str, KeptFile | None]]:
    """Give what a worktree had at a moment, or after: each path once, as it was last; None for what was left out."""
    manifests = _manifests(folder)
    before = [path for path in manifests if int(path.stem) / 1000 <= moment]
    after = manifests[len(before) :]
    chosen = [*before[-1:], *(after if later else [])] or after[:1]
    found: dict[str, KeptFile | None] = {}
    for path in chosen:
        manifest = _read(path)
        if manifest is not None:
            found.update(dict.fromkeys(manifest.left_out))
            found.update(manifest.files)
    yield from sorted(found.items())


def _read(path: Path) -> Manifest | None:
    """Read a manifest; None when it is none of ours."""
    manifest = read_as(Manifest, path)
    return None if manifest is None or not all(map(is_safe, manifest.files)) else manifest


def _manifests(folder: Path) -> list[Path]:
    """List the manifests of a worktree, the oldest first."""
    return sorted(path for path in folder.glob("*.json") if path.stem.isdigit())


def _expire(folder: Path) -> None:
    """Let go of all but the youngest manifests, and of the contents that none of these has."""
    manifests = _manifests(folder)
    for path in manifests[:-MOST_MANIFESTS]:
        path.unlink(missing_ok=True)
    kept = [_read(path) for path in manifests[-MOST_MANIFESTS:]]
    needed = {row.sha256 for manifest in kept if manifest is not None for row in manifest.files.values()}
    for blob in (folder / "blobs").glob("*"):
        if blob.name not in needed:
            blob.unlink(missing_ok=True)


def _folder(sidecar_dir: Path, history: str) -> Path:
    return sidecar_dir / "guard" / history
