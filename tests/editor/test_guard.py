"""What something else deletes or wipes: the window says so at once, and one click, or a picker, brings it back."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scripts.editor.codeserver import CodeServer
from scripts.editor.workbench import (
    active_tab,
    answer_notification,
    editor_text,
    notifications,
    open_workbench,
    pick,
    picker_rows,
    run_command,
    wait_for_message,
)
from tests.editor.conftest import WAIT_MILLISECONDS, Shoot
from tests.harness import git, write
from tests.harness.states import Standing, build_at_work
from tests.harness.whole import Whole, as_kept, whole
from tests.operations.guarding import states


@pytest.fixture
def at(tmp_path: Path) -> Standing:
    """A worktree with committed, staged, unstaged and untracked work that trunk lacks."""
    return build_at_work(tmp_path)


def wait_until_kept(page: Page, at: Standing, worktree: Path, path: str) -> None:
    """Wait until the guard's last state of a worktree has a file as it is."""
    content = (worktree / path).read_text().rstrip("\n")
    end = time.monotonic() + WAIT_MILLISECONDS / 1000
    while (
        not (kept := states(at, worktree)) or git(at.main, "show", f"{kept[0].commit}:{path}", check=False) != content
    ):
        assert time.monotonic() < end, "The guard kept nothing."
        page.wait_for_timeout(50)


def everything(worktree: Path) -> Whole:
    return as_kept(whole(worktree, {".git"}))


def test_a_deleted_worktree_is_told_and_brought_back(
    page: Page, editor: CodeServer, at: Standing, shoot: Shoot
) -> None:
    before = everything(at.worktree)
    open_workbench(page, editor, at.main, at.main / "README.md")
    expect(editor_text(page)).to_contain_text("Shop")
    wait_until_kept(page, at, at.worktree, "new/untracked.txt")
    shutil.rmtree(at.worktree)
    git(at.main, "worktree", "prune")
    git(at.main, "branch", "-D", "feat-1")
    git(at.main, "gc", "--quiet", "--prune=now")
    wait_for_message(page, "feat-1 is gone")
    shoot("vanished")
    answer_notification(page, "Restore")
    wait_for_message(page, "feat-1 is back")
    shoot("vanished-restored")
    assert everything(at.worktree) == before


@pytest.mark.parametrize("where", ["feat-1", "main"])
def test_work_that_a_shell_wipes_is_told_shown_and_brought_back(
    where: str, page: Page, editor: CodeServer, at: Standing, shoot: Shoot
) -> None:
    worktree = at.worktree if where == "feat-1" else at.main
    text = (worktree / "README.md").read_text()
    write(worktree, {"README.md": f"{text}\nHow to pay:\n1. choose\n2. pay\n", "notes.md": f"Notes on {where}\n"})
    before = everything(worktree)
    open_workbench(page, editor, worktree, worktree / "README.md")
    expect(editor_text(page)).to_contain_text("How to pay")
    wait_until_kept(page, at, worktree, "notes.md")
    subprocess.run("git reset --quiet --hard && git clean --quiet -fd", shell=True, cwd=worktree, check=True)
    began = time.monotonic()
    notice = notifications(page).filter(has_text=f"were wiped in {where}").first
    expect(notice).to_be_visible()
    assert time.monotonic() - began < 5
    expect(notice).to_contain_text("No commit or stash has this work.")
    if where == "feat-1":
        shoot("wiped")
    answer_notification(page, "Show")
    expect(active_tab(page)).to_contain_text(".diff")
    expect(editor_text(page)).to_contain_text("How to pay")
    if where == "feat-1":
        shoot("wiped-shown")
    answer_notification(page, "Restore")
    wait_for_message(page, f"What was wiped in {where} is back")
    assert everything(worktree) == before


def test_a_worktree_goes_back_to_a_state_that_is_picked(
    page: Page, editor: CodeServer, at: Standing, shoot: Shoot
) -> None:
    before = everything(at.worktree)
    open_workbench(page, editor, at.worktree, at.worktree / "src/b.txt")
    expect(editor_text(page)).to_contain_text("unstaged")
    wait_until_kept(page, at, at.worktree, "new/untracked.txt")
    write(at.worktree, {"src/b.txt": "an agent was here\n", "new/untracked.txt": None, "report.md": "Done!\n"})
    wait_until_kept(page, at, at.worktree, "report.md")
    run_command(page, "Restore an Earlier State")
    pick(page, "feat-1")
    expect(picker_rows(page)).to_have_count(2)
    expect(picker_rows(page).first).to_contain_text("report.md")
    shoot("states")
    picker_rows(page).nth(1).click()
    expect(picker_rows(page).filter(has_text="3 files of feat-1 would be as at")).to_be_visible()
    expect(editor_text(page)).to_contain_text("an agent was here")
    expect(notifications(page).filter(has_text="wiped")).to_have_count(1)
    answer_notification(page, "Dismiss")
    shoot("state-diff")
    pick(page, "Restore")
    wait_for_message(page, "feat-1 is back")
    assert everything(at.worktree) == before
