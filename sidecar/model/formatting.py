"""Know two texts that a formatter has laid out in different ways."""

from __future__ import annotations

import re
from collections.abc import Iterable


def differ_by_format(one: Iterable[bytes], two: Iterable[bytes]) -> bool:
    """Tell whether two texts differ only in white space, and in brackets around what a formatter wraps."""
    texts = [*one], [*two]
    if any(line.rstrip().endswith((b"(", b"[", b"{")) for lines in texts for line in lines):
        return _unwrapped(texts[0]) == _unwrapped(texts[1])
    return b"".join(b"".join(texts[0]).split()) == b"".join(b"".join(texts[1]).split())


def _unwrapped(lines: Iterable[bytes]) -> bytes:
    """Give a text without white space, without round brackets, and without commas before what closes."""
    return re.sub(rb",(?=[\])}]|$)|[()]", b"", b"".join(b"".join(lines).split()))
