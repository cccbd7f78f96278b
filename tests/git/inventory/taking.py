"""Takes inventories of real worktrees."""

from collections.abc import Callable
from pathlib import Path

from sidecar.git.inventory.inventory import take_inventory
from sidecar.git.repository import list_worktrees
from sidecar.model.findings import Finding
from sidecar.model.inventory import Inventory
from sidecar.model.inventory_findings import findings_of
from sidecar.model.settings import BUILD_OUTPUT
from tests.git.opening import opened, worktree_at


def take(worktree: Path, *, trust: bool = False, disposable: tuple[str, ...] = BUILD_OUTPUT) -> Inventory:
    """The inventory of a worktree of which one can be taken."""
    taken = attempt(worktree, trust=trust, disposable=disposable)
    assert isinstance(taken, Inventory), taken
    return taken


def attempt(
    worktree: Path,
    *,
    main: Path | None = None,
    trust: bool = False,
    disposable: tuple[str, ...] = BUILD_OUTPUT,
    cancelled: Callable[[], bool] = lambda: False,
) -> Inventory | tuple[Finding, ...]:
    """The inventory, or why there is none; from the main worktree where the linked one can't be asked itself."""
    repository = opened(main or worktree, trust=trust)
    if main is None:
        found = worktree_at(repository, worktree)
    else:
        (found,) = [one for one in list_worktrees(repository) if one.name == worktree.name]
    return take_inventory(repository, found, disposable=disposable, cancelled=cancelled)


def codes(taken: Inventory | tuple[Finding, ...]) -> set[str]:
    """The codes of all findings."""
    return {finding.code for finding in (findings_of(taken) if isinstance(taken, Inventory) else taken)}
