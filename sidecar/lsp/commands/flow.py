"""Lead a person through an operation, the same way for each: plan, consent, apply, with `$/progress` meanwhile."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from lsprotocol.types import (
    ExecuteCommandParams,
    MessageType,
    WorkDoneProgressBegin,
    WorkDoneProgressEnd,
    WorkDoneProgressReport,
)

from sidecar.lsp.commands.arguments import Request, read_arguments
from sidecar.lsp.results import Step, tell_history, tell_result
from sidecar.lsp.state import (
    RunningOperation,
    ServerState,
    ask,
    ask_which,
    log,
    log_error,
    say,
    show_documents,
    start_task,
)
from sidecar.model.findings import Failure, Finding, as_finding
from sidecar.model.schema import Json, finding_object
from sidecar.model.words import counted, escape

if TYPE_CHECKING:
    from sidecar.operations.run import Control


T = TypeVar("T")
Token = int | str

EVERY = 0.1
"""Seconds between two reports of what a command prints: a person reads no faster."""
MOST_LINES = 1000
"""How many lines are logged of what a command prints within that time: its last ones."""
LONGEST = 160
"""How many characters of a line are shown in a report."""

_COLOURS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


async def run_with_progress(
    state: ServerState, title: str, do: Callable[[Control], T], *, patience: float = 0.0, token: Token | None = None
) -> T:
    """Do something beside the loop and give what it gives; it is shown when it takes longer than `patience` (seconds).

    `token` is the client's own place to show it. When whoever waits is cancelled, the work is told to stop, and still
    seen to its end.
    """
    running = RunningOperation(title)
    state.running.add(running)
    task = asyncio.get_running_loop().create_task(_see_through(state, running, do, patience, token))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        running.stop.set()
        raise


async def _see_through(
    state: ServerState, running: RunningOperation, do: Callable[[Control], T], patience: float, token: Token | None
) -> T:
    from sidecar.operations.run import Control

    relay = _Relay(state, running, asyncio.get_running_loop())
    control = Control(relay.stage, relay.output, running.stop.is_set)
    future = running.future = state.workers.submit(do, control)
    start_task(state, _show(state, running, patience, token))
    try:
        return await asyncio.wrap_future(future)
    finally:
        state.running.discard(running)
        relay.flush()
        if running.token is not None:
            _end(state, running.token)


def stop_all(state: ServerState) -> list[Future[Any]]:
    """Tell all that is under way to stop; gives what there is to wait for."""
    for running in state.running:
        running.stop.set()
    return [running.future for running in state.running if running.future is not None]


async def _show(state: ServerState, running: RunningOperation, patience: float, token: Token | None) -> None:
    """Give it a place in the client's window; a client may take its time to make one, or never answer."""
    await asyncio.sleep(patience)
    progress = state.server.work_done_progress
    if running not in state.running or (token is None and not state.client.progress):
        return
    if token is None:
        token = str(uuid4())
        try:
            await progress.create_async(token)
        except Exception as error:
            log_error(state, "Showing progress", error)
            return
    progress.begin(token, WorkDoneProgressBegin(escape(running.title), cancellable=True, message=running.said))
    progress.tokens[token].add_done_callback(lambda asked: running.stop.set() if asked.cancelled() else None)
    if running in state.running:
        running.token = token
    else:
        _end(state, token)


def _end(state: ServerState, token: int | str) -> None:
    progress = state.server.work_done_progress
    progress.end(token, WorkDoneProgressEnd())
    progress.tokens.pop(token, None)


class _Relay:
    """Carries what an operation says from its thread to the client, no faster than a person can read."""

    def __init__(self, state: ServerState, running: RunningOperation, loop: asyncio.AbstractEventLoop) -> None:
        self._state = state
        self._running = running
        self._loop = loop
        self._lines: deque[str] = deque(maxlen=MOST_LINES)
        self._said = 0

    def stage(self, sentence: str) -> None:
        """Tell that a stage begins."""
        self._call(self._take_stage, sentence)

    def output(self, line: str) -> None:
        """Pass on a line that a command of the person prints."""
        self._call(self._take_line, line)

    def _call(self, take: Callable[[str], None], said: str) -> None:
        try:
            self._loop.call_soon_threadsafe(take, said)
        except RuntimeError:
            return  # the loop has ended, and nobody listens any more

    def _take_stage(self, sentence: str) -> None:
        self.flush()
        log(self._state, sentence)
        self._report(sentence)

    def _take_line(self, line: str) -> None:
        if not self._said:
            self._loop.call_later(EVERY, self.flush)
        self._said += 1
        self._lines.append(_COLOURS.sub("", line).expandtabs(4))

    def flush(self) -> None:
        """Pass on what was printed since the last time."""
        lines, left_out = list(self._lines), self._said - len(self._lines)
        self._lines.clear()
        self._said = 0
        if left_out:
            log(self._state, f"({counted(left_out, 'line is', 'lines are')} left out here.)")
        for line in lines:
            log(self._state, line)
        last = next((line for line in reversed(lines) if line.strip()), None)
        if last is not None:
            self._report(last)

    def _report(self, said: str) -> None:
        text = escape(said.strip())
        self._running.said = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
        if self._running.token is not None:
            report = WorkDoneProgressReport(message=self._running.said)
            self._state.server.work_done_progress.report(self._running.token, report)


CANCEL = "Cancel"
PATIENCE = 0.5
"""Seconds that planning may take before it is shown."""
MOST_FINDINGS = 6
"""How many findings a message names."""

UNTRUSTED = Failure(
    "untrusted",
    "This folder is not trusted, so its hooks may not run, and nothing is merged or released. Trust the folder first.",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an operation: the command's answer, a sentence for the person, and files to look at next.

    `steps` are what is likely to be done next, or takes it back.
    """

    answer: Json
    sentence: str
    ok: bool
    documents: tuple[Path, ...] = ()
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that a person can agree to: the words on its button, what it is called while it runs, and the deed.

    One that only shows something is asked about `again`. `do_some` gives the deed for some of the question's rows, by
    their keys.
    """

    button: str
    title: str
    do: Callable[[Control], Outcome | Failure]
    again: bool = False
    do_some: Callable[[frozenset[str]], Callable[[Control], Outcome | Failure]] | None = None


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One of the worktrees that a plan is about: its key, its name, and what is said of it.

    It is `offered` unless something stands in its way, and `ticked` where consent to the plan is consent to it.
    """

    key: str
    name: str
    description: str
    detail: str = ""
    offered: bool = True
    ticked: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """A plan as a person is asked about it; `planned` is the command's answer when nothing is chosen.

    The first choice is the plan itself, unless it is `blocked`: then all of them are ways out of that. `allows` are the
    findings that whoever chooses one of them lets pass. A plan of many has `rows`, for a client that shows them as a
    table below its `title`; `text` says the same as a paragraph.
    """

    text: str
    planned: Json
    choices: tuple[Choice, ...] = ()
    blocked: bool = False
    allows: tuple[Finding, ...] = ()
    title: str = ""
    rows: tuple[PlanRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """What the server knows of an operation: its command, what its object has in it, and how it is planned.

    `find` finds the worktree or the repository that is meant. `planning` is what is shown while it is planned, with {}
    for the worktree. `unanswered` is the command's answer without findings, for when there is no plan.
    """

    command: str
    needs: tuple[str, ...]
    takes: tuple[str, ...]
    find: Callable[[ServerState, Mapping[str, Any]], Awaitable[Request | Failure]]
    planning: str
    ask: Callable[[Request, Control], Question | Failure]
    unanswered: Json


def failed(unanswered: Json, failure: Failure) -> Json:
    """Give the answer of a command that could not be carried out, with why as its one finding."""
    return {**unanswered, "findings": [finding_object(as_finding(failure))]}


async def operate(state: ServerState, operation: Operation, call: ExecuteCommandParams) -> Json:
    """Plan, ask, apply, tell; gives the command's answer."""
    request = await _read_request(state, operation, call)
    if isinstance(request, Failure):
        return _tell_failure(state, operation, request)
    planning = operation.planning.format(request.called)
    question = await run_with_progress(state, planning, partial(_plan, operation, request), patience=PATIENCE)
    if isinstance(question, Failure):
        return _tell_failure(state, operation, question)
    while True:
        choice = await _agree(state, question, confirmed=request.arguments.get("confirmed") is True)
        if choice is None:
            return question.planned
        outcome = await run_with_progress(state, choice.title, choice.do, token=call.work_done_token)
        if isinstance(outcome, Outcome) and isinstance(receipt := outcome.answer.get("receipt"), str):
            state.released.add(receipt)
        for repository in list(state.repositories.values()):
            await tell_history(state, repository)
        if isinstance(outcome, Failure):
            return _tell_failure(state, operation, outcome)
        if state.client.merge_editor and outcome.answer.get("outcome") == "conflicts":
            log(state, outcome.sentence)  # it opens what conflicts, in front of which a message would be in the way
            return outcome.answer
        if outcome.sentence:
            tell_result(state, outcome.sentence, outcome.steps, ok=outcome.ok)
        show_documents(state, outcome.documents)
        if not (choice.again and outcome.ok):
            return outcome.answer


def _tell_failure(state: ServerState, operation: Operation, failure: Failure) -> Json:
    say(state, failure.message, MessageType.Warning)
    return failed(operation.unanswered, failure)


async def _read_request(state: ServerState, operation: Operation, call: ExecuteCommandParams) -> Request | Failure:
    if state.trusted is False:
        return UNTRUSTED
    arguments = read_arguments(call, operation.needs, operation.takes)
    return arguments if isinstance(arguments, Failure) else await operation.find(state, arguments)


def _plan(operation: Operation, request: Request, control: Control) -> Question | Failure:
    """Plan in a repository in which no killed operation has left anything."""
    from sidecar.operations.recovery import recover_all

    for finding in recover_all(request.folder, acting=request.reading.trusted):
        control.stage(finding.message)
    return operation.ask(request, control)


async def _agree(state: ServerState, question: Question, *, confirmed: bool) -> Choice | None:
    """Ask the person what is to be done; None for nothing.

    A client that says `confirmed` has shown the plan itself: that is consent to the plan, not to a way out.
    """
    if not question.choices or (confirmed and question.blocked):
        say(state, question.text, MessageType.Warning)
        return None
    if confirmed:
        log(state, question.text)
        return question.choices[0]
    if len(question.rows) > 1 and state.client.consents:
        return await _agree_to_rows(state, question)
    kind = MessageType.Warning if question.blocked else MessageType.Info
    buttons: list[tuple[str, Choice | None]] = [(choice.button, choice) for choice in question.choices]
    buttons.insert(0 if question.allows else len(buttons), (CANCEL, None))  # many an editor takes the first by Enter
    allows = list(dict.fromkeys(found.message for found in question.allows))
    try:
        return await ask(state, kind, question.text, buttons, consent=True, allows=allows)
    except Exception as error:
        log_error(state, "Asking for consent", error)
        say(state, f"{question.text} Nothing was done: this editor can't ask.", MessageType.Warning)
        return None


async def _agree_to_rows(state: ServerState, question: Question) -> Choice | None:
    """Ask the person which of many; None for none of them."""
    choice = question.choices[0]
    picked = await ask_which(state, question.title, choice.button, [asdict(row) for row in question.rows])
    offered = {row.key for row in question.rows if row.offered}
    some = frozenset(picked) & offered
    if not some or choice.do_some is None:
        return None
    return replace(choice, do=choice.do_some(some))


def sentences(findings: Sequence[Finding], *severities: str) -> str:
    """Give the findings of these severities as one paragraph; how many more there are, where they are many."""
    said = list(dict.fromkeys(found.message for found in findings if found.severity in severities))
    left = len(said) - MOST_FINDINGS
    more = ["There is 1 more reason." if left == 1 else f"There are {left} more reasons."] if left > 0 else []
    return " ".join([*said[:MOST_FINDINGS], *more])


def paragraph(*parts: str) -> str:
    """Join sentences to one paragraph, without those that are empty."""
    return " ".join(part for part in parts if part)
