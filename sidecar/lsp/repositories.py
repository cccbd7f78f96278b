"""Keep a session and a guard for each repository of the workspace folders and the open documents."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol.types import MessageType, WorkspaceFolder

from sidecar.lsp.agents import look_for_agents
from sidecar.lsp.documents import Document, Folder, path_of, repository_root, within
from sidecar.lsp.editor_view import IndexedPicture
from sidecar.lsp.notices import show_notice, start_guard
from sidecar.lsp.state import OpenRepository, ServerState, in_pool, log, log_error, owner, say, start_task
from sidecar.model.findings import Failure, Finding
from sidecar.model.picture import Picture, problems
from sidecar.model.settings import Options
from sidecar.session.attached import AttachedSession, Hears
from sidecar.session.doors import find_session

if TYPE_CHECKING:
    from sidecar.session.live import Session


def close_repository(repository: OpenRepository) -> None:
    """End a session and its guard; may take a moment."""
    if repository.guard is not None:
        repository.guard.close()
    repository.session.close()


NOT_A_REPOSITORY = "not-a-repository"
LOOK_EVERY = 1.0
"""Seconds between two looks at whether a folder has become a repository."""

Signs = tuple[str, int] | tuple[()]

FIRST_PICTURE_SECONDS = 5.0
"""How long the next repository waits for the Picture that would show that it is the same one."""


def read_folders(folders: Iterable[WorkspaceFolder], root_uri: str | None = None) -> tuple[Folder, ...]:
    """Give the workspace folders that are on disk; `root_uri` is what clients without workspace folders send."""
    uris = [folder.uri for folder in folders] or ([root_uri] if root_uri else [])
    return tuple(Folder(uri, os.path.realpath(path)) for uri in uris if (path := path_of(uri)) is not None)


SETTLED = "sidecar/settled"
"""The notification of the repositories that are open, once all are that could be, to a client that shows pictures."""


async def keep_sessions(state: ServerState) -> None:
    """Open what is missing and close what nobody needs, whenever folders, documents or settings have changed."""
    while True:
        await state.moved.wait()
        state.moved.clear()
        state.settling = True
        state.settled.clear()
        try:
            await _settle(state)
        except Exception as error:
            log_error(state, "Opening repositories", error)
        state.settling = False
        state.settled.set()
        if state.client.picture:
            state.server.protocol.notify(SETTLED, {"repositories": list(state.repositories)})
        state.pictures.set()


async def await_repositories(state: ServerState) -> None:
    """Open what becomes a repository while it is open as a plain folder: `git init` and `git clone` tell nobody.

    Nothing is looked at while every folder is in a repository.
    """
    tried: dict[str, Signs] = {}
    while True:
        await state.without.wait()
        await asyncio.sleep(LOOK_EVERY)
        waiting = [place for place, failure in state.refused.items() if failure.code == NOT_A_REPOSITORY]
        if not waiting:
            state.without.clear()
        for place in waiting:
            signs = _signs(place)
            if signs and signs != tried.get(place):
                tried[place] = signs
                state.documents = {uri: _rooted(document) for uri, document in state.documents.items()}
                retry(state, place)


def _rooted(document: Document) -> Document:
    return document if document.root is not None else replace(document, root=repository_root(document.path))


def _signs(place: str) -> Signs:
    """Find a `.git` in or above a folder, and when something was last put in it; empty where there is none."""
    root = repository_root(place)
    try:
        return () if root is None else (root, os.stat(os.path.join(root, ".git")).st_mtime_ns)
    except OSError:
        return ()


async def _settle(state: ServerState) -> None:
    if state.reopen:
        state.reopen = False
        state.refused.clear()
        await close(state, list(state.repositories))
    for place in _places(state):
        if owner(state, place) is None and place not in state.refused:
            await _open(state, place)
    needed = {id(owner(state, place)) for place in _places(state)}
    await close(state, [name for name, held in state.repositories.items() if id(held) not in needed])
    for repository in state.repositories.values():
        tell_documents(state, repository)
        repository.due = True
    if any(failure.code == NOT_A_REPOSITORY for failure in state.refused.values()):
        state.without.set()


def _places(state: ServerState) -> list[str]:
    """Find where repositories are looked for: at each folder, and at each open document that is in a repository."""
    folders = [repository_root(folder.path) or folder.path for folder in state.folders]
    roots = [document.root for document in state.documents.values() if document.root is not None]
    return list(dict.fromkeys(folders + roots))


async def _open(state: ServerState, place: str) -> None:
    loop = asyncio.get_running_loop()
    mine: list[OpenRepository] = []
    early: list[tuple[str, Mapping[str, object]]] = []

    def receive(picture: Picture) -> None:
        if mine and state.repositories.get(mine[0].session.repository) is mine[0]:
            take_picture(state, mine[0], picture)

    def on_loop(call: Callable[..., None], *args: object) -> None:
        with suppress(RuntimeError):  # the loop is gone
            loop.call_soon_threadsafe(call, *args)

    def show(kind: str, said: Mapping[str, object]) -> None:
        if mine:
            show_notice(state, mine[0], kind, said)
        else:
            early.append((kind, said))

    def lose(why: str) -> None:
        if mine:
            start_task(state, _do_without(state, mine[0], why))

    hears = Hears(partial(on_loop, receive), partial(on_loop, show), partial(on_loop, lose))
    try:
        session = await in_pool(state, _open_session, state, place, state.settings or {}, hears)
    except Exception as error:
        log_error(state, f"Opening {place}", error)
        state.refused[place] = Failure("failed", str(error))
        return
    if isinstance(session, Failure):
        state.refused[place] = session
        _refuse(state, place, session)
        return
    known = state.repositories.get(session.repository)
    if known is not None:
        known.roots.add(place)
        await in_pool(state, session.close)
        return
    repository = OpenRepository(session, {place})
    mine.append(repository)
    state.repositories[session.repository] = repository
    for kind, said in early:
        show_notice(state, repository, kind, said)
    _tell_front(state, repository)
    tell_documents(state, repository)
    if session.picture is not None:
        take_picture(state, repository, session.picture)
    await _recover(state, place)
    await start_guard(state, repository)
    if any(owner(state, other) is None for other in _places(state)):
        with suppress(TimeoutError):
            await asyncio.wait_for(repository.drawn.wait(), FIRST_PICTURE_SECONDS)


async def _recover(state: ServerState, place: str) -> None:
    """Finish or undo what a killed operation left, and say so; it runs nothing of the repository."""

    def recover() -> tuple[Finding, ...]:
        from sidecar.operations.recovery import recover_all  # loads libgit2: only after `initialize` is answered

        return recover_all(Path(place), acting=state.trusted is True)

    try:
        for finding in await in_pool(state, recover):
            say(state, finding.message, MessageType.Info if finding.severity == "info" else MessageType.Warning)
    except Exception as error:
        log_error(state, "Recovering", error)


def _open_session(
    state: ServerState, place: str, editor: Mapping[str, object], hears: Hears
) -> AttachedSession | Session | Failure:
    """Open a session, beside the loop; one that comes when the server has ended meanwhile is closed again."""
    options = Options(trusted=state.trusted is True, editor=editor)
    found = find_session(Path(place), options, hears, alone=place in state.alone)
    if isinstance(found, Failure):
        return found
    session, why = found
    if why is not None:
        log(state, why, MessageType.Warning)
    if state.ended:
        session.close()
    return session


async def _do_without(state: ServerState, repository: OpenRepository, why: str) -> None:
    """Keep a session in this process, since there is none to attach to any more."""
    log(state, f"{why} This window keeps a session of its own.", MessageType.Warning)
    state.alone |= repository.roots
    state.settling = True  # it is opened again: nobody is told that it is closed
    await close(state, [name for name, held in state.repositories.items() if held is repository])
    state.moved.set()


def _refuse(state: ServerState, place: str, failure: Failure) -> None:
    """Tell it once: a folder without a repository in the log, anything else to the person."""
    if failure.code == NOT_A_REPOSITORY:
        if place not in state.said:
            log(state, f"{place} is in no git repository.")
        state.said.add(place)
    elif failure.message not in state.said:
        state.said.add(failure.message)
        say(state, failure.message, MessageType.Warning)


def retry(state: ServerState, path: str) -> None:
    """Try again what could not be opened around a path: it may have become a repository."""
    for place in [place for place in state.refused if within(path, place)]:
        del state.refused[place]
    state.moved.set()


async def close(state: ServerState, names: list[str]) -> None:
    """Close sessions; what was published for them stays until the publisher sees that they are gone."""
    closing = [state.repositories.pop(name) for name in names]
    for repository in closing:
        try:
            await in_pool(state, close_repository, repository)
        except Exception as error:
            log_error(state, "Closing a repository", error)
    state.pictures.set()


def tell_documents(state: ServerState, repository: OpenRepository) -> None:
    """Give the session every text that it does not have yet, and take back those of closed documents."""
    texts = {
        document.path: document
        for document in sorted(state.documents.values(), key=lambda document: document.stamp)
        if owner(state, document.root) is repository
    }
    for path in repository.told.keys() - texts.keys():
        repository.session.set_unsaved(path, None, repository.told.pop(path))
    for path, document in texts.items():
        if repository.told.get(path) != document.stamp:
            repository.told[path] = document.stamp
            repository.session.set_unsaved(path, document.text, document.stamp)


def take_picture(state: ServerState, repository: OpenRepository, picture: Picture) -> None:
    """Take a new Picture of a repository; one that came too late is passed over."""
    before = repository.indexed
    if before is not None and picture.number <= before.picture.number:
        return
    if before is not None:
        repository.indexed = before.followed_by(picture)
    else:
        repository.indexed = IndexedPicture(picture, repository.session.content, repository.session.hunks)
    repository.drawn.set()
    if not repository.logging:
        repository.logging = True
        asyncio.get_running_loop().call_later(PASSING_SECONDS, _log_problems, state, repository)
    tell_documents(state, repository)
    repository.due = True
    state.pictures.set()
    look_for_agents(state, repository)


PASSING_SECONDS = 2.0
"""How long a problem has to last to be logged: while a worktree is released its folder goes before git forgets it."""


def _log_problems(state: ServerState, repository: OpenRepository) -> None:
    repository.logging = False
    if state.ended or repository.indexed is None:
        return
    now = [problem for _, problem in problems(repository.indexed.picture)]
    for problem in dict.fromkeys(now):
        if problem not in repository.problems:
            log(state, problem, MessageType.Warning)
    repository.problems = frozenset(now)


def come_to_front(state: ServerState) -> None:
    """Note that the window has the focus: of several that share a session it is told what one of them is told."""
    state.front = time.monotonic()
    for repository in state.repositories.values():
        _tell_front(state, repository)


def _tell_front(state: ServerState, repository: OpenRepository) -> None:
    if state.front and isinstance(repository.session, AttachedSession):
        repository.session.to_front(state.front)
