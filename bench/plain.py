"""The plain way to learn the same: ask git for the status of every worktree, then merge every pair of heads."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from tests.harness import environment, git


@dataclass(frozen=True)
class Plain:
    """What it took: seconds of `status` and `merges`, seconds of `cpu`, and the `peak` of its largest process in MB."""

    status: float
    merges: float
    pairs: int
    cpu: float
    peak: float

    @property
    def total(self) -> float:
        """Seconds of both, one after the other, as a script would do it."""
        return self.status + self.merges


def plain_way(worktrees: Sequence[Path]) -> Plain:
    """`git status` in every worktree, then `git merge-tree` for every pair of heads.

    The merges write into a passing object directory, so that each run finds the same repository.
    """
    common = git(worktrees[0], "rev-parse", "--path-format=absolute", "--git-common-dir")
    heads = [git(worktree, "rev-parse", "HEAD") for worktree in worktrees]
    pairs = list(combinations(heads, 2))
    with tempfile.TemporaryDirectory(prefix="sidecar-bench-") as objects:
        own = environment()
        aside = own | {"GIT_OBJECT_DIRECTORY": objects, "GIT_ALTERNATE_OBJECT_DIRECTORIES": f"{common}/objects"}
        start = time.perf_counter()
        used = [_run(worktree, own, "status", "--porcelain=v2") for worktree in worktrees]
        middle = time.perf_counter()
        used += [_run(worktrees[0], aside, "merge-tree", "--write-tree", *pair) for pair in pairs]
        end = time.perf_counter()
    cpu = sum(seconds for seconds, _ in used)
    return Plain(middle - start, end - middle, len(pairs), cpu, max(peak for _, peak in used))


def _run(worktree: Path, variables: Mapping[str, str], *arguments: str) -> tuple[float, float]:
    """Run git and read what it says; gives its seconds of CPU and its peak in MB."""
    with subprocess.Popen(["git", *arguments], cwd=worktree, env=variables, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise OSError(f"git {' '.join(arguments)} exited with {process.returncode}.")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
