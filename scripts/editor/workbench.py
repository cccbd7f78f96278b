"""What a person does in VS Code's window, as functions over its page."""

from pathlib import Path
from typing import Literal

from playwright.sync_api import FrameLocator, Locator, Page, expect
from playwright.sync_api import TimeoutError as LateError

from scripts.editor.codeserver import CodeServer

Severity = Literal["warning", "info", "hint", "error"]
_UNDO_STEPS = 50
_TRIES = 12
_TRY_MILLISECONDS = 5_000
_LOOK_MILLISECONDS = 50
READY_MILLISECONDS = 60_000
SHOWN_MILLISECONDS = 15_000
_UNDERLINED = """selector => {
    const middle = box => (box.top + box.bottom) / 2;
    const ours = [...document.querySelectorAll('.monaco-editor .view-line span span')]
        .filter(it => getComputedStyle(it).textDecorationStyle === 'wavy');
    const marks = [...document.querySelectorAll(selector), ...ours].map(it => middle(it.getBoundingClientRect()));
    const lines = [...document.querySelectorAll('.monaco-editor .view-line')];
    const hit = lines.map(it => [it.getBoundingClientRect(), it.textContent.replaceAll('\u00a0', ' ').trim()])
        .filter(([box]) => marks.some(mark => box.top <= mark && mark < box.bottom));
    return hit.sort(([a], [b]) => a.top - b.top).map(([, text]) => text);
}"""
_PICKER = ".quick-input-widget:visible"


def open_workbench(page: Page, server: CodeServer, folder: Path, file: Path | None = None) -> None:
    """Show a folder, with a file of it in the editor."""
    page.goto(server.address(folder, file))
    expect(page.locator(".monaco-workbench")).to_be_visible(timeout=READY_MILLISECONDS)
    if file is not None:
        expect(editor_lines(page).first).to_be_visible(timeout=READY_MILLISECONDS)


def editor_lines(page: Page) -> Locator:
    """The lines that the editor shows; their spaces are no-break spaces."""
    return page.locator(".editor-instance .monaco-editor .view-line")


def editor_text(page: Page) -> Locator:
    """What the editor shows of its file; spaces are no-break spaces there."""
    return page.locator(".editor-instance .monaco-editor .view-lines").first


def active_tab(page: Page) -> Locator:
    """The tab of the editor in front."""
    return page.locator(".tabs-container .tab.active")


def status_item(page: Page) -> Locator:
    """What the extension says in the status bar."""
    return page.locator('.statusbar-item[id*="worktreeSidecar.overlaps"]')


def undo_all(page: Page) -> None:
    """Undo in the editor in front until it is as it was saved."""
    for _ in range(_UNDO_STEPS):
        if "dirty" not in (active_tab(page).get_attribute("class") or "").split():
            return
        page.keyboard.press("Control+z")
    raise AssertionError(f"still not as saved after {_UNDO_STEPS} undo steps")


def code_lens(page: Page) -> Locator:
    """The line of links above the first line of the file."""
    return page.locator(".monaco-editor .codelens-decoration").first


def hover_widget(page: Page) -> Locator:
    """What is shown about the text under the caret."""
    return page.locator(".monaco-hover:visible")


def squiggles(page: Page, severity: Severity = "warning") -> Locator:
    """The underlines of one severity that the editor shows."""
    return page.locator(f".monaco-editor .squiggly-{severity}")


def underlined(page: Page, severity: Severity = "warning") -> list[str]:
    """The text of each line in view that has an underline of this severity, from the top."""
    texts: list[str] = page.evaluate(_UNDERLINED, f".monaco-editor .squiggly-{severity}")
    return texts


def expect_underlined(page: Page, *lines: str) -> None:
    """Wait until these lines in view, and no others, have a warning's underline."""
    for _ in range(READY_MILLISECONDS // _LOOK_MILLISECONDS):
        if underlined(page) == [*lines]:
            return
        page.wait_for_timeout(_LOOK_MILLISECONDS)
    raise AssertionError(f"underlined are {underlined(page)}, not {[*lines]}")


def run_command(page: Page, title: str) -> None:
    """Run a command by its title in the palette."""
    row = picker_rows(page).filter(has_text=title).first
    for _ in range(_TRIES - 1):
        _press_until_shown(page, "F1", input_box(page))
        try:
            input_box(page).fill(f">{title}", timeout=_TRY_MILLISECONDS)
            expect(row).to_be_visible(timeout=_TRY_MILLISECONDS)
            row.click(timeout=_TRY_MILLISECONDS)
            return
        except (AssertionError, LateError):
            # A palette that is open does not learn of an extension; one closes when another part of the window takes
            # the focus, at times just before the click.
            page.keyboard.press("Escape")
    row.click()


def pick(page: Page, text: str) -> None:
    """Choose the row with this text from the list that a command shows."""
    row = picker_rows(page).filter(has_text=text).first
    expect(row).to_be_visible()
    row.click()


def ask_to_merge(page: Page, name: str) -> None:
    """Ask for a worktree to be merged into trunk, with git's own message; then its question is open."""
    run_command(page, "Worktree Sidecar: Merge Worktree into Trunk...")
    pick(page, name)
    pick(page, "Merge commit")
    expect(input_box(page)).to_have_value(f"Merge branch '{name}'")
    page.keyboard.press("Enter")
    expect(dialog(page)).to_contain_text(f"Merge {name}")


def picker_rows(page: Page) -> Locator:
    """The rows of the list that a command shows."""
    return page.locator(f"{_PICKER} .quick-input-list .monaco-list-row")


def picker_title(page: Page) -> Locator:
    """What stands above the list that a command shows."""
    return page.locator(f"{_PICKER} .quick-input-title")


def input_box(page: Page) -> Locator:
    """The field in which a command asks for a text."""
    return page.locator(f"{_PICKER} .quick-input-box input")


def notifications(page: Page) -> Locator:
    """The notifications that are shown now."""
    return page.locator(".notifications-toasts .notification-toast")


def notification_list(page: Page) -> Locator:
    """The notifications that are listed, once the list of them is open."""
    return page.locator(".notifications-center .notification-list-item")


def dialog(page: Page) -> Locator:
    """The dialog that asks for consent."""
    return page.locator(".monaco-dialog-box")


def wait_for_message(page: Page, text: str) -> None:
    """Wait for a message: shown, or only listed where several came at once.

    VS Code shows no more than three notifications that come within 0.8 s, as they do on a busy machine.
    """
    shown = notifications(page).or_(dialog(page)).filter(has_text=text).first
    try:
        expect(shown).to_be_visible(timeout=SHOWN_MILLISECONDS)
    except AssertionError:
        run_command(page, "Notifications: Show Notifications")
        expect(notification_list(page).filter(has_text=text).first).to_be_visible()


def answer_notification(page: Page, button: str) -> None:
    """Press a button of the dialog or notification that has it; one that is not shown is looked up in the list.

    What it belongs to goes with the press. VS Code drops some while a notification moves, and then stays as it is.
    """
    places = page.locator(
        ".monaco-dialog-box, .notifications-toasts .notification-toast, .notifications-center .notification-list-item"
    )
    found = places.get_by_role("button", name=button, exact=True).first
    try:
        expect(found).to_be_visible(timeout=SHOWN_MILLISECONDS)
    except AssertionError:
        run_command(page, "Notifications: Show Notifications")
        expect(found).to_be_visible()
    pressed = found.element_handle()
    found.click()
    try:
        pressed.wait_for_element_state("hidden", timeout=_TRY_MILLISECONDS)
    except LateError:
        pressed.click()
        pressed.wait_for_element_state("hidden")


def go_to_line(page: Page, line: int, column: int = 1) -> None:
    """Put the caret there, and the keyboard into the editor."""
    picker = input_box(page)
    _press_until_shown(page, "Control+g", picker)
    picker.fill(f":{line},{column}")
    page.keyboard.press("Enter")
    expect(picker).to_be_hidden()
    expect(page.locator("#status\\.editor\\.selection")).to_contain_text(f"Ln {line}, Col {column}")


def show_quick_fixes(page: Page, title: str) -> Locator:
    """Open the list of code actions at the caret; the row of it that has this title."""
    widget = page.locator(".action-widget:not(.action-list-submenu-panel)")
    row = widget.locator(".monaco-list-row.action").filter(has_text=title).first
    _press_until_shown(page, "Control+.", row)
    return row


def quick_fix(page: Page, title: str) -> None:
    """Choose a code action at the caret."""
    show_quick_fixes(page, title).click()


def _press_until_shown(page: Page, key: str, wanted: Locator) -> None:
    """Press a key until something shows: VS Code drops keys while it loads, and shuts lists when diagnostics come."""
    for _ in range(_TRIES - 1):
        page.keyboard.press(key)
        try:
            expect(wanted).to_be_visible(timeout=_TRY_MILLISECONDS)
        except AssertionError:
            page.keyboard.press("Escape")
        else:
            return
    page.keyboard.press(key)
    expect(wanted).to_be_visible()


def show_problems(page: Page) -> Locator:
    """Open the Problems panel; its rows, of which each file has one of its own."""
    run_command(page, "Problems: Focus on Problems View")
    return page.locator(".markers-panel-container .monaco-list-row")


def output(page: Page) -> Locator:
    """What the extension writes to its log, once that is open."""
    return page.locator('[data-uri^="output:"][data-uri*="Worktree%20Sidecar"]').first


def webview(page: Page) -> FrameLocator:
    """The page that an extension shows in the tab in front."""
    return page.frame_locator("iframe.webview.ready").frame_locator("#active-frame")


def type_command(page: Page, title: str) -> None:
    """Run a command by its title in the palette, without the mouse."""
    first = picker_rows(page).first
    for _ in range(_TRIES - 1):
        _press_until_shown(page, "F1", input_box(page))
        page.keyboard.press("Control+a")
        page.keyboard.type(f">{title}")
        try:
            expect(first).to_contain_text(title, timeout=_TRY_MILLISECONDS)
        except AssertionError:
            page.keyboard.press("Escape")  # one that is open does not learn of an extension
        else:
            page.keyboard.press("Enter")
            return
    expect(first).to_contain_text(title)
