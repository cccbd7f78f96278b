"""What becomes of a release that was killed: wholly there, or wholly released and restorable."""

from __future__ import annotations

from pathlib import Path

from sidecar.git.process import GitError
from sidecar.git.repository import Repository
from sidecar.git.snapshot.read import read_contents
from sidecar.git.snapshot.store import open_store
from sidecar.git.snapshot.values import FILE_KIND, RefusedError, Watcher
from sidecar.model.findings import Finding
from sidecar.model.messages import escape, shown
from sidecar.operations import journal
from sidecar.operations.journal import Journal
from sidecar.operations.release import steps
from sidecar.operations.release.facts import Facts, parse_facts
from sidecar.operations.release.trash import trash_of

BACK = ("prove", "keep", "move", "detach")
"""The steps during which the way leads back."""


def recover_release(repository: Repository, state: Path, entry: Journal) -> tuple[Finding, ...]:
    """Undo the release that a journal tells of, or finish it; the journal is closed when that is done."""
    try:
        facts = parse_facts(repository, entry.facts)
    except ValueError as error:
        what = f"The journal of {entry.id} can't be believed: {error}. Nothing was done; look at {state / 'journal'}."
        return (Finding("bad-journal", "blocks", escape(what)),)
    try:
        if entry.step in BACK and _undo(repository, facts, state, entry):
            journal.finish(state)
            return (Finding("recovered", "info", f"The release of {shown(facts.name)} was ended. It is as it was."),)
        _go_on(repository, facts, state, entry)
    except (OSError, GitError) as error:
        return (Finding("not-recovered", "blocks", f"The release of {shown(facts.name)} was ended: {error}"),)
    journal.finish(state)
    what = (
        f"The release of {shown(facts.name)} was ended, and is done now. Take it back with: sidecar restore {entry.id}"
    )
    return (Finding("recovered", "info", what),)


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
    steps.detach(repository, facts, state, entry.id)
    if entry.step != "thin":
        steps.delete_branch(repository, facts)
        steps.record(facts, state, entry.id)
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
