"""List what would be told as files of one number, over the real merges of any repository: docs/numbered.md.

    python -m bench.numbered REPOSITORY [--most N] [--seed N]

Takes merge commits with two parents as the two that meet. Whether a flag is right is for a person to say; what helps is
whether the merge, or what trunk did within its next commits, renumbered one of the two.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from bench.by_git import borrow, git
from bench.replay import pairs_of
from sidecar.git.objects import tree_of
from sidecar.model.findings import Failure
from sidecar.model.may_overlap import footprint
from sidecar.model.settings import Options
from sidecar.session.numbered import same_numbers
from sidecar.session.participants import Participant
from sidecar.session.reader import open_sources


def replay(repository: Path, most: int, seed: int) -> None:
    """Print each flag, and how many there are."""
    with tempfile.TemporaryDirectory(prefix="numbered-") as folder:
        place = borrow(repository, Path(folder) / "repository")
        sources = open_sources(place, Options())
        if isinstance(sources, Failure):
            raise SystemExit(sources.message)
        looked, candidates, flagged = 0, 0, 0
        for pair in pairs_of(str(place), most, seed, tips=False):
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
                date = git(str(place), "log", "-1", "--format=%as", pair[0]).decode().strip()
                print(pair[0][:10], pair[1][:10], date, *(side.path for side in overlap.sides), overlap.note)
        sources.close()
        print(f"{looked} merges, {candidates} with a number in common, {flagged} flagged")


def main(argv: list[str] | None = None) -> int:
    """Run it from a command line."""
    parser = argparse.ArgumentParser(prog="bench.numbered", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--most", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(argv)
    replay(given.repository, given.most, given.seed)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
