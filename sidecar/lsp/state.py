"""Hold what the server owns while it runs. Everything here happens on the event loop's thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Event
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from lsprotocol.types import (
    LogMessageParams,
    MessageActionItem,
    MessageType,
    ShowDocumentParams,
    ShowMessageParams,
    ShowMessageRequestParams,
)
from pygls.lsp.server import LanguageServer

from sidecar.lsp.client import Client
from sidecar.lsp.diagnostics import Published
from sidecar.lsp.documents import Document, Folder, file_uri
from sidecar.lsp.editor_view import EditorView, IndexedPicture
from sidecar.model.findings import Failure
from sidecar.model.picture import Picture
from sidecar.model.words import escape, escape_lines

if TYPE_CHECKING:
    from sidecar.operations.presence import Agent
    from sidecar.session.attached import AttachedSession
    from sidecar.session.keeper import Keeper
    from sidecar.session.live import Session


P = ParamSpec("P")
Answer = TypeVar("Answer")

MOST_DOCUMENTS = 10
"""How many files are opened at once."""


@dataclass
class OpenRepository:
    """One open session, the `roots` (directories with a `.git`) that led to it, and what it was told.

    `published` is the Picture whose diagnostics the client has, `pictured` the last one that it got as a whole.
    `there` are the agents that were seen in each worktree, by its key; `looking` says that somebody is about to look,
    and `look_again` is what will have them looked for later.
    `sharing` has of worktrees, by key, whether several edit them, and the sessions of which a person was told.
    `history` is the stamp of the receipts, and trunk's commit, of which the client was told. `releases` are those
    that it was told of, None before the first look. `problems` are those that the log has, `logging` says that it is
    about to get more.
    """

    session: AttachedSession | Session
    roots: set[str]
    indexed: IndexedPicture | None = None
    told: dict[str, int] = field(default_factory=dict)
    due: bool = False
    published: Picture | None = None
    pictured: Picture | None = None
    drawn: asyncio.Event = field(default_factory=asyncio.Event)
    guard: Keeper | None = None
    looking: bool = False
    look_again: asyncio.TimerHandle | None = None
    there: Mapping[str, tuple[Agent, ...]] = field(default_factory=dict)
    sharing: dict[str, tuple[bool, frozenset[str]]] = field(default_factory=dict)
    history: tuple[int, str | None] | None = None
    releases: frozenset[str] | None = None
    problems: frozenset[str] = frozenset()
    logging: bool = False


@dataclass(eq=False)
class RunningOperation:
    """An operation under way: `stop` tells it to end; `token` is what the client calls it, once it shows it.

    `said` is the last thing that it said.
    """

    title: str
    stop: Event = field(default_factory=Event)
    future: Future[Any] | None = None
    token: int | str | None = None
    said: str | None = None


@dataclass
class ServerState:
    """The state of the server: what the client said, what the sessions said, and what the client was told.

    `documents` is replaced, never changed, so that an EditorView can keep it; `opened` are the paths of all that there
    were. `refused` has the failures by place, `said` what the person was told already; `alone` are the places whose
    session is to be in this process, `released` the receipts of its own releases. `trusted` is None for a client that
    knows no trust. `front` is when the window got the focus last (`time.monotonic`), 0 for never. Each that is
    `running` has a thread of `workers` to itself.
    """

    server: LanguageServer
    client: Client = field(default_factory=Client)
    trusted: bool | None = None
    front: float = 0.0
    settings: Mapping[str, object] | None = None
    folders: tuple[Folder, ...] = ()
    documents: Mapping[str, Document] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)
    repositories: dict[str, OpenRepository] = field(default_factory=dict)
    published: dict[str, Published] = field(default_factory=dict)
    lenses: dict[str, str | None] = field(default_factory=dict)
    refused: dict[str, Failure] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)
    alone: set[str] = field(default_factory=set)
    released: set[str] = field(default_factory=set)
    reopen: bool = False
    settling: bool = False
    shut_down: bool = False
    ended: bool = False
    temporary: Path | None = None
    stamps: count[int] = field(default_factory=lambda: count(1))
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(4, "sidecar-lsp"))
    workers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8, "sidecar-operation"))
    running: set[RunningOperation] = field(default_factory=set)
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    without: asyncio.Event = field(default_factory=asyncio.Event)
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    pictures: asyncio.Event = field(default_factory=asyncio.Event)
    drawn: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)


async def in_pool(state: ServerState, work: Callable[P, Answer], *args: P.args, **kwargs: P.kwargs) -> Answer:
    """Do work that may take a while beside the loop."""
    return await asyncio.get_running_loop().run_in_executor(state.pool, lambda: work(*args, **kwargs))


def start_task(state: ServerState, work: Coroutine[Any, Any, Answer]) -> asyncio.Task[Answer]:
    """Let work go on by itself until the server ends."""
    task = asyncio.get_running_loop().create_task(work)
    state.tasks.add(task)
    task.add_done_callback(state.tasks.discard)
    return task


def view_of(state: ServerState, repository: OpenRepository | None) -> EditorView | None:
    """Give the moment as it is now in a repository; None before its first Picture."""
    if repository is None or repository.indexed is None:
        return None
    show = str(repository.session.settings["show"])
    return EditorView(repository.indexed, state.documents, state.folders, state.client, show)


def owner(state: ServerState, root: str | None) -> OpenRepository | None:
    """Give the open repository that a directory with a `.git` belongs to."""
    for repository in state.repositories.values():
        if root in repository.roots:
            return repository
        states = repository.indexed.picture.worktrees if repository.indexed else ()
        if any(one.worktree.key == root for one in states):
            return repository
    return None


CONSENT = "sidecar/consent"
"""The request that asks a person for consent; the answer is the button that was chosen, or null."""


def say(state: ServerState, message: str, kind: MessageType = MessageType.Info) -> None:
    """Show the person one sentence."""
    state.server.window_show_message(ShowMessageParams(kind, escape_lines(message)))


_TEXTS = ("name", "description", "detail")
"""What is shown of a row."""


async def ask(
    state: ServerState,
    kind: MessageType,
    text: str,
    buttons: Sequence[tuple[str, Answer]],
    *,
    consent: bool = False,
    allows: Sequence[str] = (),
) -> Answer | None:
    """Ask the person, and give what stands behind the button that was chosen; None for none.

    A `consent` to what a person has just asked for goes by `sidecar/consent` to a client that has a dialog for it: a
    message goes away by itself in some editors, and is not shown at all while nobody wants to be disturbed. What it
    `allows` goes along, a sentence for each finding.

    A client sends back nothing but the words on the button, so that two with the same words get numbers.
    """
    by_title: dict[str, Answer] = {}
    for title, answer in buttons:
        taken = sum(known == title or known.startswith(f"{title} (") for known in by_title)
        by_title[f"{title} ({taken + 1})" if title in by_title else title] = answer
    if consent and state.client.consents:
        wish = {
            "message": escape_lines(text),
            "warning": kind is MessageType.Warning,
            "actions": list(by_title),
            "allows": [escape_lines(one) for one in allows],
        }
        return by_title.get(str(await state.server.protocol.send_request_async(CONSENT, wish)))
    actions = [MessageActionItem(title) for title in by_title]
    params = ShowMessageRequestParams(kind, escape_lines(text), actions)
    chosen = await state.server.window_show_message_request_async(params)
    return None if chosen is None else by_title.get(chosen.title)


async def ask_which(state: ServerState, title: str, action: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Ask for consent to some of the rows of a plan, at a client that takes `sidecar/consent`; gives the rows' keys."""
    escaped = [{name: escape(text) if name in _TEXTS else text for name, text in row.items()} for row in rows]
    wish = {"message": escape(title), "warning": False, "actions": [action], "allows": [], "rows": escaped}
    answer = await state.server.protocol.send_request_async(CONSENT, wish)
    return [str(key) for key in answer] if isinstance(answer, list | tuple) else []


NOTICE = "sidecar/notice"
"""The notification with a `message` that is only listed, to a client that asked for pictures."""


def note(state: ServerState, message: str) -> None:
    """Have a sentence where a person finds it who looks, and nowhere else."""
    log(state, message)
    if state.client.picture:
        state.server.protocol.notify(NOTICE, {"message": escape_lines(message)})


def is_quiet(repository: OpenRepository) -> bool:
    """Tell whether nothing is to be said by itself that is not about a loss."""
    return repository.session.settings["quiet"] is True


def show_documents(state: ServerState, documents: Sequence[Path]) -> None:
    """Show the files that a person has to look at now, the first one in front."""
    if state.client.show_document:
        for path in reversed(documents[:MOST_DOCUMENTS]):
            uri = file_uri(str(path), state.folders)
            state.server.window_show_document(ShowDocumentParams(uri, take_focus=True))


def log(state: ServerState, message: str, kind: MessageType = MessageType.Info) -> None:
    """Write one sentence to the client's log."""
    state.server.window_log_message(LogMessageParams(kind, escape(message)))


@contextmanager
def logging_errors(state: ServerState, what: str) -> Iterator[None]:
    """Log what should not happen inside of this, and go on behind it."""
    try:
        yield
    except Exception as error:
        log_error(state, what, error)


def log_error(state: ServerState, what: str, error: BaseException) -> None:
    """Log one sentence about something that should not have happened, with the line of ours where it did."""
    frames = extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    log(state, f"{what} failed: {type(error).__name__}: {error}{where}.", MessageType.Error)
