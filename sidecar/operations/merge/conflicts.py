"""Foresee what git's merge into trunk comes to, by the judge's word, and find what git has left unfinished."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sidecar.git.judge import Question
from sidecar.git.objects import tree_of
from sidecar.git.process import run
from sidecar.git.surroundings import is_undecided
from sidecar.git.unfinished import branches_held, unfinished_operations
from sidecar.model.changes import Change
from sidecar.model.findings import Finding, finding
from sidecar.model.merging import Merge, without_label
from sidecar.model.messages import lines, remakes_clause
from sidecar.model.overlaps import Overlap
from sidecar.model.picture import TRUNK_KEY, Trunk, Worktree, WorktreeState
from sidecar.model.regenerate import Remake, Rule, regeneration_of, remakes_of
from sidecar.model.words import named, shown, some
from sidecar.operations.merge.run import MergeChoices, Strategy
from sidecar.session.overlaps import OverlapCache
from sidecar.session.reader import Sources

MOST_REPLAYED = 200
"""How many commits of a rebase are tried out; what comes after is found out when it is made."""

MOST_NAMED = 5

TOO_LARGE = "what is not committed there is too large to compare (sidecar.maxFileSize), or could not be read"


@dataclass(frozen=True, slots=True)
class Forecast:
    """The tree that trunk would have, None where the merge stops; what differs from trunk; what to tell a person.

    `remakes` are the commands that make anew all that the merge conflicts in, where that can be done.
    """

    tree: str | None
    changes: Mapping[str, Change] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    remakes: tuple[Remake, ...] = ()


def forecast(
    sources: Sources, trunk: Trunk, state: WorktreeState, choices: MergeChoices, rules: Sequence[Rule] = ()
) -> Forecast:
    """Give git's answer for trunk and this state of the worktree; raises GitError when it gives none.

    `rules` are the person's own about what tools make.
    """
    assert trunk.commit is not None
    assert state.changes is not None
    objects = sources.quarantine.objects
    trunk_tree = tree_of(objects, trunk.commit)
    merge = _merge(sources, trunk.commit, trunk_tree, state)
    tree = merge.tree
    findings: list[Finding] = []
    remakes = remakes_in(sources, merge, trunk_tree, rules) if choices.strategy != "rebase" else ()
    if remakes and choices.regenerate:
        findings.append(_remade(trunk, state, remakes))
    elif not merge.clean:
        findings.append(_conflict(sources, trunk, state, merge, choices.strategy, remakes))
    elif choices.strategy == "rebase":
        tree, stopped = _replay(sources, trunk, state, trunk_tree)
        findings += stopped
    changes = sources.trees.touched(trunk_tree, tree)
    return Forecast(tree if not findings else None, changes, tuple(findings), remakes)


def remakes_in(sources: Sources, merge: Merge, into: str, rules: Sequence[Rule]) -> tuple[Remake, ...]:
    """Give the commands that make anew all that git stops at; none where it stops at anything else, or cleanly.

    Both sides have a regular file there. What git says of any other path is a conflict that nobody makes anew.
    """
    told = {path for message in merge.messages if message.text.startswith("CONFLICT") for path in message.paths}
    both = (2, 3)
    paths = {path for path, of in merge.stages.items() if all(side in of and of[side].is_file for side in both)}
    if merge.clean or not paths or paths != merge.stages.keys() or not told <= paths:
        return ()
    said = sources.judge.programs.generated(sorted(paths), into)
    known = {path: one for path in paths if (one := regeneration_of(path, rules, said[path])) is not None}
    return remakes_of(known) if known.keys() == paths else ()


def _remade(trunk: Trunk, state: WorktreeState, remakes: Sequence[Remake]) -> Finding:
    name, branch = shown(state.worktree.name), shown(trunk.branch)
    said = (
        f"{name} conflicts with {branch} only in files that tools make. They are made anew: {remakes_clause(remakes)}."
    )
    return finding("regenerate", said, tuple(sorted(path for one in remakes for path in one.paths)))


def as_remade(found: Finding, remakes: Sequence[Remake]) -> Finding:
    """Give a finding as it is told once the merge is made."""
    return replace(found, message=f"Made anew: {remakes_clause(remakes)}.") if found.code == "regenerate" else found


def _merge(sources: Sources, trunk_commit: str, trunk_tree: str, state: WorktreeState) -> Merge:
    assert state.worktree.head is not None
    assert state.changes is not None
    bases = sources.history.merge_bases(*sorted((trunk_commit, state.worktree.head)))
    base = tree_of(sources.quarantine.objects, bases[0])
    touched = {*sources.trees.touched(base, trunk_tree), *sources.trees.touched(base, state.changes.tree)}
    question = Question(trunk_tree, state.changes.tree, base)
    if len(bases) > 1:
        question = Question(trunk_tree, state.changes.tree, None, (trunk_commit, state.worktree.head))
    return sources.judge.merge_trees(question, touched)


def _conflict(
    sources: Sources,
    trunk: Trunk,
    state: WorktreeState,
    merge: Merge,
    strategy: Strategy,
    remakes: Sequence[Remake],
) -> Finding:
    """Say where the merge stops, one place a path, the lines being the worktree's own."""
    met = [one for one in OverlapCache(sources).grade(trunk, (state,)).overlaps if one.verdict == "conflict"]
    places: dict[str, str] = {}
    for overlap in met:
        places.setdefault(overlap.path, _place(overlap))
    for path in (without_label(path, merge) for path in merge.stages):
        places.setdefault(path, shown(path))
    paths = tuple(sorted(places))
    where = "; ".join(places[path] for path in paths[:MOST_NAMED])
    more = f"; and {len(paths) - MOST_NAMED} more" if len(paths) > MOST_NAMED else ""
    name, branch = shown(state.worktree.name), shown(trunk.branch)
    said = f"{name} conflicts with {branch}: {where}{more}."
    if state.files.keys() >= set(paths):  # each has a stand-in
        said = f"Whether {name} conflicts with {branch} in {named(paths)} is only known when it is merged: {TOO_LARGE}."
        return finding("not-compared", said, paths)
    if met and all(is_undecided(one.note) for one in met):
        return finding("conflict", f"{said} {' '.join(sorted({str(one.note) for one in met}))}", paths, severity="info")
    if strategy != "rebase" and (options := _choosing_options(sources, trunk)):
        return finding(
            "conflict",
            f"{said} The options of {branch} ({shown(options)}) may yet resolve that.",
            paths,
            severity="info",
        )
    way = f"Merge {branch} into {name} and resolve it there"
    if remakes:
        way += f", or merge and regenerate (--regenerate): {remakes_clause(remakes)}"
    return finding("conflict", f"{said} {way}.", paths)


def _choosing_options(sources: Sources, trunk: Trunk) -> str | None:
    """Give `branch.<trunk>.mergeOptions` where they choose a strategy or an option of one (git-merge(1), -s, -X)."""
    options = sources.surroundings.config.get(f"branch.{trunk.branch}.mergeoptions") or ""
    return options if re.search(r"(^|\s)(-[sX]|--strategy)", options) else None


def _place(overlap: Overlap) -> str:
    side = next((one for one in overlap.sides if one.key != TRUNK_KEY), overlap.sides[0])
    where = f" ({lines(side.regions)})" if side.regions else ""
    return f"{shown(overlap.path)}{where}"


def _replay(sources: Sources, trunk: Trunk, state: WorktreeState, trunk_tree: str) -> tuple[str, Sequence[Finding]]:
    """Give the tree after a rebase, commit by commit, or the commit at which it would stop (git-rebase(1))."""
    objects, head = sources.quarantine.objects, state.worktree.head
    assert state.changes is not None
    order = ("rev-list", "--reverse", "--topo-order", "--no-merges", "--cherry-pick", "--right-only", "--parents")
    said = run(sources.repository.place, *order, f"{trunk.commit}...{head}", "--").decode("ascii").splitlines()
    steps = [tuple(line.split(" ")) for line in said][:MOST_REPLAYED]
    trees = [(tree_of(objects, step[1]) if len(step) > 1 else objects.empty_tree, step[0]) for step in steps]
    tree = trunk_tree
    for base, commit in trees:
        theirs = tree_of(objects, commit)
        touched = {*sources.trees.touched(base, tree), *sources.trees.touched(base, theirs)}
        merge = sources.judge.merge_trees(Question(tree, theirs, base), touched)
        if not merge.clean:
            paths = tuple(sorted({without_label(path, merge) for path in merge.stages}))
            advice = f"Merge {shown(trunk.branch)} into it, or choose the strategy merge."
            where = f"{commit[:10]}: {named(paths, MOST_NAMED)}"
            said_so = f"A rebase of {shown(state.worktree.name)} stops at {where}. {advice}"
            return tree, [finding("conflict", said_so, paths)]
        tree = merge.tree
    if head is not None and (head_tree := tree_of(objects, head)) != state.changes.tree:  # what is to be committed
        touched = set(sources.trees.touched(head_tree, state.changes.tree))
        merge = sources.judge.merge_trees(Question(tree, state.changes.tree, head_tree), touched)
        tree = merge.tree
    return tree, []


def unfinished(worktree: Worktree) -> str | None:
    """Begin a sentence about what is unfinished in a worktree: `A rebase`; None when nothing is."""
    words = unfinished_operations(worktree.git_dir)
    return some(words[0]).capitalize() if words else None


def trunk_in_operation(branch: str, worktrees: Iterable[Worktree]) -> Iterator[Finding]:
    """Find the worktrees in which a rebase or bisect of this branch is unfinished: each sets the branch at its end."""
    for holder in (one for one in worktrees if branch in branches_held(one.git_dir)):
        said = f"A rebase or bisect of {shown(branch)} is unfinished in {shown(holder.name)}. Finish or abort it."
        yield finding("trunk-in-operation", said)
