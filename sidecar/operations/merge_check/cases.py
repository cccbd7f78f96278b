"""Find the merges that are worth trying, and what the checking command's words about them mean for each side's lines.

A case is one worktree with trunk, or two worktrees of which the one changes definitions that the other uses or that
change the same files, both on trunk; git merges each cleanly. A plan tells what was said, as far as that was tried.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sidecar.git.judge import Question
from sidecar.git.objects import tree_of, write_commit
from sidecar.model.changes import ChangeSet, Entry
from sidecar.model.findings import Finding, finding
from sidecar.model.overlaps import Overlap
from sidecar.model.picture import TRUNK_KEY, Broken, Trunk, Worktree, WorktreeState
from sidecar.model.said_of_merge import FINE, Complaint, OfSide, PlaceIn, Said, only_of_merge
from sidecar.model.words import counted, shown
from sidecar.operations.merge_check.running import command_in, last_said, remembered
from sidecar.session.reader import Sources

_Pair = tuple[str, str]
"""Two worktrees, by their keys, sorted."""


@dataclass(frozen=True, slots=True)
class Own:
    """A worktree's work as it is tried: its state, and the tree that is merged."""

    state: WorktreeState
    tree: str

    @property
    def key(self) -> str:
        """Give the worktree's path."""
        return self.state.worktree.key


@dataclass(frozen=True, slots=True)
class CaseSide:
    """One side of a case: the worktree's key, '' for trunk, how the other is told of it, and its tree alone."""

    key: str
    name: str
    tree: str


@dataclass(frozen=True, slots=True)
class Case:
    """A merge that git makes cleanly; the `parent` is a commit on whose history its tree goes on."""

    merged: str
    sides: tuple[CaseSide, CaseSide]
    parent: str


def find_cases(
    sources: Sources, trunk: Trunk, owns: Sequence[Own], overlaps: Sequence[Overlap], touching: Collection[_Pair]
) -> Iterator[Case]:
    """Give what is worth trying: each worktree with trunk first, then the pairs that are `touching`. GitError."""
    if trunk.commit is None:
        return
    base = tree_of(sources.quarantine.objects, trunk.commit)
    landed: dict[str, tuple[Own, str]] = {}
    for own in owns:
        tree = _merge(sources, base, trunk.commit, own)
        if tree is None:
            continue
        landed[own.key] = own, tree
        if tree not in (base, own.tree):
            name = own.state.worktree.name
            sides = CaseSide(own.key, name, own.tree), CaseSide(TRUNK_KEY, trunk.branch, base)
            yield Case(tree, sides, trunk.commit)
    for one, two in _pairs(overlaps, touching):
        if one in landed and two in landed:
            (first, begun), (second, other) = landed[one], landed[two]
            head = first.state.worktree.head
            assert head is not None
            commit = write_commit(sources.quarantine.objects, begun, (trunk.commit, head))
            merged = _merge(sources, begun, commit, second)
            if merged is not None and merged not in (begun, other):
                named = [(own.key, own.state.worktree.name, tree) for own, tree in (landed[one], landed[two])]
                yield Case(merged, (CaseSide(*named[0]), CaseSide(*named[1])), trunk.commit)


def _pairs(overlaps: Sequence[Overlap], touching: Collection[_Pair]) -> list[_Pair]:
    """List the worktrees that are touching or change the same files, and conflict in none, each two once."""
    verdicts: dict[_Pair, set[str]] = {pair: {"clean"} for pair in sorted(touching)}
    for overlap in overlaps:
        one, two = sorted(side.key for side in overlap.sides)
        if TRUNK_KEY not in (one, two):
            verdicts.setdefault((one, two), set()).add(overlap.verdict)
    return [pair for pair, found in verdicts.items() if "conflict" not in found and "clean" in found]


def _merge(sources: Sources, tree: str, commit: str, own: Own) -> str | None:
    """Merge a worktree's tree into another, which stands for a commit; None where git's merge stops."""
    head, changes = own.state.worktree.head, own.state.changes
    assert head is not None
    assert changes is not None
    question = Question(tree, own.tree, None, (commit, head))
    merge = sources.judge.merge_trees(question, sorted(changes.touched), tree)
    return merge.tree if merge.clean else None


def verdict(sources: Sources, case: Case, said: Callable[[str], Said | None]) -> Said | None:
    """Say what a case comes to by what was `said` of each tree; None where one was not tried. GitError.

    Its complaints are those of the merge alone. The sides are asked about only where the command fails on the merge.
    """
    merged = said(case.merged)
    if merged is None or merged.state != "fails":
        return merged
    sides: list[OfSide] = []
    for side in case.sides:
        alone = said(side.tree)
        if alone is None:
            return None
        if alone.state == "unknown":
            return Said("unknown", (), alone.why)
        sides.append(OfSide(alone, _places(sources, side.tree, case.merged)))
    if not merged.complaints:
        if all(side.said.state == "fine" for side in sides):
            return Said("fails", (), merged.why)
        return Said("unknown", (), f"It names no line of what is merged: {merged.why}")
    left = only_of_merge(merged, sides)
    return Said("fails", left) if left else FINE


def _places(sources: Sources, side: str, merged: str) -> PlaceIn:
    """Give what leads from a line of the merge to the one of a side, through renames."""
    changes = sources.trees.changes(side, merged)

    def place(path: str, line: int) -> tuple[str, int | None]:
        where = _in_side(sources, changes, path, line)
        return (where[0], where[1] if where[2] else None) if where is not None else (path, None)

    return place


def _in_side(sources: Sources, changes: ChangeSet, path: str, line: int) -> tuple[str, int, bool] | None:
    """Find (path, line, whether it is that very line) of a side, else the line after which it comes in; None."""
    change = changes.changes.get(path)
    if change is None:
        return path, line, True
    before, after = change.before, change.after
    if before is None or after is None or not (before.is_file and after.is_file):
        return None
    was = change.old_path or path
    shift = 0
    for hunk in sources.trees.hunks(before.oid, after.oid):
        if hunk.start < line <= hunk.end:
            return was, max(1, hunk.base), False
        if hunk.end < line:
            shift = hunk.base_end - hunk.end
    return was, line + shift, True


def broken_in(
    sources: Sources, case: Case, complaints: Sequence[Complaint], states: Mapping[str, WorktreeState]
) -> Iterator[tuple[str, Broken]]:
    """Give (worktree's key, what is told) of each line that is in a worktree's file, or comes in there. GitError.

    `states` are the worktrees by key; that of '' is the one that has trunk checked out.
    """
    for side, other in (case.sides, case.sides[::-1]):
        state = states.get(side.key)
        if state is None or state.changes is None:
            continue
        tree = side.tree if side.key == TRUNK_KEY else state.changes.tree
        changes = sources.trees.changes(tree, case.merged)
        for one in complaints:
            place = _in_side(sources, changes, one.path, one.line)
            if place is None:
                continue
            path, line, own = place
            entry: Entry | None = sources.trees.entry(tree, path)
            if entry is not None:
                base = None if path in state.changes.touched else state.changes.base
                yield state.worktree.key, Broken(path, entry, base, line, own, one.message, other.name)


MOST_NAMED = 3


def failing_together(sources: Sources, trunk: Trunk, worktree: Worktree, merged: str) -> Iterator[Finding]:
    """Name what is said of a worktree merged with trunk and of neither alone, or that it is not known. GitError.

    Where its last commit is that merge, only what fails is named: it is nobody's merge to come that could be tried.
    """
    command = command_in(sources.settings)
    if command is None or trunk.commit is None or worktree.head is None:
        return
    objects = sources.quarantine.objects
    head, base = tree_of(objects, worktree.head), tree_of(objects, trunk.commit)
    if merged == base:
        return
    is_made = merged == head
    if is_made:
        parents = sources.ancestry.commit(worktree.head).parents
        if len(parents) != 2 or tree_of(objects, parents[1]) != base:
            return
        head = tree_of(objects, parents[0])
    sides = CaseSide(worktree.key, worktree.name, head), CaseSide(TRUNK_KEY, trunk.branch, base)
    known, branch = remembered(sources.repository.common_dir), shown(trunk.branch)
    found = verdict(sources, Case(merged, sides, trunk.commit), lambda tree: last_said(known, command, tree))
    if is_made and (found is None or found.state == "unknown"):
        return
    if found is None:
        said = f"Whether it passes sidecar.check together with {branch} was not tried yet."
        yield finding("check-unknown", f"{said} The sidecar tries it beside an open editor.")
    elif found.state == "unknown":
        said = f"Whether it passes sidecar.check together with {branch} is not known."
        yield finding("check-unknown", f"{said} {found.why}")
    elif found.state == "fails":
        lines = [f"{shown(one.path)}:{one.line}: {shown(one.message)}" for one in found.complaints]
        told = "; ".join(lines[:MOST_NAMED]) if lines else found.why
        more = f"; and {counted(len(lines) - MOST_NAMED, 'more line', 'more lines')}" if len(lines) > MOST_NAMED else ""
        said = f"Together with {branch} it fails sidecar.check, and neither does alone: {told}{more}"
        yield finding("fails-together", said, tuple(dict.fromkeys(one.path for one in found.complaints)))
