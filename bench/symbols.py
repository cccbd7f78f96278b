"""List what would be told of broken uses, over pairs of real branches of any repository: docs/symbols.md.

    python -m bench.symbols REPOSITORY [--most N] [--seed N]

Takes merge commits with two parents: the first is trunk, the second what a worktree would have at its HEAD. Each pair
is looked at in both directions. Whether a flag is right is for a person to say.
"""

from __future__ import annotations

import time
from pathlib import Path

from bench.merges import borrowed, real_merges, run_over_merges
from sidecar.git.objects import tree_of
from sidecar.git.process import GitError
from sidecar.model.broken_uses import broken_use_sentence
from sidecar.model.picture import BrokenUse, Trunk, Worktree, WorktreeState
from sidecar.session.broken_uses import BrokenUseFinder
from sidecar.session.reader import Sources


def replay(repository: Path, most: int, seed: int) -> None:
    """Print each flag, and how many there are."""
    pairs, flagged, warned = 0, 0, 0
    with borrowed(repository) as (place, sources):
        finder = BrokenUseFinder(sources)
        began = time.monotonic()
        for merge, trunk, head in real_merges(place, most, seed):
            found = _with_trunk(sources, finder, place, trunk, head)
            if found is None:
                continue
            pairs += 1
            flagged, warned = flagged + bool(found), warned + any(one.nowhere for one in found)
            if found:
                print(merge[:10], trunk[:10], head[:10])
            for one in found:
                print(f"    {'warning' if one.nowhere else 'info'}: {broken_use_sentence(one, one.used.key)}")
                print(f"        {one.used.name or 'trunk'}:{one.used.path}:{one.used.line}")
        seconds = time.monotonic() - began
    print(f"{pairs} pairs, {flagged} flagged, {warned} with a warning, {1000 * seconds / max(1, pairs):.0f} ms each")


def _with_trunk(
    sources: Sources, finder: BrokenUseFinder, place: str, trunk: str, head: str
) -> tuple[BrokenUse, ...] | None:
    """Find what a branch and trunk break of each other; None where they have several merge bases, or none."""
    bases = sources.history.merge_bases(*sorted((trunk, head)))
    if len(bases) != 1 or bases[0] in (trunk, head):
        return None
    objects = sources.quarantine.objects
    try:
        own = sources.trees.changes(tree_of(objects, bases[0]), tree_of(objects, head))
        state = WorktreeState(Worktree(place, "branch", place, False, "branch", head), bases[0], own)
        return finder.find(Trunk("trunk", "refs/heads/trunk", trunk), [state]) or ()
    except GitError:
        return None


if __name__ == "__main__":
    run_over_merges("symbols", __doc__, replay)
