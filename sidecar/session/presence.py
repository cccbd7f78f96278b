"""Whether a tree has a piece of work in it: the same content, or a merge with it that adds nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sidecar.git.judge import PathQuestion, Question
from sidecar.git.process import GitError
from sidecar.model.changes import Change, ChangeSet, Entry
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


class Presence:
    """Questions about which trees have which work; all are answered no where git can't tell."""

    def __init__(self, sources: Sources, effort: Effort) -> None:
        self._sources = sources
        self._effort = effort
        self._entry = sources.trees.entry

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
        apart: list[tuple[str, Change, Entry]] = []
        whole = False
        for path, change in work.touched.items():
            entry = self._entry(tree, path)
            if entry == change.after:
                continue
            if entry == change.before or not self._may_contain(work.changes.get(path, change), entry):
                return False
            if entry is None or change.before is None or not _is_text_merge(change, entry):
                whole = True
            else:
                apart.append((path, change, entry))
        if whole:
            merge = self.merge(tree, work.tree, work.base)
            return merge is not None and merge.clean and merge.tree == tree
        return self._has_not_moved(work, tree) and all(self._contains(*one) for one in apart)

    def replayed(self, work: ChangeSet, before: str, after: str) -> bool:
        """Whether replaying the work on `before` gives `after`, wherever that changes something or the work did."""
        for path, change in work.touched.items():
            stood = self._entry(before, path)
            if stood == change.before and self._entry(after, path) != change.after:
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
        has = self._contains(change.path, change, entry) if self._may_contain(change, entry) else False
        lacks = self._contains(change.path, undone, entry) if self._may_contain(undone, entry) else False
        return None if has == lacks else has

    def _contains(self, path: str, change: Change, entry: Entry) -> bool:
        assert change.after is not None
        if self._effort.over:
            return False
        self._effort.left -= 1
        asked = PathQuestion(path, change.before, entry, change.after, self._sources.quarantine.objects.empty_tree)
        try:
            merge = self._sources.plain.merge_path(asked)
        except GitError as error:
            self._effort.failed = error.message
            return False
        return merge.clean and self._entry(merge.tree, path) == entry

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
                return change.after.oid == entry.oid or (
                    change.before is not None and change.before.oid == change.after.oid
                )
            lines = self._sources.trees.lines
            before = set(lines(change.before.oid)) if change.before is not None and change.before.is_file else set()
            return set(lines(change.after.oid)) - before <= set(lines(entry.oid))
        except GitError as error:
            self._effort.failed = error.message
            return False

    def _is_text(self, change: Change, entry: Entry) -> bool:
        entries = [one for one in (change.before, change.after, entry) if one is not None]
        return not any(self._sources.trees.is_binary(one.oid) for one in entries)


def _is_text_merge(change: Change, entry: Entry) -> bool:
    """Whether the path can be merged by itself: a regular file before, after, and there."""
    return entry.is_file and all(one is None or one.is_file for one in (change.before, change.after))
