"""Ask git's merge about two present states: by a process that stays, with objects in the quarantine."""

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

from sidecar.git.attributes import Attributes, attributes_above, lay_out
from sidecar.git.config import Config, merge_pairs
from sidecar.git.merge_process import CheckedOut, MergeProcess, link_submodules, parse_merge
from sidecar.git.objects import find_entry, read_blob, unwritten, write_commit, write_tree
from sidecar.git.process import BATCHED_MERGES, GitError, Place
from sidecar.git.quarantine import Quarantine
from sidecar.git.repository import Repository
from sidecar.git.surroundings import UNRUN_NOTE, Programs, Surroundings, submodule_directory, telling_files
from sidecar.model.changes import SUBMODULE, Entry
from sidecar.model.markers import contains_marker
from sidecar.model.merging import Merge

MARKER_SIZES = (47, 83, 131, 223, 353)
"""Lengths for conflict markers; the first that no conflicting text contains is taken."""

MOST_PROCESSES = 4
"""How many merge processes stay at the most; each set of attributes needs one of its own."""

AT_ONCE = 32
"""How many merges are asked for before the first answer is read."""

REMEMBERED = 3_000_000
"""How many bytes of answers are remembered, roughly: far more than one Picture asks for again after a save."""

MOST_COMMITS = 2_000
"""How many virtual commits, trees cut down to one path, and looks for markers in a text are remembered."""

Submodules = tuple[tuple[str, str], ...]
"""(path, git directory) of each submodule that both sides moved and whose commits can be seen, sorted."""


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


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question with what stands around it; `into` is the tree around the programs that run in it, None without."""

    question: Question
    attributes: Attributes
    submodules: Submodules = ()
    into: str | None = None


@dataclass(frozen=True, slots=True)
class _Furnishing:
    """What one process that stays was given."""

    attributes: Attributes
    size: int = MARKER_SIZES[0]
    submodules: Submodules = ()


OURS = (
    ("advice.submoduleMergeConflict", "false"),
    ("core.attributesFile", os.devnull),
    ("core.warnAmbiguousRefs", "false"),
)
"""What holds in every merge: the last one, because git would look for a ref that is named like each commit."""


class Judge:
    """Asks git; remembers answers by object ids. For one thread at a time; `close` ends the processes.

    `programs` knows which drivers and filters take part. `looked_at` are files outside of the repository's own
    directories that tell when an answer might be another one.
    """

    def __init__(
        self,
        repository: Repository,
        quarantine: Quarantine,
        surroundings: Surroundings,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.looked_at: frozenset[str] = frozenset()
        self._variables = variables
        self._repository = repository
        self._quarantine = quarantine
        self._surroundings = surroundings
        self.programs = Programs(quarantine, repository, surroundings)
        self._checked_out = CheckedOut(quarantine, repository, surroundings, variables)
        self._processes: OrderedDict[_Furnishing, MergeProcess] = OrderedDict()
        self._answers: OrderedDict[_Asked, Merge] = OrderedDict()
        self._ahead: deque[PathQuestion] = deque()
        self._answered_ahead: dict[_Asked, Merge] = {}
        self._weight = 0
        self._judging = threading.Lock()
        self._cut = lru_cache(maxsize=MOST_COMMITS)(self._cut_tree)
        self._has_marker = lru_cache(maxsize=MOST_COMMITS)(self._find_marker)
        self._moved_submodules = lru_cache(maxsize=64)(self._find_submodules)
        self._commit = lru_cache(maxsize=MOST_COMMITS)(partial(write_commit, quarantine.objects))

    def merge_trees(self, question: Question, paths: Iterable[str], into: str | None = None) -> Merge:
        """Give git's merge of whole trees; `paths` are those whose attributes matter, `into` the tree that has them."""
        into, paths = into or question.ours, tuple(paths)
        attributes = attributes_above(self._quarantine.objects, into, paths)
        with self._judging:
            runs = self.programs.take_part(attributes, paths)
            key = _Asked(question, attributes, self._submodules(question, paths), into if runs else None)
            if (known := self._answers.get(key)) is not None:
                self._answers.move_to_end(key)
                return known
            if key not in self._answered_ahead:
                self._ask_ahead()
            answer = self._answered_ahead.pop(key, None) or self._merge(key)
            if not key.submodules:  # what is seen of their commits may change at any time
                self._remember(key, answer)
            return answer

    def _remember(self, key: _Asked, answer: Merge) -> None:
        if key not in self._answers:
            self._answers[key] = answer
            self._weight += _weight(answer)
        while self._weight > REMEMBERED and len(self._answers) > 1:
            self._weight -= _weight(self._answers.popitem(last=False)[1])

    def merge_path(self, asked: PathQuestion) -> Merge:
        """Give git's merge of one path, with trees cut down to it."""
        return self.merge_trees(self._cut_down(asked), (asked.path,), asked.into)

    def note_on(self, path: str, into: str, merge: Merge) -> str | None:
        """Give what a merge of this path left out, in a sentence; `into` is the whole tree that is merged into."""
        return UNRUN_NOTE if path in merge.unrun else self.programs.note_on_merge(path, into)

    def prepare(self, asked: Iterable[PathQuestion]) -> None:
        """Tell what `merge_path` will ask, mostly in that order, because git answers many at once in less time."""
        with self._judging:
            self._ahead, self._answered_ahead = deque(asked), {}

    def _ask_ahead(self) -> None:
        """Have git answer the next of what will be asked; what does not come out is left to be asked alone."""
        asked: dict[_Asked, tuple[str, str]] = {}
        place: _Furnishing | None = None
        while self._ahead and len(asked) < AT_ONCE:
            one = self._ahead[0]
            with suppress(GitError):  # an object is missing; whoever asks for it alone is told
                attributes = attributes_above(self._quarantine.objects, one.into, (one.path,))
                if place is not None and attributes != place.attributes:
                    break
                key = _Asked(self._cut_down(one), attributes)
                is_known = key in self._answers or key in self._answered_ahead
                if not is_known and not self.programs.take_part(attributes, (one.path,)):
                    asked[key], place = self._commits(key.question), _Furnishing(attributes)
            self._ahead.popleft()
        if place is None:
            return
        try:
            process = self._process_for(place)
            process.send(list(asked.values()))
            for key, pair in asked.items():
                answer = parse_merge(process.receive(), pair, place.size)
                with suppress(GitError):  # an object of the answer can't be read; whoever asks for it alone is told
                    if not self._ambiguous(answer):
                        self._answered_ahead[key] = answer
        except GitError:
            self._ahead.clear()
            if place in self._processes:
                self._processes.pop(place).close()

    def _submodules(self, question: Question, paths: tuple[str, ...]) -> Submodules:
        """Find the submodules that both sides have at another commit, as far as trunk's checkout has the commits."""
        checkout = self._surroundings.checkout
        if checkout is None:
            return ()
        found: list[tuple[str, str]] = []
        for path in self._moved_submodules(question.ours, question.theirs, paths):
            directory = submodule_directory(self._repository, checkout, path)
            self.looked_at |= telling_files(checkout, path, directory)
            found += [(path, directory)] if directory is not None else []
        return tuple(sorted(found))

    def _find_submodules(self, ours: str, theirs: str, paths: tuple[str, ...]) -> tuple[str, ...]:
        """Give those of these paths at which two trees have a submodule at different commits."""
        objects = self._quarantine.objects

        def is_moved(path: str) -> bool:
            mine = find_entry(objects, ours, path)
            if mine is None or mine.mode != SUBMODULE:
                return False
            their = find_entry(objects, theirs, path)
            return their is not None and their.mode == SUBMODULE and their != mine

        return tuple(filter(is_moved, paths))

    def _cut_down(self, asked: PathQuestion) -> Question:
        base, ours, theirs = (self._cut(asked.path, entry) for entry in (asked.base, asked.ours, asked.theirs))
        return Question(ours, theirs, base)

    def _cut_tree(self, path: str, entry: Entry | None) -> str:
        objects = self._quarantine.objects
        if entry is None:
            return objects.empty_tree
        *directories, name = path.split("/")
        tree = write_tree(objects, {name: entry})
        for directory in reversed(directories):
            tree = write_tree(objects, {directory: Entry(0o040000, tree)})
        return tree

    def _merge(self, asked: _Asked) -> Merge:
        commits = self._commits(asked.question)
        for size in MARKER_SIZES:
            if asked.into is None:
                answer = self._ask(_Furnishing(asked.attributes, size, asked.submodules), commits)
            else:
                answer = self._ask_with_programs(asked, asked.into, size, commits)
            if not self._ambiguous(answer):
                return answer
        return answer

    def _ask_with_programs(self, asked: _Asked, into: str, size: int, commits: tuple[str, str]) -> Merge:
        try:
            fields, unrun = self._checked_out.merge(commits, into, asked.attributes, size, asked.submodules)
        except GitError as error:
            raise self._unanswered(error) from error
        return replace(parse_merge(fields, commits, size), unrun=unrun)

    def _unanswered(self, error: GitError) -> GitError:
        return GitError(f"git says: {error.message.rstrip('.')}.{self._quarantine.why_missing}")

    def _commits(self, question: Question) -> tuple[str, str]:
        """Make virtual commits of both sides, over a virtual base; with several merge bases over the real commits.

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

    def _ask(self, furnishing: _Furnishing, commits: tuple[str, str]) -> Merge:
        """Ask for one merge; once more by a process of its own where one dies, since another merge may be why."""
        process = self._process_for(furnishing)
        try:
            process.send([commits])
            fields = process.receive()
        except GitError:
            self._processes.pop(furnishing).close()
            try:
                fields = self._process_for(furnishing).merge_alone(commits)
            except GitError as error:
                raise self._unanswered(error) from error
        return parse_merge(fields, commits, furnishing.size)

    def _process_for(self, furnishing: _Furnishing) -> MergeProcess:
        """Give the process that merges with these attributes; the one not asked for longest makes room for it."""
        if furnishing not in self._processes:
            try:
                place = self._furnish(furnishing)
            except OSError as error:
                raise unwritten(self._quarantine.root, error) from error
            batched = self._repository.version >= BATCHED_MERGES
            algorithm = self._surroundings.algorithm
            self._processes[furnishing] = MergeProcess(place, self._quarantine.objects, algorithm, batched=batched)
            if len(self._processes) > MOST_PROCESSES:
                self._processes.popitem(last=False)[1].close()
        self._processes.move_to_end(furnishing)
        return self._processes[furnishing]

    def _furnish(self, furnishing: _Furnishing) -> Place:
        """Make a repository with these attributes, and with the configuration that a merge may see."""
        strongest = self._surroundings.strongest + b"\n* conflict-marker-size=%d\n" % furnishing.size
        place = self._quarantine.repository("merge", strongest)
        lay_out(self._quarantine.objects, Path(place.cwd), furnishing.attributes, self._surroundings.weakest)
        link_submodules(Path(place.cwd), furnishing.submodules)
        pairs = merge_pairs(self._surroundings.config, self._repository.trusted)
        return place.set([*pairs, *OURS]).plus(**self._variables)

    def close(self) -> None:
        """End every process."""
        with self._judging:
            self._ahead.clear()
            while self._processes:
                self._processes.popitem()[1].close()


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
    """Make a judge that knows git's built-in merge only, whatever is configured: a proof rests on no driver's word."""
    nobody = replace(repository, config=Config(()), trusted=False)
    return Judge(nobody, quarantine, Surroundings(nobody.config), PLAIN)


def _weight(merge: Merge) -> int:
    """Estimate the bytes that a remembered answer takes with its question."""
    return 1200 + 600 * len(merge.stages) + 350 * len(merge.messages)


def merged_blob(quarantine: Quarantine, merge: Merge, path: str) -> bytes | None:
    """Give what git would check out at a path after a merge; None when it is no regular file."""
    entry = find_entry(quarantine.objects, merge.tree, path)
    return read_blob(quarantine.objects, entry.oid) if entry is not None and entry.is_file else None
