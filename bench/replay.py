"""Hold the sidecar's verdicts against git's own merges, over the real history of any repository.

    python -m bench.replay REPOSITORY [--most N] [--seed N] [--tips]

Takes merge commits with two parents (with --tips: also random pairs of commits close to each other), asks git what
merging the parents does, and asks the sidecar for the overlaps of the same two. Prints every disagreement in verdict,
in conflicted paths, and in the lines of every conflict that git marked in a text file.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sidecar.git.objects import find_entry, read_blob, tree_of
from sidecar.git.process import environment
from sidecar.model.findings import Failure
from sidecar.model.interplay import footprint
from sidecar.model.markers import split_lines
from sidecar.model.overlaps import Overlap, Side
from sidecar.session.meeting import Party, meet
from sidecar.session.sources import Options, Sources, open_sources

MARKER_SIZE = 61  # longer than the lines of marks in people's texts
BLOCK = re.compile(rb"^<{61} [^\n]*\n(.*?)^={61}\r?\n(.*?)^>{61} [^\n]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Truth:
    """What git says: whether the merge stops, on which paths, the merged tree, and what was merged at a path.

    `stages` are blob ids by path and stage.
    """

    stops: bool
    paths: frozenset[str]
    tree: str
    stages: Mapping[str, Mapping[int, str]]


def git(repository: str, *args: str, files: Path | None = None, accept: tuple[int, ...] = (0,)) -> bytes:
    """Standard output of git, with the same environment that the sidecar gives it; `files` is its working tree."""
    variables = {"GIT_DIR": repository} | ({"GIT_WORK_TREE": str(files)} if files else {})
    done = subprocess.run(
        ["git", *args], env=environment(variables), cwd=files or repository, capture_output=True, check=False
    )
    if done.returncode not in accept:
        raise RuntimeError(done.stderr.decode("utf-8", "replace"))
    return done.stdout


def lay_attributes(repository: str, commit: str, files: Path) -> None:
    """A working tree with the attributes files of a commit, as a checkout of it would have."""
    shutil.rmtree(files, ignore_errors=True)
    files.mkdir()
    listing = git(repository, "ls-tree", "-r", "-z", "--name-only", commit).split(b"\0")
    for name in map(os.fsdecode, listing):
        if name.rpartition("/")[2] == ".gitattributes":
            (files / name).parent.mkdir(parents=True, exist_ok=True)
            (files / name).write_bytes(git(repository, "cat-file", "blob", f"{commit}:{name}"))
    with (files / ".gitattributes").open("ab") as top:
        top.write(b"\n* conflict-marker-size=%d\n" % MARKER_SIZE)


def ask_git(repository: str, ours: str, theirs: str, files: Path) -> Truth | None:
    """Git's merge of two commits; None when it refuses to try (no history in common)."""
    try:
        said = git(
            repository,
            "-c",
            "core.bare=false",
            "merge-tree",
            "--write-tree",
            "--messages",
            "-z",
            ours,
            theirs,
            files=files,
            accept=(0, 1),
        )
    except RuntimeError:
        return None
    fields = said.split(b"\0")
    conflicted = fields[1 : fields.index(b"", 1)]
    label = re.compile(f"~({ours}|{theirs})(_\\d+)?$")
    stages: dict[str, dict[int, str]] = {}
    for field in conflicted:
        head, _, path = field.partition(b"\t")
        _, oid, number = head.decode().split()
        stages.setdefault(label.sub("", os.fsdecode(path)), {})[int(number)] = oid
    return Truth(bool(conflicted) or b"CONFLICT" in said, frozenset(stages), fields[0].decode(), stages)


def ask_sidecar(sources: Sources, ours: str, theirs: str) -> list[Overlap]:
    """The overlaps of two commits, as `sidecar overlaps A B` finds them."""
    bases = sources.history.merge_bases(*sorted((ours, theirs)))
    if not bases:
        return []
    base = tree_of(sources.quarantine.objects, bases[0])
    parties = []
    for commit in (ours, theirs):
        own = sources.trees.changes(base, tree_of(sources.quarantine.objects, commit))
        parties.append(Party(commit, None, commit, commit, own, footprint(own.touched)))
    return list(meet(sources, parties[0], parties[1], bases).overlaps)


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
    listed = git(repository, "rev-list", "--all", "--merges", "--parents").decode().splitlines()
    pairs = [(words[1], words[2]) for words in map(str.split, listed) if len(words) == 3]
    shuffle = random.Random(seed)
    shuffle.shuffle(pairs)
    pairs = pairs[:most]
    if tips:
        commits = git(repository, "rev-list", "--all", "--no-merges", "--date-order").decode().split()
        for _ in range(most):
            first = shuffle.randrange(len(commits))
            second = min(len(commits) - 1, first + shuffle.randrange(1, 400))
            pairs.append((commits[first], commits[second]))
    return pairs


def replay(repository: Path, most: int, seed: int, tips: bool) -> int:
    """Compare, print what disagrees and a summary; the number of disagreements."""
    sources = open_sources(repository, Options())
    if isinstance(sources, Failure):
        print(sources.message, file=sys.stderr)
        return 1
    counts: Counter[str] = Counter()
    spent = {"git": 0.0, "sidecar": 0.0}
    files = Path(tempfile.mkdtemp(prefix="replay-")) / "files"
    try:
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
            elif (
                truth.paths - named_paths(overlaps) or {c.path for c in conflicts if c.kind == "content"} - truth.paths
            ):
                counts["paths"] += 1
                print(f"paths {ours} {theirs}: git {sorted(truth.paths)}, sidecar {sorted(named_paths(overlaps))}")
            for overlap in conflicts:
                counts["files"] += 1
                faults = region_faults(sources, truth, overlap)
                counts["indirect"] += faults is None
                for fault in faults or ():
                    counts["regions"] += 1
                    print(f"regions {ours} {theirs}: {fault}")
    finally:
        sources.close()
        shutil.rmtree(files.parent)
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
