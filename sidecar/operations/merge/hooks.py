"""Which hooks run where a merge is made aside: those that `git merge` runs in trunk's checkout, each of them once."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from sidecar.git.config import Config, read_config
from sidecar.git.repository import Repository
from sidecar.model.picture import Worktree

WHEN_LANDED = "post-merge"
"""The hook that waits for trunk's checkout, where there is something for it to act on (githooks(5))."""


def hook_options(repository: Repository, checkout: Worktree | None, aside: Worktree) -> tuple[str, ...]:
    """What git is told in a temporary worktree, so that it runs the hooks of trunk's checkout; GitError, OSError.

    A relative core.hooksPath leads from the worktree that git runs in (git-config(1)), and of what is not tracked
    there is nothing in a temporary one. Without a checkout git does as it is configured.
    """
    if checkout is None:
        return ()
    folder = _hooks_folder(repository, read_config(repository.inside(checkout)), checkout)
    if folder is None or not os.path.isdir(folder):
        return ()
    if _is_hook(os.path.join(folder, WHEN_LANDED)):
        folder = _all_but_one(folder, os.path.join(aside.git_dir, "sidecar-hooks"))
    elif folder == _hooks_folder(repository, repository.config, aside):
        return ()
    return ("-c", f"core.hooksPath={folder}")


def _hooks_folder(repository: Repository, config: Config, worktree: Worktree) -> str | None:
    """Where git looks for hooks when it runs in a worktree; None where it is told to look nowhere."""
    named = config.get("core.hookspath")
    if named is None:
        return os.path.join(repository.common_dir, "hooks")
    return os.path.join(worktree.key, os.path.expanduser(named)) if named else None


def _is_hook(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _all_but_one(folder: str, beside: str) -> str:
    """A folder that has every hook but the one that waits; each is run from where it is, with what lies beside it."""
    try:
        names = os.listdir(folder)
    except OSError:
        return folder  # git needs only to know a hook's name
    os.mkdir(beside, 0o700)
    for name in names:
        path = os.path.join(folder, name)
        if name != WHEN_LANDED and not name.endswith(".sample") and _is_hook(path):
            hook = Path(beside, name)
            hook.write_bytes(os.fsencode(f'#!/bin/sh\nexec {shlex.quote(path)} "$@"\n'))
            hook.chmod(0o700)
            if not _is_hook(str(hook)):
                return folder  # nothing can be run from there: twice is better than never
    return beside
