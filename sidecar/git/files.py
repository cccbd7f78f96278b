"""Small files of git's own, read without ever waiting or following somebody's trick."""

from __future__ import annotations

import os
import stat

MOST_BYTES = 64 * 1024


def read_small(path: str) -> bytes:
    """The content of a small regular file; OSError for anything else (a FIFO would block, a link lead away)."""
    status = os.lstat(path)
    if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_BYTES:
        raise OSError(0, "not a small regular file", path)
    with open(path, "rb") as file:
        return file.read(MOST_BYTES)
