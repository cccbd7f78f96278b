"""Hold the sidecar's verdicts against git's own merges, over the real history of any repository.

    python -m bench.replay REPOSITORY [--most N] [--seed N] [--tips]

Takes merge commits with two parents (with --tips: also random pairs of commits close to each other), asks git what
merging the parents does, and asks the sidecar for the overlaps of the same two, as they are. Then the same in own work,
for two branches and trunk as it stood when one of them was merged (`bench/own_work.py`). Prints every disagreement in
verdict, in conflicted paths, and in the lines of every conflict that git marked in a text file.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from bench.by_git import BLOCK, MARKER_SIZE, Truth, ask_git, borrow, git, lay_attributes
from bench.merges import real_merges
from bench.own_work import replay_own_work
from sidecar.git.objects import find_entry, read_blob, tree_of
from sidecar.git.process import GitError
from sidecar.model.findings import Failure
from sidecar.model.markers import split_lines
from sidecar.model.may_overlap import footprint
from sidecar.model.overlaps import Overlap, Side
from sidecar.model.settings import Options
from sidecar.session.pair import meet
from sidecar.session.participants import Participant
from sidecar.session.reader import Sources, open_sources


def ask_sidecar(sources: Sources, ours: str, theirs: str) -> list[Overlap]:
    """The overlaps of two commits, as `sidecar overlaps A B` finds them."""
    bases = sources.history.merge_bases(*sorted((ours, theirs)))
    if not bases:
        return []
    base = tree_of(sources.quarantine.objects, bases[0])
    participants = []
    for commit in (ours, theirs):
        own = sources.trees.changes(base, tree_of(sources.quarantine.objects, commit))
        participants.append(Participant(commit, None, commit, commit, own, footprint(own.touched)))
    found = meet(sources, participants[0], participants[1], bases).found
    if found.unknown:
        raise GitError(found.unknown[0].reason)
    return list(found.overlaps)


def named_paths(overlaps: list[Overlap]) -> frozenset[str]:
    """Every path that a conflict names, on either side or where the merge puts it."""
    conflicts = [overlap for overlap in overlaps if overlap.verdict == "conflict"]
    return frozenset(path for overlap in conflicts for path in (overlap.path, *(side.path for side in overlap.sides)))


def region_faults(sources: Sources, truth: Truth, overlap: Overlap) -> list[str] | None:
    """Where our regions of a conflict are not the lines between git's markers.

    None where git merged there what it had merged before (a rename onto a name that is taken): what is between the
    markers is then in neither side's file.
    """
    where, merged = next(
        (
            (path, read_blob(sources.quarantine.objects, entry.oid))
            for path in (overlap.path, *(side.path for side in overlap.sides))
            if (entry := find_entry(sources.quarantine.objects, truth.tree, path)) is not None
            and entry.is_file
            and b"<" * MARKER_SIZE in read_blob(sources.quarantine.objects, entry.oid)
        ),
        ("", b""),
    )
    own = {number: side.after.oid for number, side in zip((2, 3), overlap.sides, strict=True) if side.after is not None}
    if any(oid != own.get(number, oid) for number, oid in truth.stages.get(where, {}).items()):
        return None
    if b"\0" in merged or any(b"<" * MARKER_SIZE in text for text in _texts(sources, overlap)):
        return []
    blocks = BLOCK.findall(merged + b"\n")
    faults = []
    for number, side in enumerate(overlap.sides):
        wanted = [split_lines(block[number]) for block in blocks]
        got = [_lines(sources, side, index) for index in range(len(side.regions))]
        if blocks and wanted != got:
            faults.append(f"lines of {side.path}: {len(wanted)} blocks, {len(got)} regions")
    return faults


def _texts(sources: Sources, overlap: Overlap) -> list[bytes]:
    entries = [side.after for side in overlap.sides]
    return [
        read_blob(sources.quarantine.objects, entry.oid) for entry in entries if entry is not None and entry.is_file
    ]


def _lines(sources: Sources, side: Side, index: int) -> list[bytes]:
    region = side.regions[index]
    if side.after is None or not side.after.is_file or region.gap is not None:
        return []
    return split_lines(read_blob(sources.quarantine.objects, side.after.oid))[region.start - 1 : region.end]


def pairs_of(repository: str, most: int, seed: int, tips: bool) -> list[tuple[str, str]]:
    """The pairs to replay: parents of merges, and pairs of neighbouring commits when asked for."""
    pairs = [(ours, theirs) for _merge, ours, theirs in real_merges(repository, most, seed)]
    shuffle = random.Random(seed)
    if tips:
        commits = git(repository, "rev-list", "--all", "--no-merges", "--date-order").decode().split()
        for _ in range(most):
            first = shuffle.randrange(len(commits))
            second = min(len(commits) - 1, first + shuffle.randrange(1, 400))
            pairs.append((commits[first], commits[second]))
    return pairs


def replay(repository: Path, most: int, seed: int, tips: bool) -> int:
    """Compare, print what disagrees and a summary; the number of disagreements."""
    place = Path(tempfile.mkdtemp(prefix="replay-"))
    sources = open_sources(borrow(repository, place / "history.git"), Options())
    if isinstance(sources, Failure):
        print(sources.message, file=sys.stderr)
        return 1
    try:
        return _replay_merges(sources, place / "files", most, seed, tips) + replay_own_work(
            sources, place / "files", most, seed
        )
    finally:
        sources.close()
        shutil.rmtree(place)


def _replay_merges(sources: Sources, files: Path, most: int, seed: int, tips: bool) -> int:
    counts: Counter[str] = Counter()
    spent = {"git": 0.0, "sidecar": 0.0}
    for ours, theirs in pairs_of(sources.repository.common_dir, most, seed, tips):
        lay_attributes(sources.repository.common_dir, ours, files)
        start = time.perf_counter()
        truth = ask_git(sources.repository.common_dir, ours, theirs, files)
        middle = time.perf_counter()
        if truth is None:
            continue
        overlaps = ask_sidecar(sources, ours, theirs)
        spent["git"] += middle - start
        spent["sidecar"] += time.perf_counter() - middle
        counts["merges"] += 1
        counts["conflicting"] += truth.stops
        conflicts = [overlap for overlap in overlaps if overlap.verdict == "conflict"]
        if bool(conflicts) != truth.stops:
            counts["verdict"] += 1
            print(f"verdict {ours} {theirs}: git {truth.stops}, sidecar {bool(conflicts)}")
        elif truth.paths - named_paths(overlaps) or {c.path for c in conflicts if c.kind == "content"} - truth.paths:
            counts["paths"] += 1
            print(f"paths {ours} {theirs}: git {sorted(truth.paths)}, sidecar {sorted(named_paths(overlaps))}")
        for overlap in conflicts:
            counts["files"] += 1
            faults = region_faults(sources, truth, overlap)
            counts["indirect"] += faults is None
            for fault in faults or ():
                counts["regions"] += 1
                print(f"regions {ours} {theirs}: {fault}")
    wrong = counts["verdict"] + counts["paths"] + counts["regions"]
    print(
        f"{counts['merges']} merges, {counts['conflicting']} conflicting, {counts['files']} conflicted files: "
        f"{counts['verdict']} disagreements in verdict, {counts['paths']} in paths, {counts['regions']} in regions "
        f"({counts['indirect']} of what git had merged before, not compared); "
        f"{spent['sidecar']:.1f} s against git's {spent['git']:.1f} s"
    )
    return wrong


def main() -> None:
    """Command line of the replay; exit status 1 when anything disagrees."""
    parser = argparse.ArgumentParser(prog="bench.replay", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--most", type=int, default=1000, help="merges to replay at the most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tips", action="store_true", help="also pairs of commits close to each other")
    arguments = parser.parse_args()
    sys.exit(1 if replay(arguments.repository, arguments.most, arguments.seed, arguments.tips) else 0)


if __name__ == "__main__":
    main()
