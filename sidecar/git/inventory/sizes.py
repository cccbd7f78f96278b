"""What a worktree takes on the disk, and what of it a release would free: a quick look, without proof."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Sequence
from itertools import groupby

from sidecar.git.inventory.listing import Item, list_directory, size_on_disk
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
    sums = Sums()
    sums.add(start, kept=False)
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
            sums.add(item, kept=also and not made and not item.is_directory)
            if item.path == ".git" and item.is_directory:
                continue
            if item.is_directory and item.status.st_dev == start.status.st_dev:
                waiting.append((item, also, made))
    found = sums.bytes()
    return Bytes(found.total, 0, found.total) if worktree.main else found


class Sums:
    """As a `Tally` sums up, with 33 bytes for a name of a file that has several: a package store has many."""

    def __init__(self) -> None:
        self._total = self._kept = 0
        self._inodes, self._devices, self._links, self._sizes = (array("Q") for _ in range(4))
        self._are_kept = bytearray()

    def add(self, item: Item, *, kept: bool) -> None:
        """Count an entry; `kept`: a release keeps it."""
        size = size_on_disk(item.status)
        if item.status.st_nlink > 1 and item.is_regular:
            self._inodes.append(item.status.st_ino)
            self._devices.append(item.status.st_dev)
            self._links.append(item.status.st_nlink)
            self._sizes.append(size)
            self._are_kept.append(kept)
        else:
            self._total += size
            self._kept += size if kept else 0

    def bytes(self) -> Bytes:
        """The sums: a file with a name outside of the worktree is neither kept nor freed."""
        total, outside, kept = self._total, 0, self._kept
        order = sorted(range(len(self._inodes)), key=self._inodes.__getitem__)
        for _, names in groupby(order, key=self._inodes.__getitem__):
            by_device: dict[int, list[int]] = {}
            for name in names:
                by_device.setdefault(self._devices[name], []).append(name)
            for met in by_device.values():
                size, links = self._sizes[met[0]], self._links[met[0]]
                total += size
                if len(met) < links:
                    outside += size
                elif any(self._are_kept[name] for name in met):
                    kept += size
        return Bytes(total, total - outside - kept, kept)
