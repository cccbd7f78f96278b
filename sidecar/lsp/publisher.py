"""Tell the client what is new: one Picture at a time, the newest only, and nothing twice.

Diagnostics go first, then `sidecar/picture`, what `status --json` prints, to a client that asked for it, and
`sidecar/closed` once a repository is no longer kept up with.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from sidecar.lsp.code_lens import lenses
from sidecar.lsp.diagnostics import Published, news, publish
from sidecar.lsp.editor_view import EditorView
from sidecar.lsp.results import tell_history
from sidecar.lsp.state import OpenRepository, ServerState, in_pool, log_error, view_of
from sidecar.model.picture import Picture
from sidecar.model.schema import Json, status_object


async def keep_publishing(state: ServerState) -> None:
    """Tell the client of Pictures and documents, whenever there are some that it was not told about."""
    while True:
        await state.pictures.wait()
        state.pictures.clear()
        gone = set() if state.settling else state.published.keys() - state.repositories.keys()
        for name in gone:
            _tell(state, state.published.pop(name), Published())
            if state.client.picture:
                state.server.protocol.notify(CLOSED, {"repository": name})
        for name, repository in list(state.repositories.items()):
            if repository.due:
                repository.due = False
                try:
                    with repository.session.foreground.entered("publisher"):
                        await _publish(state, name, repository)
                except Exception as error:
                    log_error(state, "Publishing", error)


async def _publish(state: ServerState, name: str, repository: OpenRepository) -> None:
    view = view_of(state, repository)
    if view is None:
        return
    before = state.published.get(name, Published())
    drawn, titles = await in_pool(state, _draw, view, before)
    if state.repositories.get(name) is not repository:
        return
    after = _hold_back(state, view, before, drawn)
    state.published[name] = after
    _tell(state, before, after)
    if state.client.lens_refresh and any(state.lenses.get(path) != title for path, title in titles.items()):
        state.server.workspace_code_lens_refresh(None)
    state.lenses |= titles
    if repository.published is not view.indexed.picture:
        repository.published = view.indexed.picture
        state.drawn.set()


def _draw(view: EditorView, before: Published) -> tuple[Published, dict[str, str | None]]:
    return publish(view, before), lenses(view)


def _hold_back(state: ServerState, view: EditorView, before: Published, after: Published) -> Published:
    """Leave documents as they were that have moved on while this was drawn; another round comes for them."""
    moved = {uri for uri in state.documents.keys() | view.documents.keys() if _moved(state, view, uri)}
    kept = {uri: publication for uri, publication in before.by_uri.items() if uri in moved}
    settled = {uri: publication for uri, publication in after.by_uri.items() if uri not in moved}
    return replace(after, by_uri=settled | kept)


def _moved(state: ServerState, view: EditorView, uri: str) -> bool:
    now, then = state.documents.get(uri), view.documents.get(uri)
    return (now and now.stamp) != (then and then.stamp)


def _tell(state: ServerState, before: Published, after: Published) -> None:
    for params in news(before, after):
        state.server.text_document_publish_diagnostics(params)


PICTURE = "sidecar/picture"
CLOSED = "sidecar/closed"
"""The notifications: of what there is in a repository, and that nobody has it open any more."""
SOON = 0.2
"""Seconds from a Picture until it is sent, the first one aside: diagnostics of every window go first."""
APART = 0.5
"""Seconds between two that are sent."""
REST = 24
"""How many times as long as sending took there is none then: a large Picture takes time from diagnostics."""


async def keep_picturing(state: ServerState) -> None:
    """Send each Picture whose diagnostics the client has; the newest only."""
    clock = asyncio.get_running_loop().time
    due: float | None = None
    while True:
        await state.drawn.wait()
        if due is not None:
            await asyncio.sleep(max(SOON, due - clock()))
        state.drawn.clear()
        begun = clock()
        for name, repository in list(state.repositories.items()):
            try:
                await _send(state, name, repository)
            except Exception as error:
                log_error(state, "Sending the picture", error)
        ended = clock()
        due = ended + max(APART, (ended - begun) * REST)


async def _send(state: ServerState, name: str, repository: OpenRepository) -> None:
    picture = repository.published
    if picture is None or picture is repository.pictured:
        return
    shown = await in_pool(state, _with_agents, picture, repository)
    if state.repositories.get(name) is repository:
        repository.pictured = picture
        state.server.protocol.notify(PICTURE, shown)
        await tell_history(state, repository)


def _with_agents(picture: Picture, repository: OpenRepository) -> Json:
    there = {key: [one.as_object for one in agents] for key, agents in repository.there.items()}
    return status_object(picture, agents=there)
