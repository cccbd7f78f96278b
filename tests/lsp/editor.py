"""A language client that remembers what it was told, and drives a real server over its pipes."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, Union

from cattrs import Converter
from lsprotocol import types
from lsprotocol.converters import get_converter
from pygls.exceptions import JsonRpcException
from pygls.protocol import default_converter
from pytest_lsp import LanguageClient

from tests.git.leaving import eventually

T = TypeVar("T")
SECONDS = 40.0
COMMAND = (sys.executable, "-m", "sidecar", "serve")

CAPABILITIES: dict[str, Any] = {
    "general": {"positionEncodings": ["utf-16"]},
    "workspace": {
        "workspaceFolders": True,
        "configuration": True,
        "workspaceEdit": {"documentChanges": True},
        "codeLens": {"refreshSupport": True},
    },
    "textDocument": {
        "publishDiagnostics": {"relatedInformation": True, "codeDescriptionSupport": True, "versionSupport": True},
        "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix"]}}},
        "hover": {"contentFormat": ["markdown", "plaintext"]},
    },
    "window": {"showDocument": {"support": True}},
}


def converter() -> Converter:
    """pygls's own, but for code actions: it takes any that has a command for a bare Command."""
    own: Converter = default_converter()  # type: ignore[no-untyped-call]

    def structure(given: Any, _type: object) -> types.Command | types.CodeAction:
        bare = isinstance(given.get("command"), str)
        return own.structure(given, types.Command) if bare else own.structure(given, types.CodeAction)

    own.register_structure_hook(Union[types.Command, types.CodeAction], structure)  # noqa: UP007 (as lsprotocol names it)
    return own


class Editor:
    """What a person would see: diagnostics by path, messages, the log, documents that were shown."""

    def __init__(self, client: LanguageClient) -> None:
        self.client = client
        self.published: dict[str, types.PublishDiagnosticsParams] = {}
        self.pictures: list[Any] = []
        self.histories: list[Any] = []
        self.results: list[Any] = []
        self.listed: list[str] = []
        self.settled: list[list[str]] = []
        self.closed: list[str] = []
        self.copied: list[str] = []
        self.messages: list[str] = []
        self.questions: list[list[str]] = []
        self.asked: list[str] = []
        self.answers: list[str | None] = []
        self.tokens: list[int | str] = []
        self.progress: list[Any] = []
        self.logged: list[str] = []
        self.shown: list[str] = []
        self.texts: dict[str, tuple[int, str]] = {}
        self.capabilities: types.ServerCapabilities | None = None
        self.settings: Mapping[str, object] | None = None
        self._news = asyncio.Event()
        self._listen()

    def _listen(self) -> None:
        def on(method: str, take: Callable[[Any], Any]) -> None:
            def taken(params: Any) -> Any:
                answer = take(params)
                self._news.set()
                return answer

            self.client.feature(method)(taken)

        on(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, lambda params: self.published.__setitem__(params.uri, params))
        on("sidecar/picture", self.pictures.append)
        on("sidecar/history", self.histories.append)
        on("sidecar/result", self.results.append)
        on("sidecar/notice", lambda params: self.listed.append(params.message))
        on("sidecar/settled", lambda params: self.settled.append(list(params.repositories)))
        on("sidecar/closed", lambda params: self.closed.append(params.repository))
        on("sidecar/copy", lambda params: self.copied.append(params.text))
        on(types.WINDOW_SHOW_MESSAGE, lambda params: self.messages.append(params.message))
        on(types.WINDOW_LOG_MESSAGE, lambda params: self.logged.append(params.message))
        on(types.WINDOW_SHOW_DOCUMENT, self._show)
        on(types.WINDOW_SHOW_MESSAGE_REQUEST, self._ask)
        on(types.WINDOW_WORK_DONE_PROGRESS_CREATE, lambda params: self.tokens.append(params.token))
        on(types.PROGRESS, lambda params: self.progress.append(params.value))
        on(types.WORKSPACE_CONFIGURATION, lambda params: [self.settings for _ in params.items])
        on(types.WORKSPACE_CODE_LENS_REFRESH, lambda params: None)

    def _show(self, params: types.ShowDocumentParams) -> types.ShowDocumentResult:
        self.shown.append(params.uri)
        return types.ShowDocumentResult(success=True)

    def _ask(self, params: types.ShowMessageRequestParams) -> types.MessageActionItem | None:
        self.questions.append([action.title for action in params.actions or ()])
        self.asked.append(params.message)
        if not self.answers:
            return params.actions[0] if params.actions else None
        wanted = self.answers.pop(0)
        return next((action for action in params.actions or () if action.title == wanted), None)

    async def until(self, condition: Callable[[], T], seconds: float = SECONDS) -> T:
        """Wait until something is true, looking whenever a message arrives; what it was instead if it never is.

        What belongs to it has arrived then, too: each file's diagnostics are a message of their own.
        """
        try:
            async with asyncio.timeout(seconds):
                while True:
                    self._news.clear()
                    if condition():
                        await self._hear_out()
                        if found := condition():
                            return found
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"It did not come to this. {self._all()}") from None

    async def _hear_out(self) -> None:
        """Let everything come that the server has sent so far: it tells all of a Picture before it answers anything."""
        nowhere = types.HoverParams(types.TextDocumentIdentifier("untitled:nowhere"), types.Position(0, 0))
        if not self.client.stopped:
            with suppress(RuntimeError, JsonRpcException):  # it has ended meanwhile, or does not answer any more
                await self.client.text_document_hover_async(nowhere)

    def _all(self) -> str:
        seen = {
            uri: [(d.code, d.range, d.message) for d in params.diagnostics] for uri, params in self.published.items()
        }
        return f"Published: {seen}\nMessages: {self.messages}\nLog: {self.logged}"

    def codes(self, path: Path, uri: str | None = None) -> list[tuple[str, int, int]]:
        """(code, first line, last line), from 1, of what is published for a path now."""
        params = self.published.get(uri or path.as_uri())
        return [
            (str(found.code), found.range.start.line + 1, found.range.end.line + 1)
            for found in (params.diagnostics if params else ())
        ]

    def open(self, path: Path, text: str | None = None, uri: str | None = None) -> None:
        """Open a file, with what is on disk unless another text is given."""
        uri = uri or path.as_uri()
        content = path.read_bytes().decode() if text is None else text
        self.texts[uri] = (1, content)
        item = types.TextDocumentItem(uri, "plaintext", 1, content)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def type(self, path: Path, text: str, uri: str | None = None) -> int:
        """Replace the text by typing; gives the new version."""
        uri = uri or path.as_uri()
        version = self.texts[uri][0] + 1
        self.texts[uri] = (version, text)
        identifier = types.VersionedTextDocumentIdentifier(version, uri)
        change = types.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [change]))
        return version

    def save(self, path: Path) -> None:
        """Write the text to disk, and say so."""
        path.write_bytes(self.texts[path.as_uri()][1].encode())
        identifier = types.TextDocumentIdentifier(path.as_uri())
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(identifier))

    def close(self, path: Path, uri: str | None = None) -> None:
        """Close a document."""
        identifier = types.TextDocumentIdentifier(uri or path.as_uri())
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(identifier))

    async def actions(self, path: Path, line: int) -> list[types.CodeAction]:
        """The quick fixes on a line (from 1)."""
        place = types.Range(types.Position(line - 1, 0), types.Position(line - 1, 0))
        params = self.published.get(path.as_uri())
        here = (
            [found for found in params.diagnostics if found.range.start.line <= line - 1 <= found.range.end.line]
            if params
            else []
        )
        asked = types.CodeActionParams(
            types.TextDocumentIdentifier(path.as_uri()), place, types.CodeActionContext(here)
        )
        answer = await self.client.text_document_code_action_async(asked)
        return [action for action in answer or () if isinstance(action, types.CodeAction)]

    async def commands(self, path: Path, line: int) -> dict[str, tuple[str, Any]]:
        """The quick fixes on a line (from 1) that run a command: by title, its name and its argument."""
        found = [action.command for action in await self.actions(path, line) if action.command is not None]
        return {command.title: (command.command, (command.arguments or [None])[0]) for command in found}

    async def lenses(self, path: Path) -> list[types.CodeLens]:
        """The code lenses of a file."""
        identifier = types.TextDocumentIdentifier(path.as_uri())
        return list(await self.client.text_document_code_lens_async(types.CodeLensParams(identifier)) or ())

    async def command(self, argument: object) -> Any:
        """Run `sidecar.compare`."""
        return await self.execute("sidecar.compare", argument)

    async def execute(self, command: str, *arguments: object) -> Any:
        """Run any command; questions are answered with `answers`, else with their first button."""
        params = types.ExecuteCommandParams(command, arguments=list(arguments))
        return await self.client.workspace_execute_command_async(params)

    async def request(self, method: str, params: object) -> Any:
        """Send a request that the protocol does not know."""
        return await self.client.protocol.send_request_async(method, params)  # type: ignore[no-untyped-call]

    async def kill(self) -> None:
        """End the server in the way that it can't catch."""
        assert self.client._server is not None
        self.client._server.kill()
        await self.client._server.wait()

    def cancel(self, token: int | str) -> None:
        """Press Cancel on a progress."""
        self.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))

    def apply(self, edit: types.WorkspaceEdit) -> None:
        """Do what a quick fix says, as an editor does."""
        for change in edit.document_changes or ():
            assert isinstance(change, types.TextDocumentEdit)
            uri = change.text_document.uri
            version, text = self.texts[uri]
            assert change.text_document.version == version
            for one in change.edits:
                assert isinstance(one, types.TextEdit)
                lines = text.splitlines(keepends=True)
                start = sum(map(len, lines[: one.range.start.line])) + one.range.start.character
                end = sum(map(len, lines[: one.range.end.line])) + one.range.end.character
                text = text[:start] + one.new_text + text[end:]
            self.type(Path(), text, uri=uri)


async def appears(path: Path) -> None:
    """Wait until a file is there, of which no message tells."""
    await asyncio.to_thread(eventually, path.exists)


@asynccontextmanager
async def editing(
    *folders: Path | str,
    options: object = MappingProxyType({}),
    capabilities: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    settings: Mapping[str, object] | None = None,
) -> AsyncIterator[Editor]:
    """An editor on these folders (paths or URIs), with a server of its own that has to end well.

    It asks for pictures and outcomes, unless `options` say otherwise, and for every overlap, unless `settings` do.
    """
    client = LanguageClient(converter_factory=converter)
    editor = Editor(client)
    editor.settings = {"show": "everything"} if settings is None else settings
    asked = {"picture": True, "waits": True, **options} if isinstance(options, Mapping) else options
    await client.start_io(*COMMAND, env={**os.environ, **(env or {})})
    answer = await client.initialize_session(
        initialize_params(folders, asked, {**CAPABILITIES, **(capabilities or {})})
    )
    editor.capabilities = answer.capabilities
    process = client._server  # pytest-lsp has no other way to it
    assert process is not None
    try:
        yield editor
    finally:
        if process.returncode is None:
            with suppress(TimeoutError):
                await asyncio.wait_for(client.shutdown_session(), SECONDS)
        ended = process.returncode
        if ended is None:
            process.kill()
        await client.stop()  # type: ignore[no-untyped-call]
    assert ended == 0, f"The server ended with {ended}."


def initialize_params(
    folders: Iterable[Path | str], options: object, capabilities: Mapping[str, Any]
) -> types.InitializeParams:
    """What an editor says first."""
    uris = [folder if isinstance(folder, str) else folder.as_uri() for folder in folders]
    given = {
        "processId": os.getpid(),
        "rootUri": None,
        "capabilities": json.loads(json.dumps(capabilities)),
        "initializationOptions": options,
        "workspaceFolders": [{"uri": uri, "name": uri.rpartition("/")[2]} for uri in uris],
    }
    params: types.InitializeParams = get_converter().structure(given, types.InitializeParams)
    return params
