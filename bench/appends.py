"""Say how often both sides of real merges add lines at the end of one list, and whether both were meant.

    python -m bench.appends REPOSITORY [--most N] [--seed N]

Takes merge commits with two parents as the two that meet. Both were meant where the merge, as somebody made it, has all
lines that each side added in the file: docs/appends.md.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from bench.merges import borrowed, real_merges, run_over_merges
from bench.replay import ask_sidecar
from sidecar.git.objects import find_entry, tree_of
from sidecar.git.process import GitError
from sidecar.model.overlaps import Overlap
from sidecar.session.reader import Sources


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
    counts: Counter[str] = Counter()
    with borrowed(repository) as (place, sources):
        for merge, ours, theirs in real_merges(place, most, seed):
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
    print(", ".join(f"{count} {what}" for what, count in counts.items()))


if __name__ == "__main__":
    run_over_merges("appends", __doc__, replay)
