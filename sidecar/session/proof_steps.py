"""Hold one piece of work against trunk: whether a tree has it, and which commit of trunk does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache

from sidecar.git.history import MOST_NAMED, MOST_STEPS, Commit
from sidecar.git.judge import PathQuestion, Question
from sidecar.git.objects import read_blob, tree_of
from sidecar.git.process import GitError
from sidecar.git.trees import BINARY_PROBE
from sidecar.model.changes import Change, ChangeSet, Entry
from sidecar.model.markers import split_lines
from sidecar.model.merging import Merge
from sidecar.model.proof import ADDS_NOTHING, REPLAYED, SAME_CONTENT
from sidecar.session.reader import Sources

MOST_MERGES = 400
"""How many merges one proof may ask for."""


@dataclass(slots=True)
class Effort:
    """What a proof may still spend; `left_out` is one sentence about what was not looked at, `failed` git's own."""

    cancelled: Callable[[], bool]
    left: int = MOST_MERGES
    left_out: str | None = None
    failed: str | None = None

    @property
    def over(self) -> bool:
        """Tell whether nothing more may be asked."""
        over = self.left <= 0 or self.cancelled()
        if over:
            self.left_out = "Not everything was looked at."
        return over


ROOM = 16 << 20
"""Bytes of text that are kept in memory for one proof."""


class Presence:
    """Questions about which trees have which work; all are answered no where git can't tell."""

    def __init__(self, sources: Sources, effort: Effort) -> None:
        self._sources = sources
        self._effort = effort
        self._entry = sources.trees.entry
        self._texts: dict[str, bytes] = {}
        self._room = ROOM
        self._added = lru_cache(maxsize=4096)(self._added_lines)

    def same(self, work: ChangeSet, tree: str) -> bool:
        """Tell whether a tree has exactly this content wherever the work changed something: blob, mode, absence."""
        same = all(self._entry(tree, path) == change.after for path, change in work.touched.items())
        return same and self._has_not_moved(work, tree)

    def _has_not_moved(self, work: ChangeSet, tree: str) -> bool:
        """Tell whether what the work deleted is gone, and not there under another name."""
        sources = {change.old_path for change in work}
        deleted = {path for path, change in work.touched.items() if change.after is None and path not in sources}
        if not deleted:
            return True
        moved = {change.old_path: change for change in self._sources.trees.renames(work.base, tree)}
        return all(
            path not in moved or self._entry(work.tree, moved[path].path) == moved[path].after for path in deleted
        )

    def has(self, work: ChangeSet, tree: str) -> bool:
        """Tell whether merging the work into a tree adds nothing."""
        inexact: list[tuple[Change, Entry | None]] = []
        for path, change in work.touched.items():
            entry = self._entry(tree, path)
            if entry == change.after:
                continue
            if entry == change.before and (entry is not None or work.changes[path].before is None):
                return False
            inexact.append((change, entry))
        if not all(self._may_contain(work.changes.get(change.path, change), entry) for change, entry in inexact):
            return False
        if all(change.before is not None and _is_text_merge(change, entry) for change, entry in inexact):
            return self._has_not_moved(work, tree) and all(self._contains(*one) for one in inexact)
        merge = self.merge(tree, work.tree, work.base)
        return merge is not None and merge.clean and merge.tree == tree

    def replayed(self, work: ChangeSet, before: str, after: str) -> bool:
        """Tell whether replaying the work on `before` gives `after`, where the replay or the work changed something."""
        for path, change in work.touched.items():
            is_rename = work.changes.get(path, change).old_path is not None
            is_plain = not is_rename and self._entry(before, path) == change.before
            if is_plain and self._entry(after, path) != change.after:
                return False
        merge = self.merge(before, work.tree, work.base)
        if merge is None or not merge.clean or merge.tree == before:
            return False
        paths = work.touched.keys() | self._sources.trees.touched(before, merge.tree).keys()
        alike = all(self._entry(after, path) == self._entry(merge.tree, path) for path in paths)
        return alike and self._has_not_moved(work, after)

    def stands(self, change: Change, entry: Entry | None) -> bool | None:
        """Tell whether a path with this content has the change; None where it has neither that nor what was before."""
        if entry in (change.before, change.after):
            return entry == change.after
        if entry is None or change.before is None or change.after is None:
            return None
        undone = Change(change.path, change.after, change.before)
        if not (_is_text_merge(change, entry) and self._is_text(change, entry)):
            return None
        has = self._contains(change, entry) if self._may_contain(change, entry) else False
        lacks = self._contains(undone, entry) if self._may_contain(undone, entry) else False
        return None if has == lacks else has

    def _contains(self, change: Change, entry: Entry | None) -> bool:
        assert change.after is not None
        assert entry is not None
        if self._effort.over:
            return False
        self._effort.left -= 1
        asked = PathQuestion(
            change.path, change.before, entry, change.after, self._sources.quarantine.objects.empty_tree
        )
        try:
            merge = self._sources.plain.merge_path(asked)
        except GitError as error:
            self._effort.failed = error.message
            return False
        return merge.clean and self._entry(merge.tree, change.path) == entry

    def merge(self, ours: str, theirs: str, base: str) -> Merge | None:
        """Give git's built-in merge of whole trees; None where it can't be had."""
        if self._effort.over:
            return None
        self._effort.left -= 1
        asked = Question(ours, theirs, base)
        try:
            return self._sources.plain.merge_trees(asked, (), self._sources.quarantine.objects.empty_tree)
        except GitError as error:
            self._effort.failed = error.message
            return None

    def _may_contain(self, change: Change, entry: Entry | None) -> bool:
        """Tell whether a merge need be asked: what adds nothing has all lines that the change added.

        A file that the change added and that is not there can't come from a rename of it either.
        """
        if entry is None:
            return change.before is not None
        if change.after is None or not (change.after.is_file and entry.is_file):
            return change.after is not None
        try:
            if not self._is_text(change, entry):
                return change.after.oid in (entry.oid, change.before.oid if change.before is not None else None)
            text = self._read(entry.oid)
            return all(line in text for line in self._added(change.before, change.after))
        except GitError as error:
            self._effort.failed = error.message
            return False

    def _read(self, oid: str) -> bytes:
        """Give a blob; kept for this proof, as far as there is room."""
        known = self._texts.get(oid)
        if known is None:
            known = read_blob(self._sources.quarantine.objects, oid)
            self._room -= len(known)
            if self._room > 0:
                self._texts[oid] = known
        return known

    def _added_lines(self, before: Entry | None, after: Entry) -> frozenset[bytes]:
        """Give the lines that a change added."""
        old = set(split_lines(self._read(before.oid))) if before is not None and before.is_file else set()
        return frozenset(split_lines(self._read(after.oid))) - old

    def _is_text(self, change: Change, entry: Entry) -> bool:
        entries = [one for one in (change.before, change.after, entry) if one is not None]
        return not any(b"\0" in self._read(one.oid)[:BINARY_PROBE] for one in entries)


def _is_text_merge(change: Change, entry: Entry | None) -> bool:
    """Tell whether the path can be merged by itself: a regular file before, after, and there."""
    there = entry is not None and entry.is_file
    return there and all(one is None or one.is_file for one in (change.before, change.after))


@dataclass(frozen=True, slots=True)
class Case:
    """What one proof is about: trunk's tip, and what may be spent."""

    sources: Sources
    tip: str
    presence: Presence
    effort: Effort
    trees: dict[str, str] = field(default_factory=dict)

    def tree(self, commit: str) -> str:
        """Give the tree of a commit."""
        if commit not in self.trees:
            self.trees[commit] = tree_of(self.sources.quarantine.objects, commit)
        return self.trees[commit]


@dataclass(frozen=True, slots=True)
class Found:
    """The commit of trunk that has a piece of work, and how it shows."""

    how: str
    commit: str


def work_since(case: Case, base: str, commit: Commit) -> ChangeSet:
    """Give what a commit has changed since another one."""
    return case.sources.trees.changes(case.tree(base), commit.tree)


def steps_since(case: Case, since: str, works: Iterable[ChangeSet]) -> tuple[Commit, ...]:
    """List what trunk stood at since, newest first, where it changed something that these pieces changed too."""
    paths = {path for work in works for path in work.touched}
    paths |= _names_in_trunk(case, since, paths)
    steps = case.sources.ancestry.steps(case.tip, since, frozenset(paths) if len(paths) <= MOST_NAMED else frozenset())
    if len(steps) > MOST_STEPS:
        case.effort.left_out = f"Only the newest {MOST_STEPS:,} of trunk's commits since then were looked at."
    return steps[:MOST_STEPS]


def _names_in_trunk(case: Case, since: str, paths: Collection[str]) -> set[str]:
    """Give what trunk calls these files now, where it renamed them."""
    trees, tip, base = case.sources.trees, case.tree(case.tip), case.tree(since)
    gone = {path for path in paths if trees.entry(tip, path) is None and trees.entry(base, path) is not None}
    return {change.path for change in trees.renames(base, tip) if change.old_path in gone} if gone else set()


def find_whole(
    case: Case, commit: Commit, bases: Sequence[str] | None = None, steps: Sequence[Commit] | None = None
) -> Found | None:
    """Find what proves all that a commit has changed since it and trunk parted: T1 to T3.

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
    """Give the step of trunk that has the work: the same content (T2), or as replayed there (T3).

    It must have come after the points where trunk and the work `parted`. With `anew`, the step must be one that
    brought the work, so that nothing is proved by a time when trunk had neither the work nor what it undoes.
    """
    shown = find_on_line(case, work, parted, steps, anew=anew)
    return shown or next(_on_sides(case, work, parted, steps, anew=anew), None)


def find_on_line(
    case: Case, work: ChangeSet, parted: Sequence[str], steps: Sequence[Commit], *, anew: bool
) -> Found | None:
    """Give the first of the newest steps in a row that have the work."""
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
    """Tell whether a step changed something where the work did, or may have: in a file that trunk has renamed."""
    if touched_by(case, step, work.touched.keys()):
        return True
    if len(work.touched) > MOST_NAMED:
        return False
    entry = case.sources.trees.entry
    return any(
        change.before and change.after and entry(step.tree, path) is None for path, change in work.touched.items()
    )


def touched_by(case: Case, step: Commit, paths: Set[str]) -> set[str]:
    """Tell which of these paths a step changed: looked up one by one, or, of many, as git's comparison says."""
    trees = case.sources.trees
    before = case.tree(step.parents[0]) if step.parents else case.sources.quarantine.objects.empty_tree
    if len(paths) > MOST_NAMED:
        return trees.touched(before, step.tree).keys() & paths
    return {path for path in paths if trees.entry(before, path) != trees.entry(step.tree, path)}


def _on_sides(
    case: Case, work: ChangeSet, parted: Sequence[str], steps: Sequence[Commit], *, anew: bool
) -> Iterator[Found]:
    """Give the commits that came into trunk by a merge that kept what they had."""
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
    """Tell whether a merge has, where the work changed something, what the merged side or git's own merge has."""
    entry = case.sources.trees.entry
    side = case.tree(merge.parents[1])
    if all(entry(merge.tree, path) == entry(side, path) for path in work.touched):
        return True
    auto = automerge(case, merge)
    return auto is not None and all(entry(merge.tree, path) == entry(auto, path) for path in work.touched)


def automerge(case: Case, merge: Commit) -> str | None:
    """Give the tree that git's merge of a merge's parents gives; None where it is not clean, or has several bases."""
    if len(merge.parents) != 2:
        return None
    bases = case.sources.ancestry.bases(*merge.parents)
    if len(bases) != 1:
        return None
    ours, theirs = (case.tree(parent) for parent in merge.parents)
    merged = case.presence.merge(ours, theirs, case.tree(bases[0]))
    return merged.tree if merged is not None and merged.clean else None
