"""From an editor, a merge that conflicts only in files that tools make is made with them anew, on consent."""

from pathlib import Path

import pytest

from tests.harness import commit, git
from tests.lsp.editor import editing

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("author")]

MAKE = "cat *.part > parts.lock"


async def test_where_only_files_that_tools_make_conflict_a_person_is_asked_with_the_commands(
    base: Path, theirs: Path
) -> None:
    git(base, "config", "sidecar.generated", f"parts.lock -> {MAKE}")
    commit(theirs, {"t.part": "t\n", "parts.lock": "t\n"}, "Theirs")
    commit(base, {"b.part": "b\n", "parts.lock": "b\n"}, "Trunk's")
    async with editing(base) as editor:
        plan = await editor.request("sidecar/plan", {"worktree": "theirs"})
        assert [(one.command, list(one.paths)) for one in plan.regenerate] == [(MAKE, ["parts.lock"])]
        editor.answers = ["Cancel", "Merge and Regenerate"]
        assert (await editor.execute("sidecar.merge", {"worktree": "theirs"}))["outcome"] == "refused"
        answer = await editor.execute("sidecar.merge", {"worktree": "theirs"})
        assert (answer["outcome"], [one["code"] for one in answer["findings"]]) == ("merged", ["regenerate"])
        assert editor.questions[0] == ["Merge and Regenerate", "Merge main into theirs", "Cancel"]
    assert (base / "parts.lock").read_text() == "b\nt\n"


async def test_a_client_that_has_shown_the_commands_says_regenerate(base: Path, theirs: Path) -> None:
    git(base, "config", "sidecar.generated", f"parts.lock -> {MAKE}")
    commit(theirs, {"t.part": "t\n", "parts.lock": "t\n"}, "Theirs")
    commit(base, {"b.part": "b\n", "parts.lock": "b\n"}, "Trunk's")
    async with editing(base) as editor:
        given = {"worktree": "theirs", "regenerate": True, "confirmed": True}
        assert (await editor.execute("sidecar.merge", given))["outcome"] == "merged"
    assert (base / "parts.lock").read_text() == "b\nt\n"
