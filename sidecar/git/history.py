"""Commits in common: fork points, merge bases, how far apart two branches are."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from sidecar.git.process import run
from sidecar.git.repository import Repository


@dataclass(frozen=True, slots=True)
class Divergence:
    """A commit against trunk: their merge bases (best first), the commits of its own, how many only trunk has."""

    bases: tuple[str, ...]
    own: frozenset[str]
    behind: int


_Parents: TypeAlias = Mapping[str, Sequence[str]]


class History:
    """Answers about commit ids, remembered, since history does not change under an id."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self.merge_bases: Callable[[str, str], tuple[str, ...]] = lru_cache(maxsize=8192)(self._merge_bases)
        self.divergence: Callable[[str, str], Divergence] = lru_cache(maxsize=1024)(self._divergence)

    def _merge_bases(self, one: str, two: str) -> tuple[str, ...]:
        """Every best common ancestor (git-merge-base(1)); none when the two share no history."""
        if one == two:
            return (one,)
        said = run(self._repository.place, "merge-base", "--all", one, two, accept=(0, 1))
        return tuple(said.decode("ascii").split())

    def _divergence(self, trunk: str, head: str) -> Divergence:
        if trunk == head:
            return Divergence((head,), frozenset(), 0)
        said = run(self._repository.place, "rev-list", "--left-right", "--parents", f"{trunk}...{head}")
        rows = [line.split() for line in said.decode("ascii").splitlines()]
        own = {row[0][1:]: row[1:] for row in rows if row[0].startswith(">")}
        trunks = {row[0][1:]: row[1:] for row in rows if row[0].startswith("<")}
        return Divergence(self._bases(trunk, head, own, trunks), frozenset(own), len(trunks))

    def _bases(self, trunk: str, head: str, own: _Parents, trunks: _Parents) -> tuple[str, ...]:
        """Merge bases from the parents of the commits that only one side has, where these settle it.

        All that the two have in common is reached through a commit that is a parent of one side's own commits and not
        one of them. Where there is one such commit, it is the only merge base.
        """
        if not own or not trunks:
            return (trunk if own else head,)
        for side in (own, trunks):
            shared = {parent for parents in side.values() for parent in parents} - side.keys()
            if len(shared) < 2:
                return tuple(shared)
        return self._merge_bases(trunk, head)

    def pair_bases(self, trunk: str, one: str, two: str) -> tuple[str, ...]:
        """Merge bases of two heads, from what is known of each against trunk where that settles it.

        Where neither has a commit of the other's own and both left trunk at one point each, what they have in common
        is what those two points have in common.
        """
        first, second = self.divergence(trunk, one), self.divergence(trunk, two)
        if len(first.bases) == len(second.bases) == 1 and first.own.isdisjoint(second.own):
            return self.merge_bases(*sorted((first.bases[0], second.bases[0])))
        return self.merge_bases(*sorted((one, two)))


OWN_WORK = (b"commit", b"cherry-pick", b"rebase", b"revert", b"am:")
"""How reflog messages begin where a branch got a commit that was made on it (git-reflog(1))."""


def had_own_commits(repository: Repository, branch: str) -> bool:
    """Whether commits were ever made on a branch, by its reflog: how work that trunk has tells from no work."""
    path = os.path.join(repository.common_dir, "logs", "refs", "heads", *branch.split("/"))
    try:
        with open(path, "rb") as log:
            return any(line.partition(b"\t")[2].startswith(OWN_WORK) for line in log)
    except OSError:
        return False
