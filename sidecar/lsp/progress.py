"""`$/progress`: work that takes its time, with what it says, a way to stop it, and always an end."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from lsprotocol.types import WorkDoneProgressBegin, WorkDoneProgressEnd, WorkDoneProgressReport

from sidecar.lsp.door import Door, Work, log, log_error
from sidecar.model.messages import counted, escape

if TYPE_CHECKING:
    from sidecar.operations.control import Control

T = TypeVar("T")

EVERY = 0.1
"""Seconds between two reports of what a command prints: a person reads no faster."""
MOST_LINES = 1000
"""How many lines are logged of what a command prints within that time: its last ones."""
LONGEST = 160
"""How many characters of a line are shown in a report."""

_COLOURS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


async def at_work(
    door: Door, title: str, do: Callable[[Control], T], *, patience: float = 0.0, token: int | str | None = None
) -> T:
    """Do something beside the loop and give what it gives; it is shown when it takes longer than `patience` (seconds).

    `token` is the client's own place to show it. When whoever waits is cancelled, the work is told to stop, and still
    seen to its end.
    """
    work = Work(title)
    door.works.add(work)
    task = asyncio.get_running_loop().create_task(_see_through(door, work, do, patience, token))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        work.stop.set()
        raise


async def _see_through(
    door: Door, work: Work, do: Callable[[Control], T], patience: float, token: int | str | None
) -> T:
    from sidecar.operations.control import Control  # --version and the first answer do without

    loop = asyncio.get_running_loop()
    relay = _Relay(door, work, loop)
    control = Control(relay.stage, relay.output, work.stop.is_set)
    running = work.running = door.workers.submit(do, control)
    showing = loop.create_task(_show(door, work, patience, token))
    door.tasks.add(showing)
    showing.add_done_callback(door.tasks.discard)
    try:
        return await asyncio.wrap_future(running)
    finally:
        door.works.discard(work)
        relay.flush()
        if work.token is not None:
            _end(door, work.token)


def stop_all(door: Door) -> list[Future[Any]]:
    """Tell all that is under way to stop; gives what there is to wait for."""
    works = list(door.works)
    for work in works:
        work.stop.set()
    return [work.running for work in works if work.running is not None]


async def _show(door: Door, work: Work, patience: float, token: int | str | None) -> None:
    """Give it a place in the client's window; a client may take its time to make one, or never answer."""
    await asyncio.sleep(patience)
    progress = door.server.work_done_progress
    if work not in door.works or (token is None and not door.client.progress):
        return
    if token is None:
        token = str(uuid4())
        try:
            await progress.create_async(token)
        except Exception as error:
            log_error(door, "Showing progress", error)
            return
    progress.begin(token, WorkDoneProgressBegin(escape(work.title), cancellable=True, message=work.said))
    progress.tokens[token].add_done_callback(lambda asked: work.stop.set() if asked.cancelled() else None)
    if work in door.works:
        work.token = token
    else:
        _end(door, token)


def _end(door: Door, token: int | str) -> None:
    progress = door.server.work_done_progress
    progress.end(token, WorkDoneProgressEnd())
    progress.tokens.pop(token, None)


class _Relay:
    """Carries what an operation says from its thread to the client, no faster than a person can read."""

    def __init__(self, door: Door, work: Work, loop: asyncio.AbstractEventLoop) -> None:
        self._door = door
        self._work = work
        self._loop = loop
        self._lines: deque[str] = deque(maxlen=MOST_LINES)
        self._said = 0

    def stage(self, sentence: str) -> None:
        """A stage begins."""
        self._call(self._take_stage, sentence)

    def output(self, line: str) -> None:
        """A command of the person prints a line."""
        self._call(self._take_line, line)

    def _call(self, take: Callable[[str], None], said: str) -> None:
        try:
            self._loop.call_soon_threadsafe(take, said)
        except RuntimeError:
            return  # the loop has ended, and nobody listens any more

    def _take_stage(self, sentence: str) -> None:
        self.flush()
        log(self._door, sentence)
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
            log(self._door, f"({counted(left_out, 'line is', 'lines are')} left out here.)")
        for line in lines:
            log(self._door, line)
        last = next((line for line in reversed(lines) if line.strip()), None)
        if last is not None:
            self._report(last)

    def _report(self, said: str) -> None:
        text = escape(said.strip())
        self._work.said = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
        if self._work.token is not None:
            report = WorkDoneProgressReport(message=self._work.said)
            self._door.server.work_done_progress.report(self._work.token, report)
