"""List what would be told as taking trunk back, over the real merges of any repository: docs/undoes-trunk.md.

    python -m bench.undoes_trunk REPOSITORY [--most N] [--seed N]

Takes merge commits with two parents: the first is trunk, the second what a worktree would have at its HEAD. Whether a
flag is right is for a person to say.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

from bench.by_git import borrow, git
from sidecar.git.history import read_log
from sidecar.git.objects import tree_of
from sidecar.model.findings import Failure
from sidecar.model.picture import Trunk, Worktree, WorktreeState
from sidecar.model.settings import Options
from sidecar.session.reader import open_sources
from sidecar.session.undoes_trunk import find_undone


def replay(repository: Path, most: int, seed: int) -> None:
    """Print each flag, and how many there are."""
    with tempfile.TemporaryDirectory(prefix="undoes-trunk-") as folder:
        place = borrow(repository, Path(folder) / "repository")
        sources = open_sources(place, Options())
        if isinstance(sources, Failure):
            raise SystemExit(sources.message)
        rows = map(str.split, git(str(place), "rev-list", "--all", "--merges", "--parents").decode().splitlines())
        merges = [row for row in rows if len(row) == 3]
        random.Random(seed).shuffle(merges)
        began, looked, flagged = time.monotonic(), 0, 0
        for merge, trunk, head in merges[:most]:
            bases = sources.history.merge_bases(trunk, head)
            if len(bases) != 1:
                continue
            base, tree = (tree_of(sources.quarantine.objects, commit) for commit in (bases[0], head))
            worktree = Worktree(str(place), "worktree", str(place), False, "branch", head)
            state = WorktreeState(worktree, bases[0], sources.trees.changes(base, tree))
            undone = find_undone(sources, state, Trunk("trunk", "refs/heads/trunk", trunk))
            looked, flagged = looked + 1, flagged + bool(undone)
            if undone:
                print(merge[:10], read_log(sources.repository.place, merge, most=1)[0].subject)
            for one in undone:
                how = "exactly" if one.exact else "by lines"
                print(f"    {one.path}: {one.commit[:10]} {one.subject} ({how})")
        sources.close()
        seconds = time.monotonic() - began
        print(f"{looked} merges, {flagged} flagged, {1000 * seconds / max(1, looked):.0f} ms each")


def main(argv: list[str] | None = None) -> int:
    """Run it from a command line."""
    parser = argparse.ArgumentParser(prog="bench.undoes_trunk", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--most", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(argv)
    replay(given.repository, given.most, given.seed)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
