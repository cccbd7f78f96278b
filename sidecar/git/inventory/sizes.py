"""What a worktree takes on the disk, and what of it a release would free: a quick look, without proof."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from sidecar.git.inventory.listing import Item, Tally, list_directory
from sidecar.git.inventory.output import is_marked_output, is_named_output, usable_patterns
from sidecar.git.process import GitError, run
from sidecar.git.repository import Repository
from sidecar.model.inventory import Bytes
from sidecar.model.picture import Worktree

OFTEN = 256
"""Entries between two questions whether to go on."""


def measure_worktree(
    repository: Repository,
    worktree: Worktree,
    disposable: Sequence[str],
    go_on: Callable[[], bool] = lambda: True,
) -> Bytes | None:
    """The bytes of a worktree on the disk (st_blocks), as a release would count them; None when it can't be told.

    Of the main worktree nothing can be freed, and the repository itself is left out. Nothing is hashed: what git does
    not track and no build makes counts as kept. `go_on` is asked often, from this thread; it may take its time.
    """
    try:
        start = Item("", os.lstat(worktree.key))
        said = run(repository.inside(worktree), "ls-files", "--others", "--directory", "-z")
    except (GitError, OSError):
        return None
    others = {os.fsdecode(path).rstrip("/") for path in said.split(b"\0") if path}
    patterns = usable_patterns(disposable)
    tally = Tally()
    tally.add(start)
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
