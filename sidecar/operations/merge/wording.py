"""The message that git itself would write for a merge made in trunk's checkout."""

from __future__ import annotations

import os
import shlex

from sidecar.git.process import GitError, run
from sidecar.git.repository import Repository
from sidecar.model.picture import Trunk, Worktree
from sidecar.operations.merge.values import Strategy

SQUASHED = "Squashed commit of the following:\n\n"
"""How git's own message for a squash begins (git-merge(1), --squash)."""


def default_message(repository: Repository, trunk: Trunk, worktree: Worktree, head: str, strategy: Strategy) -> str:
    """Git's own message for this strategy, merge.suppressDest and merge.log honoured; '' where no commit is made."""
    if strategy == "rebase":
        return ""
    if strategy == "squash":
        said = run(repository.place, "log", "--no-decorate", "--no-show-signature", f"{trunk.commit}..{head}", "--")
        return SQUASHED + said.decode("utf-8", "replace")
    what = f"branch '{worktree.branch}' of ." if worktree.branch is not None else f"commit '{head}'"
    line = os.fsencode(f"{head}\t\t{what}\n")
    said = run(repository.place, "fmt-merge-msg", "--into-name", trunk.branch, stdin=line)
    return said.decode("utf-8", "surrogateescape").strip("\n")


def merge_options(repository: Repository, trunk: Trunk) -> list[str]:
    """What the person has configured for every merge into trunk (`branch.<name>.mergeOptions`, git-config(1))."""
    try:
        said = run(repository.place, "config", "--get", f"branch.{trunk.branch}.mergeOptions", accept=(0, 1))
        return shlex.split(os.fsdecode(said.removesuffix(b"\n")))
    except (GitError, ValueError):
        return []
