"""Integration, live: proved beside the session, when things are quiet, so that no diagnostic waits for it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sidecar.model.changes import COMMITTED, ChangeSet
from sidecar.model.findings import Failure
from sidecar.model.picture import Integration, Picture, Trunk, WorktreeState
from sidecar.session.aside import Aside, Foreground
from sidecar.session.integration import has_question, integrate
from sidecar.session.sources import Options, Sources, open_sources

QUIET = 0.2
"""Seconds without a new Picture after which proofs are looked for."""

PATIENCE = 3.0
"""Seconds after which they are looked for anyway."""

REMEMBERED = 4096
"""How many answers are remembered."""

_Key = tuple[str, str, str]


class Integrating:
    """Says of each worktree whether it is integrated, as soon as that is known; `on_proved` is called when more is.

    It has sources of its own while it works, and a thread. `known` and `prove` are for one thread, `on_proved` is
    called on another.
    """

    def __init__(self, folder: Path, options: Options, foreground: Foreground, on_proved: Callable[[], None]) -> None:
        self._folder = folder
        self._options = options
        self._on_proved = on_proved
        self._answers: OrderedDict[_Key, Integration] = OrderedDict()
        self._last: dict[str, tuple[str, Integration]] = {}
        self._lock = threading.Lock()
        self._committed: dict[str, tuple[ChangeSet, bool]] = {}
        self._aside = Aside(
            "sidecar-integration",
            self._prove,
            quiet=QUIET,
            patience=PATIENCE,
            foreground=foreground,
            is_due=lambda picture: bool(self._missing(picture)),
        )

    def known(self, picture: Picture) -> Picture:
        """The Picture with what has been proved; till then a worktree that stays as it is is as it was last."""
        if picture.trunk is None or picture.trunk.commit is None:
            return picture
        with self._lock:
            states = tuple(self._known(picture.trunk, state) for state in picture.worktrees)
        return replace(picture, worktrees=states)

    def _known(self, trunk: Trunk, state: WorktreeState) -> WorktreeState:
        key = self._key(trunk, state)
        if key is None:
            return state
        answer = self._answers.get(key)
        if answer is None:
            present, answer = self._last.get(state.worktree.key, ("", state.integration))
            answer = answer if present == _present(key) else state.integration
        else:
            self._answers.move_to_end(key)
            self._last[state.worktree.key] = (_present(key), answer)
        return state if answer == state.integration else replace(state, integration=answer)

    def prove(self, picture: Picture) -> None:
        """Look for proofs of what this Picture shows; returns at once."""
        self._aside.tell(picture)

    def close(self) -> None:
        """End it; closing twice is fine."""
        self._aside.close()

    def _missing(self, picture: Picture) -> list[tuple[_Key, WorktreeState]]:
        with self._lock:
            keyed = [(self._key(picture.trunk, state), state) for state in picture.worktrees]
            return [(key, state) for key, state in keyed if key is not None and key not in self._answers]

    def _prove(self, picture: Picture) -> None:
        """What is not proved is tried again with the next Picture."""
        sources = open_sources(self._folder, self._options)
        if isinstance(sources, Failure):
            return
        try:
            changed = self._prove_with(sources, picture)
        finally:
            sources.close()
        if changed and not self._aside.closed:
            self._on_proved()

    def _prove_with(self, sources: Sources, picture: Picture) -> bool:
        """Answer what is not known of a Picture; whether that changes it."""
        trunk, changed = picture.trunk, False
        for key, state in self._missing(picture):
            if trunk is None or self._is_old(picture):
                break
            answer = integrate(sources, trunk, state, lambda: self._is_old(picture))
            if self._is_old(picture):
                break
            with self._lock:
                self._answers[key] = answer
                if len(self._answers) > REMEMBERED:
                    self._answers.popitem(last=False)
            changed = changed or answer != state.integration
        return changed

    def _is_old(self, picture: Picture) -> bool:
        """Whether what is being proved is of no interest any more; makes way for who waits."""
        newest = self._aside.newest
        return not self._aside.go_on() or (newest is not None and newest.trunk != picture.trunk)

    def _key(self, trunk: Trunk | None, state: WorktreeState) -> _Key | None:
        """What the answer depends on; None where there is no question."""
        head = state.worktree.head
        if trunk is None or trunk.commit is None or head is None or state.changes is None:
            return None
        if not has_question(trunk, state) or not self._is_committed(state.worktree.key, state.changes):
            return None
        return trunk.commit, head, state.changes.tree

    def _is_committed(self, key: str, changes: ChangeSet) -> bool:
        """Whether nothing uncommitted shows in a change set; one that is still the same is not looked through again."""
        known = self._committed.get(key)
        if known is None or known[0] is not changes:
            known = (changes, all(change.sources == (COMMITTED,) for change in changes.touched.values()))
            self._committed[key] = known
        return known[1]


def _present(key: _Key) -> str:
    return f"{key[1]} {key[2]}"
