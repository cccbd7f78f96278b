"""Setting the verify command of one repository, where a merge asks about it."""

from pathlib import Path
from typing import Any

import pytest

from tests.harness import git
from tests.lsp.editor import editing

pytestmark = pytest.mark.asyncio


def trunk(base: Path) -> str:
    return git(base, "rev-parse", "main")


async def test_a_verify_command_is_set_from_the_question_for_this_repository_alone(base: Path, feature: Path) -> None:
    buttons: list[list[str]] = []
    async with editing(base, options={"consents": True}) as editor:

        def choose(params: Any) -> str | None:
            buttons.append(list(params.actions))
            return "Set Verify Command..." if len(buttons) == 1 else "Merge"

        editor.client.feature("sidecar/consent")(choose)
        before = trunk(base)
        asked = await editor.execute("sidecar.merge", {"worktree": "theirs"})
        assert (asked["outcome"], asked["asks"]) == ("planned", "verify") and trunk(base) == before
        given = {"worktree": "theirs", "verify": "test -e none", "confirmed": True}
        assert (await editor.execute("sidecar.setVerify", given))["outcome"] == "set"
        assert git(base, "config", "--local", "sidecar.verify") == "test -e none"
        refused = await editor.execute("sidecar.merge", {"worktree": "theirs"})
        assert "verify-failed" in {one["code"] for one in refused["findings"]} and trunk(base) == before
        assert buttons == [["Merge", "Set Verify Command...", "Cancel"], ["Merge", "Cancel"]]
        twice = {**given, "verify": "one\ntwo"}
        assert (await editor.execute("sidecar.setVerify", twice))["outcome"] == "failed"
    async with editing(base) as other:
        await other.execute("sidecar.merge", {"worktree": "theirs"})
        assert "Set Verify Command..." not in other.questions[-1]
