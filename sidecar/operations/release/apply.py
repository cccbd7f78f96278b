"""Carry a release out: one function, `_release`, whose steps are announced in the journal before they are taken.

Why this order:

1. *The anchor first.* Until its ref is on the disk nothing has moved; where the object store can't be written, the
   release ends here and the worktree is as it was. The objects are looked for again once the ref names them, because a
   `git gc --prune=now` between the two did not know of them. From there on no collection takes what it names.
2. *Then both directories, each by one rename*, git's own first: `git worktree prune` deletes an administrative
   directory whose folder is not there, and never sees one. Nothing is copied or deleted, so a full disk stops nothing.
3. *Then the look whether anybody wrote.* What a process writes while the folder moves travels with it, so looking after
   the rename misses nothing, and looking before it would. Somebody wrote: both go back, and the person looks again.
4. *From here on forward*: the branch by compare-and-swap, the receipt, and only then what makes room on the disk, since
   whatever goes then can be written again (HEAD's own bytes) or made again (build output).

A kill before the end of 3 is undone by the next command, one after it is finished (`recover_release`); either takes the
same steps again. The repository's lock keeps two of us apart.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from sidecar.git.anchor import check_anchor, write_anchor
from sidecar.git.conversions import link_contents, store_of
from sidecar.git.history import find_trunk
from sidecar.git.inventory.walk import CancelledError, changed_between, fingerprint
from sidecar.git.process import GitError
from sidecar.git.repository import Repository, list_worktrees
from sidecar.model.findings import Failure, Finding, finding
from sidecar.model.receipts import Receipt
from sidecar.model.schema import Json, release_object
from sidecar.model.words import escape, shown
from sidecar.operations import journal, kept_refs
from sidecar.operations.branches import delete_branch, load_branches, read_branches, write_branches
from sidecar.operations.journal import Journal
from sidecar.operations.records import aside_of, read_receipt, write_receipt
from sidecar.operations.release.plan import ReleasePlan, in_use, plan_release
from sidecar.operations.release.relocation import names_path
from sidecar.operations.release.thinning import thin, write_manifest
from sidecar.operations.release.trash import (
    CONTENTS,
    Facts,
    bring_home,
    check_trash,
    decode_release,
    delete_inside,
    delete_trash,
    home_of,
    make_room,
    put_away,
    put_back,
    set_aside,
    sweep,
    trash_of,
    where_is,
)
from sidecar.operations.restore import let_go_of_old
from sidecar.operations.run import QUIET, Agreed, Control, RefusedError, run_plan
from sidecar.system.mounts import mounted_in


@dataclass(frozen=True, slots=True)
class ReleaseResult:
    """How a release ended; `reclaimed` and `kept` are bytes on the disk, as the plan has them."""

    outcome: Literal["released", "refused", "failed"]
    findings: tuple[Finding, ...] = ()
    receipt: str | None = None
    reclaimed: int = 0
    kept: int = 0

    def as_object(self) -> Json:
        """Give the RELEASE object of a release that was tried."""
        return release_object(self.outcome, self.findings, self.receipt, self.reclaimed, self.kept)


def apply_release(plan: ReleasePlan, control: Control = QUIET) -> ReleaseResult:
    """Release the worktree of a plan, if the world is still the one that the plan saw."""
    return run_plan(
        plan,
        control,
        doing=f"releasing {plan.worktree.name}",
        again=lambda repository: _plan_again(repository, plan, control),
        essence=lambda one: one.worktree.key,
        refused=lambda findings: ReleaseResult("refused", findings),
        steps=_release,
    )


def _plan_again(repository: Repository, plan: ReleasePlan, control: Control) -> ReleasePlan | Failure:
    """Give the plan as it is now; one that is blocked where it speaks of more than what was agreed to."""
    if _same_world(repository, plan, control):
        return plan
    fresh = plan_release(plan.folder, plan.worktree.key, plan.options, plan.allow, control, unsaved=plan.unsaved)
    if isinstance(fresh, Failure):
        return fresh
    agreed = {(one.code, one.paths) for one in plan.findings}
    new = any(one.severity != "info" and (one.code, one.paths) not in agreed for one in fresh.findings)
    if not new and not fresh.blocked:
        return fresh
    changed = finding("changed-meanwhile", f"{shown(plan.worktree.name)} has changed since the plan. Look again.")
    return replace(fresh, findings=(changed, *fresh.findings))


def _same_world(repository: Repository, plan: ReleasePlan, control: Control) -> bool:
    """Tell whether worktree, trunk and every directory are as the plan saw them; no where that can't be told."""
    try:
        worktrees = list_worktrees(repository)
        now = next((one for one in worktrees if one.key == plan.worktree.key), None)
        trunk = find_trunk(repository, worktrees, plan.trunk.ref)
        if now is None or isinstance(trunk, Failure) or (now, trunk) != (plan.worktree, plan.trunk):
            return False
        return not _changes(plan, now.key, now.git_dir, control.cancelled)
    except (GitError, OSError, CancelledError):
        return False


def _output(plan: ReleasePlan) -> tuple[str, ...]:
    return () if plan.inventory is None else tuple(output.path for output in plan.inventory.files.output)


def _changes(
    plan: ReleasePlan, folder: str | Path, admin: str | Path, cancelled: Callable[[], bool] = QUIET.cancelled
) -> tuple[str, ...]:
    """Give the directories in which something is otherwise than the plan saw it; git's own below `.git`."""
    assert plan.inventory is not None
    files = fingerprint(str(folder), cancelled, passing=_output(plan))
    administration = changed_between(plan.inventory.seen_administration, fingerprint(str(admin), cancelled))
    return (*changed_between(plan.inventory.seen, files), *(f".git/{path}".rstrip("/") for path in administration))


def _release(agreed: Agreed[ReleasePlan]) -> ReleaseResult:
    """Take the steps in order (why in this one: see above), then let go of releases that were kept for long enough."""
    repository, sidecar_dir, plan, control = agreed.repository, agreed.sidecar_dir, agreed.plan, agreed.control
    assert plan.inventory is not None
    facts = _facts(plan)
    try:
        entry = agreed.begin("release", "prove", asdict(facts))
        release_id, trash, ref = entry.id, trash_of(sidecar_dir, entry.id), kept_refs.ref_of(entry.id)
        try:
            control.stage(f"Keeping what {escape(facts.name)} has")
            make_room(sidecar_dir, release_id)
            branches = read_branches(repository, plan.worktree)
            write_branches(branches, trash)
            write_manifest(trash, plan.worktree.key, plan.inventory.held)
            link_contents(
                store_of(repository.common_dir, repository.config),
                str(trash / CONTENTS),
                plan.inventory.surroundings.contents,
            )
            anchor = write_anchor(repository, plan.worktree, [branch.name for branch in branches.branches])
            facts = replace(facts, anchor=anchor)
            entry = journal.advance(sidecar_dir, entry, "keep", **asdict(facts))
            kept_refs.keep(repository, ref, anchor)
            check_anchor(repository, anchor)
            for one in in_use(plan.worktree):
                if one.code not in plan.allow:
                    raise RefusedError(one)
            if control.cancelled():
                raise RefusedError(finding("cancelled", f"The release of {shown(facts.name)} was stopped."))
            entry = journal.advance(sidecar_dir, entry, "move")
            where = put_away(repository.common_dir, facts, sidecar_dir, release_id)
            _check_moved(plan, facts, where, trash / "admin")
        except (RefusedError, GitError, OSError) as stopped:
            return _go_back(repository, facts, sidecar_dir, entry, stopped)
        _finish(repository, sidecar_dir, facts, entry, control)
    except (OSError, GitError) as error:
        said = error.message if isinstance(error, GitError) else error.strerror or str(error)
        what = f"The release of {shown(facts.name)} stopped half-way: {escape(said)}. Nothing is lost."
        return ReleaseResult("failed", (finding("disk", f"{what} Make room, then run: sidecar status"),))
    sweep(sidecar_dir)
    let_go_of_old(repository, sidecar_dir, plan.options)
    return ReleaseResult(
        "released", (*plan.findings, *_kept_beside(facts, release_id)), release_id, facts.freed, facts.kept
    )


def _facts(plan: ReleasePlan) -> Facts:
    assert plan.inventory is not None
    worktree, inventory = plan.worktree, plan.inventory
    elsewhere = bool(inventory.surroundings.elsewhere) or worktree.branch == plan.trunk.branch
    return Facts(
        path=worktree.key,
        name=worktree.name,
        inode=inventory.inode,
        administrative=os.path.basename(worktree.git_dir),
        branch=worktree.branch,
        tip=None if elsewhere or worktree.branch is None else worktree.head,
        head=worktree.head,
        anchor=None,
        output=_output(plan),
        modules=inventory.modules,
        freed=inventory.bytes.reclaimable,
        kept=inventory.bytes.kept,
    )


def _check_moved(plan: ReleasePlan, facts: Facts, folder: Path, admin: Path) -> None:
    """Raise RefusedError where something is mounted in what was moved, or somebody wrote into it since the plan."""
    if mounts := mounted_in(folder):
        what = f"Another file system is mounted in {shown(facts.name)}. Unmount it."
        raise RefusedError(finding("mount", what, mounts))
    if changed := _changes(plan, folder, admin):
        what = f"Something wrote into {shown(facts.name)} while it was being released. It is as it was; look again."
        raise RefusedError(finding("changed-meanwhile", what, changed))


def _finish(repository: Repository, sidecar_dir: Path, facts: Facts, entry: Journal, control: Control) -> None:
    """Take the steps from which there is no way back; each can be taken again."""
    entry = journal.advance(sidecar_dir, entry, "branch")
    _delete_branch(repository, facts, sidecar_dir, entry.id)
    entry = journal.advance(sidecar_dir, entry, "receipt")
    _record(facts, sidecar_dir, entry.id)
    entry = journal.advance(sidecar_dir, entry, "thin")
    control.stage(f"Freeing the disk of {escape(facts.name)}")
    _make_room_on_disk(facts, sidecar_dir, entry.id, control)
    journal.finish(sidecar_dir)


def _delete_branch(repository: Repository, facts: Facts, sidecar_dir: Path, release_id: str) -> None:
    """Delete the branch that was proven, if the record of branches, from which it comes back, has it."""
    try:
        kept = load_branches(trash_of(sidecar_dir, release_id)).branches
    except ValueError as error:
        raise OSError(f"{error}") from error
    for one in kept:
        if one.tip is not None and (one.name, one.tip) == (facts.branch, facts.tip):
            delete_branch(repository, one.name, one.tip)


def _record(facts: Facts, sidecar_dir: Path, release_id: str) -> None:
    """Write the receipt: from here on the release can be taken back. Written again, it keeps its time."""
    earlier = read_receipt(sidecar_dir, release_id)
    since = time.time() if earlier is None else earlier.time
    write_receipt(
        sidecar_dir, Receipt(release_id, "release", facts.name, facts.branch, since, facts.kept, asdict(facts))
    )


def _make_room_on_disk(facts: Facts, sidecar_dir: Path, release_id: str, control: Control) -> None:
    """Take build output, and what HEAD has, out of the trash; then bring the rest home from another disk.

    What the trash has no room for, or what there was no time for, stays on its own disk, beside where the worktree was.
    """
    where = where_is(facts.path, sidecar_dir, release_id)
    if where is None or mounted_in(where):
        return
    output = [path for path in facts.output if not os.path.islink(where / path)]  # a link takes no room
    delete_inside(where, set_aside(where, output, sidecar_dir, release_id))
    thin(where, sidecar_dir, release_id)
    aside = aside_of(facts.path, release_id)
    if where == aside:

        def check() -> None:
            if control.cancelled():
                raise CancelledError

        control.stage(f"Bringing what {escape(facts.name)} had to the repository's disk")
        with contextlib.suppress(OSError, CancelledError):
            bring_home(where, sidecar_dir, release_id, check)
    elif aside.is_dir() and not aside.is_symlink() and not mounted_in(aside):
        shutil.rmtree(aside, ignore_errors=True)  # it was brought home, and we were ended before it was gone


def _kept_beside(facts: Facts, release_id: str) -> tuple[Finding, ...]:
    """Tell when what is kept could not be brought from its own disk."""
    aside = aside_of(facts.path, release_id)
    if not aside.is_dir():
        return ()
    what = f"What is kept of {shown(facts.name)} could not be brought to the repository's disk. It stays in"
    return (finding("kept-beside", f"{what} {escape(str(aside))}."),)


def _go_back(repository: Repository, facts: Facts, sidecar_dir: Path, entry: Journal, why: Exception) -> ReleaseResult:
    """Put everything back as it was and say why."""
    if not put_back(repository.common_dir, facts, sidecar_dir, entry.id):
        what = f"{shown(facts.name)} was put away, but something new is at {escape(facts.path)}. Run: sidecar status"
        return ReleaseResult("failed", (finding("path-taken", what),))
    _forget(repository, facts, sidecar_dir, entry.id)
    if isinstance(why, RefusedError):
        return ReleaseResult("refused", (why.finding,))
    code = "not-kept" if entry.step in ("prove", "keep") else "not-released"
    said = why.message if isinstance(why, GitError) else f"{getattr(why, 'strerror', None) or why}"
    what = f"{shown(facts.name)} could not be released, and is as it was: {escape(said.rstrip('.'))}."
    return ReleaseResult("failed", (finding(code, what),))


def _forget(repository: Repository, facts: Facts, sidecar_dir: Path, release_id: str) -> None:
    """Take away what a release that moved nothing, or put everything back, has written."""
    kept_refs.let_go(repository, kept_refs.ref_of(release_id))
    delete_trash(sidecar_dir, release_id, facts.path)
    journal.finish(sidecar_dir)


def recover_release(repository: Repository, sidecar_dir: Path, entry: Journal) -> tuple[Finding, ...]:
    """Undo the release that a journal tells of, or finish it; the journal is closed when that is done."""
    facts = decode_release(repository, entry.facts)
    if isinstance(facts, Failure):
        what = f"The journal of {entry.id} can't be believed: {facts.message}. Nothing was done."
        return (finding("bad-journal", escape(f"{what} Look at {sidecar_dir / 'journal'}.")),)
    try:
        check_trash(sidecar_dir, entry.id)
        admin = trash_of(sidecar_dir, entry.id) / "admin"
        git_dir = home_of(repository.common_dir, facts)
        if entry.step in ("prove", "keep", "move"):
            there = admin if admin.is_dir() else git_dir
            moved = admin.is_dir() or where_is(facts.path, sidecar_dir, entry.id) is not None
            if moved and not names_path(there, facts.path, str(git_dir)):
                raise OSError("its folder and git's own directory of it are not each other's")
            if put_back(repository.common_dir, facts, sidecar_dir, entry.id):
                _forget(repository, facts, sidecar_dir, entry.id)
                return (finding("recovered", f"The release of {shown(facts.name)} was ended. It is as it was."),)
        if facts.anchor is None or not names_path(admin, facts.path, str(git_dir)):
            raise OSError("the trash has nothing of it")
        if not kept_refs.holds(repository, kept_refs.ref_of(entry.id), facts.anchor):
            raise OSError(f"{kept_refs.ref_of(entry.id)} is gone")
        if os.path.isdir(facts.path) and os.lstat(facts.path).st_ino == facts.inode:
            put_away(repository.common_dir, facts, sidecar_dir, entry.id)
        _finish(repository, sidecar_dir, facts, entry, QUIET)
    except (OSError, GitError) as error:
        return (finding("not-recovered", f"The release of {shown(facts.name)} was ended: {escape(str(error))}"),)
    sweep(sidecar_dir)
    what = f"The release of {shown(facts.name)} was ended, and is done now. Take it back with:"
    return (finding("recovered", f"{what} sidecar restore {entry.id}"),)


def release_each(plans: Sequence[ReleasePlan], control: Control) -> Iterator[tuple[ReleasePlan, ReleaseResult]]:
    """Release one after the other, and yield each as it is done; one that does not go through keeps no other."""
    for plan in plans:
        if control.cancelled():
            return
        control.stage(f"Releasing {shown(plan.worktree.name)}")
        yield plan, apply_release(plan, control)
