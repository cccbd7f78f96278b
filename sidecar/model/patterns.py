"""Hold paths against the patterns of settings (`sidecar.disposable`, `sidecar.generated`)."""

from __future__ import annotations

import fnmatch

from sidecar.model.changes import ancestors


def is_named(path: str, pattern: str, *, directory: bool) -> bool:
    """Tell whether a pattern names this path, relative to its worktree.

    A pattern without a slash is held against the last part, one with a slash against the whole path; a slash at its
    end means directories only. Wildcards are those of fnmatch(3).
    """
    if pattern.endswith("/") and not directory:
        return False
    held = path if "/" in pattern.rstrip("/") else path.rpartition("/")[2]
    return fnmatch.fnmatchcase(held, pattern.strip("/"))


def is_file_named(path: str, pattern: str) -> bool:
    """Tell whether a pattern names a file, or a directory that it lies in."""
    return is_named(path, pattern, directory=False) or any(
        is_named(above, pattern, directory=True) for above in ancestors(path)
    )
