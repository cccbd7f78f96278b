"""What a person chooses for a merge, what its plan says, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sidecar.model.changes import Change
from sidecar.model.findings import Finding, is_blocked
from sidecar.model.picture import Trunk, Worktree
from sidecar.session.sources import Options

Strategy = Literal["merge", "squash", "rebase"]


@dataclass(frozen=True, slots=True)
class MergeChoices:
    """How to merge. `message` None: git's own; `verify` None: the setting, '' for none.

    `commit` is the message with which uncommitted work is committed first; None: uncommitted work blocks.
    """

    strategy: Strategy = "merge"
    message: str | None = None
    verify: str | None = None
    commit: str | None = None


@dataclass(frozen=True, slots=True)
class MergePlan:
    """A merge of one worktree into trunk, not begun.

    `checkout` is the worktree that has trunk checked out, if there is one. `head` is the commit to be merged and `tree`
    the worktree's present state; `limit` the seconds that prepare and verify may take each. `ahead` counts the commits
    that trunk lacks. `message` is '' for a rebase, which makes no commit of its own. `changes` is what would differ in
    trunk, path by path.
    """

    folder: Path
    common_dir: str
    worktree: Worktree
    trunk: Trunk
    checkout: Worktree | None
    options: Options
    choices: MergeChoices
    message: str = ""
    verify: str = ""
    prepare: str = ""
    limit: float = 0.0
    head: str | None = None
    tree: str | None = None
    ahead: int = 0
    findings: tuple[Finding, ...] = ()
    changes: Mapping[str, Change] = field(default_factory=dict, compare=False, repr=False)

    @property
    def strategy(self) -> Strategy:
        """How the commits come into trunk."""
        return self.choices.strategy

    @property
    def commit(self) -> str | None:
        """The message for what is not committed; None when nothing may be committed."""
        return self.choices.commit

    @property
    def blocked(self) -> bool:
        """Whether something stands in the way."""
        return is_blocked(self.findings)


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What became of a merge: `branch` is trunk's, `before` and `after` its commits; `receipt` an id for `restore`.

    `refused`: nothing was begun, because of the findings. `failed`: it was begun, and trunk is as it was.
    """

    outcome: Literal["merged", "refused", "failed"]
    branch: str
    before: str | None
    after: str | None
    findings: tuple[Finding, ...]
    receipt: str | None


class RefusedError(Exception):
    """A step that did not come about; `finding` says why. Caught in `apply_merge`, `undo_merge` and `apply_update`."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding
