"""Say what a new worktree lacks that only the network, or a person, can bring: submodules, contents of Git LFS."""

from __future__ import annotations

import os
from collections.abc import Iterator

from sidecar.git.conversions import find_pointers
from sidecar.git.process import GitError, Place
from sidecar.model.findings import Finding, finding
from sidecar.model.words import counted, named
from sidecar.operations.landing_repository.lent import gitlinks

FETCH = {"lfs": "git lfs pull", "annex": "git annex get ."}
"""What fetches the content of files, by their filter."""


def lacking(place: Place, top: str) -> tuple[Finding, ...]:
    """Find the submodules that are empty and the files that only stand for their content."""
    try:
        return tuple(_lacking(place, top))
    except GitError as error:
        return (finding("git-said", f"Whether submodules or contents are missing can't be told: {error.message}"),)


def _lacking(place: Place, top: str) -> Iterator[Finding]:
    modules = gitlinks(place) if os.path.lexists(os.path.join(top, ".gitmodules")) else {}
    empty = tuple(path for path in modules if _is_empty(os.path.join(top, path)))
    if empty:
        are = "submodule is" if len(empty) == 1 else "submodules are"
        said = f"{len(empty)} {are} empty there: {named(empty)}. To fill: git submodule update --init --recursive"
        yield finding("submodules-empty", said, empty)
    for name, paths in find_pointers(place, top).items():
        of = counted(len(paths), "file", "files")
        said = f"What stands for the content ({name}) of {of} is there, not the content: {named(paths)}."
        yield finding("no-content", f"{said} To fetch it: {FETCH[name]}", paths)


def _is_empty(folder: str) -> bool:
    try:
        return not os.listdir(folder)
    except OSError:
        return False
