"""The way back into trunk: a conflict is resolved where the work is, and then everybody sees that it is over."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scripts.editor.codeserver import CodeServer
from scripts.editor.workbench import (
    active_tab,
    answer_notification,
    code_lens,
    dialog,
    editor_text,
    go_to_line,
    input_box,
    notifications,
    open_workbench,
    pick,
    picker_rows,
    quick_fix,
    run_command,
    show_quick_fixes,
    squiggles,
    wait_for_message,
)
from scripts.editor.worktrees_view import next_step
from tests.editor.conftest import Shoot
from tests.harness import add_worktree, begin_shop, commit, git

CART = '''"""The cart."""

from dataclasses import dataclass


@dataclass
class Line:
    """Something in the cart."""

    price: int
    count: int


def total(lines: list[Line]) -> int:
    """What all of it costs."""
    return sum(line.price * line.count for line in lines)
'''
SUM = "    return sum(line.price * line.count for line in lines)\n"
DISCOUNT = "    return sum(line.price * line.count for line in lines) - DISCOUNT\n"
TAX = "    return round(sum(line.price * line.count for line in lines) * TAX)\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return begin_shop(tmp_path, {"cart.py": CART})


@pytest.fixture
def discounts(shop: Path) -> Path:
    """A worktree whose commit is in trunk already."""
    worktree = add_worktree(shop, "discounts")
    commit(worktree, {"cart.py": CART.replace(SUM, DISCOUNT)}, "Take a discount off the total")
    return worktree


@pytest.fixture
def taxes(shop: Path) -> Path:
    worktree = add_worktree(shop, "taxes")
    commit(worktree, {"cart.py": CART.replace(SUM, TAX)}, "Show the total with tax")
    return worktree


def test_from_the_conflict_into_trunk(
    page: Page,
    second_page: Page,
    editor: CodeServer,
    shop: Path,
    discounts: Path,
    taxes: Path,
    shoot: Shoot,
) -> None:
    open_workbench(second_page, editor, discounts, discounts / "cart.py")
    expect(squiggles(second_page).first).to_be_visible()  # taxes conflicts with what is here
    git(shop, "merge", "--quiet", "--no-ff", "discounts", "-m", "Merge branch 'discounts'")

    open_workbench(page, editor, taxes, taxes / "cart.py")
    expect(squiggles(page).first).to_be_visible()
    go_to_line(page, 16, 8)
    fix = show_quick_fixes(page, "Merge trunk into this worktree")
    shoot("merge-fixes")
    fix.click()
    wait_for_message(page, "Conflicts are left there")
    answer_notification(page, "Merge")

    expect(page.locator(".merge-editor")).to_be_visible()
    expect(next_step(page)).to_contain_text("Resolve 1 File")
    combination = page.get_by_text("Accept Combination").first
    expect(combination).to_be_visible()
    shoot("merge-conflict")
    combination.click()
    page.get_by_role("button", name="Complete Merge").click()
    expect(next_step(page)).to_contain_text("Continue Merge")
    run_command(page, "Worktree Sidecar: Continue Merge")
    dialog(page).get_by_role("button", name="Continue", exact=True).click()
    expect(next_step(page)).to_contain_text("Merge into main")
    expect(squiggles(page)).to_have_count(0)

    run_command(page, "Worktree Sidecar: Merge Worktree into Trunk...")
    row = picker_rows(page).filter(has_text="taxes")
    expect(row).to_contain_text("ready")
    shoot("merge-picker")
    pick(page, "taxes")
    pick(page, "Merge commit")
    expect(input_box(page)).to_have_value("Merge branch 'taxes'")
    page.keyboard.press("Enter")
    question = dialog(page).filter(has_text="Merge taxes")
    expect(question).to_contain_text("into main with a merge commit")
    shoot("merge-question")
    answer_notification(page, "Merge")
    wait_for_message(page, "Merged taxes into main")
    shoot("merge-done")

    assert all(word in (shop / "cart.py").read_text() for word in ("DISCOUNT", "TAX"))
    assert git(shop, "log", "-1", "--format=%s", "main") == "Merge branch 'taxes'"
    expect(squiggles(second_page)).to_have_count(0)  # nobody has work any more that trunk lacks


def test_uncommitted_work_is_committed_with_the_message_that_is_typed(
    page: Page, editor: CodeServer, shop: Path, taxes: Path
) -> None:
    (taxes / "rates.py").write_text("TAX = 1.21\n")
    open_workbench(page, editor, taxes, taxes / "cart.py")
    expect(editor_text(page)).to_contain_text("TAX")
    merge(page, "taxes", "Rebase")
    expect(input_box(page)).to_have_value("Work in taxes")
    input_box(page).fill("Add the rates")
    page.keyboard.press("Enter")
    answer_notification(page, "Commit and Merge")
    wait_for_message(page, "Merged taxes into main")
    assert git(shop, "log", "-2", "--format=%s", "main").split("\n") == ["Add the rates", "Show the total with tax"]


def test_a_worktree_is_released_and_restored(
    page: Page, editor: CodeServer, shop: Path, taxes: Path, shoot: Shoot
) -> None:
    git(shop, "merge", "--quiet", "--no-ff", "taxes", "-m", "Merge branch 'taxes'")
    open_workbench(page, editor, shop, shop / "cart.py")
    expect(editor_text(page)).to_contain_text("TAX")
    run_command(page, "Worktree Sidecar: Release Worktree...")
    expect(picker_rows(page).filter(has_text="taxes")).to_contain_text("integrated")
    shoot("release-picker")
    pick(page, "taxes")
    answer_notification(page, "Release")
    wait_for_message(page, "Released taxes")
    shoot("release-done")
    assert not taxes.exists()
    run_command(page, "Worktree Sidecar: Restore Worktree...")
    pick(page, "taxes")
    answer_notification(page, "Restore")
    wait_for_message(page, "taxes is back")
    assert (taxes / "cart.py").read_text() == CART.replace(SUM, TAX)


def test_an_integrated_worktree_says_so_above_its_files(
    page: Page, editor: CodeServer, shop: Path, taxes: Path
) -> None:
    git(shop, "merge", "--quiet", "--no-ff", "taxes", "-m", "Merge branch 'taxes'")
    open_workbench(page, editor, taxes, taxes / "cart.py")
    expect(code_lens(page)).to_contain_text("All work of taxes is in main: release it")
    expect(active_tab(page)).to_contain_text("cart.py")


def merge(page: Page, worktree: str, strategy: str) -> None:
    """Pick a worktree and a strategy in the palette's command; messages are the caller's."""
    run_command(page, "Worktree Sidecar: Merge Worktree into Trunk...")
    pick(page, worktree)
    pick(page, strategy)
    if strategy == "Squash":
        expect(input_box(page)).to_have_value("Squashed commit of the following:")
        page.keyboard.press("Enter")


def test_what_is_not_saved_is_saved_first(page: Page, editor: CodeServer, shop: Path, taxes: Path) -> None:
    file = taxes / "cart.py"
    open_workbench(page, editor, taxes, file)
    expect(editor_text(page)).to_contain_text("TAX")
    go_to_line(page, 17)
    page.keyboard.type("TAX = 1.21")
    expect(active_tab(page)).to_have_class(re.compile(r"\bdirty\b"))
    merge(page, "taxes", "Merge commit")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Save and Continue").click()
    expect(active_tab(page)).not_to_have_class(re.compile(r"\bdirty\b"))
    answer_notification(page, "Commit and Merge")
    wait_for_message(page, "Merged taxes into main")
    assert "1.21" in (shop / "cart.py").read_text()


def test_progress_can_be_cancelled(page: Page, editor: CodeServer, shop: Path, taxes: Path) -> None:
    git(shop, "config", "sidecar.verify", "echo looking at the cart; sleep 600")
    before = git(shop, "rev-parse", "main")
    open_workbench(page, editor, taxes, taxes / "cart.py")
    expect(editor_text(page)).to_contain_text("TAX")
    merge(page, "taxes", "Squash")
    answer_notification(page, "Merge")
    wait_for_message(page, "looking at the cart")
    notifications(page).filter(has_text="looking at the cart").hover()
    answer_notification(page, "Cancel")
    wait_for_message(page, "was not merged")
    assert git(shop, "rev-parse", "main") == before


def test_an_edit_on_trunk_goes_into_a_worktree_of_its_own(
    page: Page, editor: CodeServer, shop: Path, taxes: Path, shoot: Shoot
) -> None:
    (shop / "cart.py").write_text(CART.replace(SUM, DISCOUNT))
    open_workbench(page, editor, shop, shop / "cart.py")
    expect(squiggles(page, "info").first).to_be_visible()
    go_to_line(page, CART.splitlines(keepends=True).index(SUM) + 1)
    quick_fix(page, "Move these edits off main into a new worktree")
    wait_for_message(page, "in shop (1 file) into a new worktree main-edits")
    shoot("move-question")
    answer_notification(page, "Move")
    wait_for_message(page, "1 file moved into main-edits")
    expect(editor_text(page)).not_to_contain_text("DISCOUNT")
    shoot("move-done")
    assert (shop / "cart.py").read_text() == CART
    assert (shop.parent / "shop.worktrees/main-edits/cart.py").read_text() == CART.replace(SUM, DISCOUNT)
