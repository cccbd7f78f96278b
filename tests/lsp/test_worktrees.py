"""What a client gets that shows worktrees, and what it can ask for from there."""

from pathlib import Path
from typing import Any

import pytest

from tests.harness import commit, git, write
from tests.lsp.editor import Editor, editing
from tests.lsp.texts import changed

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("author")]

PICTURE = {"picture": True}


def named(editor: Editor, name: str) -> Any:
    """A worktree as the last picture has it."""
    worktrees = editor.pictures[-1].worktrees if editor.pictures else ()
    return next((one for one in worktrees if one.name == name), None)


async def test_from_a_conflict_with_another_worktree_into_trunk(base: Path, mine: Path, theirs: Path) -> None:
    commit(mine, {"a.txt": changed(5, "mine\n")}, "Change line 5")
    commit(theirs, {"a.txt": changed(5, "theirs\n")}, "Change line 5, too")
    async with editing(mine, options={**PICTURE, "mergeEditor": True}) as editor:
        await editor.until(lambda: (one := named(editor, "mine")) and one.merge.next == "merge")
        assert named(editor, "mine").tip.subject == "Change line 5"
        merging = {"worktree": "mine", "from": str(theirs), "confirmed": True}
        started = await editor.execute("sidecar.update", merging)
        assert (started["outcome"], started["conflicts"]) == ("conflicts", ["a.txt"])
        await editor.until(lambda: named(editor, "mine").merge.next == "resolve")
        assert named(editor, "mine").merging.unresolved == ["a.txt"]
        refused = await editor.execute("sidecar.continue", {"worktree": "mine", "confirmed": True})
        assert (refused["outcome"], refused["findings"][0]["code"]) == ("refused", "unresolved")
        write(mine, {"a.txt": changed(5, "both\n")})
        await editor.until(lambda: named(editor, "mine").merge.next == "continue")
        continued = await editor.execute("sidecar.continue", {"worktree": "mine", "confirmed": True})
        assert continued["outcome"] == "continued"
        await editor.until(lambda: named(editor, "mine").merge.next == "merge")
        merged = await editor.execute("sidecar.merge", {"worktree": "mine", "confirmed": True})
        assert merged["outcome"] == "merged" and (base / "a.txt").read_text() == changed(5, "both\n")
        await editor.until(lambda: named(editor, "mine").merge.next == "release")
        assert editor.shown == [], "this client opens what conflicts itself"


async def test_what_was_merged_and_can_be_restored_is_told_and_let_go_of(base: Path, mine: Path) -> None:
    commit(mine, {"a.txt": changed(5, "mine\n")}, "Change line 5")
    async with editing(mine, options=PICTURE) as editor:
        await editor.until(lambda: editor.histories and not editor.histories[-1].receipts)
        merged = await editor.execute("sidecar.merge", {"worktree": "mine", "confirmed": True})
        await editor.until(lambda: [one.id for one in editor.histories[-1].receipts] == [merged["receipt"]])
        (landing,) = editor.histories[-1].landings
        assert (landing.worktree, landing.after, landing.taken_back) == ("mine", git(base, "rev-parse", "HEAD"), False)
        await editor.execute("sidecar.restore", {"id": merged["receipt"], "confirmed": True})
        await editor.until(lambda: editor.histories[-1].landings[0].taken_back)
        assert editor.histories[-1].receipts == []
        await editor.execute("sidecar.merge", {"worktree": "mine", "confirmed": True})
        await editor.until(lambda: len(editor.histories[-1].receipts) == 1)
        commit(base, {"b.txt": changed(5, "later\n")}, "Go on")
        await editor.until(lambda: editor.histories[-1].receipts == [])  # no longer to be taken back
        editor.answers = ["Let Go"]
        emptied = await editor.execute("sidecar.empty", {})
        assert emptied["outcome"] == "emptied"
        await editor.until(lambda: [one.taken_back for one in editor.histories[-1].landings] == [True])


async def test_the_sentence_for_an_agent_names_where_it_works_and_what_it_meets(mine: Path, theirs: Path) -> None:
    commit(mine, {"a.txt": changed(5, "mine\n")}, "Change line 5")
    commit(theirs, {"a.txt": changed(5, "theirs\n")}, "Change line 5, too")
    async with editing(mine, options=PICTURE) as editor:
        await editor.until(lambda: editor.pictures and len(editor.pictures[-1].overlaps) == 1)
        said = (await editor.request("sidecar/plan", {"worktree": "mine", "what": "agent"})).sentence
        assert f"Your worktree is {mine}" in said and "a.txt (with theirs in line 5)" in said
