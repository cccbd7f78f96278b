"""What is told by itself: work that has come into trunk, once, in the window in front; and how a result leads on."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.git.leaving import eventually
from tests.harness import add_worktree, commit, git
from tests.lsp.editor import Editor, editing
from tests.lsp.texts import changed

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("author")]

SAID = "All work of theirs is in main."
ASKS = {"consents": True}


def merge(base: Path, branch: str = "feature/theirs") -> None:
    """Merge as a person does in a terminal."""
    git(base, "merge", "--quiet", "--no-ff", branch, "-m", f"Merge {branch}")


def states(editor: Editor) -> dict[str, str]:
    """By worktree, whether it is integrated, as the last picture says."""
    worktrees = editor.pictures[-1].worktrees if editor.pictures else ()
    return {one.name: one.integration.state for one in worktrees}


async def guarded(editor: Editor, base: Path) -> None:
    """Wait until the guard has looked at all there is."""
    await editor.until(lambda: states(editor))
    await asyncio.to_thread(eventually, lambda: len(git(base, "for-each-ref", "refs/sidecar/").splitlines()) > 1)


async def unmerged(editor: Editor, worktree: Path) -> None:
    """Wait for the picture of a worktree's commit that trunk lacks."""
    wanted = (git(worktree, "rev-parse", "HEAD"), "not-integrated")
    await editor.until(lambda: wanted in [(one.head, one.integration.state) for one in editor.pictures[-1].worktrees])


async def test_work_that_has_come_into_trunk_is_told_once_and_released_by_its_button(base: Path, feature: Path) -> None:
    done = add_worktree(base, "done")
    commit(done, {"b.txt": changed(9, "done\n")}, "Change line 9")
    git(base, "merge", "--quiet", "--squash", "done")
    git(base, "commit", "--quiet", "-m", "Squash done")
    asked: list[str] = []

    def consent(params: Any) -> str:
        asked.append(params.message)
        return "Release"

    async with editing(base, options=ASKS) as editor:
        editor.client.feature("sidecar/consent")(consent)
        await guarded(editor, base)
        await editor.until(lambda: states(editor).get("done") == "integrated")
        merge(base)
        editor.answers = ["Dismiss"]
        await editor.until(lambda: SAID in editor.asked)
        (feature / "c.txt").write_text("more\n")
        await editor.until(lambda: states(editor)["theirs"] == "not-integrated")
        (feature / "c.txt").unlink()
        await editor.until(lambda: states(editor)["theirs"] == "integrated")
        commit(feature, {"c.txt": "more\n"}, "Add c")
        await unmerged(editor, feature)
        editor.answers = ["Release"]
        merge(base)
        await editor.until(lambda: any("Released theirs" in text for text in editor.messages))
        assert editor.asked == [SAID, SAID]  # nothing of what was in trunk before, and each HEAD once
        assert editor.questions[0] == ["Release", "Dismiss"] and len(asked) == 1
    assert not feature.exists()


async def test_what_the_sidecar_has_merged_needs_no_notice_and_its_result_has_the_next_steps(
    base: Path, feature: Path
) -> None:
    async with editing(base, options={**ASKS, "results": True}) as editor:
        await guarded(editor, base)
        await editor.execute("sidecar.merge", {"worktree": "theirs", "confirmed": True})
        await editor.until(lambda: states(editor)["theirs"] == "integrated")
        other = add_worktree(base, "other")
        commit(other, {"b.txt": changed(9, "other\n")}, "Change line 9")
        await editor.until(lambda: states(editor).get("other") == "not-integrated")
        editor.answers = ["Dismiss"]
        merge(base, "other")
        await editor.until(lambda: editor.asked)
        assert editor.asked == ["All work of other is in main."]
        (merged,) = editor.results
        assert merged.message.startswith("Merged theirs into main") and merged.warning is False
        release, undo = merged.steps
        assert (release.title, release.command, undo.title) == ("Release", "sidecar.release", "Undo")
        await editor.execute("sidecar.release", {**_object(release.argument), "confirmed": True})
        assert not feature.exists()
        (back,) = editor.results[-1].steps
        answer = await editor.execute(back.command, _object(back.argument))
        assert answer["outcome"] == "restored" and feature.exists()
        assert [step.title for step in editor.results[-1].steps] == ["Open in New Window"]
        assert editor.messages == []


def _object(value: Any) -> dict[str, Any]:
    return dict(value._asdict())


async def test_quiet_has_it_listed_only(base: Path, feature: Path) -> None:
    async with editing(base, options={**ASKS, "settings": {"quiet": True}}) as editor:
        await guarded(editor, base)
        merge(base)
        await editor.until(lambda: SAID in editor.logged)
        assert editor.listed == [SAID] and editor.asked == [] and editor.messages == []


async def test_a_client_that_can_only_show_messages_is_asked_nothing(base: Path, feature: Path) -> None:
    async with editing(base) as editor:
        await guarded(editor, base)
        merge(base)
        await editor.until(lambda: editor.messages)
        assert editor.messages == [f"{SAID} It can be released: sidecar release theirs"]
        assert editor.asked == []


async def test_of_several_windows_the_one_in_front_is_told(base: Path, feature: Path) -> None:
    async with editing(base, options=ASKS) as one, editing(feature, options=ASKS) as two:
        await guarded(two, base)
        await guarded(one, base)
        for front, behind, name in ((one, two, "b.txt"), (two, one, "c.txt")):
            front.client.protocol.notify("sidecar/front", {})
            front.answers = behind.answers = ["Dismiss"]
            commit(feature, {name: "more\n"}, f"Add {name}")
            await unmerged(front, feature)
            before = len(behind.asked)
            merge(base)
            await front.until(lambda front=front: SAID in front.asked)  # type: ignore[misc]
            assert len(behind.asked) == before


async def test_a_window_whose_folder_was_released_elsewhere_is_told_where_to_go(base: Path, feature: Path) -> None:
    merge(base)
    async with editing(base, options=ASKS) as one, editing(feature, options={**ASKS, "results": True}) as two:
        await two.until(lambda: two.histories)
        released = await one.execute(
            "sidecar.release", {"worktree": "theirs", "allow": ["in-editor"], "confirmed": True}
        )
        assert released["outcome"] == "released"
        await two.until(lambda: two.results)
        assert two.results[0].message == "theirs was released, with this window's folder. It can be restored."
        assert [step.title for step in two.results[0].steps] == ["Open Trunk", "Close Window", "Restore"]
        assert two.results[0].steps[0].argument.worktree == str(base)
        answer = await two.execute("sidecar.restore", _object(two.results[0].steps[2].argument))
        assert answer["outcome"] == "restored" and feature.exists()


async def test_the_log_has_no_problem_of_a_worktree_that_is_being_released(base: Path, feature: Path) -> None:
    merge(base)
    async with editing(base) as editor:
        await guarded(editor, base)
        for _ in range(3):
            released = await editor.execute("sidecar.release", {"worktree": "theirs", "confirmed": True})
            await editor.until(lambda: "theirs" not in states(editor))
            await editor.execute("sidecar.restore", {"id": released["receipt"], "confirmed": True})
            await editor.until(lambda: states(editor).get("theirs") == "integrated")
        assert not any("is not there" in line for line in editor.logged)
