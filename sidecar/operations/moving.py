"""Moving what is not committed in trunk's checkout into a new worktree: `sidecar open NAME --move`.

The worktree begins at the checkout's commit, gets every file and the index as they are, and only when git says the same
of both does the checkout let go. What is written in the checkout meanwhile stays there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sidecar.git.acting import Act, act
from sidecar.git.process import GitError, Place, run
from sidecar.git.repository import Repository, list_worktrees, open_repository, place_of_files
from sidecar.git.status import Edit, read_uncommitted
from sidecar.git.trees import parse_raw
from sidecar.git.trunk import find_trunk
from sidecar.model.changes import SUBMODULE, Entry
from sidecar.model.finding_codes import finding
from sidecar.model.findings import Failure, Finding, as_finding, info, is_blocked
from sidecar.model.messages import counted, named, shown
from sidecar.model.picture import Worktree
from sidecar.operations import journal
from sidecar.operations.control import QUIET, Control
from sidecar.operations.journal import Journal
from sidecar.operations.lock import hold
from sidecar.operations.merge.desk import is_safe
from sidecar.operations.merge.locks import clear_worktree_locks
from sidecar.operations.merge.obstacles import checkout_findings
from sidecar.operations.moving_files import carry, index_lines, let_go, take_back
from sidecar.operations.opening import OpenPlan, OpenResult, add_worktree, facts_of, not_opened, plan_open
from sidecar.operations.opening_ends import settle_opening
from sidecar.operations.receipts import new_id
from sidecar.session.sources import Options, Sources, ask

MOST_PATHS = 20_000
"""Files that are moved at once; the journal names each."""

STAGED = ("diff-index", "--cached", "--ita-invisible-in-index", "--raw", "-z", "--no-abbrev", "--no-renames", "HEAD")

STATUS = ("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--ignore-submodules=dirty")

ADD, CARRY, LET_GO = "add", "carry", "let go"
"""The steps of the journal: until the last one the checkout has everything as it was."""


@dataclass(frozen=True, slots=True)
class MovePlan:
    """What is not committed in `source` (`paths`, sorted), to be moved into the worktree that `opening` makes."""

    opening: OpenPlan
    source: Worktree
    paths: tuple[str, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether something stands in the way."""
        return is_blocked(self.findings)


@dataclass(frozen=True, slots=True)
class _Uncommitted:
    """What git says of a checkout: its edits, and what its index has that HEAD has not.

    `intended` were added without content (`git add --intent-to-add`), `skipped` are too large to be read for this.
    """

    edits: Mapping[str, Edit]
    staged: Mapping[str, Entry | None]
    intended: frozenset[str]
    skipped: frozenset[str]

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that is not as in HEAD, sorted."""
        return tuple(sorted({*self.edits, *self.staged, *self.skipped}))

    def only(self, paths: frozenset[str]) -> _Uncommitted:
        """What is said of these paths."""
        edits = {path: edit for path, edit in self.edits.items() if path in paths}
        staged = {path: entry for path, entry in self.staged.items() if path in paths}
        return _Uncommitted(edits, staged, self.intended & paths, self.skipped & paths)


def plan_move(folder: Path, name: str | None, options: Options) -> MovePlan | Failure:
    """The plan of a worktree NAME (or of a free name) with the edits of trunk's checkout; nothing is written."""
    return ask(folder, options, lambda sources: _plan(sources, folder, name, options))


def _plan(sources: Sources, folder: Path, name: str | None, options: Options) -> MovePlan | Failure:
    repository = sources.repository
    worktrees = list_worktrees(repository)
    trunk = find_trunk(repository, worktrees, str(sources.settings["trunk"]))
    if isinstance(trunk, Failure):
        return trunk
    source = next((one for one in worktrees if one.branch == trunk.branch and one.readable and one.head), None)
    if source is None:
        return Failure("no-checkout", f"No worktree has {shown(trunk.branch)} checked out, so nothing is edited there.")
    opening = _opening(folder, name, source, trunk.branch, options)
    if isinstance(opening, Failure):
        return opening
    stopped = checkout_findings(repository, source, {})
    if stopped:
        return MovePlan(opening, source, (), (*opening.findings, *stopped))
    found = _read(sources, source)
    return MovePlan(opening, source, found.paths, (*opening.findings, *_findings(source, found)))


def _opening(folder: Path, name: str | None, source: Worktree, branch: str, options: Options) -> OpenPlan | Failure:
    """The worktree to be made; where no name is given, the first of a few that is free."""
    names = [name] if name is not None else [f"{branch}-edits", *(f"{branch}-edits-{n}" for n in range(2, 100))]
    opening: OpenPlan | Failure = Failure("bad-name", "There is no name that is free. Give one.")
    for one in names:
        opening = plan_open(folder, one, source.head, options)
        if isinstance(opening, Failure) or not opening.blocked:
            break
    return opening


def _read(sources: Sources, worktree: Worktree) -> _Uncommitted:
    found = read_uncommitted(sources.repository, sources.quarantine, worktree, sources.size_limit)
    raw = run(sources.repository.inside(worktree), *STAGED)
    staged = {change.path: change.after for change in parse_raw(raw)}
    rows = found.rows.items()
    intended = frozenset(path for path, row in rows if row.tracked and row.head is None and row.index is None)
    return _Uncommitted({edit.path: edit for edit in found.edits}, staged, intended, frozenset(found.skipped))


def _findings(source: Worktree, found: _Uncommitted) -> list[Finding]:
    name = shown(source.name)
    if not found.paths:
        return [finding("nothing-to-move", f"{name} has nothing that is not committed.")]
    if len(found.paths) > MOST_PATHS:
        return [finding("too-many", f"{name} has {len(found.paths)} files that are not committed. Commit them there.")]
    entries = [*((path, edit.now) for path, edit in found.edits.items()), *found.staged.items()]
    modules = sorted({path for path, entry in entries if entry is not None and entry.mode == SUBMODULE})
    if modules:
        said = f"{counted(len(modules), 'submodule has', 'submodules have')} changed in {name}: {named(modules)}."
        return [finding("submodule-edit", f"{said} Commit that first.", tuple(modules))]
    return []


def apply_move(plan: MovePlan, control: Control = QUIET) -> OpenResult:
    """Make the worktree, carry the edits there, and let go of them in trunk's checkout."""
    if plan.blocked:
        return OpenResult("refused", None, plan.findings)
    opening = plan.opening
    with hold(opening.common_dir, f"moving edits into {shown(opening.branch)}") as held:
        if isinstance(held, Finding):
            return OpenResult("refused", None, (held,))
        if (standing := journal.left_over(held)) is not None:
            return OpenResult("refused", None, (standing,))
        fresh = plan_move(opening.folder, opening.branch, opening.options)
        repository = open_repository(opening.folder, trust=opening.options.trusted)
        for failure in (fresh, repository):
            if isinstance(failure, Failure):
                return OpenResult("refused", None, (as_finding(failure),))
        assert isinstance(fresh, MovePlan)
        assert isinstance(repository, Repository)
        if fresh.blocked:
            return OpenResult("refused", None, fresh.findings)
        if (fresh.paths, fresh.source.head) != (plan.paths, plan.source.head):
            said = f"{shown(plan.source.name)} has changed since this was planned. Look at it again."
            return OpenResult("refused", None, (finding("changed-since", said),))
        return _move(repository, held, plan, control)


def _move(repository: Repository, state: Path, plan: MovePlan, control: Control) -> OpenResult:
    opening = plan.opening
    control.stage(f"Opening {shown(opening.branch)}")
    operation = new_id(state, "move")
    facts = facts_of(opening) | {"source": plan.source.key, "paths": list(plan.paths), "since": time.time()}
    try:
        entry = journal.begin(state, operation, "move", ADD, facts)
        opened, words, findings = add_worktree(repository, opening, control, operation, facts)
        if not opened:
            journal.finish(state)
            return OpenResult("failed", None, (finding("not-opened", words or "Git made no worktree."), *findings))
        control.stage(f"Moving {counted(len(plan.paths), 'file', 'files')}")
        said = _carry_on(repository, state, entry, opening.options)
        journal.finish(state)
    except (OSError, GitError) as error:
        return OpenResult("failed", None, (not_opened(state, error),))
    told = (info("git-said", words),) if words else ()
    findings = (*plan.findings, *told, *findings, *said)
    return OpenResult("failed" if is_blocked(said) else "opened", opening.path, findings)


def recover_move(repository: Repository, state: Path, entry: Journal) -> tuple[Finding, ...]:
    """Bring a move that was killed to its end, or undo it where the worktree was not made yet; and say which."""
    known = [entry.facts.get(name) for name in ("path", "branch", "commit", "source")]
    paths = entry.facts.get("paths")
    if (
        not all(isinstance(value, str) and value and "\0" not in value for value in known)
        or not isinstance(paths, list)
        or not all(isinstance(path, str) and is_safe(path) for path in paths)
        or not os.path.isabs(str(known[0]))
    ):
        said = f"The journal of {entry.id} is not as we wrote it. Look at it, and move it away."
        return (finding("bad-journal", said),)
    path, branch = str(known[0]), str(known[1])
    try:
        _clear_locks(repository, entry)
        opened, findings = (True, ()) if entry.step != ADD else settle_opening(repository, entry.id, entry.facts)
        told = _carry_on(repository, state, entry, Options(trusted=repository.trusted)) if opened else ()
        journal.finish(state)
    except (OSError, GitError) as error:
        return (finding("not-recovered", f"Edits were being moved into {shown(branch)}, and still are: {error}"),)
    done = f"is finished: they are in {shown(path)}" if opened else "is undone: they are where they were"
    if is_blocked(told):
        done = "can't be finished"
    return (
        info("recovered", f"Moving edits into {shown(branch)} was ended half-way; it {done}."),
        *findings,
        *(replace(one, severity="info") for one in told),
    )


def _clear_locks(repository: Repository, entry: Journal) -> None:
    """Remove what a killed git of ours left; GitError for a lock of somebody else."""
    since = entry.facts.get("since")
    keys = (entry.facts["source"], entry.facts["path"])
    for worktree in list_worktrees(repository):
        if worktree.key in keys and worktree.git_dir and isinstance(since, int | float):
            clear_worktree_locks(worktree, (), since, entry.id)


def _carry_on(repository: Repository, state: Path, entry: Journal, options: Options) -> tuple[Finding, ...]:
    """Carry, compare, let go; from wherever the journal says that it was. What blocks leaves the edits where they were.

    OSError or GitError where that can't be done now.
    """
    by_key = {one.key: one for one in list_worktrees(repository)}
    source, target = by_key.get(str(entry.facts["source"])), by_key.get(str(entry.facts["path"]))
    acting, paths = Act(entry.id, repository=repository.common_dir), [str(path) for path in entry.facts["paths"]]
    if source is None or target is None or not source.readable or not target.readable:
        if source is not None and source.readable:
            take_back(source.key, paths)
        return (finding("not-moved", "One of the two worktrees is not there any more. Nothing more was moved."),)
    if entry.step != LET_GO:
        if source.head != entry.facts["commit"] or target.head != entry.facts["commit"]:
            return (_apart(source, target),)
        entry = journal.advance(state, entry, CARRY)
        found = ask(Path(source.key), options, lambda sources: _carry(sources, acting, source, target, paths))
        if isinstance(found, Failure):
            raise GitError(found.message)
        if not found:
            return (_apart(source, target),)
        journal.advance(state, entry, LET_GO)
    stay = _let_go(repository, acting, source, target, paths)
    if not stay:
        return ()
    verb = "was" if len(stay) == 1 else "were"
    said = f"{counted(len(stay), 'file', 'files')} {verb} changed meanwhile, and {verb} left in {shown(source.name)}"
    return (info("stays", f"{said}: {named(stay)}.", tuple(stay)),)


def _apart(source: Worktree, target: Worktree) -> Finding:
    said = f"{shown(target.name)} is open, but the edits of {shown(source.name)} are not the same there."
    return finding("not-moved", f"{said} So all of them are left in {shown(source.name)}, too.")


def _carry(sources: Sources, acting: Act, source: Worktree, target: Worktree, paths: Sequence[str]) -> bool:
    """Have the files and the index in the target as in the source; whether git then says the same of both.

    What the target has at these paths beforehand must be as committed, or what it is to have.
    """
    moved = frozenset(paths)
    before, there = _read(sources, source).only(moved), _read(sources, target).only(moved)
    contents = {path: edit.now for path, edit in before.edits.items()}
    if any(path not in contents or contents[path] != edit.now for path, edit in there.edits.items()):
        return False
    if any(path not in before.staged or before.staged[path] != entry for path, entry in there.staged.items()):
        return False
    carry(source.key, target.key, paths)
    _index(acting, target, before.staged, sources.quarantine.objects.null)
    if before.intended:
        names = b"".join(os.fsencode(path) + b"\0" for path in before.intended)
        listed = ("--pathspec-from-file=-", "--pathspec-file-nul")
        act(acting, Place(target.key), "--literal-pathspecs", "add", "--force", "-N", *listed, stdin=names)
    return _read(sources, target).only(moved) == _read(sources, source).only(moved)


def _let_go(
    repository: Repository, acting: Act, source: Worktree, target: Worktree, paths: Sequence[str]
) -> tuple[str, ...]:
    """Have in the source what is committed, but where something newer is; gives the paths of that."""
    status = run(place_of_files(repository, source), *STATUS)
    changed = {os.fsdecode(row[3:]) for row in status.split(b"\0") if row}
    gone, stay = let_go(source.key, target.key, paths, changed)
    committed = _committed(repository.place, str(source.head), gone)
    _index(acting, source, {path: committed.get(path) for path in gone}, "0" * len(str(source.head)))
    if committed:
        missing = b"".join(os.fsencode(path) + b"\0" for path in committed)
        made = act(acting, Place(source.key), "checkout-index", "--quiet", "-z", "--stdin", stdin=missing)
        if not made.ok:
            raise GitError(made.last_words)
    for worktree in (source, target):
        act(acting, Place(worktree.key), "update-index", "-q", "--refresh")
    return tuple(stay)


def _committed(place: Place, commit: str, paths: Iterable[str]) -> dict[str, Entry]:
    """What a commit has at these paths, where it has something."""
    wanted, found = set(paths), {}
    for row in run(place, "ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
        head, _, name = row.partition(b"\t")
        if row and (path := os.fsdecode(name)) in wanted:
            mode, _, oid = head.decode("ascii").split(" ")
            found[path] = Entry(int(mode, 8), oid)
    return found


def _index(acting: Act, worktree: Worktree, entries: Mapping[str, Entry | None], null: str) -> None:
    """Have these entries in a worktree's index."""
    if entries:
        lines = index_lines(entries, null)
        done = act(acting, Place(worktree.key), "update-index", "-z", "--index-info", stdin=lines)
        if not done.ok:
            raise GitError(done.last_words)
    act(acting, Place(worktree.key), "update-index", "-q", "--refresh")
