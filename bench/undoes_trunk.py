"""List what would be told as taking trunk back, over the real merges of any repository: docs/undoes-trunk.md.

    python -m bench.undoes_trunk REPOSITORY [--most N] [--seed N]

Takes merge commits with two parents: the first is trunk, the second what a worktree would have at its HEAD. Whether a
flag is right is for a person to say.
"""

from __future__ import annotations

import time
from pathlib import Path

from bench.merges import borrowed, real_merges, run_over_merges
from sidecar.git.history import read_log
from sidecar.git.objects import tree_of
from sidecar.git.process import GitError
from sidecar.model.picture import Trunk, Worktree, WorktreeState
from sidecar.session.undoes_trunk import find_undone


def replay(repository: Path, most: int, seed: int) -> None:
    """Print each flag, and how many there are."""
    looked, flagged, unread = 0, 0, 0
    with borrowed(repository) as (place, sources):
        began = time.monotonic()
        for merge, trunk, head in real_merges(place, most, seed):
            bases = sources.history.merge_bases(trunk, head)
            if len(bases) != 1:
                continue
            base, tree = (tree_of(sources.quarantine.objects, commit) for commit in (bases[0], head))
            worktree = Worktree(place, "worktree", place, False, "branch", head)
            state = WorktreeState(worktree, bases[0], sources.trees.changes(base, tree))
            try:
                undone = find_undone(sources, state, Trunk("trunk", "refs/heads/trunk", trunk)).undone
            except GitError:
                unread += 1  # a clone that lacks its largest files
                continue
            looked, flagged = looked + 1, flagged + bool(undone)
            if undone:
                print(merge[:10], read_log(sources.repository.place, merge, most=1)[0].subject)
            for one in undone:
                how = "exactly" if one.exact else "by lines"
                print(f"    {one.path}: {one.commit[:10]} {one.subject} ({how})")
        seconds = time.monotonic() - began
    print(f"{looked} merges ({unread} can't be read), {flagged} flagged, {1000 * seconds / max(1, looked):.0f} ms each")


if __name__ == "__main__":
    run_over_merges("undoes_trunk", __doc__, replay)
