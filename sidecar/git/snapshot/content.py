"""The raw content of a worktree's files, in the user's object store."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sidecar.git.blobs import id_of
from sidecar.git.config import read_config
from sidecar.git.process import run
from sidecar.git.repository import Repository
from sidecar.git.snapshot.index import Index, is_unchanged
from sidecar.git.snapshot.store import Store, freshen, id_of_file, look_up, write_blobs
from sidecar.git.snapshot.values import (
    DIRECTORY_KIND,
    FILE_KIND,
    LINK_KIND,
    Item,
    RefusedError,
    Signature,
    Unheld,
    Watcher,
)
from sidecar.git.snapshot.walk import Walked, read_attributes
from sidecar.git.status import CONVERTING
from sidecar.model.picture import Worktree


@dataclass(slots=True)
class Content:
    """What is to be stored: ids by path, links' targets, sizes that turned out otherwise, and what went wrong."""

    oids: dict[str, str] = field(default_factory=dict)
    targets: dict[str, bytes] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    unheld: list[Unheld] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)


def hash_files(
    store: Store, root: str, walked: Walked, reusable: Mapping[str, str], largest: int | None, watcher: Watcher
) -> Content:
    """The blob ids of files and links below a root; nothing is stored yet. `largest` is in bytes."""
    content = Content()
    total = sum(size for kind, (_, size, *_) in walked.found.values() if kind == FILE_KIND)
    done = 0
    for path, (kind, signature) in walked.found.items():
        full = os.path.join(root, path)
        if kind == LINK_KIND:
            try:
                content.targets[path] = os.fsencode(os.readlink(full))
            except OSError:
                content.changed.add(path)
                continue
            content.oids[path] = id_of(store.object_format, content.targets[path])
        elif kind == FILE_KIND:
            done += signature[1]
            if path in reusable:
                content.oids[path] = reusable[path]
            elif largest is not None and signature[1] > largest:
                content.unheld.append(Unheld("too-large", path))
            else:
                _hash_file(store, content, path, full, signature, watcher)
            watcher.progress(done, total * 2)
    return content


def _hash_file(store: Store, content: Content, path: str, full: str, signature: Signature, watcher: Watcher) -> None:
    watcher.check()
    try:
        content.oids[path] = id_of_file(store.object_format, full, signature, watcher)
    except PermissionError:
        content.unheld.append(Unheld("unreadable", path))
    except OSError:
        content.changed.add(path)


def store_content(store: Store, root: str, walked: Walked, content: Content, most: int | None, watcher: Watcher) -> int:
    """Put what the store does not have into it; how many bytes these were. RefusedError for more than `most`."""
    there = look_up(store, content.oids.values())
    freshen(store, there)
    missing: dict[str, str] = {}
    for path, oid in content.oids.items():
        if oid not in there:
            missing.setdefault(oid, path)
    sizes = {path: walked.found[path][1][1] for path in missing.values()}
    if most is not None and sum(sizes.values()) > most:
        raise RefusedError("too-large", f"{sum(sizes.values())} bytes are new, more than the {most} that may be kept.")
    files = []
    for path in missing.values():
        link = content.targets.get(path)
        files.append((os.path.join(root, path) if link is None else store.draft(link), sizes[path]))
    whole = sum(size for kind, (_, size, *_) in walked.found.values() if kind == FILE_KIND)
    rest = whole - sum(sizes.values())
    halves = Watcher(lambda done, _: watcher.progress(whole + rest + done, whole * 2), watcher.cancelled)
    for (oid, path), written in zip(missing.items(), write_blobs(store, files, halves), strict=True):
        if written == oid:
            continue
        content.changed.add(path)
        for other in [other for other, expected in content.oids.items() if expected == oid]:
            del content.oids[other]
            content.changed.add(other)
        if written is not None and _is_same_file(os.path.join(root, path), walked.found[path][1]):
            content.oids[path] = written
            content.sizes[path] = look_up(store, [written])[written].size
    watcher.progress(whole * 2, whole * 2)
    return sum(sizes.values())


def _is_same_file(path: str, signature: Signature) -> bool:
    """Whether the regular file that was found there is still that one, whatever is in it."""
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_ino == signature[4]


def find_reusable(repository: Repository, worktree: Worktree, index: Index | None, walked: Walked) -> dict[str, str]:
    """Blob ids of files that need no reading: as git saw them, and old enough to be sure.

    Only those that git stores as they are: no attribute or setting converts them.
    """
    if index is None or read_config(repository.inside(worktree)).flag("core.autocrlf", default=False) is not False:
        return {}
    candidates = {}
    for entry in index.entries:
        if entry.stage == 0 and entry.path in walked.found:
            kind, signature = walked.found[entry.path]
            if kind == FILE_KIND and is_unchanged(index, entry, signature):
                candidates[entry.path] = entry.oid
    converted = _converted(repository, worktree, list(candidates))
    return {path: oid for path, oid in candidates.items() if path not in converted}


def _converted(repository: Repository, worktree: Worktree, paths: Sequence[str]) -> frozenset[str]:
    """Those of the paths that an attribute changes on their way into git (gitattributes(5))."""
    if not paths:
        return frozenset()
    listing = b"".join(os.fsencode(path) + b"\0" for path in paths)
    fields = run(repository.inside(worktree), "check-attr", "-z", "--stdin", *CONVERTING, stdin=listing).split(b"\0")
    rows = zip(fields[::3], fields[2::3], strict=False)
    return frozenset(os.fsdecode(path) for path, value in rows if value not in (b"unspecified", b"unset"))


def make_items(root: str, walked: Walked, content: Content) -> list[Item]:
    """The items of everything that is held."""
    items = []
    for path, (kind, (mode, size, mtime, _, _)) in walked.found.items():
        oid = content.oids.get(path)
        if kind != DIRECTORY_KIND and oid is None:
            continue
        attributes, others = ((), False) if kind == LINK_KIND else read_attributes(os.path.join(root, path))
        if others:
            content.unheld.append(Unheld("attribute", path))
        size = 0 if kind == DIRECTORY_KIND else content.sizes.get(path, size)
        items.append(Item(kind, path, mode & 0o7777, mtime, oid, size, attributes))
    return items
