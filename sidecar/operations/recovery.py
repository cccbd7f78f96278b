"""Finishing or undoing what a killed operation left, before anything else is done in the repository."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from sidecar.git.acting import mark_of
from sidecar.git.repository import Repository, open_repository
from sidecar.model.findings import Failure, Finding, as_finding, blocks
from sidecar.operations.journal import Journal, pending
from sidecar.operations.lock import hold, patience
from sidecar.operations.state import state_path
from sidecar.system.processes import end_marked

Recover = Callable[[Repository, Path, Journal], tuple[Finding, ...]]
"""Brings the repository to wholly before or wholly after, closes the journal, and says what became of the operation."""


def recover(folder: Path, common_dir: str, how: Mapping[str, Recover]) -> tuple[Finding, ...]:
    """What became of an operation that was killed; nothing, at the price of one look, when there was none."""
    if not (state_path(common_dir) / "journal").exists():
        return ()
    with hold(common_dir, "recovering from an operation that was ended", wait=patience(common_dir)) as held:
        if isinstance(held, Finding):
            return ()  # it is still running, or somebody else recovers
        try:
            journal = pending(held)
        except ValueError as error:
            return (blocks("bad-journal", f"{error} Look at it, and move it away."),)
        if journal is None:
            return ()
        if journal.what not in how:
            return (blocks("bad-journal", f"A newer sidecar left {journal.id} unfinished. Use that one."),)
        repository = open_repository(folder)
        if isinstance(repository, Failure):
            return (as_finding(repository),)
        end_marked(mark_of(journal.id, common_dir))
        return how[journal.what](repository, held, journal)
