"""The Worktrees view: who is where, what is ready, and what comes next."""

from pathlib import Path

from playwright.sync_api import Page, expect

from scripts.editor.codeserver import CodeServer
from scripts.editor.workbench import open_workbench
from scripts.editor.worktrees_view import child_row, next_step, show_worktrees, worktree_row
from tests.editor.agents import build_agents
from tests.editor.conftest import Shoot


def test_it_shows_who_is_where_and_what_is_ready(page: Page, editor: CodeServer, tmp_path: Path, shoot: Shoot) -> None:
    first = build_agents(tmp_path).parent / "agent-1"
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
