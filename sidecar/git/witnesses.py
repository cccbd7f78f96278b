"""The commits that a proof looks at: what a branch has of its own, and what trunk stood at since.

History is read as it was made: replacements and grafts (git-replace(1)) could make anything an ancestor of trunk.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from sidecar.git.history import OWN_WORK
from sidecar.git.objects import Objects
from sidecar.git.process import GitError, run, run_for_status
from sidecar.git.repository import Repository

MOST_STEPS = 1000
"""How many of trunk's commits are looked at for one branch, newest first."""

MOST_OWN = 200
"""How many commits of its own a branch may have to be proved commit by commit."""

MOST_NAMED = 64
"""How many paths git is told to look for; with more, every commit of trunk is looked at."""

REMEMBERED = 512

TAKES_BACK = '^This reverts commit [0-9a-f]|^Revert "|^Reapply "'


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit as rev-list gives it: ids only; a commit at the edge of a shallow clone has no parents."""

    id: str
    tree: str
    parents: tuple[str, ...]


class Ancestry:
    """Answers about commit ids, remembered, since history does not change under an id."""

    def __init__(self, repository: Repository) -> None:
        self._place = repository.place.plus(GIT_NO_REPLACE_OBJECTS="1", GIT_GRAFT_FILE=os.devnull)
        self.bases = lru_cache(maxsize=REMEMBERED)(self._bases)
        self.contains = lru_cache(maxsize=REMEMBERED)(self._contains)
        self.commit = lru_cache(maxsize=REMEMBERED)(self._commit)
        self.own = lru_cache(maxsize=REMEMBERED)(self._own)
        self.steps = lru_cache(maxsize=64)(self._steps)
        self.bringer = lru_cache(maxsize=REMEMBERED)(self._bringer)

    def _bases(self, one: str, two: str) -> tuple[str, ...]:
        """Every best common ancestor (git-merge-base(1))."""
        said = run(self._place, "merge-base", "--all", one, two, accept=(0, 1))
        return tuple(said.decode("ascii").split())

    def common(self, commits: Collection[str]) -> str | None:
        """A commit that is in the history of all of these; None where there is none."""
        if not commits:
            return None
        said = run(self._place, "merge-base", "--octopus", *sorted(commits), accept=(0, 1)).decode("ascii").split()
        return said[0] if said else None

    def _contains(self, commit: str, ancestor: str) -> bool:
        """Whether a commit is another, or has it in its history."""
        return run_for_status(self._place, "merge-base", "--is-ancestor", ancestor, commit, accept=(0, 1))[0] == 0

    def _commit(self, commit: str) -> Commit:
        (found,) = self._list("--max-count=1", commit)
        return found

    def _own(self, trunk: str, head: str) -> tuple[Commit, ...]:
        """The commits that a head has and trunk has not, each before its parents; one more than MOST_OWN at most."""
        return self._list("--topo-order", f"--max-count={MOST_OWN + 1}", head, f"^{trunk}")

    def _steps(self, tip: str, since: str, paths: frozenset[str]) -> tuple[Commit, ...]:
        """What `tip` stood at since it had not only what `since` has, newest first, where one of the paths changed.

        One more than MOST_STEPS at most. These are the first parents: commits that a merge brought were no state of
        this branch.
        """
        named = [f":(top,literal){path}" for path in sorted(paths)] if len(paths) <= MOST_NAMED else []
        return self._list("--first-parent", f"--max-count={MOST_STEPS + 1}", tip, f"^{since}", "--", *named)

    def _line(self, tip: str, since: str) -> tuple[Commit, ...]:
        """What a branch stood at since, newest first."""
        return self._list("--first-parent", tip, f"^{since}")

    def _bringer(self, tip: str, head: str) -> Commit | None:
        """The merge with which a branch got a head that is in its history; None where it once was the branch's tip."""
        line = self._list("--first-parent", tip, f"^{head}")
        since = {commit.id for commit in self._list("--ancestry-path", tip, f"^{head}")}
        first = next((commit for commit in reversed(line) if commit.id in since), None)
        return None if first is None or first.parents[:1] == (head,) else first

    def takebacks(self, tip: str, since: str) -> tuple[str, ...]:
        """The commits, oldest first, whose messages say that they revert something."""
        asked = ("--reverse", "--topo-order", "--extended-regexp", f"--grep={TAKES_BACK}", tip, f"^{since}")
        return tuple(commit.id for commit in self._list(*asked))

    def _list(self, *arguments: str) -> tuple[Commit, ...]:
        said = run(self._place, "rev-list", "--no-commit-header", "--format=%H %T %P", *arguments)
        rows = (line.split(" ") for line in said.decode("ascii").splitlines())
        return tuple(Commit(row[0], row[1], tuple(parent for parent in row[2:] if parent)) for row in rows)


def upstream_of(repository: Repository, ref: str) -> tuple[str, str] | None:
    """(short name, commit) of the branch that a local branch follows, else of its namesake at origin; None without."""
    name = ref.removeprefix("refs/heads/")
    if name == ref:
        return None
    said = run(repository.place, "for-each-ref", "--format=%(upstream)", "--end-of-options", ref).decode().strip()
    for candidate in filter(None, (said, f"refs/remotes/origin/{name}")):
        try:
            found = run(repository.place, "rev-parse", "--verify", "-q", "--end-of-options", f"{candidate}^{{commit}}")
        except GitError:
            continue
        return candidate.removeprefix("refs/remotes/").removeprefix("refs/heads/"), found.decode("ascii").strip()
    return None


def made_on(repository: Repository, branch: str) -> list[tuple[str | None, str]] | None:
    """What was made on a branch, as far as its reflog tells (git-reflog(1)): (after which commit, up to which).

    None for `after` is the commit's own parent. The whole is None where there is no reflog.
    """
    path = os.path.join(repository.common_dir, "logs", "refs", "heads", *branch.split("/"))
    try:
        with open(path, "rb") as log:
            lines = [line.partition(b"\t") for line in log]
    except OSError:
        return None
    made: list[tuple[str | None, str]] = []
    for head, _, message in lines:
        if message.startswith(OWN_WORK):
            onto = re.search(rb" onto ([0-9a-f]{40,64})$", message.rstrip())
            made.append((onto[1].decode("ascii") if onto else None, head.split(b" ")[1].decode("ascii")))
    return made


def message_of(objects: Objects, commit: str) -> str:
    """A commit's message; what is not UTF-8 in it is replaced."""
    return objects.read(commit)[1].partition(b"\n\n")[2].decode("utf-8", "replace")


def subject_of(objects: Objects, commit: str) -> str:
    """The first line of a commit's message."""
    return message_of(objects, commit).strip().partition("\n")[0]
