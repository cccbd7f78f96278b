"""Say what a merge is: a person's choices, its plan, its result, and the facts and the journal while it runs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from sidecar.git.process import GitError, Place, run
from sidecar.git.refs import has_commit, resolve_commit
from sidecar.git.repository import Repository, list_worktrees
from sidecar.git.user_git import CommandResult, UserGit, run_user_git
from sidecar.model.changes import Change
from sidecar.model.decode import AbsolutePath, BranchRef, ObjectId, SafePath, Seconds, is_safe
from sidecar.model.findings import Finding, finding
from sidecar.model.merging import Extent
from sidecar.model.picture import Trunk, Worktree
from sidecar.model.regenerate import Remake
from sidecar.model.schema import Json, merge_object, remakes_object
from sidecar.operations.journal import Journal, advance, bad_journal, decode_facts
from sidecar.operations.landing_repository.lent import ExtraName
from sidecar.operations.landing_repository.original import Moved
from sidecar.operations.landing_repository.place import LANDING as LANDING_SLOT
from sidecar.operations.run import Plan, RefusedError

Strategy = Literal["merge", "squash", "rebase"]

MAY_BE_ALLOWED = frozenset({"undoes-trunk"})
"""The blocking findings that a person can accept: git merges all the same, and nothing is lost."""


@dataclass(frozen=True, slots=True)
class MergeChoices:
    """How to merge. `message` None: git's own; `verify` None: the setting, '' for none.

    `commit` is the message with which uncommitted work is committed first; None: uncommitted work blocks.
    `allow` are the codes of blocking findings that the person accepts (`MAY_BE_ALLOWED`). `regenerate`: where the merge
    conflicts only in files that tools make, their commands make them anew.
    """

    strategy: Strategy = "merge"
    message: str | None = None
    verify: str | None = None
    commit: str | None = None
    allow: frozenset[str] = frozenset()
    regenerate: bool = False


@dataclass(frozen=True, slots=True)
class MergePlan(Plan):
    """A merge of one worktree into trunk, not begun.

    `checkout` is the worktree that has trunk checked out, if there is one. `head` is the commit to be merged and `tree`
    the worktree's present state; `limit` the seconds that prepare and verify may take each, and `keeps` the bytes
    that the landing worktree may have after it. `ahead` counts the commits
    that trunk lacks. `message` is '' for a rebase, which makes no commit of its own. `changes` is what would differ in
    trunk, path by path, and `extent` how much that is; None where the merge stops. `remakes` are the commands that make
    anew all that the merge conflicts in, where that can be done; they run if the person has chosen so.
    """

    worktree: Worktree
    trunk: Trunk
    checkout: Worktree | None
    choices: MergeChoices
    message: str = ""
    verify: str = ""
    prepare: str = ""
    limit: float = 0.0
    keeps: int = 0
    head: str | None = None
    tree: str | None = None
    ahead: int = 0
    changes: Mapping[str, Change] = field(default_factory=dict, compare=False, repr=False)
    extent: Extent | None = field(default=None, compare=False)
    remakes: tuple[Remake, ...] = ()

    @property
    def regenerates(self) -> bool:
        """Tell whether commands make files anew in this merge."""
        return self.choices.regenerate and bool(self.remakes)

    @property
    def strategy(self) -> Strategy:
        """Tell how the commits come into trunk."""
        return self.choices.strategy

    @property
    def commit(self) -> str | None:
        """Give the message for what is not committed; None when nothing may be committed."""
        return self.choices.commit

    def as_object(self, outcome: str | None = None, findings: tuple[Finding, ...] | None = None) -> Json:
        """Give the MERGE object of a plan that was not carried out; `findings` are others than its own."""
        said = outcome or ("refused" if self.blocked else "planned")
        told = self.findings if findings is None else findings
        planned = merge_object(said, self.trunk.branch, self.trunk.commit, None, told, None, self.extent)
        return {**planned, "regenerate": remakes_object(self.remakes)} if self.remakes else planned


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

    def as_object(self, extent: Extent | None) -> Json:
        """Give the MERGE object of a merge that was tried; `extent` is its plan's."""
        commits = self.branch, self.before, self.after
        return merge_object(self.outcome, *commits, self.findings, self.receipt, extent)


BEGUN, COMMITTING, WORKING, LANDING = STEPS = ("begun", "commit", "work", "land")
"""The steps of the journal: each is written before the first thing of it is done."""


@dataclass(frozen=True, slots=True)
class MergeFacts:
    """What recovery has to know.

    `trunk` is a full ref; `branch` short, None when detached; `worktree` and `checkout` are keys of worktrees; `before`
    and `after` are trunk's commits; `directories` those that were there before files were put into them; `refs` and
    `extras` what hooks did to other refs, and what they put into the git directory, where the merge was made.
    """

    trunk: BranchRef
    branch: str | None
    worktree: AbsolutePath | Literal[""]
    checkout: AbsolutePath | None
    before: ObjectId
    head: ObjectId
    since: Seconds
    strategy: str = "merge"
    after: ObjectId | None = None
    directories: tuple[SafePath, ...] = ()
    receipt: str | None = None
    refs: tuple[Moved, ...] = ()
    extras: tuple[ExtraName, ...] = ()


@dataclass(frozen=True, slots=True)
class MergeRun:
    """A running operation: where it is, who acts, what it has written down."""

    repository: Repository
    sidecar_dir: Path
    acting: UserGit
    journal: Journal
    facts: MergeFacts

    def step(self, step: str, **known: Any) -> MergeRun:
        """Give the same run with the next step on the disk; OSError when it can't be written."""
        facts = replace(self.facts, **known)
        return replace(self, facts=facts, journal=advance(self.sidecar_dir, self.journal, step, **asdict(facts)))

    def act(
        self, folder: str, *args: str, stdin: bytes = b"", variables: Mapping[str, str] = MappingProxyType({})
    ) -> CommandResult:
        """Run git in a folder as the person would; GitError only when it can't be started."""
        place = Place(folder, {"SIDECAR_STAGE": self.journal.step, **variables})
        return run_user_git(self.acting, place, *args, stdin=stdin)

    @property
    def kept(self) -> Path:
        """Give the directory in which the checkout's files are kept while trunk moves."""
        return self.sidecar_dir / "landing"


@dataclass(frozen=True, slots=True)
class Work:
    """What is worked for in a landing worktree, and who acts; `slot` is which of the repository's it is.

    `worktree` is where the work is that is tried on `trunk`, `checkout` where trunk is checked out. Each command may
    take `limit` seconds (0: any time), and the landing worktree may have `keeps` bytes after it.
    """

    repository: Repository
    acting: UserGit
    worktree: Worktree
    trunk: Trunk
    checkout: Worktree | None
    prepare: str
    limit: float
    keeps: int
    slot: str = LANDING_SLOT

    def act(
        self, folder: str, *args: str, stdin: bytes = b"", variables: Mapping[str, str] = MappingProxyType({})
    ) -> CommandResult:
        """Run git in a folder as the person would; GitError only when it can't be started."""
        return run_user_git(self.acting, Place(folder, {"SIDECAR_STAGE": WORKING, **variables}), *args, stdin=stdin)


def work_of(running: MergeRun, plan: MergePlan) -> Work:
    """Give the work of a merge in the landing worktree."""
    commands = plan.prepare, plan.limit, plan.keeps
    return Work(running.repository, running.acting, plan.worktree, plan.trunk, plan.checkout, *commands)


def stop_if_cancelled(acting: UserGit) -> None:
    """Go no further when the person has had enough."""
    if acting.cancelled():
        raise RefusedError(finding("cancelled", "Cancelled. Trunk is as it was.", severity="info"))


def kept_objects(after: str, refs: Iterable[Moved]) -> list[str]:
    """List what an operation holds until trunk has it: the commit that it made, and what hooks made beside it."""
    return [after, *(new for _, _, new in refs if new)]


def kept_refs(operation_id: str) -> str:
    """Name the prefix of the refs by which an operation holds what it made."""
    return f"refs/sidecar/landing/{operation_id}"


def read_facts(repository: Repository, entry: Journal) -> MergeFacts | Finding:
    """Read the facts of a journal; a finding for what we would not have written, or what the repository has not."""
    facts = decode_facts(MergeFacts, entry)
    if isinstance(facts, Finding):
        return facts
    for oid in (facts.before, facts.head, facts.after):
        if oid is not None and not has_commit(repository.place, oid):
            return bad_journal(f"The journal of {entry.id} is not as we wrote it: there is no commit {oid}.")
    return facts if entry.step in STEPS else bad_journal(f"The journal of {entry.id} is not as we wrote it.")


def head_ref(repository: Repository, worktree: Worktree) -> str | None:
    """Give the full name of the branch that a worktree is on; None when detached."""
    try:
        said = run(repository.inside(worktree), "symbolic-ref", "-q", "HEAD")
    except GitError:
        return None
    return os.fsdecode(said.removesuffix(b"\n"))


def head_commit(repository: Repository, worktree: Worktree) -> str | None:
    """Give the commit that a worktree is at."""
    return resolve_commit(repository.inside(worktree), "HEAD")


def worktree_at(repository: Repository, key: str | None) -> Worktree | None:
    """Find the worktree of this path, if git still knows it and it can be read."""
    found = next((one for one in list_worktrees(repository) if one.key == key), None)
    return found if found is not None and found.readable else None


def tree_changes(repository: Repository, before: str, after: str) -> dict[str, Change]:
    """List what differs between two commits by path, without renames; GitError for a path that no git would write."""
    from sidecar.git.trees import parse_raw

    said = run(repository.place, "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", before, after, "--")
    found = {change.path: change for change in parse_raw(said)}
    for path in found:
        if not is_safe(path):
            raise GitError(f"A tree has the path {path!r}.")
    return found
