"""Find by two states which uncommitted work of a worktree is gone, was not only continued, and is nowhere else.

Work is lines that a state has at a path and its HEAD has not. It is lost, not edited, where the file is gone or empty,
or where the lines' place is again what it was before they were written. Whether a commit, a stash, another worktree or
another file has them is asked later.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sidecar.git.inventory.ignored import is_named_output, usable_patterns
from sidecar.git.objects import read_blob, tree_of
from sidecar.git.process import GitError, Place, run
from sidecar.git.trees import TreeReader
from sidecar.model.changes import SUBMODULE, SYMLINK, Change, Entry, ancestors, is_object_id
from sidecar.model.hunks import Hunk
from sidecar.operations.guard.states import State, parse_state
from sidecar.session.present_state import PresentState
from sidecar.session.reader import Sources
from sidecar.system.files import read_small

LARGE = 1 << 20
"""Bytes of a file above which only the whole of it can be lost."""

AT_A_TIME = 3
"""Lines that have to go at once from one place, or two places, where no git did it: fewer are taken back by hand."""

AMONG_OTHERS = 5
"""Lines that have to go at once, from two places, while other work in the file stays."""

OLDER = 8
"""How many states before the last one are looked at for what a file was before somebody wrote over it."""

MARKERS = (b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>")


@dataclass(frozen=True, slots=True)
class Loss:
    """A path at which work is gone: its content as it was, and the lines of it that are nowhere in the file now.

    `lines` is None for what is not text, of which the whole is gone. `base` is what it was before the work (None: not
    there). One that is not `sure` is a loss only if what is there now is an older commit's.
    """

    path: str
    was: Entry
    base: Entry | None
    lines: frozenset[bytes] | None
    sure: bool = True

    @property
    def count(self) -> int:
        """Count how many different lines are gone; 0 where there are none to count."""
        return len(self.lines or ())


def find_losses(sources: Sources, was: State, now: PresentState, *, by_git: bool) -> tuple[Loss, ...]:
    """Find where a worktree has lost work since a state. GitError as objects and git give it.

    `by_git`: the index was written since, so git may have done it.
    """
    if was.tree == now.tree:
        return ()
    trees, objects = sources.trees, sources.quarantine.objects
    base = tree_of(objects, was.facts.head) if was.facts.head else objects.empty_tree
    touched = trees.touched(was.tree, now.tree)
    work = trees.changes(base, was.tree).touched
    patterns = sources.settings["disposable"]
    assert isinstance(patterns, tuple)
    found = []
    for path in touched.keys() & work.keys():
        change, after = work[path], touched[path].after
        if path in now.left_out or any(above in now.left_out for above in ancestors(path)):
            continue  # it can't be read now, or is too large to be
        if change.after is None or change.after.mode == SUBMODULE or _is_output(path, usable_patterns(patterns)):
            continue
        if after is None and os.path.lexists(os.path.join(now.worktree.key, path)):
            continue  # only git does not see it any more: it is ignored now, or in a repository of its own
        if after is None or after.oid != change.after.oid:  # else its mode is another
            found.append(_look_at(sources, was, now, change, after, by_git=by_git))
    return tuple(sorted((loss for loss in found if loss is not None), key=lambda loss: loss.path))


def loss_of(sources: Sources, work: Change) -> Loss | None:
    """Give all that a change has written, as if the whole of it were gone; None for one that has written nothing."""
    if work.after is None or work.after.mode == SUBMODULE:
        return None
    written = _written(sources, work.after, work.before)
    return None if written is not None and not written else Loss(work.path, work.after, work.before, written)


def _look_at(
    sources: Sources, was: State, now: PresentState, work: Change, after: Entry | None, *, by_git: bool
) -> Loss | None:
    """Find what is lost at one path, at which there is something else now; None when nothing is."""
    assert work.after is not None
    before, loss = work.before, Loss(work.path, work.after, work.before, None)
    put = by_git and after in (sources.trees.entry(tree, work.path) for tree in (now.head_tree, now.index))
    written = _written(sources, work.after, before)
    if written is None:
        return loss if after in (None, before) else replace(loss, sure=False) if put else None
    present = text_lines(sources, after) if after is not None else None
    missing = written - (present or frozenset())
    loss = replace(loss, lines=missing)
    if not missing or not present or after is None:
        return loss if missing and not present else None
    undone, kept = _undone(sources.trees, before, work.after, after)
    if after == before:
        return loss if by_git or len(missing) >= AT_A_TIME or len(undone) > 1 else None
    lines = _lines_of(sources.trees, work.after, undone) & missing
    if undone and not kept and (len(lines) >= AT_A_TIME - 1 or len(undone) > 1):
        return replace(loss, lines=lines)
    if len(undone) > 1 and len(lines) >= AMONG_OTHERS:
        return replace(loss, lines=lines)
    return _since_older(sources, was, loss, after) or (replace(loss, sure=False) if put else None)


def _since_older(sources: Sources, was: State, loss: Loss, after: Entry) -> Loss | None:
    """Find what is lost of the work since an earlier state, all of whose places are as then (an old buffer)."""
    assert loss.lines is not None
    known = {loss.was, loss.base}
    for state in _before(sources, was):
        before = sources.trees.entry(state.tree, loss.path)
        if before is None or before in known or not before.is_file:
            continue
        known.add(before)
        undone, kept = _undone(sources.trees, before, loss.was, after)
        lines = _lines_of(sources.trees, loss.was, undone) & loss.lines
        if undone and not kept and len(lines) >= AMONG_OTHERS and (len(undone) > 1 or after != before):
            return replace(loss, lines=lines, base=before)
    return None


def _before(sources: Sources, state: State) -> Iterator[State]:
    """Read the states before one, the newest first, as far as they are in its segment."""
    for _ in range(OLDER):
        if state.before is None:
            return
        found = parse_state(state.before, sources.quarantine.objects.read(state.before)[1])
        if found is None:
            return
        state = found
        yield state


def _undone(trees: TreeReader, before: Entry | None, was: Entry, after: Entry) -> tuple[list[Hunk], list[Hunk]]:
    """Tell the places of work apart: where the file is again what it was before, and where it is not."""
    if before is None or not (before.is_file and after.is_file):
        return [], []
    since = trees.hunks(before.oid, after.oid)
    work = trees.hunks(before.oid, was.oid)
    kept = [hunk for hunk in work if any(_touch(hunk, other) for other in since)]
    return [hunk for hunk in work if hunk not in kept], kept


def _touch(one: Hunk, two: Hunk) -> bool:
    return one.base <= two.base_end and two.base <= one.base_end


def _lines_of(trees: TreeReader, entry: Entry, hunks: Iterable[Hunk]) -> frozenset[bytes]:
    """Give the lines that a text has in these hunks."""
    lines = trees.lines(entry.oid)
    return _telling(line for hunk in hunks for line in lines[hunk.start : hunk.end])


def _written(sources: Sources, now: Entry, before: Entry | None) -> frozenset[bytes] | None:
    """Give the lines of a content that were not there before; None where it is no text of a usual size."""
    lines = text_lines(sources, now)
    if lines is None:
        return None
    return lines - ((text_lines(sources, before) if before is not None else None) or frozenset())


def text_lines(sources: Sources, entry: Entry) -> frozenset[bytes] | None:
    """Give the lines of a text that tell something, without white space around them; None where it is no text."""
    if entry.mode == SYMLINK or not entry.is_file:
        return None
    if len(read_blob(sources.quarantine.objects, entry.oid)) > LARGE or sources.trees.is_binary(entry.oid):
        return None
    return _telling(sources.trees.lines(entry.oid))


def _telling(lines: Iterable[bytes]) -> frozenset[bytes]:
    stripped = (line.strip() for line in lines)
    return frozenset(line for line in stripped if line and not line.startswith(MARKERS))


def _is_output(path: str, patterns: Sequence[str]) -> bool:
    """Tell whether a build makes it again, as its name or that of a directory above it tells."""
    if is_named_output(path, patterns, directory=False):
        return True
    return any(is_named_output(directory, patterns, directory=True) for directory in ancestors(path))


MOST_REFS, MOST_IN_LOG, MOST_FILES = 300, 50, 300
"""How many refs, entries of a reflog and files are looked at: the newest ones."""

HELD = (
    *("rebase-merge/autostash", "rebase-apply/autostash", "MERGE_AUTOSTASH", "ORIG_HEAD", "MERGE_HEAD"),
    *("REBASE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"),
)
"""The files of a git directory that name a commit which git will come back to (gitrepository-layout(5))."""

CLOCK = 2.0
"""Seconds by which a commit may seem to be older than the work that is in it."""


@dataclass(frozen=True)
class Elsewhere:
    """Where work can be: commits (id, seconds since 1970), and trees of what worktrees have now, each over its HEAD's.

    `base` is the tree that the work was done on, `since` when it was last seen.
    """

    sources: Sources
    base: str
    since: float
    commits: tuple[tuple[str, float], ...]
    now: tuple[tuple[str, str], ...]

    def without(self, loss: Loss) -> Loss | None:
        """Give what of a loss is nowhere else; None when all of it is somewhere."""
        if not loss.sure and not self._is_of_old_commit(loss):
            return None
        there = {entry for entry in self._at(loss.path) if entry is not None} | self._new
        if any(entry.oid == loss.was.oid for entry in there):
            return None
        left = loss.lines
        for entry in sorted(there, key=lambda entry: entry.oid):
            if not left:
                break
            left -= text_lines(self.sources, entry) or frozenset()
        return replace(loss, lines=left) if left or loss.lines is None else None

    def _is_of_old_commit(self, loss: Loss) -> bool:
        """Tell whether what a worktree has at the path now is what a commit has there that is older than the work."""
        present = self.sources.trees.entry(self.now[0][0], loss.path)
        old = (commit for commit, made in self.commits if made < self.since - CLOCK)
        return any(self._entry(commit, loss.path) == present for commit in old)

    def _at(self, path: str) -> Iterator[Entry | None]:
        """Give what commits and worktrees have at a path."""
        for commit, _ in self.commits:
            yield self._entry(commit, path)
        for tree, _ in self.now:
            yield self.sources.trees.entry(tree, path)

    def _entry(self, commit: str, path: str) -> Entry | None:
        try:
            return self.sources.trees.entry(tree_of(self.sources.quarantine.objects, commit), path)
        except GitError:
            return None

    @cached_property
    def _new(self) -> set[Entry]:
        """Give the files that were changed or added in worktrees, and in commits that are younger than the work."""
        found: set[Entry] = set()
        objects = self.sources.quarantine.objects
        pairs = [(before, tree) for tree, before in self.now]
        for commit, made in self.commits:
            if made >= self.since - CLOCK:
                try:
                    pairs.append((self.base, tree_of(objects, commit)))
                except GitError:
                    continue
        for before, tree in pairs:
            changed = self.sources.trees.changes(before, tree).touched.values()
            found.update([change.after for change in changed if change.after is not None][:MOST_FILES])
        return found


def look_elsewhere(
    sources: Sources, now: PresentState, others: Iterable[PresentState], base: str, since: float
) -> Elsewhere:
    """Find where the work can be that a worktree has no more. GitError as git gives it."""
    place = sources.repository.inside(now.worktree)
    commits = dict(_refs(sources))
    for commit, made in (*_stashes(sources.repository.place), *_reflog(place, "HEAD"), *_held(now)):
        commits.setdefault(commit, made)
    trees = [(now.tree, now.head_tree)]
    trees += [(one.tree, one.head_tree) for one in others if one.worktree.key != now.worktree.key]
    dated = tuple((commit, max(made, _when_written(sources, commit))) for commit, made in commits.items())
    return Elsewhere(sources, base, since, dated, tuple(trees))


def _when_written(sources: Sources, commit: str) -> float:
    """Tell when a loose object was written, because a commit's own date may be any; 0.0 for a packed one."""
    try:
        return os.stat(os.path.join(sources.repository.common_dir, "objects", commit[:2], commit[2:])).st_mtime
    except OSError:
        return 0.0


def _refs(sources: Sources) -> Iterator[tuple[str, float]]:
    """List the newest tips of branches, of one's own and others'."""
    how = ("--sort=-committerdate", f"--count={MOST_REFS}", "--format=%(objectname) %(committerdate:unix)")
    said = run(sources.repository.place, "for-each-ref", *how, "refs/heads", "refs/remotes")
    yield from _parse(said)


def _reflog(place: Place, ref: str) -> Iterator[tuple[str, float]]:
    how = ("log", "-g", f"--max-count={MOST_IN_LOG}", "--no-show-signature", "--format=%H %ct", ref, "--")
    try:
        yield from _parse(run(place, *how, accept=(0, 128)))
    except GitError:
        return


def stash_list(place: Place) -> tuple[str, ...]:
    """List the commits of the stash entries (git-stash(1)), the newest first."""
    return tuple(commit for commit, _ in _reflog(place, "refs/stash"))


def _stashes(place: Place) -> Iterator[tuple[str, float]]:
    """List the stash entries, with what was staged and what was untracked in each."""
    entries = stash_list(place)
    if entries:
        said = run(place, "rev-list", "--no-walk", "--parents", *entries, accept=(0, 128))
        for line in said.decode("ascii").splitlines():
            entry, _, *others = line.split()  # the second one is what HEAD was
            yield from ((oid, float("inf")) for oid in (entry, *others))


def _held(now: PresentState) -> Iterator[tuple[str, float]]:
    """List the commits that git will come back to in a worktree."""
    for name in HELD:
        try:
            said = read_small(os.path.join(now.worktree.git_dir, name)).decode("ascii", "replace")
        except OSError:
            continue
        yield from ((oid, float("inf")) for oid in said.split() if is_object_id(oid))


def _parse(said: bytes) -> Iterator[tuple[str, float]]:
    for line in said.decode("ascii", "replace").splitlines():
        commit, _, made = line.partition(" ")
        if made.isdigit():
            yield commit, float(made)
