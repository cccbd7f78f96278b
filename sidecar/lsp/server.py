"""Define the language server, and serve it on standard input and output: which handler answers what.

A handler works on the EditorView of its moment, so that it never sees half of a change.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, BinaryIO, TypeVar

from lsprotocol import types
from pygls.exceptions import FeatureRequestError, JsonRpcException, JsonRpcInvalidParams, JsonRpcInvalidRequest
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.json_rpc import RPCRequest

from sidecar import __version__
from sidecar.lsp.client import SECTION, read_client, read_options, read_section
from sidecar.lsp.code_actions import code_actions
from sidecar.lsp.code_lens import code_lenses
from sidecar.lsp.commands.flow import stop_all
from sidecar.lsp.commands.table import COMMANDS, PLAN, answer_plan
from sidecar.lsp.documents import Document, change_document, open_document, repository_root
from sidecar.lsp.editor_view import EditorView
from sidecar.lsp.hover import hover
from sidecar.lsp.publisher import PICTURE, keep_picturing, keep_publishing
from sidecar.lsp.repositories import (
    await_repositories,
    close,
    come_to_front,
    keep_sessions,
    read_folders,
    retry,
    tell_documents,
)
from sidecar.lsp.results import HISTORY
from sidecar.lsp.shutdown import CLOSING_SECONDS, watch_for_end
from sidecar.lsp.state import ServerState, in_pool, log_error, logging_errors, owner, start_task, view_of
from sidecar.model.schema import SCHEMA
from sidecar.session.attached import AttachedSession
from sidecar.system.streams import prepare_to_serve

T = TypeVar("T")
FRONT = "sidecar/front"
"""The notification by which a client says that its window has got the focus."""
ANSWER_SECONDS = 4.0
"""How long the answer of a command waits for the outcome, where the client does not."""
RUNNING = {"schema": SCHEMA, "outcome": "running"}
"""The answer of a command whose outcome a message will tell."""
SYNCHRONIZED = (types.TEXT_DOCUMENT_DID_OPEN, types.TEXT_DOCUMENT_DID_CHANGE, types.TEXT_DOCUMENT_DID_CLOSE)


class _Protocol(LanguageServerProtocol):
    """pygls's protocol, but a picture is not converted: it is made of plain values, and can be large.

    And every request has an answer, because a client may wait for it for good.
    """

    def structure_message(self, data: dict[str, Any]) -> Any:
        """Read a message, or an object inside of one; a request that is not as the protocol says is answered so."""
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            if "method" in data and data.get("id") is not None:
                self._send_response(data["id"], None, error.to_response_error())
            raise

    def handle_message(self, message: Any) -> None:
        """Handle a message; after the shutdown a request is an error."""
        if self._shutdown and isinstance(message, RPCRequest):
            self._send_response(message.id, None, JsonRpcInvalidRequest().to_response_error())
        else:
            super().handle_message(message)

    def get_message_type(self, method: str) -> type[Any] | None:  # type: ignore[override]
        """Give the class of a message."""
        return dict if method in (PICTURE, HISTORY) else super().get_message_type(method)


class Server(LanguageServer):
    """pygls's server, but what goes wrong inside goes to the log, not into the person's face."""

    def report_server_error(self, error: Exception, source: type[Exception]) -> None:
        """Log one sentence. A request that fails has an answer that says why."""
        if source is not FeatureRequestError:
            message = f"A message could not be handled: {type(error).__name__}."
            self.window_log_message(types.LogMessageParams(types.MessageType.Error, message))


def create_server() -> ServerState:
    """Give a server with every handler in place, not yet started."""
    server = Server("sidecar", __version__, types.TextDocumentSyncKind.Incremental, protocol_cls=_Protocol)
    for method in (*SYNCHRONIZED, types.WORKSPACE_EXECUTE_COMMAND):
        server.protocol.fm.builtin_features.pop(method)
    state = ServerState(server)
    now: dict[str, Callable[[ServerState, Any], None]] = {
        types.INITIALIZE: initialize,
        types.INITIALIZED: initialized,
        types.TEXT_DOCUMENT_DID_OPEN: did_open,
        types.TEXT_DOCUMENT_DID_CHANGE: did_change,
        types.TEXT_DOCUMENT_DID_CLOSE: did_close,
        types.TEXT_DOCUMENT_DID_SAVE: did_save,
        types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: did_change_folders,
        types.WORKSPACE_DID_CHANGE_CONFIGURATION: did_change_configuration,
        FRONT: lambda state, _params: come_to_front(state),
    }
    for method, handler in now.items():
        server.feature(method)(_guard(state, method, handler))
    actions = types.CodeActionOptions([types.CodeActionKind.QuickFix])
    server.feature(types.TEXT_DOCUMENT_CODE_ACTION, actions)(_answer(state, "The quick fixes", answer_code_action))
    server.feature(types.TEXT_DOCUMENT_HOVER)(_answer(state, "The hover", answer_hover))
    server.feature(types.TEXT_DOCUMENT_CODE_LENS)(_answer(state, "The code lens", answer_code_lens))
    server.feature(types.SHUTDOWN)(_answer(state, "The shutdown", shut_down))
    for name in COMMANDS:
        server.command(name)(_unheard)
    server.feature(types.WORKSPACE_EXECUTE_COMMAND)(_answer(state, "The command", answer_command))
    server.feature(PLAN)(_answer(state, "The plan", answer_plan))
    return state


def _guard(state: ServerState, what: str, handler: Callable[[ServerState, Any], None]) -> Callable[[Any], None]:
    def guarded(params: Any = None) -> None:
        with logging_errors(state, what):
            handler(state, params)

    return guarded


def _answer(
    state: ServerState, what: str, handler: Callable[[ServerState, Any], Awaitable[T]]
) -> Callable[[Any], Awaitable[T | None]]:
    async def answered(params: Any = None) -> T | None:
        try:
            return await handler(state, params)
        except JsonRpcException:
            raise
        except Exception as error:
            log_error(state, what, error)
            return None

    return answered


def _unheard() -> None:
    """Stand for a command in what the server says that it can; `answer_command` is what answers."""


def initialize(state: ServerState, params: types.InitializeParams) -> None:
    """Note what the client is; nothing is opened before it has its answer."""
    encoding = state.server.workspace.position_encoding or types.PositionEncodingKind.Utf16
    state.client = read_client(params, getattr(encoding, "value", encoding))
    state.trusted, state.settings = read_options(params)
    state.folders = read_folders(params.workspace_folders or (), params.root_uri)


def initialized(state: ServerState, _params: types.InitializedParams) -> None:
    """Start to work: from now on sessions are opened, and Pictures published."""
    start_task(state, keep_publishing(state))
    if state.client.picture:
        start_task(state, keep_picturing(state))
    start_task(state, await_repositories(state))
    start_task(state, _begin(state))
    watch_for_end(state)


async def _begin(state: ServerState) -> None:
    if state.settings is None and state.client.configuration:
        state.settings = await _pull_settings(state)
    state.moved.set()
    await keep_sessions(state)


async def _pull_settings(state: ServerState) -> Mapping[str, object] | None:
    items = [types.ConfigurationItem(section=SECTION)]
    with logging_errors(state, "Asking for settings"):
        answer = await state.server.workspace_configuration_async(types.ConfigurationParams(items))
        return answer[0] if answer and isinstance(answer[0], Mapping) else None
    return None


def did_open(state: ServerState, params: types.DidOpenTextDocumentParams) -> None:
    """Take in a document that was opened, of a worktree or of none."""
    document = open_document(params.text_document, next(state.stamps))
    if document is not None:
        state.opened.add(document.path)
        _put(state, document)
        retry(state, document.path)


def did_change(state: ServerState, params: types.DidChangeTextDocumentParams) -> None:
    """Pass the text on as it is typed."""
    before = state.documents.get(params.text_document.uri)
    if before is not None:
        version, stamp = params.text_document.version, next(state.stamps)
        _put(state, change_document(before, params.content_changes, version, stamp, state.client.encoding))


def did_close(state: ServerState, params: types.DidCloseTextDocumentParams) -> None:
    """Let the file on disk count again, and close what nobody needs any more."""
    if params.text_document.uri in state.documents:
        state.documents = {uri: held for uri, held in state.documents.items() if uri != params.text_document.uri}
        state.moved.set()


def did_save(state: ServerState, params: types.DidSaveTextDocumentParams) -> None:
    """Note that the text is on disk now; a folder may have become a repository in the meantime."""
    document = state.documents.get(params.text_document.uri)
    if document is not None:
        root = document.root or repository_root(document.path)
        _put(state, replace(document, root=root, stamp=next(state.stamps), edited=False))
        repository = owner(state, root)
        if repository is not None and repository.guard is not None:
            repository.guard.saved(document.path)
        retry(state, document.path)


def _put(state: ServerState, document: Document) -> None:
    state.documents = {**state.documents, document.uri: document}
    repository = owner(state, document.root)
    if repository is not None:
        tell_documents(state, repository)


def did_change_folders(state: ServerState, _params: types.DidChangeWorkspaceFoldersParams) -> None:
    """Open and close to match the folders that there are now."""
    state.folders = read_folders(state.server.workspace.folders.values())
    state.moved.set()


def did_change_configuration(state: ServerState, params: types.DidChangeConfigurationParams) -> None:
    """Work on with the new settings, which the client sends, or lets us ask for."""
    section = read_section(params.settings)
    if section is not None:
        _use_settings(state, section)
    elif state.client.configuration:
        start_task(state, _pull_again(state))


async def _pull_again(state: ServerState) -> None:
    settings = await _pull_settings(state)
    if settings is not None:
        _use_settings(state, settings)


def _use_settings(state: ServerState, settings: Mapping[str, object]) -> None:
    if settings != (state.settings or {}):
        state.settings, state.reopen = settings, True
        state.moved.set()


async def answer_code_action(
    state: ServerState, params: types.CodeActionParams
) -> list[types.CodeAction | types.Command] | None:
    """Give the quick fixes of a range."""
    view, document = _moment(state, params.text_document.uri)
    return await in_pool(state, code_actions, view, document, params) if view and document else None


async def answer_hover(state: ServerState, params: types.HoverParams) -> types.Hover | None:
    """Give the other side's diff at a position."""
    view, document = _moment(state, params.text_document.uri)
    return await in_pool(state, hover, view, document, params.position) if view and document else None


async def answer_code_lens(state: ServerState, params: types.CodeLensParams) -> list[types.CodeLens] | None:
    """Say who else changed the file."""
    view, document = _moment(state, params.text_document.uri)
    return code_lenses(view, document) if view and document else None


async def answer_command(state: ServerState, params: types.ExecuteCommandParams) -> Any:
    """Do what a command says; unlike with pygls's own handler, it brings the client's token.

    A client that waits gets the outcome, and stops it all by cancelling. Of others many give up after some seconds
    (lsp-mode after 10), the person's answer to the question included: they are answered before that, and cancelling is
    theirs to do on the progress.
    """
    command = COMMANDS.get(params.command)
    if command is None:
        raise JsonRpcInvalidParams(f"There is no command {params.command}.")
    work = command(state, params)
    if state.client.waits:
        return await work
    task = start_task(state, _carry_out(state, work))
    done, _ = await asyncio.wait((task,), timeout=ANSWER_SECONDS)
    return task.result() if done else RUNNING


async def _carry_out(state: ServerState, work: Awaitable[Any]) -> Any:
    with logging_errors(state, "The command"):
        return await work
    return None


def _moment(state: ServerState, uri: str) -> tuple[EditorView | None, Document | None]:
    document = state.documents.get(uri)
    repository = owner(state, document.root) if document else None
    if repository is not None and isinstance(repository.session, AttachedSession):
        repository.session.make_sure()
    return view_of(state, repository), document


async def shut_down(state: ServerState, _params: None) -> None:
    """Let go of everything; the client says `exit` next."""
    state.shut_down = state.ended = True
    works = [asyncio.wrap_future(running) for running in stop_all(state)]
    if works:
        await asyncio.wait(works, timeout=CLOSING_SECONDS)
    for task in list(state.tasks):
        task.cancel()
    await close(state, list(state.repositories))


START_OFTEN = 5000
"""New objects after which there is a collection during the start: 550 classes of the protocol are made, each twice.

Never collecting saves no time that can be measured, and leaves 9 MB of first versions.
"""


def serve() -> int:
    """Serve until the client says `exit` or is gone; the exit status is 0 after an orderly shutdown, else 1."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    prepare_to_serve()
    reader, writer = _take_streams()
    often = gc.get_threshold()
    gc.set_threshold(START_OFTEN, *often[1:])
    from sidecar.lsp.shutdown import finish, status

    logging.getLogger("pygls").addHandler(logging.NullHandler())
    logging.getLogger("pygls").propagate = False
    state = create_server()
    gc.freeze()
    gc.set_threshold(*often)
    state.server.start_io(reader, writer)
    if not finish(state):
        os._exit(status(state))
    return status(state)


def _take_streams() -> tuple[BinaryIO, BinaryIO]:
    """Take standard input and output for the protocol alone: no library or child process can get at them any more."""
    reader, writer = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    sys.stdout.flush()
    os.dup2(2, 1)
    return reader, writer
