"""Whether a tree has a piece of work in it: the same content, or a merge with it that adds nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from sidecar.git.judge import PathQuestion, Question
from sidecar.git.objects import read_blob
from sidecar.git.process import GitError
from sidecar.git.trees import BINARY_PROBE
from sidecar.model.changes import Change, ChangeSet, Entry
from sidecar.model.markers import split_lines
from sidecar.model.merging import Merge
from sidecar.session.sources import Sources

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
        """Whether nothing more may be asked."""
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
        """Whether a tree has exactly this content wherever the work changed something: blob, mode, absence."""
        same = all(self._entry(tree, path) == change.after for path, change in work.touched.items())
        return same and self._has_not_moved(work, tree)

    def _has_not_moved(self, work: ChangeSet, tree: str) -> bool:
        """Whether what the work deleted is gone, and not there under another name."""
        sources = {change.old_path for change in work}
        deleted = {path for path, change in work.touched.items() if change.after is None and path not in sources}
        if not deleted:
            return True
        moved = {change.old_path: change for change in self._sources.trees.renames(work.base, tree)}
        return all(
            path not in moved or self._entry(work.tree, moved[path].path) == moved[path].after for path in deleted
        )

    def has(self, work: ChangeSet, tree: str) -> bool:
        """Whether merging the work into a tree adds nothing."""
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
        """Whether replaying the work on `before` gives `after`, wherever that changes something or the work did."""
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
        """Whether a path with this content has the change; None where it has neither that nor what was before."""
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
        """Git's built-in merge of whole trees; None where it can't be had."""
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
        """Whether a merge need be asked: what adds nothing has all lines that the change added.

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
        """A blob; kept for this proof, as far as there is room."""
        known = self._texts.get(oid)
        if known is None:
            known = read_blob(self._sources.quarantine.objects, oid)
            self._room -= len(known)
            if self._room > 0:
                self._texts[oid] = known
        return known

    def _added_lines(self, before: Entry | None, after: Entry) -> frozenset[bytes]:
        """The lines that a change added."""
        old = set(split_lines(self._read(before.oid))) if before is not None and before.is_file else set()
        return frozenset(split_lines(self._read(after.oid))) - old

    def _is_text(self, change: Change, entry: Entry) -> bool:
        entries = [one for one in (change.before, change.after, entry) if one is not None]
        return not any(b"\0" in self._read(one.oid)[:BINARY_PROBE] for one in entries)


def _is_text_merge(change: Change, entry: Entry | None) -> bool:
    """Whether the path can be merged by itself: a regular file before, after, and there."""
    there = entry is not None and entry.is_file
    return there and all(one is None or one.is_file for one in (change.before, change.after))
