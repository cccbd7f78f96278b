"""The least that an editor does with the server, over stdio."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from lsprotocol import types
from pygls.lsp.client import LanguageClient

_ANSWER_SECONDS = 30
logging.getLogger("pygls").setLevel(logging.ERROR)  # it warns of each notification that nobody listens to


class _Client(LanguageClient):
    """Keeps the first diagnostics, and fails at once when the server ends before it was asked to."""

    def __init__(self) -> None:
        super().__init__("worktree-sidecar-check", "1")
        first: asyncio.Future[types.PublishDiagnosticsParams] = asyncio.get_running_loop().create_future()

        def published(params: types.PublishDiagnosticsParams) -> None:
            if params.diagnostics and not first.done():
                first.set_result(params)

        self.first = first
        self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(published)

    async def server_exit(self, server: asyncio.subprocess.Process) -> None:
        if not self.first.done():
            said = await server.stderr.read() if server.stderr else b""
            self.first.set_exception(RuntimeError(f"The server ended with {server.returncode}: {said.decode()}"))

    def end(self) -> None:
        """Kill the server if it still runs."""
        if self._server and self._server.returncode is None:
            self._server.kill()


def first_diagnostics(
    command: Sequence[str | Path], folder: Path, env: Mapping[str, str] | None = None
) -> types.PublishDiagnosticsParams:
    """Start a server on a folder, wait for the first file with a diagnostic, and end it as the protocol says.

    TimeoutError when that takes more than 30 seconds; RuntimeError when the server ends before.
    """
    return asyncio.run(_converse([str(part) for part in command], folder, env))


async def _converse(
    command: Sequence[str], folder: Path, env: Mapping[str, str] | None
) -> types.PublishDiagnosticsParams:
    client = _Client()
    params = types.InitializeParams(
        capabilities=types.ClientCapabilities(),
        root_uri=folder.as_uri(),
        workspace_folders=[types.WorkspaceFolder(uri=folder.as_uri(), name=folder.name)],
        initialization_options={"trusted": False, "settings": {}},
    )
    await client.start_io(*command, env=env)
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            await client.initialize_async(params)
            client.initialized(types.InitializedParams())
            found = await client.first
            await client.shutdown_async(None)
            client.exit(None)
            await client.stop()  # type: ignore[no-untyped-call]
    finally:
        client.end()
    return found
