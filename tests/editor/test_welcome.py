"""What the Worktrees view says where it has none to show, or where the folder is not trusted, and what it leads to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from scripts.editor.codeserver import CodeServer, code_server
from scripts.editor.workbench import (
    dialog,
    input_box,
    open_workbench,
    pick,
    picker_rows,
    picker_title,
    run_command,
    status_item,
)
from scripts.editor.worktrees_view import view_body, worktree_row
from scripts.package import package
from tests.editor.axe import violations
from tests.editor.conftest import Shoot, bare_environment
from tests.harness import begin_shop
from tests.harness.sample import Sample


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """A repository with one worktree."""
    return begin_shop(tmp_path, {"cart.py": "total = 0\n"})


@pytest.fixture
def wary(tmp_path: Path) -> Iterator[CodeServer]:
    """A VS Code in which folders are not trusted until a person says so."""
    home = tmp_path / "editor"
    home.mkdir()
    with code_server(home / "code-server", package(), env=bare_environment(home), trust=False) as running:
        yield running


def test_with_one_worktree_it_says_what_it_is_for_and_opens_another(
    page: Page, editor: CodeServer, alone: Path, shoot: Shoot
) -> None:
    view = _view(page, editor, alone)
    expect(view).to_contain_text("This repository has one worktree.")
    expect(view).to_contain_text("let go of them without losing work")
    expect(button(view, "Open Worktree")).to_be_in_viewport(ratio=1)
    page.mouse.move(700, 600)
    shoot("welcome-alone")
    assert violations(view) == []
    button(view, "Open Worktree").click()
    pick(page, "New Worktree...")
    expect(picker_title(page)).to_contain_text("New Worktree")
    input_box(page).fill("taxes")
    page.keyboard.press("Enter")
    expect(worktree_row(page, "taxes")).to_be_visible()
    expect(view).not_to_contain_text("This repository has one worktree.")


def test_where_no_repository_is_it_offers_to_open_a_folder(
    page: Page, editor: CodeServer, tmp_path: Path, shoot: Shoot
) -> None:
    (tmp_path / "plain").mkdir()
    view = _view(page, editor, tmp_path / "plain")
    expect(view).to_contain_text("No git repository is open here.")
    shoot("welcome-none")
    assert violations(view) == []
    button(view, "Open Folder").click()
    expect(input_box(page)).to_be_visible()


def test_a_folder_that_is_not_trusted_says_so_and_is_trusted_from_there(
    page: Page, wary: CodeServer, alone: Path, shoot: Shoot
) -> None:
    view = _view(page, wary, alone)
    expect(view).to_contain_text("This folder is not trusted, so nothing is merged or released.")
    expect(view).to_contain_text("This repository has one worktree.")
    expect(button(view, "Manage Trust")).to_be_in_viewport(ratio=1)
    page.mouse.move(700, 600)
    shoot("welcome-untrusted")
    button(view, "Manage Trust").click()
    page.locator(".workspace-trust-editor").get_by_role("button", name="Trust", exact=True).click()
    expect(view).not_to_contain_text("This folder is not trusted")
    expect(view).to_contain_text("This repository has one worktree.")


def test_among_worktrees_a_row_says_it_and_a_merge_is_refused_before_anything_is_picked(
    page: Page, wary: CodeServer, sample: Sample, shoot: Shoot
) -> None:
    open_workbench(page, wary, sample.showcase)
    expect(status_item(page)).to_be_visible()
    run_command(page, "Worktree Sidecar: Merge Worktree into Trunk...")
    expect(dialog(page)).to_contain_text("This folder is not trusted.")
    expect(picker_rows(page)).to_have_count(0)
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    run_command(page, "Focus on Worktrees View")
    row = worktree_row(page, "Manage Trust")
    expect(row).to_contain_text("this folder is not trusted")
    page.mouse.move(700, 600)
    shoot("untrusted")
    row.click()
    expect(page.locator(".workspace-trust-editor")).to_be_visible()


def _view(page: Page, editor: CodeServer, folder: Path) -> Locator:
    """All that the view shows of a folder, below its header."""
    open_workbench(page, editor, folder)
    run_command(page, "Focus on Worktrees View")
    return view_body(page)


def button(view: Locator, title: str) -> Locator:
    """A button of what the view says."""
    return view.get_by_role("button", name=title, exact=True)
