"""The quick fixes that merge, and that let go of what is merged."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol.types import Command

from sidecar.lsp.compare import worktree_name
from sidecar.lsp.scene import Scene, Sight, has_trunk
from sidecar.model.messages import called, shown
from sidecar.model.overlaps import Side
from sidecar.model.picture import TRUNK_KEY

MERGE, UPDATE, RELEASE, MOVE = "sidecar.merge", "sidecar.update", "sidecar.release", "sidecar.move"


def merge_fixes(scene: Scene, sight: Sight) -> Iterator[Command]:
    """What merging can do about an overlap; a conflict with trunk is resolved here first."""
    if sight.other.key != TRUNK_KEY and is_integrated(scene, sight.other.key):
        name = worktree_name(scene, sight.other)
        yield Command(f"Release {called(sight.other)}", RELEASE, arguments=[{"worktree": name}])
    meets_trunk = sight.other.key == TRUNK_KEY
    merged = sight.mine if meets_trunk else sight.other
    fixes = []
    if _can_be_merged(scene, merged):
        name = worktree_name(scene, merged)
        fixes.append(Command(f"Merge {called(merged)} into trunk", MERGE, arguments=[{"worktree": name}]))
    if _can_be_merged(scene, sight.mine):
        name = worktree_name(scene, sight.mine)
        fixes.append(Command("Merge trunk into this worktree", UPDATE, arguments=[{"worktree": name}]))
    yield from reversed(fixes) if meets_trunk and sight.overlap.verdict == "conflict" else fixes


def move_fix(scene: Scene) -> Command:
    """What can be done about edits on trunk itself."""
    picture = scene.snapshot.picture
    branch = shown(picture.trunk.branch) if picture.trunk is not None else "trunk"
    title = f"Move these edits off {branch} into a new worktree"
    return Command(title, MOVE, arguments=[{"repository": picture.repository}])


def is_integrated(scene: Scene, key: str) -> bool:
    """Whether a linked worktree's work is in trunk, so that it can be let go of."""
    return any(
        state.worktree.key == key and not state.worktree.main and state.integration.state == "integrated"
        for state in scene.snapshot.picture.worktrees
    )


def _can_be_merged(scene: Scene, side: Side) -> bool:
    """Whether a side is a worktree beside trunk, and not trunk's own checkout."""
    picture = scene.snapshot.picture
    if picture.trunk is None:
        return False
    return any(state.worktree.key == side.key and not has_trunk(picture, state) for state in picture.worktrees)
