"""Finishing or undoing what a killed operation left, before anything else is done in the repository.

Every door asks this first, and nearly always there is nothing: what recovers is imported only when there is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from sidecar.git.repository import Repository, find_common_dir, open_repository
from sidecar.model.findings import Failure, Finding, as_finding, blocks
from sidecar.operations.state import is_swept, state_path

if TYPE_CHECKING:
    from sidecar.operations.journal import Journal

Recover: TypeAlias = "Callable[[Repository, Path, Journal], tuple[Finding, ...]]"
"""Brings the repository to wholly before or wholly after, closes the journal, and says what became of the operation."""


def recover_all(folder: Path) -> tuple[Finding, ...]:
    """What became of an operation that was killed in the repository of a folder.

    Costs a look when there was none. A folder outside of any repository has nothing to recover.
    """
    common_dir = find_common_dir(folder)
    if isinstance(common_dir, Failure):
        return ()
    state = state_path(common_dir)
    if not is_swept(state):
        from sidecar.operations.release.sweeping import sweep

        sweep(state)
    return _recover(folder, common_dir) if (state / "journal").exists() else ()


def _recover(folder: Path, common_dir: str) -> tuple[Finding, ...]:
    from sidecar.git.acting import mark_of
    from sidecar.operations.journal import pending
    from sidecar.operations.lock import hold, patience
    from sidecar.system.processes import end_marked

    with hold(common_dir, "recovering from an operation that was ended", wait=patience(common_dir)) as held:
        if isinstance(held, Finding):
            return ()  # it is still running, or somebody else recovers
        try:
            journal = pending(held)
        except ValueError as error:
            return (blocks("bad-journal", f"{error} Look at it, and move it away."),)
        if journal is None:
            return ()
        recover = _way_of(journal.what)
        if recover is None:
            return (blocks("bad-journal", f"A newer sidecar left {journal.id} unfinished. Use that one."),)
        repository = open_repository(folder)
        if isinstance(repository, Failure):
            return (as_finding(repository),)
        end_marked(mark_of(journal.id, common_dir))
        return recover(repository, held, journal)


def _way_of(what: str) -> Recover | None:
    """How what a killed operation left is finished or undone, by what it was."""
    if what in ("merge", "undo"):
        from sidecar.operations.merge.recover import recover_merge

        return recover_merge
    if what == "update":
        from sidecar.operations.merge.update_ends import recover_update

        return recover_update
    if what == "open":
        from sidecar.operations.opening_ends import recover_open

        return recover_open
    if what == "move":
        from sidecar.operations.moving import recover_move

        return recover_move
    if what == "release":
        from sidecar.operations.release.recover import recover_release

        return recover_release
    if what == "restore":
        from sidecar.operations.restore import recover_restore

        return recover_restore
    return None
