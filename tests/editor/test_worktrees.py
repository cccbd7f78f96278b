"""The Worktrees view: who is where, what comes next, and the way from a conflict into trunk without leaving it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scripts.editor.codeserver import CodeServer
from scripts.editor.processes import wait_until
from scripts.editor.workbench import (
    answer_notification,
    dialog,
    open_workbench,
    wait_for_message,
)
from scripts.editor.worktrees_view import child_row, do_inline, next_step, show_worktrees, worktree_row
from tests.editor.conftest import Shoot, begin_shop
from tests.harness import add_worktree, commit, git, write

CART = """def total(prices):
    amount = sum(prices)
    return amount


def count(prices):
    return len(prices)
"""
TAX = CART.replace("    return amount\n", "    return amount * TAX\n")
DISCOUNT = CART.replace("    return amount\n", "    return amount - DISCOUNT\n")
_SECONDS = 60


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    main = begin_shop(tmp_path, {"cart.py": CART, "README.md": "# Shop\n"})
    done = add_worktree(main, "agent-4")
    commit(done, {"mail.py": "def send(): ...\n"}, "Send mail")
    git(main, "merge", "--quiet", "--no-ff", "agent-4", "-m", "Merge branch 'agent-4'")
    commit(add_worktree(main, "agent-1"), {"cart.py": TAX}, "Show the total with tax")
    commit(add_worktree(main, "agent-2"), {"cart.py": DISCOUNT}, "Take a discount off the total")
    third = add_worktree(main, "agent-3")
    commit(third, {"README.md": "# The shop\n"}, "Name the shop")
    write(third, {"notes.md": "To do\n"})
    return main


@pytest.fixture
def first(shop: Path) -> Path:
    return shop.parent / "agent-1"


def test_it_shows_who_is_where_and_what_is_ready(page: Page, editor: CodeServer, first: Path, shoot: Shoot) -> None:
    open_workbench(page, editor, first, first / "cart.py")
    expect(next_step(page)).to_contain_text("Merge into main")
    show_worktrees(page)
    expect(worktree_row(page, "agent-1")).to_contain_text("this window · ready · 1 conflict")
    expect(worktree_row(page, "agent-2")).to_contain_text("ready · 1 conflict")
    expect(worktree_row(page, "agent-3")).to_contain_text("1 uncommitted")
    expect(worktree_row(page, "agent-4")).to_contain_text("in main")
    expect(worktree_row(page, "main")).to_contain_text("trunk")
    expect(child_row(page, "Merge into main")).to_contain_text("it is ready")
    expect(child_row(page, "Show the total with tax")).to_contain_text("Ada Harness")
    expect(child_row(page, "1 commit ahead of main")).to_be_visible()
    shoot("worktrees")


def test_from_a_conflict_into_trunk_in_six_actions(
    page: Page, editor: CodeServer, shop: Path, first: Path, shoot: Shoot
) -> None:
    open_workbench(page, editor, first, first / "cart.py")
    show_worktrees(page)
    actions = Actions()

    actions.take(lambda: do_inline(child_row(page, "with agent-2"), "Merge into This Window's Worktree"))
    merge_editor = page.locator(".merge-editor")
    expect(merge_editor).to_be_visible()
    expect(worktree_row(page, "agent-1")).to_contain_text("merging, 1 file to resolve")
    combination = page.get_by_text("Accept Combination", exact=False).first
    expect(combination).to_be_visible()
    shoot("worktrees-merge-editor")
    actions.take(combination.click)
    actions.take(lambda: page.get_by_role("button", name="Complete Merge").click())
    expect(next_step(page)).to_contain_text("Continue Merge")
    expect(worktree_row(page, "agent-1")).to_contain_text("merging, all resolved")
    actions.take(lambda: next_step(page).click())
    wait_until("it is committed", lambda: _subject(first) == "Merge branch 'agent-2' into agent-1" or None, _SECONDS)
    expect(next_step(page)).to_contain_text("Merge into main")
    actions.take(lambda: next_step(page).click())
    expect(dialog(page)).to_contain_text("Merge agent-1")
    actions.take(lambda: answer_notification(page, "Merge"))
    wait_until("it is merged", lambda: _subject(shop) == "Merge branch 'agent-1'" or None, _SECONDS)
    assert actions.taken == 6
    assert "TAX" in (shop / "cart.py").read_text() and "DISCOUNT" in (shop / "cart.py").read_text()

    expect(next_step(page)).to_contain_text("Release agent-1")
    expect(worktree_row(page, "main")).to_contain_text("1 merge")
    expect(worktree_row(page, "agent-2")).to_contain_text("in main")
    show_worktrees(page)
    worktree_row(page, "main").click()
    expect(child_row(page, "agent-1, merged")).to_be_visible()
    shoot("worktrees-merged")
    do_inline(worktree_row(page, "agent-2"), "Release Worktree...")
    dialog(page).get_by_role("button", name="Release", exact=True).click()
    wait_for_message(page, "Released agent-2")
    expect(worktree_row(page, "agent-2")).to_have_count(0)
    show_worktrees(page)
    worktree_row(page, "Can be restored").click()
    expect(child_row(page, "agent-2, released")).to_be_visible()
    worktree_row(page, "Notices").click()
    expect(child_row(page, "Released agent-2")).to_contain_text("Undo")
    shoot("worktrees-restorable")
    do_inline(child_row(page, "agent-2, released"), "Restore Worktree...")
    answer_notification(page, "Restore")
    expect(worktree_row(page, "agent-2")).to_be_visible()
    assert (shop.parent / "agent-2" / "cart.py").exists()


class Actions:
    """Counts what a person does."""

    def __init__(self) -> None:
        self.taken = 0

    def take(self, action: Callable[[], None]) -> None:
        action()
        self.taken += 1


def _subject(worktree: Path) -> str:
    return git(worktree, "log", "-1", "--format=%s")
