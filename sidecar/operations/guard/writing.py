"""Writing what the guard keeps: in a process of its own, so that the server's memory and its answers don't suffer.

One side asks (`ask`), in the server; the other does it (`answer`, behind the hidden command `sidecar keep`). They speak
JSON: one order on standard input, and a line on standard output for each worktree that is done with.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Literal

from sidecar.git.repository import Repository, list_worktrees, open_repository
from sidecar.git.snapshot.values import Watcher
from sidecar.git.snapshot.write import write_snapshot
from sidecar.model.findings import Failure
from sidecar.model.picture import Worktree
from sidecar.operations.guard.records import Guarded, GuardError, guarded, is_same, made_of, remember
from sidecar.operations.state import open_state
from sidecar.system.myself import run_myself

LARGEST = 50 * 1024 * 1024
"""Bytes of a file above which it is not kept."""

ENOUGH = 2.0
"""Seconds after which no other worktree is begun in the same process."""

NICENESS = 15
"""How far behind everybody else this comes (nice(2))."""

Outcome = Literal["kept", "changing", "shrinking", "failed"]


@dataclass(frozen=True, slots=True)
class Wish:
    """A worktree to be kept, by its path: `state` names what it is like, `safe` says that all of it is in trunk.

    A worktree that is losing files is only kept `anyway`: it may be on the way to being deleted.
    """

    path: str
    state: str
    safe: bool
    anyway: bool


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a wish: `changing` is kept, but as of no one moment; `shrinking` and `failed` are not kept."""

    path: str
    outcome: Outcome
    message: str = ""


def ask(folder: Path, most: int, wishes: list[Wish], *, trusted: bool, go_on: Callable[[], bool]) -> list[Done]:
    """Have worktrees kept; gives what is done with. The rest is for another time. Ends when `go_on` says no.

    `most` is in bytes of new content for each. OSError when there is no other process to be had.
    """
    order = {"folder": str(folder), "most": most, "trusted": trusted, "wishes": [asdict(wish) for wish in wishes]}
    said = run_myself("keep", json.dumps(order).encode("ascii"), go_on)
    return [Done(**json.loads(line)) for line in said.splitlines(keepends=True) if line.endswith(b"}\n")]


def answer(order: IO[bytes]) -> Iterator[Done]:
    """Do what is asked for, one worktree after the other, until that has taken long enough."""
    parent = os.getppid()
    with suppress(OSError, AttributeError):
        os.nice(NICENESS)
    asked = json.load(order)
    repository = open_repository(Path(asked["folder"]), trust=asked["trusted"])
    if isinstance(repository, Failure):
        return
    state = open_state(repository.common_dir)
    if isinstance(state, Failure):
        return
    there = {worktree.key: worktree for worktree in list_worktrees(repository)}
    before = {one.path: one for one in guarded(state)}
    end = time.monotonic() + ENOUGH
    for wish in (Wish(**given) for given in asked["wishes"]):
        if time.monotonic() > end or os.getppid() != parent:
            return
        worktree = there.get(wish.path)
        if worktree is None or not worktree.readable or worktree.main:
            yield Done(wish.path, "failed", f"{wish.path} is not there any more")
            continue
        known = before.get(wish.path)
        if known is not None and not is_same(known, worktree):
            known = None
        yield _keep(repository, state, worktree, wish, known, asked["most"], lambda: os.getppid() != parent)


def _keep(
    repository: Repository,
    state: Path,
    worktree: Worktree,
    wish: Wish,
    known: Guarded | None,
    most: int,
    orphaned: Callable[[], bool],
) -> Done:
    began = time.time()
    snapshot = write_snapshot(
        repository,
        worktree,
        rehash=False,
        previous=None if known is None else known.commit,
        largest=LARGEST,
        most=most,
        watcher=Watcher(cancelled=orphaned),
    )
    if isinstance(snapshot, Failure):
        return Done(wish.path, "failed", snapshot.message)
    if snapshot.lost and known is not None and not wish.anyway:
        return Done(wish.path, "shrinking")
    if orphaned():  # another one may be at it already
        return Done(wish.path, "failed", "The server has ended")
    new = Guarded(
        worktree.key,
        worktree.name,
        worktree.branch,
        worktree.git_dir,
        snapshot.commit,
        began,
        snapshot.bytes,
        wish.safe,
        made_of(worktree.git_dir),
        "" if snapshot.changed else wish.state,
    )
    try:
        remember(repository, state, new)
    except GuardError as error:
        return Done(wish.path, "failed", f"The state of {worktree.name} can't be kept: {error}")
    return Done(wish.path, "changing" if snapshot.changed else "kept")
