"""What real merges say about orders: every order tried by git itself, in a worktree of its own."""

import itertools
from collections.abc import Sequence
from pathlib import Path

from tests.harness import add_worktree, git
from tests.harness.repository import git_bytes

Steps = tuple[tuple[str, tuple[str, ...]], ...]
"""(branch, the paths at which its merge stopped) in the order of merging."""


class Merges:
    """Merges branches into `main`, as they come; where one stops, what all so far give in the order of the list."""

    def __init__(self, repository: Path, branches: Sequence[str]) -> None:
        self._branches = list(branches)
        self._place = add_worktree(repository, repository.parent / "by-merging", detach=True, start="main")
        self._stand_ins: dict[tuple[str, ...], str] = {}
        self._merged: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = {}

    def every_order(self, branches: Sequence[str]) -> dict[tuple[str, ...], Steps]:
        return {order: self.merge(order) for order in itertools.permutations(branches)}

    def merge(self, order: Sequence[str]) -> Steps:
        at, settled, steps = git(self._place, "rev-parse", "main"), True, []
        for number, branch in enumerate(order):
            tree, paths = self._merge(at, branch)
            settled = settled and not paths
            tree = tree if settled else self._stand_in(order[: number + 1])
            at = self._commit(tree, at, branch)
            steps.append((branch, paths))
        return tuple(steps)

    def _merge(self, at: str, branch: str) -> tuple[str, tuple[str, ...]]:
        """(the tree, conflicts as git leaves them; the paths at which the merge stopped) of a commit and a branch."""
        if (at, branch) not in self._merged:
            git(self._place, "checkout", "--quiet", "--force", "--detach", at)
            git(self._place, "clean", "-fdxq")
            git(self._place, "merge", "--quiet", "--no-ff", "--no-commit", branch, check=False)
            rows = git_bytes(self._place, "ls-files", "-u", "-z").split(b"\0")
            paths = tuple(sorted({row.partition(b"\t")[2].decode() for row in rows if row}))
            git(self._place, "add", "--all")
            self._merged[at, branch] = (git(self._place, "write-tree"), paths)
        return self._merged[at, branch]

    def _stand_in(self, branches: Sequence[str]) -> str:
        """The tree after merging in the order of the list, with whatever git leaves where it stops."""
        listed = tuple(sorted(branches, key=self._branches.index))
        if listed not in self._stand_ins:
            at = git(self._place, "rev-parse", "main")
            for branch in listed:
                at = self._commit(self._merge(at, branch)[0], at, branch)
            self._stand_ins[listed] = git(self._place, "rev-parse", f"{at}^{{tree}}")
        return self._stand_ins[listed]

    def _commit(self, tree: str, first: str, second: str) -> str:
        return git(self._place, "commit-tree", tree, "-p", first, "-p", second, "-m", "merged")
