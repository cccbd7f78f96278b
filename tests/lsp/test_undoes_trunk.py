"""What a worktree takes back of trunk is told in the editor, and trunk's lines come back by the quick fix."""

from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.intended import apply_intended, plan_intended
from tests.harness import commit, git, write
from tests.lsp.editor import Editor, editing
from tests.lsp.texts import TEXT, changed

pytestmark = pytest.mark.asyncio

ROUNDED = changed(5, "rounded\nand checked\n")


def message(editor: Editor, path: Path) -> str:
    (found,) = editor.published[path.as_uri()].diagnostics
    return found.message


async def test_an_old_file_is_told_and_taken_back_by_the_quick_fix(base: Path, mine: Path) -> None:
    taken = commit(base, {"a.txt": ROUNDED}, "Round prices")
    git(mine, "merge", "--quiet", "main")
    file = mine / "a.txt"
    write(mine, {"a.txt": TEXT})
    async with editing(mine) as editor:
        editor.open(file)
        await editor.until(lambda: editor.codes(file) == [("undoes-trunk", 5, 5)])
        assert message(editor, file) == (
            f"This takes back what Ada Harness did to main in {taken[:10]} (Round prices). "
            "No commit here says so, and git would merge it."
        )
        (action,) = [one for one in await editor.actions(file, 5) if one.title == "Take trunk's lines back"]
        assert action.edit is not None
        editor.apply(action.edit)
        await editor.until(lambda: editor.codes(file) == [])
        assert editor.texts[file.as_uri()][1] == ROUNDED


async def test_what_is_typed_counts_and_what_a_commit_says_is_quiet(base: Path, mine: Path) -> None:
    commit(base, {"a.txt": ROUNDED}, "Round prices")
    git(mine, "merge", "--quiet", "main")
    file = mine / "a.txt"
    async with editing(mine) as editor:
        editor.open(file)
        await editor.until(lambda: editor.pictures)
        editor.type(file, TEXT)
        await editor.until(lambda: editor.codes(file) == [("undoes-trunk", 5, 5)])
        write(mine, {"a.txt": TEXT})
        editor.save(file)
        commit(mine, {"a.txt": TEXT}, "Roll back the rounding")
        await editor.until(lambda: editor.codes(file) == [])


async def test_a_closed_file_in_the_folder_is_told_too(base: Path, mine: Path) -> None:
    commit(base, {"a.txt": ROUNDED}, "Round prices")
    git(mine, "merge", "--quiet", "main")
    async with editing(mine) as editor:
        await editor.until(lambda: editor.pictures)
        commit(mine, {"a.txt": TEXT}, "Work")
        await editor.until(lambda: editor.codes(mine / "a.txt") == [("undoes-trunk", 5, 5)])


async def test_it_is_merged_only_where_a_person_says_so(base: Path, mine: Path, author: None) -> None:
    commit(base, {"a.txt": ROUNDED}, "Round prices")
    git(mine, "merge", "--quiet", "main")
    commit(mine, {"a.txt": TEXT, "own.txt": "own\n"}, "Work")
    before = git(base, "rev-parse", "main")
    async with editing(base) as editor:
        refused = await editor.execute("sidecar.merge", {"worktree": "mine", "confirmed": True})
        assert (refused["outcome"], [one["code"] for one in refused["findings"]]) == ("refused", ["undoes-trunk"])
        editor.answers = ["Cancel", "Merge Anyway"]
        await editor.execute("sidecar.merge", {"worktree": "mine"})
        assert git(base, "rev-parse", "main") == before
        merged = await editor.execute("sidecar.merge", {"worktree": "mine"})
        assert editor.questions == [["Cancel", "Merge Anyway"]] * 2
        assert merged["outcome"] == "merged" and (base / "a.txt").read_text() == TEXT


async def test_what_is_intended_is_quiet_until_that_is_taken_back_by_whomever(base: Path, mine: Path) -> None:
    commit(base, {"a.txt": ROUNDED}, "Round prices")
    git(mine, "merge", "--quiet", "main")
    file = mine / "a.txt"
    write(mine, {"a.txt": TEXT})
    async with editing(mine) as editor:
        editor.open(file)
        await editor.until(lambda: editor.codes(file) == [("undoes-trunk", 5, 5)])
        command, argument = (await editor.commands(file, 5))["Intended: no longer tell this"]
        assert (await editor.execute(command, argument))["outcome"] == "intended"
        assert editor.questions == []
        await editor.until(lambda: editor.codes(file) == [])
        undo = plan_intended(mine, "mine", {"a.txt": None}, Options(), undo=True)
        assert not isinstance(undo, Failure)
        assert apply_intended(undo).outcome == "not-intended"
        await editor.until(lambda: editor.codes(file) == [("undoes-trunk", 5, 5)])
        await editor.execute("sidecar.intended", {**argument, "confirmed": True})
        await editor.until(lambda: editor.codes(file) == [])
        undone = {"worktree": "mine", "path": "a.txt", "undo": True, "confirmed": True}
        assert (await editor.execute("sidecar.intended", undone))["outcome"] == "not-intended"
        await editor.until(lambda: editor.codes(file) == [("undoes-trunk", 5, 5)])
