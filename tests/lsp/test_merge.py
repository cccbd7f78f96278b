"""Merging from an editor, end to end: plan, consent, progress, and what everybody sees afterwards."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from tests.harness import add_worktree, commit, git, init, write
from tests.lsp.editor import COMMAND, SECONDS, appears, editing
from tests.lsp.texts import TEXT, changed

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("author")]

PROGRESS = {"window": {"showDocument": {"support": True}, "workDoneProgress": True}}


def trunk(base: Path) -> str:
    return git(base, "rev-parse", "main")


async def test_consent_merges_and_the_other_worktrees_diagnostics_are_true_at_once(
    base: Path, mine: Path, feature: Path
) -> None:
    write(mine, {"a.txt": changed(5, "mine\n")})
    async with editing(base, mine) as editor:
        editor.open(mine / "a.txt")
        await editor.until(lambda: editor.codes(mine / "a.txt") == [("conflict", 5, 5)])
        editor.answers = ["Merge"]
        answer = await editor.execute("sidecar.merge", {"worktree": "theirs"})
        assert answer["outcome"] == "merged"
        assert answer["trunk"]["after"] == trunk(base) != answer["trunk"]["before"]
        assert (base / "a.txt").read_text() == changed(5, "theirs\n")
        await editor.until(lambda: editor.codes(mine / "a.txt") == [("trunk-conflict", 5, 5)])
        assert any(said.startswith("Merged theirs into main") for said in editor.messages)


async def test_a_client_with_a_dialog_for_consent_is_asked_by_a_request_of_our_own(base: Path, feature: Path) -> None:
    asked: list[Any] = []
    async with editing(base, options={"consents": True}) as editor:

        def choose(params: Any) -> str | None:
            asked.append(params)
            return None if len(asked) == 1 else "Merge"

        editor.client.feature("sidecar/consent")(choose)
        before = trunk(base)
        assert (await editor.execute("sidecar.merge", {"worktree": "theirs"}))["outcome"] == "planned"
        assert trunk(base) == before
        assert (await editor.execute("sidecar.merge", {"worktree": "theirs"}))["outcome"] == "merged"
        assert list(asked[0].actions) == ["Merge", "Set Verify Command...", "Cancel"]
        assert "into main with a merge commit?" in asked[0].message
        assert editor.questions == []


async def test_a_client_that_has_shown_the_plan_is_not_asked(base: Path, feature: Path) -> None:
    async with editing(base) as editor:
        given = {"worktree": "feature/theirs", "strategy": "squash", "message": "Take it", "confirmed": True}
        answer = await editor.execute("sidecar.merge", given)
        assert answer["outcome"] == "merged" and editor.questions == []
        assert git(base, "log", "-1", "--format=%s", "main") == "Take it"
        assert git(base, "rev-list", "--count", "--merges", "main") == "0"


async def test_trunk_is_not_merged_into_text_that_is_not_saved(base: Path, mine: Path) -> None:
    write(mine, {"a.txt": changed(5, "mine\n")})
    commit(mine, {}, "Mine")
    commit(base, {"a.txt": changed(5, "trunk's\n")}, "Trunk's")
    async with editing(mine) as editor:
        editor.open(mine / "a.txt")
        editor.type(mine / "a.txt", changed(5, "typed\n"))
        editor.answers = ["Merge main into mine"]
        answer = await editor.execute("sidecar.merge", {"worktree": "mine"})
        assert (answer["outcome"], [one["code"] for one in answer["findings"]]) == ("refused", ["unsaved"])
    assert "mine\n" in (mine / "a.txt").read_text() and "<<<<" not in (mine / "a.txt").read_text()


async def test_uncommitted_work_is_committed_only_by_consent(base: Path, feature: Path) -> None:
    write(feature, {"new.txt": "new\n"})
    async with editing(base) as editor:
        refused = await editor.execute("sidecar.merge", {"worktree": "theirs", "confirmed": True})
        assert refused["outcome"] == "refused" and [one["code"] for one in refused["findings"]] == ["uncommitted"]
        editor.answers = ["Commit and Merge"]
        merged = await editor.execute("sidecar.merge", {"worktree": "theirs"})
        assert editor.questions == [["Commit and Merge", "Cancel"]]
        assert merged["outcome"] == "merged" and (base / "new.txt").read_text() == "new\n"
        assert git(feature, "log", "-1", "--format=%s") == "Work in theirs"


async def test_text_that_is_not_saved_stands_in_the_way(base: Path, feature: Path) -> None:
    file = feature / "b.txt"
    async with editing(base) as editor:
        editor.open(file)
        editor.type(file, changed(1, "typed\n"))
        await editor.until(lambda: editor.pictures)
        refused = await editor.execute("sidecar.merge", {"worktree": "theirs", "confirmed": True})
        assert [(one["code"], one["paths"]) for one in refused["findings"]] == [("unsaved", ["b.txt"])]
        assert "b.txt is not saved in theirs" in editor.messages[-1]
        editor.type(file, TEXT)
        merged = await editor.execute("sidecar.merge", {"worktree": "theirs", "confirmed": True})
        assert merged["outcome"] == "merged"


async def test_text_that_is_not_saved_in_trunks_checkout_is_not_written_under(base: Path, feature: Path) -> None:
    async with editing(base) as editor:
        for name in ("a.txt", "b.txt"):
            editor.open(base / name)
            editor.type(base / name, changed(1, "typed\n"))
        await editor.until(lambda: editor.codes(base / "b.txt"))
        refused = await editor.execute("sidecar.merge", {"worktree": "theirs", "confirmed": True})
        assert [(one["code"], one["paths"]) for one in refused["findings"]] == [("unsaved", ["a.txt"])]


async def test_an_untrusted_folder_is_never_merged_into(base: Path, feature: Path) -> None:
    before = trunk(base)
    async with editing(base, options={"trusted": False}) as editor:
        answer = await editor.execute("sidecar.merge", {"worktree": "theirs", "confirmed": True})
        assert (answer["outcome"], answer["findings"][0]["code"]) == ("failed", "untrusted")
        assert "not trusted" in editor.messages[-1] and editor.questions == []
        plan = await editor.request("sidecar/plan", {"worktree": "theirs"})
        assert plan.outcome == "planned"
    assert trunk(base) == before


async def test_verify_is_watched_and_its_failure_told(base: Path, feature: Path) -> None:
    before = trunk(base)
    async with editing(base, capabilities=PROGRESS) as editor:
        given = {"worktree": "theirs", "verify": "echo looking; echo broken >&2; exit 3", "confirmed": True}
        answer = await editor.execute("sidecar.merge", given)
        assert answer["outcome"] == "failed" and trunk(base) == before
        assert [one["code"] for one in answer["findings"]] == ["verify-failed"]
        assert "broken" in editor.messages[-1] and "\\x0a" not in editor.messages[-1]
        await editor.until(lambda: {"looking", "broken"} <= set(editor.logged))
        begun = [shown for shown in editor.progress if shown["kind"] == "begin"][-1]  # a slow plan is shown before it
        assert begun["title"] == "Merging theirs into main" and begun["cancellable"]
        assert editor.progress[-1]["kind"] == "end"


async def test_cancel_ends_verify_with_all_its_children(base: Path, feature: Path, tmp_path: Path) -> None:
    before, alive = trunk(base), tmp_path / "alive"
    verify = f'{sys.executable} -c \'import time; open("{alive}", "w").close(); time.sleep(600)\''
    async with editing(base, capabilities=PROGRESS) as editor:
        given = {"worktree": "theirs", "verify": verify, "confirmed": True}
        running = asyncio.ensure_future(editor.execute("sidecar.merge", given))
        await appears(alive)
        await editor.until(lambda: any(shown.get("title") == "Merging theirs into main" for shown in editor.progress))
        editor.cancel(editor.tokens[-1])
        answer = await asyncio.wait_for(running, SECONDS)
        assert answer["outcome"] == "failed" and trunk(base) == before
        assert editor.progress[-1]["kind"] == "end"


async def test_a_shutdown_ends_what_is_under_way(base: Path, feature: Path, tmp_path: Path) -> None:
    before, alive = trunk(base), tmp_path / "alive"
    verify = f"touch '{alive}'; sleep 600"
    async with editing(base) as editor:
        given = {"worktree": "theirs", "verify": verify, "confirmed": True}
        running = asyncio.ensure_future(editor.execute("sidecar.merge", given))
        await appears(alive)
    running.cancel()
    assert trunk(base) == before
    assert git(base, "worktree", "list").count("\n") == 1
    assert not (base / ".git" / "sidecar" / "journal").exists()


async def test_the_quick_fix_merges(base: Path, mine: Path, feature: Path) -> None:
    write(mine, {"a.txt": changed(5, "mine\n")})
    async with editing(mine) as editor:
        editor.open(mine / "a.txt")
        await editor.until(lambda: editor.codes(mine / "a.txt") == [("conflict", 5, 5)])
        fixes = await editor.commands(mine / "a.txt", 5)
        assert fixes["Merge trunk into this worktree"] == ("sidecar.update", {"worktree": str(mine)})
        editor.answers = ["Merge"]
        answer = await editor.execute(*fixes["Merge theirs into trunk"])
        assert answer["outcome"] == "merged"


async def test_trunk_is_merged_into_a_worktree_and_conflicts_are_opened_there(base: Path, mine: Path) -> None:
    commit(base, {"a.txt": changed(5, "trunk\n")}, "Change line 5 in trunk")
    commit(mine, {"a.txt": changed(5, "mine\n")}, "Change line 5")
    async with editing(mine) as editor:
        await editor.until(lambda: editor.codes(mine / "a.txt") == [("trunk-conflict", 5, 5)])
        editor.answers = ["Merge main into mine"]
        refused = await editor.execute("sidecar.merge", {"worktree": "mine"})
        assert refused["outcome"] == "conflicts" and "can't be merged" in editor.asked[0]
        await editor.until(lambda: editor.shown == [(mine / "a.txt").as_uri()])
        assert "<<<<<<<" in (mine / "a.txt").read_text()
        commit(mine, {"a.txt": changed(5, "both\n")}, "Merge main")
        await editor.until(lambda: editor.codes(mine / "a.txt") == [])
        merged = await editor.execute("sidecar.merge", {"worktree": "mine", "confirmed": True})
        assert merged["outcome"] == "merged" and (base / "a.txt").read_text() == changed(5, "both\n")


async def test_a_clean_update_and_one_that_has_nothing_to_do(base: Path, mine: Path) -> None:
    commit(base, {"b.txt": changed(5, "trunk\n")}, "Change b in trunk")
    commit(mine, {"a.txt": changed(5, "mine\n")}, "Change line 5")
    async with editing(mine) as editor:
        plan = await editor.request("sidecar/plan", {"worktree": "mine", "what": "update"})
        assert plan.outcome == "planned" and list(plan.findings) == []
        updated = await editor.execute("sidecar.update", {"worktree": "mine", "confirmed": True})
        assert updated["outcome"] == "updated" and (mine / "b.txt").read_text() == changed(5, "trunk\n")
        again = await editor.execute("sidecar.update", {"worktree": "mine"})
        assert (again["outcome"], again["findings"][0]["code"]) == ("refused", "nothing-to-merge")


async def test_what_a_killed_operation_left_is_told(base: Path, feature: Path, tmp_path: Path) -> None:
    before, alive = trunk(base), tmp_path / "alive"
    server = subprocess.Popen(
        [*COMMAND[:-1], "-C", str(base), "merge", "theirs", "--yes", "--verify", f"touch '{alive}'; sleep 600"],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    async with editing(base) as editor:
        await appears(alive)
        server.kill()
        server.wait()
        merged = await editor.execute("sidecar.merge", {"worktree": "theirs", "confirmed": True})
        assert merged["outcome"] == "merged" and merged["trunk"]["before"] == before
        assert any("was taken back" in said for said in (*editor.logged, *editor.messages))


async def test_a_server_that_starts_cleans_up_after_a_killed_operation(
    base: Path, feature: Path, tmp_path: Path
) -> None:
    before, alive = trunk(base), tmp_path / "alive"
    merging = subprocess.Popen(
        [*COMMAND[:-1], "-C", str(base), "merge", "theirs", "--yes", "--verify", f"touch '{alive}'; sleep 600"],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    async with editing(tmp_path) as editor:
        await appears(alive)
    merging.kill()
    merging.wait()
    async with editing(base) as editor:
        await editor.until(lambda: any("was taken back" in said for said in editor.messages))
        assert trunk(base) == before and not (base / ".git" / "sidecar" / "journal").exists()
        assert git(base, "worktree", "list").count("\n") == 1


async def test_a_name_that_two_repositories_have_is_not_guessed_at(base: Path, feature: Path, tmp_path: Path) -> None:
    other = init(tmp_path / "elsewhere" / "other")
    commit(other, {"a.txt": TEXT}, "Begin")
    commit(add_worktree(other, "theirs"), {"a.txt": changed(5, "theirs\n")}, "Change line 5")
    before = trunk(other)
    async with editing(base, other) as editor:
        await editor.until(lambda: len({picture.repository for picture in editor.pictures}) == 2)
        answer = await editor.execute("sidecar.merge", {"worktree": "theirs", "confirmed": True})
        assert (answer["outcome"], answer["findings"][0]["code"]) == ("failed", "ambiguous-worktree")
        answer = await editor.execute("sidecar.merge", {"worktree": str(feature), "confirmed": True})
        assert answer["outcome"] == "merged" and trunk(other) == before
        given = {"worktree": "theirs", "repository": str(other / ".git"), "confirmed": True}
        assert (await editor.execute("sidecar.merge", given))["outcome"] == "merged"
        assert trunk(other) != before


async def test_a_request_that_is_cancelled_stops_its_work(base: Path, feature: Path, tmp_path: Path) -> None:
    before, alive = trunk(base), tmp_path / "alive"
    async with editing(base, capabilities=PROGRESS) as editor:
        given = {"worktree": "theirs", "verify": f"touch '{alive}'; sleep 600", "confirmed": True}
        params = types.ExecuteCommandParams("sidecar.merge", arguments=[given])
        editor.client.protocol.send_request(types.WORKSPACE_EXECUTE_COMMAND, params, msg_id="merging")
        await appears(alive)
        editor.client.cancel_request(types.CancelParams("merging"))
        await editor.until(lambda: editor.progress and editor.progress[-1]["kind"] == "end")
        assert trunk(base) == before and not (base / ".git" / "sidecar" / "journal").exists()


@pytest.mark.parametrize("asks", [False, True])
async def test_a_merge_outlives_the_request_of_a_client_that_gives_up(
    base: Path, feature: Path, tmp_path: Path, asks: bool
) -> None:
    """As lsp-mode does after 10 s; the merge goes on, and a message tells the result."""
    alive, go_on = tmp_path / "alive", tmp_path / "go on"
    async with editing(base, options={"waits": False}, capabilities=PROGRESS) as editor:
        editor.answers = ["Merge"] if asks else []
        verify = f"touch '{alive}'; while [ ! -e '{go_on}' ]; do sleep 0.05; done"
        given = {"worktree": "theirs", "verify": verify, **({} if asks else {"confirmed": True})}
        params = types.ExecuteCommandParams("sidecar.merge", arguments=[given])
        editor.client.protocol.send_request(types.WORKSPACE_EXECUTE_COMMAND, params, msg_id="merging")
        await appears(alive)
        editor.client.cancel_request(types.CancelParams("merging"))
        await editor.execute("sidecar.compare", {"uri": (base / "a.txt").as_uri()})
        go_on.touch()
        await editor.until(lambda: any(said.startswith("Merged theirs into main") for said in editor.messages))
        assert (base / "a.txt").read_text() == changed(5, "theirs\n")
        await editor.until(lambda: editor.progress and editor.progress[-1]["kind"] == "end")


async def test_a_client_that_does_not_wait_is_answered_while_the_merge_goes_on(
    base: Path, feature: Path, tmp_path: Path
) -> None:
    go_on = tmp_path / "go on"
    async with editing(base, options={"waits": False}) as editor:
        given = {"worktree": "theirs", "verify": f"while [ ! -e '{go_on}' ]; do sleep 0.05; done", "confirmed": True}
        assert await editor.execute("sidecar.merge", given) == {"schema": 1, "outcome": "running"}
        go_on.touch()
        await editor.until(lambda: any(said.startswith("Merged theirs into main") for said in editor.messages))


async def test_cancelling_the_progress_stops_a_merge_that_nobody_waits_for(
    base: Path, feature: Path, tmp_path: Path
) -> None:
    before, alive = trunk(base), tmp_path / "alive"
    async with editing(base, options={"waits": False}, capabilities=PROGRESS) as editor:
        given = {"worktree": "theirs", "verify": f"touch '{alive}'; sleep 600", "confirmed": True}
        assert (await editor.execute("sidecar.merge", given))["outcome"] == "running"
        await appears(alive)
        await editor.until(lambda: any(shown.get("title") == "Merging theirs into main" for shown in editor.progress))
        editor.cancel(editor.tokens[-1])
        await editor.until(lambda: any("was not merged" in said for said in editor.messages))
        assert trunk(base) == before
