"""What becomes of a release that was killed: wholly there, or wholly released and restorable."""

from __future__ import annotations

import os
from pathlib import Path

from sidecar.git.process import GitError
from sidecar.git.repository import Repository
from sidecar.git.snapshot.read import read_contents, read_snapshot
from sidecar.git.snapshot.store import open_store
from sidecar.git.snapshot.values import FILE_KIND, RefusedError, Watcher
from sidecar.model.finding_codes import finding
from sidecar.model.findings import Failure, Finding
from sidecar.model.messages import escape, shown
from sidecar.operations import journal
from sidecar.operations.journal import Journal
from sidecar.operations.release import steps
from sidecar.operations.release.facts import Facts, parse_facts
from sidecar.operations.release.sweeping import sweep
from sidecar.operations.release.trash import check_trash, trash_of, where_is

BACK = ("prove", "keep", "move", "detach")
"""The steps during which the way leads back."""


def recover_release(repository: Repository, state: Path, entry: Journal) -> tuple[Finding, ...]:
    """Undo the release that a journal tells of, or finish it; the journal is closed when that is done."""
    try:
        facts = parse_facts(repository, entry.facts)
    except ValueError as error:
        what = f"The journal of {entry.id} can't be believed: {error}. Nothing was done; look at {state / 'journal'}."
        return (finding("bad-journal", escape(what)),)
    try:
        check_trash(state, entry.id)
        if entry.step in BACK and _nothing_moved(facts, state, entry):
            return _leave(repository, facts, state, entry)
        if entry.step in BACK and _undo(repository, facts, state, entry):
            journal.finish(state)
            return (finding("recovered", f"The release of {shown(facts.name)} was ended. It is as it was."),)
        _go_on(repository, facts, state, entry)
    except (OSError, GitError) as error:
        return (finding("not-recovered", f"The release of {shown(facts.name)} was ended: {error}"),)
    journal.finish(state)
    sweep(state)
    what = (
        f"The release of {shown(facts.name)} was ended, and is done now. Take it back with: sidecar restore {entry.id}"
    )
    return (finding("recovered", what),)


def _nothing_moved(facts: Facts, state: Path, entry: Journal) -> bool:
    """Whether it was ended before it took anything."""
    there = os.path.lexists(trash_of(state, entry.id) / "admin")
    return not there and where_is(facts.path, state, entry.id) is None


def _leave(repository: Repository, facts: Facts, state: Path, entry: Journal) -> tuple[Finding, ...]:
    """A release that took nothing is forgotten; but if the worktree is gone since, its snapshot can be restored."""
    steps.return_folder(facts, state, entry.id)  # takes the empty directory away
    gone = not os.path.lexists(facts.path)
    if gone and facts.snapshot is not None and steps.holds_snapshot(repository, entry.id, facts.snapshot):
        steps.record(facts, state, entry.id)
        what = f"{shown(facts.name)} is gone. What it had can be restored: sidecar restore {entry.id}"
    else:
        steps.drop_snapshot(repository, entry.id)
        what = f"The release of {shown(facts.name)} was ended. It is as it was."
    journal.finish(state)
    return (finding("recovered", what),)


def _undo(repository: Repository, facts: Facts, state: Path, entry: Journal) -> bool:
    """The way back; False when something new stands where the worktree was."""
    if not _is_ours(repository, facts, state, entry):
        raise OSError("its folder and git's own directory of it are not each other's")
    steps.attach(repository, facts, state, entry.id)
    if not steps.return_folder(facts, state, entry.id):
        steps.detach(repository, facts, state, entry.id)
        return False
    steps.drop_snapshot(repository, entry.id)
    return True


def _go_on(repository: Repository, facts: Facts, state: Path, entry: Journal) -> None:
    if facts.snapshot is None:
        raise OSError("its journal names no snapshot")
    if not steps.holds_snapshot(repository, entry.id, facts.snapshot):
        steps.keep_snapshot(repository, entry.id, facts.snapshot)
    snapshot = read_snapshot(repository, facts.snapshot)
    if isinstance(snapshot, Failure):
        raise OSError(snapshot.message)
    steps.detach(repository, facts, state, entry.id)
    if entry.step != "thin":
        if any((branch.name, branch.tip) == (facts.branch, facts.tip) for branch in snapshot.branches):
            steps.delete_branch(repository, facts)
        steps.record(facts, state, entry.id)
        steps.let_guard_go(repository, facts, state)
    steps.lighten(repository, facts, state, entry.id, None, _held(repository, facts.snapshot))
    steps.record(facts, state, entry.id)


def _held(repository: Repository, snapshot: str) -> dict[str, str]:
    """The blob of every regular file that a snapshot holds; nothing of one that can't be read."""
    try:
        with open_store(repository) as store:
            contents = read_contents(repository, store, snapshot, Watcher())
    except (RefusedError, GitError, OSError, ValueError):
        return {}
    unheld = {one.path for one in contents.header.unheld}
    return {
        path: item.oid
        for path, item in contents.files.items()
        if item.kind == FILE_KIND and item.oid is not None and path not in unheld
    }


def _is_ours(repository: Repository, facts: Facts, state: Path, entry: Journal) -> bool:
    """Whether what is about to be moved back is what git knows at that path: a journal could have been edited."""
    for place in (
        Path(repository.common_dir) / "worktrees" / facts.administrative,
        trash_of(state, entry.id) / "admin",
    ):
        try:
            said = (place / "gitdir").read_text(errors="surrogateescape").rstrip("\n")
        except OSError:
            continue
        return str((place / said).parent) == facts.path or (place / said).parent.resolve() == Path(facts.path)
    return False
