"""The MCP server, asked by the official client in both eras of the protocol, in real repositories."""

import base64
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.server.request_state import InvalidRequestState
from mcp.shared.exceptions import MCPError

from sidecar.agents.request_state import SigningCodec
from sidecar.operations.journal import begin
from tests.git.leaving import eventually
from tests.harness import add_worktree, begin_shop, commit, environment, git, write

LINES = "".join(f"line {number}\n" for number in range(20))
ERAS = ("legacy", "2026-07-28")
DEADLINE = 60


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Trunk with two worktrees that conflict: one has committed, the other has not."""
    main = begin_shop(tmp_path, {"cart.txt": LINES})
    commit(add_worktree(main, "feat"), {"cart.txt": LINES.replace("line 5\n", "five\n")}, "Count to five")
    write(add_worktree(main, "other"), {"cart.txt": LINES.replace("line 5\n", "FIVE\n")})
    return main


Talk = Callable[[Client], Awaitable[None]]


def ask(folder: Path, era: str, talk: Talk, answer: str | None = None, asked: list[str] | None = None) -> None:
    """Start the server in a folder and talk to it; a person answers what is asked, where there is an `answer`."""

    async def elicit(_context: Any, params: Any) -> types.ElicitResult | types.ErrorData:
        if asked is not None:
            asked.append(params.message)
        return types.ElicitResult(action=answer, content={"agree": True} if answer == "accept" else None)  # type: ignore[arg-type]

    async def main() -> None:
        home = folder.parent / "home"
        home.mkdir(exist_ok=True)
        command = StdioServerParameters(
            command=sys.executable,
            args=["-m", "sidecar", "mcp"],
            cwd=str(folder),
            env=environment(home) | {"XDG_CACHE_HOME": str(home / "cache")},
        )
        with anyio.fail_after(DEADLINE):
            async with Client(command, mode=era, elicitation_callback=elicit if answer else None) as client:  # type: ignore[arg-type]
                await talk(client)

    anyio.run(main)


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool; its structured answer, which the text says too."""
    said = await client.call_tool(tool, arguments)
    assert not said.is_error, said.content
    assert said.structured_content is not None
    assert json.loads(said.content[0].text) == said.structured_content  # type: ignore[union-attr]
    answer: dict[str, Any] = said.structured_content
    return answer


@pytest.mark.parametrize("era", ERAS)
def test_tools_are_listed_with_what_they_do(shop: Path, era: str) -> None:
    async def talk(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert list(tools) == ["worktrees", "overlaps", "check", "plan", "open", "merge", "release", "restore"]
        hints = {name: tool.annotations for name, tool in tools.items()}
        reading = {name for name, hint in hints.items() if hint is not None and hint.read_only_hint}
        assert reading == {"worktrees", "overlaps", "check", "plan"}
        assert {name for name, hint in hints.items() if hint is not None and hint.destructive_hint} == {
            "merge",
            "release",
            "restore",
        }
        assert not any("allow" in tool.input_schema.get("properties", {}) for tool in tools.values())

    ask(shop, era, talk)


@pytest.mark.parametrize("era", ERAS)
def test_a_file_is_checked_where_the_server_was_started_or_in_the_folder_that_is_named(shop: Path, era: str) -> None:
    async def talk(client: Client) -> None:
        (file,) = (await call(client, "check", paths=["cart.txt"]))["files"]
        assert (file["worktree"], file["overlaps"][0]["verdict"]) == ("feat", "conflict")
        (file,) = (await call(client, "check", paths=["cart.txt"], folder=str(shop.parent / "other")))["files"]
        assert file["worktree"] == "other"
        listed = await call(client, "overlaps")
        assert [one["verdict"] for one in listed["overlaps"]] == ["conflict"]
        both = await call(client, "overlaps", first="feat", second="other")
        assert both["overlaps"][0]["path"] == "cart.txt"
        names = [one["name"] for one in (await call(client, "worktrees"))["worktrees"]]
        assert names == ["shop", "feat", "other"]

    ask(shop.parent / "feat", era, talk)


def test_what_a_checked_file_takes_back_of_trunk_is_told(shop: Path) -> None:
    commit(shop, {"cart.txt": LINES.replace("line 9\n", "nine\n")}, "Count to nine")
    stale = add_worktree(shop, "stale")
    commit(stale, {"cart.txt": LINES}, "Work")

    async def talk(client: Client) -> None:
        (one,) = (await call(client, "check", paths=["cart.txt"]))["undoes"]
        assert (one["worktree"], one["subject"]) == ("stale", "Count to nine")

    ask(stale, ERAS[-1], talk)


@pytest.mark.parametrize("era", ERAS)
def test_a_merge_that_a_person_agrees_to_lands_and_is_taken_back(shop: Path, era: str) -> None:
    before, asked = git(shop, "rev-parse", "main"), list[str]()

    async def talk(client: Client) -> None:
        planned = await call(client, "plan", what="merge", worktree="feat")
        assert planned["outcome"] == "planned"
        done = await call(client, "merge", plan_id=planned["plan_id"])
        assert (done["outcome"], done["trunk"]["after"]) == ("merged", git(shop, "rev-parse", "main"))
        assert (shop / "cart.txt").read_text() == LINES.replace("line 5\n", "five\n")
        restored = await call(client, "restore", receipt=done["receipt"])
        assert restored["outcome"] == "restored"

    ask(shop, era, talk, "accept", asked)
    assert asked == ["Merge feat into main? Changes 1 file.", asked[1]]
    assert git(shop, "rev-parse", "main") == before


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("answer", ["decline", "cancel", None])
def test_without_a_persons_consent_nothing_is_done_and_how_to_confirm_is_said(
    shop: Path, era: str, answer: str | None
) -> None:
    before = git(shop, "rev-parse", "main")

    async def talk(client: Client) -> None:
        planned = await call(client, "plan", what="merge", worktree="feat")
        said = await call(client, "merge", plan_id=planned["plan_id"])
        assert (said["outcome"], said["confirmed"]) == ("planned", False)
        assert said["how_to_confirm"].endswith("sidecar merge feat")

    ask(shop, era, talk, answer)
    assert git(shop, "rev-parse", "main") == before


def test_what_a_client_hands_back_for_a_person_counts_only_as_it_was_given(shop: Path) -> None:
    before = git(shop, "rev-parse", "main")
    agreed: types.InputResponses = {}

    async def talk(client: Client) -> None:
        tool = client.session.call_tool
        plan = {"plan_id": (await call(client, "plan", what="merge", worktree="feat"))["plan_id"]}
        asked = await tool("merge", plan, allow_input_required=True)
        assert isinstance(asked, types.InputRequiredResult)
        assert asked.request_state is not None and asked.input_requests is not None
        agreed.update(
            {key: types.ElicitResult(action="accept", content={"agree": True}) for key in asked.input_requests}
        )
        signed = base64.urlsafe_b64decode(asked.request_state)
        changed = base64.urlsafe_b64encode(signed[:-1] + bytes([signed[-1] ^ 1])).decode()
        for made_up in (changed, SigningCodec().seal(signed[32:]), "", "no token"):
            with pytest.raises(MCPError, match="Invalid or expired requestState"):
                await tool("merge", plan, request_state=made_up, input_responses=agreed, allow_input_required=True)
        assert git(shop, "rev-parse", "main") == before
        done = await tool("merge", plan, request_state=asked.request_state, input_responses=agreed)
        assert (done.structured_content or {})["outcome"] == "merged"

    ask(shop, "2026-07-28", talk, "accept")


@pytest.mark.parametrize("payload", [b"", b"x", bytes(range(256))])
def test_a_signed_state_is_read_by_who_signed_it_and_by_nobody_else(payload: bytes) -> None:
    codec = SigningCodec()
    token = codec.seal(payload)
    assert codec.unseal(token) == payload
    for other in (token[1:], token + "AAAA", f"{token}\n", SigningCodec().seal(payload)):
        with pytest.raises(InvalidRequestState):
            codec.unseal(other)


def test_what_a_person_is_told_to_run_is_quoted_for_the_shell(shop: Path) -> None:
    commit(add_worktree(shop, "x; touch pwned #", branch="odd"), {"odd.txt": "odd\n"}, "Odd")

    async def talk(client: Client) -> None:
        planned = await call(client, "plan", what="merge", worktree="odd")
        said = await call(client, "merge", plan_id=planned["plan_id"])
        assert said["how_to_confirm"].endswith("sidecar merge 'x; touch pwned #'")

    ask(shop, "legacy", talk)


def test_an_opening_finishes_what_was_left_of_a_killed_one(shop: Path) -> None:
    sidecar_dir = shop / ".git/sidecar"
    sidecar_dir.mkdir(mode=0o700)
    facts = {"path": str(shop.parent / "gone"), "branch": "gone", "commit": git(shop, "rev-parse", "HEAD")}
    begin(sidecar_dir, "open-20260101-000000", "open", "add", {**facts, "parent": True})

    async def talk(client: Client) -> None:
        assert (await call(client, "open", name="task"))["outcome"] == "opened"

    ask(shop, "legacy", talk)
    assert not (sidecar_dir / "journal").exists()


def test_what_is_in_the_way_gets_no_plan_id(shop: Path) -> None:
    async def talk(client: Client) -> None:
        said = await call(client, "plan", what="merge", worktree="other")
        assert said["outcome"] == "refused"
        assert "plan_id" not in said
        failed = await client.call_tool("merge", {"plan_id": "0123456789abcdef"})
        assert failed.is_error

    ask(shop, "legacy", talk, "accept")


def test_files_are_made_anew_by_commands_that_the_person_is_shown(shop: Path) -> None:
    commit(shop.parent / "feat", {"parts/b": "b\n", "parts.lock": "b\n"}, "Add b")
    commit(shop, {"parts/c": "c\n", "parts.lock": "c\n"}, "Add c")
    git(shop, "config", "sidecar.generated", "parts.lock -> cat parts/* > parts.lock")
    asked = list[str]()

    async def talk(client: Client) -> None:
        said = await call(client, "plan", what="merge", worktree="feat")
        assert (said["outcome"], "plan_id" in said) == ("refused", False), "nobody has chosen it"
        said = await call(client, "plan", what="merge", worktree="feat", regenerate=True)
        assert said["regenerate"][0]["paths"] == ["parts.lock"]
        assert (await call(client, "merge", plan_id=said["plan_id"]))["outcome"] == "merged"

    ask(shop, "legacy", talk, "accept", asked)
    told = "These commands run, and what they make is part of it: parts.lock by “cat parts/* > parts.lock”."
    assert asked[0].endswith(told)
    assert (shop / "parts.lock").read_text() == "b\nc\n"


def test_a_worktree_is_opened_and_one_whose_work_is_in_trunk_released(shop: Path) -> None:
    async def talk(client: Client) -> None:
        opened = await call(client, "open", name="task")
        assert (opened["outcome"], (Path(opened["path"]) / "cart.txt").read_text()) == ("opened", LINES)
        again = await call(client, "open", name="task")
        assert (again["outcome"], again["path"]) == ("refused", None)
        planned = await call(client, "plan", what="release", worktree="task")
        released = await call(client, "release", plan_id=planned["plan_id"])
        assert released["outcome"] == "released"
        assert not Path(opened["path"]).exists()
        kept = await call(client, "restore")
        assert [one["what"] for one in kept["receipts"]] == ["release"]

    ask(shop, "legacy", talk, "accept")


@pytest.mark.parametrize("era", ERAS)
def test_a_cancelled_merge_ends_its_verify_and_trunk_stays(shop: Path, era: str) -> None:
    before, pid = git(shop, "rev-parse", "main"), shop.parent / "pid"
    git(shop, "config", "sidecar.verify", f"echo $$ > {pid}; exec sleep 600")

    async def talk(client: Client) -> None:
        planned = await call(client, "plan", what="merge", worktree="feat")

        async def stop_once_it_runs(scope: anyio.CancelScope) -> None:
            await anyio.to_thread.run_sync(eventually, lambda: pid.exists() and pid.read_text().strip())
            scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(stop_once_it_runs, group.cancel_scope)
            await client.call_tool("merge", {"plan_id": planned["plan_id"]})
        await anyio.to_thread.run_sync(eventually, lambda: not Path(f"/proc/{pid.read_text().strip()}").exists())
        assert len((await call(client, "worktrees"))["worktrees"]) == 3

    ask(shop, era, talk, "accept")
    assert git(shop, "rev-parse", "main") == before


@pytest.mark.parametrize("era", ERAS)
def test_an_argument_that_a_tool_does_not_have_is_refused_and_nothing_done(shop: Path, era: str) -> None:
    async def talk(client: Client) -> None:
        for tool in (await client.list_tools()).tools:
            assert tool.input_schema["additionalProperties"] is False
        said = await client.call_tool("open", {"name": "next", "from": "feat"})
        assert said.is_error
        assert said.content[0].text == "open has no parameter from. It has name, start, folder."  # type: ignore[union-attr]

    ask(shop, era, talk)
    assert git(shop, "branch", "--list", "next") == ""


def test_outside_of_a_repository_it_says_so(tmp_path: Path) -> None:
    async def talk(client: Client) -> None:
        said = await client.call_tool("worktrees", {})
        assert said.is_error
        assert "not in a git repository" in said.content[0].text  # type: ignore[union-attr]

    ask(tmp_path, "legacy", talk)
