"""What a person has asked for is done only by consent, and Enter alone lets nothing pass that was found."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scripts.editor.codeserver import CodeServer
from scripts.editor.processes import wait_until
from scripts.editor.workbench import (
    editor_text,
    open_workbench,
    pick,
    picker_rows,
    picker_title,
    run_command,
    wait_for_message,
)
from tests.editor.conftest import Shoot
from tests.editor.servers import newest_server
from tests.harness import add_worktree, begin_shop, commit, git, write

_SECONDS = 60


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return begin_shop(tmp_path, {"cart.py": "total = 0\n"})


@pytest.fixture
def taxes(shop: Path) -> Path:
    worktree = add_worktree(shop, "taxes")
    commit(worktree, {"cart.py": "total = 1\n"}, "Count")
    return worktree


def test_enter_lets_nothing_pass_until_each_finding_is_ticked(
    page: Page, editor: CodeServer, shop: Path, taxes: Path, shoot: Shoot
) -> None:
    write(taxes, {"notes.md": "Notes\n"})
    open_workbench(page, editor, shop, shop / "cart.py")
    expect(editor_text(page)).to_contain_text("total")
    question = picker_title(page).filter(has_text="taxes is not ready to be released.")

    def ask() -> None:
        run_command(page, "Worktree Sidecar: Release Worktree...")
        pick(page, "taxes")
        expect(question).to_be_visible()

    ask()
    shoot("release-findings")
    page.keyboard.press("Enter")
    expect(question).to_be_visible()
    page.keyboard.press("Escape")
    ask()  # only now is it certain that nothing was going on
    assert (taxes / "notes.md").exists()
    rows = picker_rows(page)
    for row in range(rows.count()):
        rows.nth(row).click()
        page.keyboard.press("Enter")
        if row < rows.count() - 1:
            expect(question).to_be_visible()
    wait_for_message(page, "Released taxes")
    assert not taxes.exists()


def test_a_question_goes_with_the_server_that_asked_and_the_next_one_asks_again(
    page: Page, editor: CodeServer, shop: Path, taxes: Path
) -> None:
    write(taxes, {"notes.md": "Notes\n"})
    open_workbench(page, editor, shop, shop / "cart.py")
    expect(editor_text(page)).to_contain_text("total")
    question = picker_title(page).filter(has_text="taxes is not ready to be released.")
    run_command(page, "Worktree Sidecar: Release Worktree...")
    pick(page, "taxes")
    expect(question).to_be_visible()
    asking = wait_until("the server runs", lambda: newest_server(editor), _SECONDS)
    asking.kill()
    expect(question).to_have_count(0)
    wait_until("a new server", lambda: newest_server(editor, but=asking), _SECONDS)
    run_command(page, "Worktree Sidecar: Release Worktree...")
    pick(page, "taxes")
    expect(question).to_be_visible()
    page.keyboard.press("Escape")
    assert (taxes / "notes.md").exists()


def test_of_many_only_what_is_ticked_is_merged(
    page: Page, editor: CodeServer, shop: Path, taxes: Path, shoot: Shoot
) -> None:
    """What would stop is not ticked beforehand, and what has to stay can't be ticked; both say why."""
    discounts, help_, mail = (add_worktree(shop, name) for name in ("discounts", "help", "mail"))
    commit(discounts, {"cart.py": "total = 2\n"}, "Take a discount off")
    commit(help_, {"help.md": "Help\n"}, "Write help")
    commit(mail, {"mail.py": "to = None\n"}, "Send mail")
    write(mail, {"notes.md": "Notes\n"})
    open_workbench(page, editor, shop, shop / "cart.py")
    expect(editor_text(page)).to_contain_text("total")
    run_command(page, "Worktree Sidecar: Merge All Ready Worktrees")
    expect(picker_title(page)).to_contain_text("Merge into main, one by one in this order")
    ticked = page.locator(
        ".quick-input-widget:visible .monaco-list-row input[type=checkbox]:checked, "
        ".quick-input-widget:visible .monaco-list-row .monaco-checkbox.checked"
    )
    expect(ticked).to_have_count(2)
    expect(picker_rows(page).filter(has_text="Conflicts with")).to_have_count(1)
    stays = picker_rows(page).filter(has_text="It has 1 uncommitted change.")
    expect(stays).to_contain_text("mail")
    page.mouse.move(700, 600)
    shoot("merge-all")
    stays.click()
    expect(ticked).to_have_count(2)
    picker_rows(page).filter(has_text="help").first.click()
    expect(ticked).to_have_count(1)
    page.keyboard.press("Enter")
    wait_for_message(page, "Merged ")
    merged = git(shop, "log", "--merges", "--format=%s", "main").splitlines()
    assert len(merged) == 1 and merged[0] in ("Merge branch 'discounts'", "Merge branch 'taxes'")
