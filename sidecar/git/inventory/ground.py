"""The places from which a checked-out repository is asked, so that its own tricks take no part."""

from __future__ import annotations

import os
from dataclasses import dataclass

from sidecar.git.config import Config, read_config, silenced_programs
from sidecar.git.process import Place, configured, run
from sidecar.git.repository import Repository
from sidecar.model.picture import Worktree

PLAIN = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_GRAFT_FILE": os.devnull}
"""History as it is stored: neither refs/replace nor grafts, nor a commit graph, may make a commit look reachable."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A checked-out repository: the worktree itself, or a submodule in it.

    `root` is absolute; `prefix` is where it lies in the worktree, '' or with a slash at its end. `place` runs no
    filter; `filtering` runs the person's own filters, and where trusted the repository's; `silent` runs none at all.
    """

    root: str
    prefix: str
    common_dir: str
    object_format: str
    config: Config
    trusted: bool
    place: Place
    filtering: Place
    silent: Place

    def own(self, path: str) -> str:
        """A path of the worktree as this repository names it."""
        return path[len(self.prefix) :]


def ground_of_worktree(repository: Repository, worktree: Worktree) -> Ground:
    """The ground that a linked worktree is; GitError when its configuration can't be read."""
    place = repository.inside(worktree).plus(**PLAIN)
    return _ground(place, worktree.key, "", repository.common_dir, repository.object_format, repository.trusted)


def ground_of_nested(root: str, prefix: str, git_dir: str, *, trusted: bool) -> Ground:
    """The ground of a repository whose git directory is known and no link; GitError when it is none."""
    place = Place(root, {"GIT_DIR": git_dir, "GIT_WORK_TREE": root}).plus(**PLAIN)
    object_format = run(place, "rev-parse", "--show-object-format").decode("ascii").strip()
    return _ground(place, root, prefix, git_dir, object_format, trusted)


def _ground(place: Place, root: str, prefix: str, common_dir: str, object_format: str, trusted: bool) -> Ground:
    config = read_config(place)
    asked = [("core.commitGraph", "false"), *_promises_broken(config)]
    programs = {key: "false" if key.endswith(".required") else "" for _, key, _ in config.pairs if _is_filter(key)}
    return Ground(
        root,
        prefix,
        common_dir,
        object_format,
        config,
        trusted,
        place.plus(**configured(asked)),
        place.plus(**configured([*asked, *silenced_programs(config, trusted)])),
        place.plus(**configured([*asked, *programs.items()])),
    )


def _promises_broken(config: Config) -> list[tuple[str, str]]:
    """Pairs under which a partial clone fetches nothing: what is not here is not here."""
    return [(key, "false") for key in dict.fromkeys(key for _, key, _ in config.pairs) if key.endswith(".promisor")]


def _is_filter(key: str) -> bool:
    return key.startswith("filter.") and key.endswith((".clean", ".smudge", ".process", ".required"))


def unasked_filters(ground: Ground) -> frozenset[str]:
    """Names of filters that only an untrusted repository defines, so that nobody can say what they would do."""
    if ground.trusted:
        return frozenset()
    scopes: dict[str, set[str]] = {}
    for scope, key, _ in ground.config.pairs:
        if _is_filter(key):
            scopes.setdefault(key.removeprefix("filter.").rpartition(".")[0], set()).add(scope)
    return frozenset(name for name, where in scopes.items() if where <= {"local", "worktree"})
