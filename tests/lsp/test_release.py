"""Releasing and restoring from an editor, end to end."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.harness import add_worktree, commit, git, write
from tests.lsp.editor import editing
from tests.lsp.texts import changed

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("author")]


@pytest.fixture
def done(base: Path, theirs: Path) -> Path:
    """A worktree whose one commit is in trunk."""
    commit(theirs, {"a.txt": changed(5, "theirs\n")}, "Change line 5")
    git(base, "merge", "--quiet", "--no-ff", "feature/theirs", "-m", "Take theirs")
    return theirs


async def test_what_is_done_is_released_and_comes_back(base: Path, done: Path) -> None:
    async with editing(base) as editor:
        editor.answers = ["Cancel", "Release", "Restore"]
        planned = await editor.execute("sidecar.release", {"worktree": "theirs"})
        assert planned["outcome"] == "planned" and done.exists()
        released = await editor.execute("sidecar.release", {"worktree": "theirs"})
        assert released["outcome"] == "released" and not done.exists()
        assert editor.messages[-1].startswith("Released theirs: ")
        listed = await editor.request("sidecar/plan", {"what": "restore"})
        assert [(one.id, one.worktree) for one in listed.receipts] == [(released["receipt"], "theirs")]
        restored = await editor.execute("sidecar.restore", {"id": released["receipt"]})
        assert (restored["outcome"], restored["path"]) == ("restored", str(done))
        assert git(done, "branch", "--show-current") == "feature/theirs"


async def test_what_is_not_done_stays_unless_all_of_it_is_kept(base: Path, theirs: Path) -> None:
    commit(theirs, {"a.txt": changed(5, "theirs\n")}, "Change line 5")
    write(theirs, {"note.txt": "note\n"})
    async with editing(base) as editor:
        refused = await editor.execute("sidecar.release", {"worktree": "theirs", "confirmed": True})
        assert refused["outcome"] == "refused" and theirs.exists()
        assert {one["code"] for one in refused["findings"]} >= {"not-integrated", "untracked"}
        editor.answers = ["Release Anyway (can be restored)"]
        released = await editor.execute("sidecar.release", {"worktree": "theirs"})
        assert released["outcome"] == "released" and not theirs.exists()
        editor.answers = [None]
        assert (await editor.execute("sidecar.restore", {}))["receipts"][0]["worktree"] == "theirs"
        restored = await editor.execute("sidecar.restore", {})
        assert editor.questions[-1][-1] == "Cancel" and editor.questions[-1][0].startswith("theirs, released ")
        assert restored["outcome"] == "restored" and (theirs / "note.txt").read_text() == "note\n"


async def test_a_client_with_a_dialog_hears_what_is_allowed_and_the_first_action_allows_nothing(
    base: Path, theirs: Path
) -> None:
    write(theirs, {"note.txt": "note\n"})
    asked: list[Any] = []
    async with editing(base, options={"consents": True}) as editor:
        editor.client.feature("sidecar/consent")(lambda params: asked.append(params))
        await editor.execute("sidecar.release", {"worktree": "theirs"})
        await editor.execute("sidecar.open", {"worktree": "another"})
    release, opening = asked
    assert list(release.actions) == ["Cancel", "Release Anyway (can be restored)"]
    assert list(release.allows) == ["theirs has 1 untracked file: note.txt."]
    assert (list(opening.actions), list(opening.allows)) == (["Open", "Cancel"], [])


@pytest.mark.skipif(sys.platform == "win32", reason="a session of its own")
async def test_the_window_of_a_worktree_is_closed_with_it_and_what_the_editor_runs_there_does_not_block(
    base: Path, done: Path, tmp_path: Path
) -> None:
    (tmp_path / "code-server").mkdir()
    helper = tmp_path / "code-server" / "helper"
    helper.write_text("input()")
    asked: list[Any] = []

    def choose(params: Any) -> str:
        asked.append(params)
        return str(params.actions[0])

    how = {"stdin": subprocess.PIPE, "start_new_session": True}
    with subprocess.Popen([sys.executable, helper], cwd=done, **how):  # type: ignore[call-overload]
        async with editing(base, options={"consents": True}) as other:
            other.client.feature("sidecar/consent")(choose)
            refused = await other.execute("sidecar.release", {"worktree": "theirs"})
            assert refused["outcome"] == "refused" and next(iter(asked[0].actions)) == "Cancel"
            assert "theirs is open in VS Code, which has 1 language server there." in asked[0].message
        async with editing(done, options={"consents": True}) as editor:
            editor.client.feature("sidecar/consent")(choose)
            released = await editor.execute("sidecar.release", {"worktree": "theirs"})
            assert (released["outcome"], released["closes"]) == ("released", True) and not done.exists()
            assert list(asked[1].actions) == ["Close This Window and Release", "Cancel"]
            assert "which has" not in asked[1].message and "This window closes" in asked[1].message


async def test_text_that_is_not_saved_is_never_released(base: Path, done: Path) -> None:
    async with editing(base) as editor:
        editor.open(done / "b.txt")
        editor.type(done / "b.txt", changed(1, "typed\n"))
        refused = await editor.execute("sidecar.release", {"worktree": "theirs"})
        assert "unsaved" in {one["code"] for one in refused["findings"]} and editor.questions == []
        assert refused["outcome"] == "refused" and done.exists()


async def test_all_that_is_done_is_released_at_once(base: Path, done: Path, mine: Path) -> None:
    commit(mine, {"b.txt": changed(5, "mine\n")}, "Change b")
    add_worktree(base, "fresh")
    async with editing(base) as editor:
        await editor.until(
            lambda: (
                editor.pictures and any(one.integration.state == "integrated" for one in editor.pictures[-1].worktrees)
            )
        )
        editor.answers = ["Release All"]
        answer = await editor.execute("sidecar.releaseAll", {})
        assert answer["outcome"] == "released" and not done.exists() and mine.exists()
        assert "mine" not in editor.asked[0]


async def test_a_merge_is_taken_back(base: Path, theirs: Path) -> None:
    commit(theirs, {"a.txt": changed(5, "theirs\n")}, "Change line 5")
    before = git(base, "rev-parse", "main")
    async with editing(base) as editor:
        merged = await editor.execute("sidecar.merge", {"worktree": "theirs", "confirmed": True})
        editor.answers = ["Take Back"]
        restored = await editor.execute("sidecar.restore", {"id": merged["receipt"]})
        assert (restored["outcome"], restored["findings"]) == ("restored", [])
        assert git(base, "rev-parse", "main") == before


async def test_a_worktree_is_protected_until_it_is_not(base: Path, theirs: Path) -> None:
    async with editing(base) as editor:
        editor.answers = ["Protect"]
        assert (await editor.execute("sidecar.keep", {"worktree": "theirs"}))["outcome"] == "protected"
        assert editor.messages[-1] == "theirs is protected."
        await editor.until(lambda: any(one.protected for one in editor.pictures[-1].worktrees))
        undone = await editor.execute("sidecar.keep", {"worktree": str(theirs), "undo": True, "confirmed": True})
        assert undone["outcome"] == "unprotected"
        git(base, "worktree", "lock", theirs)
        assert (await editor.execute("sidecar.keep", {"worktree": "theirs"}))["outcome"] == "refused"


async def test_a_client_with_a_dialog_shows_all_as_a_table_and_only_what_is_ticked_is_released(
    base: Path, done: Path
) -> None:
    another, busy = add_worktree(base, "another"), add_worktree(base, "busy")
    for worktree, path in ((another, "c.txt"), (busy, "d.txt")):
        commit(worktree, {path: "x\n"}, f"Add {path}")
        git(base, "merge", "--quiet", "--no-ff", worktree.name, "-m", f"Take {worktree.name}")
    git(base, "worktree", "lock", "--reason", "a drive", str(busy))
    asked: list[Any] = []
    async with editing(base, options={"consents": True}) as editor:

        def choose(params: Any) -> list[str]:
            asked.append(params)
            return [str(another), str(busy)]

        editor.client.feature("sidecar/consent")(choose)
        await editor.until(
            lambda: (
                editor.pictures and all(one.integration.state == "integrated" for one in editor.pictures[-1].worktrees)
            )
        )
        assert (await editor.execute("sidecar.releaseAll", {}))["outcome"] == "released"
    assert (another.exists(), done.exists(), busy.exists()) == (False, True, True)
    rows = {row.name: (row.offered, row.ticked) for row in asked[0].rows}
    assert rows == {"another": (True, True), "theirs": (True, True), "busy": (False, False)}
    assert "a drive" in asked[0].rows[-1].detail and "in main" in asked[0].rows[0].detail
