"""What a person does in the Worktrees view, as functions over the page of VS Code."""

from collections.abc import Callable, Iterator
from functools import partial

from playwright.sync_api import Locator, Page, expect

from scripts.editor.workbench import run_command, type_command

_PANE = '.pane:has(.pane-header[aria-label*="Worktrees"])'
_ROWS = f"{_PANE} .monaco-list-row"
_MOST_ROWS = 100
_TRIES = 5
_TRY_MILLISECONDS = 3_000
_PRESSED_MILLISECONDS = 300
"""For how long a person presses: a menu takes no button that is let go less than 100 ms after it has opened."""


def show_worktrees(page: Page) -> None:
    """Open the view, put the keyboard there, and give it the room of its neighbours."""
    run_command(page, "Focus on Worktrees View")
    for header in _open_neighbours(page):
        header.click()


def type_to_worktrees(page: Page) -> None:
    """As `show_worktrees`, without the mouse."""
    type_command(page, "Focus on Worktrees View")
    for header in _open_neighbours(page):
        _type_until(header, "false", partial(header.press, "ArrowLeft"))
    type_command(page, "Focus on Worktrees View")


def _open_neighbours(page: Page) -> Iterator[Locator]:
    """The headers of the parts above the view, once it has rows, that take its room."""
    expect(page.locator(_ROWS).first).to_be_visible()
    for name in ("Changes", "Graph"):
        header = page.locator(f'.pane-header[aria-label^="{name}"]').first
        expect(header).to_be_visible()
        if header.get_attribute("aria-expanded") == "true":
            yield header


def view_rows(page: Page) -> Locator:
    """Every row that is shown."""
    return page.locator(_ROWS)


def view_body(page: Page) -> Locator:
    """All that the view shows below its header."""
    return page.locator(f"{_PANE} .pane-body")


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


def do_in_menu(row: Locator, title: str) -> None:
    """Choose from the menu of a row."""
    row.click(button="right")
    entry = row.page.locator(".context-view .monaco-menu").get_by_role("menuitem", name=title, exact=True)
    entry.click(delay=_PRESSED_MILLISECONDS)


def next_step(page: Page) -> Locator:
    """What the status bar offers to do next."""
    return page.locator('.statusbar-item[id*="worktreeSidecar.next"]')


def type_to_row(page: Page, row: Locator) -> None:
    """Move to a row by the arrow keys, with the keyboard in the view: from the top, past the rows that are shown."""
    page.keyboard.press("Home")
    for _ in range(_MOST_ROWS):
        if is_focused(row):
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"the keys do not come to {row}")


def type_open(page: Page, row: Locator) -> None:
    """Move to a row by keys, and open it; again where rows have come meanwhile."""

    def open_it() -> None:
        type_to_row(page, row)
        page.keyboard.press("ArrowRight")

    _type_until(row, "true", open_it)


def _type_until(part: Locator, expanded: str, type_keys: Callable[[], None]) -> None:
    """Type until a part is open ("true") or closed; again where the keyboard went elsewhere meanwhile."""
    for _ in range(_TRIES):
        try:
            type_keys()
            expect(part).to_have_attribute("aria-expanded", expanded, timeout=_TRY_MILLISECONDS)
        except AssertionError:
            continue
        return
    raise AssertionError(f"{part} is not expanded={expanded}")


def is_focused(row: Locator) -> bool:
    """Whether the keys are about this row."""
    return bool(row.evaluate_all("all => all.length === 1 && all[0].classList.contains('focused')"))


def focused_row(page: Page) -> Locator:
    """The row that the keys are about."""
    return page.locator(f"{_ROWS}.focused")


def row_menu(page: Page) -> Locator:
    """What can be chosen in the menu that is open."""
    return page.locator(".context-view .monaco-menu").get_by_role("menuitem")


def open_row_menu(page: Page) -> list[str]:
    """Open the menu of the row that the keys are about, by keys; give what can be chosen there."""
    page.keyboard.press("Shift+F10")
    expect(row_menu(page).first, focused_row(page).first.get_attribute("aria-label")).to_be_visible()
    return [title.strip() for title in row_menu(page).all_inner_texts()]


def type_in_menu(page: Page, title: str) -> None:
    """Open the menu of the row that the keys are about, and choose from it, by keys."""
    titles = open_row_menu(page)
    chosen = page.locator(".context-view .monaco-menu .action-item.focused")
    for _ in titles:
        page.keyboard.press("ArrowDown")
        if chosen.inner_text().strip() == title:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"the menu has {titles}, not {title}")
