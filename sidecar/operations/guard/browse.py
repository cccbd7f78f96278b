"""Find what is kept of one worktree: its states, and the one that was at a time."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sidecar.git.process import run
from sidecar.git.refs import resolve_commit
from sidecar.git.repository import Repository, list_worktrees
from sidecar.model.findings import Failure
from sidecar.model.picture import Worktree, WorktreeState
from sidecar.model.receipts import Receipt
from sidecar.model.settings import Options
from sidecar.model.words import escape, shown
from sidecar.operations.guard.states import (
    State,
    history_in,
    newest,
    read_state,
    read_states,
    read_tips,
)
from sidecar.session.once import find_worktree
from sidecar.session.reader import ask_repository

PAIR = re.compile(rb"(?:\A|\0|\n)([0-9a-f]{40,64}) ([0-9a-f]{40,64})\n")


@dataclass(frozen=True, slots=True)
class Kept:
    """The states of one worktree, the newest first; `worktree` is None when it is gone."""

    repository: Repository
    name: str
    worktree: Worktree | None
    states: tuple[State, ...]


def find_kept(folder: Path, name: str, options: Options) -> Kept | Failure:
    """Find what is kept of the worktree of that name, branch or path, also of one that is gone."""
    return ask_repository(folder, options, lambda repository: _find(repository, folder, name))


def find_state(folder: Path, state_id: str, options: Options) -> Kept | Failure:
    """Find the worktree of a state, with just that one state, by the id that a list of states gives."""

    def find(repository: Repository) -> Kept | Failure:
        commit = resolve_commit(repository.place, state_id.removeprefix("state-"))
        state = read_state(repository, commit) if commit is not None else None
        if state is None:
            said = f"There is no state called {escape(state_id)}. See: sidecar restore NAME --list"
            return Failure("unknown-id", said)
        there = next((one for one in list_worktrees(repository) if _history(repository, one) == state.history), None)
        return Kept(repository, state.facts.name, _usable(there), (state,))

    return ask_repository(folder, options, find)


def last_states(folder: Path, options: Options) -> tuple[Receipt, ...] | Failure:
    """Give the last state of each worktree as something that can be restored, the youngest first; each name once."""

    def find(repository: Repository) -> tuple[Receipt, ...]:
        tips = sorted(map(newest, read_tips(repository).values()), key=lambda one: one.facts.time)
        by_name = {state.facts.name: _receipt(state) for state in tips}
        return tuple(sorted(by_name.values(), key=lambda one: one.time, reverse=True))

    return ask_repository(folder, options, find)


def state_at(kept: Kept, moment: float) -> State | Failure:
    """Find the last state that was kept until a moment (seconds since 1970)."""
    for state in kept.states:
        if state.facts.time <= moment:
            return state
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
    if not kept.states:
        return Failure("no-state", f"No state of {shown(kept.name)} is kept.")
    first = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(kept.states[-1].facts.time))
    return Failure("no-state", f"No state of {shown(kept.name)} is kept from before {when}. The oldest is of {first}.")


def as_receipts(kept: Kept) -> tuple[Receipt, ...]:
    """Give the states as things that can be restored; their fact `changed` has the paths that changed with each."""
    changes = _changes(kept.repository, [state.tree for state in kept.states])
    return tuple(_receipt(state, changed) for state, changed in zip(kept.states, changes, strict=True))


def _receipt(state: State, changed: Sequence[str] = ()) -> Receipt:
    facts = state.facts
    known = {"changed": list(changed), "path": facts.path}
    return Receipt(state.id, "state", facts.name, facts.branch, facts.time, facts.bytes, known)


def _find(repository: Repository, folder: Path, name: str) -> Kept | Failure:
    worktrees = list_worktrees(repository)
    found = find_worktree([WorktreeState(one) for one in worktrees], name, folder)
    if isinstance(found, Failure):
        return found
    tips = read_tips(repository)
    there = _usable(found.worktree if found is not None else None)
    if there is not None:
        own = _history(repository, there)  # or one that had its path before
        chosen = [one for key, one in tips.items() if key == own or newest(one).facts.path == there.key]
        return Kept(repository, there.name, there, _distinct(repository, chosen))
    path = os.path.realpath(folder / name)
    facts = {key: newest(one).facts for key, one in tips.items()}
    known = [tips[key] for key, one in facts.items() if name in (one.name, one.branch) or one.path == path]
    if not known:
        names = sorted({one.name for one in facts.values()})
        said = f"Nothing is kept of {shown(name)}. States are kept of: {', '.join(map(shown, names))}."
        return Failure("unknown-name", said if names else f"Nothing is kept of {shown(name)}.")
    last = max(known, key=lambda one: newest(one).facts.time)
    same = [one for one in known if newest(one).facts.path == newest(last).facts.path]
    return Kept(repository, newest(last).facts.name, None, _distinct(repository, same))


def _usable(worktree: Worktree | None) -> Worktree | None:
    return worktree if worktree is not None and worktree.readable else None


def _history(repository: Repository, worktree: Worktree) -> str:
    return history_in(repository, worktree) if worktree.git_dir else ""


def _distinct(repository: Repository, histories: Sequence[dict[str, State]]) -> tuple[State, ...]:
    """Give every state of these, newest first, without those after which only what is in trunk had changed."""
    every = (state for segments in histories for state in read_states(repository, segments))
    found: list[State] = []
    for state in sorted(every, key=lambda one: one.facts.time, reverse=True):
        if found and _content(found[-1]) == _content(state):
            found.pop()  # the older one says since when
        found.append(state)
    return tuple(found)


def _content(state: State) -> tuple[object, ...]:
    return state.tree, state.index, state.stages, state.facts.head


def _changes(repository: Repository, trees: Sequence[str]) -> Iterator[list[str]]:
    """Give for each tree the paths in which it differs from the next one; of the last one nothing is known."""
    pairs = list(zip(trees[1:], trees, strict=False))
    request = "".join(f"{before} {after}\n" for before, after in pairs).encode("ascii")
    how = ("diff-tree", "--stdin", "-r", "-z", "--name-only", "--no-renames")
    said = run(repository.place, *how, stdin=request) if pairs else b""
    parts = PAIR.split(said)
    answers = {(parts[at], parts[at + 1]): parts[at + 2] for at in range(1, len(parts) - 2, 3)}
    for before, after in pairs:
        rows = answers.get((before.encode("ascii"), after.encode("ascii")), b"")
        yield [os.fsdecode(path) for path in rows.split(b"\0") if path]
    if trees:
        yield []
