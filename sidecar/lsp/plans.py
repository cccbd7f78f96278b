"""`sidecar/plan`: what an operation would do, for clients that show plans themselves. Nothing is written or run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from sidecar.lsp.asked import Asked, find_repository, find_target, read_arguments
from sidecar.lsp.consent import Json, Request, request_of
from sidecar.lsp.door import Door
from sidecar.lsp.merging import failed_merge, merge_plan
from sidecar.lsp.ordering import failed_all, order_plan
from sidecar.lsp.progress import at_work
from sidecar.lsp.releasing import failed_release, release_plan
from sidecar.lsp.restoring import failed_restore, restorable
from sidecar.lsp.updating import failed_update, update_plan
from sidecar.model.findings import Failure

if TYPE_CHECKING:
    from sidecar.operations.control import Control

PLAN = "sidecar/plan"
PATIENCE = 2.0
"""Seconds that a plan may take before it is shown that one is made."""
TAKES = ("worktree", "what", "strategy", "message", "commit", "verify", "allow")

Plan = Callable[[Request, "Control"], "Json | Failure"]

OF_WORKTREE: Mapping[str, tuple[Plan, Callable[[Failure], Json]]] = {
    "merge": (merge_plan, failed_merge),
    "update": (update_plan, failed_update),
    "release": (release_plan, failed_release),
}
OF_REPOSITORY: Mapping[str, tuple[Plan, Callable[[Failure], Json]]] = {
    "merge": (order_plan, failed_all),
    "restore": (restorable, failed_restore),
}
"""By `what`, with a worktree and without: how it is planned, and the answer when that fails."""


async def answer_plan(door: Door, params: Any) -> Json:
    """The object of the operation with outcome `planned`; without a worktree, the order in which to merge them all.

    What can be restored is the list that `restore --json` prints.
    """
    arguments = read_arguments(PLAN, Asked((_mapping(params),)), (), TAKES)
    if isinstance(arguments, Failure):
        return failed_merge(arguments)
    named = "worktree" in arguments
    plans = OF_WORKTREE if named else OF_REPOSITORY
    what = arguments.get("what", "merge")
    if what not in plans:
        return failed_merge(Failure("bad-arguments", f"There are plans for {', '.join(plans)}."))
    make, failed = plans[what]
    target = await (find_target if named else find_repository)(door, arguments)
    if isinstance(target, Failure):
        return failed(target)
    request = request_of(door, target, arguments)
    plan = await at_work(door, "Planning", partial(make, request), patience=PATIENCE)
    return failed(plan) if isinstance(plan, Failure) else plan


def _mapping(params: Any) -> Any:
    """The object as it was sent: pygls makes a named tuple of one that the protocol does not know."""
    if isinstance(params, tuple) and hasattr(params, "_asdict"):
        return params._asdict()
    return {} if params is None else params
