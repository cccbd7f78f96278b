"""Say which tool will delete a worktree by itself, work or not: each cleans up below a folder of its own.

What the tools document of it, and what was reported of them, as of November 2026.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from sidecar.model.picture import WorktreeState
from sidecar.model.words import escape


@dataclass(frozen=True, slots=True)
class Sweeper:
    """A tool that deletes worktrees: `places` is how their paths look, `when` completes "it deletes one"."""

    tool: str
    places: re.Pattern[str]
    when: str


SWEEPERS = (
    Sweeper("Cursor", re.compile(r"/\.cursor/worktrees/"), "once there are 25 newer ones, of all repositories"),
    Sweeper("Codex", re.compile(r"/\.codex/worktrees/"), "once there are 15 newer ones, unless it is pinned"),
    Sweeper("Claude Code", re.compile(r"/\.claude/worktrees/"), "when its session is deleted"),
    Sweeper("VS Code", re.compile(r"\.worktrees/agents-[^/]+$"), "when its session is archived"),
)
"""Who deletes also worktrees whose work is not in trunk. Codex's folder can be set elsewhere, and is not found then."""


def sweeper_of(path: str) -> Sweeper | None:
    """Find who deletes worktrees where this path is."""
    return next((one for one in SWEEPERS if one.places.search(path)), None)


def find_sweeper(state: WorktreeState) -> Sweeper | None:
    """Find who will delete a worktree that has work which is not in trunk, and that nobody has locked."""
    worktree = state.worktree
    if state.integration.state != "not-integrated" or worktree.main or worktree.locked is not None:
        return None
    return sweeper_of(worktree.key)


def sweep_sentence(sweeper: Sweeper, name: str) -> str:
    """Say who deletes the worktree of that name, when, and what keeps it."""
    return f"{sweeper.tool} will delete this one {sweeper.when}. To keep it: sidecar keep {escape(shlex.quote(name))}"
