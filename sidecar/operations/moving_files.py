"""Carrying uncommitted files from one checkout of a commit to another: copied there first, then let go of here.

Until a file is let go of it is in both. To be let go of it is taken aside and has to be what the other one has; then
the file itself takes the place of its copy, so that whoever has it open writes on in it. What is written meanwhile
stays where it was written. Every step can be ended and taken again.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Container, Iterator, Mapping, Sequence

from sidecar.model.changes import Entry
from sidecar.operations.merge.keeping import copy_to_disk, is_equal, is_reachable, make_directories

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
    for path, aside in _asides(source, paths):
        if path in wanted or os.path.lexists(aside):
            if _let_go(source, target, path, aside):
                gone.append(path)
            else:
                stay += [path, *([os.path.relpath(aside, source)] if os.path.lexists(aside) else [])]
    for path in reversed(gone):
        remove_empty(source, path)
    return gone, stay


def take_back(source: str, paths: Sequence[str]) -> None:
    """Have in `source` again what was on its way when there is nothing any more that it could go to."""
    for path, aside in _asides(source, paths):
        if os.path.lexists(aside):
            _put_back(os.path.join(source, path), aside)


def _asides(source: str, paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each path with the absolute one that its file has while it is on its way."""
    for number, path in enumerate(sorted(paths)):
        yield path, os.path.join(os.path.dirname(os.path.join(source, path)), f"{ASIDE}-{number}")


def index_lines(entries: Mapping[str, Entry | None], null: str) -> bytes:
    """What `git update-index -z --index-info` reads to have these entries in the index, None for no entry."""

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
    """Whether a file or a link is there, and not beyond a link."""
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
    """Whether a path of `source` holds nothing any more that `target` lacks; what is newer is put back."""
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
    """Whether two files, or links, are the same; what can't be read is not."""
    try:
        return is_equal(one, two)
    except OSError:
        return False
