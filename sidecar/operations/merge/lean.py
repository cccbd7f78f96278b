"""When a merge needs no files on disk: git makes the same commit without laying out the whole of trunk."""

from __future__ import annotations

import os

from sidecar.git.config import REPOSITORY_SCOPES
from sidecar.git.repository import Repository

LAID_OUT = ".gitattributes\n"
"""What is laid out all the same, in every directory: git's merge reads it from the working tree (gitattributes(5))."""

ASIDE = ("-c", "core.fsmonitor=false", "-c", "submodule.recurse=false")
"""Told to git for every temporary worktree: nothing is to watch it, and submodules are not laid out there."""

LEAN = (*ASIDE, "-c", "core.sparseCheckout=true", "-c", "core.sparseCheckoutCone=false", "-c", "index.sparse=false")
"""Told to git for the temporary worktree only (git-sparse-checkout(1), non-cone patterns)."""

ELSEWHERE = frozenset(
    {"pre-push", "pre-receive", "update", "post-receive", "post-update", "push-to-checkout", "proc-receive"}
)
"""Hooks that no merge runs (githooks(5))."""


def is_lean(repository: Repository, verify: str) -> bool:
    """Whether nothing of the person's takes part that may read files: no verify, hook, driver or filter of its own."""
    if verify.strip() or repository.config.get("core.hookspath") is not None:
        return False
    for scope, key, _ in repository.config.pairs:
        if key.startswith("merge.") and key.endswith(".driver"):
            return False
        if scope in REPOSITORY_SCOPES and key.startswith("filter."):
            return False
    return not _has_hooks(os.path.join(repository.common_dir, "hooks"))


def _has_hooks(folder: str) -> bool:
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return any(
        not name.endswith(".sample") and name not in ELSEWHERE and os.access(os.path.join(folder, name), os.X_OK)
        for name in names
    )
