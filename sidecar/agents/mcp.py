"""`sidecar mcp`: the answers of the terminal over the Model Context Protocol, for agents that ask by tools.

Reading is free. What changes a repository is planned first, needs the id of that plan, and a person's consent, asked
for by elicitation where the client has it. Only a person can allow what blocks, so there is no way to say so here.
Only `sidecar mcp` imports this: the SDK takes as long as many an answer.
"""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Annotated, Any, Literal, TypeVar

import anyio
from anyio import from_thread, to_thread
from mcp.server import MCPServer
from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import Elicit, Resolve
from mcp.server.request_state import RequestStateSecurity
from mcp_types import CallToolResult, InputRequiredResult, Tool, ToolAnnotations
from pydantic import BaseModel, Field

from sidecar import __version__
from sidecar.agents.request_state import SigningCodec
from sidecar.model.findings import Failure, Finding
from sidecar.model.messages import remakes_clause
from sidecar.model.picture import Picture
from sidecar.model.schema import (
    Json,
    overlaps_object,
    plan_object,
    receipts_object,
    restore_object,
    status_object,
    unknown_object,
)
from sidecar.model.settings import Options
from sidecar.model.words import shown
from sidecar.operations.merge.apply import apply_merge
from sidecar.operations.merge.plan import plan_merge
from sidecar.operations.merge.run import MergeChoices, MergePlan
from sidecar.operations.merge_order import plan_order
from sidecar.operations.open import apply_open, plan_open
from sidecar.operations.recovery import recover_all
from sidecar.operations.release.apply import apply_release
from sidecar.operations.release.plan import ReleasePlan, plan_release
from sidecar.operations.restore import list_restorable, restore
from sidecar.operations.run import Control
from sidecar.operations.who_is_there import agents_in, agents_there
from sidecar.session.asking import ask_picture
from sidecar.session.check import check_path, object_of, others_in, undone_in
from sidecar.session.once import compare, find_worktree, look, taken_back

MOST_OVERLAPS = 100
"""How many overlaps an answer has at the most: clients cut what is longer than some 25,000 tokens."""

MOST_PLANS = 50
"""How many plans are remembered, the latest."""

INSTRUCTIONS = """\
Several people and agents work on this repository, each in a git worktree. `check` says who else has changed a file, \
and whether git's merge would conflict; `worktrees` says who is where. To work apart from others, `open` a worktree \
and work in it. `merge`, `release` and `restore` act only with a plan and a person's consent."""

READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
MAKES = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False)
ACTS = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=False)
BY_A_PERSON = {"anthropic/requiresUserInteraction": True}
"""What makes the clients that know it ask a person each time, whatever they were told before."""

T = TypeVar("T")
P = TypeVar("P", MergePlan, ReleasePlan)
Folder = Annotated[
    str | None,
    Field(description="Absolute path of the worktree that you work in; unless given, where the server was started."),
]
Name = Annotated[str, Field(description="A worktree: the last part of its path, its branch, or its path.")]


class Consent(BaseModel):
    """What a person is asked."""

    agree: bool = Field(description="Do it as planned?")


@dataclass(frozen=True, slots=True)
class _Kept:
    """A plan that can still be agreed to, with what a person is asked and how to do it in a terminal."""

    plan: MergePlan | ReleasePlan
    question: str
    command: str


_plans: dict[str, _Kept] = {}


class _Server(MCPServer[Any]):
    """The SDK's server, but an argument that a tool does not have is refused; the SDK drops it and calls the tool."""

    async def list_tools(self) -> list[Tool]:
        """List the tools, with schemas that say so."""
        closed = {"additionalProperties": False}
        return [
            tool.model_copy(update={"input_schema": tool.input_schema | closed}) for tool in await super().list_tools()
        ]

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool, unless it is given what it does not have."""
        for tool in await super().list_tools():
            known = tool.input_schema["properties"]
            if tool.name == name and (unknown := [shown(one) for one in arguments if one not in known]):
                raise ToolError(f"{name} has no parameter {', '.join(unknown)}. It has {', '.join(known)}.")
        return await super().call_tool(name, arguments, context)


def serve() -> int:
    """Serve on standard input and output until the input ends."""
    server().run("stdio")
    return 0


def server() -> MCPServer[Any]:
    """Make the server with its tools, in an order that stays."""
    made = _Server(
        "worktree-sidecar",
        title="Worktree Sidecar",
        instructions=INSTRUCTIONS,
        version=__version__,
        log_level="WARNING",
        request_state_security=RequestStateSecurity(codec=SigningCodec()),
    )
    for tool in (worktrees, overlaps, check, plan):
        made.tool(annotations=READS)(tool)
    made.tool("open", annotations=MAKES)(open_worktree)
    for acting in (merge, release, restore_kept):
        made.tool(acting.__name__.partition("_")[0], annotations=ACTS, meta=BY_A_PERSON)(acting)
    return made


def worktrees(folder: Folder = None) -> Json:
    """List every worktree: what it changed, how far it is from trunk, whether trunk has its work, and the overlaps."""
    picture = _picture(folder, prove=True)
    return _short(status_object(picture, agents=agents_there(picture)))


def overlaps(
    first: Annotated[str | None, Field(description="Only those of this worktree or commit.")] = None,
    second: Annotated[str | None, Field(description="With the first: only those of the two.")] = None,
    folder: Folder = None,
) -> Json:
    """List where worktrees, or a worktree and trunk, change the same file: who, which lines, and git's verdict."""
    if first and second:
        found = _answered(compare(_place(folder), first, second, Options()))
        return _short(overlaps_object(found.overlaps, map(unknown_object, found.unknown)))
    picture = _picture(folder)
    if not first:
        return _short(overlaps_object(picture.overlaps, map(unknown_object, picture.unknown), picture.broken_uses))
    state = _answered(find_worktree(picture.worktrees, first, _place(folder)))
    if state is None:
        raise ToolError(f"{shown(first)} is no worktree here. Give a second one to compare two commits.")
    key = state.worktree.key
    unknown = (unknown_object(one, key) for one in picture.unknown if one.concerns(key))
    broken = [one for one in picture.broken_uses if one.ends(key)]
    return _short(overlaps_object((one for one in picture.overlaps if one.seen_from(key)), unknown, broken))


def check(
    paths: Annotated[list[str], Field(description="Files or directories: absolute, or relative to the folder.")],
    folder: Folder = None,
) -> Json:
    """Say who else has changed these files, and whether git's merge would conflict. Ask before you edit."""
    place, picture = _place(folder), _picture(folder)
    files = [file for path in paths for file in _answered(check_path(picture, str((place / path).absolute())))]
    undone = undone_in(files, lambda key: _answered(taken_back(place, key)))
    return _short(object_of(files, agents_in(picture, others_in(files)), undone))


def plan(
    what: Annotated[
        Literal["order", "merge", "release"],
        Field(description="order: in which order to merge all; merge or release: what it would do to one worktree."),
    ] = "order",
    worktree: Annotated[str | None, Field(description="The worktree to merge or to release.")] = None,
    strategy: Literal["merge", "squash", "rebase"] = "merge",
    message: Annotated[str | None, Field(description="The message of the merge; git's own unless given.")] = None,
    regenerate: Annotated[
        bool, Field(description="Where a merge conflicts only in files that tools make, run the commands that do.")
    ] = False,
    folder: Folder = None,
) -> Json:
    """Plan; nothing is written or run. A merge or release gets a `plan_id`, unless something is in its way."""
    place = _place(folder)
    if what == "order":
        return plan_object(_answered(plan_order(place, Options())))
    if worktree is None:
        raise ToolError("Name the worktree.")
    if what == "merge":
        merging = _answered(
            plan_merge(place, worktree, Options(), MergeChoices(strategy, message, regenerate=regenerate))
        )
        name, branch = shown(merging.worktree.name), shown(merging.trunk.branch)
        question = f"Merge {name} into {branch}? {merging.extent.said if merging.extent else ''}"
        command = ["sidecar", "merge", merging.worktree.name]
        if merging.regenerates:
            question = (
                f"{question} These commands run, and what they make is part of it: {remakes_clause(merging.remakes)}."
            )
            command.append("--regenerate")
        return _keep(merging, question, shlex.join(command))
    releasing = _answered(plan_release(place, worktree, Options(), frozenset()))
    question = (
        f"Release {shown(releasing.worktree.name)}? Its folder and branch go; what is only there stays restorable."
    )
    return _keep(releasing, question, shlex.join(("sidecar", "release", releasing.worktree.name)))


async def open_worktree(
    name: Annotated[str, Field(description="The name of the new branch, and of its worktree.")],
    ctx: Context[Any, Any],
    start: Annotated[
        str | None, Field(description="Where it begins: a commit, branch or worktree; trunk unless given.")
    ] = None,
    folder: Folder = None,
) -> Json:
    """Make a branch and a worktree for a new task, and give its path. Work there from then on."""

    def act(control: Control) -> Json:
        planned = _answered(plan_open(_place(folder), name, start, Options(trusted=True)))
        if planned.blocked:
            return restore_object("refused", None, planned.findings)
        done = apply_open(planned, control)
        return restore_object(done.outcome, done.path, done.findings)

    return await _at_work(act, ctx, _place(folder))


PlanId = Annotated[str, Field(description="The plan_id that `plan` gave for it.")]


def _ask_for_plan(plan_id: str, ctx: Context[Any, Any]) -> Consent | Elicit[Consent]:
    kept = _plans.get(plan_id)
    return _ask(kept.question, ctx) if kept is not None else Consent(agree=False)


def _ask_for_receipt(ctx: Context[Any, Any], receipt: str | None = None) -> Consent | Elicit[Consent]:
    return _ask(f"Restore {shown(receipt)}?", ctx) if receipt is not None else Consent(agree=False)


def _ask(question: str, ctx: Context[Any, Any]) -> Consent | Elicit[Consent]:
    """Ask a person, where the client says that it can; nobody consents else."""
    known = ctx.client_capabilities
    if known is None or known.elicitation is None:
        return Consent(agree=False)
    return Elicit(question.strip(), Consent)


async def merge(
    plan_id: PlanId,
    consent: Annotated[ElicitationResult[Consent], Resolve(_ask_for_plan)],
    ctx: Context[Any, Any],
) -> Json:
    """Bring a worktree into trunk as planned: verified on the files that land, trunk moves wholly or not at all."""
    planned, command = _find_plan(plan_id, MergePlan)
    if not _agreed(consent):
        return _not_confirmed(planned.as_object(), command)

    def act(control: Control) -> Json:
        done = apply_merge(replace(planned, options=Options(trusted=True)), control)
        return done.as_object(planned.extent)

    return await _at_work(act, ctx, planned.folder)


async def release(
    plan_id: PlanId,
    consent: Annotated[ElicitationResult[Consent], Resolve(_ask_for_plan)],
    ctx: Context[Any, Any],
) -> Json:
    """Remove a worktree and its branch as planned; its work is in trunk, and what is only there stays restorable."""
    planned, command = _find_plan(plan_id, ReleasePlan)
    if not _agreed(consent):
        return _not_confirmed(planned.as_object(), command)
    return await _at_work(lambda control: apply_release(planned, control).as_object(), ctx, planned.folder)


async def restore_kept(
    consent: Annotated[ElicitationResult[Consent], Resolve(_ask_for_receipt)],
    ctx: Context[Any, Any],
    receipt: Annotated[str | None, Field(description="The id of what is to be restored; lists all without.")] = None,
    folder: Folder = None,
) -> Json:
    """List what can be restored, or restore it: a merge is taken back, a worktree or wiped work comes back."""
    place = _place(folder)
    if receipt is None:
        return receipts_object(await to_thread.run_sync(lambda: _answered(list_restorable(place, Options()))))
    if not _agreed(consent):
        return _not_confirmed(restore_object("planned", None, ()), shlex.join(("sidecar", "restore", receipt)))

    def act(control: Control) -> Json:
        done = _answered(restore(place, receipt, Options(trusted=True), control))
        return restore_object(done.outcome, done.path, done.findings)

    return await _at_work(act, ctx, place)


def _place(folder: str | None) -> Path:
    place = Path(folder) if folder else Path.cwd()
    if not place.is_absolute():
        raise ToolError("Give the folder as an absolute path.")
    return place


def _picture(folder: str | None, *, prove: bool = False) -> Picture:
    place = _place(folder)
    return ask_picture(place, Options(), prove=prove) or _answered(look(place, Options(), prove=prove))


def _answered(answer: T | Failure) -> T:
    if isinstance(answer, Failure):
        raise ToolError(answer.message)
    return answer


def _keep(planned: MergePlan | ReleasePlan, question: str, command: str) -> Json:
    """Answer with a plan, and the id by which it can be agreed to; one with something in its way gets none."""
    if planned.blocked:
        return planned.as_object()
    plan_id = secrets.token_hex(8)
    _plans[plan_id] = _Kept(planned, question, command)
    for old in list(_plans)[:-MOST_PLANS]:
        del _plans[old]
    return {**planned.as_object(), "plan_id": plan_id}


def _find_plan(plan_id: str, kind: type[P]) -> tuple[P, str]:
    """Give the plan of an id, which must be of a kind, and the command by which a person carries it out."""
    kept = _plans.get(plan_id)
    if kept is None or not isinstance(kept.plan, kind):
        raise ToolError("There is no such plan. Ask `plan` for one first.")
    return kept.plan, kept.command


def _agreed(consent: object) -> bool:
    return isinstance(consent, AcceptedElicitation) and isinstance(consent.data, Consent) and consent.data.agree


def _not_confirmed(said: Json, command: str) -> Json:
    """Say that no person has confirmed, which is not the same as a no, and how one can."""
    how = f"Nobody has confirmed it, so nothing was done. A person can do it in a terminal: {command}"
    return {**said, "confirmed": False, "how_to_confirm": how}


def _short(said: Json) -> Json:
    """Leave overlaps out that clients would cut off, and say how many; conflicts come first."""
    for holder in (said, *said.get("files", ())):
        listed = holder.get("overlaps")
        if listed is not None and len(listed) > MOST_OVERLAPS:
            holder["overlaps"] = sorted(listed, key=lambda one: one["verdict"] != "conflict")[:MOST_OVERLAPS]
            holder["left_out"] = len(listed) - MOST_OVERLAPS
    return said


async def _at_work(act: Callable[[Control], Json], ctx: Context[Any, Any], folder: Path | None = None) -> Json:
    """Act on a thread: stages are told as progress, and a cancelled request stops the work in good order."""
    stopped, stages = Event(), iter(range(1, 1 << 30))

    def tell(sentence: str) -> None:
        with suppress(Exception):  # of a request that nobody waits for any more
            from_thread.run(ctx.report_progress, next(stages), None, sentence)

    def work() -> Json:
        found: Iterable[Finding] = recover_all(folder) if folder is not None else ()
        said = act(Control(stage=tell, cancelled=stopped.is_set))
        if told := [one.message for one in found]:
            said["recovered"] = told
        return said

    try:
        return await to_thread.run_sync(work, abandon_on_cancel=True)
    except anyio.get_cancelled_exc_class():
        stopped.set()
        raise
