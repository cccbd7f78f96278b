"""Delete from the trash the files whose bytes HEAD has, and write them again from there.

The manifest (`thinned.json`) is on the disk before the first file goes. It is a list of what may be missing, so whoever
comes after a kill goes on from it, and a file that is there is never written over.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from sidecar.git.blobs import id_of_pieces, read_contents
from sidecar.git.inventory.repositories import PLAIN
from sidecar.git.process import GitError
from sidecar.git.repository import Repository
from sidecar.model.changes import ancestors, is_object_id
from sidecar.model.decode import is_safe
from sidecar.model.inventory import HeldFile
from sidecar.operations.records import write_new
from sidecar.operations.release.relocation import NEW, entered
from sidecar.operations.release.trash import set_aside
from sidecar.system.files import read_regular

MANIFEST = "thinned.json"
DRAFT = ".sidecar-draft"
"""The name, in the worktree's folder, of a file that is being written again."""

MOST_BYTES = 1 << 30
"""Bytes above which a manifest is not ours."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Files that may be missing, by path, and the mode and time (ns) of each directory that one of them is in."""

    files: Mapping[str, HeldFile]
    directories: Mapping[str, tuple[int, int]]


def write_manifest(trash: Path, root: str, held: Mapping[str, HeldFile]) -> None:
    """Put the manifest of the files `held` of a worktree (absolute path) into the trash; OSError when it can't be."""
    files = [[path, *one] for path, one in held.items()]
    directories = []
    for folder in _by_directory(held):
        status = os.lstat(os.path.join(root, folder))
        directories.append([folder, stat.S_IMODE(status.st_mode), status.st_mtime_ns])
    text = json.dumps({"schema": 1, "files": files, "directories": directories}, separators=(",", ":"))
    write_new(trash / MANIFEST, text.encode("ascii"))


def thin(where: Path, sidecar_dir: Path, release_id: str) -> None:
    """Delete the files of the trash that are still as the manifest has them, and the directories that this empties.

    A directory goes as a whole, by one rename, and comes back if somebody wrote into it meanwhile.
    """
    manifest = read_manifest(sidecar_dir / "trash" / release_id)
    if manifest is None:
        return
    held, wholes = _look(where, manifest.files)
    if hasattr(os, "sync"):
        os.sync()  # git may have written HEAD's blobs without having them on the disk
    stay = set_aside(where, wholes, sidecar_dir, release_id, lambda moved, path: _is_whole(moved, path, held))
    _delete_files(where, held, wholes - {*stay})


def _look(where: Path, files: Mapping[str, HeldFile]) -> tuple[Mapping[str, HeldFile], set[str]]:
    """Find those that are still as they were, and the outermost directories in which there is nothing else."""
    held: dict[str, HeldFile] = {}
    wholes: set[str] = set()
    for folder, names in _by_directory(files).items():
        with entered(where, folder) as directory:
            if directory is None:
                continue
            start = f"{folder}/" if folder else ""
            same = [start + name for name in names if _is_as(name, directory, files[start + name])]
            held |= {path: files[path] for path in same}
            there = os.listdir(directory)
            complete = {start + name for name in there} & wholes
            if folder and there and len(same) + len(complete) == len(there):
                wholes -= complete
                wholes.add(folder)
    return held, wholes


def _by_directory(paths: Iterable[str]) -> dict[str, list[str]]:
    """Give the names in each directory that these paths lead through; what is below another comes first."""
    found: dict[str, list[str]] = {"": []}
    for path in paths:
        parent, _, name = path.rpartition("/")
        found.setdefault(parent, []).append(name)
        while parent:
            parent = parent.rpartition("/")[0]
            found.setdefault(parent, [])
    return dict(sorted(found.items(), reverse=True))


def _is_as(name: str, directory: int, one: HeldFile) -> bool:
    """Tell whether an entry of an open directory is the very file that was seen, with nothing written since."""
    try:
        return HeldFile.of(one.oid, os.stat(name, dir_fd=directory, follow_symlinks=False)) == one
    except OSError:
        return False


def _is_whole(moved: Path, path: str, held: Mapping[str, HeldFile]) -> bool:
    """Tell whether a directory that was moved from `path` has nothing in it but files that are as they were."""
    for folder, below, names, directory in os.fwalk(moved, follow_symlinks=False):
        inside = os.path.relpath(folder, moved)
        start = f"{path}/" if inside == "." else f"{path}/{inside}/"
        links = [name for name in below if stat.S_ISLNK(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode)]
        for name in (*names, *links):
            one = held.get(start + name)
            if one is None or not _is_as(name, directory, one):
                return False
    return True


def _delete_files(where: Path, held: Mapping[str, HeldFile], gone: set[str]) -> None:
    left = [path for path in held if gone.isdisjoint(ancestors(path))]
    for folder, names in _by_directory(left).items():
        with entered(where, folder) as directory:
            for name in names if directory is not None else ():
                one = held[f"{folder}/{name}" if folder else name]
                if directory is not None and _is_as(name, directory, one):
                    with contextlib.suppress(OSError):
                        os.unlink(name, dir_fd=directory)


def read_manifest(trash: Path) -> Manifest | None:
    """Read the manifest of a release; None when there is none, OSError for one that is not as it was written."""
    try:
        text = read_regular(str(trash / MANIFEST), MOST_BYTES)
    except FileNotFoundError:
        return None
    try:
        record = json.loads(text)
        files = {path: HeldFile(*numbers) for path, *numbers in record["files"]}
        directories = {path: (mode, mtime) for path, mode, mtime in record["directories"]}
        is_sound = all(
            is_safe(path) and is_object_id(one.oid) and _are_numbers(stat.S_IMODE(one.mode), one.size, one.mtime)
            for path, one in files.items()
        ) and all((path == "" or is_safe(path)) and _are_numbers(*numbers) for path, numbers in directories.items())
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        is_sound = False
    if not is_sound:
        raise OSError(None, "it is not as it was written", str(trash / MANIFEST))
    return Manifest(files, directories)


def _are_numbers(mode: Any, *others: Any) -> bool:
    """Tell whether it is a mode without its kind, and the others are no less than 0."""
    return all(isinstance(one, int) and one >= 0 for one in (mode, *others)) and mode <= 0o7777


def write_back(repository: Repository, trash: Path, files: Path, check: Callable[[], None]) -> None:
    """Write the files that the manifest has and the trash has not, with their modes and times; again is fine.

    `files` is where the worktree's folder is. Each file is there as a whole or not at all. OSError, or GitError when an
    object is gone or damaged. `check` is called often, and may raise.
    """
    manifest = read_manifest(trash)
    if manifest is None:
        return
    for folder in sorted(manifest.directories):
        parent, _, name = folder.rpartition("/")
        with entered(files, parent) as directory:
            if folder and directory is not None:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, 0o700, dir_fd=directory)
    missing = {path: one for path, one in sorted(manifest.files.items()) if not os.path.lexists(files / path)}
    draft = files / DRAFT
    draft.unlink(missing_ok=True)  # of one who was killed
    place = repository.place.plus(**PLAIN)
    contents = read_contents(place, [one.oid.encode("ascii") for one in missing.values()])
    for folder, group in groupby(missing.items(), key=lambda item: item[0].rpartition("/")[0]):
        with entered(files, folder) as directory:
            if directory is None:
                raise NotADirectoryError(None, "no directory is there", str(files / folder))
            for path, one in group:
                check()
                size, pieces = next(contents)
                _write_file(repository, draft, one, size, pieces)
                os.rename(draft, path.rpartition("/")[2], dst_dir_fd=directory)
    for folder, (mode, mtime) in sorted(manifest.directories.items(), reverse=True):
        with entered(files, folder) as directory:
            if directory is not None:
                os.chmod(directory, mode)
                os.utime(directory, ns=(mtime, mtime))


def _write_file(repository: Repository, draft: Path, one: HeldFile, size: int, pieces: Iterable[bytes]) -> None:
    with open(os.open(draft, NEW, 0o600), "wb") as file:

        def written() -> Iterable[bytes]:
            for piece in pieces:
                file.write(piece)
                yield piece

        if id_of_pieces(repository.object_format, size, written()) != one.oid:
            raise GitError(f"object {one.oid} is damaged.")
        file.flush()
        os.chmod(file.fileno(), stat.S_IMODE(one.mode))
        os.utime(file.fileno(), ns=(one.mtime, one.mtime))
