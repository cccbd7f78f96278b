"""What `sidecar.check` says of a merge and of neither side alone is a diagnostic; its quick fix merges trunk."""

import sys
from pathlib import Path

import pytest

from tests.harness import commit, git, write
from tests.lsp.editor import Editor, editing
from tests.operations.test_merge_check import CHECKER, PRICES

pytestmark = pytest.mark.asyncio

LONG = 90.0
"""Seconds: merges are tried when nothing has changed for a moment, at the lowest priority."""


@pytest.fixture
def shop(base: Path, mine: Path, tmp_path: Path, author: None) -> Path:
    """Trunk newly uses what `mine` renames."""
    (tmp_path / "check.py").write_text(CHECKER)
    git(base, "config", "sidecar.check", f"{sys.executable} {tmp_path}/check.py")
    commit(base, {"prices.py": PRICES, "cart.py": "def add():\n    pass\n"}, "Begin")
    git(mine, "merge", "--quiet", "main")
    commit(mine, {"prices.py": PRICES.replace("total", "total_price")}, "Rename total")
    commit(base, {"cart.py": "def add():\n    pass\n\n\ntotal()\n"}, "Use total")
    return base


def message(editor: Editor, path: Path) -> str:
    (found,) = editor.published[path.as_uri()].diagnostics
    return found.message


async def test_it_is_told_where_the_other_line_comes_in_and_gone_when_mended(shop: Path, mine: Path) -> None:
    file = mine / "cart.py"
    async with editing(mine, options={"trusted": True}) as editor:
        editor.open(file)
        await editor.until(lambda: editor.codes(file) == [("fails-together", 2, 2)], LONG)
        assert message(editor, file) == (
            "What comes in below here with main fails sidecar.check, and neither does alone: total is not defined"
        )
        assert [one.title for one in await editor.actions(file, 2)] == ["Merge trunk into this worktree"]
        write(mine, {"prices.py": PRICES.replace("total", "total_price") + "\n\ndef total():\n    pass\n"})
        await editor.until(lambda: editor.codes(file) == [], LONG)


async def test_it_is_told_in_trunks_checkout_at_the_line_itself(shop: Path) -> None:
    file = shop / "cart.py"
    async with editing(shop, options={"trusted": True}) as editor:
        editor.open(file)
        await editor.until(lambda: editor.codes(file) == [("fails-together", 5, 5)], LONG)
        assert message(editor, file) == (
            "Merged with mine, this fails sidecar.check, and neither does alone: total is not defined"
        )
        assert await editor.actions(file, 5) == []
