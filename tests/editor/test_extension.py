"""What the extension itself adds: the status item, its commands, and a server that comes back."""

import re
from functools import partial
from pathlib import Path

import psutil
from playwright.sync_api import Page, expect

from scripts.editor.codeserver import CodeServer
from scripts.editor.processes import wait_until
from scripts.editor.workbench import (
    active_tab,
    answer_notification,
    editor_text,
    notifications,
    open_workbench,
    pick,
    picker_rows,
    run_command,
    squiggles,
    status_item,
)
from tests.editor.conftest import Shoot
from tests.editor.servers import newest_server
from tests.harness import commit, init
from tests.harness.sample import Sample

_SERVER_SECONDS = 60
_KILLS = 5
"""One more than a server is started again for."""


def test_the_status_item_counts_and_opens_problems(page: Page, editor: CodeServer, sample: Sample) -> None:
    open_workbench(page, editor, sample.showcase)
    expect(status_item(page)).to_contain_text("3 conflicts, 4 overlaps with ")
    status_item(page).click()
    expect(page.locator(".markers-panel-container")).to_be_visible()


def test_one_worktree_alone_sees_no_status_item(page: Page, editor: CodeServer, tmp_path: Path) -> None:
    main = init(tmp_path / "alone")
    commit(main, {"a.txt": "one\n"}, "Begin")
    open_workbench(page, editor, main, main / "a.txt")
    wait_until("the server runs", lambda: newest_server(editor), _SERVER_SECONDS)
    run_command(page, "Worktree Sidecar: Show Overlaps")
    expect(page.locator(".notification-list-item-message")).to_contain_text("No overlaps")
    expect(status_item(page)).to_have_count(0)


def test_a_folder_that_is_no_repository_is_answered_at_once(page: Page, editor: CodeServer, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "a.txt").write_text("a\n")
    open_workbench(page, editor, folder, folder / "a.txt")
    run_command(page, "Worktree Sidecar: Merge Worktree into Trunk...")
    expect(notifications(page)).to_contain_text("No git repository is open here.")
    run_command(page, "Focus on Worktrees View")
    expect(page.get_by_text("Its worktrees would be shown with what two of them have changed.")).to_be_visible()


def test_show_overlaps_goes_to_the_lines(page: Page, editor: CodeServer, sample: Sample, shoot: Shoot) -> None:
    open_workbench(page, editor, sample.showcase)
    expect(status_item(page)).to_be_visible()
    run_command(page, "Worktree Sidecar: Show Overlaps")
    rows = picker_rows(page)
    expect(rows.first).to_contain_text("conflicts with")
    expect(rows.filter(has_text="shop/orders.py").first).to_contain_text("free-shipping")
    shoot("overlaps")
    pick(page, "shop/orders.py")
    expect(active_tab(page)).to_contain_text("orders.py")
    expect(page.locator("#status\\.editor\\.selection")).to_contain_text("Ln 32")


def test_compare_asks_which_worktree(page: Page, editor: CodeServer, sample: Sample) -> None:
    open_workbench(page, editor, sample.showcase, sample.showcase_file)
    expect(squiggles(page).first).to_be_visible()
    run_command(page, "Worktree Sidecar: Compare with Other Worktree")
    expect(picker_rows(page).filter(has_text="tax-rules")).to_be_visible()
    pick(page, "wish-lists")
    expect(page.locator(".monaco-diff-editor .editor.original .view-lines")).to_be_visible()
    expect(active_tab(page)).to_contain_text("wish-lists")


def test_a_server_that_is_killed_comes_back_until_it_is_said_once_that_it_does_not(
    page: Page, editor: CodeServer, sample: Sample, shoot: Shoot
) -> None:
    open_workbench(page, editor, sample.showcase, sample.showcase_file)
    server: psutil.Process | None = None
    for left in reversed(range(_KILLS)):
        server = wait_until("a server", partial(newest_server, editor, but=server), _SERVER_SECONDS)
        if left:  # the last one is killed before it has answered anything
            expect(squiggles(page).first).to_be_visible()
            expect(status_item(page)).to_contain_text("conflict")
        server.kill()
        server.wait(_SERVER_SECONDS)
    said = notifications(page).filter(has_text="Worktree Sidecar is not running: it ended 5 times within 3 minutes.")
    expect(said).to_be_visible()
    expect(status_item(page)).to_have_count(0)
    expect(squiggles(page)).to_have_count(0)
    expect(notifications(page)).to_have_count(1)
    shoot("server-ended")
    said.get_by_role("button", name="Clear Notification").click()
    expect(said).to_have_count(0)
    run_command(page, "Worktree Sidecar: Show Overlaps")
    expect(said).to_be_visible()
    answer_notification(page, "Restart Server")
    expect(squiggles(page).first).to_be_visible()
    expect(status_item(page)).to_contain_text("conflict")


def test_restart_server_ends_one_that_hangs(page: Page, editor: CodeServer, sample: Sample) -> None:
    open_workbench(page, editor, sample.showcase, sample.showcase_file)
    expect(squiggles(page).first).to_be_visible()
    hung = wait_until("the server runs", lambda: newest_server(editor), _SERVER_SECONDS)
    hung.suspend()
    run_command(page, "Worktree Sidecar: Restart Server")
    wait_until("a new server", lambda: newest_server(editor, but=hung), _SERVER_SECONDS)
    expect(squiggles(page).first).to_be_visible()
    hung.wait(_SERVER_SECONDS)


def test_restart_server_starts_a_new_one(page: Page, editor: CodeServer, sample: Sample) -> None:
    open_workbench(page, editor, sample.showcase, sample.showcase_file)
    expect(squiggles(page).first).to_be_visible()
    first = wait_until("the server runs", lambda: newest_server(editor), _SERVER_SECONDS)
    run_command(page, "Worktree Sidecar: Restart Server")
    wait_until("a new server", lambda: newest_server(editor, but=first), _SERVER_SECONDS)
    expect(squiggles(page).first).to_be_visible()
    first.wait(_SERVER_SECONDS)
    expect(editor_text(page)).to_contain_text(re.compile(r"discount:\sint"))
