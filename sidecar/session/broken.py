"""Add to a Picture what merges of its worktrees break, which is found beside the session (`sidecar.check`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sidecar.model.picture import Broken, Picture, WorktreeState


def with_broken(picture: Picture, found: Mapping[str, tuple[Broken, ...]]) -> Picture:
    """Add what was found, by the keys of worktrees, in files that are as they were when it was tried."""
    if not found:
        return picture
    return replace(picture, worktrees=tuple(_with(state, found) for state in picture.worktrees))


def _with(state: WorktreeState, found: Mapping[str, tuple[Broken, ...]]) -> WorktreeState:
    return replace(state, broken=tuple(one for one in found.get(state.worktree.key, ()) if _is_as_tried(state, one)))


def _is_as_tried(state: WorktreeState, broken: Broken) -> bool:
    if state.changes is None:
        return False
    change = state.changes.touched.get(broken.path)
    return change.after == broken.entry if change is not None else state.changes.base == broken.base
