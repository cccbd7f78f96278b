"""Tell what came of operations: each as it ends, and all that was merged and can be restored, whenever that is new.

A client that has room for them gets the next steps on buttons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol.types import MessageType

from sidecar.lsp.documents import within
from sidecar.lsp.state import OpenRepository, ServerState, in_pool, say
from sidecar.model.picture import trunk_checkout
from sidecar.model.schema import Json, history_object
from sidecar.model.words import escape_lines, shown

if TYPE_CHECKING:
    from sidecar.model.receipts import Receipt

RESULT = "sidecar/result"
"""The notification: a `message`, whether it is a `warning`, and `steps`; to a client that asked for it."""
HISTORY = "sidecar/history"
"""The notification of what was merged and can be restored (`history_object`), to a client that asked for pictures."""
OPEN_WINDOW, REPLACE_WINDOW = "worktreeSidecar.openNew", "worktreeSidecar.openHere"
CLOSE_WINDOW = "workbench.action.closeWindow"
"""Commands of the client itself."""


@dataclass(frozen=True, slots=True)
class Step:
    """What can be done next: the words on its button, and a command, of the server or the client, with its object."""

    title: str
    command: str
    argument: Mapping[str, object]


def tell_result(state: ServerState, message: str, steps: Sequence[Step], *, ok: bool = True) -> None:
    """Show the person one sentence; nobody waits for what is chosen then."""
    if not state.client.results:
        say(state, message, MessageType.Info if ok else MessageType.Warning)
        return
    rows = [{"title": one.title, "command": one.command, "argument": dict(one.argument)} for one in steps]
    told = {"message": escape_lines(message), "warning": not ok, "steps": rows}
    state.server.protocol.notify(RESULT, told)


def open_window(path: str, repository: str) -> Step:
    """Give the step into a window on a worktree."""
    return Step("Open in New Window", OPEN_WINDOW, {"worktree": path, "repository": repository})


async def tell_history(state: ServerState, repository: OpenRepository) -> None:
    """Tell a client that shows pictures what was merged and what can be restored, unless it has that."""
    common_dir, view = repository.session.repository, repository.indexed
    if not state.client.picture or view is None:
        return
    trunk = view.picture.trunk.commit if view.picture.trunk is not None else None
    found = await in_pool(state, _read, common_dir, trunk, repository.history)
    if found is not None and state.repositories.get(common_dir) is repository and found[0] != repository.history:
        repository.history, told, receipts = found
        state.server.protocol.notify(HISTORY, told)
        _tell_released(state, repository, receipts)


def _read(
    common_dir: str, trunk: str | None, known: tuple[int, str | None] | None
) -> tuple[tuple[int, str | None], Json, tuple[Receipt, ...]] | None:
    from sidecar.operations.records import history_stamp, read_history  # after `initialize` is answered

    stamp = history_stamp(common_dir), trunk
    if stamp == known:
        return None
    landings, restorable = read_history(common_dir, trunk)
    return stamp, history_object(common_dir, landings, restorable), restorable


def _tell_released(state: ServerState, repository: OpenRepository, receipts: Sequence[Receipt]) -> None:
    """Say that a folder of this window was released elsewhere, and where to go; what this window released it knows."""
    releases = {one.id: one for one in receipts if one.what == "release"}
    before, repository.releases = repository.releases, frozenset(releases)
    if before is None or not state.client.results:
        return
    for receipt in (one for name, one in releases.items() if name not in before | state.released):
        path = str(receipt.facts.get("path"))
        if any(within(folder.path, path) for folder in state.folders):
            text = f"{shown(receipt.worktree)} was released, with this window's folder. It can be restored."
            tell_result(state, text, _ways_out(repository, receipt))


def _ways_out(repository: OpenRepository, receipt: Receipt) -> tuple[Step, ...]:
    name = repository.session.repository
    restore = Step("Restore", "sidecar.restore", {"id": receipt.id, "repository": name, "confirmed": True})
    trunk = trunk_checkout(repository.indexed.picture) if repository.indexed else None
    here = {"worktree": trunk.worktree.key, "repository": name} if trunk is not None else None
    there = (Step("Open Trunk", REPLACE_WINDOW, here),) if here is not None else ()
    return (*there, Step("Close Window", CLOSE_WINDOW, {}), restore)
