"""Say what a guard is to whoever has a session, wherever it runs."""

from __future__ import annotations

from typing import Protocol


class Keeper(Protocol):
    """Keeps the states of the worktrees beside a session; told of saves, and closed before it."""

    def saved(self, path: str) -> None:
        """Note that an editor has just written a file (absolute path)."""

    def close(self) -> None:
        """Keep no more; closing twice is fine."""
