"""Name who takes part in overlaps: a worktree, trunk or a plain commit; and where it is not known how two meet."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType

from sidecar.git.process import GitError
from sidecar.git.repository import NOT_FETCHED, Repository
from sidecar.model.changes import ChangeSet, Entry
from sidecar.model.may_overlap import Footprint
from sidecar.model.overlaps import Overlap, Side, Unknown, Unread
from sidecar.model.picture import TRUNK_KEY, Trunk, WorktreeState
from sidecar.model.words import shown


@dataclass(frozen=True, slots=True)
class Present:
    """What a participant has in its files, where it is merged as it would land on trunk (`sidecar.session.own_work`).

    `own` are its changes since it left trunk, `attributes` those of them in attributes files; `origins` the names of
    its files that trunk has moved since.
    """

    own: ChangeSet
    attributes: frozenset[tuple[str, Entry | None]]
    origins: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, eq=False)
class Participant:
    """One that takes part in overlaps: a worktree, trunk, or a plain commit.

    `own` are its changes since it left trunk (trunk: since the other left it), or as they would land on trunk, and then
    `present` has the first; `head` the commit that merge bases are looked for from; `unsettled` whether trunk has since
    changed the shape of trees where it works; `unread` has those of its changed files whose content is not known.
    """

    key: str
    name: str | None
    ref: str
    head: str
    own: ChangeSet
    footprint: Footprint
    unsettled: bool = False
    present: Present | None = None
    unread: Mapping[str, Unread] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def files(self) -> str:
        """Give the tree of its present state: who is merged into has the attributes that count."""
        return self.own.tree if self.present is None else self.present.own.tree


CUT_OFF = "This repository is shallow, and its history ends too early. Fetch the rest with: git fetch --unshallow"


@dataclass(frozen=True, slots=True)
class Found:
    """The overlaps of two participants somewhere, and what is not known there.

    `failed` says that git could not merge something now, and may be able to later.
    """

    overlaps: tuple[Overlap, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    failed: bool = False


def together(parts: Iterable[Found]) -> Found:
    """Give all of it as one."""
    found = list(parts)
    return Found(
        tuple(chain.from_iterable(one.overlaps for one in found)),
        tuple(chain.from_iterable(one.unknown for one in found)),
        any(one.failed for one in found),
    )


def found_at(ours: Participant, theirs: Participant, path: str, overlaps: Iterable[Overlap]) -> Found:
    """Tell how two meet at one path: these overlaps, which are looked for only if the file was read on both sides."""
    if (unread := _unread(path, ours, theirs)) is not None:
        return Found(unknown=(unread,))
    try:
        return Found(tuple(overlaps))
    except GitError as error:
        return Found(unknown=(not_merged(ours, theirs, error, path),), failed=True)


def found_in_trees(ours: Participant, theirs: Participant, overlaps: Iterable[Overlap]) -> Found:
    """Tell how the whole trees of two meet; what git says of the stand-in for a file that was not read is no answer."""
    kept: list[Overlap] = []
    unknown: dict[Unknown, None] = {}
    try:
        for overlap in overlaps:
            path = next(filter(None, (_not_known(side, ours, theirs) for side in overlap.sides)), None)
            unread = _unread(path, ours, theirs) if path is not None else None
            if unread is None:
                kept.append(overlap)
            else:
                unknown[unread] = None
    except GitError as error:
        return Found(unknown=(not_merged(ours, theirs, error),), failed=True)
    return Found(tuple(kept), tuple(unknown))


def _not_known(side: Side, *participants: Participant) -> str | None:
    """Give the file that was not read and that a side is about; one that is gone may have been renamed to a new one."""
    participant = next(one for one in participants if one.key == side.key)
    if side.path in participant.unread or side.after is not None:
        return side.path if side.path in participant.unread else None
    touched = participant.own.touched
    return next((path for path in sorted(participant.unread) if path in touched and touched[path].before is None), None)


def _unread(path: str, ours: Participant, theirs: Participant) -> Unknown | None:
    """Tell why it is not known how these meet at a path: one of them has a file there that was not read."""
    for one, two in ((ours, theirs), (theirs, ours)):
        if path in one.unread:
            return file_unknown(path, one.unread[path], one.key, one.name, (two.key, two.name))
    return None


def file_unknown(path: str, unread: Unread, key: str, name: str | None, *others: tuple[str, str | None]) -> Unknown:
    """Give what is not known because a worktree's file was not read.

    Of a large one that is how it meets the `others`, of whom one at least has changed it too; of another one that is
    anything.
    """
    reason = f"The content of {shown(path)} in {shown(name or key)} is not known. {unread.reason}"
    return Unknown(((key, name), *(others if unread.large else ())), path, reason)


def not_merged(ours: Participant, theirs: Participant, error: GitError, path: str | None = None) -> Unknown:
    """Give what is not known because git could not merge two participants."""
    pair = sorted((ours, theirs), key=lambda one: one.key == TRUNK_KEY)
    one, two = (shown(participant.name or participant.ref) for participant in pair)
    where = f" in {shown(path)}" if path is not None else ""
    reason = f"Whether {one} and {two} conflict{where} is not known. {error.message.rstrip('.')}."
    reason += _how_to_fetch(error.message, pair[1].ref, pair[0].ref)
    return Unknown(tuple((participant.key, participant.name) for participant in pair), path, reason)


def unread_in(repository: Repository, trunk: Trunk, state: WorktreeState) -> Iterator[Unknown]:
    """Give what is not known of a worktree, whoever else there is; a large file counts only where others changed it."""
    worktree = state.worktree
    participant = (worktree.key, worktree.name)
    if state.unread is not None:
        what = "What is not committed in" if state.changes is not None else "What has changed in"
        fetch = _how_to_fetch(state.unread, trunk.branch, worktree.ref)
        yield Unknown((participant,), None, f"{what} {shown(worktree.name)} is not known. {state.unread}{fetch}")
    elif trunk.commit and worktree.head and state.fork_point is None and repository.is_shallow:
        yield Unknown((participant,), None, f"What {shown(worktree.name)} has changed is not known. {CUT_OFF}")
    for path, file in sorted(state.files.items()):
        if not file.large:
            yield file_unknown(path, file, *participant)


def _how_to_fetch(said: str, *refs: str) -> str:
    """Say what to run where something was never fetched: git's own merge of the two fetches what it needs."""
    return f" Fetch it with: git merge-tree {shlex.join(refs)}" if NOT_FETCHED in said else ""
