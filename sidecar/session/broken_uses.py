"""Find definitions that one side takes away and that another newly uses, where git would merge the two.

It is looked for beside the session, and again only where a side has changed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice, permutations

from sidecar.git.objects import tree_of
from sidecar.git.process import GitError, run
from sidecar.model.changes import Change, ChangeSet
from sidecar.model.picture import TRUNK_KEY, BrokenUse, Picture, Trunk, WorktreeState
from sidecar.session.background import BackgroundJob, Foreground
from sidecar.session.merged_names import Party
from sidecar.session.pair_uses import ChangedNames, PairUses
from sidecar.session.reader import Sources
from sidecar.session.reading import tip_of
from sidecar.session.regenerate import regenerations
from sidecar.session.source_texts import SourceTexts
from sidecar.symbols.languages import endings, is_available, language_of

QUIET, PATIENCE = 0.05, 1.0
"""Seconds without another Picture after which it is looked, and those for which one waits at the most."""
MOST_FILES = 1000
"""A side that changed more source files is a rewrite: nothing is told of it."""
MOST_TOLD = 50
"""How many broken uses are told of two sides at the most."""
MOST_KNOWN = 1024
"""Of how many pairs it is remembered whether the one changes what the other uses."""
MOST_HITS = 400
"""A name that more files have is too common to be looked for."""
SECONDS = 10.0
"""For which git may look for a name in all files of trunk."""


def is_on(sources: Sources) -> bool:
    """Tell whether it is looked for: the extra is there, and the person has not turned it off."""
    return is_available() and sources.settings["symbols"] is True


class BrokenUseFinder:
    """Finds broken uses again and again; what was read stays known by object ids. Any thread, one at a time."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._names = ChangedNames(SourceTexts(sources))
        self._lock = threading.Lock()
        self._hits = lru_cache(maxsize=256)(self._find_hits)
        self._touches = lru_cache(maxsize=MOST_KNOWN)(lambda *pair: self._look_at(*pair).touches())
        self._parties: dict[str, tuple[object, Party]] = {}
        self._known: dict[tuple[str, str], tuple[Party, Party, str, tuple[BrokenUse, ...]]] = {}

    def find(
        self,
        trunk: Trunk,
        states: Sequence[WorktreeState],
        only: str | None = None,
        go_on: Callable[[], bool] = lambda: True,
    ) -> tuple[BrokenUse, ...] | None:
        """Give the broken uses between all of these and trunk, or of the worktree `only`; None where not to `go_on`."""
        if not is_on(self.sources) or trunk.commit is None:
            return ()
        found: dict[BrokenUse, None] = {}
        known: dict[tuple[str, str], tuple[Party, Party, str, tuple[BrokenUse, ...]]] = {}
        with self._lock:
            self._names.texts.make_way = go_on
            for taking, using in self._pairs(trunk, trunk.commit, states, only):
                key = taking.key, using.key
                before = self._known.get(key)
                if before is None or (before[0] is not taking or before[1] is not using or before[2] != trunk.commit):
                    if not go_on():
                        return None
                    before = taking, using, trunk.commit, self._of_pair(taking, using, trunk.commit)
                self._known[key] = known[key] = before
                found |= dict.fromkeys(before[3])
            if only is None:
                self._known = known
                in_use = {party for it in known.values() for party in it[:2]}
                self._parties = {key: it for key, it in self._parties.items() if it[1] in in_use}
        return tuple(found)

    def touching(
        self, trunk: Trunk, states: Sequence[WorktreeState], go_on: Callable[[], bool]
    ) -> frozenset[tuple[str, str]] | None:
        """Give the worktrees (two keys, sorted) of which the one changes a definition that the other newly uses.

        Also in a way that is no broken use: only who runs the program, or checks it, knows. None where not to `go_on`.
        """
        if not is_on(self.sources) or trunk.commit is None:
            return frozenset()
        uses = self.find(trunk, states, go_on=go_on)
        if uses is None:
            return None
        pairs = {_sorted(one.removed.key, one.used.key) for one in uses}
        with self._lock:
            parties = [party for state in states if (party := self._worktree(state)) is not None]
        for taking, using in permutations(parties, 2):
            if not go_on():
                return None
            pair = _sorted(taking.key, using.key)
            with self._lock:  # for one pair only, since others wait for what is found
                if pair not in pairs and self._is_touched(taking, using, trunk.commit):
                    pairs.add(pair)
        return frozenset(pair for pair in pairs if TRUNK_KEY not in pair)

    def _pairs(
        self, trunk: Trunk, tip: str, states: Sequence[WorktreeState], only: str | None
    ) -> Iterator[tuple[Party, Party]]:
        """Give each ordered pair of which the one takes away, and the other uses."""
        tree = tree_of(self.sources.quarantine.objects, tip)
        worktrees = [(state, party) for state in states if (party := self._worktree(state)) is not None]
        for state, one in worktrees:
            if only in (None, one.key) and (other := self._trunk_since(trunk, tip, tree, state)) is not None:
                yield from ((one, other), (other, one))
        for (_, one), (_, other) in permutations(worktrees, 2):
            if only in (None, one.key, other.key):
                yield one, other

    def _worktree(self, state: WorktreeState) -> Party | None:
        worktree, changes = state.worktree, state.changes
        if changes is None or not changes.touched or worktree.head is None:
            return None
        known = self._parties.get(worktree.key)
        if known is not None and known[0] == (changes.base, changes.tree, worktree):
            return known[1]
        try:
            head = tip_of(self.sources, worktree) or worktree.head
            party = self._party(worktree.key, worktree.name, worktree.ref, head, changes)
        except GitError:
            return None
        self._parties[worktree.key] = ((changes.base, changes.tree, worktree), party)
        return party

    def _trunk_since(self, trunk: Trunk, tip: str, tree: str, state: WorktreeState) -> Party | None:
        assert state.changes is not None
        if state.changes.base == tree:
            return None
        key = f"{TRUNK_KEY} {state.changes.base}"
        known = self._parties.get(key)
        if known is None or known[0] != (tip, trunk):
            try:
                since = self.sources.trees.changes(state.changes.base, tree)
                known = (tip, trunk), self._party(TRUNK_KEY, None, trunk.branch, tip, since)
            except GitError:
                return None
            self._parties[key] = known
        return known[1]

    def _party(self, key: str, name: str | None, ref: str, head: str, own: ChangeSet) -> Party:
        understood = [change for change in own if language_of(change.path) is not None and _is_text(change)]
        if 0 < len(understood) <= MOST_FILES:
            made = regenerations(self.sources, [change.path for change in understood], own.tree)
            understood = [change for change in understood if change.path not in made]
        return Party(key, name, ref, head, own, tuple(understood) if len(understood) <= MOST_FILES else ())

    def _of_pair(self, taking: Party, using: Party, tip: str) -> tuple[BrokenUse, ...]:
        try:
            if not self._names.may_break(taking, using):
                return ()
            return tuple(islice(self._look_at(taking, using, tip).found(), MOST_TOLD))
        except GitError:
            return ()  # what the two have in common is not here, or the sources were closed

    def _is_touched(self, taking: Party, using: Party, tip: str) -> bool:
        try:
            return self._names.may_touch(taking, using) and self._touches(taking, using, tip)
        except GitError:
            return False

    def _look_at(self, taking: Party, using: Party, tip: str) -> PairUses:
        tree = tree_of(self.sources.quarantine.objects, tip)
        return PairUses(self._names, (taking, using), tree, self._hits)

    def _find_hits(self, tree: str, name: str, family: str) -> frozenset[str] | None:
        """Give the files of a tree that have a name; None where there are too many, or it takes too long."""
        place, specs = self.sources.quarantine.plumbing, [f"*{ending}" for ending in endings(family)]
        options = ("--no-color", "--no-textconv", "-I", "-l", "-z", "-w", "-F", "--full-name")
        try:
            said = run(place, "grep", *options, "-e", name, tree, "--", *specs, accept=(0, 1), timeout=SECONDS)
        except GitError:
            return None
        paths = [row.decode("utf-8", "surrogateescape").partition(":")[2] for row in said.split(b"\0") if row]
        return frozenset(paths) if len(paths) <= MOST_HITS else None


def _sorted(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)


def _is_text(change: Change) -> bool:
    return all(entry is None or entry.is_file for entry in (change.before, change.after))


_Key = tuple[object, ...]
"""What an answer depends on: trunk's commit, and each worktree's present tree and what it is called."""


class BreakingUses:
    """Says of a Picture which uses would break, as soon as that is known; `on_found` is called when more is.

    It works beside the session, on a thread, with the session's own sources. `known` and `look` are for one thread.
    """

    def __init__(
        self, sources: Callable[[], Sources | None], foreground: Foreground, on_found: Callable[[], None]
    ) -> None:
        self._sources = sources
        self._on_found = on_found
        self._answer: tuple[Sources | None, _Key, tuple[BrokenUse, ...]] = (None, (), ())
        self._finder: BrokenUseFinder | None = None
        self._lock = threading.Lock()
        self._job = BackgroundJob(
            "sidecar-broken-uses",
            self._look,
            quiet=QUIET,
            patience=PATIENCE,
            foreground=foreground,
            is_due=self._is_due,
        )

    def known(self, picture: Picture) -> Picture:
        """Add to a Picture what is known; of a file that has changed since, nothing until it was looked at again."""
        sources, found = self._sources(), self._answer[2]
        if not found or sources is None or not is_on(sources):
            return picture
        changes = {state.worktree.key: state.changes for state in picture.worktrees}
        return replace(picture, broken_uses=tuple(one for one in found if _lasts(one, changes)))

    def look(self, picture: Picture) -> None:
        """Look at what this Picture shows; returns at once."""
        self._job.tell(picture)

    def now(self, picture: Picture, only: str | None = None) -> tuple[BrokenUse, ...]:
        """Look at what a Picture shows, and wait for it; any thread."""
        sources = self._sources()
        if sources is None or picture.trunk is None:
            return ()
        return self._finder_of(sources).find(picture.trunk, picture.worktrees, only) or ()

    def touching(self, picture: Picture, go_on: Callable[[], bool]) -> frozenset[tuple[str, str]] | None:
        """Look who touches whose definitions in a Picture (`BrokenUseFinder.touching`), and wait for it; any thread."""
        sources = self._sources()
        if sources is None or picture.trunk is None:
            return frozenset()
        return self._finder_of(sources).touching(picture.trunk, picture.worktrees, go_on)

    def close(self) -> None:
        """End it; closing twice is fine."""
        self._job.close()

    def _is_due(self, picture: Picture) -> bool:
        sources, key, _ = self._answer
        return sources is not self._sources() or key != _key(picture)

    def _finder_of(self, sources: Sources) -> BrokenUseFinder:
        with self._lock:
            if self._finder is None or self._finder.sources is not sources:
                self._finder = BrokenUseFinder(sources)
            return self._finder

    def _look(self, picture: Picture) -> None:
        sources = self._sources()
        if sources is None or picture.trunk is None:
            return
        found = self._finder_of(sources).find(picture.trunk, picture.worktrees, go_on=self._job.go_on)
        if found is None:
            return
        changed = found != self._answer[2]
        self._answer = (sources, _key(picture), found)
        if changed and not self._job.closed:
            self._on_found()


def _key(picture: Picture) -> _Key:
    worktrees = ((one.worktree.key, one.worktree.ref, one.worktree.head, one.changes) for one in picture.worktrees)
    trees = tuple((*rest, changes and (changes.base, changes.tree)) for *rest, changes in worktrees)
    return picture.trunk and picture.trunk.commit, trees


def _lasts(one: BrokenUse, changes: Mapping[str, ChangeSet | None]) -> bool:
    """Tell whether both ends are as they were when they were looked at."""
    for place in (one.removed, one.used):
        own = changes.get(place.key)
        if place.key != TRUNK_KEY:
            now = own.named(place.path) if own is not None else None
            if now is None or now.after != place.after:
                return False
    return True
