"""Say what a person can tell an agent that works in a worktree: where, and what to fit in with. Facts, no orders."""

from __future__ import annotations

from sidecar.model.messages import called, lines
from sidecar.model.picture import Picture, WorktreeState
from sidecar.model.words import counted, escape, shown

MOST_FILES = 8
"""How many files are named."""


def agent_sentence(picture: Picture, state: WorktreeState) -> str:
    """Say where the worktree is, and which of its files conflict with whom; one paragraph to be pasted."""
    worktree = state.worktree
    on = f", on the branch {shown(worktree.branch)}" if worktree.branch is not None else ""
    said = [f"Your worktree is {escape(worktree.key)}{on}. Work only there."]
    met: dict[str, list[str]] = {}
    for overlap in picture.overlaps:
        for mine, other in (overlap.sides, overlap.sides[::-1]):
            if overlap.verdict == "conflict" and mine.key == worktree.key:
                where = f" in {lines(mine.regions)}" if mine.regions else ""
                met.setdefault(mine.path, []).append(f"with {called(other)}{where}")
    if met:
        files = [f"{shown(path)} ({', '.join(others)})" for path, others in sorted(met.items())]
        more = f"; and {counted(len(files) - MOST_FILES, 'more file', 'more files')}" if len(files) > MOST_FILES else ""
        said.append(f"These files conflict with what others have changed: {'; '.join(files[:MOST_FILES])}{more}.")
    said.append("`sidecar check PATH` says who else has changed a file, and `sidecar overlaps` shows all.")
    return " ".join(said)
