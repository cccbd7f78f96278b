"""Merging all that is ready from an editor: the order, the table, and where it stops."""

from pathlib import Path
from typing import Any

import pytest

from tests.harness import add_worktree, commit, git, write
from tests.lsp.editor import editing
from tests.lsp.texts import changed

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("author")]


async def test_all_that_is_ready_is_merged_in_order_and_the_rest_told(base: Path, feature: Path, mine: Path) -> None:
    commit(mine, {"b.txt": changed(5, "mine\n")}, "Change b")
    waiting = add_worktree(base, "waiting")
    write(waiting, {"c.txt": "c\n"})
    async with editing(base) as editor:
        order = await editor.request("sidecar/plan", {"workDoneToken": "map"})
        assert [(turn.path, turn.ready) for turn in order.order][-1] == (str(waiting), False)
        editor.answers = ["Merge"]
        answer = await editor.execute("sidecar.mergeAll", {})
        assert answer["outcome"] == "merged"
        assert {one["worktree"] for one in answer["merges"]} == {"mine", "theirs"}
        assert "waiting" in editor.asked[0] and "one by one" in editor.asked[0]
        assert "theirs: Changes 1 file." in editor.asked[0]
        assert (base / "b.txt").read_text() == changed(5, "mine\n")


async def test_a_client_with_a_dialog_shows_all_as_a_table_and_only_what_is_ticked_is_merged(
    base: Path, feature: Path, mine: Path
) -> None:
    commit(mine, {"a.txt": changed(5, "mine\n")}, "Change line 5, as theirs did")
    other, waiting = add_worktree(base, "other"), add_worktree(base, "waiting")
    commit(other, {"b.txt": changed(5, "other\n")}, "Change b")
    write(waiting, {"c.txt": "c\n"})
    asked: list[Any] = []
    answers: list[list[str] | None] = [None, [str(waiting)], [str(other), str(waiting)]]
    async with editing(base, options={"consents": True}) as editor:

        def choose(params: Any) -> list[str] | None:
            asked.append(params)
            return answers.pop(0)

        editor.client.feature("sidecar/consent")(choose)
        before = git(base, "rev-parse", "main")
        for _ in range(2):
            assert (await editor.execute("sidecar.mergeAll", {}))["outcome"] == "planned"
        assert git(base, "rev-parse", "main") == before
        answer = await editor.execute("sidecar.mergeAll", {})
        assert [one["worktree"] for one in answer["merges"]] == ["other"]
    rows = [(row.name, row.offered, row.ticked, row.detail) for row in asked[0].rows]
    stops = next(name for name, _, ticked, _ in rows[:3] if not ticked)
    meets = {"mine": "theirs", "theirs": "mine"}[stops]
    assert sorted(rows[:3]) == sorted(
        [("other", True, True, ""), (meets, True, True, ""), (stops, True, False, f"Conflicts with {meets} in a.txt.")]
    )
    assert rows[3:] == [("waiting", False, False, "It has 1 uncommitted change.")]
    assert next(row.description for row in asked[0].rows if row.name == "other") == "Changes 1 file"
    assert git(base, "log", "-1", "--format=%s", "main") == "Merge branch 'other'"


async def test_merging_all_stops_at_the_first_failure(base: Path, feature: Path, mine: Path) -> None:
    commit(mine, {"b.txt": changed(5, "mine\n")}, "Change b")
    async with editing(base) as editor:
        verify = "git diff --quiet HEAD^1 -- b.txt"
        answer = await editor.execute("sidecar.mergeAll", {"verify": verify, "confirmed": True})
        done = [one["merge"] and one["merge"]["outcome"] for one in answer["merges"]]
        names = [one["worktree"] for one in answer["merges"]]
        expected = ["merged", "failed"] if names[0] == "theirs" else ["failed", None]
        assert done == expected and answer["outcome"] == "failed"
