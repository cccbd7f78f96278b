"""Agents that edit, seen from an editor: who is there, and a way out where two of them edit one worktree."""

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from sidecar.operations.presence import Agent, speak
from tests.harness import git, write
from tests.lsp.editor import Editor, editing

pytestmark = pytest.mark.asyncio

GIVE = "Give One of Them a Worktree"


def edits(base: Path, worktree: Path, name: str, client: str = "Codex") -> None:
    """Have an agent write a file and its client's hook announce that."""
    write(worktree, {f"{name}.txt": f"{time.time_ns()}\n"})
    speak(str(base / ".git"), Agent(client, name, "", str(worktree), time.time(), time.time()), ())


def there(editor: Editor, name: str) -> list[Any]:
    worktrees = editor.pictures[-1].worktrees if editor.pictures else ()
    return [agent.client for one in worktrees if one.name == name for agent in one.agents]


async def test_two_that_edit_one_worktree_are_told_of_once_and_one_is_given_another(base: Path, theirs: Path) -> None:
    async with editing(base) as editor:
        editor.answers = [GIVE]
        for name in ("one", "two", "one"):
            edits(base, theirs, name)
        await editor.until(lambda: any("is open in" in message for message in editor.messages))
        await editor.until(lambda: len(editor.asked) == 2)
        asked, tell = editor.asked
        assert asked == "Two sessions of Codex edit theirs, and may write over each other."
        path = base.parent / "repo.worktrees" / "theirs-2"
        assert git(path, "branch", "--show-current") == "theirs-2"
        told = f"Another agent edits {theirs}. From now on work only in {path}."
        assert editor.copied == [told] and tell == f"Tell one of them (it is on the clipboard): {told}"
        edits(base, theirs, "two")
        edits(base, path, "three", "Gemini CLI")
        await editor.until(lambda: there(editor, "theirs-2") == ["Gemini CLI"])
        assert len(editor.asked) == 2


async def test_who_joins_two_that_edit_one_worktree_makes_no_second_notice(base: Path, theirs: Path) -> None:
    async with editing(base) as editor:
        editor.answers = ["Dismiss", "Dismiss", "Dismiss"]
        for name in ("one", "two", "one"):
            edits(base, theirs, name)
        await editor.until(lambda: len(editor.asked) == 1)
        for name in ("three", "two", "three", "one"):
            edits(base, theirs, name)
        await editor.until(lambda: len(there(editor, "theirs")) == 3)
        for name in ("four", "five", "four"):
            edits(base, base, name)
        await editor.until(lambda: any("edit repo" in asked for asked in editor.asked))
        assert [asked.split(",")[0] for asked in editor.asked] == [
            "Two sessions of Codex edit theirs",
            "Two sessions of Codex edit repo",
        ]


async def test_one_that_has_only_a_process_is_shown_until_that_ends(base: Path, theirs: Path, tmp_path: Path) -> None:
    """Its end makes no new Picture."""
    program = tmp_path / "codex"
    shutil.copy(shutil.which("cat") or "/bin/cat", program)
    with subprocess.Popen([program], cwd=theirs, stdin=subprocess.PIPE) as process:
        async with editing(base) as editor:
            await editor.until(lambda: there(editor, "theirs") == ["Codex"])
            process.kill()
            process.wait()
            await editor.until(lambda: there(editor, "theirs") == [])
            assert editor.asked == []


async def test_one_that_edits_alone_is_shown_and_nobody_is_asked(base: Path, theirs: Path) -> None:
    async with editing(base) as editor:
        edits(base, theirs, "one")
        await editor.until(lambda: there(editor, "theirs") == ["Codex"])
        assert editor.asked == []
