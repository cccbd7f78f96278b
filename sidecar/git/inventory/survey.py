"""Every entry of a checked-out repository, each explained by the index, by git's ignore rules, or named.

A walk of our own, level by level: git's listings leave out pipes, empty directories, what lies in other repositories,
and whatever a setting tells them to.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field

from sidecar.git.blobs import id_of
from sidecar.git.inventory.content import blob_id
from sidecar.git.inventory.converted import Differing, settle_differing
from sidecar.git.inventory.ground import Ground
from sidecar.git.inventory.ignored import leads_to_main, links_to_output, survey_ignored
from sidecar.git.inventory.index import Index, Tracked, read_index, staged_paths
from sidecar.git.inventory.listing import Item
from sidecar.git.inventory.nested import meet_repository, nested_kind
from sidecar.git.inventory.output import is_marked_output, is_named_output
from sidecar.git.inventory.scope import Scope, look, measure, note_attributes, note_unreadable
from sidecar.git.inventory.submodules import is_submodule_moved, open_submodule
from sidecar.git.process import GitError, run
from sidecar.model.changes import EXECUTABLE, FILE, SUBMODULE, SYMLINK
from sidecar.model.inventory import Output

_WILD = frozenset("*?[\\")

LARGE = 16 << 20
"""Bytes from which on a file's size is asked before it is read."""


@dataclass(slots=True)
class _Survey:
    """One repository under way: which tracked paths were met, and which of them need a second look."""

    ground: Ground
    index: Index
    scope: Scope
    met: set[str] = field(default_factory=set)
    differing: list[Differing] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Open:
    """An entry that the index does not explain; `output`: it is in a directory that looks like build output."""

    item: Item
    output: bool


def survey(ground: Ground, start: Item, head: str | None, scope: Scope) -> None:
    """Explain everything below `start`, the ground's root, and note in the scope what is not as in the commit `head`.

    Raises GitError when the repository can't answer.
    """
    index = read_index(ground.place)
    under_way = _Survey(ground, index, scope)
    scope.found.staged += [ground.prefix + path for path in staged_paths(ground.place, index, head)]
    scope.found.conflicted += [ground.prefix + path for path in index.conflicted]
    level = [_Open(start, output=False)]
    while level:
        asked: list[_Open] = []
        following: list[_Open] = []
        for directory in level:
            _enter(under_way, directory, start, asked, following)
        ignored = _ignored(ground, [one.item for one in asked])
        for one in asked:
            if one.item.path not in ignored:
                _meet_untracked(under_way, one, following)
            else:
                survey_ignored(scope, one.item, output=one.output)
        level = following
    _settle(under_way)
    if not ground.prefix:
        _keep_changed(under_way)


def _enter(under_way: _Survey, directory: _Open, start: Item, asked: list[_Open], following: list[_Open]) -> None:
    """Sort what is in a directory: the index's, or a question for git's ignore rules."""
    ground, index, scope = under_way.ground, under_way.index, under_way.scope
    items = look(scope, directory.item)
    if items is None:
        return
    below = directory.item.path != start.path
    held = not below or ground.own(directory.item.path) in index.directories
    if below and (kind := nested_kind(items)) is not None and not (held and kind == "bare"):
        meet_repository(scope, directory.item, items)
        if not held:
            measure(scope, directory.item, kept=True)
            return
    if not items and below:
        scope.found.empty_directories.append(directory.item.path)
    output = not held and (directory.output or _looks_like_output(scope, directory.item, items))
    for item in items:
        path = ground.own(item.path)
        if item.is_special and item.name in (".gitignore", ".gitattributes"):
            raise GitError(f"{item.path} is no file, and git would wait for it for ever.")
        if item.name == ".git":
            scope.tally.add(item)
            if item.is_directory:
                measure(scope, item, kept=False)
        elif item.is_directory and index.is_submodule(path):
            under_way.met.add(path)
            _meet_submodule(under_way, item)
        elif item.is_directory and path in index.directories:
            scope.tally.add(item)
            note_attributes(scope, item)
            following.append(_Open(item, output=False))
        elif path in index.entries and not item.is_directory:
            scope.tally.add(item, kept=_stays(ground, item))
            _compare(under_way, item, path, index.entries[path])
        elif path in index.conflicted and not item.is_directory:
            scope.tally.add(item, kept=True)
        else:
            asked.append(_Open(item, output))


def _looks_like_output(scope: Scope, directory: Item, items: Sequence[Item]) -> bool:
    named = is_named_output(directory.path, scope.patterns, directory=True)
    return named or is_marked_output(scope.root, items)


def _ignored(ground: Ground, items: Sequence[Item]) -> frozenset[str]:
    """Those of the entries that git's rules ignore (git-check-ignore(1)); none of them is tracked.

    A name is a pathspec there. `./` keeps a leading colon a name; one with a wildcard would match tracked files and be
    passed over, so the index is left out for it.
    """
    odd = [item for item in items if _WILD.intersection(item.path)]
    plain = [item for item in items if not _WILD.intersection(item.path)]
    return _asked(ground, plain) | _asked(ground, odd, "--no-index")


def _asked(ground: Ground, items: Sequence[Item], *how: str) -> frozenset[str]:
    if not items:
        return frozenset()
    asked = [f"./{ground.own(item.path)}{'/' if item.is_directory else ''}" for item in items]
    listing = b"".join(os.fsencode(path) + b"\0" for path in asked)
    said = frozenset(
        os.fsdecode(path)
        for path in run(ground.place, "check-ignore", *how, "-z", "--stdin", stdin=listing, accept=(0, 1)).split(b"\0")
    )
    return frozenset(item.path for item, path in zip(items, asked, strict=True) if path in said)


def _meet_untracked(under_way: _Survey, one: _Open, following: list[_Open]) -> None:
    """An entry that git neither tracks nor ignores."""
    scope, item = under_way.scope, one.item
    if item.is_directory:
        scope.tally.add(item)
        following.append(one)
    elif item.is_link and leads_to_main(scope, item):
        scope.tally.add(item)
        scope.found.equal.append(item.path)
    elif item.is_link and links_to_output(scope, item):
        scope.found.output.append(Output(item.path, scope.tally.add(item)))
    elif item.is_link or item.is_regular:
        scope.tally.add(item, kept=True)
        note_attributes(scope, item)
        scope.found.untracked.append(item.path)
    else:
        scope.tally.add(item, kept=True)
        (scope.found.special if item.is_special else scope.found.unexplained).append(item.path)


def _compare(under_way: _Survey, item: Item, path: str, tracked: Tracked) -> None:
    """Hold a tracked path's bytes and mode against the index; git's own idea of what is unchanged is not asked."""
    ground, scope, mode = under_way.ground, under_way.scope, tracked.entry.mode
    under_way.met.add(path)
    note_attributes(scope, item)
    full = scope.full(item.path)
    try:
        if item.is_link and mode == SYMLINK:
            oid = id_of(ground.object_format, os.fsencode(os.readlink(full)))
            if oid != tracked.entry.oid:
                _note_change(under_way, path, tracked)
        elif item.is_regular and (mode in (FILE, EXECUTABLE) or (mode == SYMLINK and _links_are_files(ground))):
            if _mode_differs(under_way, item, mode):
                seen_by_git = ground.config.flag("core.filemode", default=True) is not False
                _note_change(under_way, path, tracked, hidden=not seen_by_git)
            if _has_another_size(ground, item, tracked) or tracked.entry.oid != blob_id(
                full, item.status, ground.object_format, scope.watching
            ):
                under_way.differing.append(Differing(path, tracked.entry.oid, item.status))
        else:
            _note_change(under_way, path, tracked)
            if item.is_special:
                scope.found.special.append(item.path)
    except OSError as error:
        note_unreadable(scope, item.path, error)


def _has_another_size(ground: Ground, item: Item, tracked: Tracked) -> bool:
    """Whether a large file need not be read to know that its bytes are others."""
    if item.status.st_size < LARGE:
        return False
    said = run(ground.place, "cat-file", "--batch-check=%(objectsize)", stdin=f"{tracked.entry.oid}\n".encode())
    return said.strip().isdigit() and int(said) != item.status.st_size


def _links_are_files(ground: Ground) -> bool:
    return ground.config.flag("core.symlinks", default=True) is False


def _mode_differs(under_way: _Survey, item: Item, mode: int) -> bool:
    """Whether only one of file and index is executable, on a file system that can tell."""
    if os.name == "nt" or under_way.scope.modeless or mode == SYMLINK:
        return False
    return bool(item.status.st_mode & stat.S_IXUSR) != (mode == EXECUTABLE)


def _note_change(under_way: _Survey, path: str, tracked: Tracked, *, hidden: bool = False) -> None:
    found = under_way.scope.found
    group = found.hidden if hidden or tracked.flagged else found.unstaged
    group.append(under_way.ground.prefix + path)


def _settle(under_way: _Survey) -> None:
    """The second looks, and the tracked paths that were not met."""
    index, scope = under_way.index, under_way.scope
    same, hidden = settle_differing(under_way.ground, under_way.differing, scope.watching)
    for differing in under_way.differing:
        if differing.path not in same:
            _note_change(under_way, differing.path, index.entries[differing.path], hidden=differing.path in hidden)
    for path, tracked in index.entries.items():
        if path not in under_way.met and not tracked.skipped and tracked.entry.mode != SUBMODULE:
            _note_change(under_way, path, tracked)


def _keep_changed(under_way: _Survey) -> None:
    """Count the tracked files that are not as in HEAD as kept."""
    found, tracked = under_way.scope.found, under_way.index.entries
    for path in tracked.keys() & {*found.staged, *found.unstaged, *found.hidden}:
        with contextlib.suppress(OSError):
            item = Item(path, os.lstat(under_way.scope.full(path)))
            if not _stays(under_way.ground, item):
                under_way.scope.tally.keep(item)


def _stays(ground: Ground, item: Item) -> bool:
    """Whether a tracked file stays in the trash in any case: a submodule's, or one with a second name."""
    return bool(ground.prefix) or (item.is_regular and item.status.st_nlink > 1)


def _meet_submodule(under_way: _Survey, item: Item) -> None:
    """A submodule: surveyed like the worktree itself, and all that is not committed in it is told as one group."""
    ground, scope = under_way.ground, under_way.scope
    tracked = under_way.index.entries[ground.own(item.path)]
    scope.tally.add(item)
    opened = open_submodule(scope, item, trusted=ground.trusted)
    if opened is None:
        return
    if is_submodule_moved(opened, tracked.entry.oid):
        _note_change(under_way, ground.own(item.path), tracked)
    groups = ("staged", "conflicted", "unstaged", "hidden", "untracked")
    before = {name: len(getattr(scope.found, name)) for name in groups}
    survey(opened.ground, item, opened.head, scope)
    for name, length in before.items():
        group: list[str] = getattr(scope.found, name)
        scope.found.submodule_changes += group[length:]
        del group[length:]
