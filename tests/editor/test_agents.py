"""Agents beside an editor: told of where two write in one directory, and offered the answers over MCP."""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from scripts.editor.codeserver import CodeServer, code_server
from scripts.editor.processes import wait_until
from scripts.editor.workbench import (
    answer_notification,
    notifications,
    open_workbench,
    pick,
    picker_rows,
    run_command,
    wait_for_message,
)
from scripts.package import package
from scripts.steps import ROOT
from tests.editor.conftest import Shoot, bare_environment
from tests.harness import add_worktree, commit, git, init, write

_SERVER_SECONDS = 60

AGENT = """
import json, subprocess, sys
from pathlib import Path
client, session = sys.argv[1:]
for line in sys.stdin:
    tool, name = line.split()
    path = Path.cwd() / name
    path.read_text() if "ead" in tool else path.write_text(line)
    common = {"session_id": session, "transcript_path": "/t", "cwd": str(Path.cwd()), "hook_event_name": "PostToolUse"}
    said = json.dumps({**common, "tool_name": tool, "tool_input": {"file_path": str(path)}}).encode()
    subprocess.run([sys.executable, "-m", "sidecar", "hook", "--client", client], input=said, check=True)
    print("done", flush=True)
"""
"""Uses a tool on a file for each line that it gets, and calls the hook as its client does after it."""


@pytest.fixture
def feat(tmp_path: Path) -> Path:
    """A worktree `feat` of a repository with one file."""
    main = init(tmp_path / "shop")
    commit(main, {"a.txt": "one\ntwo\nthree\n"}, "Begin")
    return add_worktree(main, "feat")


@contextmanager
def agent(folder: Path, client: str, session: str) -> Iterator[subprocess.Popen[str]]:
    """An agent's process that stands in a folder until the block ends."""
    command = [sys.executable, "-c", AGENT, client, session]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, env=environment, stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        process.stdin.close()  # type: ignore[union-attr]


def uses(process: subprocess.Popen[str], tool: str, name: str) -> None:
    """Have an agent use a tool, and wait until its hook has ended."""
    process.stdin.write(f"{tool} {name}\n")  # type: ignore[union-attr]
    process.stdin.flush()  # type: ignore[union-attr]
    while (said := process.stdout.readline()) and not said.endswith("done\n"):  # type: ignore[union-attr]
        pass  # what the hook has told the agent, with or without a line end
    assert said


def test_two_that_write_in_one_directory_are_told_of_and_who_reads_there_is_not(
    page: Page, editor: CodeServer, feat: Path, shoot: Shoot
) -> None:
    open_workbench(page, editor, feat, feat / "a.txt")
    with (
        agent(feat, "claude", "one") as one,
        agent(feat, "qwen", "two") as two,
        agent(feat, "gemini", "reader") as reader,
    ):
        uses(one, "Write", "one.txt")
        for _ in range(2):
            uses(reader, "read_file", "a.txt")
            uses(two, "write_file", "two.txt")
            uses(one, "Write", "one.txt")
    said = notifications(page).filter(
        has_text=re.compile(
            "(Claude Code and Qwen|Qwen Code and Claude) Code both edit feat, and may write over each other"
        )
    )
    expect(said).to_be_visible()
    expect(notifications(page)).to_have_count(1)
    shoot("two-agents")
    answer_notification(page, "Give One of Them a Worktree")
    wait_for_message(page, "Tell one of them (it is on the clipboard)")
    assert git(feat.parent / "shop.worktrees" / "feat-2", "branch", "--show-current") == "feat-2"


def test_the_editors_agents_are_offered_the_answers_over_mcp(page: Page, feat: Path, tmp_path: Path) -> None:
    """By the server in the VSIX, in a machine without any other."""
    write(feat, {"a.txt": "one\nOURS\nthree\n"})
    home = tmp_path / "editor"
    home.mkdir()
    with code_server(
        home / "code-server", package(), {"chat.disableAIFeatures": False}, bare_environment(home)
    ) as editor:
        open_workbench(page, editor, feat, feat / "a.txt")
        run_command(page, "MCP: List Servers")
        expect(picker_rows(page).filter(has_text="Worktree Sidecar")).to_be_visible()
        pick(page, "Worktree Sidecar")
        pick(page, "Start Server")
        wait_until("the server for MCP", lambda: _is_served(editor) or None, _SERVER_SECONDS)
        run_command(page, "MCP: List Servers")
        expect(picker_rows(page).filter(has_text="Worktree Sidecar").filter(has_text="Running")).to_be_visible()


def _is_served(editor: CodeServer) -> bool:
    """Whether the VSIX's own program serves MCP for this editor."""
    for process in psutil.Process(editor.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.name() == "sidecar" and process.cmdline()[1:] == ["mcp"]:
                return True
    return False
