"""Find what a worktree takes back of trunk without saying so: git merges it without a word, and no test sees it.

A stale buffer, a checkout of an old file, a conflict resolved to one side: the worktree's file is as it was before a
commit of trunk, or the very lines that the commit changed are as they were before it. Exact first, then by lines. What
is in doubt is not told, because a notice that is wrong once a week is turned off.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sidecar.git.history import Commit, LoggedCommit
from sidecar.git.objects import tree_of
from sidecar.git.process import GitError
from sidecar.model.changes import Change, Entry
from sidecar.model.formatting import differ_by_format
from sidecar.model.hunks import Hunk
from sidecar.model.picture import Picture, Trunk, Undone, WorktreeState
from sidecar.session.background import BackgroundJob, Foreground
from sidecar.session.intended import NOTHING, Intended, IntendedRecord, is_intended
from sidecar.session.reader import Sources
from sidecar.session.regenerate import regenerations

QUIET, PATIENCE = 0.25, 3.0
"""Seconds without another Picture after which it is looked, and those for which one waits at the most."""

MOST_COMMITS = 300
"""How many of trunk's commits before the fork point are looked at."""

RECENT = 30 * 86400
"""Seconds before the newest of them in which a commit counts as lately."""

MOST_PATHS = 500
"""A worktree that changed more files is a rewrite: nothing is told of it."""

MOST_OF_A_PATH = 20
"""How many commits of one path are looked at."""

LEAST_LINES = 3
"""How many lines that say something a commit must have added before their mere removal counts as taking it back."""

SAYS_SO = re.compile(
    r"\b(revert(s|ed|ing)?|back(s|ed|ing)?[ -]?out|roll(s|ed|ing)?[ -]?back|undo(es|ne|ing)?|restor(e|es|ed|ing)|"
    r"(tak|bring)(e|es|s|ing)? back|downgrad(e|es|ed|ing)|remov(e|es|ed|ing)|drop(s|ped|ping)?|delet(e|es|ed|ing)|"
    r"disabl(e|es|ed|ing)|unpin(s|ned|ning)?|again)\b",
    re.IGNORECASE,
)
"""Words by which a message says that something goes, or goes back."""


@dataclass(frozen=True, slots=True)
class _Version:
    """A commit of trunk that changed a file, whatever it was called then; `late`: it came in after the branch began."""

    commit: LoggedCommit
    before: Entry | None
    after: Entry
    late: bool


def find_undone(
    sources: Sources, state: WorktreeState, trunk: Trunk, intended: Intended = NOTHING
) -> tuple[Undone, ...]:
    """Find what a worktree's present state takes back of trunk, path by path, but what is intended. GitError."""
    changes, fork = state.changes, state.fork_point
    if changes is None or fork is None or trunk.commit is None or not 0 < len(changes.changes) <= MOST_PATHS:
        return ()
    made = regenerations(sources, changes.changes, changes.tree).keys()
    edited = [one for one in changes if _is_edit(one) and one.path not in made]
    if not edited:
        return ()
    return _Look(sources, state, trunk.commit, fork, made, intended).undone(edited)


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

    def undone(self, edited: Sequence[Change]) -> tuple[Undone, ...]:
        """Look at each edited file; a commit is told with every file in which it is taken back."""
        looked_at = (self._of(change, history) for change in edited if (history := self._history(change)))
        found = [one for one in looked_at if one is not None]
        taken_back = {one.commit for one in found}.union(*self.intended.values())
        return (*found, *self._deleted(taken_back))

    def _deleted(self, taken_back: Collection[str]) -> Iterator[Undone]:
        """Find deleted files that a commit added which is taken back elsewhere."""
        for change in self.state.changes or ():
            if change.after is None and change.path not in self.made and not self._is_told(change):
                history = self._history(change)
                added = bool(history) and history[-1].before is None and history[-1].commit.id in taken_back
                if added and (left := self._unintended(change, history)):
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

    def _history(self, change: Change) -> list[_Version]:
        """Give the commits of trunk that changed the file, the newest first, through renames."""
        name, found = change.old_path or change.path, list[_Version]()
        for commit in self._log:
            for one in commit.changes:
                if one.path == name and one.after is not None and len(found) < MOST_OF_A_PATH:
                    found.append(_Version(commit, one.before, one.after, commit.id in self._late))
                    name = one.old_path or name
        return found

    def _of(self, change: Change, history: Sequence[_Version]) -> Undone | None:
        assert change.before is not None
        assert change.after is not None
        before, after, trees = change.before.oid, change.after.oid, self.sources.trees
        if trees.is_binary(before) or trees.is_binary(after) or self._is_told(change) or self._is_formatting(change):
            return None
        here = trees.hunks(before, after)
        added = [line for hunk in here for line in trees.lines(after)[hunk.start : hunk.end]]
        undone = self._exact(change, history, here) or self._by_lines(change, history, here)
        if undone is None or self._went_elsewhere(change, here, added) or self._is_gone_in_trunk(change):
            return None
        return undone

    def _exact(self, change: Change, history: Sequence[_Version], here: Sequence[Hunk]) -> Undone | None:
        """Find the commit before which the file was as it is now: it and all since are taken back."""
        assert change.after is not None
        for number, version in enumerate(history):
            if version.before is not None and version.before.oid == change.after.oid:
                taken = history[: number + 1]
                left = self._unintended(change, taken)
                return _undone(change, left, here) if left and any(self._weighs(one) for one in taken) else None
        return None

    def _by_lines(self, change: Change, history: Sequence[_Version], here: Sequence[Hunk]) -> Undone | None:
        """Find a commit of which all that it did to the file is taken back, or some of it, where it came in late."""
        assert change.before is not None
        assert change.after is not None
        old, new = (self.sources.trees.lines(entry.oid) for entry in (change.before, change.after))
        for version in history:
            if version.before is None or not version.before.is_file:
                continue
            if not self._unintended(change, [version]):
                continue
            was, became = (self.sources.trees.lines(entry.oid) for entry in (version.before, version.after))
            theirs = [
                hunk
                for hunk in self.sources.trees.hunks(version.before.oid, version.after.oid)
                if not differ_by_format(was[hunk.base : hunk.base_end], became[hunk.start : hunk.end])
            ]
            taken = [
                (mine, hunk)
                for hunk in theirs
                for mine in here
                if _is_taken_back(
                    old[mine.base : mine.base_end], new[mine.start : mine.end],
                    became[hunk.start : hunk.end], was[hunk.base : hunk.base_end],
                )
            ]  # fmt: skip
            whole = len({hunk for _, hunk in taken}) == len(theirs)
            if taken and (whole or version.late) and self._weighs(version, [hunk for _, hunk in taken]):
                return _undone(change, [version], dict.fromkeys(mine for mine, _ in taken), exact=False)
        return None

    def _unintended(self, change: Change, taken: Sequence[_Version]) -> list[_Version]:
        """Give those that a person has not said are taken back on purpose."""
        intended = self.intended.get(change.path, frozenset())
        return [one for one in taken if one.commit.id not in intended]

    def _weighs(self, version: _Version, hunks: Sequence[Hunk] | None = None) -> bool:
        """Tell whether a commit did enough to a file that its being taken back is no coincidence."""
        if version.before is None or not version.before.is_file:
            return False
        was, became = (self.sources.trees.lines(entry.oid) for entry in (version.before, version.after))
        hunks = self.sources.trees.hunks(version.before.oid, version.after.oid) if hunks is None else hunks
        removed = [line for hunk in hunks for line in was[hunk.base : hunk.base_end] if _says(line)]
        added = [line for hunk in hunks for line in became[hunk.start : hunk.end] if _says(line)]
        return bool(removed) or len(added) >= LEAST_LINES

    def _is_told(self, change: Change) -> bool:
        """Tell whether a commit of the worktree's own that touches the file says that something goes back."""
        names = set(change.names)
        return any(
            SAYS_SO.search(commit.message) and any(names & set(one.names) for one in commit.changes)
            for commit in self._own
        )

    def _is_formatting(self, change: Change) -> bool:
        assert change.before is not None
        assert change.after is not None
        lines = self.sources.trees.lines
        return differ_by_format(lines(change.before.oid), lines(change.after.oid))

    def _went_elsewhere(self, change: Change, here: Sequence[Hunk], added: Iterable[bytes]) -> bool:
        """Tell whether every line that goes is added again, in this file or in another one of the worktree's."""
        assert change.before is not None
        old = self.sources.trees.lines(change.before.oid)
        gone = {line.strip() for hunk in here for line in old[hunk.base : hunk.base_end] if _says(line)}
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
        return not any(line.strip() in there for line in gone if _says(line))


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


def _is_taken_back(gone: Sequence[bytes], come: Sequence[bytes], theirs: Sequence[bytes], was: Sequence[bytes]) -> bool:
    """Tell whether what went and came in a hunk has in it what a commit added, going, and what it removed, coming.

    Where a commit only added, just that has to go and nothing come, because who removes more has another reason.
    """
    if not was:
        return bool(theirs) and _saying(gone) == _saying(theirs) and not _saying(come)
    return _holds(gone, theirs) and _holds(come, was)


def _holds(lines: Sequence[bytes], part: Sequence[bytes]) -> bool:
    """Tell whether lines have others in them, one after the other without a gap."""
    size = len(part)
    return any(list(lines[at : at + size]) == list(part) for at in range(len(lines) - size + 1))


def _saying(lines: Iterable[bytes]) -> list[bytes]:
    return [line.strip() for line in lines if _says(line)]


def _says(line: bytes) -> bool:
    """Tell whether a line says something: it has a letter or a digit."""
    return any(chr(byte).isalnum() or byte > 127 for byte in line)


_Key = tuple[str, str | None, str, str, Intended]
"""What an answer depends on: fork point, HEAD, present tree, trunk, what is intended."""


class Undoing:
    """Says of each worktree what it takes back of trunk, as soon as that is known; `on_found` is called when more is.

    It works beside the session, on a thread, with the session's own sources. `known` and `look` are for one thread.
    """

    def __init__(
        self,
        sources: Callable[[], Sources | None],
        intended: IntendedRecord,
        foreground: Foreground,
        on_found: Callable[[], None],
    ) -> None:
        self._sources = sources
        self._intended = intended
        self._on_found = on_found
        self._answers: dict[str, tuple[_Key, tuple[Undone, ...]]] = {}
        self._lock = threading.Lock()
        self._job = BackgroundJob(
            "sidecar-undoes-trunk",
            self._look,
            quiet=QUIET,
            patience=PATIENCE,
            foreground=foreground,
            is_due=lambda picture: bool(self._missing(picture)),
        )

    def known(self, picture: Picture) -> Picture:
        """Add to a Picture what is known; of a file that has changed since, nothing until it was looked at again."""
        with self._lock:
            return replace(picture, worktrees=tuple(self._known(state) for state in picture.worktrees))

    def _known(self, state: WorktreeState) -> WorktreeState:
        _, undone = self._answers.get(state.worktree.key, (None, ()))
        if not undone or state.changes is None:
            return state
        changes, intended = state.changes.changes, self._intended.of(state.worktree)
        lasting = (one for one in undone if (now := changes.get(one.path)) is not None and now.after == one.after)
        return replace(state, undone=tuple(one for one in lasting if not is_intended(one, intended)))

    def look(self, picture: Picture) -> None:
        """Look at what this Picture shows; returns at once."""
        self._job.tell(picture)

    def close(self) -> None:
        """End it; closing twice is fine."""
        self._job.close()

    def of(self, state: WorktreeState, trunk: Trunk | None) -> tuple[Undone, ...] | None:
        """Give all that a worktree takes back now, looked for if need be; None without an answer. Any thread."""
        key, sources = _key(trunk, state, self._intended.of(state.worktree)), self._sources()
        with self._lock:
            known, undone = self._answers.get(state.worktree.key, (None, ())) if key is not None else (None, ())
        try:
            if known == key or key is None or trunk is None:
                return undone
            return find_undone(sources, state, trunk, key[-1]) if sources is not None else None
        except GitError:
            return None

    def _missing(self, picture: Picture) -> list[tuple[_Key, WorktreeState]]:
        with self._lock:
            keyed = [
                (_key(picture.trunk, state, self._intended.of(state.worktree)), state) for state in picture.worktrees
            ]
            answers = {key: answer[0] for key, answer in self._answers.items()}
            return [(key, state) for key, state in keyed if key is not None and answers.get(state.worktree.key) != key]

    def _look(self, picture: Picture) -> None:
        sources, trunk, changed = self._sources(), picture.trunk, False
        for key, state in self._missing(picture):
            if sources is None or trunk is None or not self._job.go_on():
                break
            try:
                undone = find_undone(sources, state, trunk, key[-1])
            except GitError:
                continue  # the sources were closed, or history lacks what a partial clone has not fetched
            with self._lock:
                changed = changed or undone != self._answers.get(state.worktree.key, (None, ()))[1]
                self._answers[state.worktree.key] = (key, undone)
        if changed and not self._job.closed:
            self._on_found()


def _key(trunk: Trunk | None, state: WorktreeState, intended: Intended) -> _Key | None:
    if trunk is None or trunk.commit is None or state.changes is None or state.fork_point is None:
        return None
    return state.fork_point, state.worktree.head, state.changes.tree, trunk.commit, intended
