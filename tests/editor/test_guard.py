"""A worktree that something else deleted: the window says so at once, and one click brings it back."""

import shutil
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scripts.editor.codeserver import CodeServer
from scripts.editor.workbench import answer_notification, editor_text, notifications, open_workbench
from tests.editor.conftest import WAIT_MILLISECONDS, Shoot
from tests.harness import git
from tests.harness.states import Standing, build_at_work
from tests.harness.whole import whole


@pytest.fixture
def at(tmp_path: Path) -> Standing:
    """A worktree with committed, staged, unstaged and untracked work that trunk lacks."""
    return build_at_work(tmp_path)


def kept(page: Page, at: Standing) -> None:
    """Wait until the guard has the worktree's state."""
    end = time.monotonic() + WAIT_MILLISECONDS / 1000
    while not git(at.main, "for-each-ref", "refs/sidecar/guard"):
        assert time.monotonic() < end, "The guard kept nothing."
        page.wait_for_timeout(50)


def test_a_deleted_worktree_is_told_and_brought_back(
    page: Page, editor: CodeServer, at: Standing, shoot: Shoot
) -> None:
    before = whole(at.worktree)
    open_workbench(page, editor, at.main, at.main / "README.md")
    expect(editor_text(page)).to_contain_text("Shop")
    kept(page, at)
    shutil.rmtree(at.worktree)
    git(at.main, "worktree", "prune")
    git(at.main, "branch", "-D", "feat-1")
    git(at.main, "gc", "--quiet", "--prune=now")
    expect(notifications(page).filter(has_text="(branch feat-1) is gone").first).to_be_visible()
    shoot("vanished")
    answer_notification(page, "Restore")
    expect(notifications(page).filter(has_text="feat-1 is back").first).to_be_visible()
    shoot("vanished-restored")
    assert whole(at.worktree) == before
