"""The guard beside each session: what a worktree has stays restorable, and one that vanishes is told at once."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol.types import MessageActionItem, MessageType, ShowMessageRequestParams

from sidecar.lsp.asked import Asked
from sidecar.lsp.door import Door, Repository, in_pool, log, log_error
from sidecar.model.messages import escape, shown

if TYPE_CHECKING:
    from sidecar.operations.guard.keeping import Guard, Vanished

RESTORE, DISMISS = "Restore", "Dismiss"


async def start_guard(door: Door, repository: Repository, place: str) -> None:
    """Keep the states of a repository that was just opened; without a guard everything else goes on."""
    loop = asyncio.get_running_loop()

    def on_vanished(vanished: Vanished) -> None:
        with suppress(RuntimeError):  # the loop is gone
            loop.call_soon_threadsafe(_begin, door, repository, vanished)

    def start() -> Guard:
        from sidecar.operations.guard.keeping import open_guard  # loads libgit2: only after `initialize` is answered
        from sidecar.session.sources import Options

        options = Options(door.trusted is True, door.settings or {})
        return open_guard(Path(place), options, on_vanished, repository.session.foreground)

    try:
        guard = await in_pool(door, start)
    except Exception as error:
        log_error(door, "Starting the guard", error)
        return
    if door.ended or door.repositories.get(repository.session.repository) is not repository:
        await in_pool(door, guard.close)
        return
    repository.guard = guard
    if repository.snapshot is not None:
        guard.see(repository.snapshot.picture)


def close_repository(repository: Repository) -> None:
    """End a session and its guard; may take a moment."""
    if repository.guard is not None:
        repository.guard.close()
    repository.session.close()


def _begin(door: Door, repository: Repository, vanished: Vanished) -> None:
    task = asyncio.get_running_loop().create_task(_offer(door, repository, vanished))
    door.tasks.add(task)
    task.add_done_callback(door.tasks.discard)


async def _offer(door: Door, repository: Repository, vanished: Vanished) -> None:
    """Say what is gone; where all of it was in trunk, only to the log."""
    from sidecar.lsp.commands import run_restore  # the commands know this module's door

    name = shown(vanished.name)
    branch = f" (branch {shown(vanished.branch)})" if vanished.branch else ""
    when = time.strftime("%H:%M:%S", time.localtime(vanished.kept))
    text = f"{name}{branch} is gone: {escape(vanished.path)} was deleted. What it had at {when} can be restored."
    if vanished.safe:
        log(door, f"{text} Everything in it is in trunk. To restore it: sidecar restore {vanished.receipt}")
        return
    question = ShowMessageRequestParams(
        MessageType.Warning, text, [MessageActionItem(RESTORE), MessageActionItem(DISMISS)]
    )
    try:
        chosen = await door.server.window_show_message_request_async(question)
        if chosen is not None and chosen.title == RESTORE:
            wish = {"id": vanished.receipt, "repository": repository.session.repository, "confirmed": True}
            await run_restore(door, Asked((wish,)))
    except Exception as error:
        log_error(door, "Offering to restore", error)
