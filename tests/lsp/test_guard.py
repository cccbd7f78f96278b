"""A worktree that something else deleted, seen from an editor: told at once, and brought back by one click."""

import asyncio
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from sidecar.operations.guard.wiped import unanswered
from tests.git.leaving import eventually
from tests.harness import git, write
from tests.harness.repository import commit
from tests.harness.states import Standing, build_standing
from tests.harness.whole import as_kept, whole
from tests.lsp.editor import Editor, editing
from tests.operations.guarding import states

pytestmark = pytest.mark.asyncio


@pytest.fixture
def at(tmp_path: Path) -> Standing:
    standing = build_standing(tmp_path)
    commit(standing.worktree, {"more.txt": "more\n"}, "Not merged")
    write(standing.worktree, {"src/b.txt": "unstaged\n", "untracked.txt": "untracked\n"})
    return standing


async def kept(at: Standing, worktree: Path | None = None, path: str = "untracked.txt") -> None:
    """Wait until the guard has kept what is there, of which no message tells."""
    content = ((worktree or at.worktree) / path).read_text().rstrip("\n")

    def is_kept() -> bool:
        found = states(at, worktree)
        return bool(found) and git(at.main, "show", f"{found[0].commit}:{path}", check=False) == content

    await asyncio.to_thread(eventually, is_kept)


def receipts_in(answer: Any) -> list[dict[str, Any]]:
    """The rows of an answer, which come as named tuples."""
    return [row._asdict() if hasattr(row, "_asdict") else row for row in answer.receipts]


async def vanish(editor: Editor, at: Standing) -> None:
    await kept(at)
    shutil.rmtree(at.worktree)
    git(at.main, "worktree", "prune")
    git(at.main, "branch", "-D", "feat-1")
    git(at.main, "gc", "--quiet", "--prune=now")
    await editor.until(lambda: any("feat-1" in text and "is gone" in text for text in editor.asked))


async def test_a_vanished_worktree_is_offered_and_restored(at: Standing) -> None:
    before = as_kept(whole(at.worktree))
    async with editing(at.main) as editor:
        editor.answers.append("Restore")
        await vanish(editor, at)
        await editor.until(lambda: any("is back" in text for text in editor.messages))
        assert editor.questions[-1] == ["Restore", "Dismiss"]
    assert as_kept(whole(at.worktree)) == before


async def test_one_that_was_dismissed_can_be_restored_later(at: Standing) -> None:
    before = as_kept(whole(at.worktree))
    async with editing(at.main) as editor:
        editor.answers.append("Dismiss")
        await vanish(editor, at)
        assert not at.worktree.exists()
        listed = await editor.execute("sidecar.restore", {})
        assert listed is not None
        await editor.until(lambda: any("is back" in text for text in editor.messages))
    assert as_kept(whole(at.worktree)) == before


@pytest.mark.parametrize("where", ["feat-1", "main"])
async def test_wiped_work_is_told_within_seconds_shown_and_restored(where: str, at: Standing) -> None:
    worktree = at.worktree if where == "feat-1" else at.main
    write(worktree, {"src/b.txt": "mine\n", "untracked.txt": f"only in {where}\n"})
    before = as_kept(whole(worktree, {".git"}))
    async with editing(at.main) as editor:
        await kept(at, worktree)
        editor.answers += ["Show", "Restore"]
        began = time.monotonic()
        git(worktree, "reset", "--quiet", "--hard")
        git(worktree, "clean", "--quiet", "-fd")
        await editor.until(lambda: editor.asked)
        assert time.monotonic() - began < 5
        said = "2 lines of uncommitted work in 2 files were wiped in"
        assert editor.asked[0].startswith(f"{said} {where} (src/b.txt, untracked.txt) at ")
        assert editor.questions[0] == ["Restore", "Show", "Dismiss"]
        await editor.until(lambda: any("is back" in text for text in editor.messages))
        (shown,) = [Path(uri.removeprefix("file://")) for uri in editor.shown]
        assert "+mine\n" in shown.read_text()
    assert as_kept(whole(worktree, {".git"})) == before


async def test_of_two_servers_one_tells_and_the_other_one_goes_on_when_it_is_killed(at: Standing) -> None:
    async def wipe(content: str) -> None:
        write(at.worktree, {"untracked.txt": content})
        await kept(at)
        at.git("clean", "--quiet", "-fd")

    with pytest.raises(AssertionError, match="ended with -9"):
        async with editing(at.main) as one:
            await kept(at)
            async with editing(at.main) as two:
                for editor in (one, two):
                    editor.answers += ["Dismiss", "Dismiss"]
                await wipe("first\n")
                await asyncio.to_thread(eventually, lambda: one.asked or two.asked)
                before = len(two.asked)
                assert len(one.asked) + before == 1
                await one.kill()
                await wipe("second\n")
                await two.until(lambda: len(two.asked) > before)
                listed = await two.request("sidecar/plan", {"what": "restore"})
                assert [row["what"] for row in receipts_in(listed)] == ["wiped", "wiped"]
            assert len(two.asked) == before + 1


async def test_a_wipe_that_was_dismissed_is_in_the_list_and_not_told_by_the_status(at: Standing) -> None:
    async with editing(at.main) as editor:
        await kept(at)
        editor.answers.append("Dismiss")
        at.git("checkout", "--quiet", "--", ".")
        await editor.until(lambda: editor.asked)
        await asyncio.to_thread(eventually, lambda: not unanswered(str(at.main / ".git")))
        listed = await editor.request("sidecar/plan", {"what": "restore"})
        assert [one["what"] for one in receipts_in(listed)] == ["wiped"]


async def test_what_the_editor_itself_wrote_is_not_told(at: Standing) -> None:
    """Hunk by hunk, or all of it: its undo is still there."""
    path = at.worktree / "src/a.txt"
    work = path.read_text()
    for number in (3, 9, 15):
        work = work.replace(f"line {number}\n", f"my {number}\nmore {number}\n")
    before = path.read_text()
    path.write_text(work)
    async with editing(at.main) as editor:
        await kept(at, path="src/a.txt")
        editor.open(path)
        for text in (work.replace("my 3\nmore 3\n", "line 3\n"), before):
            editor.type(path, text)
            editor.save(path)
            await kept(at, path="src/a.txt")
        (at.worktree / "untracked.txt").unlink()
        await editor.until(lambda: editor.asked)
        assert "(untracked.txt)" in editor.asked[0]


async def test_going_back_shows_what_would_change_and_asks(at: Standing) -> None:
    async with editing(at.main) as editor:
        await kept(at)
        write(at.worktree, {"src/b.txt": "later\n"})
        await kept(at, path="src/b.txt")
        listed = await editor.request("sidecar/plan", {"what": "states", "worktree": "feat-1"})
        rows = receipts_in(listed)
        assert [(one["what"], one["changed"]) for one in rows] == [("state", ["src/b.txt"]), ("state", [])]
        plan = await editor.request("sidecar/plan", {"what": "state", "id": rows[1]["id"]})
        assert "+unstaged\n" in Path(plan.diff).read_text()
        editor.answers += ["Show Changes", "Restore"]
        answer = await editor.execute("sidecar.restore", {"id": rows[1]["id"]})
        assert (answer["outcome"], answer["path"]) == ("restored", str(at.worktree))
        assert editor.questions[-1] == ["Restore", "Show Changes", "Cancel"]
        assert (at.worktree / "src/b.txt").read_text() == "unstaged\n"
        answer = await editor.execute("sidecar.restore", {"worktree": "feat-1", "at": "now", "confirmed": True})
        assert answer is not None


async def test_the_server_ends_with_its_guard(at: Standing) -> None:
    async with editing(at.main):
        await kept(at)
    assert git(at.main, "for-each-ref", "refs/sidecar/guard") != ""
