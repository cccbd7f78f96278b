"""The ids that contents have as objects, reckoned here: no git is asked, and no filter takes part."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def id_of(object_format: str, content: bytes, kind: str = "blob") -> str:
    """The id of an object with this content."""
    framed = b"%s %d\0%s" % (kind.encode(), len(content), content)
    return hashlib.new(object_format, framed, usedforsecurity=False).hexdigest()


def id_of_pieces(object_format: str, size: int, pieces: Iterable[bytes]) -> str:
    """The id of a blob of so many bytes that comes in pieces; that of no object when it is more, or less."""
    digest = hashlib.new(object_format, b"blob %d\0" % size, usedforsecurity=False)
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()
