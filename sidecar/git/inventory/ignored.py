"""Tell ignored entries apart: what a build makes again, what the main worktree has too, and what is only here.

Build output is known by marks and names, and is the only thing that a release deletes: a repository with work of its
own inside of it is no output. `measure_worktree` is the quick look at the same, without proof.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence

from sidecar.git.blobs import same_content
from sidecar.git.ignore import list_untracked
from sidecar.git.inventory.repositories import has_own_work, is_repository, note_repository
from sidecar.git.inventory.walk import (
    OFTEN,
    Group,
    Item,
    Scope,
    Tally,
    list_directory,
    look,
    measure,
    note,
    note_attributes,
)
from sidecar.git.process import GitError
from sidecar.git.repository import Repository
from sidecar.model.inventory import Bytes, Output
from sidecar.model.picture import Worktree
from sidecar.model.regenerate import is_named
from sidecar.system.files import read_regular

CACHE_SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55"
"""How a CACHEDIR.TAG begins (the Cache Directory Tagging Specification)."""

MOST_TAG_BYTES = 1 << 20


def usable_patterns(patterns: Sequence[str]) -> tuple[str, ...]:
    """Give the patterns that name something, and node_modules; one of wildcards alone would name everything."""
    return ("node_modules/", *(pattern for pattern in patterns if pattern.strip("*?/.[]! ")))


def is_named_output(path: str, patterns: Sequence[str], *, directory: bool) -> bool:
    """Tell whether a pattern of `sidecar.disposable` names this path, relative to its worktree."""
    return any(is_named(path, pattern, directory=directory) for pattern in patterns)


def is_marked_output(root: str, items: Sequence[Item]) -> bool:
    """Tell whether a directory with these items says of itself that it is a cache or a virtual environment."""
    by_name = {item.name: item for item in items if item.name in ("CACHEDIR.TAG", "pyvenv.cfg", "bin", "Scripts")}
    tag = by_name.get("CACHEDIR.TAG")
    if tag is not None and tag.is_regular and _is_signed(os.path.join(root, tag.path)):
        return True
    programs = by_name.get("bin") or by_name.get("Scripts")
    settings = by_name.get("pyvenv.cfg")
    return settings is not None and settings.is_regular and programs is not None and programs.is_directory


def is_cache(folder: str) -> bool:
    """Tell whether a directory says of itself that it is a cache, and is no virtual environment."""
    tag, settings = (os.path.join(folder, name) for name in ("CACHEDIR.TAG", "pyvenv.cfg"))
    return _is_signed(tag) and not os.path.lexists(settings)


def _is_signed(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode) and read_regular(path, MOST_TAG_BYTES).startswith(CACHE_SIGNATURE)
    except OSError:
        return False


def survey_ignored(scope: Scope, start: Item, *, output: bool) -> None:
    """Explain an ignored entry and all below it; `output`: its directory looks like build output."""
    if not start.is_directory:
        _note_leaf(scope, start, output=output)
        return
    waiting = [start]
    scope.tally.add(start)
    while waiting:
        directory = waiting.pop()
        named = output or is_named_output(directory.path, scope.patterns, directory=True)
        items = look(scope, directory, passing=named)
        if items is None:
            continue
        if is_repository(items) and not output:
            note_repository(scope, directory, items)
            measure(scope, directory, kept=True)
            continue
        if named or is_marked_output(scope.root, items):
            _note_output(scope, directory)
            continue
        if not items:
            scope.note("empty_directories", directory.path)
        for item in items:
            if item.is_directory:
                scope.tally.add(item)
                waiting.append(item)
            else:
                _note_leaf(scope, item, output=False)


def looks_like_output(scope: Scope, directory: Item, items: Sequence[Item]) -> bool:
    """Tell whether a directory has the name of build output, or the mark of it among what is in it."""
    named = is_named_output(directory.path, scope.patterns, directory=True)
    return named or is_marked_output(scope.root, items)


def _note_output(scope: Scope, start: Item) -> None:
    """Look through a directory of build output for repositories with work of their own.

    One in which something is at stake is kept as a whole.
    """
    before = _at_stake(scope)
    total = files = 0
    waiting = [(start, True)]
    while waiting:
        directory, passing = waiting.pop()
        items = look(scope, directory, passing=passing) or []
        if is_repository(items):
            if has_own_work(scope, directory, items):
                note_repository(scope, directory, items)
                measure(scope, directory, kept=True)
                continue
            passing = False
            note(scope.seen, directory, items)
        for item in items:
            size = scope.tally.add(item)
            total += size
            if item.is_directory:
                waiting.append((item, passing))
            else:
                files += size
    full = scope.full(start.path)
    barred = any(place == full or place.startswith(full + "/") for place in scope.barred)
    if barred or before != _at_stake(scope):
        scope.tally.keep(files)
    else:
        scope.output.append(Output(start.path, total))


def _at_stake(scope: Scope) -> int:
    return len(scope.nested) + sum(len(scope.groups[group]) for group in ("mounts", "unreadable", "overlong"))


def _note_leaf(scope: Scope, item: Item, *, output: bool) -> None:
    """Note an ignored file, link or special file."""
    if output or is_named_output(item.path, scope.patterns, directory=False):
        scope.output.append(Output(item.path, scope.tally.add(item)))
    elif item.is_special:
        scope.tally.add(item, kept=True)
        scope.note("special", item.path)
    elif is_main_copy(scope, item):
        scope.tally.add(item, kept=True, named=True)
        scope.note("equal", item.path)
    else:
        note_kept(scope, item, "unique")


def note_kept(scope: Scope, item: Item, group: Group) -> None:
    """Note what is kept in this group; a link to build output elsewhere is output."""
    if item.is_link and _links_to_output(scope, item):
        scope.output.append(Output(item.path, scope.tally.add(item)))
        return
    scope.tally.add(item, kept=True, named=True)
    note_attributes(scope, item)
    scope.note(group, item.path)


def _links_to_output(scope: Scope, link: Item) -> bool:
    """Tell whether a link has the name of build output and leads out of the worktree, as to a shared node_modules."""
    if not is_named_output(link.path, scope.patterns, directory=True):
        return False
    real = os.path.realpath(scope.full(link.path))
    return os.path.isdir(real) and not _is_inside(scope, real)


def leads_to_main(scope: Scope, link: Item) -> bool:
    """Tell whether a link leads to just what the main worktree has at the same path."""
    return scope.main is not None and os.path.realpath(scope.full(link.path)) == os.path.join(scope.main, link.path)


def is_main_copy(scope: Scope, item: Item) -> bool:
    """Tell whether the main worktree has the same content and mode at the same path, or the entry links to it.

    The main worktree's must be its own: one that is reached through a link could be this very file.
    """
    if scope.main is None:
        return False
    full, theirs = scope.full(item.path), os.path.join(scope.main, item.path)
    if not _is_real_directory(scope, os.path.dirname(theirs)):
        return False
    try:
        status = os.lstat(theirs)
        if item.is_link:
            same_link = stat.S_ISLNK(status.st_mode) and os.readlink(full) == os.readlink(theirs)
            return same_link or leads_to_main(scope, item)
        return status.st_mode == item.status.st_mode and same_content(
            full, item.status, theirs, status, scope.watching.check
        )
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.filename is None or str(error.filename).startswith(scope.root + "/"):
            scope.note_unreadable(item.path, error)
        return False


def _is_real_directory(scope: Scope, directory: str) -> bool:
    """Tell whether a directory of the main worktree is reached through no link, and lies outside this worktree."""
    known = scope.main_directories.get(directory)
    if known is None:
        known = os.path.realpath(directory) == directory and not _is_inside(scope, directory)
        scope.main_directories[directory] = known
    return known


def _is_inside(scope: Scope, path: str) -> bool:
    return path == scope.root or path.startswith(scope.root + "/")


def measure_worktree(
    repository: Repository,
    worktree: Worktree,
    disposable: Sequence[str],
    go_on: Callable[[], bool] = lambda: True,
) -> Bytes | None:
    """Measure a worktree on the disk (st_blocks), as a release would count it; None when it can't be told.

    Of the main worktree nothing can be freed, and the repository itself is left out. Nothing is hashed: what git does
    not track and no build makes counts as kept. `go_on` is asked often, from this thread; it may take its time.
    """
    try:
        start = Item("", os.lstat(worktree.key))
        others = set(list_untracked(repository.inside(worktree)))
    except (GitError, OSError):
        return None
    patterns = usable_patterns(disposable)
    tally = Tally()
    tally.add(start, kept=False)
    waiting = [(start, False, False)]
    entries = 0
    while waiting:
        directory, other, output = waiting.pop()
        try:
            items = list_directory(worktree.key, directory)
        except OSError:
            continue
        if other and not output:
            named = is_named_output(directory.path, patterns, directory=True)
            output = named or is_marked_output(worktree.key, items)
        for item in items:
            entries += 1
            if entries % OFTEN == 0 and not go_on():
                return None
            also = other or item.path in others
            made = output or (also and is_named_output(item.path, patterns, directory=item.is_directory))
            tally.add(item, kept=also and not made and not item.is_directory)
            if item.path == ".git" and item.is_directory:
                continue
            if item.is_directory and item.status.st_dev == start.status.st_dev:
                waiting.append((item, also, made))
    found = tally.bytes()
    return Bytes(found.total, 0, found.total) if worktree.main else found
