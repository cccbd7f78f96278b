"""Which repositories are open: one session each, found from the workspace folders and the open documents."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol.types import MessageType, WorkspaceFolder

from sidecar.lsp.documents import Folder, path_of, repository_root, within
from sidecar.lsp.door import Door, Repository, in_pool, log, log_error, owner, say
from sidecar.lsp.guarding import close_repository, start_guard
from sidecar.lsp.scene import Snapshot
from sidecar.model.findings import Failure, Finding
from sidecar.model.picture import Picture

if TYPE_CHECKING:
    from sidecar.session.live import Session

NOT_A_REPOSITORY = "not-a-repository"
FIRST_PICTURE_SECONDS = 5.0
"""How long the next repository waits for the Picture that would show that it is the same one."""


def read_folders(folders: Iterable[WorkspaceFolder], root_uri: str | None = None) -> tuple[Folder, ...]:
    """The workspace folders that are on disk; `root_uri` is what clients without workspace folders send."""
    uris = [folder.uri for folder in folders] or ([root_uri] if root_uri else [])
    return tuple(Folder(uri, os.path.realpath(path)) for uri in uris if (path := path_of(uri)) is not None)


async def keep_sessions(door: Door) -> None:
    """Whenever folders, documents or settings have changed, open what is missing and close what nobody needs."""
    while True:
        await door.moved.wait()
        door.moved.clear()
        door.settling = True
        door.settled.clear()
        try:
            await _settle(door)
        except Exception as error:
            log_error(door, "Opening repositories", error)
        door.settling = False
        door.settled.set()
        door.pictures.set()


async def _settle(door: Door) -> None:
    if door.reopen:
        door.reopen = False
        door.refused.clear()
        await close(door, list(door.repositories))
    for place in _places(door):
        if owner(door, place) is None and place not in door.refused:
            await _open(door, place)
    needed = {id(owner(door, place)) for place in _places(door)}
    await close(door, [name for name, held in door.repositories.items() if id(held) not in needed])
    for repository in door.repositories.values():
        tell_documents(door, repository)
        repository.due = True


def _places(door: Door) -> list[str]:
    """Where repositories are looked for: at each folder, and at each open document that is in a repository."""
    folders = [repository_root(folder.path) or folder.path for folder in door.folders]
    roots = [document.root for document in door.documents.values() if document.root is not None]
    return list(dict.fromkeys(folders + roots))


async def _open(door: Door, place: str) -> None:
    loop = asyncio.get_running_loop()
    mine: list[Repository] = []

    def receive(picture: Picture) -> None:
        if mine and door.repositories.get(mine[0].session.repository) is mine[0]:
            take_picture(door, mine[0], picture)

    def on_picture(picture: Picture) -> None:
        with suppress(RuntimeError):  # the loop is gone
            loop.call_soon_threadsafe(receive, picture)

    try:
        session = await in_pool(door, _open_session, door, place, door.settings or {}, on_picture)
    except Exception as error:
        log_error(door, f"Opening {place}", error)
        door.refused[place] = Failure("failed", str(error))
        return
    if isinstance(session, Failure):
        door.refused[place] = session
        _refuse(door, place, session)
        return
    known = door.repositories.get(session.repository)
    if known is not None:
        known.roots.add(place)
        await in_pool(door, session.close)
        return
    repository = Repository(session, {place})
    mine.append(repository)
    door.repositories[session.repository] = repository
    tell_documents(door, repository)
    if session.picture is not None:
        take_picture(door, repository, session.picture)
    await _recover(door, place)
    await start_guard(door, repository, place)
    if any(owner(door, other) is None for other in _places(door)):
        with suppress(TimeoutError):
            await asyncio.wait_for(repository.drawn.wait(), FIRST_PICTURE_SECONDS)


async def _recover(door: Door, place: str) -> None:
    """Finish or undo what a killed operation left, and say so; it runs nothing of the repository."""

    def recover() -> tuple[Finding, ...]:
        from sidecar.operations.recovery import recover_all  # loads libgit2: only after `initialize` is answered

        return recover_all(Path(place))

    try:
        for finding in await in_pool(door, recover):
            say(door, finding.message, MessageType.Info if finding.severity == "info" else MessageType.Warning)
    except Exception as error:
        log_error(door, "Recovering", error)


def _open_session(
    door: Door, place: str, editor: Mapping[str, object], on_picture: Callable[[Picture], None]
) -> Session | Failure:
    """Runs beside the loop; a session that comes when the server has ended meanwhile is closed again."""
    from sidecar.session.live import open_session  # loads libgit2: only after `initialize` is answered
    from sidecar.session.sources import Options

    session = open_session(Path(place), Options(trusted=door.trusted is True, editor=editor), on_picture)
    if door.ended and not isinstance(session, Failure):
        session.close()
    return session


def _refuse(door: Door, place: str, failure: Failure) -> None:
    """Tell it once: a folder without a repository in the log, anything else to the person."""
    if failure.code == NOT_A_REPOSITORY:
        if place not in door.said:
            log(door, f"{place} is in no git repository.")
        door.said.add(place)
    elif failure.message not in door.said:
        door.said.add(failure.message)
        say(door, failure.message, MessageType.Warning)


def retry(door: Door, path: str) -> None:
    """A document was opened or saved: what could not be opened around it may have become a repository."""
    for place in [place for place in door.refused if within(path, place)]:
        del door.refused[place]
    door.moved.set()


async def close(door: Door, names: list[str]) -> None:
    """Close sessions; what was published for them stays until the publisher sees that they are gone."""
    closing = [door.repositories.pop(name) for name in names]
    for repository in closing:
        try:
            await in_pool(door, close_repository, repository)
        except Exception as error:
            log_error(door, "Closing a repository", error)
    door.pictures.set()


def tell_documents(door: Door, repository: Repository) -> None:
    """Give the session every text that it does not have yet, and take back those of closed documents."""
    texts = {
        document.path: document
        for document in sorted(door.documents.values(), key=lambda document: document.stamp)
        if owner(door, document.root) is repository
    }
    for path in repository.told.keys() - texts.keys():
        repository.session.set_unsaved(path, None, repository.told.pop(path))
    for path, document in texts.items():
        if repository.told.get(path) != document.stamp:
            repository.told[path] = document.stamp
            repository.session.set_unsaved(path, document.text, document.stamp)


def take_picture(door: Door, repository: Repository, picture: Picture) -> None:
    """A new Picture of a repository; one that came too late is passed over."""
    before = repository.snapshot
    if before is not None and picture.number <= before.picture.number:
        return
    repository.snapshot = Snapshot(picture, repository.session.content)
    repository.drawn.set()
    if repository.guard is not None:
        repository.guard.see(picture)
    _log_problems(door, before.picture if before else None, picture)
    tell_documents(door, repository)
    repository.due = True
    door.pictures.set()


def _log_problems(door: Door, before: Picture | None, picture: Picture) -> None:
    old = set(_problems(before)) if before else set()
    for problem in _problems(picture):
        if problem not in old:
            log(door, problem, MessageType.Warning)


def _problems(picture: Picture) -> list[str]:
    """What could not be read, one sentence each."""
    found = [picture.problem, *(state.worktree.problem or state.problem for state in picture.worktrees)]
    return [problem for problem in found if problem is not None]
