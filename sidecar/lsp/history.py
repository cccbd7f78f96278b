"""Tell a client that shows pictures what was merged and what can be restored, whenever that is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sidecar.lsp.results import tell_released
from sidecar.lsp.state import OpenRepository, ServerState, in_pool
from sidecar.model.landings import history_object
from sidecar.model.schema import Json

if TYPE_CHECKING:
    from sidecar.operations.records import Receipt

HISTORY = "sidecar/history"
"""The notification of it: the object of `history_object`."""


async def tell_history(state: ServerState, repository: OpenRepository) -> None:
    """Send it, unless the client has it."""
    common_dir, view = repository.session.repository, repository.indexed
    if not state.client.picture or view is None:
        return
    trunk = view.picture.trunk.commit if view.picture.trunk is not None else None
    found = await in_pool(state, _read, common_dir, trunk, repository.history)
    if found is not None and state.repositories.get(common_dir) is repository and found[0] != repository.history:
        repository.history, told, receipts = found
        state.server.protocol.notify(HISTORY, told)
        tell_released(state, repository, receipts)


def _read(
    common_dir: str, trunk: str | None, known: tuple[int, str | None] | None
) -> tuple[tuple[int, str | None], Json, tuple[Receipt, ...]] | None:
    from sidecar.operations.history import history_stamp, read_history  # after `initialize` is answered

    stamp = history_stamp(common_dir), trunk
    if stamp == known:
        return None
    history = read_history(common_dir, trunk)
    return stamp, history_object(common_dir, history.landings, history.restorable), history.restorable
