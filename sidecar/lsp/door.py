"""What the server owns while it runs, and the loop's side of it. Everything here happens on the event loop's thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Event
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from lsprotocol.types import LogMessageParams, MessageType, ShowMessageParams
from pygls.lsp.server import LanguageServer

from sidecar.lsp.client import Client
from sidecar.lsp.diagnostics import Published
from sidecar.lsp.documents import Document, Folder
from sidecar.lsp.scene import Scene, Snapshot
from sidecar.model.findings import Failure
from sidecar.model.messages import escape, escape_lines
from sidecar.model.picture import Picture

if TYPE_CHECKING:
    from sidecar.operations.guard.keeping import Guard
    from sidecar.session.live import Session

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


@dataclass
class Repository:
    """One open session, the `roots` (directories with a `.git`) that led to it, and what it was told.

    `published` is the Picture whose diagnostics the client has, `pictured` the last one that it got as a whole.
    """

    session: Session
    roots: set[str]
    snapshot: Snapshot | None = None
    told: dict[str, int] = field(default_factory=dict)
    due: bool = False
    published: Picture | None = None
    pictured: Picture | None = None
    drawn: asyncio.Event = field(default_factory=asyncio.Event)
    guard: Guard | None = None


@dataclass(eq=False)
class Work:
    """An operation under way: `stop` tells it to end; `token` is what the client calls it, once it shows it.

    `said` is the last thing that it said.
    """

    title: str
    stop: Event = field(default_factory=Event)
    running: Future[Any] | None = None
    token: int | str | None = None
    said: str | None = None


@dataclass
class Door:
    """The state of the server: what the client said, what the sessions said, and what the client was told.

    `documents` is replaced, never changed, so that a Scene can keep it. `refused` has the failures by place, `said`
    what the person was told already. `trusted` is None for a client that knows no trust. Each of `works` has a thread
    of `workers` to itself.
    """

    server: LanguageServer
    client: Client = field(default_factory=Client)
    trusted: bool | None = None
    settings: Mapping[str, object] | None = None
    folders: tuple[Folder, ...] = ()
    documents: Mapping[str, Document] = field(default_factory=dict)
    repositories: dict[str, Repository] = field(default_factory=dict)
    published: dict[str, Published] = field(default_factory=dict)
    lenses: dict[str, str | None] = field(default_factory=dict)
    refused: dict[str, Failure] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)
    reopen: bool = False
    settling: bool = False
    shut_down: bool = False
    ended: bool = False
    temporary: Path | None = None
    stamps: count[int] = field(default_factory=lambda: count(1))
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(4, "sidecar-lsp"))
    workers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8, "sidecar-operation"))
    works: set[Work] = field(default_factory=set)
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    pictures: asyncio.Event = field(default_factory=asyncio.Event)
    drawn: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


async def in_pool(door: Door, work: Callable[Asked, Answer], *args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
    """Do work that may take a while beside the loop."""
    return await asyncio.get_running_loop().run_in_executor(door.pool, lambda: work(*args, **kwargs))


def scene_of(door: Door, repository: Repository | None) -> Scene | None:
    """The moment as it is now in a repository; None before its first Picture."""
    if repository is None or repository.snapshot is None:
        return None
    return Scene(repository.snapshot, door.documents, door.folders, door.client)


def owner(door: Door, root: str | None) -> Repository | None:
    """The open repository that a directory with a `.git` belongs to."""
    for repository in door.repositories.values():
        if root in repository.roots:
            return repository
        states = repository.snapshot.picture.worktrees if repository.snapshot else ()
        if any(state.worktree.key == root for state in states):
            return repository
    return None


def say(door: Door, message: str, kind: MessageType = MessageType.Info) -> None:
    """Show the person one sentence."""
    door.server.window_show_message(ShowMessageParams(kind, escape_lines(message)))


def log(door: Door, message: str, kind: MessageType = MessageType.Info) -> None:
    """Write one sentence to the client's log."""
    door.server.window_log_message(LogMessageParams(kind, escape(message)))


def log_error(door: Door, what: str, error: BaseException) -> None:
    """Log one sentence about something that should not have happened, with the line of ours where it did."""
    frames = extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    log(door, f"{what} failed: {type(error).__name__}: {error}{where}.", MessageType.Error)
