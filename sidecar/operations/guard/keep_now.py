"""Keep a worktree's present state at once, for an operation that is about to change it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sidecar.git.process import GitError
from sidecar.git.repository import Repository
from sidecar.model.findings import Failure
from sidecar.model.picture import Worktree
from sidecar.model.settings import Options
from sidecar.operations.guard.histories import MEBIBYTE, Wish, open_histories
from sidecar.operations.guard.states import State, history_of, mark_restored
from sidecar.operations.records import sidecar_path
from sidecar.session.live import Present, present_state
from sidecar.session.reader import Sources, ask
from sidecar.session.reading import read_worktree

T = TypeVar("T")

MOST = 1 << 20
"""Mebibytes of new content that are kept before something is changed: in effect, all."""


def with_present(
    repository: Repository, worktree: Worktree, options: Options, use: Callable[[Sources, Present], T | Failure]
) -> T | Failure:
    """Give a worktree's present state, read afresh, to `use`; a Failure where it can't be read."""

    def question(sources: Sources) -> T | Failure:
        reading = read_worktree(sources, worktree)
        present = present_state(sources, reading)
        if present is None:
            return Failure("unreadable-worktree", reading.problem or f"{worktree.name} can't be read.")
        return use(sources, present)

    return ask(repository, options, question)


def keep_now(sources: Sources, present: Present) -> State | Failure:
    """Add the present state to the worktree's history, before something is done to it."""
    try:
        histories = open_histories(sources)
        try:
            kept = histories.keep(Wish(present, safe=False, work=True, why="restore"), MOST * MEBIBYTE)
            mark_restored(sidecar_path(sources.repository.common_dir), histories.history(present))
            return kept
        finally:
            histories.close()
    except (GitError, OSError) as error:
        return Failure("not-kept", f"The present state of {present.worktree.name} can't be kept: {error}")


def end_restoration(sidecar_dir: Path, kept: State) -> None:
    """Note that the change is done before which a state was kept: what it took away was not wiped. OSError."""
    mark_restored(sidecar_dir, history_of(kept.facts.home, kept.facts.made))
