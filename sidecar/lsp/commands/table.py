"""List every command of `workspace/executeCommand` with what answers it, and answer `sidecar/plan`.

`sidecar/plan` says what an operation would do, for clients that show plans themselves; nothing is written or run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from lsprotocol.types import ExecuteCommandParams

from sidecar.lsp.code_actions import INTENDED, MERGE, MOVE, RELEASE, UPDATE
from sidecar.lsp.commands.arguments import (
    Request,
    read_arguments,
    request_for_repository,
    request_for_worktree,
)
from sidecar.lsp.commands.flow import Operation, failed, operate, run_with_progress
from sidecar.lsp.commands.intended import NO_INTENTION, ask_intended
from sidecar.lsp.commands.keep import agent_note, ask_keep
from sidecar.lsp.commands.merge import (
    NO_MERGE,
    NO_MERGES,
    NO_UPDATE,
    ask_continue,
    ask_merge,
    ask_merge_all,
    ask_update,
    merge_plan,
    order_plan,
    update_plan,
)
from sidecar.lsp.commands.open import NO_WORKTREE, ask_move, ask_open
from sidecar.lsp.commands.release import NO_RELEASE, ask_release, ask_release_all, release_plan
from sidecar.lsp.commands.restore import ask_empty, ask_restore, kept_states, restorable, state_plan, states_of
from sidecar.lsp.commands.verify import ask_set_verify
from sidecar.lsp.compare import COMPARE, compare
from sidecar.lsp.state import ServerState
from sidecar.model.findings import Failure
from sidecar.model.schema import Json

if TYPE_CHECKING:
    from sidecar.operations.run import Control


OPEN, RESTORE = "sidecar.open", "sidecar.restore"
HOW = ("strategy", "message", "commit", "verify", "allow", "regenerate")
ONE = ("worktree",)
NAMED, WHOLE = request_for_worktree, request_for_repository

OPERATIONS = (
    Operation(MERGE, ONE, HOW, NAMED, "Planning to merge {}", ask_merge, NO_MERGE),
    Operation(
        "sidecar.mergeAll", (), ("strategy", "verify", "regenerate"), WHOLE, "Planning", ask_merge_all, NO_MERGES
    ),
    Operation(UPDATE, ONE, ("from",), NAMED, "Planning a merge into {}", ask_update, NO_UPDATE),
    Operation("sidecar.continue", ONE, (), NAMED, "Looking at the merge in {}", ask_continue, NO_WORKTREE),
    Operation(OPEN, ONE, ("from",), WHOLE, "Planning", ask_open, NO_WORKTREE),
    Operation(MOVE, (), ONE, WHOLE, "Planning", ask_move, NO_WORKTREE),
    Operation("sidecar.setVerify", ONE, ("verify",), NAMED, "Planning", ask_set_verify, NO_WORKTREE),
    Operation("sidecar.keep", ONE, ("undo",), NAMED, "Planning", ask_keep, NO_WORKTREE),
    Operation(INTENDED, ("worktree", "path"), ("commits", "undo"), NAMED, "Planning", ask_intended, NO_INTENTION),
    Operation(RELEASE, ONE, ("allow",), NAMED, "Proving {}", ask_release, NO_RELEASE),
    Operation("sidecar.releaseAll", (), (), WHOLE, "Proving", ask_release_all, NO_RELEASE),
    Operation("sidecar.empty", (), ("id",), WHOLE, "Planning", ask_empty, NO_WORKTREE),
    Operation(RESTORE, (), ("id", "into", "worktree", "at"), WHOLE, "Planning", ask_restore, NO_WORKTREE),
)


async def _operate(operation: Operation, state: ServerState, call: ExecuteCommandParams) -> Any:
    return await operate(state, operation, call)


COMMANDS: Mapping[str, Callable[[ServerState, ExecuteCommandParams], Awaitable[Any]]] = {
    COMPARE: compare,
    **{operation.command: partial(_operate, operation) for operation in OPERATIONS},
}


async def run_restore(state: ServerState, receipt: str, repository: str) -> None:
    """Restore what the person has just agreed to."""
    agreed = {"id": receipt, "repository": repository, "confirmed": True}
    await COMMANDS[RESTORE](state, ExecuteCommandParams(RESTORE, [agreed]))


async def run_release(state: ServerState, worktree: str, repository: str) -> None:
    """Ask about the release of a worktree (its path) that the person has just chosen."""
    wanted = {"worktree": worktree, "repository": repository}
    await COMMANDS[RELEASE](state, ExecuteCommandParams(RELEASE, [wanted]))


async def run_open(state: ServerState, name: str, repository: str) -> str | None:
    """Open the worktree that the person has just agreed to, and give its path; None where there is none."""
    agreed = {"worktree": name, "repository": repository, "confirmed": True}
    answer = await COMMANDS[OPEN](state, ExecuteCommandParams(OPEN, [agreed]))
    path = answer["path"]
    return str(path) if path is not None else None


PLAN = "sidecar/plan"
PATIENCE = 2.0
"""Seconds that a plan may take before it is shown that one is made."""
TAKES = ("worktree", "what", "from", *HOW, "id")

Plan = tuple[Callable[[Request, "Control"], "Json | Failure"], Json]

OF_WORKTREE: Mapping[str, Plan] = {
    "merge": (merge_plan, NO_MERGE),
    "update": (update_plan, NO_UPDATE),
    "release": (release_plan, NO_RELEASE),
    "states": (states_of, NO_WORKTREE),
    "agent": (agent_note, NO_WORKTREE),
}
OF_REPOSITORY: Mapping[str, Plan] = {
    "merge": (order_plan, NO_MERGES),
    "restore": (restorable, NO_WORKTREE),
    "states": (kept_states, NO_WORKTREE),
    "state": (state_plan, NO_WORKTREE),
}
"""By `what`, with a worktree and without: how it is planned, and the answer without findings when that fails."""


async def answer_plan(state: ServerState, params: Any) -> Json:
    """Give the object of the operation with outcome `planned`; without a worktree, the order in which to merge them.

    What can be restored is the list that `restore --json` prints, `states` those of a worktree or the last one of each;
    `state` with an `id` is what going back to one would change, `agent` what to tell an agent that works in a worktree.
    Progress goes to a `workDoneToken` alone, where one is given.
    """
    if isinstance(params, tuple) and hasattr(params, "_asdict"):
        params = params._asdict()  # pygls makes a named tuple of an object that the protocol does not know
    given = dict(params) if isinstance(params, Mapping) else {} if params is None else params
    token = given.pop("workDoneToken", None) if isinstance(given, dict) else None
    arguments = read_arguments(ExecuteCommandParams(PLAN, [given]), (), TAKES)
    if isinstance(arguments, Failure):
        return failed(NO_MERGE, arguments)
    plans, find = (OF_WORKTREE, NAMED) if "worktree" in arguments else (OF_REPOSITORY, WHOLE)
    what = arguments.get("what", "merge")
    if what not in plans:
        return failed(NO_MERGE, Failure("bad-arguments", f"There are plans for {', '.join(plans)}."))
    make, unanswered = plans[what]
    request = await find(state, arguments)
    if isinstance(request, Failure):
        return failed(unanswered, request)
    place = token if isinstance(token, int | str) else None
    plan = await run_with_progress(state, "Planning", partial(make, request), patience=PATIENCE, token=place)
    return failed(unanswered, plan) if isinstance(plan, Failure) else plan
