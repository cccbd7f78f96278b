"""Windows that share a session: each shows what it should, whatever becomes of the session's process."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.git.leaving import eventually
from tests.lsp.editor import Editor, editing
from tests.lsp.texts import TEXT
from tests.session.attaching import is_nothing_left, session_processes

pytestmark = pytest.mark.asyncio


def told(editor: Editor, path: Path) -> list[tuple[str, int]]:
    """Each diagnostic of a file: its code and its first line."""
    published = editor.published.get(path.as_uri())
    return sorted((str(one.code), one.range.start.line) for one in published.diagnostics) if published else []


async def test_windows_share_a_session_and_go_on_when_it_is_killed(mine: Path, theirs: Path) -> None:
    (theirs / "a.txt").write_text(TEXT.replace("line 5\n", "theirs\n"))
    async with editing(mine) as one, editing(theirs) as two:
        one.open(mine / "a.txt", TEXT)
        one.type(mine / "a.txt", TEXT.replace("line 5\n", "typed\n"))
        two.open(theirs / "a.txt", (theirs / "a.txt").read_text())
        await one.until(lambda: told(one, mine / "a.txt") == [("conflict", 4)])
        await two.until(lambda: told(two, theirs / "a.txt") == [("conflict", 4)])
        for line in (8, 12, 15):
            (killed,) = session_processes()
            os.kill(killed, signal.SIGKILL)
            (theirs / "a.txt").write_text(TEXT.replace(f"line {line}\n", "theirs\n"))
            one.type(mine / "a.txt", TEXT.replace(f"line {line}\n", "typed\n"))
            two.type(theirs / "a.txt", (theirs / "a.txt").read_text())
            await one.until(lambda line=line: told(one, mine / "a.txt") == [("conflict", line - 1)])  # type: ignore[misc]
            await two.until(lambda line=line: told(two, theirs / "a.txt") == [("conflict", line - 1)])  # type: ignore[misc]
            assert len(session_processes()) == 1
            assert await one.actions(mine / "a.txt", line)
    await asyncio.to_thread(eventually, is_nothing_left)


async def test_off_keeps_the_session_in_the_server(mine: Path, theirs: Path) -> None:
    for worktree, text in ((mine, "mine"), (theirs, "theirs")):
        (worktree / "a.txt").write_text(TEXT.replace("line 5\n", f"{text}\n"))
    async with editing(mine, env={"SIDECAR_SESSION": "off"}) as editor:
        await editor.until(lambda: told(editor, mine / "a.txt") == [("conflict", 4)])
        assert session_processes() == []


async def test_without_a_place_to_listen_the_server_keeps_the_session_and_logs_why(
    mine: Path, theirs: Path, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (home / ".cache").write_text("no directory")
    for worktree, text in ((mine, "mine"), (theirs, "theirs")):
        (worktree / "a.txt").write_text(TEXT.replace("line 5\n", f"{text}\n"))
    async with editing(mine) as editor:
        await editor.until(lambda: told(editor, mine / "a.txt") == [("conflict", 4)])
        await editor.until(lambda: any("keeps a session of its own" in line for line in editor.logged))
        assert editor.messages == []
    assert capfd.readouterr().err == ""
