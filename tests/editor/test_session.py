"""The whole session of a new user, with Do Not Disturb on: from the installation to what six agents did, and back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scripts.editor.codeserver import CodeServer, code_server
from scripts.editor.processes import wait_until
from scripts.editor.workbench import (
    active_tab,
    answer_notification,
    dialog,
    hover_widget,
    input_box,
    open_workbench,
    output,
    pick,
    picker_rows,
    picker_title,
    run_command,
    squiggles,
    status_item,
    webview,
)
from scripts.editor.worktrees_view import (
    child_row,
    do_in_menu,
    do_inline,
    next_step,
    show_worktrees,
    view_rows,
    worktree_row,
)
from scripts.package import package
from tests.editor.agents import DISCOUNT, SECONDS, UNFINISHED, VERIFY, Actions, build_agents, subject
from tests.editor.conftest import Shoot, bare_environment
from tests.editor.told import Told
from tests.harness import commit, git


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return build_agents(tmp_path)


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[CodeServer]:
    """A VS Code without any extension but its own."""
    home = tmp_path / "editor"
    home.mkdir()
    with code_server(home / "code-server", None, env=bare_environment(home)) as running:
        yield running


def test_from_the_installation_to_what_six_agents_did_and_back(
    page: Page, plain: CodeServer, shop: Path, told: list[Told], shoot: Shoot
) -> None:
    first, second, fifth = (shop.parent / f"agent-{number}" for number in (1, 2, 5))
    _install(page, plain, shop, shoot)
    _see(page, first, shoot)
    _merge_with_verify(page, shop, fifth, shoot)
    _resolve(page, shop, first, shoot)
    _release_and_restore(page, second, shoot)
    _undo(page, shop, shoot)
    assert [one for one in told if one.kind in ("notice", "progress")] == [], "Do Not Disturb is on"


def _install(page: Page, editor: CodeServer, shop: Path, shoot: Shoot) -> None:
    open_workbench(page, editor, shop)
    run_command(page, "Notifications: Toggle Do Not Disturb Mode")
    run_command(page, "Extensions: Install from VSIX...")
    expect(picker_rows(page).filter(has_text="code-server")).to_be_visible()  # it says itself where it begins
    input_box(page).fill(str(package()))
    expect(picker_rows(page).filter(has_text=package().name)).to_be_visible()  # before that, Enter is dropped
    expect(input_box(page)).to_have_value(str(package()))
    shoot("session-install")
    page.keyboard.press("Enter")
    expect(status_item(page)).to_be_visible()
    shoot("session-installed")


def _see(page: Page, first: Path, shoot: Shoot) -> None:
    """Who is where; on the map, on the lines, and side by side."""
    show_worktrees(page)
    expect(worktree_row(page, "agent-1")).to_contain_text("ready · 1 conflict")
    expect(worktree_row(page, "agent-3")).to_contain_text("1 uncommitted")
    expect(worktree_row(page, "agent-4")).to_contain_text("in main")
    expect(view_rows(page).and_(page.locator('[aria-level="1"][aria-label^="agent-"]'))).to_have_count(6)
    shoot("session-view")
    run_command(page, "Worktree Sidecar: Show Overlap Map")
    shown = webview(page)
    cell = shown.locator('td[aria-label^="agent-1 and agent-2:"], td[aria-label^="agent-2 and agent-1:"]')
    expect(cell).to_have_text("✕1")
    cell.click()
    expect(shown.locator("aside li button").filter(has_text="cart.py")).to_be_visible()
    page.mouse.move(1150, 715)  # nothing moves under a pointer
    expect(shown.locator("#order")).to_contain_text("in this order")
    shoot("session-map")
    do_in_menu(worktree_row(page, "agent-1"), "Open in This Window")
    expect(next_step(page)).to_contain_text("Merge into main")
    show_worktrees(page)
    expect(worktree_row(page, "agent-1")).to_contain_text("this window")
    run_command(page, "Worktree Sidecar: Show Overlaps")
    expect(picker_rows(page).first).to_contain_text("conflicts with")
    shoot("session-overlaps")
    pick(page, "cart.py")
    expect(active_tab(page)).to_contain_text("cart.py")
    expect(squiggles(page).first).to_be_visible()
    run_command(page, "Show or Focus Hover")
    expect(hover_widget(page).filter(has_text="DISCOUNT")).to_be_visible()
    shoot("session-lines")
    page.keyboard.press("Escape")
    show_worktrees(page)
    child_row(page, "with agent-2").click()
    child_row(page, "cart.py").click()
    expect(page.locator(".monaco-diff-editor .editor.original .view-lines")).to_contain_text("DISCOUNT")
    expect(page.locator(".monaco-diff-editor .editor.modified .view-lines")).to_contain_text("TAX")
    shoot("session-compare")


def _merge_with_verify(page: Page, shop: Path, fifth: Path, shoot: Shoot) -> None:
    """With a verify that is set where one is asked, and that fails first."""
    before = git(shop, "rev-parse", "main")
    do_inline(worktree_row(page, "agent-5"), "Merge Worktree into Trunk...")
    expect(dialog(page)).to_contain_text("No verify command is set.")
    shoot("session-no-verify")
    answer_notification(page, "Set Verify Command...")
    input_box(page).fill(VERIFY)
    page.keyboard.press("Enter")
    expect(dialog(page)).to_contain_text("has to pass first")
    shoot("session-question")
    answer_notification(page, "Merge")
    expect(output(page)).to_be_visible()
    show_worktrees(page)
    worktree_row(page, "Notices").click()
    failed = child_row(page, "agent-5 was not merged, and main is as it was. Verify failed (status 1). Its last lines:")
    expect(failed).to_contain_text("Show Log")
    shoot("session-failed")
    failed.click()
    expect(picker_title(page)).to_contain_text("orders.py:1:# FIXME: to whom?")
    shoot("session-why")
    page.keyboard.press("Escape")
    run_command(page, "View: Hide Panel")
    assert git(shop, "rev-parse", "main") == before

    commit(fifth, {"orders.py": UNFINISHED.replace("# FIXME: to whom?\n", "")}, "Ship to whom it was ordered by")
    expect(worktree_row(page, "agent-5")).to_contain_text("ready")
    do_inline(worktree_row(page, "agent-5"), "Merge Worktree into Trunk...")
    answer_notification(page, "Merge")
    expect(child_row(page, "Merged agent-5 into main")).to_be_visible()
    assert subject(shop) == "Merge branch 'agent-5'"
    shoot("session-merged")


def _resolve(page: Page, shop: Path, first: Path, shoot: Shoot) -> None:
    """From a conflict into trunk, in six actions."""
    actions = Actions()
    actions.take(lambda: do_inline(child_row(page, "with agent-2"), "Merge into This Window's Worktree"))
    expect(page.locator(".merge-editor")).to_be_visible()
    expect(worktree_row(page, "agent-1")).to_contain_text("merging, 1 file to resolve")
    combination = page.get_by_text("Accept Combination", exact=False).first
    expect(combination).to_be_visible()
    _point_at_nothing(page)
    shoot("worktrees-merge-editor")
    actions.take(combination.click)
    actions.take(lambda: page.get_by_role("button", name="Complete Merge").click())
    expect(next_step(page)).to_contain_text("Continue Merge")
    expect(worktree_row(page, "agent-1")).to_contain_text("merging, all resolved")
    shoot("session-resolved")
    actions.take(lambda: next_step(page).click())
    wait_until("it is committed", lambda: subject(first) == "Merge branch 'agent-2' into agent-1" or None, SECONDS)
    expect(next_step(page)).to_contain_text("Merge into main")
    actions.take(lambda: next_step(page).click())
    expect(dialog(page)).to_contain_text("Merge agent-1")
    actions.take(lambda: answer_notification(page, "Merge"))
    wait_until("it is merged", lambda: subject(shop) == "Merge branch 'agent-1'" or None, SECONDS)
    assert actions.taken == 6
    text = (shop / "cart.py").read_text()
    assert "TAX" in text and "DISCOUNT" in text and "[*prices]" not in text

    expect(next_step(page)).to_contain_text("Release agent-1")
    expect(worktree_row(page, "main")).to_contain_text("2 merges")
    expect(worktree_row(page, "agent-2")).to_contain_text("in main")
    show_worktrees(page)
    worktree_row(page, "main").click()
    expect(child_row(page, "agent-1, merged")).to_be_visible()
    _point_at_nothing(page)
    shoot("worktrees-merged")


def _release_and_restore(page: Page, second: Path, shoot: Shoot) -> None:
    do_inline(worktree_row(page, "agent-2"), "Release Worktree...")
    expect(dialog(page)).to_contain_text("agent-2")
    shoot("session-release")
    answer_notification(page, "Release")
    expect(worktree_row(page, "agent-2")).to_have_count(0)
    assert not second.exists()
    expect(child_row(page, "Released agent-2")).to_contain_text("Undo")
    worktree_row(page, "Can be restored").click()
    expect(child_row(page, "agent-2, released")).to_be_visible()
    _point_at_nothing(page)
    shoot("worktrees-restorable")
    do_inline(child_row(page, "agent-2, released"), "Restore Worktree...")
    expect(dialog(page)).to_contain_text("agent-2")
    shoot("session-restore")
    answer_notification(page, "Restore")
    expect(worktree_row(page, "agent-2")).to_be_visible()
    assert (second / "cart.py").read_text() == DISCOUNT
    shoot("session-restored")


def _undo(page: Page, shop: Path, shoot: Shoot) -> None:
    """The last merge; trunk is as it was before it."""
    do_inline(child_row(page, "agent-1, merged"), "Restore Worktree...")
    expect(dialog(page)).to_contain_text("agent-1")
    shoot("session-undo")
    answer_notification(page, "Take Back")
    wait_until("it is taken back", lambda: subject(shop) == "Merge branch 'agent-5'" or None, SECONDS)
    assert "TAX" not in (shop / "cart.py").read_text()
    expect(worktree_row(page, "agent-1")).to_contain_text("ready")
    shoot("session-undone")


def _point_at_nothing(page: Page) -> None:
    """So that no row's hover is in the picture."""
    page.mouse.move(900, 690)
    expect(page.locator(".workbench-hover:visible")).to_have_count(0)
