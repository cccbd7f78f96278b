"""Carrying a release out, step by step, each announced in the journal before it is taken."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sidecar.git.inventory.fingerprint import changed_between, fingerprint
from sidecar.git.inventory.watching import CancelledError
from sidecar.git.process import GitError
from sidecar.git.repository import Repository, list_worktrees, open_repository
from sidecar.git.snapshot.read import check_snapshot
from sidecar.git.snapshot.restore import check_readable
from sidecar.git.snapshot.values import Snapshot, Watcher
from sidecar.git.snapshot.write import write_snapshot
from sidecar.git.trunk import find_trunk
from sidecar.model.finding_codes import finding
from sidecar.model.findings import Failure, Finding, as_finding
from sidecar.model.messages import escape, shown
from sidecar.operations import journal
from sidecar.operations.control import QUIET, Control
from sidecar.operations.journal import Journal
from sidecar.operations.lock import hold
from sidecar.operations.receipts import new_id
from sidecar.operations.release import steps
from sidecar.operations.release.facts import Facts
from sidecar.operations.release.plan import ReleasePlan, World, in_use, look_around, plan_release
from sidecar.operations.release.sweeping import sweep
from sidecar.operations.release.trash import aside_of, mounted_in


@dataclass(frozen=True, slots=True)
class ReleaseResult:
    """How a release ended; `reclaimed` and `kept` are bytes on the disk, as the plan has them."""

    outcome: Literal["released", "refused", "failed"]
    findings: tuple[Finding, ...] = ()
    receipt: str | None = None
    reclaimed: int = 0
    kept: int = 0


class _StoppedError(Exception):
    """The release can't go on; carries what the person is told."""

    def __init__(self, outcome: Literal["refused", "failed"], one: Finding) -> None:
        super().__init__(one.message)
        self.outcome: Literal["refused", "failed"] = outcome
        self.finding = one


def apply_release(plan: ReleasePlan, control: Control = QUIET) -> ReleaseResult:
    """Release the worktree of a plan, if the world is still the one that the plan saw."""
    from sidecar.operations.retention import let_go_of_old  # which takes a release's steps itself

    if plan.blocked or plan.world is None:
        return ReleaseResult("refused", plan.findings)
    with hold(plan.common_dir, f"releasing {plan.worktree.name}") as held:
        if isinstance(held, Finding):
            return ReleaseResult("refused", (held,))
        if (standing := journal.left_over(held)) is not None:
            return ReleaseResult("refused", (standing,))
        fresh = _plan_again(plan, control)
        if isinstance(fresh, ReleaseResult):
            return fresh
        repository = open_repository(plan.folder, trust=plan.options.trusted)
        if isinstance(repository, Failure):
            return ReleaseResult("failed", (as_finding(repository),))
        result = _release(repository, held, fresh, control)
        let_go_of_old(repository, held, plan.options)
        return result


def _plan_again(plan: ReleasePlan, control: Control) -> ReleasePlan | ReleaseResult:
    """The plan as it is now; a refusal where it speaks of more than what was agreed to."""
    if _same_world(plan, control):
        return plan
    fresh = plan_release(plan.folder, plan.worktree.key, plan.options, plan.allow, control, unsaved=plan.unsaved)
    if isinstance(fresh, Failure):
        return ReleaseResult("failed", (as_finding(fresh),))
    agreed = {(one.code, one.paths) for one in plan.findings}
    new = [one for one in fresh.findings if one.severity != "info" and (one.code, one.paths) not in agreed]
    if fresh.blocked or new or fresh.world is None:
        changed = finding("changed-meanwhile", f"{shown(plan.worktree.name)} has changed since the plan. Look again.")
        return ReleaseResult("refused", (changed, *fresh.findings))
    return fresh


def _same_world(plan: ReleasePlan, control: Control) -> bool:
    try:
        repository = open_repository(plan.folder, trust=plan.options.trusted)
        if isinstance(repository, Failure):
            return False
        worktrees = list_worktrees(repository)
        now = next((one for one in worktrees if one.key == plan.worktree.key), None)
        trunk = find_trunk(repository, worktrees, plan.trunk.ref)
        if now is None or isinstance(trunk, Failure):
            return False
        return _is_same(plan, look_around(now, trunk, control, passing=_passing(plan)))
    except (GitError, OSError, CancelledError):
        return False


def _passing(plan: ReleasePlan) -> tuple[str, ...]:
    return () if plan.inventory is None else tuple(output.path for output in plan.inventory.files.output)


def _is_same(plan: ReleasePlan, now: World) -> bool:
    """Whether the world is the one that the plan saw."""
    before = plan.world
    if before is None or (before.worktree, before.trunk) != (now.worktree, now.trunk):
        return False
    files = changed_between(before.files, now.files)
    return not files and not changed_between(before.administration, now.administration)


def _release(repository: Repository, state: Path, plan: ReleasePlan, control: Control) -> ReleaseResult:
    """The steps in order, from a fresh plan, under the lock."""
    assert plan.world is not None
    assert plan.inventory is not None
    release_id = new_id(state, "release")
    inventory = plan.inventory
    elsewhere = bool(inventory.surroundings.elsewhere) or plan.worktree.branch == plan.trunk.branch
    facts = Facts(
        plan.worktree.key,
        plan.worktree.name,
        os.path.basename(plan.worktree.git_dir),
        plan.worktree.branch,
        None if elsewhere or plan.worktree.branch is None else plan.worktree.head,
        plan.worktree.head,
        None,
        _passing(plan),
        inventory.bytes.reclaimable,
        inventory.bytes.kept,
    )
    try:
        entry = journal.begin(state, release_id, "release", "prove", facts.record())
        try:
            facts, entry, snapshot = _keep(repository, state, plan, facts, entry, control)
            entry = _move(repository, state, plan, facts, entry)
        except (_StoppedError, GitError, OSError) as stopped:
            return _go_back(repository, facts, state, release_id, stopped)
        _finish(repository, state, facts, entry, snapshot, control)
    except (OSError, GitError) as error:
        said = error.message if isinstance(error, GitError) else error.strerror or str(error)
        what = f"The release of {shown(facts.name)} stopped half-way: {escape(said)}. Nothing is lost."
        return ReleaseResult("failed", (finding("disk", f"{what} Make room, then run: sidecar status"),))
    sweep(state)
    findings = (*plan.findings, *_kept_beside(facts, release_id))
    return ReleaseResult("released", findings, release_id, facts.freed, facts.kept)


def _kept_beside(facts: Facts, release_id: str) -> tuple[Finding, ...]:
    """Told when what is kept could not be brought from its own disk."""
    aside = aside_of(facts.path, release_id)
    if not aside.is_dir():
        return ()
    what = (
        f"The repository's disk has no room for what is kept of {shown(facts.name)}. It stays in {escape(str(aside))}."
    )
    return (finding("kept-beside", what),)


def _keep(
    repository: Repository, state: Path, plan: ReleasePlan, facts: Facts, entry: Journal, control: Control
) -> tuple[Facts, Journal, Snapshot]:
    """Write the snapshot and have a ref hold it; nothing may have changed meanwhile."""
    control.stage(f"Keeping what {escape(facts.name)} has")
    snapshot = write_snapshot(repository, plan.worktree, watcher=Watcher(cancelled=control.cancelled))
    if isinstance(snapshot, Failure):
        code = "cancelled" if snapshot.code == "cancelled" else "not-kept"
        raise _StoppedError("failed", Finding(code, "blocks", snapshot.message))
    if snapshot.changed:
        raise _changed(facts, snapshot.changed)
    facts = replace(facts, snapshot=snapshot.commit)
    entry = journal.advance(state, entry, "keep", **facts.record())
    steps.keep_snapshot(repository, entry.id, snapshot.commit)
    holed = check_snapshot(repository, snapshot.commit)  # a gc that ran meanwhile did not know of it
    holed = holed or check_readable(repository, snapshot.commit)
    if holed is not None:
        raise _StoppedError("failed", finding("not-kept", holed.message))
    assert plan.world is not None
    now = look_around(plan.worktree, plan.trunk, passing=facts.output)
    if not _is_same(plan, now):
        raise _changed(facts, changed_between(plan.world.files, now.files))
    if control.cancelled():
        raise _StoppedError("refused", finding("cancelled", f"The release of {shown(facts.name)} was stopped."))
    return facts, entry, snapshot


def _move(repository: Repository, state: Path, plan: ReleasePlan, facts: Facts, entry: Journal) -> Journal:
    """Both directories go into the trash, unless somebody came in, or wrote into one, at the last moment."""
    for one in in_use(plan.worktree):
        raise _StoppedError("refused", one)
    assert plan.world is not None
    entry = journal.advance(state, entry, "move")
    where = steps.move_folder(facts, state, entry.id)
    if mounts := mounted_in(where):
        what = f"Another file system is mounted in {shown(facts.name)}. Unmount it."
        raise _StoppedError("refused", finding("mount", what, mounts))
    changed = changed_between(plan.world.files, fingerprint(str(where), passing=facts.output))
    if changed:
        raise _changed(facts, changed)
    entry = journal.advance(state, entry, "detach")
    steps.detach(repository, facts, state, entry.id)
    return entry


def _finish(
    repository: Repository, state: Path, facts: Facts, entry: Journal, snapshot: Snapshot, control: Control
) -> None:
    """What follows when there is no way back."""
    entry = journal.advance(state, entry, "branch")
    steps.delete_branch(repository, facts)
    entry = journal.advance(state, entry, "receipt")
    steps.record(facts, state, entry.id)
    steps.let_guard_go(repository, facts, state)
    entry = journal.advance(state, entry, "thin")
    control.stage(f"Freeing the disk of {escape(facts.name)}")
    unheld = {one.path for one in snapshot.unheld}
    held: Mapping[str, str] = {path: oid for path, (_, oid) in snapshot.known.blobs.items() if path not in unheld}
    steps.lighten(repository, facts, state, entry.id, snapshot.known, held)
    steps.record(facts, state, entry.id)
    journal.finish(state)


def _go_back(repository: Repository, facts: Facts, state: Path, release_id: str, why: Exception) -> ReleaseResult:
    """Put everything back as it was and say why."""
    steps.attach(repository, facts, state, release_id)
    back = steps.return_folder(facts, state, release_id)
    if not back:
        what = f"{shown(facts.name)} was put away, but something new is at {escape(facts.path)}. Run: sidecar status"
        return ReleaseResult("failed", (finding("path-taken", what),))
    steps.drop_snapshot(repository, release_id)
    journal.finish(state)
    if isinstance(why, _StoppedError):
        return ReleaseResult(why.outcome, (why.finding,))
    said = (
        why.message
        if isinstance(why, GitError)
        else f"{why.strerror} ({why.filename})"
        if isinstance(why, OSError)
        else ""
    )
    what = f"{shown(facts.name)} could not be released, and is as it was: {escape(said)}"
    return ReleaseResult("failed", (finding("not-released", what),))


def _changed(facts: Facts, paths: tuple[str, ...]) -> _StoppedError:
    what = f"Something wrote into {shown(facts.name)} while it was being released. It is as it was; look again."
    return _StoppedError("refused", finding("changed-meanwhile", what, paths))
