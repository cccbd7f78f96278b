"""What a person does in the Worktrees view, as functions over the page of VS Code."""

from playwright.sync_api import Locator, Page, expect

from scripts.editor.workbench import run_command

_ROWS = '.pane:has(.pane-header[aria-label*="Worktrees"]) .monaco-list-row'


def show_worktrees(page: Page) -> None:
    """Open the view, put the keyboard there, and give it the room of its neighbours."""
    run_command(page, "Focus on Worktrees View")
    expect(page.locator(_ROWS).first).to_be_visible()
    for name in ("Changes", "Graph"):
        header = page.locator(f'.pane-header[aria-label^="{name}"]').first
        expect(header).to_be_visible()
        if header.get_attribute("aria-expanded") == "true":
            header.click()


def view_rows(page: Page) -> Locator:
    """Every row that is shown."""
    return page.locator(_ROWS)


def worktree_row(page: Page, name: str) -> Locator:
    """The row of a worktree, or of trunk."""
    return page.locator(f'{_ROWS}[aria-level="1"][aria-label^="{name},"]')


def child_row(page: Page, label: str) -> Locator:
    """A row below another one, by how it begins."""
    return page.locator(f'{_ROWS}:not([aria-level="1"])[aria-label^="{label}"]').first


def do_inline(row: Locator, title: str) -> None:
    """Press the button at the end of a row."""
    row.hover()
    row.locator(f'.action-label[aria-label^="{title}"]').click()


def next_step(page: Page) -> Locator:
    """What the status bar offers to do next."""
    return page.locator('.statusbar-item[id*="worktreeSidecar.next"]')
