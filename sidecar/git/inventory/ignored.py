"""Ignored entries told apart: what a build makes again, what the main worktree has too, and what is only here."""

from __future__ import annotations

import os
import stat

from sidecar.git.inventory.content import same_content
from sidecar.git.inventory.listing import Item
from sidecar.git.inventory.nested import has_own_work, meet_repository, nested_kind
from sidecar.git.inventory.output import is_marked_output, is_named_output
from sidecar.git.inventory.scope import Scope, look, measure, note_attributes, note_unreadable
from sidecar.model.inventory import Output


def survey_ignored(scope: Scope, start: Item, *, output: bool) -> None:
    """Explain an ignored entry and all below it; `output`: its directory looks like build output."""
    if not start.is_directory:
        _meet_leaf(scope, start, output=output)
        return
    waiting = [start]
    scope.tally.add(start)
    while waiting:
        directory = waiting.pop()
        items = look(scope, directory)
        if items is None:
            continue
        if nested_kind(items) is not None and not output:
            meet_repository(scope, directory, items)
            measure(scope, directory, kept=True)
            continue
        named = output or is_named_output(directory.path, scope.patterns, directory=True)
        if named or is_marked_output(scope.root, items):
            _meet_output(scope, directory)
            continue
        if not items:
            scope.found.empty_directories.append(directory.path)
        for item in items:
            if item.is_directory:
                scope.tally.add(item)
                waiting.append(item)
            else:
                _meet_leaf(scope, item, output=False)


def _meet_output(scope: Scope, start: Item) -> None:
    """A directory of build output; one in which something is at stake is kept as a whole."""
    found = scope.found
    before = [len(group) for group in (found.nested, found.mounts, found.unreadable, found.overlong)]
    size, files = _survey_output(scope, start)
    after = [len(group) for group in (found.nested, found.mounts, found.unreadable, found.overlong)]
    full = scope.full(start.path)
    if before == after and not any(place == full or place.startswith(full + "/") for place in scope.barred):
        found.output.append(Output(start.path, size))
    else:
        scope.tally.kept += files


def _survey_output(scope: Scope, start: Item) -> tuple[int, int]:
    """Build output is looked through for repositories with work of their own; the bytes of all, and of files alone."""
    total = files = 0
    waiting = [start]
    while waiting:
        directory = waiting.pop()
        items = look(scope, directory) or []
        if nested_kind(items) is not None and has_own_work(scope, directory, items):
            meet_repository(scope, directory, items)
            measure(scope, directory, kept=True)
            continue
        for item in items:
            size = scope.tally.add(item, named=False)
            total += size
            if item.is_directory:
                waiting.append(item)
            else:
                files += size
    return total, files


def _meet_leaf(scope: Scope, item: Item, *, output: bool) -> None:
    """An ignored file, link or special file."""
    if output or is_named_output(item.path, scope.patterns, directory=False):
        scope.found.output.append(Output(item.path, scope.tally.add(item, named=False)))
    elif item.is_link or item.is_regular:
        if is_main_copy(scope, item):
            scope.tally.add(item, kept=True)
            scope.found.equal.append(item.path)
        elif item.is_link and links_to_output(scope, item):
            scope.found.output.append(Output(item.path, scope.tally.add(item)))
        else:
            scope.tally.add(item, kept=True)
            note_attributes(scope, item)
            scope.found.unique.append(item.path)
    else:
        scope.tally.add(item, kept=True)
        (scope.found.special if item.is_special else scope.found.unexplained).append(item.path)


def links_to_output(scope: Scope, link: Item) -> bool:
    """Whether a link has the name of build output and leads out of the worktree, as a shared node_modules does."""
    if not is_named_output(link.path, scope.patterns, directory=True):
        return False
    real = os.path.realpath(scope.full(link.path))
    return os.path.isdir(real) and not _is_inside(scope, real)


def leads_to_main(scope: Scope, link: Item) -> bool:
    """Whether a link leads to just what the main worktree has at the same path."""
    return scope.main is not None and os.path.realpath(scope.full(link.path)) == os.path.join(scope.main, link.path)


def is_main_copy(scope: Scope, item: Item) -> bool:
    """Whether the main worktree has the same at the same path, with the same mode, or the entry is a link to it.

    The main worktree's must be its own: one that is reached through a link could be this very file.
    """
    if scope.main is None:
        return False
    theirs = os.path.join(scope.main, item.path)
    if not _is_real_directory(scope, os.path.dirname(theirs)):
        return False
    full = scope.full(item.path)
    try:
        status = os.lstat(theirs)
        if item.is_link:
            same_link = stat.S_ISLNK(status.st_mode) and os.readlink(full) == os.readlink(theirs)
            return same_link or leads_to_main(scope, item)
        if not stat.S_ISREG(status.st_mode) or stat.S_IMODE(status.st_mode) != stat.S_IMODE(item.status.st_mode):
            return False
        return same_content(full, item.status, theirs, status, scope.watching)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.filename is None or str(error.filename).startswith(scope.root + "/"):
            note_unreadable(scope, item.path, error)
        return False


def _is_real_directory(scope: Scope, directory: str) -> bool:
    """Whether a directory of the main worktree is reached through no link, and lies outside this worktree."""
    known = scope.main_directories.get(directory)
    if known is None:
        known = os.path.realpath(directory) == directory and not _is_inside(scope, directory)
        scope.main_directories[directory] = known
    return known


def _is_inside(scope: Scope, path: str) -> bool:
    return path == scope.root or path.startswith(scope.root + "/")
