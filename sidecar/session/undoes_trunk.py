"""Find what a worktree takes back of trunk without saying so: git merges it without a word, and no test sees it.

A stale buffer, a checkout of an old file, a conflict resolved to one side: the worktree's file is as it was before a
commit of trunk, or the very lines that the commit changed are as they were before it. Exact first, then by lines. What
is in doubt is not told, because a notice that is wrong once a week is turned off.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sidecar.git.history import Commit, LoggedCommit
from sidecar.git.objects import tree_of
from sidecar.git.process import GitError
from sidecar.git.repository import NOT_FETCHED
from sidecar.model.changes import Change, Entry
from sidecar.model.hunks import Hunk, landing
from sidecar.model.picture import Trunk, Undone, WorktreeState
from sidecar.model.taking_back import (
    differ_by_format,
    differ_by_imports,
    differ_by_marks,
    goes_back,
    names,
    says,
    says_so,
)
from sidecar.session.intended import NOTHING, Intended
from sidecar.session.reader import Sources
from sidecar.session.regenerate import regenerations

MOST_COMMITS = 300
"""How many of trunk's commits before the fork point are looked at."""

RECENT = 30 * 86400
"""Seconds before the newest of them in which a commit counts as lately."""

MOST_PATHS = 500
"""A worktree that changed more files is a rewrite: nothing is told of it."""

MOST_OWN = 200
"""A worktree with more commits of its own is a line of development, not a task: nothing is told of it."""

MOST_OF_A_PATH = 20
"""How many commits of one path are looked at."""

LEAST_LINES = 3
"""How many lines that say something a commit must have added before their mere removal counts as taking it back."""


@dataclass(frozen=True, slots=True)
class _Version:
    """A commit of trunk that changed a file, whatever it was called then."""

    commit: LoggedCommit
    before: Entry | None
    after: Entry


@dataclass(frozen=True, slots=True)
class _Deed:
    """What a commit did to a file in one hunk: these lines became those."""

    hunk: Hunk
    was: tuple[bytes, ...]
    became: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What is taken back, path by path; of the paths `unread` it is not known, since a partial clone lacks versions."""

    undone: tuple[Undone, ...] = ()
    unread: tuple[str, ...] = ()


def find_undone(
    sources: Sources,
    state: WorktreeState,
    trunk: Trunk,
    intended: Intended = NOTHING,
    make_way: Callable[[], object] = lambda: None,
) -> TakenBack:
    """Find what a worktree's present state takes back of trunk, but what is intended. GitError.

    `make_way` is called between two files.
    """
    changes, fork = state.changes, state.fork_point
    if changes is None or fork is None or trunk.commit is None or not 0 < len(changes.changes) <= MOST_PATHS:
        return TakenBack()
    made = regenerations(sources, changes.changes, changes.tree).keys()
    edited = [one for one in changes if _is_edit(one) and one.path not in made]
    if not edited:
        return TakenBack()
    return _Look(sources, state, trunk.commit, fork, made, intended, make_way).undone(edited)


def _is_edit(change: Change) -> bool:
    before, after = change.before, change.after
    return before is not None and after is not None and before.is_file and after.is_file and before.oid != after.oid


@dataclass
class _Look:
    """One look at one worktree; what several files ask is read once. `made` are the files that tools make.

    `intended` has the commits, by path, of which a person has said that taking them back is intended.
    """

    sources: Sources
    state: WorktreeState
    tip: str
    fork: str
    made: Collection[str]
    intended: Intended
    make_way: Callable[[], object]

    def undone(self, edited: Sequence[Change]) -> TakenBack:
        """Look at each edited file; a commit is told with every file in which it is taken back."""
        found: list[Undone] = []
        unread: list[str] = []
        for change in edited:
            try:
                if (one := self._look_at(change)) is not None:
                    found.append(one)
            except GitError as error:
                if NOT_FETCHED not in error.message:
                    raise
                unread.append(change.path)
        if len(unread) == len(edited):
            return TakenBack(unread=tuple(unread))
        taken_back = {one.commit for one in found}.union(*self.intended.values())
        undone = (*found, *self._deleted(taken_back))
        return TakenBack(undone if not undone or len(self._own) <= MOST_OWN else (), tuple(unread))

    def _look_at(self, change: Change) -> Undone | None:
        """Look at an edited file.

        Who only made it, or changed it before it was called so, did nothing to it that could be taken back.
        """
        history = self._histories[change.path]
        return self._of(change, history) if any(one.before is not None for one in history) else None

    def _deleted(self, taken_back: Collection[str]) -> Iterator[Undone]:
        """Find deleted files that a commit added which is taken back elsewhere."""
        for change in self.state.changes or ():
            if change.after is None and change.path not in self.made:
                history = self._histories[change.path]
                added = bool(history) and history[-1].before is None and history[-1].commit.id in taken_back
                if added and (left := self._unintended(change, history)) and not self._is_told(change):
                    yield _undone(change, left, ())

    @cached_property
    def _log(self) -> tuple[LoggedCommit, ...]:
        """Give the commits of trunk that count as lately, the newest first."""
        log = self.sources.ancestry.log(self.fork, most=MOST_COMMITS)
        since = max((commit.time for commit in log), default=0) - RECENT
        return tuple(one for one in log if one.time >= since or one.id in self._late)

    @cached_property
    def _own(self) -> tuple[LoggedCommit, ...]:
        """Give the worktree's own commits, merges among them."""
        head = self.state.worktree.head
        return self.sources.ancestry.log(head, f"^{self.fork}", most=MOST_COMMITS) if head else ()

    @cached_property
    def _late(self) -> frozenset[str]:
        """Give the commits of trunk that the branch got after it began: by merging trunk, mostly."""
        head, ancestry = self.state.worktree.head, self.sources.ancestry
        began = self.fork if head is None else _began(ancestry.own(self.fork, head), head, self.fork)
        return frozenset() if began == self.fork else ancestry.missing(self.fork, began, MOST_COMMITS)

    @cached_property
    def _histories(self) -> Mapping[str, Sequence[_Version]]:
        """Give the commits of trunk that changed each file of the worktree's, the newest first, through renames."""
        found: dict[str, list[_Version]] = {}
        called: dict[str, list[list[_Version]]] = {}
        for change in self.state.changes or ():
            called.setdefault(change.old_path or change.path, []).append(found.setdefault(change.path, []))
        for commit in self._log:
            for one in commit.changes:
                if one.after is not None and one.path in called:
                    histories = [history for history in called[one.path] if len(history) < MOST_OF_A_PATH]
                    for history in histories:
                        history.append(_Version(commit, one.before, one.after))
                    if one.old_path is not None:
                        del called[one.path]
                        called.setdefault(one.old_path, []).extend(histories)
        return found

    def _of(self, change: Change, history: Sequence[_Version]) -> Undone | None:
        assert change.before is not None
        assert change.after is not None
        self.make_way()
        before, after, trees = change.before.oid, change.after.oid, self.sources.trees
        if trees.is_binary(before) or trees.is_binary(after):
            return None
        here = trees.hunks(before, after)
        added = [line for hunk in here for line in trees.lines(after)[hunk.start : hunk.end]]
        undone = self._exact(change, history, here) or self._by_lines(change, history, here)
        if undone is None or self._is_told(change) or self._is_formatting(change):
            return None
        is_back = self._went_elsewhere(change, undone.hunks, added) or self._is_gone_in_trunk(change)
        return None if is_back else undone

    def _exact(self, change: Change, history: Sequence[_Version], here: Sequence[Hunk]) -> Undone | None:
        """Find the commit before which the file was as it is now: it and all since are taken back."""
        assert change.after is not None
        for number, version in enumerate(history):
            if version.before is not None and version.before.oid == change.after.oid:
                taken = history[: number + 1]
                left = self._unintended(change, taken)
                return _undone(change, left, here) if left and any(self._weighs(change, one) for one in taken) else None
        return None

    def _by_lines(self, change: Change, history: Sequence[_Version], here: Sequence[Hunk]) -> Undone | None:
        """Find a commit of which all that it did to the file is taken back, or some of it, where it came in late."""
        assert change.before is not None
        assert change.after is not None
        trees = self.sources.trees
        old, new = (trees.lines(entry.oid) for entry in (change.before, change.after))
        for version in history:
            if not self._unintended(change, [version]):
                continue
            theirs = [one for one in self._did(version) if not differ_by_format(one.was, one.became)]
            taken = [
                (mine, one)
                for one in theirs
                for mine in here
                if goes_back(old[mine.base : mine.base_end], new[mine.start : mine.end], one.became, one.was)
                and _meets(mine, one.hunk, trees.hunks(version.after.oid, change.before.oid))
            ]
            back = list(dict.fromkeys(one for _, one in taken))
            whole = len(back) == len(theirs)
            if taken and (whole or version.commit.id in self._late) and self._weighs(change, version, back):
                return _undone(change, [version], dict.fromkeys(mine for mine, _ in taken), exact=False)
        return None

    def _did(self, version: _Version) -> list[_Deed]:
        """Give what a commit did to a file, hunk by hunk; nothing where it made it."""
        if version.before is None or not version.before.is_file:
            return []
        trees = self.sources.trees
        was, became = (trees.lines(entry.oid) for entry in (version.before, version.after))
        return [
            _Deed(hunk, tuple(was[hunk.base : hunk.base_end]), tuple(became[hunk.start : hunk.end]))
            for hunk in trees.hunks(version.before.oid, version.after.oid)
        ]

    def _unintended(self, change: Change, taken: Sequence[_Version]) -> list[_Version]:
        """Give those that a person has not said are taken back on purpose."""
        intended = self.intended.get(change.path, frozenset())
        return [one for one in taken if one.commit.id not in intended]

    def _weighs(self, change: Change, version: _Version, deeds: Sequence[_Deed] | None = None) -> bool:
        """Tell whether a commit did enough to a file that its being taken back is neither a coincidence nor meant."""
        deeds = [
            one
            for one in (self._did(version) if deeds is None else deeds)
            if not differ_by_imports(one.was, one.became)
            and not differ_by_marks(one.was, one.became)
            and not (self._is_named(change, one) and version.commit.id not in self._late)
        ]
        added = [line for one in deeds for line in one.became if says(line)]
        return any(says(line) for one in deeds for line in one.was) or len(added) >= LEAST_LINES

    def _is_named(self, change: Change, deed: _Deed) -> bool:
        """Tell whether a commit of the worktree's own that touches the file names what the lines are about.

        What is not committed has no name: the commits before it speak of something else.
        """
        head = self.state.worktree.head
        if head is None:
            return False
        committed = self.sources.trees.entry(tree_of(self.sources.quarantine.objects, head), change.path)
        return committed == change.after and any(
            names(commit.subject, (*deed.was, *deed.became)) for commit in self._own_of(change)
        )

    def _own_of(self, change: Change) -> Iterator[LoggedCommit]:
        """Give the worktree's own commits that touch a file."""
        paths = set(change.names)
        return (commit for commit in self._own if any(paths & set(one.names) for one in commit.changes))

    def _is_told(self, change: Change) -> bool:
        """Tell whether a commit of the worktree's own that touches the file says that something goes back."""
        return any(says_so(commit.message) for commit in self._own_of(change))

    def _is_formatting(self, change: Change) -> bool:
        assert change.before is not None
        assert change.after is not None
        lines = self.sources.trees.lines
        return differ_by_format(lines(change.before.oid), lines(change.after.oid))

    def _went_elsewhere(self, change: Change, taken: Sequence[Hunk], added: Iterable[bytes]) -> bool:
        """Tell whether every line that goes there is added again, in this file or in another one of the worktree's."""
        assert change.before is not None
        old = self.sources.trees.lines(change.before.oid)
        gone = {line.strip() for hunk in taken for line in old[hunk.base : hunk.base_end] if says(line)}
        if not gone:
            return False
        left = gone - {line.strip() for line in added}
        for other in self.state.changes or ():
            if left and other.after is not None and other.after.is_file and other.path != change.path:
                left -= {line.strip() for line in self._added(other.before, other.after)}
        return not left

    def _added(self, before: Entry | None, after: Entry) -> list[bytes]:
        trees = self.sources.trees
        if trees.is_binary(after.oid):
            return []
        if before is None or not before.is_file:
            return trees.lines(after.oid)
        lines = trees.lines(after.oid)
        return [line for hunk in trees.hunks(before.oid, after.oid) for line in lines[hunk.start : hunk.end]]

    def _is_gone_in_trunk(self, change: Change) -> bool:
        """Tell whether trunk itself has none of the lines any more: then there is nothing left to take back."""
        assert change.before is not None
        assert change.after is not None
        trees = self.sources.trees
        theirs = trees.entry(tree_of(self.sources.quarantine.objects, self.tip), change.old_path or change.path)
        if theirs is None or not theirs.is_file or theirs.oid == change.after.oid:
            return True
        if theirs.oid == change.before.oid:
            return False
        gone = self._added(change.after, change.before)
        there = {line.strip() for line in trees.lines(theirs.oid)}
        return not any(line.strip() in there for line in gone if says(line))


def _undone(change: Change, taken: Sequence[_Version], hunks: Iterable[Hunk], *, exact: bool = True) -> Undone:
    """Make what is told of a file that takes back these commits, the newest first."""
    assert change.before is not None
    *since, commit = [one.commit for one in taken]
    said = commit.id, commit.subject, commit.author
    later = tuple(one.id for one in since)
    return Undone(change.path, change.before, change.after, *said, tuple(hunks), exact, later)


def _began(own: Sequence[Commit], head: str, fork: str) -> str:
    """Give the commit of trunk on which a branch began: where its first parents leave the commits of its own."""
    by_id: Mapping[str, Commit] = {commit.id: commit for commit in own}
    at = head
    while at in by_id and by_id[at].parents:
        at = by_id[at].parents[0]
    return at if at != head else fork


def _meets(mine: Hunk, theirs: Hunk, since: Sequence[Hunk]) -> bool:
    """Tell whether a hunk touches what an earlier one made, where that is by now, after the hunks since."""
    place = landing(replace(theirs, base=theirs.start, base_count=theirs.count), since)
    return mine.base <= place.end and place.start - 1 <= mine.base_end
