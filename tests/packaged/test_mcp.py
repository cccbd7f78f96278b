"""`sidecar mcp` out of the VSIX: every tool, in both eras of the protocol, without what the package leaves out."""

from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from tests.harness import add_worktree, begin_shop, commit

pytestmark = pytest.mark.timeout(600)

TOOLS = ["worktrees", "overlaps", "check", "plan", "open", "merge", "release", "restore"]
DEADLINE = 120


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Trunk, and two worktrees that made the same file."""
    main = begin_shop(tmp_path, {"cart.txt": "one\n"})
    for name in ("feat", "other"):
        commit(add_worktree(main, name), {"new.txt": f"{name}\n"}, f"Add {name}")
    return main


@pytest.mark.parametrize("era", ["legacy", "2026-07-28"])
def test_each_tool_is_listed_and_answers(server: Path, bare: dict[str, str], shop: Path, era: str) -> None:
    asked = list[str]()

    async def agree(_context: Any, params: Any) -> types.ElicitResult:
        asked.append(params.message)
        return types.ElicitResult(action="accept", content={"agree": True})

    async def talk(client: Client) -> None:
        async def call(tool: str, **arguments: Any) -> dict[str, Any]:
            said = await client.call_tool(tool, arguments)
            assert not said.is_error and said.structured_content is not None, said.content
            answer: dict[str, Any] = said.structured_content
            return answer

        assert [tool.name for tool in (await client.list_tools()).tools] == TOOLS
        assert [one["name"] for one in (await call("worktrees"))["worktrees"]] == ["shop", "feat", "other"]
        assert [one["verdict"] for one in (await call("overlaps"))["overlaps"]] == ["conflict"]
        (file,) = (await call("check", paths=["new.txt"], folder=str(shop.parent / "feat")))["files"]
        assert file["overlaps"][0]["verdict"] == "conflict"
        opened = await call("open", name="task")
        planned = await call("plan", what="release", worktree="task")
        assert (await call("release", plan_id=planned["plan_id"]))["outcome"] == "released"
        assert not Path(opened["path"]).exists()
        planned = await call("plan", what="merge", worktree="feat")
        merged = await call("merge", plan_id=planned["plan_id"])
        assert (merged["outcome"], (shop / "new.txt").read_text()) == ("merged", "feat\n")
        assert (await call("restore", receipt=merged["receipt"]))["outcome"] == "restored"
        assert {one["what"] for one in (await call("restore"))["receipts"]} == {"release"}

    async def main() -> None:
        command = StdioServerParameters(command=str(server), args=["mcp"], cwd=str(shop), env=bare)
        with anyio.fail_after(DEADLINE):
            async with Client(command, mode=era, elicitation_callback=agree) as client:  # type: ignore[arg-type]
                await talk(client)

    anyio.run(main)
    assert len(asked) == 3, "release, merge and restore each ask a person"
    assert not (shop / "new.txt").exists()
