"""Pictures as tests ask for them."""

from pathlib import Path

from sidecar.model.changes import Change
from sidecar.model.findings import Failure
from sidecar.model.overlaps import Overlap
from sidecar.model.picture import Picture, WorktreeState


def pictured(seen: Picture | Failure) -> Picture:
    """The Picture, which must be there."""
    assert not isinstance(seen, Failure), seen
    return seen


def state_of(picture: Picture, worktree: Path | str) -> WorktreeState:
    """The state of the worktree with this path or name."""
    wanted = str(worktree)
    (found,) = [state for state in picture.worktrees if wanted in (state.worktree.key, state.worktree.name)]
    return found


def changes_of(picture: Picture, worktree: Path | str) -> dict[str, Change]:
    """What that worktree changed, by path; it must be readable."""
    state = state_of(picture, worktree)
    assert state.changes is not None, state
    return dict(state.changes.changes)


def sources_of(picture: Picture, worktree: Path | str) -> dict[str, tuple[str, ...]]:
    """How each change of that worktree is present."""
    return {path: change.sources for path, change in changes_of(picture, worktree).items()}


def shown(overlap: Overlap) -> str:
    """An overlap in a few words."""
    sides = " | ".join(
        f"{side.name or side.key or 'trunk'}:{side.path}:"
        + ",".join(f"{region.start}-{region.end}" for region in side.regions)
        for side in overlap.sides
    )
    return f"{overlap.verdict} {overlap.kind} {overlap.path} {sides}"


def overlaps_of(picture: Picture) -> list[str]:
    """All overlaps, in a few words each."""
    return [shown(overlap) for overlap in picture.overlaps]
