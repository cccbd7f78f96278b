"""Other repositories and worktrees inside: what they are, and whether build output holds work in one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal

from sidecar.git.blobs import id_of
from sidecar.git.files import read_small
from sidecar.git.inventory.content import blob_id
from sidecar.git.inventory.ground import Ground, ground_of_nested
from sidecar.git.inventory.index import read_index, staged_paths
from sidecar.git.inventory.listing import Item
from sidecar.git.inventory.ownership import commits_of_its_own, head_of
from sidecar.git.inventory.scope import Scope
from sidecar.git.process import GitError
from sidecar.model.changes import EXECUTABLE, FILE, SYMLINK
from sidecar.model.inventory import Nested

BARE = {"HEAD": False, "objects": True, "refs": True}
"""What makes a directory a git directory (gitrepository-layout(5)): names, and whether they are directories."""


def nested_kind(items: Sequence[Item]) -> Literal["bare", "linked"] | None:
    """How a directory with these items would be a repository of its own; None when it is none.

    Anything called `.git` counts, since git does not look at what lies beside one.
    """
    found = 0
    for item in items:
        if item.name == ".git":
            return "linked"
        if item.name in BARE and item.is_directory == BARE[item.name]:
            found += 1
    return "bare" if found == len(BARE) else None


def meet_repository(scope: Scope, directory: Item, items: Sequence[Item]) -> None:
    """Note it, as a worktree where its `.git` file leads to an administrative directory."""
    scope.found.nested.append(Nested(directory.path, "worktree" if _is_worktree(scope, items) else "repository"))


def linked_git_dir(scope: Scope, link: Item) -> str | None:
    """Where a `.git` file points, as a real absolute path; None when it is not one."""
    full = scope.full(link.path)
    try:
        said = read_small(full) if link.is_regular else b""
    except OSError:
        return None
    if not said.startswith(b"gitdir:"):
        return None
    return os.path.realpath(os.path.join(os.path.dirname(full), os.fsdecode(said.removeprefix(b"gitdir:").strip())))


def _is_worktree(scope: Scope, items: Sequence[Item]) -> bool:
    link = next((item for item in items if item.name == ".git"), None)
    pointed = linked_git_dir(scope, link) if link is not None else None
    return pointed is not None and os.path.isfile(os.path.join(pointed, "commondir"))


def has_own_work(scope: Scope, directory: Item, items: Sequence[Item]) -> bool:
    """Whether a repository in build output has commits that its remotes lack, or edits. In doubt it has."""
    dot = next((item for item in items if item.name == ".git"), None)
    if dot is None:
        git_dir = scope.full(directory.path)
    elif dot.is_directory:
        git_dir = scope.full(dot.path)
    else:
        return True
    try:
        ground = ground_of_nested(scope.full(directory.path), "", git_dir, trusted=False)
        if commits_of_its_own(ground, git_dir):
            return True
        return dot is not None and _is_edited(ground, scope)
    except (GitError, OSError, ValueError):
        return True


def _is_edited(ground: Ground, scope: Scope) -> bool:
    """Whether a tracked file, or the index, is not as in HEAD."""
    index = read_index(ground.place)
    if index.conflicted or staged_paths(ground.place, index, head_of(ground)):
        return True
    for path, tracked in index.entries.items():
        full = os.path.join(ground.root, path)
        mode = tracked.entry.mode
        try:
            item = Item(path, os.lstat(full))
        except FileNotFoundError:
            continue
        if item.is_link and mode == SYMLINK:
            oid = id_of(ground.object_format, os.fsencode(os.readlink(full)))
        elif item.is_regular and mode in (FILE, EXECUTABLE):
            oid = blob_id(full, item.status, ground.object_format, scope.watching)
        else:
            continue
        if oid != tracked.entry.oid:
            return True
    return False
