"""Which git this is, and whether it is new enough."""

from __future__ import annotations

import os
import re
import shutil

from sidecar.git.process import GitError, Place, run
from sidecar.model.findings import Failure

OLDEST = (2, 38)
"""The first git with `merge-tree --write-tree`."""

BATCHED_MERGES = (2, 39)
"""The first git with `merge-tree --stdin`."""


_known: dict[tuple[object, ...], tuple[int, ...]] = {}
"""The version of the git that was asked last, by what tells its file from every other."""


def git_version() -> tuple[int, ...] | Failure:
    """The version of the git on PATH, or why it can't be used; one that can is asked once."""
    file = _file_on_path()
    if file is not None and (known := _known.get(file)) is not None:
        return known
    version = _ask()
    if file is not None and not isinstance(version, Failure):
        _known.clear()
        _known[file] = version
    return version


def _file_on_path() -> tuple[object, ...] | None:
    found = shutil.which("git")
    if found is None:
        return None
    try:
        status = os.stat(found)
    except OSError:
        return None
    return found, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _ask() -> tuple[int, ...] | Failure:
    try:
        said = run(Place("/"), "version").decode("ascii", "replace")
    except GitError as error:
        return Failure("git-missing", error.message)
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", said)
    if found is None:
        return Failure("git-missing", f"git does not say its version, but: {said.strip()}")
    version = tuple(int(part) for part in found.groups() if part is not None)
    if version < OLDEST:
        shown = ".".join(map(str, version))
        return Failure("git-too-old", f"git {shown} is too old. Install git 2.38 or newer.")
    return version
