"""What a build makes and can make again, told by its marks and names."""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Sequence

from sidecar.git.files import read_regular
from sidecar.git.inventory.listing import Item

CACHE_SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55"
"""How a CACHEDIR.TAG begins (the Cache Directory Tagging Specification)."""

MOST_TAG_BYTES = 1 << 20


def usable_patterns(patterns: Sequence[str]) -> tuple[str, ...]:
    """Those that name something, and node_modules; one of wildcards alone would make everything build output."""
    return ("node_modules/", *(pattern for pattern in patterns if pattern.strip("*?/.[]! ")))


def is_named_output(path: str, patterns: Sequence[str], *, directory: bool) -> bool:
    """Whether a pattern of `sidecar.disposable` names this path, relative to its worktree.

    A pattern without a slash is held against the last part, one with a slash against the whole path; a slash at its
    end means directories only. Wildcards are those of fnmatch(3).
    """
    name = path.rpartition("/")[2]
    for pattern in patterns:
        if pattern.endswith("/") and not directory:
            continue
        bare = pattern.strip("/")
        if fnmatch.fnmatchcase(path if "/" in pattern.rstrip("/") else name, bare):
            return True
    return False


def is_marked_output(root: str, items: Sequence[Item]) -> bool:
    """Whether a directory with these items says of itself that it is a cache or a virtual environment."""
    by_name = {item.name: item for item in items if item.name in ("CACHEDIR.TAG", "pyvenv.cfg", "bin", "Scripts")}
    tag = by_name.get("CACHEDIR.TAG")
    if tag is not None and tag.is_regular and _is_signed(os.path.join(root, tag.path)):
        return True
    programs = by_name.get("bin") or by_name.get("Scripts")
    settings = by_name.get("pyvenv.cfg")
    return settings is not None and settings.is_regular and programs is not None and programs.is_directory


def _is_signed(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode) and read_regular(path, MOST_TAG_BYTES).startswith(CACHE_SIGNATURE)
    except OSError:
        return False
