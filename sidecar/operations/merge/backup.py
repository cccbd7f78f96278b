"""Keep a checkout's files while git writes over them, and carry uncommitted files from one checkout to another.

What git replaces gets a second name first (a hard link), because putting that back needs no filter, no room and no git.
What is carried is copied there first, then let go of here: it is taken aside, has to be what the other checkout has,
and takes the place of its copy, so that a process that has the file open writes on in it. What is written meanwhile
stays where it was written. Every step can be ended at any instant and taken again.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from sidecar.model.changes import Change, Entry, ancestors

Candidates = Callable[[str], Iterable[bytes]]
"""What git may have been writing at a path: the content of a file, or the target of a link."""

CHUNK = 1 << 20


def keep_files(top: str, kept: Path, changes: Mapping[str, Change], copied: Container[str] = ()) -> tuple[str, ...]:
    """Give everything at these paths a second name under `kept`, which is new; OSError when that can't be done.

    A second name shows in what stat says of a file, which git never looks at again where a flag hides the file:
    those in `copied` are copied. Returns the directories that are there already although trunk has nothing in them.
    """
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(mode=0o700)
    for path, change in changes.items():
        if change.before is not None and is_reachable(top, path):
            _keep(os.path.join(top, path), _name(kept, path), copied=path in copied)
    return tuple(_standing_directories(top, changes))


def keep_file(path: Path, kept: Path) -> None:
    """Give one file, if it is there, a second name."""
    with contextlib.suppress(FileNotFoundError):
        _keep(str(path), str(kept))


def forget_kept(sidecar_dir: Path) -> None:
    """Give up what was kept, as a whole: half of it would tell lies about what was there."""
    kept, gone = sidecar_dir / "landing", sidecar_dir / "landing.gone"
    shutil.rmtree(gone, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        kept.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def put_back(
    top: str, kept: Path, changes: Mapping[str, Change], directories: Iterable[str], candidates: Candidates
) -> tuple[str, ...]:
    """Bring these paths back to what was kept; gives those that hold something else, which are left alone.

    A path is touched only while it is missing or what git was writing there, whole or begun.
    """
    foreign = set()
    changed = [path for path in changes if not _is_kept(top, kept, path)]
    for path in sorted(changed, reverse=True):  # what is below comes before what is above it
        if not _is_ours(top, kept, path, candidates):
            foreign.add(path)
        elif is_reachable(top, path):
            _remove(os.path.join(top, path))
    _remove_directories(top, changes, set(directories))
    for path in changed:
        if path not in foreign and os.path.lexists(_name(kept, path)) and not _bring(top, kept, path):
            foreign.add(path)
    return tuple(sorted(foreign))


def _name(kept: Path, path: str) -> str:
    return str(kept / hashlib.sha256(os.fsencode(path)).hexdigest())


def _keep(full: str, name: str, *, copied: bool = False) -> None:
    try:
        status = os.lstat(full)
    except OSError:
        return
    if stat.S_ISDIR(status.st_mode):
        os.mkdir(name)  # a submodule's place
        return
    if copied:
        copy_to_disk(full, name)
        return
    try:
        os.link(full, name, follow_symlinks=False)
    except (OSError, NotImplementedError):
        copy_to_disk(full, name)  # another file system, or one without links


def copy_to_disk(full: str, name: str) -> None:
    """Copy a file or a link with its times; a file is on the disk when this returns."""
    shutil.copy2(full, name, follow_symlinks=False)
    if not os.path.islink(name):
        descriptor = os.open(name, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def is_reachable(top: str, path: str) -> bool:
    """Tell whether every part above the path is a real directory: nothing is done through a link."""
    with contextlib.suppress(OSError):
        return all(stat.S_ISDIR(os.lstat(os.path.join(top, above)).st_mode) for above in ancestors(path))
    return False


def _is_kept(top: str, kept: Path, path: str) -> bool:
    """Tell whether a path is as it was when it was kept: the same file, an equal one, or nothing as then."""
    full, name = os.path.join(top, path), _name(kept, path)
    there = os.path.lexists(full) and is_reachable(top, path)
    if not os.path.lexists(name) or not there:
        return not os.path.lexists(name) and not there
    return is_equal(full, name)


def is_equal(full: str, name: str) -> bool:
    """Tell whether two things are the same to git, files byte for byte; OSError when one can't be read."""
    one, two = os.lstat(full), os.lstat(name)
    if os.path.samestat(one, two):
        return True
    if stat.S_IFMT(one.st_mode) != stat.S_IFMT(two.st_mode):
        return False
    if stat.S_ISDIR(one.st_mode):
        return True
    if stat.S_ISLNK(one.st_mode):
        return os.readlink(full) == os.readlink(name)
    same_mode = (one.st_mode ^ two.st_mode) & stat.S_IXUSR == 0
    return same_mode and one.st_size == two.st_size and _begins(full, name)


def _is_ours(top: str, kept: Path, path: str, candidates: Candidates) -> bool:
    """Tell whether a path holds nothing, or what git was writing there, or what we were putting back."""
    full, name = os.path.join(top, path), _name(kept, path)
    try:
        status = os.lstat(full)
    except OSError:
        return True
    if not is_reachable(top, path):
        return True  # what is above it is looked at by itself
    if stat.S_ISDIR(status.st_mode):
        return _is_empty_below(full) or not os.path.lexists(name)
    if stat.S_ISLNK(status.st_mode):
        return any(os.fsencode(os.readlink(full)) == content for content in candidates(path))
    if not stat.S_ISREG(status.st_mode):
        return False
    if status.st_size == 0 or (os.path.isfile(name) and not os.path.islink(name) and _begins(full, name)):
        return True
    return any(_is_prefix(full, status.st_size, content) for content in candidates(path))


def _is_empty_below(folder: str) -> bool:
    """Tell whether there is nothing but directories below."""
    return not any(files for _, _, files in os.walk(folder))


def _is_prefix(full: str, size: int, content: bytes) -> bool:
    if size > len(content):
        return False
    at = 0
    with open(full, "rb") as file:
        while chunk := file.read(CHUNK):
            if content[at : at + len(chunk)] != chunk:
                return False
            at += len(chunk)
    return True


def _begins(full: str, name: str) -> bool:
    """Tell whether a file is the beginning, or all, of another one."""
    if os.path.islink(full) or os.path.islink(name):
        return False
    with open(full, "rb") as one, open(name, "rb") as two:
        while chunk := one.read(CHUNK):
            if two.read(len(chunk)) != chunk:
                return False
    return True


def _remove(full: str) -> None:
    try:
        if stat.S_ISDIR(os.lstat(full).st_mode):
            os.rmdir(full)
        else:
            os.unlink(full)
    except OSError:
        return


def _standing_directories(top: str, changes: Mapping[str, Change]) -> list[str]:
    """List the directories that are on disk, that files will be put into, and that hold none of trunk's."""
    tracked = {above for change in changes.values() if change.before is not None for above in ancestors(change.path)}
    wanted = {above for change in changes.values() if change.after is not None for above in ancestors(change.path)}
    return sorted(path for path in wanted - tracked if is_reachable(top, f"{path}/x"))


def _remove_directories(top: str, changes: Mapping[str, Change], standing: set[str]) -> None:
    """Remove the directories that were made for new files; one that holds anything stays."""
    made = {above for change in changes.values() if change.after is not None for above in ancestors(change.path)}
    for path in sorted(made - standing, key=lambda one: one.count("/"), reverse=True):
        if is_reachable(top, path):
            with contextlib.suppress(OSError):
                os.rmdir(os.path.join(top, path))


def _bring(top: str, kept: Path, path: str) -> bool:
    """Put one kept thing back where nothing is; False when something is there after all."""
    full, name = os.path.join(top, path), _name(kept, path)
    try:
        if not make_directories(top, path):
            return False
        if stat.S_ISDIR(os.lstat(name).st_mode):
            os.mkdir(full)
        else:
            _second_name(name, full)
    except FileExistsError:
        return _is_kept(top, kept, path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def make_directories(top: str, path: str) -> bool:
    """Make every directory above a path; False where something else is in its place."""
    for above in reversed([*ancestors(path)]):
        full = os.path.join(top, above)
        if not os.path.lexists(full):
            os.mkdir(full)
        if not stat.S_ISDIR(os.lstat(full).st_mode):
            return False
    return True


def _second_name(name: str, full: str) -> None:
    try:
        os.link(name, full, follow_symlinks=False)
    except (OSError, NotImplementedError) as error:
        if isinstance(error, FileExistsError) or (isinstance(error, OSError) and error.errno == errno.ENOENT):
            raise
        if os.path.lexists(full):
            raise FileExistsError(full) from error
        shutil.copy2(name, full, follow_symlinks=False)


ASIDE = ".sidecar-moved"
"""How a file is called, in its own directory, while it is on its way."""


def carry(source: str, target: str, paths: Sequence[str]) -> None:
    """Have at these paths in `target` what is there in `source`; OSError where that can't be done."""
    there = [path for path in paths if _is_file(source, path)]
    for path in sorted(set(paths) - set(there), reverse=True):
        if _is_file(target, path):
            os.unlink(os.path.join(target, path))
        remove_empty(target, path)
    for path in there:
        if not _same(source, target, path):
            _give(source, target, path)


def let_go(source: str, target: str, paths: Sequence[str], wanted: Container[str]) -> tuple[list[str], list[str]]:
    """Take from `source` what `target` has: (the paths that are gone from it, what of it is newer and stays).

    `paths` are all that are moved, `wanted` those of them that are not done with yet.
    """
    gone, stay = [], []
    for path, aside in reversed([*_asides(source, paths)]):  # what is below comes first: a file may come back there
        if path in wanted or os.path.lexists(aside):
            if _let_go(source, target, path, aside):
                gone.append(path)
                remove_empty(source, path)
            else:
                stay += [path, *([os.path.relpath(aside, source)] if os.path.lexists(aside) else [])]
    return gone, stay


def take_back(source: str, paths: Sequence[str]) -> None:
    """Have in `source` again what was on its way when there is nothing any more that it could go to."""
    for path, aside in _asides(source, paths):
        if os.path.lexists(aside):
            _put_back(os.path.join(source, path), aside)


def _asides(source: str, paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give each path with the absolute one that its file has while it is on its way."""
    for number, path in enumerate(sorted(paths)):
        yield path, os.path.join(os.path.dirname(os.path.join(source, path)), f"{ASIDE}-{number}")


def index_lines(entries: Mapping[str, Entry | None], null: str) -> bytes:
    """Write what `git update-index -z --index-info` reads to set these entries; None for no entry."""

    def line(path: str, entry: Entry | None) -> bytes:
        mode, oid = (entry.mode, entry.oid) if entry is not None else (0, null)
        return b"%06o %s\t%s\0" % (mode, oid.encode(), os.fsencode(path))

    # what goes comes first: a file may make room for a directory
    return b"".join(line(path, entry) for path, entry in sorted(entries.items(), key=lambda item: item[1] is not None))


def remove_empty(top: str, path: str) -> None:
    """Remove the directories above a path in which nothing is any more."""
    while path := path.rpartition("/")[0]:
        if is_reachable(top, f"{path}/x"):
            try:
                os.rmdir(os.path.join(top, path))
            except OSError:
                return


def _is_file(top: str, path: str) -> bool:
    """Tell whether a file or a link is there, and not beyond a link."""
    try:
        kind = os.lstat(os.path.join(top, path)).st_mode
    except OSError:
        return False
    return is_reachable(top, path) and (stat.S_ISREG(kind) or stat.S_ISLNK(kind))


def _give(source: str, target: str, path: str) -> None:
    if not make_directories(target, path):
        raise NotADirectoryError(20, "something else is in the place of a directory", os.path.join(target, path))
    one, two = os.path.join(source, path), os.path.join(target, path)
    draft = os.path.join(os.path.dirname(two), ASIDE)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(draft)
    copy_to_disk(one, draft)
    os.replace(draft, two)


def _let_go(source: str, target: str, path: str, aside: str) -> bool:
    """Tell whether a path of `source` holds nothing any more that `target` lacks; what is newer is put back."""
    full = os.path.join(source, path)
    if _is_file(source, path):
        if os.path.lexists(aside):
            return False
        os.rename(full, aside)
    if not os.path.lexists(aside):
        return not os.path.lexists(full)
    there = os.path.join(target, path)
    if _equal(aside, there):
        try:
            os.replace(aside, there)
        except OSError:  # on another file system the copy has to do
            os.unlink(aside)
        return not os.path.lexists(full)
    _put_back(full, aside)
    return False


def _put_back(full: str, aside: str) -> None:
    """Give a file its name again, unless something new is there: then both are left."""
    with contextlib.suppress(FileExistsError):
        os.link(aside, full, follow_symlinks=False)
        os.unlink(aside)


def _same(source: str, target: str, path: str) -> bool:
    return _is_file(target, path) and _equal(os.path.join(source, path), os.path.join(target, path))


def _equal(one: str, two: str) -> bool:
    """Tell whether two files, or links, are the same; what can't be read is not."""
    try:
        return is_equal(one, two)
    except OSError:
        return False
