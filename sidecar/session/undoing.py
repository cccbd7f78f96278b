"""Say of each worktree what it takes back of trunk, beside the session: what is found, and how, is `undoes_trunk`'s."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from sidecar.git.process import GitError
from sidecar.model.picture import Picture, Trunk, Undone, WorktreeState
from sidecar.session.background import BackgroundJob, Foreground
from sidecar.session.intended import Intended, IntendedRecord, is_intended
from sidecar.session.reader import Sources
from sidecar.session.undoes_trunk import find_undone

QUIET, PATIENCE = 0.25, 3.0
"""Seconds without another Picture after which it is looked, and those for which one waits at the most."""

_Key = tuple[str, str | None, str, str, Intended]
"""What an answer depends on: fork point, HEAD, present tree, trunk, what is intended."""


class Undoing:
    """Says of each worktree what it takes back of trunk, as soon as that is known; `on_found` is called when more is.

    It works beside the session, on a thread, with the session's own sources. `known` and `look` are for one thread.
    """

    def __init__(
        self,
        sources: Callable[[], Sources | None],
        intended: IntendedRecord,
        foreground: Foreground,
        on_found: Callable[[], None],
    ) -> None:
        self._sources = sources
        self._intended = intended
        self._on_found = on_found
        self._answers: dict[str, tuple[_Key, tuple[Undone, ...]]] = {}
        self._lock = threading.Lock()
        self._job = BackgroundJob(
            "sidecar-undoes-trunk",
            self._look,
            quiet=QUIET,
            patience=PATIENCE,
            foreground=foreground,
            is_due=self._missing,
        )

    def known(self, picture: Picture) -> Picture:
        """Add to a Picture what is known; of a file that has changed since, nothing until it was looked at again."""
        with self._lock:
            return replace(picture, worktrees=tuple(self._known(state) for state in picture.worktrees))

    def _known(self, state: WorktreeState) -> WorktreeState:
        _, undone = self._answers.get(state.worktree.key, (None, ()))
        if not undone or state.changes is None:
            return state
        changes, intended = state.changes.changes, self._intended.of(state.worktree)
        lasting = (one for one in undone if (now := changes.get(one.path)) is not None and now.after == one.after)
        return replace(state, undone=tuple(one for one in lasting if not is_intended(one, intended)))

    def look(self, picture: Picture) -> None:
        """Look at what this Picture shows; returns at once."""
        self._job.tell(picture)

    def close(self) -> None:
        """End it; closing twice is fine."""
        self._job.close()

    def of(self, state: WorktreeState, trunk: Trunk | None) -> tuple[Undone, ...] | None:
        """Give all that a worktree takes back now, looked for if need be; None without an answer. Any thread."""
        key, sources = _key(trunk, state, self._intended.of(state.worktree)), self._sources()
        with self._lock:
            known, undone = self._answers.get(state.worktree.key, (None, ())) if key is not None else (None, ())
        try:
            if known == key or key is None or trunk is None:
                return undone
            return find_undone(sources, state, trunk, key[-1]).undone if sources is not None else None
        except GitError:
            return None

    def _missing(self, picture: Picture) -> list[tuple[_Key, WorktreeState]]:
        with self._lock:
            keyed = [
                (_key(picture.trunk, state, self._intended.of(state.worktree)), state) for state in picture.worktrees
            ]
            answers = {key: answer[0] for key, answer in self._answers.items()}
            return [(key, state) for key, state in keyed if key is not None and answers.get(state.worktree.key) != key]

    def _look(self, picture: Picture) -> None:
        sources, trunk, changed = self._sources(), picture.trunk, False
        for key, state in self._missing(picture):
            if sources is None or trunk is None or not self._job.go_on():
                break
            try:
                undone = find_undone(sources, state, trunk, key[-1], self._job.go_on).undone
            except GitError:
                continue  # the sources were closed, or history lacks what a partial clone has not fetched
            with self._lock:
                changed = changed or undone != self._answers.get(state.worktree.key, (None, ()))[1]
                self._answers[state.worktree.key] = (key, undone)
        if changed and not self._job.closed:
            self._on_found()


def _key(trunk: Trunk | None, state: WorktreeState, intended: Intended) -> _Key | None:
    if trunk is None or trunk.commit is None or state.changes is None or state.fork_point is None:
        return None
    return state.fork_point, state.worktree.head, state.changes.tree, trunk.commit, intended
