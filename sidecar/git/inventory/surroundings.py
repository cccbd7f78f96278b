"""What outside a worktree leads into it, or would be touched when its branch goes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from sidecar.git.inventory.ground import Ground
from sidecar.git.inventory.ownership import lines_of
from sidecar.git.process import run
from sidecar.git.unfinished import branches_held
from sidecar.model.picture import Worktree

HARMLESS = frozenset({"safe.directory", "gui.recentrepo", "maintenance.repo", "scalar.repo", "sidecar.trusted"})
"""Settings that list places; one that is gone does no harm."""

RELATIVE = re.compile(r"include\.path|includeif\..*\.path|core\.worktree|core\.excludesfile|core\.attributesfile")
"""Settings whose relative values are below the directory of the configuration file (git-config(1))."""


def pointers_into(ground: Ground, folder: str) -> Iterator[tuple[str, str]]:
    """(where it stands, value) of configuration values and alternates that lead into a folder (absolute, real)."""
    for scope, key, value in ground.config.pairs:
        if scope != "worktree" and key not in HARMLESS and _leads_into(ground.common_dir, key, value, folder):
            yield key, value
    objects = os.path.join(ground.common_dir, "objects")
    for line in lines_of(os.path.join(objects, "info", "alternates")):
        named = os.fsdecode(line.rstrip(b"\n")).strip('"')
        if named and not named.startswith("#") and _is_in(os.path.realpath(os.path.join(objects, named)), folder):
            yield "objects/info/alternates", named


def _leads_into(common_dir: str, key: str, value: str, folder: str) -> bool:
    if re.search(r"(?:^|[\s\"'=:;(!]|//)" + re.escape(folder) + r"(?![^/\s\"';:)])", value):
        return True
    if value.startswith(("/", "~/")):
        return "\0" not in value and _is_in(os.path.realpath(Path(value).expanduser()), folder)
    if RELATIVE.fullmatch(key) and "\0" not in value:
        return _is_in(os.path.realpath(os.path.join(common_dir, value)), folder)
    return False


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def stashes_of(ground: Ground, branch: str | None) -> tuple[str, ...]:
    """The messages of stash entries that were made on a branch (git-stash(1)), newest first."""
    if branch is None or not run(ground.place, "for-each-ref", "--count=1", "refs/stash"):
        return ()
    said = run(ground.place, "log", "-g", "-z", "--no-show-signature", "--format=%gs", "refs/stash", "--")
    messages = (message.decode("utf-8", "replace") for message in said.split(b"\0"))
    return tuple(message for message in messages if message.startswith((f"WIP on {branch}:", f"On {branch}:")))


def users_of_branch(worktrees: Sequence[Worktree], own: Worktree, branch: str | None) -> tuple[str, ...]:
    """The names of other worktrees that have a branch checked out, or are rebasing or bisecting it."""
    if branch is None:
        return ()
    others = [worktree for worktree in worktrees if worktree.key != own.key]
    return tuple(
        sorted(worktree.name for worktree in others if branch in (worktree.branch, *branches_held(worktree.git_dir)))
    )
