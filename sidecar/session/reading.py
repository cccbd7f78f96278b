"""Read one worktree: its change set, how far it is from trunk, what is unusual about it.

Whole worktrees are read beside the session's thread, so that a save does not wait for `git status` elsewhere.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from queue import SimpleQueue
from types import MappingProxyType

from sidecar.git.history import Divergence, had_own_commits, read_tip
from sidecar.git.objects import Objects, edit_tree, tree_of, write_commit
from sidecar.git.process import GitError
from sidecar.git.status import Edit, Uncommitted, read_uncommitted, read_unmerged, reread_raw
from sidecar.model.changes import COMMITTED, Change, ChangeSet, ancestors, merge_sources
from sidecar.model.picture import Integration, Trunk, Worktree, WorktreeState
from sidecar.model.words import named
from sidecar.session.reader import Sources
from sidecar.session.unsaved import Unsaved, lay_over
from sidecar.system.files import Signature, signature
from sidecar.watch.events import Moment, now

READERS = 4
"""How many worktrees are read at a time."""

NOTHING = Uncommitted(())


INDEX = ("index", "config.worktree", "info/sparse-checkout")
"""What, besides HEAD and the files, says in a worktree's own git directory what is not committed."""

RACY_NS = 100_000_000
"""A file written this recently may be written again without looking otherwise (git's "racy" entries)."""

MOST_SAID = 3
"""How many files that could not be read are named among what is unusual about a worktree."""

Marks = tuple[Signature | None, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A worktree as last read: what is not committed in it, or why that could not be read.

    `began` is when the reading began, `marks` what its index looked like then; None when it must not be relied on.
    """

    worktree: Worktree
    uncommitted: Uncommitted = NOTHING
    problem: str | None = None
    began: Moment | None = field(default=None, compare=False)
    marks: Marks | None = field(default=None, compare=False, repr=False)


def marks_of(worktree: Worktree) -> Marks | None:
    """Give the signatures of the `INDEX` files; None right after one was written, when a change might not show."""
    found: list[Signature | None] = []
    for name in INDEX:
        try:
            at = os.stat(os.path.join(worktree.git_dir, name))
        except OSError:
            found.append(None)
            continue
        if max(at.st_mtime_ns, at.st_ctime_ns) > time.time_ns() - RACY_NS:
            return None
        found.append(signature(at))
    return tuple(found)


def read_worktree(sources: Sources, worktree: Worktree) -> Reading:
    """Read what is not committed in a worktree; what can't be read becomes the problem, nothing is raised."""
    if not worktree.readable:
        return Reading(worktree)
    began, marks = now(), marks_of(worktree)
    try:
        found = read_uncommitted(sources.repository, sources.quarantine, worktree, sources.size_limit)
    except GitError as error:
        return Reading(worktree, problem=f"{worktree.name} can't be read: {error.message}")
    return Reading(worktree, found, began=began, marks=marks)


def read_all(sources: Sources, worktrees: Sequence[Worktree]) -> list[Reading]:
    """Read several worktrees at a time; git does the work, in processes of its own."""
    if len(worktrees) < 2:
        return [read_worktree(sources, worktree) for worktree in worktrees]
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(partial(read_worktree, sources), worktrees))


def read_paths(sources: Sources, known: Reading, paths: Sequence[str]) -> Reading:
    """Give the reading with these paths, and all below them, read again."""
    if known.problem is not None or not known.worktree.readable:
        return read_worktree(sources, known.worktree)
    quick = _reread(sources, known, paths)
    if quick is not None:
        return quick
    try:
        found = read_uncommitted(sources.repository, sources.quarantine, known.worktree, sources.size_limit, paths)
    except GitError:
        return read_worktree(sources, known.worktree)
    named = set(paths)

    def is_old(path: str) -> bool:
        return path in named or not named.isdisjoint(ancestors(path))

    edits = [edit for edit in known.uncommitted.edits if not is_old(edit.path)]
    skipped = {path: unread for path, unread in known.uncommitted.skipped.items() if not is_old(path)}
    rows = {path: row for path, row in known.uncommitted.rows.items() if not is_old(path)} | dict(found.rows)
    raw = frozenset(path for path in known.uncommitted.raw if not is_old(path)) | found.raw
    nested = (*(path for path in known.uncommitted.nested if not is_old(path)), *found.nested)
    skipped |= found.skipped
    ignored = (*(path for path in known.uncommitted.ignored if not is_old(path.rstrip("/"))), *found.ignored)
    return replace(known, uncommitted=Uncommitted((*edits, *found.edits), skipped, rows, raw, nested, ignored))


def _reread(sources: Sources, known: Reading, paths: Sequence[str]) -> Reading | None:
    """Give the reading with these files read again, if git need not be asked: it told all about them already."""
    before = known.uncommitted
    edits = {edit.path: edit for edit in before.edits}
    try:
        present = [path for path in paths if path in before.raw or not _came_and_went(sources, known, path)]
        if not before.raw.issuperset(present):
            return None
        for path in present:
            edit = reread_raw(sources.repository, sources.quarantine, known.worktree, sources.size_limit, before, path)
            if edit is None:
                edits.pop(path, None)
            else:
                edits[path] = edit
    except GitError:
        return None
    return replace(known, uncommitted=replace(before, edits=tuple(edits.values())))


def _came_and_went(sources: Sources, known: Reading, path: str) -> bool:
    """Tell whether a path is nothing to git: a temporary file that has been renamed or removed again."""
    worktree, objects = known.worktree, sources.quarantine.objects
    if os.path.lexists(os.path.join(worktree.key, path)) or path in known.uncommitted.rows:
        return False
    if any(other.startswith(path + "/") for other in known.uncommitted.rows):
        return False
    return worktree.head is None or sources.trees.entry(tree_of(objects, worktree.head), path) is None


def worktree_state(sources: Sources, trunk: Trunk, reading: Reading, unsaved: Mapping[str, Unsaved]) -> WorktreeState:
    """Give the state that follows from a reading; `unsaved` has the editor's texts by path inside the worktree.

    Of a worktree that can't be read, what it has committed is known all the same.
    """
    worktree = reading.worktree
    if worktree.bare:
        return WorktreeState(worktree)
    unread = worktree.problem or reading.problem
    if unread is not None and worktree.head is None:
        return _unknown_state(worktree, unread)
    try:
        if not worktree.readable:
            return _state(sources, trunk, worktree, NOTHING, unread)
        return _state(sources, trunk, worktree, lay_over(sources, worktree, reading.uncommitted, unsaved), unread)
    except GitError as error:
        return _unknown_state(worktree, unread or f"{worktree.name} can't be read: {error.message}")


def tip_of(sources: Sources, worktree: Worktree) -> str | None:
    """Give the commit whose history a worktree has: HEAD, or in the middle of a merge the one that will end it.

    What is judged is what would be committed, so that a conflict is quiet as soon as it is resolved.
    """
    head, objects = worktree.head, sources.quarantine.objects
    merged = [commit for commit in worktree.merging if _is_commit(objects, commit)]
    return head if head is None or not merged else write_commit(objects, tree_of(objects, head), (head, *merged))


def _is_commit(objects: Objects, oid: str) -> bool:
    try:
        return objects.read(oid)[0] == "commit"
    except GitError:
        return False


def _unknown_state(worktree: Worktree, unread: str) -> WorktreeState:
    """Give the state of a worktree of which not even the commits are known."""
    return WorktreeState(worktree, problem=unread, unread=unread, integration=Integration("not-integrated"))


def _state(
    sources: Sources, trunk: Trunk, worktree: Worktree, uncommitted: Uncommitted, unread: str | None
) -> WorktreeState:
    head, objects, tip = worktree.head, sources.quarantine.objects, tip_of(sources, worktree)
    divergence, bases = Divergence((), frozenset(), 0), tuple[str, ...]()
    if trunk.commit is not None and head is not None and tip is not None:
        divergence = sources.history.divergence(trunk.commit, head)
        bases = divergence.bases if tip == head else sources.history.divergence(trunk.commit, tip).bases
    fork_point = bases[0] if bases else None
    head_tree = tree_of(objects, head) if head else objects.empty_tree
    base_tree = tree_of(objects, fork_point) if fork_point else objects.empty_tree
    tree = edit_tree(objects, head_tree, {edit.path: edit.now for edit in uncommitted.edits})
    return WorktreeState(
        worktree,
        fork_point,
        _change_set(sources, base_tree, head_tree, tree, uncommitted.edits),
        ahead=len(divergence.own),
        behind=divergence.behind,
        integration=_integration(sources, worktree, divergence, uncommitted, is_read=unread is None),
        problem=_problem(worktree, trunk, fork_point, uncommitted, unread),
        unread=unread,
        tip=read_tip(objects, head) if head is not None else None,
        unresolved=read_unmerged(sources.repository, worktree).unresolved if worktree.merging else (),
        files=uncommitted.skipped,
    )


def _change_set(sources: Sources, base: str, head: str, tree: str, edits: tuple[Edit, ...]) -> ChangeSet:
    """Give the changes from base to tree, each with its sources: committed where HEAD differs, and what its edit says.

    An edit that puts a path back to the base's content is no change; neither is a committed one that it undoes.
    """
    committed = sources.trees.changes(base, head)
    if not edits:
        return committed
    touched = dict(committed.touched)
    for edit in edits:
        known = committed.touched.get(edit.path)
        before = known.before if known is not None else sources.trees.entry(head, edit.path)
        touched.pop(edit.path, None)
        if before != edit.now:
            present = merge_sources((COMMITTED,) if known is not None else (), edit.sources)
            touched[edit.path] = Change(edit.path, before, edit.now, present)
    changes = sources.trees.fold_renames(base, tree, touched)
    return ChangeSet(base, tree, MappingProxyType(touched), MappingProxyType(changes))


def _integration(
    sources: Sources, worktree: Worktree, divergence: Divergence, uncommitted: Uncommitted, *, is_read: bool
) -> Integration:
    if uncommitted.edits or divergence.own or not is_read:
        return Integration("not-integrated")
    if divergence.bases and worktree.branch and had_own_commits(sources.repository, worktree.branch):
        return Integration("integrated", "ancestor")
    return Integration("no-work")


def _problem(
    worktree: Worktree, trunk: Trunk, fork_point: str | None, uncommitted: Uncommitted, unread: str | None
) -> str | None:
    said = [unread] if unread is not None else []
    if trunk.commit and worktree.head and fork_point is None:
        said.append(f"{worktree.name} shares no history with {trunk.branch}, so git would not merge it.")
    large = [path for path, file in uncommitted.skipped.items() if file.large]
    if large:
        said.append(f"Too large to compare in {worktree.name}: {named(sorted(large))}.")
    said += [f"{path}: {file.reason}" for path, file in sorted(uncommitted.skipped.items()) if not file.large][
        :MOST_SAID
    ]
    return " ".join(said) or None


AT_MOST = max(1, min(4, os.cpu_count() or 1))
"""How many worktrees are read at a time while nothing is known; git uses several threads for each."""

BESIDE = max(1, AT_MOST // 2)
"""How many at a time later on, when there is other work to do."""


@dataclass(slots=True)
class _Job:
    """A reading that is asked for; `changed` are the paths told since it began, `again` that it began too early."""

    worktree: Worktree
    urgent: bool
    has_begun: bool = False
    changed: set[str] = field(default_factory=set)
    again: bool = False
    result: Reading | Exception | None = None


class Readers:
    """Reads worktrees, each once at a time. Everything but the reading happens on the thread that asks.

    `on_finished` is called on another thread whenever there is something to `take`. The threads are its own, because a
    process that ends waits for those of a `ThreadPoolExecutor`, which then refuses work to who still looks.
    """

    def __init__(self, sources: Sources, on_finished: Callable[[], None]) -> None:
        self._sources = sources
        self._on_finished = on_finished
        self._jobs: dict[str, _Job] = {}
        self._news = threading.Condition()
        self._closing = False
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"sidecar-read-{number}", daemon=True) for number in range(AT_MOST)
        ]
        for thread in self._threads:
            thread.start()

    def ask(self, worktree: Worktree, *, urgent: bool) -> None:
        """Read this worktree; if it is being read now, once more afterwards."""
        job = self._jobs.get(worktree.key)
        if job is None:
            self._jobs[worktree.key] = _Job(worktree, urgent)
        else:
            job.worktree, job.urgent, job.again = worktree, job.urgent or urgent, job.has_begun

    def awaited(self, key: str) -> Worktree | None:
        """Give the worktree of that key as it is going to be read; None when nobody asked."""
        job = self._jobs.get(key)
        return job.worktree if job is not None else None

    @property
    def is_busy(self) -> bool:
        """Tell whether anything that was asked for has not been taken."""
        return bool(self._jobs)

    def note(self, key: str, paths: Iterable[str]) -> None:
        """Note that these paths have just changed, because a reading that has begun may not have seen it."""
        job = self._jobs.get(key)
        if job is not None and job.has_begun:
            job.changed.update(paths)

    def keep(self, keys: Container[str]) -> None:
        """Forget what was asked of other worktrees than these."""
        self._jobs = {key: job for key, job in self._jobs.items() if key in keys}

    def begin(self, at_most: int) -> None:
        """Have as many read now as may be at a time."""
        running = sum(job.has_begun and job.result is None for job in self._jobs.values())
        waiting = [job for job in self._jobs.values() if not job.has_begun]
        for job in sorted(waiting, key=lambda job: not job.urgent)[: max(0, at_most - running)]:
            job.has_begun = True
            self._queue.put(job)

    def take(self) -> Iterator[tuple[Reading, frozenset[str]]]:
        """Give (what has been read, the paths that changed meanwhile), each once; raises what went wrong in it."""
        for key, job in list(self._jobs.items()):
            if job.result is None:
                continue
            del self._jobs[key]
            if job.again:
                self._jobs[key] = _Job(job.worktree, job.urgent)
            if isinstance(job.result, Exception):
                raise job.result
            yield job.result, frozenset(job.changed)

    def wait(self, keys: Iterable[str], seconds: float, at_most: int, is_hurried: Callable[[], bool]) -> None:
        """Wait until what is asked of these is read, so many seconds are over, or `is_hurried` (asked on `hurry`)."""
        end = time.monotonic() + seconds
        while True:
            self.begin(at_most)
            with self._news:
                left = end - time.monotonic()
                if (
                    left <= 0
                    or is_hurried()
                    or not any(key in self._jobs and self._jobs[key].result is None for key in keys)
                ):
                    return
                self._news.wait(left)

    def hurry(self) -> None:
        """Wake who waits; any thread."""
        with self._news:
            self._news.notify_all()

    def close(self) -> None:
        """Ask no more, and wait until nothing is read any more."""
        self._jobs.clear()
        self._closing = True
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        """Run one of the threads that read; what is asked for when the end is near is not begun."""
        while (job := self._queue.get()) is not None:
            if self._closing:
                continue
            try:
                job.result = read_worktree(self._sources, job.worktree)
            except Exception as error:
                job.result = error
            self.hurry()
            self._on_finished()
