"""Say which unsaved text of an editor stands in the way of an operation: an operation sees only what is on disk."""

from __future__ import annotations

from collections.abc import Collection

from sidecar.model.findings import Finding, finding
from sidecar.model.picture import Picture, Worktree, has_trunk
from sidecar.model.words import shown

Unsaved = Collection[tuple[str, str]]
"""Files with unsaved text: the key of the worktree, and the path in it."""


def unsaved_for_merge(picture: Picture | None, unsaved: Unsaved, key: str) -> tuple[Finding, ...]:
    """Find what is unsaved in the worktree `key`, and of the files in trunk's checkouts that merging it would write."""
    states = picture.worktrees if picture is not None else ()
    merged = next((state for state in states if state.worktree.key == key), None)
    if picture is None or merged is None:
        return ()
    touched = merged.changes.touched if merged.changes is not None else {}
    trunk = [state.worktree for state in states if has_trunk(picture, state.worktree)]
    in_trunk = (found for one in trunk for found in unsaved_in(one, unsaved, touched))
    return (*unsaved_in(merged.worktree, unsaved), *in_trunk)


def unsaved_for_update(
    picture: Picture | None, unsaved: Unsaved, worktree: Worktree, other: str
) -> tuple[Finding, ...]:
    """Find what is unsaved of the files in a worktree that the other side (its key) has changed too."""
    pairs = [overlap.sides for overlap in picture.overlaps] if picture is not None else []
    met = [side.path for pair in pairs if {side.key for side in pair} == {other, worktree.key} for side in pair]
    return unsaved_in(worktree, unsaved, met)


def unsaved_in(worktree: Worktree, unsaved: Unsaved, among: Collection[str] | None = None) -> tuple[Finding, ...]:
    """Find what is unsaved in a worktree, only of the paths `among` where they are given."""
    found = (path for key, path in unsaved if key == worktree.key)
    paths = tuple(sorted(path for path in found if among is None or path in among))
    if not paths:
        return ()
    what = f"{shown(paths[0])} is" if len(paths) == 1 else f"{shown(paths[0])} and {len(paths) - 1} more are"
    return (finding("unsaved", f"{what} not saved in {shown(worktree.name)}. Save first.", paths),)
