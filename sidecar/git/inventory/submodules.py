"""Submodules of a worktree, whose git directories lie in the worktree's own administrative directory."""

from __future__ import annotations

import os
from dataclasses import dataclass

from sidecar.git.files import read_small
from sidecar.git.inventory.ground import Ground, ground_of_nested
from sidecar.git.inventory.listing import Item
from sidecar.git.inventory.nested import linked_git_dir, meet_repository
from sidecar.git.inventory.ownership import commits_of_its_own, head_of
from sidecar.git.inventory.scope import Scope, look, measure
from sidecar.git.process import GitError


@dataclass(frozen=True, slots=True)
class Submodule:
    """A submodule that is checked out, with its HEAD."""

    ground: Ground
    head: str | None


def open_submodule(scope: Scope, item: Item, *, trusted: bool) -> Submodule | None:
    """The submodule in a directory; None, with a note of what is there, when none is checked out.

    A git directory of its own counts for its commits here; one in the administrative directory is counted there.
    """
    items = look(scope, item) or []
    if not items:
        return None
    dot = next((one for one in items if one.name == ".git"), None)
    if dot is None:
        scope.found.submodule_changes += [one.path for one in items]
        measure(scope, item, kept=True)
        return None
    git_dir = scope.full(dot.path) if dot.is_directory else linked_git_dir(scope, dot)
    allowed = dot.is_directory or (
        git_dir is not None and any(git_dir.startswith(folder + "/") for folder in scope.modules)
    )
    if git_dir is None or not allowed:
        meet_repository(scope, item, items)
        measure(scope, item, kept=True)
        return None
    try:
        ground = ground_of_nested(scope.full(item.path), item.path + "/", git_dir, trusted=trusted)
        opened = Submodule(ground, head_of(ground))
        if dot.is_directory and (own := commits_of_its_own(ground, git_dir)):
            scope.found.submodule_commits.append((item.path, len(own)))
    except (GitError, OSError):
        scope.found.unreadable.append(item.path)
        measure(scope, item, kept=True)
        return None
    return opened


def is_submodule_moved(submodule: Submodule, recorded: str) -> bool:
    """Whether another commit is checked out than the index names."""
    return submodule.head != recorded


def own_modules(scope: Scope, administrative: str) -> None:
    """Note every submodule of which this worktree's own git directories hold commits that nobody else has."""
    modules = os.path.join(administrative, "modules")
    for here, names, files in os.walk(modules):
        if not ("HEAD" in files and {"objects", "refs"} <= set(names)):
            continue
        names[:] = [name for name in names if name == "modules"]
        named = os.path.relpath(here, modules)
        shared = os.path.join(scope.common_dir, "modules", named)
        where = _checkout_of(scope, here) or named
        try:
            ground = ground_of_nested(here, "", here, trusted=False)
            own = commits_of_its_own(ground, here, shared if os.path.isdir(shared) else None)
        except (GitError, OSError):
            scope.found.unreadable.append(where)
            continue
        if own:
            scope.found.submodule_commits.append((where, len(own)))


def _checkout_of(scope: Scope, git_dir: str) -> str | None:
    """The directory of a submodule in the worktree, by its own `core.worktree`."""
    try:
        text = read_small(os.path.join(git_dir, "config"))
    except OSError:
        return None
    for line in text.splitlines():
        name, equals, value = line.strip().partition(b"=")
        if equals and name.strip() == b"worktree":
            place = os.path.realpath(os.path.join(git_dir, os.fsdecode(value.strip().strip(b'"'))))
            if place.startswith(scope.root + "/"):
                return os.path.relpath(place, scope.root)
    return None
