"""The rule of own work held against git: two branches and a trunk of a real history, each brought up to date first.

What is expected shares nothing with the sidecar but the reading of objects: git merges each branch into trunk, then the
two outcomes, and its diffs say which lines are a branch's own.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bench.by_git import BLOCK, MARKER_SIZE, Truth, ask_git, git, lay_attributes
from sidecar.git.objects import tree_of
from sidecar.model.markers import split_lines
from sidecar.model.overlaps import Overlap, Region, Side
from sidecar.model.picture import TRUNK_KEY, Trunk, Worktree, WorktreeState
from sidecar.session.overlaps import OverlapCache
from sidecar.session.reader import Sources

HUNK = re.compile(rb"^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)
NEAR = 25
"""How many merges on the second branch of a triple may have been merged."""


@dataclass(frozen=True)
class Triple:
    """A trunk as it once stood, and the tips of two branches."""

    trunk: str
    ours: str
    theirs: str


def triples(repository: str, most: int, seed: int) -> list[Triple]:
    """Trunk before a merge, the branch that was merged, and one that was merged some merges later or before."""
    listed = git(repository, "rev-list", "--all", "--merges", "--parents", "--date-order").decode().splitlines()
    merges = [words[1:] for words in map(str.split, listed) if len(words) == 3]
    shuffle = random.Random(seed)
    found = []
    for at in range(len(merges)):
        other = at + shuffle.choice((-1, 1)) * shuffle.randrange(1, NEAR)
        if 0 <= other < len(merges) and merges[other][1] != merges[at][1]:
            found.append(Triple(merges[at][0], merges[at][1], merges[other][1]))
    shuffle.shuffle(found)
    return found[:most]


def ask_sidecar(sources: Sources, triple: Triple) -> list[Overlap]:
    """The overlaps of the two branches, as in a Picture with a worktree for each."""
    trunk = Trunk("trunk", "refs/heads/trunk", triple.trunk)
    states = [_state(sources, triple.trunk, commit) for commit in (triple.ours, triple.theirs)]
    grades = OverlapCache(sources).grade(trunk, [state for state in states if state is not None])
    if grades.failures:
        raise RuntimeError(next(iter(grades.failures)).reason)
    return [overlap for overlap in grades.overlaps if TRUNK_KEY not in (side.key for side in overlap.sides)]


def _state(sources: Sources, trunk: str, commit: str) -> WorktreeState | None:
    divergence = sources.history.divergence(trunk, commit)
    if not divergence.bases:
        return None
    fork, objects = divergence.bases[0], sources.quarantine.objects
    worktree = Worktree(f"/{commit}", commit, "", main=False, branch=None, head=commit)
    return WorktreeState(worktree, fork, sources.trees.changes(tree_of(objects, fork), tree_of(objects, commit)))


def up_to_date(repository: str, trunk: str, commit: str, files: Path) -> tuple[str | None, frozenset[str]]:
    """(a commit of trunk with a branch merged into it, None where git stops; the paths at which it stops)."""
    lay_attributes(repository, trunk, files)
    truth = ask_git(repository, trunk, commit, files)
    if truth is None or truth.stops:
        return None, truth.paths if truth else frozenset()
    parents = ("-p", trunk, "-p", commit)
    who = ("-c", "user.name=Replay", "-c", "user.email=replay@example.com")
    return git(repository, *who, "commit-tree", truth.tree, *parents, "-m", "up to date").decode().strip(), truth.paths


def own_lines(repository: str, trunk: str, commit: str, path: str) -> list[tuple[int, int]] | None:
    """(first line, how many) of what a branch changed in a file since it left trunk; None where git shows no lines."""
    fork = git(repository, "merge-base", trunk, commit).decode().strip()
    options = ("diff", "-U0", "--histogram", "--no-indent-heuristic", "--no-ext-diff", "--no-textconv", "--no-renames")
    said = git(repository, *options, fork, commit, "--", f":(literal){path}")
    found = [(int(first), int(b"1" if count == b"" else count)) for first, count in HUNK.findall(said)]
    return found or None


def blocks_of(repository: str, truth: Truth, path: str) -> list[tuple[list[bytes], list[bytes]]]:
    """The lines of both sides in each conflict that git marked at a path; none where that is not clear."""
    texts = [git(repository, "cat-file", "blob", oid, accept=(0, 128)) for oid in truth.stages.get(path, {}).values()]
    merged = git(repository, "cat-file", "-p", f"{truth.tree}:{path}", accept=(0, 128))
    if b"\0" in merged or any(b"<" * MARKER_SIZE in text for text in texts):
        return []
    return [(split_lines(ours), split_lines(theirs)) for ours, theirs in BLOCK.findall(merged + b"\n")]


def _text(repository: str, side: Side) -> list[bytes]:
    if side.after is None or not side.after.is_file:
        return []
    return split_lines(git(repository, "cat-file", "blob", side.after.oid))


def _places(text: list[bytes], lines: list[bytes]) -> list[int]:
    """The lines of a text, from 0, at which these follow."""
    return [at for at in range(len(text) - len(lines) + 1) if text[at : at + len(lines)] == lines]


def _shares(first: int, last: int, start: int, count: int) -> bool:
    """Whether lines share one with a hunk of git's, or border on its gap, which is after the line that it starts at."""
    return start <= last and first < start + count if count else first - 1 <= start <= last


def _lines(text: list[bytes], region: Region) -> list[bytes]:
    return [] if region.gap is not None or region.whole else text[region.start - 1 : region.end]


def named(overlaps: list[Overlap]) -> frozenset[str]:
    """Every path that an overlap names."""
    return frozenset(path for overlap in overlaps for path in (overlap.path, *(side.path for side in overlap.sides)))


class Replay:
    """What was compared so far, and how often it disagreed."""

    def __init__(self, sources: Sources, files: Path) -> None:
        self.counts: Counter[str] = Counter()
        self.spent = 0.0
        self._sources = sources
        self._files = files
        self._repository = sources.repository.common_dir

    def fault(self, what: str, triple: Triple, said: str) -> None:
        """Count a disagreement and print it."""
        self.counts[what] += 1
        print(f"own work, {what}, trunk {triple.trunk} {triple.ours} {triple.theirs}: {said}")

    def compare(self, triple: Triple) -> None:
        """Hold the sidecar against git on one triple."""
        repository, files, counts = self._repository, self._files, self.counts
        ours, ours_stop = up_to_date(repository, triple.trunk, triple.ours, files)
        theirs, theirs_stop = up_to_date(repository, triple.trunk, triple.theirs, files)
        lay_attributes(repository, triple.ours, files)
        raw = ask_git(repository, triple.ours, triple.theirs, files)
        if raw is None:
            return
        begun = time.perf_counter()
        overlaps = ask_sidecar(self._sources, triple)
        self.spent += time.perf_counter() - begun
        conflicts = [overlap for overlap in overlaps if overlap.verdict == "conflict"]
        counts["triples"] += 1
        counts["raw"] += raw.stops
        counts["conflicting"] += bool(conflicts)
        if ours is None or theirs is None:
            counts["stopped"] += 1
            for path in sorted((ours_stop | theirs_stop) & raw.paths):
                self._compare_stopped(triple, raw, path, (ours_stop, theirs_stop), conflicts)
            return
        truth = ask_git(repository, ours, theirs, files)
        assert truth is not None
        if bool(conflicts) != truth.stops:
            self.fault("verdict", triple, f"git {truth.stops}, sidecar {bool(conflicts)}")
        elif truth.paths - named(conflicts) or {it.path for it in conflicts if it.kind == "content"} - truth.paths:
            self.fault("paths", triple, f"git {sorted(truth.paths)}, sidecar {sorted(named(conflicts))}")
        for overlap in conflicts:
            self._compare_regions(triple, overlap, blocks_of(repository, truth, overlap.path))

    def _compare_regions(self, triple: Triple, overlap: Overlap, blocks: list[tuple[list[bytes], list[bytes]]]) -> None:
        """Our regions are the lines between git's markers, where these are in a row in the branch's own file."""
        if not blocks:
            return
        self.counts["files"] += 1
        for number, side in enumerate(overlap.sides):
            text, wanted = _text(self._repository, side), [block[number] for block in blocks]
            if not all(_places(text, lines) for lines in wanted):
                self.counts["indirect"] += 1  # trunk has changed something between them
            elif wanted != [_lines(text, region) for region in side.regions]:
                said = f"lines of {side.path}: {len(wanted)} blocks, {len(side.regions)} regions"
                self.fault("regions", triple, said)

    def _compare_stopped(
        self, triple: Triple, raw: Truth, path: str, stops: tuple[frozenset[str], ...], conflicts: list[Overlap]
    ) -> None:
        """Where a branch stops at trunk, the conflicts that count are those that touch what git's diffs call own."""
        blocks = blocks_of(self._repository, raw, path)
        commits = (triple.ours, triple.theirs)
        if not blocks or any(number not in raw.stages[path] for number in (1, 2, 3)):
            return  # no text on both sides, or a rename
        expected = [True] * len(blocks)
        for number, commit in enumerate(commits):
            hunks = own_lines(self._repository, triple.trunk, commit, path)
            if hunks is None or not (path in stops[number] or self._is_as_forked(triple.trunk, commit, path)):
                return  # what is left of its own, once trunk has some of it, only a merge tells
            text = split_lines(git(self._repository, "cat-file", "blob", raw.stages[path][number + 2]))
            for index, block in enumerate(blocks):
                places = _places(text, block[number])
                if len(places) != 1 or not block[number]:
                    return
                first, last = places[0] + 1, places[0] + len(block[number])
                expected[index] &= any(_shares(first, last, *hunk) for hunk in hunks)
        self.counts["stopped files"] += 1
        shown = [overlap for overlap in conflicts if overlap.path == path]
        wanted = [block for block, counts in zip(blocks, expected, strict=True) if counts]
        got = [
            list(
                zip(
                    *([_lines(_text(self._repository, side), it) for it in side.regions] for side in overlap.sides),
                    strict=True,
                )
            )
            for overlap in shown
        ]
        if got != ([wanted] if wanted else []):
            self.fault(
                "stopped faults", triple, f"{path}: {len(blocks)} blocks, {len(wanted)} own, sidecar has {len(shown)}"
            )

    def _is_as_forked(self, trunk: str, commit: str, path: str) -> bool:
        """Whether trunk has not changed a path since a branch left it."""
        fork = git(self._repository, "merge-base", trunk, commit).decode().strip()
        return not git(self._repository, "diff-tree", fork, trunk, "--", f":(literal){path}")


def replay_own_work(sources: Sources, files: Path, most: int, seed: int) -> int:
    """Compare, print what disagrees and a summary; the number of disagreements."""
    replay = Replay(sources, files)
    for triple in triples(sources.repository.common_dir, most, seed):
        replay.compare(triple)
    counts = replay.counts
    print(
        f"own work: {counts['triples']} pairs of branches, {counts['raw']} conflicting as they are and "
        f"{counts['conflicting']} in own work ({counts['stopped']} with a branch that stops at trunk): "
        f"{counts['verdict']} disagreements in verdict, {counts['paths']} in paths, {counts['regions']} in regions of "
        f"{counts['files']} files ({counts['indirect']} sides not compared), {counts['stopped faults']} in "
        f"{counts['stopped files']} files where a branch stops; {replay.spent:.1f} s"
    )
    return counts["verdict"] + counts["paths"] + counts["regions"] + counts["stopped faults"]
