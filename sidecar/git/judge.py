"""What git's merge answers for two present states: one process that stays, objects in the quarantine."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType

from sidecar.git.attributes import Attributes, Surroundings, attributes_above, lay_out
from sidecar.git.config import Config, merge_pairs, silenced_drivers
from sidecar.git.merge_tree import Court, parse_merge
from sidecar.git.objects import find_entry, read_blob, unwritten, write_commit, write_tree
from sidecar.git.process import GitError, Place, configured, run
from sidecar.git.quarantine import Quarantine
from sidecar.git.repository import Repository
from sidecar.git.version import BATCHED_MERGES
from sidecar.model.changes import Entry
from sidecar.model.markers import contains_marker
from sidecar.model.merging import Merge

MARKER_SIZES = (47, 83, 131, 223, 353)
"""Lengths for conflict markers; the first that no conflicting text contains is taken."""

MOST_COURTS = 4
"""How many merge processes stay at the most; each set of attributes needs one of its own."""

AT_ONCE = 32
"""How many merges are asked for before the first answer is read."""

REMEMBERED = 3_000_000
"""How many bytes of answers are remembered, roughly: far more than one Picture asks for again after a save."""

MOST_COMMITS = 2_000
"""How many virtual commits, trees cut down to one path, and looks for markers in a text are remembered."""

BUILT_IN_NOTE = "The repository's own merge driver was left out, because the repository is not trusted."


@dataclass(frozen=True, slots=True)
class Question:
    """Two trees to merge, and what they have in common: a base tree, or (several merge bases) two real commits."""

    ours: str
    theirs: str
    base: str | None
    parents: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class PathQuestion:
    """One path that both sides changed, nothing structural about it; `into` is the whole tree that is merged into."""

    path: str
    base: Entry | None
    ours: Entry
    theirs: Entry
    into: str


class Judge:
    """Asks git; remembers answers by object ids. For one thread at a time; `close` ends the processes."""

    def __init__(
        self,
        repository: Repository,
        quarantine: Quarantine,
        surroundings: Surroundings,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._variables = variables
        self._repository = repository
        self._quarantine = quarantine
        self._surroundings = surroundings
        self._drivers = silenced_drivers(repository.config, repository.trusted)
        self._courts: OrderedDict[tuple[Attributes, int], Court] = OrderedDict()
        self._answers: OrderedDict[tuple[Question, Attributes], Merge] = OrderedDict()
        self._ahead: deque[PathQuestion] = deque()
        self._awaited: dict[tuple[Question, Attributes], tuple[str, str]] = {}
        self._weight = 0
        self._judging = threading.Lock()
        self._cut = lru_cache(maxsize=MOST_COMMITS)(self._cut_tree)
        self._has_marker = lru_cache(maxsize=MOST_COMMITS)(self._find_marker)
        self._commit = lru_cache(maxsize=MOST_COMMITS)(partial(write_commit, quarantine.objects))

    def merge_trees(self, question: Question, paths: Iterable[str], into: str | None = None) -> Merge:
        """Git's merge of whole trees; `paths` are those whose attributes matter, `into` the tree that has them."""
        attributes = attributes_above(self._quarantine.objects, into or question.ours, paths)
        key = (question, attributes)
        with self._judging:
            if key not in self._answers and key not in self._awaited:
                self._ask_ahead()
            if key in self._awaited:
                self._hear_awaited(key)
                self._ask_ahead()
            if (known := self._answers.get(key)) is not None:
                self._answers.move_to_end(key)
                return known
            answer = self._merge(question, attributes)
            self._remember(key, answer)
            return answer

    def _remember(self, key: tuple[Question, Attributes], answer: Merge) -> None:
        if key not in self._answers:
            self._answers[key] = answer
            self._weight += _weight(answer)
        while self._weight > REMEMBERED and len(self._answers) > 1:
            self._weight -= _weight(self._answers.popitem(last=False)[1])

    def merge_path(self, asked: PathQuestion) -> Merge:
        """Git's merge of one path, with trees cut down to it."""
        return self.merge_trees(self._cut_down(asked), (asked.path,), asked.into)

    def prepare(self, asked: Iterable[PathQuestion]) -> None:
        """Tell what `merge_path` will ask, in that order: git works on some while an answer is looked at.

        Whatever does not come out is left to be asked alone.
        """
        with self._judging:
            self._hear_awaited()
            self._ahead = deque(asked)
            self._ask_ahead()

    def _ask_ahead(self) -> None:
        """Keep git busy with what comes next; all that is awaited is of one court."""
        if len(self._awaited) > AT_ONCE // 2:
            return
        here = next((attributes for _, attributes in self._awaited), None)
        said: dict[tuple[Question, Attributes], tuple[str, str]] = {}
        while self._ahead and len(self._awaited) + len(said) < AT_ONCE:
            with suppress(GitError):  # an object is missing; whoever asks for it alone is told
                one = self._ahead[0]
                attributes = attributes_above(self._quarantine.objects, one.into, (one.path,))
                if here not in (None, attributes):
                    break
                key = (self._cut_down(one), here := attributes)
                if not (key in self._answers or key in self._awaited or key in said):
                    said[key] = self._commits(key[0])
            self._ahead.popleft()
        if here is None or not said:
            return
        place = (here, MARKER_SIZES[0])
        try:
            (self._courts[place] if self._awaited else self._court(*place)).say(list(said.values()))
        except GitError:
            self._abandon(place)
        else:
            self._awaited.update(said)

    def _abandon(self, place: tuple[Attributes, int]) -> None:
        """Give up what was asked there, and everything ahead."""
        self._ahead.clear()
        self._awaited = {}
        if place in self._courts:
            self._courts.pop(place).close()

    def _hear_awaited(self, until: tuple[Question, Attributes] | None = None) -> None:
        """Hear the answers that are still to come, in their order, until this one; all are of one court."""
        size = MARKER_SIZES[0]
        for key, pair in list(self._awaited.items()):
            try:
                answer = parse_merge(self._courts[key[1], size].hear(), pair, size)
            except GitError:
                self._abandon((key[1], size))
                return
            del self._awaited[key]
            with suppress(GitError):  # an object of the answer can't be read; whoever asks for it alone is told
                if not self._ambiguous(answer):
                    self._remember(key, answer)
            if key == until:
                return

    def _cut_down(self, asked: PathQuestion) -> Question:
        base, ours, theirs = (self._cut(asked.path, entry) for entry in (asked.base, asked.ours, asked.theirs))
        return Question(ours, theirs, base)

    def note_on(self, path: str, into: str) -> str | None:
        """What a verdict on this path left out, in one sentence; `into` is the whole tree that is merged into."""
        if not self._drivers:
            return None
        attributes = attributes_above(self._quarantine.objects, into, (path,))
        with self._judging:
            said = run(self._court(attributes, MARKER_SIZES[0]).place, "check-attr", "-z", "merge", "--", path)
        driver = said.split(b"\0")[2].decode("utf-8", "surrogateescape")
        if driver == "unspecified":
            driver = self._repository.config.get("merge.default") or ""
        return BUILT_IN_NOTE if driver in self._drivers else None

    def _cut_tree(self, path: str, entry: Entry | None) -> str:
        objects = self._quarantine.objects
        if entry is None:
            return objects.empty_tree
        *directories, name = path.split("/")
        tree = write_tree(objects, {name: entry})
        for directory in reversed(directories):
            tree = write_tree(objects, {directory: Entry(0o040000, tree)})
        return tree

    def _merge(self, question: Question, attributes: Attributes) -> Merge:
        commits = self._commits(question)
        for size in MARKER_SIZES:
            answer = self._ask(attributes, size, commits)
            if not self._ambiguous(answer):
                return answer
        return answer

    def _commits(self, question: Question) -> tuple[str, str]:
        """Virtual commits of both sides, over a virtual base; with several merge bases over the real commits.

        A tree that is not here is an error: git before 2.45 would take it for an empty one.
        """
        for tree in (question.base, question.ours, question.theirs):
            if tree is not None:
                self._quarantine.objects.tree(tree)
        if question.parents is not None:
            ours, theirs = question.parents
        else:
            ours = theirs = self._commit(question.base or self._quarantine.objects.empty_tree)
        return self._commit(question.ours, (ours,)), self._commit(question.theirs, (theirs,))

    def _ambiguous(self, merge: Merge) -> bool:
        blobs = {entry.oid for stages in merge.stages.values() for entry in stages.values() if entry.is_file}
        return any(self._has_marker(oid, merge.marker_size) for oid in blobs)

    def _find_marker(self, oid: str, size: int) -> bool:
        return contains_marker(read_blob(self._quarantine.objects, oid), size)

    def _ask(self, attributes: Attributes, size: int, commits: tuple[str, str]) -> Merge:
        """One merge; where the process that stays dies, the reason may have been another's line: one alone tells."""
        court = self._court(attributes, size)
        try:
            court.say([commits])
            fields = court.hear()
        except GitError:
            self._courts.pop((attributes, size)).close()
            try:
                fields = self._court(attributes, size).hear_alone(commits)
            except GitError as error:
                raise GitError(f"git says: {error.message.rstrip('.')}.{self._quarantine.why_missing}") from error
        return parse_merge(fields, commits, size)

    def _court(self, attributes: Attributes, size: int) -> Court:
        """Where to ask now: nothing is on its way there."""
        self._hear_awaited()
        key = (attributes, size)
        if key not in self._courts:
            try:
                place = self._furnish(attributes, size)
            except OSError as error:
                raise unwritten(error) from error
            self._courts[key] = Court(
                place, self._quarantine.objects, batched=self._repository.version >= BATCHED_MERGES
            )
            if len(self._courts) > MOST_COURTS:
                self._courts.popitem(last=False)[1].close()
        self._courts.move_to_end(key)
        return self._courts[key]

    def _furnish(self, attributes: Attributes, size: int) -> Place:
        """A repository with these attributes, and the configuration that a merge may see."""
        strongest = self._surroundings.strongest + b"\n* conflict-marker-size=%d\n" % size
        place = self._quarantine.repository("merge", strongest)
        lay_out(self._quarantine.objects, Path(place.cwd), attributes, self._surroundings)
        pairs = merge_pairs(self._repository.config, self._repository.trusted)
        return place.plus(**configured([*pairs, ("advice.submoduleMergeConflict", "false")]), **self._variables)

    def close(self) -> None:
        """End every process."""
        with self._judging:
            self._ahead.clear()
            self._awaited = {}
            while self._courts:
                self._courts.popitem()[1].close()


PLAIN = MappingProxyType(
    {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "XDG_CONFIG_HOME": os.devnull,
        "HOME": os.devnull,
    }
)


def plain_judge(repository: Repository, quarantine: Quarantine) -> Judge:
    """A judge who knows git's built-in merge only, whatever anybody configured: a proof rests on no driver's word."""
    nobody = replace(repository, config=Config(()), trusted=False)
    return Judge(nobody, quarantine, Surroundings(b"", b""), PLAIN)


def _weight(merge: Merge) -> int:
    """Bytes that a remembered answer takes with its question, roughly."""
    return 1200 + 600 * len(merge.stages) + 350 * len(merge.messages)


def merged_blob(quarantine: Quarantine, merge: Merge, path: str) -> bytes | None:
    """What git would check out at a path after a merge; None when it is no regular file."""
    entry = find_entry(quarantine.objects, merge.tree, path)
    return read_blob(quarantine.objects, entry.oid) if entry is not None and entry.is_file else None
