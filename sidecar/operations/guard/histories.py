"""Keep the histories of all worktrees of a repository: states are added to them, and expire. For one thread.

All states of the last hour stay, then one an hour for a day and one a day, within bounds.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sidecar.git.handing import Store, hand_over, missing_objects, new_objects, open_store, put_commit, size_of
from sidecar.git.objects import tree_of, write_commit
from sidecar.git.process import GitError
from sidecar.operations.guard.states import (
    LONGEST,
    MOST_LEFT_OUT,
    Facts,
    State,
    commit_text,
    history_in,
    home_of,
    hour_of,
    newest,
    place_of_common,
    read_state,
    read_tips,
    segment_ref,
)
from sidecar.operations.kept_refs import Move, RefWriter
from sidecar.session.present_state import PresentState
from sidecar.session.reader import Sources
from sidecar.system.worktree_links import made_of

WATCHED = 120.0
"""Seconds for which it is looked whether a state is still whole: `git gc --prune=now` spares nothing that is young."""

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Wish:
    """A worktree's present state that is to be kept: `safe` says that all of it is in trunk, `work` that it has any.

    `why` is said where it is kept for the sake of something that is about to happen; `beside`: ignored files are kept.
    """

    present: PresentState
    safe: bool
    work: bool
    why: str = ""
    beside: bool = False


class TooMuchError(Exception):
    """A state has more new content than may be kept: `size`, in bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes")
        self.size = size


@dataclass(frozen=True, slots=True)
class _Written:
    """A state that was written a moment ago: all that it needed, and its own content."""

    history: str
    ref: str
    state: State
    needed: tuple[str, ...]
    content: bytes
    at: float


@dataclass(slots=True)
class Histories:
    """What is kept of each worktree: by its history, the last state of every segment by ref, the oldest first.

    Close it when the sources are closed or others are to be used.
    """

    sources: Sources
    segments: dict[str, dict[str, State]]
    _store: Store
    _refs: RefWriter
    _recent: deque[_Written] = field(default_factory=deque)

    def history(self, present: PresentState) -> str:
        """Name the history that a worktree's states are in."""
        return history_in(self.sources.repository, present.worktree)

    def tip(self, history: str) -> State | None:
        """Give the last state of a history."""
        return newest(self.segments[history]) if self.segments.get(history) else None

    def is_kept(self, wish: Wish) -> bool:
        """Tell whether the last state of a worktree is this one in all that a state says. GitError."""
        tip = self.tip(self.history(wish.present))
        if tip is None:
            return False
        index, stages = self._index(wish.present)
        return (tip.tree, tip.index, tip.stages, _lasting(tip.facts)) == (
            wish.present.tree,
            index,
            stages,
            _lasting(self._facts(wish)),
        )

    def keep(self, wish: Wish, most: int) -> State:
        """Add a state to its worktree's history, on the disk when this returns, whatever was kept before.

        `most` is in bytes of new content. GitError or OSError when it can't be written, TooMuchError when it may not.
        """
        history, index, stages = self.history(wish.present), *self._index(wish.present)
        needed = self._needed(wish.present, index, stages)
        if (size := sum(size_of(self._store, oid) for oid in needed)) > most:
            raise TooMuchError(size)
        added = sum(hand_over(self._store, oid) for oid in needed)
        while True:
            facts, tip, segments = self._facts(wish), self.tip(history), self.segments.get(history, {})
            moment = max(facts.time, tip.facts.time) if tip is not None else facts.time
            ref, before = _next_segment(history, segments, moment, most)
            facts = replace(facts, time=moment, bytes=added, sum=added)
            if before is not None:
                facts = replace(facts, depth=before.facts.depth + 1, sum=before.facts.sum + added)
            former = before.commit if before is not None else None
            content = commit_text(wish.present.tree, facts.head, index, stages, former, facts)
            commit = put_commit(self._store, content)
            if self._move([Move(ref, commit, former)]):
                break
            if (tip := self.tip(history)) is not None and self.is_kept(wish):
                return tip
        state = State(commit, wish.present.tree, index, stages, former, facts)
        self.segments.setdefault(history, {})[ref] = state
        self._recent.append(_Written(history, ref, state, needed, content, time.monotonic()))
        return state

    def watch(self) -> None:
        """Look whether what was kept a moment ago is still whole, and mend it, or take back what can't be mended."""
        while self._recent and self._recent[0].at < time.monotonic() - WATCHED:
            self._recent.popleft()
        for one in list(self._recent):
            missing = missing_objects(self._store.repository, one.needed)
            try:
                for oid in missing:
                    hand_over(self._store, oid)
                if missing_objects(self._store.repository, [one.state.commit]):
                    put_commit(self._store, one.content)
            except GitError:
                self._take_back(one)

    def expire(self, bounds: Bounds, histories: Iterable[str] | None = None) -> None:
        """Let go of what is older than it may be, in all histories or in these."""
        for history in list(self.segments if histories is None else histories):
            segments = self.segments.get(history, {})
            cut, drop = expired(segments, time.time(), bounds)
            moves = [Move(ref, None, segments[ref].commit) for ref in drop]
            lone = {ref: self._alone(segments[ref]) for ref in cut}
            moves += [Move(ref, state.commit, segments[ref].commit) for ref, state in lone.items()]
            if not self._move(moves):
                continue
            left = {ref: lone.get(ref, state) for ref, state in segments.items() if ref not in drop}
            if left:
                self.segments[history] = left
            else:
                self.segments.pop(history, None)

    def drop(self, history: str) -> None:
        """Let go of a whole history; GitError when that can't be written."""
        moves = [Move(ref, None, state.commit) for ref, state in self.segments.get(history, {}).items()]
        if self._move(moves):
            self.segments.pop(history, None)

    def by_age(self, histories: Iterable[str]) -> list[str]:
        """List those of these histories that there are, the one with the youngest state first."""
        known = [history for history in histories if history in self.segments]
        return sorted(known, key=lambda history: newest(self.segments[history]).facts.time, reverse=True)

    def read_anew(self) -> bool:
        """Read again what the refs hold; tell whether somebody else has moved one. GitError as git gives it."""
        before, self.segments = self.segments, read_tips(self.sources.repository)
        return _commits(self.segments) != _commits(before)

    def close(self) -> None:
        """End what was opened; closing twice is fine."""
        self._refs.close()

    def _move(self, moves: Sequence[Move]) -> bool:
        """Move refs, unless somebody else has moved one since: then all is read again, and nothing was moved.

        A restoration and `sidecar restore --at` keep a state too, in other threads and processes. GitError where the
        refs are as they were read and can't be moved all the same.
        """
        try:
            self._refs.move(moves)
        except GitError:
            if not self.read_anew():
                raise
            return False
        return True

    def _facts(self, wish: Wish) -> Facts:
        worktree, repository = wish.present.worktree, self.sources.repository
        return Facts(
            name=worktree.name,
            path=worktree.key,
            branch=worktree.branch,
            head=worktree.head,
            home=home_of(repository, worktree),
            made=made_of(worktree.git_dir),
            common=place_of_common(repository),
            time=time.time(),
            safe=wish.safe,
            work=wish.work,
            trusted=repository.trusted,
            left_out=wish.present.left_out[:MOST_LEFT_OUT],
            why=wish.why,
            beside=wish.beside,
        )

    def _index(self, present: PresentState) -> tuple[str, tuple[str, ...]]:
        """Write the index and its stages as commits without parents or date, so the same index is the same commit."""
        objects = self.sources.quarantine.objects
        return write_commit(objects, present.index), tuple(write_commit(objects, tree) for tree in present.stages)

    def _needed(self, present: PresentState, index: str, stages: Sequence[str]) -> tuple[str, ...]:
        """List the ids of all that a state has and HEAD lacks, each once, what is named before what names it."""
        objects, known = self.sources.quarantine.objects, present.head_tree
        ids = dict.fromkeys([objects.empty_tree] if present.worktree.head is None else [])
        ids |= dict.fromkeys(new_objects(objects, present.tree, known))
        ids |= dict.fromkeys([*new_objects(objects, present.index, known), index])
        for tree, commit in zip(present.stages, stages, strict=True):
            ids |= dict.fromkeys([*new_objects(objects, tree, None), commit])
        return tuple(ids)

    def _alone(self, state: State) -> State:
        """Write a state without those before it: the same tree and parents else."""
        facts = replace(state.facts, depth=1, sum=self._weight(state))
        content = commit_text(state.tree, facts.head, state.index, state.stages, None, facts)
        return replace(state, commit=put_commit(self._store, content), before=None, facts=facts)

    def _weight(self, state: State) -> int:
        """Count the bytes that a state has and its HEAD lacks; what its segment added where that can't be told."""
        objects = self.sources.quarantine.objects
        try:
            known = tree_of(objects, state.facts.head) if state.facts.head else None
            return sum(len(objects.read(oid)[1]) for oid in new_objects(objects, state.tree, known))
        except GitError:
            return state.facts.sum

    def _take_back(self, one: _Written) -> None:
        """Have a segment hold the last state of it that is whole; what was lost of this one is lost."""
        self._recent = deque(written for written in self._recent if written.state.commit != one.state.commit)
        tip = self.segments.get(one.history, {}).get(one.ref)
        if tip is None:
            return
        former = read_state(self.sources.repository, one.state.before) if one.state.before else None
        if not self._move([Move(one.ref, former.commit if former else None, tip.commit)]):
            return
        if former is None:
            del self.segments[one.history][one.ref]
        else:
            self.segments[one.history][one.ref] = former


def _commits(segments: Mapping[str, Mapping[str, State]]) -> set[tuple[str, str]]:
    """Give each segment's ref with its last state's commit."""
    return {(ref, state.commit) for history in segments.values() for ref, state in history.items()}


def open_histories(sources: Sources) -> Histories:
    """Read the histories as the refs of the repository hold them; GitError when they can't be read."""
    repository = sources.repository
    return Histories(sources, read_tips(repository), open_store(sources.quarantine, repository), RefWriter(repository))


def _next_segment(history: str, segments: Mapping[str, State], moment: float, most: int) -> tuple[str, State | None]:
    """Give the ref under which the next state goes, and the state before it there."""
    if not segments:
        return segment_ref(history, moment), None
    last = max(segments)
    ref = segment_ref(history, moment)
    if ref.rpartition(".")[0] != last.rpartition(".")[0]:
        return ref, None
    facts = segments[last].facts
    if facts.depth < LONGEST and facts.sum < most // 4:
        return last, segments[last]
    return segment_ref(history, moment, int(last.rpartition(".")[2]) + 1), None


def _lasting(facts: Facts) -> Facts:
    """Give what of the facts is the same as long as nothing has changed."""
    return replace(facts, time=0.0, bytes=0, depth=1, sum=0, why="", common=0)


HOUR, DAY = 3600.0, 86400.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a worktree's history may come to: days (0: for good), a number of states, and bytes."""

    days: int
    states: int
    bytes: int


def expired(segments: Mapping[str, State], now: float, bounds: Bounds) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give (refs of the segments to be cut to their last state, refs to be dropped); the newest one stays as it is.

    `segments` has the last state of each by ref. Beyond the bounds the oldest go first: as a whole hour each becomes
    one state, then none.
    """
    if not segments:
        return (), ()
    order = sorted(segments)
    kept, cut = [], set()
    for at, ref in enumerate(order):
        age = now - segments[ref].facts.time
        following = order[at + 1] if at + 1 < len(order) else None
        if following is None or age <= HOUR:
            kept.append(ref)
            continue
        span = len("20261129") if age > DAY else None
        if bounds.days and age > bounds.days * DAY:
            continue
        if hour_of(ref)[:span] == hour_of(following)[:span]:
            continue  # a later one stands for this hour, or day
        kept.append(ref)
        cut.add(ref)
    states = {ref: 1 if ref in cut else segments[ref].facts.depth for ref in kept}
    sizes = {ref: segments[ref].facts.sum for ref in kept}

    def is_too_much() -> bool:
        return sum(states.values()) > bounds.states or sum(sizes.values()) > bounds.bytes

    for ref in kept[:-1]:
        if is_too_much():
            states[ref], sizes[ref] = 1, segments[ref].facts.bytes
            cut.add(ref)
    for ref in kept[:-1]:
        if is_too_much():
            del states[ref], sizes[ref]
    drop = tuple(ref for ref in order if ref not in states)
    return tuple(ref for ref in order if ref in states and ref in cut and segments[ref].facts.depth > 1), drop
