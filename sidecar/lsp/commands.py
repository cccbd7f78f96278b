"""Every command of `workspace/executeCommand`, and what answers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from sidecar.lsp.asked import Asked, find_repository, find_target
from sidecar.lsp.compare import COMPARE, compare
from sidecar.lsp.consent import Operation, operate
from sidecar.lsp.door import Door
from sidecar.lsp.fixes import MERGE, MOVE, RELEASE, UPDATE
from sidecar.lsp.merging import failed_merge, propose_merge
from sidecar.lsp.moving import propose_move
from sidecar.lsp.opening import failed_open, propose_open
from sidecar.lsp.ordering import failed_all, propose_all
from sidecar.lsp.releasing import failed_release, propose_all_releases, propose_release
from sidecar.lsp.restoring import failed_restore, propose_restore
from sidecar.lsp.updating import failed_update, propose_update

HOW = ("strategy", "message", "commit", "verify")
ONE = ("worktree",)

OPERATIONS = (
    Operation(MERGE, ONE, HOW, find_target, "Planning to merge {}", propose_merge, failed_merge),
    Operation("sidecar.mergeAll", (), ("strategy", "verify"), find_repository, "Planning", propose_all, failed_all),
    Operation(UPDATE, ONE, (), find_target, "Planning to merge trunk into {}", propose_update, failed_update),
    Operation("sidecar.open", ONE, ("from",), find_repository, "Planning", propose_open, failed_open),
    Operation(MOVE, (), ONE, find_repository, "Planning", propose_move, failed_open),
    Operation(RELEASE, ONE, ("allow",), find_target, "Proving {}", propose_release, failed_release),
    Operation("sidecar.releaseAll", (), (), find_repository, "Proving", propose_all_releases, failed_release),
    Operation("sidecar.restore", (), ("id", "into"), find_repository, "Planning", propose_restore, failed_restore),
)


async def _compare(door: Door, asked: Asked) -> Any:
    return await compare(door, asked.arguments)


async def _operate(operation: Operation, door: Door, asked: Asked) -> Any:
    return await operate(door, operation, asked)


async def run_restore(door: Door, asked: Asked) -> Any:
    """Restore what the person has just agreed to."""
    operation = next(operation for operation in OPERATIONS if operation.command == "sidecar.restore")
    return await operate(door, operation, asked)


COMMANDS: Mapping[str, Callable[[Door, Asked], Awaitable[Any]]] = {
    COMPARE: _compare,
    **{operation.command: partial(_operate, operation) for operation in OPERATIONS},
}
