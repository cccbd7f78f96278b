"""Which git this is, and whether it is new enough."""

from __future__ import annotations

import re

from sidecar.git.process import GitError, Place, run
from sidecar.model.findings import Failure

OLDEST = (2, 38)
"""The first git with `merge-tree --write-tree`."""

BATCHED_MERGES = (2, 39)
"""The first git with `merge-tree --stdin`."""


def git_version() -> tuple[int, ...] | Failure:
    """The version of the git on PATH, or why it can't be used."""
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
