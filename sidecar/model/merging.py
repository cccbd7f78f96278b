"""Read what a merge says: which changes of the two sides it speaks of, and how much would change."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sidecar.model.changes import SUBMODULE, Change, ChangeSet, Entry, ancestors, merge_sources
from sidecar.model.words import counted


@dataclass(frozen=True, slots=True)
class Message:
    """One informational message of a merge: the paths that it is about, git's stable type, the sentence."""

    paths: tuple[str, ...]
    type: str
    text: str


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge as `git merge-tree` reports it (git-merge-tree(1), OUTPUT).

    `tree` is what would be checked out; `stages` the higher order stages by path; `labels` what git appended to names
    that it had to move aside; `marker_size` the length of its conflict markers. Of the paths `unrun`, a merge driver
    made nothing: it could not be run where the merge was tried, or failed there.
    """

    clean: bool
    tree: str
    stages: Mapping[str, Mapping[int, Entry]]
    messages: tuple[Message, ...]
    labels: tuple[str, str]
    marker_size: int
    unrun: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Meeting:
    """A change of ours and one of theirs that meet at `path`, where the merge puts it.

    A side is None where git names a conflict and no change of that side can be made out for it. `names` are all that
    git told about it.
    """

    path: str
    kind: str
    conflict: bool
    ours: Change | None
    theirs: Change | None
    names: tuple[str, ...] = ()


OwnWork = tuple[Container[str], Container[str]]
"""The paths that each side touched itself; what else it has since the base, it has from trunk."""


@dataclass(frozen=True, slots=True)
class _Side:
    """One side's changes since the base, and which paths are its own work."""

    changes: ChangeSet
    own: Container[str]

    def is_own(self, change: Change) -> bool:
        return any(name in self.own for name in change.names)


KINDS_BY_WEIGHT = (
    *("rename/rename", "rename/delete", "modify/delete", "file/directory", "distinct types", "file location"),
    *("directory rename split", "implicit dir rename", "submodule", "binary", "add/add", "content"),
)
"""Git's words for conflicts; where several are said of one pair of changes, the first of these names it."""


def find_meetings(merge: Merge, ours: ChangeSet, theirs: ChangeSet, own: OwnWork | None = None) -> list[Meeting]:
    """Give every pair of changes that meet in a merge of whole trees: those in conflict first, then those that merge.

    What git says several times of one pair of changes is one meeting, unless it is about a path that neither has.
    Where several changes of a side can be meant, it is one of its `own` work: paths, by default all that it touched.
    """
    sides = [
        _Side(changes, work)
        for changes, work in zip((ours, theirs), own or (ours.touched, theirs.touched), strict=True)
    ]
    conflicts: dict[tuple[str | None, ...], Meeting] = {}
    stopped = {without_label(path, merge) for path in merge.stages}
    for paths, names, kind in _conflicts(merge):
        path = paths[0]
        stopped.add(path)
        mine, other = _two_names(ours, theirs, paths, kind) or _find_changes(sides, names, kind)
        known = {name for change in (mine, other) if change for name in change.names}
        key = (mine.path if mine else None, other.path if other else None, None if path in known else path)
        standing = conflicts.get(key)
        if standing is None or _weight(kind) < _weight(standing.kind):
            conflicts[key] = Meeting(_place(path, kind, mine, other), kind, True, mine, other, names)
    in_conflict = {key[:2] for key in conflicts}
    merging = [
        meeting
        for meeting in _merging(ours, theirs, in_conflict)
        if stopped.isdisjoint(change.path for change in (meeting.ours, meeting.theirs) if change)
    ]
    return [*conflicts.values(), *merging]


def _conflicts(merge: Merge) -> list[tuple[tuple[str, ...], tuple[str, ...], str]]:
    """Give (paths, all names, kind) of each conflict; a staged path that no message names is of kind content.

    `paths` are those of the message, the first is where the conflict is; `names` also those that other messages tell
    of that place: the name that a file had before its directory moved is only in one of them.
    """
    if merge.clean:
        return []  # a message about a conflict that git then got around
    told: list[tuple[tuple[str, ...], str]] = []
    names: dict[str, dict[str, None]] = {}
    for message in merge.messages:
        if message.paths and (message.type.startswith("CONFLICT") or message.text.startswith("CONFLICT")):
            paths = tuple(without_label(path, merge) for path in message.paths)
            told.append((paths, _kind(message)))
            names.setdefault(paths[0], {}).update(dict.fromkeys(paths))
    named = {name for together in names.values() for name in together}
    silent = dict.fromkeys(without_label(path, merge) for path in merge.stages)
    told += [((path,), "content") for path in silent if path not in named]
    return [(paths, tuple(names.get(paths[0], {paths[0]: None})), kind) for paths, kind in told]


def without_label(path: str, merge: Merge) -> str:
    """Give the name that a file had before git moved it aside for another of that name."""
    if "~" not in path:
        return path
    return re.sub("~(?:" + "|".join(map(re.escape, merge.labels)) + r")(?:_\d+)?$", "", path)


def _kind(message: Message) -> str:
    said = re.match(r"CONFLICT \(([^)]+)\)", message.text) or re.match(r"CONFLICT \(([^)]+)\)", message.type)
    kind = said.group(1) if said else "content"
    kind = "submodule" if kind.startswith("submodule") else kind
    return {"contents": "content", "distinct modes": "distinct types"}.get(kind, kind)


def weight(meeting: Meeting) -> int:
    """Weigh a meeting: of several about the same two files, the one with the least weight tells most."""
    return _weight(meeting.kind) if meeting.conflict else len(KINDS_BY_WEIGHT)


def _weight(kind: str) -> int:
    return KINDS_BY_WEIGHT.index(kind) if kind in KINDS_BY_WEIGHT else 0


def _place(path: str, kind: str, ours: Change | None, theirs: Change | None) -> str:
    """Name a file renamed to two names by its old one, and everything else by where git says it is."""
    if kind == "rename/rename" and ours and theirs and ours.old_path == theirs.old_path and ours.old_path:
        return ours.old_path
    return path


def _find_changes(sides: Sequence[_Side], names: tuple[str, ...], kind: str) -> tuple[Change | None, Change | None]:
    """Find each side's change that a conflict is about; a name that one side's rename knows leads to the other's."""
    if kind == "rename involved in collision":
        names = names[::-1]  # what conflicts is the file that was renamed, with what the other did to it
    by_name = [_named(side, names) for side in sides]
    known = tuple(dict.fromkeys((*names, *(name for change in by_name if change for name in change.names))))
    mine, other = (
        found
        or _named(side, known)
        or (_moved_along(side, *names[:2]) if kind == "file location" else None)
        or _nearby(side, known)
        for found, side in zip(by_name, sides, strict=True)
    )
    return mine, other


def _two_names(ours: ChangeSet, theirs: ChangeSet, names: tuple[str, ...], kind: str) -> tuple[Change, Change] | None:
    """Find what both sides did with one renamed file: git's own choice among several, from its message."""
    if kind == "rename/delete" and len(names) == 2:
        return _renamed_and_deleted(ours, theirs, *names) or _renamed_and_deleted(theirs, ours, *names, swap=True)
    if kind != "rename/rename" or len(names) != 3:
        return None
    old, *new = names
    pair = []
    for changes, name in zip((ours, theirs), new, strict=True):
        gone, come = changes.touched.get(old), changes.touched.get(name)
        if gone is None or come is None or come.after is None:
            return None
        pair.append(Change(name, gone.before, come.after, merge_sources(gone.sources, come.sources), old))
    return pair[0], pair[1]


def _renamed_and_deleted(
    renamer: ChangeSet, deleter: ChangeSet, new: str, old: str, *, swap: bool = False
) -> tuple[Change, Change] | None:
    moved, gone = renamer.changes.get(new), deleter.touched.get(old)
    if moved is None or moved.old_path != old or gone is None or gone.after is not None:
        return None
    return (gone, moved) if swap else (moved, gone)


def _named(side: _Side, names: tuple[str, ...]) -> Change | None:
    found = [change for name in names if (change := side.changes.named(name)) is not None]
    return next(filter(side.is_own, found), found[0] if found else None)


def _moved_along(side: _Side, new: str, old: str) -> Change | None:
    """Give a change that took its file out of a directory that git takes for renamed, so that `old` should be `new`.

    The side's own work comes first, then what went the same way, then renames before deletions.
    """
    source, target = _directories(old, new)
    prefix = source + "/" if source else ""
    left = [
        change
        for change in side.changes
        if (change.old_path is not None or change.after is None) and change.names[-1].startswith(prefix)
    ]
    return min(
        left,
        key=lambda change: (
            not side.is_own(change),
            change.old_path is None or _directories(change.old_path, change.path) != (source, target),
            change.old_path is None,
            change.path,
        ),
        default=None,
    )


def _directories(old: str, new: str) -> tuple[str, str]:
    """Give the topmost directories that one has to be renamed to for the other to follow from."""
    before, after = old.split("/")[:-1], new.split("/")[:-1]
    while before and after and before[-1] == after[-1]:
        before.pop()
        after.pop()
    return "/".join(before), "/".join(after)


def _nearby(side: _Side, names: tuple[str, ...]) -> Change | None:
    """Find a change above or below one of these names (a file against a directory), else one that left its folder."""
    above = {directory for name in names for directory in ancestors(name)}
    near = [
        change
        for change in side.changes
        if change.path in above or any(change.path.startswith(name + "/") for name in names)
    ]
    if near:
        return next(filter(side.is_own, near), near[0])
    directories = above.union(names)
    left = [
        change
        for change in side.changes
        if change.old_path is not None and not directories.isdisjoint(ancestors(change.old_path))
    ]
    return min(left, key=lambda change: (not side.is_own(change), change.path), default=None)


def _merging(ours: ChangeSet, theirs: ChangeSet, in_conflict: Container[tuple[str | None, ...]]) -> Iterator[Meeting]:
    seen: set[tuple[str, str]] = set()
    for mine in ours:
        for name in mine.names:
            other = theirs.named(name)
            if other is None or (mine.path, other.path) in seen:
                continue
            seen.add((mine.path, other.path))
            if (mine.path, other.path) not in in_conflict:
                path = mine.path if mine.old_path is not None else other.path
                yield Meeting(path, merging_kind(mine, other), False, mine, other)


def merging_kind(ours: Change, theirs: Change) -> str:
    """Give what meets in two changes that merge, in the words of git's conflicts."""
    if ours.after is None and theirs.after is None:
        return "delete/delete"
    if ours.old_path is not None and theirs.old_path is not None:
        return "rename/rename"
    if ours.before is None and theirs.before is None:
        return "add/add"
    entries = [entry for entry in (ours.after, theirs.after) if entry is not None]
    if any(entry.mode == SUBMODULE for entry in entries):
        return "submodule"
    if all(_only_mode(change) for change in (ours, theirs)):
        return "mode"
    return "content"


def _only_mode(change: Change) -> bool:
    return change.before is not None and change.after is not None and change.before.oid == change.after.oid


@dataclass(frozen=True, slots=True)
class Extent:
    """Numbers of files: edited in place, added, moved as they are, and deleted of the `total` that trunk has.

    The total is None where nothing is deleted: nobody has counted.
    """

    edited: int = 0
    added: int = 0
    moved: int = 0
    deleted: int = 0
    total: int | None = None

    @property
    def phrase(self) -> str:
        """Say for the middle of a sentence: `changes 1 file, adds 2 files, deletes 3 of 3 files`."""
        parts = [("changes", self.edited), ("adds", self.added), ("moves", self.moved)]
        said = [f"{verb} {counted(number, 'file', 'files')}" for verb, number in parts if number]
        if self.deleted:
            said.append(f"deletes {self.deleted} of {counted(self.total or 0, 'file', 'files')}")
        return ", ".join(said) or "changes no file"

    @property
    def said(self) -> str:
        """Say the extent as a sentence."""
        return f"{self.phrase[0].upper()}{self.phrase[1:]}."


def extent_of(changes: Iterable[Change], count: Callable[[], int]) -> Extent:
    """Measure changes, path by path, to a tree whose files can be counted; what comes as it went has moved."""
    listed = list(changes)
    gone = Counter(change.before for change in listed if change.after is None)
    come = Counter(change.after for change in listed if change.before is None)
    moved = sum((gone & come).values())
    edited = len(listed) - sum(gone.values()) - sum(come.values())
    deleted = sum(gone.values()) - moved
    return Extent(edited, sum(come.values()) - moved, moved, deleted, count() if deleted else None)
