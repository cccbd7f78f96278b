"""Tell a person by itself what nobody asked for: each thing once, in the window that has the focus.

A worktree that vanished and work that was wiped are always told. What only helps is not, where the setting `quiet` says
so: it goes to the log, and to the list of notices of a client that has one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol.types import MessageType

from sidecar.lsp.agents import look_for_agents
from sidecar.lsp.commands.arguments import options_of, temporary_of
from sidecar.lsp.commands.table import run_release, run_restore
from sidecar.lsp.state import (
    OpenRepository,
    ServerState,
    ask,
    in_pool,
    is_quiet,
    log,
    logging_errors,
    note,
    say,
    show_documents,
    start_task,
)
from sidecar.model.decode import decode
from sidecar.model.findings import Failure
from sidecar.model.messages import with_branch
from sidecar.model.words import escape, shown
from sidecar.session.attached import AttachedSession
from sidecar.session.keeper import Keeper

if TYPE_CHECKING:
    from sidecar.operations.guard.integrated import Integrated
    from sidecar.operations.guard.vanished import Vanished
    from sidecar.operations.guard.wiped import Wiped

RESTORE, SHOW, RELEASE, DISMISS = "Restore", "Show", "Release", "Dismiss"


async def start_guard(state: ServerState, repository: OpenRepository) -> None:
    """Keep the states of a repository that was just opened; without a guard everything else goes on."""
    loop = asyncio.get_running_loop()
    session = repository.session

    def on_loop(call: Callable[..., object], *args: object) -> None:
        with suppress(RuntimeError):  # the loop is gone
            loop.call_soon_threadsafe(call, *args)

    def start() -> Keeper:
        if isinstance(session, AttachedSession):
            return session.start_guard()
        from sidecar.operations.guard.keeping import Tell  # loads libgit2: after `initialize` is answered
        from sidecar.operations.merge_check.trying import open_beside

        tell = Tell(
            lambda vanished: on_loop(lambda: start_task(state, _offer(state, repository, vanished))),
            lambda wiped: on_loop(lambda: start_task(state, _offer_wiped(state, repository, wiped))),
            lambda message: on_loop(say, state, message, MessageType.Warning),
            lambda integrated: on_loop(lambda: start_task(state, _offer_release(state, repository, integrated))),
        )
        return open_beside(session, tell)

    with logging_errors(state, "Starting the guard"):
        guard = await in_pool(state, start)
        if state.ended or state.repositories.get(repository.session.repository) is not repository:
            await in_pool(state, guard.close)
            return
        repository.guard = guard


def show_notice(state: ServerState, repository: OpenRepository, kind: str, said: Mapping[str, object]) -> None:
    """Show what the session's guard has noticed and this window alone is told of."""
    from sidecar.operations.guard.integrated import Integrated
    from sidecar.operations.guard.vanished import Vanished
    from sidecar.operations.guard.wiped import Wiped

    if kind == "vanished" and isinstance(vanished := decode(Vanished, said), Vanished):
        start_task(state, _offer(state, repository, vanished))
    elif kind == "wiped" and isinstance(wiped := decode(Wiped, said), Wiped):
        start_task(state, _offer_wiped(state, repository, wiped))
    elif kind == "integrated" and isinstance(integrated := decode(Integrated, said), Integrated):
        start_task(state, _offer_release(state, repository, integrated))
    elif kind == "trouble":
        say(state, str(said.get("message")), MessageType.Warning)


async def _offer_release(state: ServerState, repository: OpenRepository, integrated: Integrated) -> None:
    """Say that all work of a worktree is in trunk, and release it; not while an agent is there, who may go on."""
    name = shown(integrated.name)
    text = f"All work of {name} is in {shown(integrated.trunk)}."
    common_dir = repository.session.repository
    if repository.there.get(integrated.path):
        log(state, text)
    elif is_quiet(repository):
        note(state, text)
    elif not state.client.consents:  # a question would be in the way of what is being typed
        say(state, f"{text} It can be released: sidecar release {name}")
    else:
        with logging_errors(state, "Offering to release"):
            if await ask(state, MessageType.Info, text, [(RELEASE, True), (DISMISS, False)]):
                await run_release(state, integrated.path, common_dir)


async def _offer(state: ServerState, repository: OpenRepository, vanished: Vanished) -> None:
    """Say what is gone; where all of it was in trunk, only to the log."""
    name = with_branch(shown(vanished.name), vanished.branch or vanished.name)
    when = time.strftime("%H:%M:%S", time.localtime(vanished.kept))
    text = f"{name} is gone: {escape(vanished.path)} was deleted. What it had at {when} can be restored."
    if vanished.safe:
        log(state, f"{text} Everything in it is in trunk. To restore it: sidecar restore {vanished.receipt}")
        return
    with logging_errors(state, "Offering to restore"):
        if await ask(state, MessageType.Warning, text, [(RESTORE, True), (DISMISS, False)]):
            await run_restore(state, vanished.receipt, repository.session.repository)


async def _offer_wiped(state: ServerState, repository: OpenRepository, wiped: Wiped) -> None:
    """Say what work is gone, show it, and bring it back; what is dismissed is said nowhere but in the list."""
    buttons = [(title, title) for title in (RESTORE, SHOW, DISMISS)]
    with logging_errors(state, "Offering to restore"):
        look_for_agents(state, repository)  # and for receipts: a new one makes no Picture
        while (chosen := await ask(state, MessageType.Warning, escape(wiped.sentence), buttons)) == SHOW:
            await _show(state, repository, wiped)
        if chosen == RESTORE:
            await run_restore(state, wiped.receipt, repository.session.repository)
        elif chosen == DISMISS:
            await in_pool(state, _dismiss, repository, wiped)


async def _show(state: ServerState, repository: OpenRepository, wiped: Wiped) -> None:
    """Open the work that is gone as a diff."""
    from sidecar.operations.guard.mending import wiped_diff
    from sidecar.operations.guard.rewind import write_diff

    options = options_of(state, trusted=state.trusted is True)
    text = await in_pool(state, wiped_diff, Path(repository.session.repository), wiped.receipt, options)
    if isinstance(text, Failure):
        say(state, text.message, MessageType.Warning)
    else:
        show_documents(state, [await in_pool(state, write_diff, temporary_of(state), wiped.receipt, text)])


def _dismiss(repository: OpenRepository, wiped: Wiped) -> None:
    from sidecar.operations.guard.wiped import dismiss

    dismiss(repository.session.repository, wiped.receipt)
