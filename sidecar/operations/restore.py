"""What can be taken back, and taking it back: a merge, a release, a worktree that vanished."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sidecar.git.process import GitError
from sidecar.git.repository import Repository, list_worktrees, open_repository
from sidecar.git.snapshot.restore import restore_snapshot
from sidecar.git.snapshot.values import Restored, Watcher
from sidecar.model.finding_codes import finding
from sidecar.model.findings import Failure, Finding, as_finding
from sidecar.model.messages import counted, escape, named, shown
from sidecar.model.object_ids import is_object_id
from sidecar.operations import journal
from sidecar.operations.control import QUIET, Control
from sidecar.operations.guard.records import drop_vanished, find_vanished, made_of
from sidecar.operations.journal import Journal
from sidecar.operations.lock import hold
from sidecar.operations.receipts import Receipt, list_receipts, new_id, read_receipt, write_receipt
from sidecar.operations.release import steps
from sidecar.operations.release.restore import overlay
from sidecar.operations.release.trash import delete_trash
from sidecar.operations.retention import is_emptied, let_go, let_go_of_old
from sidecar.operations.state import state_path
from sidecar.session.sources import Options


@dataclass(frozen=True, slots=True)
class RestoreResult:
    """What became of it: `path` is where the worktree is, None for a merge that was taken back."""

    outcome: Literal["restored", "refused", "failed"]
    path: str | None
    findings: tuple[Finding, ...] = ()


def list_restorable(folder: Path, options: Options) -> tuple[Receipt, ...] | Failure:
    """Everything that can be taken back, the newest first; worktrees that vanished unseen are found now."""
    repository = open_repository(folder, trust=options.trusted)
    if isinstance(repository, Failure):
        return repository
    state = state_path(repository.common_dir)
    if not state.is_dir():
        return ()
    with hold(repository.common_dir, "looking for worktrees that have vanished") as held:
        if isinstance(held, Path):
            try:
                find_vanished(repository, held)
                let_go_of_old(repository, held, options)
            except (GitError, OSError) as error:
                return Failure("unreadable-repository", f"The repository can't be read: {error}")
    return tuple(one for one in list_receipts(state) if "restored" not in one.facts and not is_emptied(one))


def restore(
    folder: Path, receipt_id: str, options: Options, control: Control = QUIET, into: Path | None = None
) -> RestoreResult | Failure:
    """Take back what a receipt records: a merge, or a worktree, into its old path unless `into` is given."""
    repository = open_repository(folder, trust=options.trusted)
    if isinstance(repository, Failure):
        return repository
    receipt = read_receipt(state_path(repository.common_dir), receipt_id)
    if receipt is None:
        return Failure("unknown-id", f"There is nothing to restore called {escape(receipt_id)}. See: sidecar restore")
    if receipt.what == "merge":
        from sidecar.operations.merge.undo import undo_merge

        undone = undo_merge(folder, receipt_id, options, control)
        if isinstance(undone, Failure):
            return undone
        return RestoreResult("restored" if undone.outcome == "undone" else undone.outcome, None, undone.findings)
    where = str(receipt.facts.get("path")) if into is None else os.path.realpath(folder / into)
    if into is not None and ".git" in Path(where).parts:
        return RestoreResult("refused", None, (_not_there(where),))
    with hold(repository.common_dir, f"restoring {receipt.worktree}") as held:
        if isinstance(held, Finding):
            return RestoreResult("refused", None, (held,))
        refusal = _refusal(held, receipt_id, where) or _registered(repository, receipt, where)
        if refusal is not None:
            return RestoreResult("refused", None, (refusal,))
        return _restore(repository, held, receipt, where, control)


def _refusal(state: Path, receipt_id: str, where: str) -> Finding | None:
    """Why it can't be restored there, read under the lock."""
    if (standing := journal.left_over(state)) is not None:
        return standing
    receipt = read_receipt(state, receipt_id)
    restored = None if receipt is None else receipt.facts.get("restored")
    if receipt is not None and is_emptied(receipt):
        return finding("bad-receipt", f"What {escape(receipt_id)} kept was let go of.")
    if receipt is None or isinstance(restored, str):
        there = f" to {escape(str(restored))}" if restored else ""
        return finding("restored-already", f"{escape(receipt_id)} has been restored{there}.")
    if not os.path.isabs(where) or not is_object_id(str(receipt.facts.get("snapshot"))):
        return finding("bad-receipt", f"The receipt {receipt_id} is not as it was written.")
    if _is_taken(where):
        said = f"Something is at {escape(where)} already. Give another place: sidecar restore {receipt_id} --into PATH"
        return finding("path-taken", said, (where,))
    return None


def _registered(repository: Repository, receipt: Receipt, where: str) -> Finding | None:
    """That git has another worktree of this path, whose folder is gone: HEAD and index there are not this one's."""
    for other in list_worktrees(repository):
        if other.key == where and not (other.git_dir and _is_its_own(receipt, other.git_dir)):
            said = f"Git still knows another worktree at {escape(where)}, whose folder is gone. Run git worktree prune"
            other_place = f"give another place: sidecar restore {receipt.id} --into PATH"
            return finding("path-taken", f"{said} if nobody needs it, or {other_place}", (where,))
    return None


def _is_its_own(receipt: Receipt, git_dir: str) -> bool:
    """Whether an administrative directory is that of the worktree that vanished; a release took its own along."""
    return receipt.what == "vanished" and receipt.facts.get("made", "") in ("", made_of(git_dir))


def _not_there(where: str) -> Finding:
    return finding("bad-path", f"{escape(where)} is inside a repository's own directory. Choose another path.")


def _is_taken(where: str) -> bool:
    """Whether something is at a path; an empty directory is nothing."""
    try:
        return os.path.lexists(where) and (os.path.islink(where) or bool(os.listdir(where)))
    except OSError:
        return True


def _restore(repository: Repository, state: Path, receipt: Receipt, where: str, control: Control) -> RestoreResult:
    operation = new_id(state, "restore")
    try:
        entry = journal.begin(state, operation, "restore", "write", {"receipt": receipt.id, "path": where})
        control.stage(f"Restoring {escape(receipt.worktree)}")
        watcher = Watcher(cancelled=control.cancelled)
        restored = restore_snapshot(repository, str(receipt.facts["snapshot"]), where, watcher=watcher)
        if isinstance(restored, Failure):
            journal.finish(state)
            return RestoreResult("failed", None, (as_finding(restored),))
        entry = journal.advance(state, entry, "overlay", path=restored.path, git_dir=os.path.basename(restored.git_dir))
        beside = _finish(repository, state, receipt, restored.path, restored.git_dir)
    except (OSError, GitError) as error:
        said = f"{shown(receipt.worktree)} could not be restored as a whole: {error}. Run: sidecar status"
        return RestoreResult("failed", where, (finding("not-restored", said),))
    return RestoreResult("restored", restored.path, (*_notes(receipt, restored), *beside))


def _finish(repository: Repository, state: Path, receipt: Receipt, path: str, git_dir: str) -> tuple[Finding, ...]:
    """Lay the trash over what the snapshot gave, let go of both, and remember that it was restored."""
    beside: tuple[str, ...] = ()
    if receipt.what == "release":
        was = str(receipt.facts.get("path"))
        beside = overlay(state, receipt.id, was, path, git_dir)
        delete_trash(state, receipt.id, was)
        steps.drop_snapshot(repository, receipt.id)
    else:
        drop_vanished(repository, receipt.id)
    facts = {"restored": path, "path": receipt.facts.get("path"), "at": time.time()}
    write_receipt(state, replace(receipt, bytes=0, facts=facts))
    journal.finish(state)
    if not beside:
        return ()
    what = counted(len(beside), "file of the trash belongs; it is", "files of the trash belong; they are")
    said = f"Something else was written where {what} beside it: {named(beside)}."
    return (finding("restored-beside", said, beside),)


def recover_restore(repository: Repository, state: Path, entry: Journal) -> tuple[Finding, ...]:
    """What becomes of a restoration that was killed: it is finished; restoring a snapshot again does what lacks."""
    receipt = read_receipt(state, str(entry.facts.get("receipt")))
    if receipt is None or receipt.what == "merge":
        return (finding("bad-journal", f"The journal of {entry.id} names no receipt. Look at it, move it away."),)
    if entry.step != "overlay":
        return _restore_again(repository, state, receipt, entry)
    return _overlay_again(repository, state, receipt, entry)


def _restore_again(repository: Repository, state: Path, receipt: Receipt, entry: Journal) -> tuple[Finding, ...]:
    where, snapshot = str(entry.facts.get("path")), str(receipt.facts.get("snapshot"))
    restored = restore_snapshot(repository, snapshot, where)
    if isinstance(restored, Failure):
        journal.finish(state)
        again = f"The restoration of {shown(receipt.worktree)} was ended: {restored.message}"
        return (finding("recovered", f"{again} Start again: sidecar restore {receipt.id}"),)
    git_dir = os.path.basename(restored.git_dir)
    return _overlay_again(
        repository, state, receipt, journal.advance(state, entry, "overlay", path=restored.path, git_dir=git_dir)
    )


def _overlay_again(repository: Repository, state: Path, receipt: Receipt, entry: Journal) -> tuple[Finding, ...]:
    path, name = str(entry.facts.get("path")), str(entry.facts.get("git_dir"))
    git_dir = Path(repository.common_dir) / "worktrees" / name
    if "/" in name or name in ("", ".", "..") or not _belongs(git_dir, path):
        return (finding("bad-journal", f"The journal of {entry.id} is not as we wrote it."),)
    try:
        beside = _finish(repository, state, receipt, path, str(git_dir))
    except (OSError, GitError) as error:
        return (finding("not-recovered", f"{shown(receipt.worktree)} is not restored as a whole: {error}"),)
    return (finding("recovered", f"{shown(receipt.worktree)} is restored in {escape(path)}."), *beside)


def _belongs(git_dir: Path, path: str) -> bool:
    try:
        said = (git_dir / "gitdir").read_text(errors="surrogateescape").rstrip("\n")
    except OSError:
        return False
    return os.path.realpath(os.path.dirname(git_dir / said)) == path and not os.path.islink(path)


def _notes(receipt: Receipt, restored: Restored) -> tuple[Finding, ...]:
    """What a person should know about what is back."""
    found = [finding("restored-otherwise", note) for note in restored.notes]
    if receipt.what == "vanished":
        kept = receipt.facts.get("kept")
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(kept)) if isinstance(kept, int | float) else "then"
        found.append(finding("restored-as-of", f"It is as it was at {when}. Ignored files could not be kept."))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class EmptyPlan:
    """Receipts whose kept state would go for good, and the bytes on the disk that this frees at least."""

    receipts: tuple[Receipt, ...]

    @property
    def bytes(self) -> int:
        """Bytes that their part of the trash takes."""
        return sum(receipt.bytes for receipt in self.receipts if receipt.what == "release")


def plan_empty(folder: Path, receipt_id: str | None, options: Options) -> EmptyPlan | Failure:
    """What forgetting one receipt, or all of them, would do away with."""
    listed = list_restorable(folder, options)
    if isinstance(listed, Failure):
        return listed
    chosen = tuple(one for one in listed if receipt_id in (None, one.id))
    if receipt_id is not None and not chosen:
        return Failure("unknown-id", f"There is nothing to restore called {escape(receipt_id)}. See: sidecar restore")
    return EmptyPlan(chosen)


def apply_empty(folder: Path, plan: EmptyPlan, options: Options) -> tuple[Finding, ...] | Failure:
    """Let go of what the plan names, for good; nothing that it does not name. The findings say what did not go."""
    repository = open_repository(folder, trust=options.trusted)
    if isinstance(repository, Failure):
        return repository
    with hold(repository.common_dir, "emptying the trash") as held:
        if isinstance(held, Finding):
            return (held,)
        left = []
        for receipt in plan.receipts:
            try:
                let_go(repository, held, receipt)
            except (OSError, GitError) as error:
                left.append(finding("not-emptied", f"{receipt.id} could not be emptied: {error}"))
    return tuple(left)
