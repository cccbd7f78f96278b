"""The language server: which handler answers what. A handler works on the Scene of its moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from lsprotocol import types
from pygls.exceptions import FeatureRequestError, JsonRpcException, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol

from sidecar import __version__
from sidecar.lsp.asked import Asked
from sidecar.lsp.client import SECTION, read_client, read_options, read_section
from sidecar.lsp.code_actions import code_actions
from sidecar.lsp.code_lens import code_lenses
from sidecar.lsp.commands import COMMANDS
from sidecar.lsp.documents import Document, change_document, open_document, repository_root
from sidecar.lsp.door import Door, in_pool, log_error, owner, scene_of
from sidecar.lsp.ending import CLOSING_SECONDS, watch_for_end
from sidecar.lsp.folders import close, keep_sessions, read_folders, retry, tell_documents
from sidecar.lsp.hover import hover
from sidecar.lsp.picture import PICTURE, keep_picturing
from sidecar.lsp.plans import PLAN, answer_plan
from sidecar.lsp.progress import stop_all
from sidecar.lsp.publisher import keep_publishing
from sidecar.lsp.scene import Scene

T = TypeVar("T")
SYNCHRONIZED = (types.TEXT_DOCUMENT_DID_OPEN, types.TEXT_DOCUMENT_DID_CHANGE, types.TEXT_DOCUMENT_DID_CLOSE)


class _Protocol(LanguageServerProtocol):
    """pygls's protocol, but a picture is not converted: it is made of plain values, and can be large."""

    def get_message_type(self, method: str) -> type[Any] | None:  # type: ignore[override]
        """The class of a message."""
        return dict if method == PICTURE else super().get_message_type(method)


class Server(LanguageServer):
    """pygls's server, but what goes wrong inside goes to the log, not into the person's face."""

    def report_server_error(self, error: Exception, source: type[Exception]) -> None:
        """Log one sentence. A request that fails has an answer that says why."""
        if source is not FeatureRequestError:
            message = f"A message could not be handled: {type(error).__name__}."
            self.window_log_message(types.LogMessageParams(types.MessageType.Error, message))


def create_door() -> Door:
    """A server with every handler in place, not yet started."""
    server = Server("sidecar", __version__, types.TextDocumentSyncKind.Incremental, protocol_cls=_Protocol)
    for method in (*SYNCHRONIZED, types.WORKSPACE_EXECUTE_COMMAND):
        server.protocol.fm.builtin_features.pop(method)
    door = Door(server)
    now: dict[str, Callable[[Door, Any], None]] = {
        types.INITIALIZE: initialize,
        types.INITIALIZED: initialized,
        types.TEXT_DOCUMENT_DID_OPEN: did_open,
        types.TEXT_DOCUMENT_DID_CHANGE: did_change,
        types.TEXT_DOCUMENT_DID_CLOSE: did_close,
        types.TEXT_DOCUMENT_DID_SAVE: did_save,
        types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: did_change_folders,
        types.WORKSPACE_DID_CHANGE_CONFIGURATION: did_change_configuration,
    }
    for method, handler in now.items():
        server.feature(method)(_guard(door, method, handler))
    actions = types.CodeActionOptions([types.CodeActionKind.QuickFix])
    server.feature(types.TEXT_DOCUMENT_CODE_ACTION, actions)(_answer(door, "The quick fixes", answer_code_action))
    server.feature(types.TEXT_DOCUMENT_HOVER)(_answer(door, "The hover", answer_hover))
    server.feature(types.TEXT_DOCUMENT_CODE_LENS)(_answer(door, "The code lens", answer_code_lens))
    server.feature(types.SHUTDOWN)(_answer(door, "The shutdown", shut_down))
    for name in COMMANDS:
        server.command(name)(_unheard)
    server.feature(types.WORKSPACE_EXECUTE_COMMAND)(_answer(door, "The command", answer_command))
    server.feature(PLAN)(_answer(door, "The plan", answer_plan))
    return door


def _guard(door: Door, what: str, handler: Callable[[Door, Any], None]) -> Callable[[Any], None]:
    def guarded(params: Any = None) -> None:
        try:
            handler(door, params)
        except Exception as error:
            log_error(door, what, error)

    return guarded


def _answer(
    door: Door, what: str, handler: Callable[[Door, Any], Awaitable[T]]
) -> Callable[[Any], Awaitable[T | None]]:
    async def answered(params: Any = None) -> T | None:
        try:
            return await handler(door, params)
        except JsonRpcException:
            raise
        except Exception as error:
            log_error(door, what, error)
            return None

    return answered


def _unheard() -> None:
    """Stands for a command in what the server says that it can; `answer_command` is what answers."""


def initialize(door: Door, params: types.InitializeParams) -> None:
    """Note what the client is; nothing is opened before it has its answer."""
    encoding = door.server.workspace.position_encoding or types.PositionEncodingKind.Utf16
    door.client = read_client(params, getattr(encoding, "value", encoding))
    door.trusted, door.settings = read_options(params)
    door.folders = read_folders(params.workspace_folders or (), params.root_uri)


def initialized(door: Door, _params: types.InitializedParams) -> None:
    """Start to work: from now on sessions are opened, and Pictures published."""
    _start(door, keep_publishing(door))
    _start(door, keep_picturing(door))
    _start(door, _begin(door))
    watch_for_end(door)


async def _begin(door: Door) -> None:
    if door.settings is None and door.client.configuration:
        door.settings = await _pull_settings(door)
    door.moved.set()
    await keep_sessions(door)


def _start(door: Door, work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.get_running_loop().create_task(work)
    door.tasks.add(task)
    task.add_done_callback(door.tasks.discard)


async def _pull_settings(door: Door) -> Mapping[str, object] | None:
    items = [types.ConfigurationItem(section=SECTION)]
    try:
        answer = await door.server.workspace_configuration_async(types.ConfigurationParams(items))
    except Exception as error:
        log_error(door, "Asking for settings", error)
        return None
    return answer[0] if answer and isinstance(answer[0], Mapping) else None


def did_open(door: Door, params: types.DidOpenTextDocumentParams) -> None:
    """A document of a worktree, or of none: both are fine."""
    document = open_document(params.text_document, next(door.stamps))
    if document is not None:
        _put(door, document)
        retry(door, document.path)


def did_change(door: Door, params: types.DidChangeTextDocumentParams) -> None:
    """Pass the text on as it is typed."""
    before = door.documents.get(params.text_document.uri)
    if before is not None:
        version, stamp = params.text_document.version, next(door.stamps)
        _put(door, change_document(before, params.content_changes, version, stamp, door.client.encoding))


def did_close(door: Door, params: types.DidCloseTextDocumentParams) -> None:
    """The file on disk counts again; what nobody needs any more is closed."""
    if params.text_document.uri in door.documents:
        door.documents = {uri: held for uri, held in door.documents.items() if uri != params.text_document.uri}
        door.moved.set()


def did_save(door: Door, params: types.DidSaveTextDocumentParams) -> None:
    """The text is what is on disk now; and a folder may have become a repository in the meantime."""
    document = door.documents.get(params.text_document.uri)
    if document is not None:
        root = document.root or repository_root(document.path)
        _put(door, replace(document, root=root, stamp=next(door.stamps), edited=False))
        retry(door, document.path)


def _put(door: Door, document: Document) -> None:
    door.documents = {**door.documents, document.uri: document}
    repository = owner(door, document.root)
    if repository is not None:
        tell_documents(door, repository)


def did_change_folders(door: Door, _params: types.DidChangeWorkspaceFoldersParams) -> None:
    """Open and close to match the folders that there are now."""
    door.folders = read_folders(door.server.workspace.folders.values())
    door.moved.set()


def did_change_configuration(door: Door, params: types.DidChangeConfigurationParams) -> None:
    """Work on with the new settings, which the client sends, or lets us ask for."""
    section = read_section(params.settings)
    if section is not None:
        _use_settings(door, section)
    elif door.client.configuration:
        _start(door, _pull_again(door))


async def _pull_again(door: Door) -> None:
    settings = await _pull_settings(door)
    if settings is not None:
        _use_settings(door, settings)


def _use_settings(door: Door, settings: Mapping[str, object]) -> None:
    if settings != (door.settings or {}):
        door.settings, door.reopen = settings, True
        door.moved.set()


async def answer_code_action(
    door: Door, params: types.CodeActionParams
) -> list[types.CodeAction | types.Command] | None:
    """The quick fixes of a range."""
    scene, document = _moment(door, params.text_document.uri)
    return await in_pool(door, code_actions, scene, document, params) if scene and document else None


async def answer_hover(door: Door, params: types.HoverParams) -> types.Hover | None:
    """The other side's diff at a position."""
    scene, document = _moment(door, params.text_document.uri)
    return await in_pool(door, hover, scene, document, params.position) if scene and document else None


async def answer_code_lens(door: Door, params: types.CodeLensParams) -> list[types.CodeLens] | None:
    """Who else changed the file."""
    scene, document = _moment(door, params.text_document.uri)
    return code_lenses(scene, document) if scene and document else None


async def answer_command(door: Door, params: types.ExecuteCommandParams) -> Any:
    """Do what a command says; unlike with pygls's own handler, it can be cancelled and brings the client's token."""
    command = COMMANDS.get(params.command)
    if command is None:
        raise JsonRpcInvalidParams(f"There is no command {params.command}.")
    return await command(door, Asked(tuple(params.arguments or ()), params.work_done_token))


def _moment(door: Door, uri: str) -> tuple[Scene | None, Document | None]:
    document = door.documents.get(uri)
    return scene_of(door, owner(door, document.root) if document else None), document


async def shut_down(door: Door, _params: None) -> None:
    """Let go of everything; the client says `exit` next."""
    door.shut_down = door.ended = True
    works = [asyncio.wrap_future(running) for running in stop_all(door)]
    if works:
        await asyncio.wait(works, timeout=CLOSING_SECONDS)
    for task in list(door.tasks):
        task.cancel()
    await close(door, list(door.repositories))
