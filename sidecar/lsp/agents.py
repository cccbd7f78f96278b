"""Tell the client which agents are there, and the person where two of them edit one worktree."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol.types import MessageType

from sidecar.lsp.commands.arguments import options_of
from sidecar.lsp.commands.table import run_open
from sidecar.lsp.results import tell_history
from sidecar.lsp.state import OpenRepository, ServerState, ask, in_pool, is_quiet, logging_errors, note, say, start_task
from sidecar.model.findings import Failure
from sidecar.model.messages import collision_sentence
from sidecar.model.picture import Worktree
from sidecar.model.words import escape

if TYPE_CHECKING:
    from sidecar.operations.open import OpenPlan
    from sidecar.operations.presence import Agent

HOOK_SECONDS = 1.0
"""How long after a change is looked: the hook that announces an edit is called after it."""
AGAIN_SECONDS = 10.0
"""How long after that it is looked again, as long as somebody is there: an end makes no new Picture."""
COPY = "sidecar/copy"
"""The notification with a `text` for the clipboard, to a client that asked for pictures."""
GIVE, DISMISS = "Give One of Them a Worktree", "Dismiss"


def look_for_agents(state: ServerState, repository: OpenRepository) -> None:
    """Look a moment after a new Picture, once for all that come until then."""
    if not repository.looking:
        repository.looking = True
        start_task(state, _look(state, repository))


async def _look(state: ServerState, repository: OpenRepository) -> None:
    from sidecar.operations.presence import colliding  # after `initialize` is answered
    from sidecar.operations.who_is_there import agents_in_picture

    await asyncio.sleep(HOOK_SECONDS)
    repository.looking = False
    common_dir, view, more = repository.session.repository, repository.indexed, repository.session.settings["agents"]
    if state.repositories.get(common_dir) is not repository or view is None:
        return
    names = more if isinstance(more, tuple) else ()
    found = await in_pool(state, agents_in_picture, view.picture, names, None, state.opened)
    if state.repositories.get(common_dir) is not repository:
        return
    await tell_history(state, repository)  # a receipt is written after what it tells of
    if _sessions(found) != _sessions(repository.there):
        repository.pictured = None
        state.drawn.set()
    repository.there = found
    if repository.look_again is not None:
        repository.look_again.cancel()
    again = asyncio.get_running_loop().call_later
    repository.look_again = again(AGAIN_SECONDS, look_for_agents, state, repository) if found else None
    for one in view.picture.worktrees:
        agents = found.get(one.worktree.key, ())
        several = colliding(agents)
        if _is_news(repository, one.worktree, frozenset(agent.session for agent in several)):
            said = collision_sentence([agent.client for agent in several], one.worktree.name)
            start_task(state, _offer(state, repository, one.worktree, said))


def _sessions(there: Mapping[str, Sequence[Agent]]) -> set[tuple[str, str, bool]]:
    return {(key, agent.session, agent.is_writer) for key, agents in there.items() for agent in agents}


def _is_news(repository: OpenRepository, worktree: Worktree, sessions: frozenset[str]) -> bool:
    """Tell whether a person does not know yet that several sessions edit a worktree.

    One that joins them is no news as long as they do, and neither are those that a person was told of when they go on.
    """
    go_on, told = repository.sharing.get(worktree.key, (False, frozenset()))
    repository.sharing[worktree.key] = (bool(sessions), told | sessions)
    return not go_on and not sessions <= told


async def _offer(state: ServerState, repository: OpenRepository, worktree: Worktree, said: str) -> None:
    """Say that two edit there; open a worktree for one of them, with a sentence for it."""

    def plan() -> OpenPlan | Failure:
        from sidecar.operations.open import plan_open_free  # loads libgit2: only after `initialize` is answered

        options = options_of(state, trusted=state.trusted is True)
        name = worktree.name.removeprefix("agents-")  # which VS Code takes for its own, and deletes
        return plan_open_free(Path(repository.session.repository), f"{name}-2", None, options)

    if is_quiet(repository):
        note(state, said)
        return
    with logging_errors(state, "Offering a worktree"):
        if not await ask(state, MessageType.Warning, said, [(GIVE, True), (DISMISS, False)]):
            return
        planned = await in_pool(state, plan)
        if isinstance(planned, Failure):
            say(state, planned.message, MessageType.Warning)
            return
        path = await run_open(state, planned.branch, repository.session.repository)
        if path is None:
            return
        text = f"Another agent edits {escape(worktree.key)}. From now on work only in {escape(path)}."
        if state.client.picture:
            state.server.protocol.notify(COPY, {"text": text})
        tell = f"Tell one of them{' (it is on the clipboard)' if state.client.picture else ''}: {text}"
        await ask(state, MessageType.Info, tell, [(DISMISS, None)])  # it stays until a person has read it
