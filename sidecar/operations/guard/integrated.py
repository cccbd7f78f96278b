"""Notice that the work of a worktree has come into trunk, unless by the sidecar itself: who asked for that was told.

Only what comes while somebody looks is noticed, not what was in trunk before, or is merely proved to be a moment later.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sidecar.model.picture import Picture, WorktreeState, has_trunk
from sidecar.operations.records import list_receipts

_Commits = tuple[str, str | None]
"""Trunk's commit, and the worktree's."""


@dataclass(frozen=True, slots=True)
class Integrated:
    """A worktree whose work is in trunk since a moment ago: its path, its name, and trunk's branch."""

    path: str
    name: str
    trunk: str


@dataclass(slots=True)
class Integrations:
    """What was known of each worktree, by its path: of which commits it was seen first, and whether it is in trunk.

    `told` are the worktrees, by path and HEAD, that need no telling any more.
    """

    first: dict[str, _Commits] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)
    told: set[tuple[str, str | None]] = field(default_factory=set)

    def news(self, picture: Picture) -> list[WorktreeState]:
        """Give the worktrees whose work has come into trunk since the last Picture; each once for a HEAD."""
        if picture.trunk is None or picture.trunk.commit is None:
            return []
        found = []
        linked = [one for one in picture.worktrees if not (one.worktree.main or one.worktree.missing)]
        states = {one.worktree.key: one for one in linked if not has_trunk(picture, one.worktree)}
        for key, state in states.items():
            at = picture.trunk.commit, state.worktree.head
            if state.integration.state != "integrated":
                self.first.setdefault(key, at)
                self.outside.add(key)
                continue
            is_new = key in self.outside and self.first[key] != at and (key, state.worktree.head) not in self.told
            self.first.setdefault(key, at)
            self.outside.discard(key)
            self.told.add((key, state.worktree.head))
            if is_new:
                found.append(state)
        for key in self.first.keys() - states.keys():
            del self.first[key]
            self.outside.discard(key)
        return found


def without_merged(sidecar_dir: Path, picture: Picture, states: list[WorktreeState]) -> list[Integrated]:
    """Leave out what the sidecar has merged, by its receipts, and what has gone on or gone since.

    The caller holds the lock, so that each receipt is written.
    """
    trunk = picture.trunk
    if trunk is None:
        return []
    now = {(one.worktree.key, one.worktree.head): one.integration.state for one in picture.worktrees}
    merges = [one.facts for one in list_receipts(sidecar_dir) if one.what == "merge"]
    here = [facts for facts in merges if facts.get("after") == trunk.commit]
    ours = {(facts.get("path"), facts.get("head")) for facts in merges} | {(one.get("path"), None) for one in here}
    return [
        Integrated(one.worktree.key, one.worktree.name, trunk.branch)
        for one in states
        if now.get((one.worktree.key, one.worktree.head)) == "integrated"
        and not {(one.worktree.key, one.worktree.head), (one.worktree.key, None)} & ours
    ]
