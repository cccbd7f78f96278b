"""What git merges without a word, and is still wrong: found in a window, acted on there, and gone."""

import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scripts.editor.codeserver import CodeServer
from scripts.editor.workbench import (
    answer_notification,
    go_to_line,
    open_workbench,
    quick_fix,
    show_problems,
    show_quick_fixes,
    squiggles,
    wait_for_message,
)
from tests.editor.conftest import Shoot
from tests.harness import add_worktree, commit, git, init
from tests.operations.test_merge_check import CHECKER, PRICES

LONG = 120_000
"""Milliseconds: merges are tried when nothing has changed for a moment, at the lowest priority."""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    main = init(tmp_path / "shop")
    git(main, "config", "user.name", "Ada")
    git(main, "config", "user.email", "ada@example.com")
    commit(main, {"prices.py": PRICES, "cart.py": "def add():\n    pass\n"}, "Begin")
    return main


def test_what_fails_only_together_is_told_and_gone_after_trunk_was_merged(
    page: Page, editor: CodeServer, shop: Path, tmp_path: Path, shoot: Shoot
) -> None:
    (tmp_path / "check.py").write_text(CHECKER)
    git(shop, "config", "sidecar.check", f"{sys.executable} {tmp_path}/check.py")
    feat = add_worktree(shop, "feat")
    commit(feat, {"prices.py": PRICES.replace("total", "total_price")}, "Rename total")
    commit(shop, {"cart.py": "def add():\n    pass\n\n\ntotal()\n"}, "Use total")
    open_workbench(page, editor, feat, feat / "cart.py")
    expect(squiggles(page).first).to_be_visible(timeout=LONG)
    problem = show_problems(page).filter(has_text="fails sidecar.check, and neither does alone: total is not defined")
    expect(problem).to_be_visible()
    go_to_line(page, 2, 5)
    expect(show_quick_fixes(page, "Merge trunk into this worktree")).to_be_visible()
    shoot("fails-together")
    page.keyboard.press("Escape")
    quick_fix(page, "Merge trunk into this worktree")
    answer_notification(page, "Merge")
    wait_for_message(page, "feat")
    expect(squiggles(page)).to_have_count(0, timeout=LONG)
    assert "total()" in (feat / "cart.py").read_text()
    shoot("fails-together-gone")


def test_what_takes_trunk_back_is_told_and_taken_back(page: Page, editor: CodeServer, shop: Path, shoot: Shoot) -> None:
    commit(shop, {"prices.py": PRICES.replace("return 1", "return 11")}, "Raise the total")
    feat = add_worktree(shop, "feat")
    (feat / "prices.py").write_text(PRICES)
    open_workbench(page, editor, feat, feat / "prices.py")
    expect(squiggles(page).first).to_be_visible(timeout=LONG)
    expect(show_problems(page).filter(has_text="takes back what")).to_be_visible()
    go_to_line(page, 2, 5)
    expect(show_quick_fixes(page, "Take trunk's lines back")).to_be_visible()
    shoot("undoes-trunk")
    page.keyboard.press("Escape")
    quick_fix(page, "Take trunk's lines back")
    page.keyboard.press("Control+s")
    expect(squiggles(page)).to_have_count(0, timeout=LONG)
    shoot("undoes-trunk-gone")
