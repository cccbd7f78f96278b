"""Define what is known of operations that are over: receipts, and what they tell of merges into trunk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Receipt:
    """One record: `what` is merge, release, vanished or wiped, and in a list of states `state`.

    `id` names it in commands. `branch` is short, None when detached; `time` in seconds since 1970. `bytes` is what it
    keeps on the disk, `facts` what its own kind of operation needs to take it back; whoever reads them checks them
    first.
    """

    id: str
    what: str
    worktree: str
    branch: str | None
    time: float
    bytes: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def deed(self) -> str:
        """Say what happened to the worktree."""
        return "merged" if self.what == "merge" else "released" if self.what == "release" else self.what


@dataclass(frozen=True, slots=True)
class Landing:
    """A merge into trunk that the sidecar made, from its receipt: trunk's commits, and whether it was taken back."""

    id: str
    worktree: str
    branch: str | None
    time: float
    before: str
    after: str
    strategy: str
    taken_back: bool
