"""The index file as it stands on disk (gitformat-index(5))."""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sidecar.git.files import read_regular
from sidecar.git.process import Place, run
from sidecar.git.snapshot.values import RefusedError, Signature

MOST_BYTES = 2 * 1024**3
FIXED = struct.Struct(">10I")
EXTENDED, STAGE = 0x4000, 0x3000
GITLINK, SPARSE_DIRECTORY = 0o160000, 0o040000


@dataclass(frozen=True, slots=True)
class Entry:
    """One stage of a path, and what lstat said when git last looked: (ctime s, ns, mtime s, ns, inode, size)."""

    path: str
    mode: int
    oid: str
    stage: int
    looked: tuple[int, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Index:
    """An index file: its raw content, entries and extensions; `mtime` in ns, `mode` its permission bits."""

    raw: bytes
    mode: int
    mtime: int
    entries: tuple[Entry, ...]
    extensions: frozenset[bytes]


def read_index(git_dir: str, object_format: str, known: Index | None) -> Index | None:
    """The index of an administrative directory; None when there is none. OSError; RefusedError for another format.

    The `known` one is the answer when it has the same content.
    """
    path = os.path.join(git_dir, "index")
    try:
        status = os.lstat(path)
        raw = read_regular(path, MOST_BYTES)
    except FileNotFoundError:
        return None
    if known is not None and known.raw == raw:
        return replace(known, mode=status.st_mode & 0o7777, mtime=status.st_mtime_ns)
    try:
        entries, extensions = _parse(raw, 20 if object_format == "sha1" else 32)
    except (struct.error, ValueError, IndexError) as error:
        raise RefusedError("unreadable-index", f"{path} can't be read: {error}.") from error
    return Index(raw, status.st_mode & 0o7777, status.st_mtime_ns, entries, extensions)


def make_whole(index: Index, git_dir: str, plumbing: Place, object_format: str) -> Index:
    """The same index in one file; `plumbing` is a repository of ours, where git puts the two files together.

    Its working tree is empty, so that git finds no file to compare.
    """
    if b"link" not in index.extensions:
        return index
    home = Path(plumbing.variables["GIT_DIR"])
    (home / "index").write_bytes(index.raw)
    os.utime(home / "index", ns=(index.mtime, index.mtime))
    for name in os.listdir(git_dir):
        if name.startswith("sharedindex."):
            shutil.copyfile(os.path.join(git_dir, name), home / name, follow_symlinks=False)
    run(plumbing, "update-index", "--no-split-index")
    raw = (home / "index").read_bytes()
    entries, extensions = _parse(raw, 20 if object_format == "sha1" else 32)
    return Index(raw, index.mode, index.mtime, entries, extensions)


def has_same_entries(raw: bytes, git_dir: str, object_format: str) -> bool:
    """Whether the index of an administrative directory names the same content as this one; what lstat said aside.

    OSError or RefusedError when it can't be read.
    """
    now = read_index(git_dir, object_format, None)
    if now is None:
        return False
    entries, _ = _parse(raw, 20 if object_format == "sha1" else 32)
    one, two = ([replace(entry, looked=(0,) * 6) for entry in found] for found in (entries, now.entries))
    return b"link" not in now.extensions and one == two


def is_unchanged(index: Index, entry: Entry, signature: Signature) -> bool:
    """Whether a file is as git saw it, by its status alone, and was not too young then to be sure (racy)."""
    mode, size, mtime, ctime, inode = signature
    looked = (*divmod(ctime, 10**9), *divmod(mtime, 10**9), inode, size)
    executable = bool(mode & 0o100)
    same = entry.looked == tuple(number & 0xFFFFFFFF for number in looked)
    return same and executable == (entry.mode == 0o100755) and max(mtime, ctime) < index.mtime


def _parse(raw: bytes, width: int) -> tuple[tuple[Entry, ...], frozenset[bytes]]:
    signature, version, count = struct.unpack_from(">4sII", raw)
    if signature != b"DIRC" or version not in (2, 3, 4):
        raise ValueError("it is of an unknown version")
    entries: list[Entry] = []
    at, previous = 12, b""
    for _ in range(count):
        start = at
        fields = FIXED.unpack_from(raw, at)
        oid = raw[at + 40 : at + 40 + width].hex()
        (flags,) = struct.unpack_from(">H", raw, at + 40 + width)
        at += 42 + width + (2 if flags & EXTENDED else 0)
        if version == 4:
            strip, at = _number(raw, at)
            end = raw.index(b"\0", at)
            previous = previous[: len(previous) - strip] + raw[at:end]
            at = end + 1
        else:
            end = raw.index(b"\0", at)
            previous = raw[at:end]
            at = start + (end - start + 8) // 8 * 8
        looked = (fields[0], fields[1], fields[2], fields[3], fields[5], fields[9])
        entries.append(Entry(os.fsdecode(previous), fields[6], oid, (flags & STAGE) >> 12, looked))
    return tuple(entries), frozenset(_extensions(raw, at, len(raw) - width))


def _extensions(raw: bytes, at: int, end: int) -> Iterator[bytes]:
    while at + 8 <= end:
        name, size = struct.unpack_from(">4sI", raw, at)
        at += 8 + size
        if at > end:
            raise ValueError("it ends early")
        if name[:1].islower() and name not in (b"link", b"sdir"):
            raise ValueError(f"it has the unknown extension {name!r}")
        yield name


def _number(raw: bytes, at: int) -> tuple[int, int]:
    """A variable width number (gitformat-index(5), version 4) and where it ends."""
    byte = raw[at]
    number = byte & 0x7F
    while byte & 0x80:
        at += 1
        byte = raw[at]
        number = ((number + 1) << 7) | (byte & 0x7F)
    return number, at + 1
