"""Make a Picture of a few files of one worktree, once, for who waits for it with every edit.

Only what can meet these files is read and merged; other files of the repository are not in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from sidecar.git.history import find_trunk
from sidecar.git.process import GitError
from sidecar.git.repository import list_worktrees
from sidecar.git.status import read_uncommitted
from sidecar.model.changes import Change, ChangeSet, ancestors
from sidecar.model.findings import Failure
from sidecar.model.may_overlap import stays_plain
from sidecar.model.numbered import Number, numbers_added
from sidecar.model.overlaps import Overlap, Unknown
from sidecar.model.picture import TRUNK_KEY, BrokenUse, Picture, Trunk, Worktree, WorktreeState
from sidecar.model.settings import Options
from sidecar.session.broken_uses import BrokenUseFinder
from sidecar.session.overlaps import OverlapCache
from sidecar.session.reader import Sources, ask
from sidecar.session.reading import READERS, Reading, read_worktree, worktree_state
from sidecar.session.unsaved import Unsaved

ATTRIBUTES = ".gitattributes"
NO_TEXTS: Mapping[str, Unsaved] = MappingProxyType({})


def look_at_paths(
    key: str, paths: Sequence[str], options: Options, texts: Mapping[str, Unsaved] = NO_TEXTS
) -> Picture | Failure:
    """Give the Picture of these paths (relative) of the worktree of that key, and of who else has changed them.

    `texts` are contents that are about to be written there. Of other worktrees, what is not committed is read at these
    paths only: a directory that one has moved away without a commit does not show. Everything else is as in `look`.
    """
    return ask(Path(key), options, lambda sources: _look(sources, key, paths, texts))


def _look(sources: Sources, key: str, paths: Sequence[str], texts: Mapping[str, Unsaved]) -> Picture | Failure:
    worktrees = list_worktrees(sources.repository)
    trunk = find_trunk(sources.repository, worktrees, str(sources.settings["trunk"]))
    if isinstance(trunk, Failure):
        return trunk
    own = next((worktree for worktree in worktrees if worktree.key == key), None)
    if own is None:
        return Failure("unknown-name", f"{key} is no worktree of this repository.")
    mine = _state_at(sources, trunk, own, _with_attributes(paths), texts)
    names, numbers = _known_by(mine, paths)
    looked_at = tuple(dict.fromkeys((*_with_attributes(names), *(number[0] for number in numbers if number[0]))))
    others = [worktree for worktree in worktrees if worktree.key != key and worktree.readable]
    with ThreadPoolExecutor(READERS) as pool:
        states = list(pool.map(lambda worktree: _state_at(sources, trunk, worktree, looked_at), others))
    meeting = [state for state in states if _takes_part(state, names, numbers)]
    at = {worktree.key: index for index, worktree in enumerate(worktrees)}
    ordered = sorted((mine, *meeting), key=lambda state: at[state.worktree.key])  # the first is merged into
    overlaps, unknown = _grade(sources, trunk, key, ordered, names)
    broken = _broken_at(BrokenUseFinder(sources).find(trunk, (mine, *states), key) or (), key, names)
    common_dir = sources.repository.common_dir
    return Picture(1, common_dir, trunk, tuple(ordered), overlaps, unknown=unknown, broken_uses=broken)


def _known_by(mine: WorktreeState, paths: Sequence[str]) -> tuple[tuple[str, ...], frozenset[Number]]:
    """Give the names by which these files of a worktree can meet others, and the numbers that new ones have."""
    changes = [change for path in paths if (change := mine.changes and mine.changes.named(path))]
    names = dict.fromkeys((*paths, *(name for change in changes for name in change.names)))
    return tuple(names), numbers_added(change.path for change in changes if change.before is None)


def _broken_at(found: Iterable[BrokenUse], key: str, names: Collection[str]) -> tuple[BrokenUse, ...]:
    """Give the broken uses of which a worktree has one end in these files."""
    return tuple(one for one in found if (ends := one.ends(key)) is not None and ends[0].path in names)


def _with_attributes(paths: Sequence[str]) -> tuple[str, ...]:
    """Add the attributes files that decide how git merges these paths."""
    above = dict.fromkeys(directory for path in paths for directory in ancestors(path))
    return (*paths, ATTRIBUTES, *(f"{directory}/{ATTRIBUTES}" for directory in above))


def cut_to_paths(picture: Picture, key: str, paths: Sequence[str]) -> Picture:
    """Cut a whole Picture to what `look_at_paths` gives, but for what each worktree has changed."""
    mine = next((state for state in picture.worktrees if state.worktree.key == key), None)
    if mine is None:
        return replace(picture, worktrees=(), overlaps=(), unknown=(), broken_uses=())
    names, numbers = _known_by(mine, paths)
    states = [
        state
        for state in picture.worktrees
        if state is mine or (state.worktree.readable and _takes_part(state, names, numbers))
    ]
    overlaps: dict[Overlap, None] = {}
    unknown: dict[Unknown, None] = {}
    for other in states:
        parties = {key, other.worktree.key, TRUNK_KEY}
        for overlap in picture.overlaps:
            sides = overlap.seen_from(key)
            if sides is not None and sides[1].key in parties and not {overlap.path, sides[0].path}.isdisjoint(names):
                overlaps[overlap] = None
        unknown |= dict.fromkeys(
            one
            for one in picture.unknown
            if one.concerns(key) and {party for party, _ in one.parties} <= parties and any(map(one.may_be_at, names))
        )
    bare = tuple(replace(state, changes=None) for state in states)
    broken = _broken_at(picture.broken_uses, key, names)
    return replace(picture, worktrees=bare, overlaps=tuple(overlaps), unknown=tuple(unknown), broken_uses=broken)


def _takes_part(state: WorktreeState, names: Collection[str], numbers: Collection[Number]) -> bool:
    """Tell whether another worktree may meet one at these paths."""
    return state.unread is not None or bool(_relevant(state, names)) or _has(state, numbers)


def _state_at(
    sources: Sources, trunk: Trunk, worktree: Worktree, paths: Sequence[str], texts: Mapping[str, Unsaved] = NO_TEXTS
) -> WorktreeState:
    """Give a worktree's state with what is not committed at these paths; with all of it where a path came or went.

    In the middle of a merge that is all of it, too: what the merge has staged is not the worktree's own.
    """
    if worktree.merging:
        return worktree_state(sources, trunk, read_worktree(sources, worktree), texts)
    try:
        found = read_uncommitted(sources.repository, sources.quarantine, worktree, sources.size_limit, paths)
    except GitError as error:
        reading = Reading(worktree, problem=f"{worktree.name} can't be read: {error.message}")
        return worktree_state(sources, trunk, reading, texts)
    state = worktree_state(sources, trunk, Reading(worktree, found), texts)
    if not all(map(_is_plain, _relevant(state, paths))):
        return worktree_state(sources, trunk, read_worktree(sources, worktree), texts)
    return state


def _relevant(state: WorktreeState, names: Collection[str]) -> list[Change]:
    """Give the changes of a worktree at, above or below one of these paths, by any of their names."""
    return [
        change
        for change in state.changes or ()
        if any(
            one == two or one.startswith(f"{two}/") or two.startswith(f"{one}/")
            for one in change.names
            for two in names
        )
    ]


def _has(state: WorktreeState, numbers: Collection[Number]) -> bool:
    """Tell whether a worktree adds a file that has one of these numbers."""
    added = (change.path for change in state.changes or () if change.before is None)
    return bool(numbers) and not numbers_added(added).isdisjoint(numbers)


def _is_plain(change: Change) -> bool:
    """Tell whether a change is in the text of a file that keeps its name, so that nothing but this path takes part."""
    return change.old_path is None and stays_plain(change)


def _grade(
    sources: Sources, trunk: Trunk, key: str, states: Sequence[WorktreeState], names: Collection[str]
) -> tuple[tuple[Overlap, ...], tuple[Unknown, ...]]:
    """Grade how a worktree meets trunk and each other one at these paths, and say what is not known of that."""
    grading = OverlapCache(sources)
    if all(_is_plain(change) for state in states for change in _relevant(state, names)):
        states = [_cut(sources, state, names) for state in states]
    overlaps: dict[Overlap, None] = {}
    unknown: dict[Unknown, None] = {}
    for other in states:
        grades = grading.grade(trunk, [state for state in states if state is other or state.worktree.key == key])
        for overlap in grades.overlaps:
            sides = overlap.seen_from(key)
            if sides is not None and not {overlap.path, sides[0].path}.isdisjoint(names):
                overlaps[overlap] = None
        found = (one for one in grades.unknown if one.concerns(key) and any(map(one.may_be_at, names)))
        unknown |= dict.fromkeys(found)
    return tuple(overlaps), tuple(unknown)


def _cut(sources: Sources, state: WorktreeState, names: Collection[str]) -> WorktreeState:
    """Cut a state to its changes at these paths, and in attributes files, which decide how git merges them."""
    changes = state.changes
    if changes is None:
        return state
    kept = {path: one for path, one in changes.touched.items() if path in names or path.endswith(ATTRIBUTES)}
    tree = sources.trees.edited(changes.base, frozenset((path, change.after) for path, change in kept.items()))
    folded = {path: change for path, change in changes.changes.items() if path in kept}
    return replace(state, changes=ChangeSet(changes.base, tree, kept, folded))
