"""Tracked files whose bytes are not those of the index: changed, or only converted on their way out of git?

Line ends, `ident` and encodings (gitattributes(5)) lose nothing. A filter is believed only if its smudge gives back
the very bytes that are on the disk.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sidecar.git.files import PIECE
from sidecar.git.hashing import path_line
from sidecar.git.inventory.content import same_pieces, seen_pieces, sha256_of
from sidecar.git.inventory.ground import Ground, unasked_filters
from sidecar.git.inventory.watching import Watching
from sidecar.git.process import HARDENED, TIMEOUT, GitError, Place, environment, run

CONVERTING = ("filter", "text", "eol", "crlf", "ident", "working-tree-encoding")

MOST_CONVERTED = 256 << 20
"""Bytes of the largest file that git is asked to convert, which it does in memory; a larger one counts as changed."""

MOST_POINTER_BYTES = 1024
"""How large a Git LFS pointer may be (the Git LFS specification)."""

_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\nsize (\d+)\n"
)


@dataclass(frozen=True, slots=True)
class Differing:
    """A regular file with other bytes than its blob; `path` is as its repository names it."""

    path: str
    oid: str
    status: os.stat_result


def settle_differing(
    ground: Ground, differing: Sequence[Differing], watching: Watching
) -> tuple[frozenset[str], frozenset[str]]:
    """(paths that lose nothing, paths where a filter may hide a loss); what is in neither has plainly changed."""
    if not differing:
        return frozenset(), frozenset()
    attributes = _attributes(ground, differing)
    by_default = ground.config.flag("core.autocrlf", default=False) is not False
    converted = [found for found in differing if by_default or attributes.get(found.path)]
    said = _hash(ground.silent, [found.path for found in converted if found.status.st_size <= MOST_CONVERTED])
    same = {found.path for found in converted if said.get(found.path) == found.oid}
    filtered = [found for found in converted if found.path not in same and "filter" in attributes.get(found.path, {})]
    hidden: set[str] = set()
    unasked = unasked_filters(ground)
    pointers = _pointers(ground, [found for found in filtered if attributes[found.path]["filter"] == "lfs"])
    for found in filtered:
        watching.check()
        name = attributes[found.path]["filter"]
        if found.path in pointers:
            _settle_large(ground, found, *pointers[found.path], same, hidden, watching)
        elif name in unasked or found.status.st_size > MOST_CONVERTED:
            hidden.add(found.path)
        elif _hash(ground.filtering, [found.path]).get(found.path) == found.oid:
            (same if _comes_back(ground, found, watching) else hidden).add(found.path)
    return frozenset(same), frozenset(hidden)


def _attributes(ground: Ground, differing: Sequence[Differing]) -> Mapping[str, Mapping[str, str]]:
    """The converting attributes that are set, by path."""
    listing = b"".join(os.fsencode(found.path) + b"\0" for found in differing)
    fields = run(ground.place, "check-attr", "-z", "--stdin", *CONVERTING, stdin=listing).split(b"\0")
    found: dict[str, dict[str, str]] = {}
    for path, name, value in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        if value not in (b"unspecified", b"unset"):
            found.setdefault(os.fsdecode(path), {})[name.decode()] = os.fsdecode(value)
    return found


def _hash(place: Place, paths: Sequence[str]) -> dict[str, str]:
    """The ids under which git would store these files, without storing them; a bad one among many is left out."""
    if not paths:
        return {}
    try:
        said = run(place, "hash-object", "--stdin-paths", stdin=b"".join(path_line(path) for path in paths))
        return dict(zip(paths, said.decode("ascii").split(), strict=True))
    except GitError:
        if len(paths) == 1:
            return {}
        middle = len(paths) // 2
        return _hash(place, paths[:middle]) | _hash(place, paths[middle:])


def _pointers(ground: Ground, found: Sequence[Differing]) -> dict[str, tuple[str, int]]:
    """(SHA-256, size) of each path's content, where its blob is a Git LFS pointer."""
    if not found:
        return {}
    asked = "".join(f"{oid}\n" for oid in sorted({one.oid for one in found})).encode()
    sizes = (line.split() for line in run(ground.place, "cat-file", "--batch-check", stdin=asked).splitlines())
    small = [line[0] for line in sizes if len(line) == 3 and int(line[2]) <= MOST_POINTER_BYTES]
    by_oid: dict[str, tuple[str, int]] = {}
    for oid in small:
        pointer = _POINTER.match(run(ground.place, "cat-file", "blob", oid.decode("ascii")))
        if pointer is not None:
            by_oid[oid.decode("ascii")] = (pointer[1].decode("ascii"), int(pointer[2]))
    return {one.path: by_oid[one.oid] for one in found if one.oid in by_oid}


def _settle_large(
    ground: Ground, found: Differing, name: str, size: int, same: set[str], hidden: set[str], watching: Watching
) -> None:
    """A file of Git LFS: nothing is lost if it is what its pointer says, and the shared store has that."""
    try:
        as_said = found.status.st_size == size and name == sha256_of(_full(ground, found), found.status, watching)
    except OSError:
        as_said = False
    if as_said:
        storage = os.path.join(ground.common_dir, ground.config.get("lfs.storage") or "lfs")
        stored = os.path.join(storage, "objects", name[:2], name[2:4], name)
        there = os.path.isfile(stored) and os.path.getsize(stored) == size
        (same if there else hidden).add(found.path)


def _comes_back(ground: Ground, found: Differing, watching: Watching) -> bool:
    """Whether a checkout of the blob would write the very bytes that are there."""
    try:
        written = _streamed(ground.filtering, "cat-file", "--filters", f"--path={found.path}", found.oid)
        return same_pieces(written, seen_pieces(_full(ground, found), found.status, watching))
    except (OSError, GitError):
        return False


def _streamed(place: Place, *args: str) -> Iterator[bytes]:
    """Standard output of `git ARGS` in pieces; GitError when it fails, also half-way."""
    process = subprocess.Popen(
        ["git", *HARDENED, *args],
        cwd=place.cwd,
        env=environment(place.variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    alarm = threading.Timer(TIMEOUT, process.kill)
    alarm.start()
    try:
        while piece := process.stdout.read(PIECE):
            yield piece
        if process.wait():
            raise GitError(f"git {args[0]} failed", status=process.returncode)
    finally:
        alarm.cancel()
        process.stdout.close()
        process.kill()
        process.wait()


def _full(ground: Ground, found: Differing) -> str:
    return os.path.join(ground.root, found.path)
