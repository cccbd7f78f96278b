"""Opening a worktree from an editor, for a new task or for what is edited on trunk."""

from pathlib import Path

import pytest

from tests.harness import git, write
from tests.lsp.editor import editing
from tests.lsp.texts import changed

pytestmark = pytest.mark.asyncio


async def test_a_worktree_is_opened_for_a_new_task(base: Path) -> None:
    async with editing(base) as editor:
        editor.answers = ["Open"]
        opened = await editor.execute("sidecar.open", {"worktree": "task-1"})
        assert opened["outcome"] == "opened" and git(Path(opened["path"]), "branch", "--show-current") == "task-1"
        refused = await editor.execute("sidecar.open", {"worktree": "task-1", "confirmed": True})
        assert refused["outcome"] == "refused" and refused["findings"][0]["code"] == "branch-exists"


async def test_edits_on_trunk_are_moved_into_a_worktree_by_a_quick_fix(base: Path, theirs: Path) -> None:
    write(base, {"b.txt": changed(5, "on trunk\n"), "new.txt": "new\n"})
    async with editing(base) as editor:
        editor.open(base / "b.txt")
        await editor.until(lambda: editor.codes(base / "b.txt") == [("trunk-edit", 5, 5)])
        assert await editor.commands(base / "b.txt", 6) == {}
        fixes = await editor.commands(base / "b.txt", 5)
        editor.answers = ["Move"]
        moved = await editor.execute(*fixes["Move these edits off main into a new worktree"])
        assert moved["outcome"] == "opened" and Path(moved["path"]).name == "main-edits"
        assert "(2 files) into a new worktree main-edits" in editor.asked[0]
        assert (Path(moved["path"]) / "b.txt").read_text() == changed(5, "on trunk\n")
        assert git(base, "status", "--porcelain") == ""
        await editor.until(lambda: editor.codes(base / "new.txt") == [])
        again = await editor.execute("sidecar.move", {"worktree": "more", "confirmed": True})
        assert (again["outcome"], again["findings"][0]["code"]) == ("refused", "nothing-to-move")


async def test_edits_that_are_not_saved_are_not_moved(base: Path, theirs: Path) -> None:
    write(base, {"b.txt": changed(5, "on trunk\n")})
    async with editing(base) as editor:
        editor.open(base / "b.txt")
        editor.type(base / "b.txt", changed(5, "not saved\n"))
        refused = await editor.execute("sidecar.move", {"confirmed": True})
        assert (refused["outcome"], refused["findings"][0]["code"]) == ("refused", "unsaved")
