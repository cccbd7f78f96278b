"""Files compared as they are on the disk, in pieces, without ever waiting and without following a link."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import partial

from sidecar.git.blobs import id_of_pieces
from sidecar.git.files import pieces
from sidecar.git.inventory.watching import Watching


def seen_pieces(path: str, seen: os.stat_result, watching: Watching) -> Iterator[bytes]:
    """The content of the very file that was seen; OSError for anything else."""
    return pieces(path, partial(os.path.samestat, seen), watching.check)


def blob_id(path: str, seen: os.stat_result, object_format: str, watching: Watching) -> str:
    """The id that the bytes of a regular file would have as a blob, without any filter."""
    return id_of_pieces(object_format, seen.st_size, seen_pieces(path, seen, watching))


def sha256_of(path: str, seen: os.stat_result, watching: Watching) -> str:
    """The plain SHA-256 of a regular file, as Git LFS names it."""
    digest = hashlib.sha256()
    for piece in seen_pieces(path, seen, watching):
        digest.update(piece)
    return digest.hexdigest()


def same_content(one: str, seen: os.stat_result, two: str, also: os.stat_result, watching: Watching) -> bool:
    """Whether two regular files, as they were seen, have the same bytes."""
    if seen.st_size != also.st_size:
        return False
    if os.path.samestat(seen, also):
        return True
    return same_pieces(seen_pieces(one, seen, watching), seen_pieces(two, also, watching))


def same_pieces(one: Iterator[bytes], two: Iterator[bytes]) -> bool:
    """Whether two streams have the same bytes, however they are cut."""
    left = right = b""
    while True:
        left = left or next(one, b"")
        right = right or next(two, b"")
        common = min(len(left), len(right))
        if common == 0:
            return not left and not right
        if left[:common] != right[:common]:
            return False
        left, right = left[common:], right[common:]
