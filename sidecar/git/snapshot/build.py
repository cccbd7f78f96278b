"""Putting the files of a snapshot into a new directory, and comparing them with what is there."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from sidecar.git.blobs import id_of, id_of_pieces
from sidecar.git.process import GitError
from sidecar.git.snapshot.store import Exchange, Store, begin_asked, id_of_file, read_asked
from sidecar.git.snapshot.values import DIRECTORY_KIND, FILE_KIND, LINK_KIND, Item, RefusedError, Watcher
from sidecar.git.snapshot.walk import read_attributes, scan

NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
MOST_IN_LINK = 64 * 1024
AHEAD = 64
"""How many objects are asked for before the first is there."""


def build(store: Store, root: str, items: Mapping[str, Item], watcher: Watcher) -> None:
    """Write everything into the directory `root`, which is empty and nobody else's; the root's own mode stays.

    Nothing is opened that was not made here: every name is new, and none is below a link (format.check_items).
    """
    total = sum(item.size for item in items.values())
    done = 0
    wanted = iter([str(item.oid) for _, item in sorted(items.items()) if item.oid is not None])
    with Exchange(store, "cat-file", "--batch") as git:
        _ask(git, wanted, AHEAD)
        for path, item in sorted(items.items()):
            watcher.check()
            if not path:
                continue
            if item.oid is not None:
                _ask(git, wanted, 1)
            full = os.path.join(root, path)
            if item.kind == DIRECTORY_KIND:
                os.mkdir(full, 0o700)
            elif item.kind == LINK_KIND:
                os.symlink(read_asked(git, str(item.oid), "blob", MOST_IN_LINK, watcher), os.fsencode(full))
                os.utime(full, ns=(item.mtime, item.mtime), follow_symlinks=False)
            else:
                _write_file(store, git, full, item, watcher)
            done += item.size
            watcher.progress(done, total)
    for path, item in sorted(items.items(), reverse=True):
        if path and item.kind == DIRECTORY_KIND:
            finish_directory(os.path.join(root, path), item)


def _ask(git: Exchange, wanted: Iterator[str], number: int) -> None:
    """Ask for some more, so that git never waits for us; what is asked always fits into the pipe."""
    for oid in islice(wanted, number):
        git.say(oid.encode("ascii") + b"\n")


def finish_directory(path: str, item: Item) -> None:
    """Give a directory its attributes, mode and time: after everything in it is there."""
    _set_attributes(path, item)
    os.chmod(path, item.mode)
    os.utime(path, ns=(item.mtime, item.mtime))


def _write_file(store: Store, git: Exchange, full: str, item: Item, watcher: Watcher) -> None:
    size = begin_asked(git, str(item.oid), "blob", watcher)
    descriptor = os.open(full, NEW, 0o600)
    with open(descriptor, "wb", buffering=0) as file:
        oid = id_of_pieces(store.object_format, size, _written(file, git.pieces(size, watcher), watcher))
        git.line(watcher)
        if oid != item.oid:
            raise GitError(f"object {item.oid} is damaged.")
        _set_attributes(full, item)
        os.chmod(descriptor if os.chmod in os.supports_fd else full, item.mode)
        os.utime(descriptor if os.utime in os.supports_fd else full, ns=(item.mtime, item.mtime))


def _written(file: io.FileIO, content: Iterable[bytes], watcher: Watcher) -> Iterator[bytes]:
    """The content, each piece of it when it is in the file."""
    for piece in content:
        rest = memoryview(piece)
        while rest:
            rest = rest[file.write(rest) :]
        watcher.check()
        yield piece


def _set_attributes(path: str, item: Item) -> None:
    """What the disk here can't take is found by `compare` and told."""
    for name, value in item.xattrs:
        try:
            os.setxattr(path, name, value, follow_symlinks=False)
        except (OSError, AttributeError) as error:
            if getattr(error, "errno", None) == errno.ENOSPC:
                raise


def compare(
    store: Store, root: str, items: Mapping[str, Item], except_for: Iterable[str], watcher: Watcher
) -> tuple[list[str], list[str]]:
    """Paths that are not as the snapshot has them: (content, kind, mode or existence), (times and attributes only).

    Every file is read. The root's own mode and time, and the paths `except_for`, are not looked at.
    """
    skipped = {*except_for}
    found = scan(root, lambda path: "" if path in skipped else None, watcher).found
    wrong, minor = [], []
    for path in sorted({*found, *items} - skipped - {""}):
        item = items.get(path)
        if path not in found or item is None or found[path][0] != item.kind:
            wrong.append(path)
            continue
        kind, signature = found[path]
        full = os.path.join(root, path)
        if kind == FILE_KIND:
            same = signature[1] == item.size and id_of_file(store.object_format, full, signature, watcher) == item.oid
        else:
            same = kind == DIRECTORY_KIND or id_of(store.object_format, os.fsencode(os.readlink(full))) == item.oid
        if not same or (kind != LINK_KIND and stat.S_IMODE(signature[0]) != item.mode):
            wrong.append(path)
        elif signature[2] != item.mtime or (kind != LINK_KIND and read_attributes(full)[0] != item.xattrs):
            minor.append(path)
    return wrong, minor


def check_built(store: Store, root: str, items: Mapping[str, Item], watcher: Watcher) -> list[str]:
    """Refused unless everything that was built is as it should be; else the paths whose times or attributes are not."""
    wrong, minor = compare(store, root, items, (), watcher)
    if wrong:
        raise RefusedError("not-restored", f"{wrong[0]!r} could not be written as it was. The disk may not support it.")
    return minor
