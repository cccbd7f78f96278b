"""A worktree that something else deleted, seen from an editor: told at once, and brought back by one click."""

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.git.leaving import eventually
from tests.harness import git, write
from tests.harness.repository import commit
from tests.harness.states import Standing, build_standing
from tests.harness.whole import whole
from tests.lsp.editor import Editor, editing

pytestmark = pytest.mark.asyncio


@pytest.fixture
def at(tmp_path: Path) -> Standing:
    standing = build_standing(tmp_path)
    commit(standing.worktree, {"more.txt": "more\n"}, "Not merged")
    write(standing.worktree, {"src/b.txt": "unstaged\n", "untracked.txt": "untracked\n"})
    return standing


async def kept(at: Standing) -> None:
    """Wait until the guard has kept it, of which no message tells."""
    await asyncio.to_thread(eventually, lambda: git(at.main, "for-each-ref", "refs/sidecar/guard"))


async def vanish(editor: Editor, at: Standing) -> None:
    await kept(at)
    shutil.rmtree(at.worktree)
    git(at.main, "worktree", "prune")
    git(at.main, "branch", "-D", "feat-1")
    git(at.main, "gc", "--quiet", "--prune=now")
    await editor.until(lambda: any("feat-1" in text and "is gone" in text for text in editor.asked))


async def test_a_vanished_worktree_is_offered_and_restored(at: Standing) -> None:
    before = whole(at.worktree)
    async with editing(at.main) as editor:
        editor.answers.append("Restore")
        await vanish(editor, at)
        await editor.until(lambda: any("is back" in text for text in editor.messages))
        assert editor.questions[-1] == ["Restore", "Dismiss"]
    assert whole(at.worktree) == before


async def test_one_that_was_dismissed_can_be_restored_later(at: Standing) -> None:
    before = whole(at.worktree)
    async with editing(at.main) as editor:
        editor.answers.append("Dismiss")
        await vanish(editor, at)
        assert not at.worktree.exists()
        listed = await editor.execute("sidecar.restore", {})
        assert listed is not None
        await editor.until(lambda: any("is back" in text for text in editor.messages))
    assert whole(at.worktree) == before


async def test_the_server_ends_with_its_guard(at: Standing) -> None:
    async with editing(at.main):
        await kept(at)
    assert git(at.main, "for-each-ref", "refs/sidecar/guard") != ""
