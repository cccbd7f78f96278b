"""How the server starts, what it survives, and how it ends."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from tests.git.leaving import eventually
from tests.harness import git
from tests.lsp.editor import COMMAND, SECONDS, editing
from tests.session.attaching import is_nothing_left

pytestmark = pytest.mark.asyncio


async def start(*command: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*(command or COMMAND), stdin=pipe, stdout=pipe, stderr=pipe)


def message(body: dict[str, Any]) -> bytes:
    content = json.dumps({"jsonrpc": "2.0", **body}).encode()
    return b"Content-Length: %d\r\n\r\n%b" % (len(content), content)


async def read(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    async with asyncio.timeout(SECONDS):
        length = 0
        while (line := await process.stdout.readline()).strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        content: dict[str, Any] = json.loads(await process.stdout.readexactly(length))
        return content


async def initialized(process: asyncio.subprocess.Process, folder: Path, parent: int | None = None) -> dict[str, Any]:
    assert process.stdin is not None
    folders = [{"uri": folder.as_uri(), "name": "folder"}]
    params: dict[str, Any] = {"processId": parent, "rootUri": None, "capabilities": {}, "workspaceFolders": folders}
    params["initializationOptions"] = {"picture": True}
    process.stdin.write(message({"id": 1, "method": "initialize", "params": params}))
    answer = await read(process)
    process.stdin.write(message({"method": "initialized", "params": {}}))
    return answer


async def ended(process: asyncio.subprocess.Process) -> int:
    async with asyncio.timeout(SECONDS):
        return await process.wait()


async def test_it_says_what_it_can(tmp_path: Path) -> None:
    async with editing(tmp_path) as editor:
        can = editor.capabilities
        assert can is not None
        assert isinstance(can.text_document_sync, types.TextDocumentSyncOptions)
        assert (can.text_document_sync.open_close, can.text_document_sync.change) == (
            True,
            types.TextDocumentSyncKind.Incremental,
        )
        assert can.execute_command_provider is not None and set(can.execute_command_provider.commands) == {
            *("sidecar.compare", "sidecar.merge", "sidecar.mergeAll", "sidecar.update", "sidecar.open", "sidecar.move"),
            *("sidecar.keep", "sidecar.intended", "sidecar.release", "sidecar.releaseAll", "sidecar.restore"),
            *("sidecar.setVerify", "sidecar.continue", "sidecar.empty"),
        }
        assert can.hover_provider and can.code_lens_provider and can.code_action_provider


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["utf-8", "utf-16"], "utf-8"),
        (["utf-32"], "utf-32"),
        (["utf-16", "utf-8"], "utf-16"),
        (["utf-7"], "utf-16"),
        (None, "utf-16"),
    ],
)
async def test_the_position_encoding_is_negotiated(tmp_path: Path, offered: list[str] | None, chosen: str) -> None:
    general = {"positionEncodings": offered} if offered else {}
    async with editing(tmp_path, capabilities={"general": general}) as editor:
        assert editor.capabilities is not None and editor.capabilities.position_encoding == chosen


async def test_libgit2_is_not_loaded_before_the_answer_to_initialize() -> None:
    done = await start(
        sys.executable, "-c", "import sys, sidecar.lsp.server; print([m for m in sys.modules if 'git2' in m])"
    )
    out, err = await done.communicate()
    assert (out.strip(), err) == (b"[]", b"")


async def test_a_folder_that_is_no_repository_is_logged_once_and_never_shown(tmp_path: Path) -> None:
    async with editing(tmp_path) as editor:
        await editor.until(lambda: f"{tmp_path} is in no git repository." in editor.logged)
        await editor.until(lambda: editor.settled == [[]])
        (tmp_path / "a.txt").write_text("a\n")
        editor.open(tmp_path / "a.txt")
        assert (
            await editor.client.text_document_hover_async(
                types.HoverParams(types.TextDocumentIdentifier((tmp_path / "a.txt").as_uri()), types.Position(0, 0))
            )
            is None
        )
        assert editor.messages == []
        assert len([line for line in editor.logged if "no git repository" in line]) == 1


async def test_a_git_that_is_not_there_is_one_sentence(repo: Path) -> None:
    async with editing(repo, env={"PATH": str(repo)}) as editor:
        await editor.until(lambda: editor.messages)
        assert len(editor.messages) == 1 and "git" in editor.messages[0].lower()
        assert "Traceback" not in "".join(editor.messages + editor.logged)
        assert await editor.command({"uri": (repo / "README.md").as_uri()}) is None


async def test_nonsense_is_logged_and_survived(repo: Path) -> None:
    process = await start()
    await initialized(process, repo)
    assert process.stdin is not None
    process.stdin.write(message({"id": 2, "method": "textDocument/hover", "params": {"textDocument": 3}}))
    process.stdin.write(b"Content-Length: 5\r\n\r\n{nope")
    process.stdin.write(
        message(
            {
                "method": "textDocument/didChange",
                "params": {"textDocument": {"uri": "file:///x", "version": 1}, "contentChanges": []},
            }
        )
    )
    process.stdin.write(
        message(
            {"id": 3, "method": "workspace/executeCommand", "params": {"command": "sidecar.compare", "arguments": [7]}}
        )
    )
    seen = [await read(process)]
    while seen[-1].get("id") != 3:
        seen.append(await read(process))
    assert seen[-1]["result"] is None
    assert sum("could not be handled" in str(line) for line in seen) == 2
    assert "Traceback" not in str(seen)
    process.stdin.write(message({"id": 4, "method": "shutdown"}))
    while seen[-1].get("id") != 4:
        seen.append(await read(process))
    process.stdin.write(message({"method": "exit"}))
    assert await ended(process) == 0
    assert process.stderr is not None and await process.stderr.read() == b""


async def test_every_request_has_an_answer(repo: Path) -> None:
    process = await start()
    await initialized(process, repo)
    assert process.stdin is not None

    async def answer(number: int, method: str, params: Any = None) -> dict[str, Any]:
        assert process.stdin is not None
        process.stdin.write(message({"id": number, "method": method, "params": params}))
        while (given := await read(process)).get("id") != number:
            pass
        return given

    for number, method in ((2, "textDocument/hover"), (3, "textDocument/definition")):
        assert (await answer(number, method, {}))["error"]["code"] == types.ErrorCodes.InvalidParams
    assert (await answer(4, "sidecar/nothing", {}))["error"]["code"] == types.ErrorCodes.MethodNotFound
    assert (await answer(5, "shutdown"))["result"] is None
    for number, method in ((6, "textDocument/hover"), (7, "shutdown")):
        params = (
            {"textDocument": {"uri": "file:///x"}, "position": {"line": 0, "character": 0}} if number == 6 else None
        )
        assert (await answer(number, method, params))["error"]["code"] == types.ErrorCodes.InvalidRequest
    process.stdin.write(message({"method": "exit"}))
    assert await ended(process) == 0


@pytest.mark.parametrize("how", ["exit without shutdown", "end of input", "SIGTERM", "SIGINT"])
async def test_it_ends_when_the_client_does(repo: Path, how: str) -> None:
    process = await start()
    await initialized(process, repo)
    assert process.stdin is not None
    if how == "exit without shutdown":
        process.stdin.write(message({"method": "exit"}))
    elif how == "end of input":
        process.stdin.close()
    else:
        while (await read(process)).get("method") != "sidecar/picture":
            pass
        process.send_signal(signal.Signals[how])
    assert await ended(process) == 1


async def test_it_ends_with_the_process_that_started_it(repo: Path) -> None:
    parent = await start(sys.executable, "-c", "input()")
    process = await start()
    await initialized(process, repo, parent.pid)
    while (await read(process)).get("method") != "sidecar/picture":
        pass
    parent.kill()
    await parent.wait()
    assert await ended(process) == 1


async def test_it_leaves_nothing_behind(repo: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    git(repo, "worktree", "add", "--quiet", "-b", "topic", "../topic")
    (repo / "README.md").write_text("# Mine\n")
    (tmp_path / "topic" / "README.md").write_text("# Theirs\n")
    before = sorted(os.listdir(repo / ".git"))
    without_guard = {"settings": {"guard": False}}  # which keeps what it saw in the repository, on purpose
    async with editing(repo, options=without_guard, env={"TMPDIR": str(scratch)}) as editor:
        await editor.until(lambda: editor.codes(repo / "README.md"))
        editor.open(tmp_path / "topic" / "README.md", "# Typed\n")
        await editor.until(lambda: editor.published.get((tmp_path / "topic" / "README.md").as_uri()))
        answer = await editor.command({"uri": (repo / "README.md").as_uri(), "worktree": "topic"})
        assert answer is not None and answer["left"].startswith(scratch.as_uri())
    await asyncio.to_thread(eventually, is_nothing_left)
    assert {path.name for path in scratch.rglob("*") if not path.is_dir()} <= {"open.lock"}
    assert sorted(os.listdir(repo / ".git")) == before, list((repo / ".git" / "sidecar").rglob("*"))
