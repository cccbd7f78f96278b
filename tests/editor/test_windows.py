"""Two windows on one repository, both with Do Not Disturb on: what is said is said in the one in front alone."""

import shutil
from pathlib import Path

from playwright.sync_api import Page, expect

from scripts.editor.codeserver import CodeServer
from scripts.editor.processes import wait_until
from scripts.editor.workbench import (
    answer_notification,
    ask_to_merge,
    dialog,
    notifications,
    open_workbench,
    run_command,
    status_item,
)
from scripts.editor.worktrees_view import child_row, show_worktrees, view_rows, worktree_row
from tests.editor.conftest import Shoot
from tests.editor.test_guard import everything, wait_until_kept
from tests.editor.told import Told
from tests.harness import add_worktree, commit, git
from tests.harness.states import build_at_work

_SECONDS = 60


def test_a_loss_is_told_in_the_window_in_front_once_and_a_merge_asks_where_it_was_asked_for(
    page: Page,
    second_page: Page,
    editor: CodeServer,
    tmp_path: Path,
    told: list[Told],
    told_second: list[Told],
    shoot: Shoot,
) -> None:
    at = build_at_work(tmp_path)
    taxes, mail = (add_worktree(at.main, name) for name in ("taxes", "mail"))
    commit(taxes, {"tax.md": "Tax\n"}, "Write of tax")
    commit(mail, {"tax.md": "Mail\n"}, "Write of mail")
    before = everything(at.worktree)
    open_workbench(second_page, editor, mail)
    expect(status_item(second_page)).to_be_visible()
    open_workbench(page, editor, taxes)  # which comes to the front by that
    expect(status_item(page)).to_be_visible()
    for window in (second_page, page):
        run_command(window, "Notifications: Toggle Do Not Disturb Mode")
        show_worktrees(window)
        expect(worktree_row(window, "feat-1")).to_be_visible()
    wait_until_kept(page, at, at.worktree, "new/untracked.txt")

    shutil.rmtree(at.worktree)
    expect(notifications(page).filter(has_text="feat-1 is gone")).to_be_visible()  # not even now is a loss kept back
    for window in (second_page, page):
        expect(worktree_row(window, "Can be restored")).to_be_visible()
    worktree_row(page, "Notices").click()
    lost = view_rows(page).and_(page.locator('[aria-label*="feat-1 is gone"]'))
    expect(lost).to_have_count(1)
    expect(lost).to_contain_text("Restore")
    shoot("windows-lost")
    expect(worktree_row(second_page, "Notices")).to_have_count(0)
    answer_notification(page, "Restore")
    expect(child_row(page, "feat-1 is back")).to_be_visible()
    expect(lost).not_to_contain_text("Restore")
    expect(notifications(page)).to_have_count(0)
    assert everything(at.worktree) == before

    ask_to_merge(page, "taxes")
    shoot("windows-question")
    expect(dialog(second_page)).to_have_count(0)
    answer_notification(page, "Merge")
    wait_until("it is merged", lambda: "Merge branch 'taxes'" in git(at.main, "log", "--format=%s") or None, _SECONDS)
    expect(child_row(page, "Merged taxes into")).to_be_visible()
    expect(worktree_row(second_page, "taxes")).to_contain_text("in ")
    assert len([one.text for one in told if one.kind == "notice"]) == 1
    assert [one.text for one in told_second if one.kind != "status"] == []
