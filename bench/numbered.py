"""List what would be told as files of one number, over the real merges of any repository: docs/numbered.md.

    python -m bench.numbered REPOSITORY [--most N] [--seed N]

Takes merge commits with two parents as the two that meet. Whether a flag is right is for a person to say; what helps is
whether the merge, or what trunk did within its next commits, renumbered one of the two.
"""

from __future__ import annotations

from pathlib import Path

from bench.by_git import git
from bench.merges import borrowed, real_merges, run_over_merges
from sidecar.git.objects import tree_of
from sidecar.model.may_overlap import footprint
from sidecar.session.numbered import same_numbers
from sidecar.session.participants import Participant


def replay(repository: Path, most: int, seed: int) -> None:
    """Print each flag, and how many there are."""
    looked, candidates, flagged = 0, 0, 0
    with borrowed(repository) as (place, sources):
        for _merge, *pair in real_merges(place, most, seed):
            bases = sources.history.merge_bases(*sorted(pair))
            if len(bases) != 1:
                continue
            base = tree_of(sources.quarantine.objects, bases[0])
            changes = [sources.trees.changes(base, tree_of(sources.quarantine.objects, commit)) for commit in pair]
            one, two = (
                Participant(commit, None, commit, commit, own, footprint(own.touched))
                for commit, own in zip(pair, changes, strict=True)
            )
            found = same_numbers(sources, one, two)
            looked, flagged = looked + 1, flagged + bool(found)
            candidates += bool(one.footprint.numbers & two.footprint.numbers)
            for overlap in found:
                date = git(place, "log", "-1", "--format=%as", pair[0]).decode().strip()
                print(pair[0][:10], pair[1][:10], date, *(side.path for side in overlap.sides), overlap.note)
    print(f"{looked} merges, {candidates} with a number in common, {flagged} flagged")


if __name__ == "__main__":
    run_over_merges("numbered", __doc__, replay)
