"""Say how often both sides of real merges add lines at the end of one list, and whether both were meant.

    python -m bench.appends REPOSITORY [--most N] [--seed N]

Takes merge commits with two parents as the two that meet. Both were meant where the merge, as somebody made it, has all
lines that each side added in the file: docs/appends.md.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter
from pathlib import Path

from bench.by_git import borrow, git
from bench.replay import ask_sidecar
from sidecar.git.objects import find_entry, tree_of
from sidecar.git.process import GitError
from sidecar.model.findings import Failure
from sidecar.model.overlaps import Overlap
from sidecar.model.settings import Options
from sidecar.session.reader import Sources, open_sources


def has_both(sources: Sources, overlap: Overlap, merge: str) -> bool:
    """Whether the file of a merge has all that both sides added to it."""
    entry = find_entry(sources.quarantine.objects, tree_of(sources.quarantine.objects, merge), overlap.path)
    if entry is None or not entry.is_file:
        return False
    there = Counter(line.strip() for line in sources.trees.lines(entry.oid))
    for side in overlap.sides:
        assert side.before is not None
        assert side.after is not None
        lines = sources.trees.lines(side.after.oid)
        hunks = [hunk for hunk in sources.trees.hunks(side.before.oid, side.after.oid) if not hunk.base_count]
        added = Counter(line.strip() for hunk in hunks for line in lines[hunk.start : hunk.end] if line.strip())
        if added - there:
            return False
    return True


def replay(repository: Path, most: int, seed: int) -> None:
    """Print each file, and how many there are."""
    with tempfile.TemporaryDirectory(prefix="appends-") as folder:
        place = borrow(repository, Path(folder) / "repository")
        sources = open_sources(place, Options())
        if isinstance(sources, Failure):
            raise SystemExit(sources.message)
        rows = map(str.split, git(str(place), "rev-list", "--all", "--merges", "--parents").decode().splitlines())
        merges = [row for row in rows if len(row) == 3]
        random.Random(seed).shuffle(merges)
        counts: Counter[str] = Counter()
        for merge, ours, theirs in merges[:most]:
            try:
                overlaps = ask_sidecar(sources, ours, theirs)
            except GitError:
                continue
            counts["merges"] += 1
            counts["conflicted"] += sum(one.verdict == "conflict" for one in overlaps)
            for overlap in (one for one in overlaps if one.appended):
                both = has_both(sources, overlap, merge)
                counts[f"{overlap.verdict} {'both' if both else 'not both'}"] += 1
                print(merge[:10], overlap.verdict, overlap.path, "both" if both else "not both")
        sources.close()
        print(", ".join(f"{count} {what}" for what, count in counts.items()))


def main(argv: list[str] | None = None) -> int:
    """Run it from a command line."""
    parser = argparse.ArgumentParser(prog="bench.appends", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--most", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(argv)
    replay(given.repository, given.most, given.seed)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
