"""Collect what the next look at a repository is for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

SHAPING = (".gitignore", ".gitattributes", ".gitmodules")
"""Files that change what other files mean."""


@dataclass(slots=True)
class Pending:
    """Collects what the next look is for: worktrees by their keys, paths inside them.

    `finished` says that something is ready on another thread: a whole worktree that was read, a size, a proof.
    """

    everything: bool = True
    refs: bool = False
    settings: bool = False
    whole: set[str] = field(default_factory=set)
    rescans: set[str] = field(default_factory=set)
    paths: dict[str, set[str]] = field(default_factory=dict)
    unsaved: bool = False
    finished: bool = False

    def __bool__(self) -> bool:
        return bool(
            self.everything or self.refs or self.whole or self.rescans or self.paths or self.unsaved or self.finished
        )

    def reshaped(self) -> Iterator[str]:
        """Give the keys of the worktrees in which a file changed that says what is ignored."""
        return (key for key, paths in self.paths.items() if shapes(paths))


def shapes(paths: Iterable[str]) -> bool:
    """Tell whether one of these files says what other files mean."""
    return any(path.rpartition("/")[2] in SHAPING for path in paths)
