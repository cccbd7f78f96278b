"""Finish or undo what a killed operation left, before anything else is done in the repository.

Every door asks this first, and nearly always there is nothing: what recovers is imported only when there is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from sidecar.git.repository import Repository, find_common_dir, open_repository
from sidecar.model.findings import Failure, Finding, as_finding, finding
from sidecar.operations.records import has_nothing_left, is_swept, sidecar_path, why_unreadable

if TYPE_CHECKING:
    from sidecar.operations.journal import Journal

Recover: TypeAlias = "Callable[[Repository, Path, Journal], tuple[Finding, ...]]"
"""Brings the repository to wholly before or wholly after, closes the journal, and says what became of the operation."""


ACTING = ("open", "move", "update")
"""What is finished by git as the person has it, with hooks and filters: never for who only looks at a repository."""


def recover_all(folder: Path, *, acting: bool = True) -> tuple[Finding, ...]:
    """Finish or undo an operation that was killed in the repository of a folder, and say which.

    Costs a look when there was none. A folder outside of any repository has nothing to recover. Without `acting`, in a
    repository that is not trusted, what would run something of it is left to the next command that acts.
    """
    common_dir = find_common_dir(folder)
    if isinstance(common_dir, Failure):
        return ()
    if has_nothing_left(common_dir):
        return ()
    if why_unreadable(common_dir) is not None:
        return ()  # whatever would write there refuses, and says why
    sidecar_dir = sidecar_path(common_dir)
    if not is_swept(sidecar_dir):
        from sidecar.operations.release.trash import sweep

        sweep(sidecar_dir)
    return _recover(folder, common_dir, acting=acting) if (sidecar_dir / "journal").exists() else ()


def _recover(folder: Path, common_dir: str, *, acting: bool) -> tuple[Finding, ...]:
    from sidecar.git.user_git import operation_tag
    from sidecar.operations.journal import bad_journal, pending
    from sidecar.operations.run import hold, patience
    from sidecar.system.processes import end_marked

    doing, wait = "recovering from an operation that was ended", patience(common_dir)
    with hold(common_dir, doing, wait=wait, passing=True) as held:
        if isinstance(held, Finding):
            return ()  # it is still running, or somebody else recovers
        try:
            journal = pending(held)
        except ValueError as error:
            return (bad_journal(str(error)),)
        if journal is None:
            return ()
        recover = _way_of(journal.what)
        if recover is None:
            return (finding("bad-journal", f"A newer sidecar left {journal.id} unfinished. Use that one."),)
        repository = open_repository(folder)
        if isinstance(repository, Failure):
            return (as_finding(repository),)
        if journal.what in ACTING and not (acting or repository.trusted):
            from sidecar.operations.recover_open import has_made_nothing

            if journal.what != "open" or not has_made_nothing(repository, journal):
                return ()
        end_marked(operation_tag(journal.id, common_dir))
        return recover(repository, held, journal)


def _way_of(what: str) -> Recover | None:
    """Import what finishes or undoes what a killed operation left, by what it was."""
    from sidecar.operations.merge.apply import recover_merge
    from sidecar.operations.merge.continue_merge import recover_continue
    from sidecar.operations.merge.update import recover_update
    from sidecar.operations.move import recover_move
    from sidecar.operations.recover_open import recover_open
    from sidecar.operations.release.apply import recover_release
    from sidecar.operations.restore import recover_restore
    from sidecar.operations.uninstall import recover_uninstall

    ways: dict[str, Recover] = {
        "merge": recover_merge,
        "undo": recover_merge,
        "update": recover_update,
        "continue": recover_continue,
        "open": recover_open,
        "move": recover_move,
        "release": recover_release,
        "restore": recover_restore,
        "uninstall": recover_uninstall,
    }
    return ways.get(what)
