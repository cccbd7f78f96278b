"""Full object ids, of SHA-1 or SHA-256, as git writes them."""

from __future__ import annotations

import re

_OBJECT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_IN_TEXT = re.compile(rb"(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{40})(?![0-9a-f])")


def is_object_id(text: str) -> bool:
    """Whether a text is an object id, and nothing else."""
    return _OBJECT_ID.fullmatch(text) is not None


def object_ids_in(text: bytes) -> list[str]:
    """Whatever in a text looks like an object id, in its order; the null id left out."""
    return [oid.decode("ascii") for oid in _IN_TEXT.findall(text) if oid.strip(b"0")]
