"""Tell whether work that is gone from a worktree is in a commit, a stash, another worktree or another file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from sidecar.git.objects import tree_of
from sidecar.git.process import GitError, Place, run
from sidecar.model.changes import Entry, is_object_id
from sidecar.operations.guard.losses import Loss, text_lines
from sidecar.session.live import Present
from sidecar.session.reader import Sources
from sidecar.system.files import read_small

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


def look_elsewhere(sources: Sources, now: Present, others: Iterable[Present], base: str, since: float) -> Elsewhere:
    """Find where the work can be that a worktree has no more. GitError as git gives it."""
    place = sources.repository.inside(now.worktree)
    commits = dict(_refs(sources))
    for commit, made in (*_stashes(sources.repository.place), *_reflog(place, "HEAD"), *_held(now)):
        commits.setdefault(commit, made)
    trees = [(now.tree, now.head_tree)]
    trees += [(one.tree, one.head_tree) for one in others if one.worktree.key != now.worktree.key]
    dated = tuple((commit, max(made, _written(sources, commit))) for commit, made in commits.items())
    return Elsewhere(sources, base, since, dated, tuple(trees))


def _written(sources: Sources, commit: str) -> float:
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


def _held(now: Present) -> Iterator[tuple[str, float]]:
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
