"""Move what is not committed in trunk's checkout into a new worktree: `sidecar open NAME --move`.

The worktree begins at the checkout's commit, gets every file and the index as they are, and only when git says the same
of both does the checkout let go. What is written in the checkout meanwhile stays there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from sidecar.git.history import find_trunk
from sidecar.git.process import GitError, Place, run
from sidecar.git.repository import Repository, list_worktrees, place_of_files
from sidecar.git.status import Edit, changed_paths, read_uncommitted
from sidecar.git.trees import list_tree, parse_raw
from sidecar.git.user_git import UserGit, run_user_git
from sidecar.model.changes import FILE, SUBMODULE, Change, Entry
from sidecar.model.decode import AbsolutePath, SafePath, Seconds
from sidecar.model.findings import Failure, Finding, finding, is_blocked
from sidecar.model.picture import Worktree
from sidecar.model.settings import Options
from sidecar.model.words import counted, named, shown, them
from sidecar.operations import journal
from sidecar.operations.journal import Journal, decode_facts
from sidecar.operations.merge.backup import carry, index_lines, let_go, take_back
from sidecar.operations.merge.blockers import checkout_findings, standing
from sidecar.operations.merge.land import clear_worktree_locks
from sidecar.operations.open import (
    OpenPlan,
    OpenResult,
    add_worktree,
    facts_of,
    git_said,
    none_made,
    not_opened,
    plan_open,
    plan_open_free,
    set_up,
)
from sidecar.operations.recover_open import OpenFacts, not_set_up, settle_opening
from sidecar.operations.run import QUIET, Agreed, Control, Plan, run_plan
from sidecar.session.reader import Sources, ask

MOST_PATHS = 20_000
"""Files that are moved at once; the journal names each."""

STAGED = ("diff-index", "--cached", "--ita-invisible-in-index", "--raw", "-z", "--no-abbrev", "--no-renames", "HEAD")

ADD, CARRY, LET_GO = "add", "carry", "let go"
"""The steps of the journal: until the last one the checkout has everything as it was."""


@dataclass(frozen=True, slots=True)
class MovePlan(Plan):
    """What is not committed in `source` (`paths`, sorted), to be moved into the worktree that `opening` makes."""

    opening: OpenPlan
    source: Worktree
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MoveFacts(OpenFacts):
    """A move as its journal tells it: the opening, the checkout at `source`, the paths, and when it began."""

    source: AbsolutePath = field(kw_only=True)
    paths: tuple[SafePath, ...] = field(kw_only=True)
    since: Seconds = 0.0


@dataclass(frozen=True, slots=True)
class _Uncommitted:
    """What git says of a checkout: its edits, and what its index has that HEAD has not.

    `intended` were added without content (`git add --intent-to-add`), `skipped` are too large to be read for this,
    `nested` are repositories of their own, which git says nothing of.
    """

    edits: Mapping[str, Edit]
    staged: Mapping[str, Entry | None]
    intended: frozenset[str]
    skipped: frozenset[str]
    nested: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """List every path that is not as in HEAD, sorted."""
        return tuple(sorted({*self.edits, *self.staged, *self.skipped}))

    def only(self, paths: frozenset[str]) -> _Uncommitted:
        """Give what is said of these paths."""
        edits = {path: edit for path, edit in self.edits.items() if path in paths}
        staged = {path: entry for path, entry in self.staged.items() if path in paths}
        return _Uncommitted(edits, staged, self.intended & paths, self.skipped & paths)


def plan_move(folder: Path, name: str | None, options: Options) -> MovePlan | Failure:
    """Plan a worktree NAME (or of a free name) with the edits of trunk's checkout; nothing is written."""
    return ask(folder, options, lambda sources: _plan(sources, folder, name, options))


def _plan(sources: Sources, folder: Path, name: str | None, options: Options) -> MovePlan | Failure:
    repository = sources.repository
    worktrees = list_worktrees(repository)
    trunk = find_trunk(repository, worktrees, str(sources.settings["trunk"]))
    if isinstance(trunk, Failure):
        return trunk
    source = next((one for one in worktrees if one.branch == trunk.branch and one.readable and one.head), None)
    if source is None:
        held = next((one.problem for one in worktrees if one.branch == trunk.branch and one.problem is not None), None)
        said = held or f"No worktree has {shown(trunk.branch)} checked out, so nothing is edited there."
        return Failure("no-checkout", said)
    if name is not None:
        opening = plan_open(folder, name, source.head, options)
    else:
        opening = plan_open_free(folder, f"{trunk.branch}-edits", source.head, options)
    if isinstance(opening, Failure):
        return opening
    plan = MovePlan(folder, opening.common_dir, options, opening, source)
    stopped = checkout_findings(repository, source, {})
    if stopped:
        return replace(plan, findings=(*opening.findings, *stopped))
    found = _read(sources, source)
    return replace(plan, paths=found.paths, findings=(*opening.findings, *_findings(repository, source, found)))


def _read(sources: Sources, worktree: Worktree) -> _Uncommitted:
    found = read_uncommitted(sources.repository, sources.quarantine, worktree, sources.size_limit)
    raw = run(sources.repository.inside(worktree), *STAGED)
    staged = {change.path: change.after for change in parse_raw(raw)}
    rows = found.rows.items()
    intended = frozenset(path for path, row in rows if row.tracked and row.head is None and row.index is None)
    edits = {edit.path: edit for edit in found.edits if edit.path not in found.skipped}
    return _Uncommitted(edits, staged, intended, frozenset(found.skipped), found.nested)


def _findings(repository: Repository, source: Worktree, found: _Uncommitted) -> list[Finding]:
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
    if stuck := _in_the_way(repository, source, found):
        said = f"In {name} git ignores what stands where the commit has something else: {named(stuck)}."
        return [finding("not-moved", f"{said} Move {them(len(stuck))} away.", tuple(stuck))]
    if count := len(found.nested):
        said = f"{counted(count, 'repository of its own', 'repositories of their own')} inside {name}"
        return [
            finding("stays", f"{said} {'stays' if count == 1 else 'stay'} there: {named(found.nested)}.", found.nested)
        ]
    return []


def _in_the_way(repository: Repository, source: Worktree, found: _Uncommitted) -> list[str]:
    """List what is not moved and stands where something committed has to come back, sorted."""
    committed = _committed(repository.place, str(source.head), found.paths)
    here = Entry(FILE, "")
    changes = {path: Change(path, here, committed.get(path)) for path in found.paths}
    held = (standing(source.key, path, changes[path], changes) for path in committed)
    return sorted({path for paths in held for path in paths})


def apply_move(plan: MovePlan, control: Control = QUIET) -> OpenResult:
    """Make the worktree, carry the edits there, and let go of them in trunk's checkout."""
    opening = plan.opening
    result = run_plan(
        plan,
        control,
        doing=f"moving edits into {shown(opening.branch)}",
        again=lambda _repository: plan_move(opening.folder, opening.branch, opening.options),
        essence=lambda one: (one.paths, one.source.head, one.opening.path),
        refused=lambda findings: OpenResult("refused", None, findings),
        steps=_move,
        queued=True,
    )
    return set_up(result, opening, control)


def _move(agreed: Agreed[MovePlan]) -> OpenResult:
    plan, opening, sidecar_dir = agreed.plan, agreed.plan.opening, agreed.sidecar_dir
    agreed.control.stage(f"Opening {shown(opening.branch)}")
    try:
        made = replace(facts_of(opening), source=plan.source.key)
        facts = MoveFacts(**asdict(made), paths=plan.paths, since=time.time())
        entry = agreed.begin("move", ADD, asdict(facts))
        acting = agreed.acting(entry, stoppable=False)
        opened, words, findings = add_worktree(agreed, acting, entry.id, facts)
        if not opened:
            journal.finish(sidecar_dir)
            return OpenResult("failed", None, (none_made(words), *findings))
        agreed.control.stage(f"Moving {counted(len(plan.paths), 'file', 'files')}")
        said = _carry_on(agreed.repository, sidecar_dir, entry, facts, opening.options)
        journal.finish(sidecar_dir)
    except (OSError, GitError) as error:
        return OpenResult("failed", None, (not_opened(sidecar_dir, error),))
    findings = (*plan.findings, *git_said(words), *findings, *said)
    return OpenResult("failed" if is_blocked(said) else "opened", opening.path, findings)


def recover_move(repository: Repository, sidecar_dir: Path, entry: Journal) -> tuple[Finding, ...]:
    """Bring a move that was killed to its end, or undo it where the worktree was not made yet; and say which."""
    facts = decode_facts(MoveFacts, entry)
    if isinstance(facts, Finding):
        return (facts,)
    branch = shown(facts.branch)
    try:
        _clear_locks(repository, entry, facts)
        opened, findings = (True, ()) if entry.step != ADD else settle_opening(repository, entry.id, facts)
        told = _carry_on(repository, sidecar_dir, entry, facts, Options(trusted=repository.trusted)) if opened else ()
        journal.finish(sidecar_dir)
    except (OSError, GitError) as error:
        return (finding("not-recovered", f"Edits were being moved into {branch}, and still are: {error}"),)
    done = f"is finished: they are in {shown(facts.path)}" if opened else "is undone: they are where they were"
    if is_blocked(told):
        done = "can't be finished"
    return (
        finding("recovered", f"Moving edits into {branch} was ended half-way; it {done}."),
        *findings,
        *(replace(one, severity="info") for one in told),
        *(not_set_up(facts) if opened else ()),
    )


def _clear_locks(repository: Repository, entry: Journal, facts: MoveFacts) -> None:
    """Remove what a killed git of ours left; GitError for a lock of somebody else."""
    for worktree in list_worktrees(repository):
        if facts.since and worktree.key in (facts.source, facts.path) and worktree.git_dir:
            clear_worktree_locks(worktree, (), facts.since, entry.id)


def _carry_on(
    repository: Repository, sidecar_dir: Path, entry: Journal, facts: MoveFacts, options: Options
) -> tuple[Finding, ...]:
    """Carry, compare, let go; from wherever the journal says that it was. What blocks leaves the edits where they were.

    OSError or GitError where that can't be done now.
    """
    by_key = {one.key: one for one in list_worktrees(repository)}
    source, target, paths = by_key.get(facts.source), by_key.get(facts.path), facts.paths
    acting = UserGit(entry.id, repository=repository.common_dir)
    if source is None or target is None or not source.readable or not target.readable:
        if source is not None and source.readable:
            take_back(source.key, paths)
        return (finding("not-moved", "One of the two worktrees is not there any more. Nothing more was moved."),)
    if entry.step != LET_GO:
        if not source.head == target.head == facts.commit:
            return (_apart(source, target),)
        entry = journal.advance(sidecar_dir, entry, CARRY)
        found = ask(Path(source.key), options, lambda sources: _carry(sources, acting, source, target, paths))
        if isinstance(found, Failure):
            raise GitError(found.message)
        if not found:
            return (_apart(source, target),)
        journal.advance(sidecar_dir, entry, LET_GO)
    stay = _let_go(repository, acting, source, target, paths)
    if not stay:
        return ()
    verb = "was" if len(stay) == 1 else "were"
    said = f"{counted(len(stay), 'file', 'files')} {verb} changed meanwhile, and {verb} left in {shown(source.name)}"
    return (finding("stays", f"{said}: {named(stay)}.", tuple(stay)),)


def _apart(source: Worktree, target: Worktree) -> Finding:
    said = f"{shown(target.name)} is open, but the edits of {shown(source.name)} are not the same there."
    return finding("not-moved", f"{said} So all of them are left in {shown(source.name)}, too.")


def _carry(sources: Sources, acting: UserGit, source: Worktree, target: Worktree, paths: Sequence[str]) -> bool:
    """Have the files and the index in the target as in the source; tell whether git then says the same of both.

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
        run_user_git(acting, Place(target.key), "--literal-pathspecs", "add", "--force", "-N", *listed, stdin=names)
    return _read(sources, target).only(moved) == _read(sources, source).only(moved)


def _let_go(
    repository: Repository, acting: UserGit, source: Worktree, target: Worktree, paths: Sequence[str]
) -> tuple[str, ...]:
    """Have in the source what is committed, but where something newer is; gives the paths of that."""
    changed = changed_paths(place_of_files(repository, source), untracked=True)
    gone, stay = let_go(source.key, target.key, paths, set(changed))
    committed = _committed(repository.place, str(source.head), gone)
    _index(acting, source, {path: committed.get(path) for path in gone}, "0" * len(str(source.head)))
    if committed:
        missing = b"".join(os.fsencode(path) + b"\0" for path in committed)
        made = run_user_git(acting, Place(source.key), "checkout-index", "--quiet", "-z", "--stdin", stdin=missing)
        if not made.ok:
            raise GitError(made.last_words)
    for worktree in (source, target):
        run_user_git(acting, Place(worktree.key), "update-index", "-q", "--refresh")
    return tuple(stay)


def _committed(place: Place, commit: str, paths: Iterable[str]) -> dict[str, Entry]:
    """Give what a commit has at these paths, where it has something."""
    tree = list_tree(place, commit)
    return {path: tree[path] for path in paths if path in tree}


def _index(acting: UserGit, worktree: Worktree, entries: Mapping[str, Entry | None], null: str) -> None:
    """Have these entries in a worktree's index."""
    if entries:
        lines = index_lines(entries, null)
        done = run_user_git(acting, Place(worktree.key), "update-index", "-z", "--index-info", stdin=lines)
        if not done.ok:
            raise GitError(done.last_words)
    run_user_git(acting, Place(worktree.key), "update-index", "-q", "--refresh")
