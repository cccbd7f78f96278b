"""What an editor only asks, end to end: one repository and one server for all, since nothing here changes anything."""

import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types

from sidecar.operations.presence import Agent, speak
from tests.harness import add_worktree, commit, git, init, write
from tests.lsp.editor import Editor, editing
from tests.lsp.texts import TEXT, changed

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Shop:
    """Trunk in `base`, an edit of line 5 in `mine`, another in a commit of `theirs`, and `done`, which is in trunk."""

    editor: Editor
    base: Path
    mine: Path
    theirs: Path
    done: Path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    place = tmp_path_factory.mktemp("asking")
    base = init(place / "repo")
    commit(base, {"a.txt": TEXT, "b.txt": TEXT})
    mine, done = add_worktree(base, "mine"), add_worktree(base, "done")
    theirs = add_worktree(base, "theirs", branch="feature/theirs")
    write(mine, {"a.txt": changed(5, "mine\n")})
    commit(theirs, {"a.txt": changed(5, "theirs\n")}, "Change line 5")
    commit(done, {"c.txt": TEXT}, "Add c")
    git(base, "merge", "--quiet", "--no-ff", "done", "-m", "Take done")
    config = place / ".gitconfig"
    config.write_text("[user]\n\tname = Ada Harness\n\temail = ada@example.com\n")
    speak(str(base / ".git"), Agent("Codex", "S", "", str(theirs), time.time(), time.time()), ())
    async with editing(base, mine, env={"HOME": str(place), "GIT_CONFIG_GLOBAL": str(config)}) as editor:
        for path in (mine / "a.txt", mine / "b.txt", done / "b.txt"):
            editor.open(path)
        await editor.until(
            lambda: (
                editor.codes(mine / "a.txt")
                and editor.pictures
                and any(one.integration.state == "integrated" for one in editor.pictures[-1].worktrees)
            )
        )
        yield Shop(editor, base, mine, theirs, done)


@pytest.fixture
def shop(_shop: Shop) -> Iterator[Shop]:
    """The shop, in which nobody has asked anything yet, and which is as it was afterwards."""
    editor = _shop.editor
    for said in (editor.messages, editor.questions, editor.asked, editor.answers, editor.shown):
        said.clear()
    before = _standing(_shop)
    yield _shop
    assert _standing(_shop) == before


def _standing(shop: Shop) -> list[str]:
    """Every branch and worktree, and what is not committed in each."""
    places = (shop.base, shop.mine, shop.theirs, shop.done)
    statuses = [git(place, "status", "--porcelain") for place in places]
    return [git(shop.base, "for-each-ref", "refs/heads", "refs/tags"), git(shop.base, "worktree", "list"), *statuses]


async def test_the_plan_is_shown_and_nothing_happens_without_consent(shop: Shop) -> None:
    editor = shop.editor
    editor.answers = ["Cancel", None]
    for _ in range(2):
        answer = await editor.execute("sidecar.merge", {"worktree": "theirs"})
        assert (answer["outcome"], answer["receipt"]) == ("planned", None)
        assert [found["code"] for found in answer["findings"]] == ["agent-there"]
    assert editor.questions == [["Merge", "Cancel"]] * 2
    assert "Merge theirs (branch feature/theirs, 1 commit) into main with a merge commit?" in editor.asked[0]
    assert "Changes 1 file." in editor.asked[0]
    assert "Codex is at work in theirs" in editor.asked[0]


async def test_a_release_says_why_nothing_gets_lost_by_it(shop: Shop) -> None:
    shop.editor.answers = ["Cancel"]
    planned = await shop.editor.execute("sidecar.release", {"worktree": "done"})
    assert planned["outcome"] == "planned"
    asked = shop.editor.asked[0]
    assert asked.startswith("Release done and its branch done? All its work is in main")
    assert "0 B" not in asked and "It can be restored." in asked


async def test_every_answer_of_a_command_has_findings(shop: Shop) -> None:
    """A client looks there for what to do next, whichever command it was."""
    shop.editor.answers = ["Cancel"] * 4
    wishes: list[tuple[str, dict[str, Any]]] = [
        ("sidecar.mergeAll", {}),
        ("sidecar.mergeAll", {"strategy": "octopus", "nonsense": 1}),
        ("sidecar.releaseAll", {}),
        ("sidecar.restore", {}),
        ("sidecar.open", {"worktree": "new"}),
        ("sidecar.update", {"worktree": "mine"}),
    ]
    for command, wish in wishes:
        answer = await shop.editor.execute(command, wish)
        assert isinstance(answer["findings"], list), command


@pytest.mark.parametrize("named", ["name", "branch", "path"])
async def test_a_worktree_goes_by_name_branch_or_path(shop: Shop, named: str) -> None:
    name = {"name": "theirs", "branch": "feature/theirs", "path": str(shop.theirs)}[named]
    plan = await shop.editor.request("sidecar/plan", {"worktree": name, "what": "merge"})
    assert (plan.outcome, plan.plan.worktree, plan.plan.ahead) == ("planned", "theirs", 1)
    assert plan.plan.message == "Merge branch 'feature/theirs'"


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ({}, "needs worktree"),
        ({"worktree": "nobody"}, "nobody"),
        ({"worktree": 3}, "worktree"),
        ({"worktree": "theirs", "stratgy": "squash"}, "stratgy"),
        ({"worktree": "theirs", "strategy": "octopus"}, "merge, squash, rebase"),
        ("theirs", "one object"),
    ],
)
async def test_what_can_not_be_understood_is_told(shop: Shop, argument: Any, said: str) -> None:
    answer = await shop.editor.execute("sidecar.merge", argument)
    assert answer["outcome"] == "failed" and said in shop.editor.messages[-1]


async def test_hover_and_lens_tell_of_the_other_side(shop: Shop) -> None:
    client, identifier = shop.editor.client, types.TextDocumentIdentifier((shop.mine / "a.txt").as_uri())
    hover = await client.text_document_hover_async(types.HoverParams(identifier, types.Position(4, 1)))
    assert hover is not None and isinstance(hover.contents, types.MarkupContent)
    assert "```diff\n-line 5\n+theirs\n```" in hover.contents.value
    (lens,) = await shop.editor.lenses(shop.mine / "a.txt")
    assert lens.command is not None and lens.command.title == "theirs changed this file too (conflict)"


async def test_the_lens_of_a_worktree_that_is_done_releases_it(shop: Shop) -> None:
    (lens,) = await shop.editor.lenses(shop.done / "b.txt")
    assert lens.command is not None
    title = "All work of done is in main: release it"
    assert (lens.command.title, lens.command.command) == (title, "sidecar.release")


async def test_the_other_file_is_opened_beside_mine(shop: Shop) -> None:
    mine, theirs = shop.mine / "a.txt", shop.theirs / "a.txt"
    answer = await shop.editor.command({"uri": mine.as_uri()})
    assert answer["left"] == theirs.as_uri() and answer["right"] == mine.as_uri()
    assert shop.editor.shown == [theirs.as_uri()]
    assert await shop.editor.command({"uri": (shop.mine / "b.txt").as_uri()}) is None
    assert shop.editor.messages == ["No other worktree has changed b.txt."]


async def test_the_picture_is_sent_as_status_prints_it(shop: Shop) -> None:
    picture = shop.editor.pictures[-1]
    assert (picture.schema, picture.repository) == (1, os.path.join(shop.base, ".git"))
    assert [worktree.name for worktree in picture.worktrees] == ["repo", "done", "mine", "theirs"]
    assert [[agent.client for agent in worktree.agents] for worktree in picture.worktrees] == [[], [], [], ["Codex"]]
    assert [side.worktree for side in picture.overlaps[0].sides] == ["mine", "theirs"]
