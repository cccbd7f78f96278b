"""One piece of work against trunk: which commit of trunk has it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field

from sidecar.git.objects import tree_of
from sidecar.git.witnesses import MOST_NAMED, MOST_STEPS, Commit
from sidecar.model.changes import ChangeSet
from sidecar.model.proof import ADDS_NOTHING, REPLAYED, SAME_CONTENT
from sidecar.session.presence import Effort, Presence
from sidecar.session.sources import Sources


@dataclass(frozen=True, slots=True)
class Case:
    """What one proof is about: trunk's tip, and what may be spent."""

    sources: Sources
    tip: str
    presence: Presence
    effort: Effort
    trees: dict[str, str] = field(default_factory=dict)

    def tree(self, commit: str) -> str:
        """The tree of a commit."""
        if commit not in self.trees:
            self.trees[commit] = tree_of(self.sources.quarantine.objects, commit)
        return self.trees[commit]


@dataclass(frozen=True, slots=True)
class Found:
    """The commit of trunk that has a piece of work, and how it shows."""

    how: str
    commit: str


def work_since(case: Case, base: str, commit: Commit) -> ChangeSet:
    """What a commit has otherwise than another one."""
    return case.sources.trees.changes(case.tree(base), commit.tree)


def steps_since(case: Case, since: str, works: Iterable[ChangeSet]) -> tuple[Commit, ...]:
    """What trunk stood at since, newest first, where it changed something that these pieces of work changed too."""
    paths = {path for work in works for path in work.touched}
    paths |= _names_in_trunk(case, since, paths)
    steps = case.sources.ancestry.steps(case.tip, since, frozenset(paths) if len(paths) <= MOST_NAMED else frozenset())
    if len(steps) > MOST_STEPS:
        case.effort.left_out = f"Only the newest {MOST_STEPS:,} of trunk's commits since then were looked at."
    return steps[:MOST_STEPS]


def _names_in_trunk(case: Case, since: str, paths: Collection[str]) -> set[str]:
    """What trunk calls these files now, where it renamed them."""
    trees, tip, base = case.sources.trees, case.tree(case.tip), case.tree(since)
    gone = {path for path in paths if trees.entry(tip, path) is None and trees.entry(base, path) is not None}
    return {change.path for change in trees.renames(base, tip) if change.old_path in gone} if gone else set()


def find_whole(
    case: Case, commit: Commit, bases: Sequence[str] | None = None, steps: Sequence[Commit] | None = None
) -> Found | None:
    """What proves all that a commit has otherwise than trunk had where they parted: T1 to T3.

    None also where they parted at several points or at none, and where nothing differs in the end. `bases` and `steps`
    are given where they are known.
    """
    bases = case.sources.ancestry.bases(case.tip, commit.id) if bases is None else bases
    if len(bases) != 1:
        return None
    work = work_since(case, bases[0], commit)
    if not work.touched:
        return None
    if case.presence.has(work, case.tree(case.tip)):
        return Found(ADDS_NOTHING, case.tip)
    return find_witness(case, work, bases, steps_since(case, bases[0], [work]) if steps is None else steps)


def find_witness(
    case: Case, work: ChangeSet, parted: Sequence[str], steps: Sequence[Commit], *, anew: bool = False
) -> Found | None:
    """The step of trunk that has the work: the same content (T2), or as replayed there (T3).

    It must have come after the points where trunk and the work `parted`. With `anew`, the step must be one that
    brought the work, so that nothing is proved by a time when trunk had neither the work nor what it undoes.
    """
    shown = find_on_line(case, work, parted, steps, anew=anew)
    return shown or next(_on_sides(case, work, parted, steps, anew=anew), None)


def find_on_line(
    case: Case, work: ChangeSet, parted: Sequence[str], steps: Sequence[Commit], *, anew: bool
) -> Found | None:
    """The first of the newest steps in a row that have the work."""
    found = None
    for step in steps:
        if case.effort.over:
            break
        if not step.parents:
            continue  # the edge of a shallow clone, or a root: what was before is not known
        before = case.tree(step.parents[0])
        many = len(work.touched) > MOST_NAMED
        if not many and not touches(case, step, work):
            continue
        how = _shows(case, work, before, step.tree, anew=anew)
        if many and how and not touches(case, step, work):
            continue
        if how and all(case.sources.ancestry.contains(step.id, point) for point in parted):
            found = Found(how, step.id)
        elif found is not None:
            break
    return found


def _shows(case: Case, work: ChangeSet, before: str, after: str, *, anew: bool) -> str | None:
    presence = case.presence
    if presence.same(work, after):
        return SAME_CONTENT
    if presence.has(work, after):
        return None if anew and presence.has(work, before) else REPLAYED
    return REPLAYED if presence.replayed(work, before, after) else None


def touches(case: Case, step: Commit, work: ChangeSet) -> bool:
    """Whether a step changed something where the work did, or may have: in a file that trunk has renamed."""
    if touched_by(case, step, work.touched.keys()):
        return True
    if len(work.touched) > MOST_NAMED:
        return False
    entry = case.sources.trees.entry
    return any(
        change.before and change.after and entry(step.tree, path) is None for path, change in work.touched.items()
    )


def touched_by(case: Case, step: Commit, paths: Set[str]) -> set[str]:
    """Which of these paths a step changed: looked up one by one, or, of many, as git's comparison says."""
    trees = case.sources.trees
    before = case.tree(step.parents[0]) if step.parents else case.sources.quarantine.objects.empty_tree
    if len(paths) > MOST_NAMED:
        return trees.touched(before, step.tree).keys() & paths
    return {path for path in paths if trees.entry(before, path) != trees.entry(step.tree, path)}


def _on_sides(
    case: Case, work: ChangeSet, parted: Sequence[str], steps: Sequence[Commit], *, anew: bool
) -> Iterator[Found]:
    """The commits that came into trunk by a merge that kept what they had."""
    ancestry = case.sources.ancestry
    for step in steps:
        if len(step.parents) != 2 or case.effort.over:
            continue
        ours, theirs = step.parents
        if touches(case, step, work) and _kept(case, work, step):
            side = ancestry.steps(
                theirs, ours, frozenset(work.touched) if len(work.touched) <= MOST_NAMED else frozenset()
            )
            found = find_on_line(case, work, parted, side[:MOST_STEPS], anew=anew)
            if found is not None:
                yield found


def _kept(case: Case, work: ChangeSet, merge: Commit) -> bool:
    """Whether a merge has, where the work changed something, what the merged side or git's own merge has."""
    entry = case.sources.trees.entry
    side = case.tree(merge.parents[1])
    if all(entry(merge.tree, path) == entry(side, path) for path in work.touched):
        return True
    auto = automerge(case, merge)
    return auto is not None and all(entry(merge.tree, path) == entry(auto, path) for path in work.touched)


def automerge(case: Case, merge: Commit) -> str | None:
    """The tree that git's merge of a merge's parents gives; None where it is not clean, or has several bases."""
    if len(merge.parents) != 2:
        return None
    bases = case.sources.ancestry.bases(*merge.parents)
    if len(bases) != 1:
        return None
    ours, theirs = (case.tree(parent) for parent in merge.parents)
    merged = case.presence.merge(ours, theirs, case.tree(bases[0]))
    return merged.tree if merged is not None and merged.clean else None
