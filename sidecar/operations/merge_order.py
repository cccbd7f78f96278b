"""Find which worktrees are ready to be merged into trunk, and in which order they conflict least (`sidecar plan`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import chain, combinations
from pathlib import Path

from sidecar.git.history import find_trunk
from sidecar.git.judge import Question
from sidecar.git.objects import tree_of, write_commit
from sidecar.git.process import GitError
from sidecar.git.refs import count_files
from sidecar.git.repository import list_worktrees
from sidecar.model.changes import ChangeSet
from sidecar.model.findings import Failure, Finding, finding, is_blocked
from sidecar.model.may_overlap import Footprint, footprint, interplay
from sidecar.model.merge_order import Order, Pair, Turn, find_order, groups, join
from sidecar.model.merging import Merge, extent_of, without_label
from sidecar.model.messages import remakes_clause
from sidecar.model.picture import TRUNK_KEY, Trunk, Worktree, WorktreeState
from sidecar.model.readiness import conflict_sentence, integrated_sentence, nothing_sentence, uncommitted_sentence
from sidecar.model.recipes import Install
from sidecar.model.regenerate import Remake
from sidecar.model.settings import Options
from sidecar.model.words import named, shown
from sidecar.operations.merge.conflicts import remakes_in, unfinished
from sidecar.operations.merge.needs import (
    find_installs,
    numbers_taken,
    participant_of,
    taking_back,
    trunk_since,
    uses_broken,
)
from sidecar.operations.merge.run import MergeChoices
from sidecar.operations.merge_check.cases import failing_together
from sidecar.operations.run import QUIET, Control
from sidecar.session.broken_uses import BrokenUseFinder
from sidecar.session.participants import Participant
from sidecar.session.proof import integrate
from sidecar.session.reader import Sources, ask
from sidecar.session.reading import Reading, read_all, worktree_state
from sidecar.session.regenerate import rules_of

CANCELLED = Failure("cancelled", "The planning was cancelled. Nothing was changed.")


class _CancelledError(Exception):
    """Somebody has asked to stop."""


def plan_order(
    folder: Path, options: Options, control: Control = QUIET, choices: MergeChoices | None = None
) -> Order | Failure:
    """Plan to merge every worktree that could be, those that are ready in the order with the fewest conflicts.

    What counts is what merging brings: the branch's commits. Nothing of the repository is written, or run. `choices`
    are those with which they will be merged: what is allowed, or made anew, stands in nobody's way.
    """
    try:
        return ask(folder, options, lambda sources: _plan(sources, control, choices or MergeChoices()))
    except _CancelledError:
        return CANCELLED


def _plan(sources: Sources, control: Control, choices: MergeChoices) -> Order | Failure:
    worktrees = list_worktrees(sources.repository)
    trunk = find_trunk(sources.repository, worktrees, str(sources.settings["trunk"]))
    if isinstance(trunk, Failure):
        return trunk
    if trunk.commit is None:
        return Failure("no-trunk", f"{trunk.branch} has no commit yet, so nothing can be merged into it.")
    control.stage("Looking at the worktrees")
    linked = [worktree for worktree in worktrees if not worktree.main and worktree.branch != trunk.branch]
    entrants: list[_Entrant] = []
    turned_away: list[Turn] = []
    base = _Base(trunk, trunk.commit, tree_of(sources.quarantine.objects, trunk.commit), choices)
    for reading in read_all(sources, linked):
        if control.cancelled():
            raise _CancelledError
        found = _enter(sources, base, reading, control)
        if isinstance(found, Turn):
            turned_away.append(found)
        else:
            entrants.append(found)
    control.stage("Trying orders")
    return _arrange(sources, base, entrants, turned_away, control)


@dataclass(frozen=True, slots=True)
class _Base:
    """Trunk as it is now, and how merges into it will be made."""

    trunk: Trunk
    commit: str
    tree: str
    choices: MergeChoices


@dataclass(frozen=True)
class _Entrant:
    """A worktree that is ready: its own commits and changes; `unsettled` where trunk has since moved what it changed.

    `paths` has one path of each directory in which it, or trunk since it left, has changed something; `installs` is
    what is run before it is verified.
    """

    state: WorktreeState
    head: str
    own: frozenset[str]
    changes: ChangeSet
    since: ChangeSet
    itself: Participant
    trunk: Participant
    needs: tuple[Finding, ...] = ()
    installs: tuple[Install, ...] = ()

    @property
    def worktree(self) -> Worktree:
        return self.state.worktree

    @cached_property
    def shape(self) -> Footprint:
        return footprint(self.changes.touched)

    @cached_property
    def unsettled(self) -> bool:
        return interplay(self.shape, footprint(self.since.touched)).structural

    @cached_property
    def paths(self) -> frozenset[str]:
        touched = {*self.changes.touched, *self.since.touched}
        return frozenset({path.rpartition("/")[0]: path for path in sorted(touched)}.values())


def _enter(sources: Sources, base: _Base, reading: Reading, control: Control) -> _Entrant | Turn:
    """Give the worktree as one to be merged, or its turn with why it is not."""
    worktree = reading.worktree
    problem = worktree.problem or reading.problem
    if problem is not None or worktree.head is None:
        return Turn(worktree, False, why=problem or "Its branch has no commit yet.")
    if (word := unfinished(worktree)) is not None:
        return Turn(worktree, False, why=f"{word} is in progress. Finish it, or abort it.")
    uncommitted = len(reading.uncommitted.edits)
    objects = sources.quarantine.objects
    if uncommitted:
        installs = find_installs(sources, tree_of(objects, worktree.head))
        return Turn(worktree, False, why=uncommitted_sentence(uncommitted), installs=installs)
    divergence = sources.history.divergence(base.commit, worktree.head)
    if not divergence.own:
        return Turn(worktree, False, why=nothing_sentence(base.trunk.branch))
    state = worktree_state(sources, base.trunk, reading, {})
    if state.changes is None or not divergence.bases:
        return Turn(worktree, False, why=state.problem)
    if integrate(sources, base.trunk, state, control.cancelled).state == "integrated":
        return Turn(worktree, False, why=integrated_sentence(base.trunk.branch))
    itself, other = participant_of(state), trunk_since(sources, state, base.trunk, base.tree)
    undone = tuple(taking_back(sources, state, base.trunk, base.choices))
    needs = (*undone, *numbers_taken(sources, itself, other))
    if is_blocked(undone):
        installs = find_installs(sources, tree_of(objects, worktree.head))
        return Turn(worktree, False, why=undone[0].message, needs=needs, installs=installs)
    entrant = _Entrant(state, worktree.head, divergence.own, state.changes, other.own, itself, other, needs)
    return _try_alone(sources, base, entrant)


def _try_alone(sources: Sources, base: _Base, entrant: _Entrant) -> _Entrant | Turn:
    """Tell whether it merges into trunk as trunk is now."""
    try:
        merge = _merge(sources, base.tree, base.commit, entrant, entrant.paths)
    except GitError as error:
        return Turn(entrant.worktree, False, why=f"It can't be merged: {error.message}")
    paths = _conflicted(merge)
    remakes = _remakes(sources, base, merge)
    if paths and not (remakes and base.choices.regenerate):
        why = conflict_sentence(base.trunk.branch, paths)
        needs = (*entrant.needs, *_regenerating(remakes))
        installs = find_installs(sources, tree_of(sources.quarantine.objects, entrant.head))
        return Turn(entrant.worktree, False, paths, why, needs=needs, installs=installs)
    tried = () if paths else failing_together(sources, base.trunk, entrant.worktree, merge.tree)
    return replace(entrant, installs=find_installs(sources, merge.tree), needs=(*entrant.needs, *tried))


def _remakes(sources: Sources, base: _Base, merge: Merge) -> tuple[Remake, ...]:
    """Give the commands that make anew all that a merge stops at, where that can be done."""
    return () if base.choices.strategy == "rebase" else remakes_in(sources, merge, base.tree, rules_of(sources))


def _regenerating(remakes: Sequence[Remake]) -> Iterator[Finding]:
    """Say that only files that tools make conflict, and by which commands they are made anew."""
    if remakes:
        paths = tuple(sorted(path for one in remakes for path in one.paths))
        said = f"Only files that tools make conflict. --regenerate makes them anew: {remakes_clause(remakes)}."
        yield finding("regenerate", said, paths)


def _merge(sources: Sources, tree: str, commit: str, entrant: _Entrant, paths: frozenset[str]) -> Merge:
    """Merge a branch into a tree that stands for a commit; git itself finds what they have in common."""
    theirs = tree_of(sources.quarantine.objects, entrant.head)
    return sources.judge.merge_trees(Question(tree, theirs, None, (commit, entrant.head)), paths, tree)


def _conflicted(merge: Merge) -> tuple[str, ...]:
    """Give the paths at which the merge stops, without what git appends to one that it moves aside, sorted.

    Where there are no stages, those that git names.
    """
    if merge.clean:
        return ()
    named = (path for message in merge.messages if message.text.startswith("CONFLICT") for path in message.paths)
    stopped = {without_label(path, merge) for path in merge.stages}
    return tuple(sorted(stopped)) or tuple(sorted(set(named))) or ("",)


@dataclass(frozen=True, slots=True)
class _Standing:
    """Trunk after some were merged; once a merge has stopped it is a stand-in, the same whatever the order was."""

    members: frozenset[int]
    tree: str
    settled: bool = True


class _Simulation:
    """Merges into trunk in any order, in the quarantine; what git answered is remembered."""

    def __init__(self, sources: Sources, base: _Base, entrants: Sequence[_Entrant], control: Control) -> None:
        self._sources = sources
        self._base = base
        self._entrants = entrants
        self._control = control
        self._paths = frozenset(path for entrant in entrants for path in entrant.paths)
        self._stand_ins: dict[tuple[int, ...], str] = {}
        self.remakes: dict[tuple[frozenset[int], int], tuple[Remake, ...]] = {}
        self.start = _Standing(frozenset(), base.tree)

    def step(self, standing: _Standing, member: int) -> tuple[_Standing, tuple[str, ...]]:
        """Give what stands after one more is merged, and the paths at which that stops."""
        if self._control.cancelled():
            raise _CancelledError
        merge = self._merge(standing.tree, standing.members, member)
        members, paths = standing.members | {member}, _conflicted(merge)
        if paths:
            self.remakes[standing.members, member] = _remakes(self._sources, self._base, merge)
        if standing.settled and not paths:
            return _Standing(members, merge.tree), ()
        return _Standing(members, self._stand_in(tuple(sorted(members))), settled=False), paths

    def _stand_in(self, members: tuple[int, ...]) -> str:
        """Give the tree after merging these as they are listed, conflicts as git leaves them."""
        if not members:
            return self._base.tree
        if members not in self._stand_ins:
            before = self._stand_in(members[:-1])
            self._stand_ins[members] = self._merge(before, frozenset(members[:-1]), members[-1]).tree
        return self._stand_ins[members]

    def _merge(self, tree: str, members: frozenset[int], member: int) -> Merge:
        heads = sorted(self._entrants[number].head for number in members)
        commit = self._base.commit
        if heads:
            commit = write_commit(self._sources.quarantine.objects, tree, (commit, *heads))
        return _merge(self._sources, tree, commit, self._entrants[member], self._paths)


def _arrange(
    sources: Sources, base: _Base, entrants: Sequence[_Entrant], turned_away: Sequence[Turn], control: Control
) -> Order:
    simulation = _Simulation(sources, base, entrants, control)
    together = groups(len(entrants), lambda one, two: _can_meet(entrants[one], entrants[two]))
    found = [find_order(members, simulation.start, simulation.step) for members in together]
    pairs = []
    for one, two in (pair for members in together for pair in combinations(members, 2)):
        if _can_meet(entrants[one], entrants[two]):
            paths = simulation.step(simulation.step(simulation.start, one)[0], two)[1]
            if paths:
                pairs.append(Pair((entrants[one].worktree, entrants[two].worktree), paths))
    pairs.sort(key=lambda pair: -len(pair.paths))
    turns: list[Turn] = []
    merged: list[int] = []
    remade = {
        member: simulation.remakes.get((frozenset(before for before, _ in sequence.steps[:at]), member), ())
        for sequence in found
        for at, (member, _) in enumerate(sequence.steps)
    }
    count = cache(lambda: count_files(sources.repository.place, base.commit))
    broken = BrokenUseFinder(sources).find(base.trunk, [entrant.state for entrant in entrants]) or ()
    for number, paths in join(found):
        worktree, changes = entrants[number].worktree, entrants[number].changes
        why = _stops(base, worktree, paths, turns, pairs) if paths else None
        entrant = entrants[number]
        taken = (numbers_taken(sources, entrant.itself, entrants[before].itself) for before in merged)
        breaks = uses_broken(broken, worktree.key, [TRUNK_KEY, *(entrants[before].worktree.key for before in merged)])
        needs = (*entrant.needs, *chain.from_iterable(taken), *breaks, *_regenerating(remade[number]))
        extent = extent_of(changes.touched.values(), count)
        turns.append(Turn(worktree, True, paths, why, extent, needs, entrant.installs))
        merged.append(number)
    exact = all(sequence.exact for sequence in found)
    return Order(base.trunk, (*turns, *turned_away), tuple(pairs), exact)


def _can_meet(one: _Entrant, two: _Entrant) -> bool:
    """Tell whether the order of the two can matter at all."""
    if one.unsettled or two.unsettled or not one.own.isdisjoint(two.own):
        return True
    return bool(interplay(one.shape, two.shape))


def _stops(
    base: _Base, worktree: Worktree, paths: tuple[str, ...], before: Sequence[Turn], pairs: Sequence[Pair]
) -> str:
    """Tell whom a merge conflicts with that comes before it, and where."""
    partners = [
        turn.worktree.name
        for turn in before
        for pair in pairs
        if {turn.worktree, worktree} == set(pair.worktrees) and not set(paths).isdisjoint(pair.paths)
    ]
    whom = named(partners) or ("what is merged before it" if before else shown(base.trunk.branch))
    return f"Conflicts with {whom} in {named(paths)}."
