"""In the editor, what one worktree takes away and another newly uses is told at both ends, and goes with either."""

from pathlib import Path

import pytest
from lsprotocol import types

from tests.harness import add_worktree, commit, git, write
from tests.lsp.editor import Editor, editing

pytestmark = pytest.mark.asyncio

PRICES = "def rounded(cents):\n    return cents\n\n\ndef summed(many):\n    return sum(many)\n"
SUMMED = PRICES.partition("\n\n\n")[2]
USES = "from prices import rounded\n\nprint(rounded(3))\n"
INFORMATION, WARNING = types.DiagnosticSeverity.Information, types.DiagnosticSeverity.Warning


@pytest.fixture
def shop(repo: Path) -> Path:
    """Trunk, from which worktree `theirs` has removed a function."""
    commit(repo, {"prices.py": PRICES, "till.py": "print(3)\n"}, "Begin")
    commit(add_worktree(repo, "theirs", branch="feature/theirs"), {"prices.py": SUMMED}, "Remove")
    return repo


def told(editor: Editor, path: Path) -> list[tuple[str, types.DiagnosticSeverity | None]]:
    published = editor.published.get(path.as_uri())
    return [(one.message, one.severity) for one in published.diagnostics] if published is not None else []


async def test_it_is_a_warning_at_both_ends_and_goes_with_the_use(shop: Path) -> None:
    mine = add_worktree(shop, "mine")
    theirs, till = shop.parent / "theirs" / "prices.py", mine / "till.py"
    async with editing(mine, settings={}) as editor:
        editor.open(till)
        editor.open(theirs)
        await editor.until(lambda: editor.pictures)
        assert editor.codes(till) == []
        editor.type(till, USES)  # what is not saved counts
        await editor.until(lambda: editor.codes(till) == [("broken-use", 1, 1)])
        said = "Uses `rounded` of prices.py, which theirs (branch feature/theirs) removes."
        nowhere = " Once both are merged, it is nowhere."
        assert told(editor, till) == [(said + nowhere, WARNING)]
        await editor.until(lambda: editor.codes(theirs) == [("broken-use", 1, 1)])
        there = f"Removes `rounded`, which mine newly uses in till.py, line 1.{nowhere}"
        assert told(editor, theirs) == [(there, WARNING)]
        (found,) = editor.published[till.as_uri()].diagnostics
        assert found.related_information is not None
        assert found.related_information[0].location.uri == theirs.as_uri()
        assert found.code_description is not None and found.code_description.href.endswith("/broken-use.md")
        editor.type(till, "print(4)\n")
        await editor.until(lambda: editor.codes(till) == editor.codes(theirs) == [])


async def test_it_is_information_where_the_merge_defines_the_name_elsewhere(shop: Path) -> None:
    commit(shop.parent / "theirs", {"money.py": "def rounded(cents):\n    return cents + 1\n"}, "Another one")
    mine = add_worktree(shop, "mine")
    write(mine, {"till.py": USES})
    async with editing(mine, settings={}) as editor:
        editor.open(mine / "till.py")
        await editor.until(lambda: editor.codes(mine / "till.py") == [("broken-use", 1, 1)])
        (found,) = editor.published[(mine / "till.py").as_uri()].diagnostics
        assert found.severity == INFORMATION


async def test_trunk_is_an_end_too(shop: Path) -> None:
    mine = add_worktree(shop, "mine")
    git(shop, "merge", "--quiet", "feature/theirs")
    git(shop, "worktree", "remove", str(shop.parent / "theirs"))
    write(mine, {"till.py": USES})
    async with editing(mine, settings={}) as editor:
        await editor.until(lambda: editor.codes(mine / "till.py") == [("broken-use", 1, 1)])
        ((message, _),) = told(editor, mine / "till.py")
        assert message.startswith("Uses `rounded` of prices.py, which trunk (branch main) removes.")


async def test_nothing_is_told_where_a_person_wants_none(shop: Path) -> None:
    mine = add_worktree(shop, "mine")
    git(shop, "config", "sidecar.symbols", "false")
    write(mine, {"till.py": USES, "prices.py": f"# conflicts\n{SUMMED}"})
    async with editing(mine, settings={}) as editor:
        editor.open(mine / "till.py")
        git(shop, "config", "sidecar.symbols", "true")
        git(mine, "checkout", "--quiet", "prices.py")
        await editor.until(lambda: editor.codes(mine / "till.py") == [("broken-use", 1, 1)])
        git(shop, "config", "sidecar.symbols", "false")
        await editor.until(lambda: editor.codes(mine / "till.py") == [])
