"""The overlap map: a person sees at once who meets whom, goes from a cell to the lines, and needs no mouse for it."""

import re
from pathlib import Path

from playwright.sync_api import FrameLocator, Locator, Page, expect

from scripts.editor.codeserver import CodeServer
from scripts.editor.workbench import active_tab, open_workbench, run_command, status_item, webview
from tests.editor.axe import violations
from tests.editor.conftest import Shoot
from tests.harness import add_worktree, commit, init
from tests.harness.sample import Sample


def test_each_pair_has_a_cell_whose_files_open_at_their_lines(
    page: Page, editor: CodeServer, sample: Sample, shoot: Shoot
) -> None:
    shown = _open_map(page, editor, sample.showcase)
    expect(_cell(shown, "discounts", "tax-rules")).to_have_text(re.compile(r"✕\d"))
    _cell(shown, "discounts", "tax-rules").click()
    expect(shown.locator("aside h2")).to_contain_text(re.compile("discounts and tax-rules|tax-rules and discounts"))
    file = shown.locator("aside li button").filter(has_text="shop/cart.py")
    expect(file).to_contain_text("discounts lines")
    page.mouse.move(700, 5)  # nothing moves under a pointer
    expect(shown.locator("#order")).to_contain_text("in this order")
    shoot("map")
    file.click()
    expect(active_tab(page)).to_contain_text("tax-rules")
    left, right = (page.locator(f".monaco-diff-editor .editor.{side} .view-lines") for side in ("original", "modified"))
    expect(left).to_contain_text(re.compile(r'country:\sstr\s=\s"NL"'))
    expect(right).to_contain_text(re.compile(r"discount:\sint\s=\s0"))
    expect(page.locator("#status\\.editor\\.selection")).to_contain_text("Ln 13,")


def test_the_map_follows_what_is_edited_and_says_the_order_in_which_to_merge(
    page: Page, editor: CodeServer, tmp_path: Path
) -> None:
    repo, one = _three(tmp_path)
    shown = _open_map(page, editor, repo)
    expect(shown.locator("#order")).to_contain_text("3 can be merged in this order, with 1 conflict on the way")
    expect(_cell(shown, "one", "three")).to_have_text("")
    expect(_row(shown, "two")).to_contain_text("Conflicts with one in a.txt.")
    page.mouse.move(700, 5)
    (one / "c.txt").write_text("by one\n")
    expect(_cell(shown, "one", "three")).to_have_text("✕1")
    expect(_row(shown, "one")).to_contain_text("not ready: It has 1 uncommitted change.")
    (one / "c.txt").write_text("c\n")
    expect(_cell(shown, "one", "three")).to_have_text("")


def test_all_is_done_by_keyboard_and_the_focus_is_seen(page: Page, editor: CodeServer, tmp_path: Path) -> None:
    repo, _ = _three(tmp_path)
    shown = _open_map(page, editor, repo)
    expect(shown.locator("#order")).to_contain_text("in this order")
    head = shown.locator("tbody th").first
    head.focus()
    page.keyboard.press("Control+End")
    expect(shown.locator("tbody tr").last.locator("td:not(.step)").last).to_be_focused()
    page.keyboard.press("Control+Home")
    expect(head).to_be_focused()
    conflict = shown.locator("td.conflict")
    row = conflict.locator("xpath=..")
    for _ in range(int(row.evaluate("it => it.sectionRowIndex"))):
        page.keyboard.press("ArrowDown")
    for _ in range(int(conflict.evaluate("it => it.cellIndex"))):
        page.keyboard.press("ArrowRight")
    expect(conflict).to_be_focused()
    assert conflict.evaluate("it => getComputedStyle(it).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    file = shown.locator("aside li button").first
    expect(file).to_be_focused()
    expect(conflict).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(conflict).to_be_focused()
    page.keyboard.press("Enter")
    expect(file).to_be_focused()
    page.keyboard.press("Enter")
    expect(active_tab(page)).to_contain_text("a.txt")


def test_axe_finds_nothing(page: Page, editor: CodeServer, sample: Sample) -> None:
    shown = _open_map(page, editor, sample.showcase)
    expect(shown.locator("#order")).to_contain_text("in this order")
    _cell(shown, "discounts", "tax-rules").click()
    expect(shown.locator("aside li")).not_to_have_count(0)
    assert violations(shown.locator("body")) == []


def test_the_page_runs_its_own_script_alone(page: Page, editor: CodeServer, tmp_path: Path) -> None:
    """A name that is markup stays a text, and the policy lets no other script run."""
    repo = init(tmp_path / "shop")
    commit(repo, {"a.txt": "a\n"})
    for name, branch in (("<img src=x onerror=stop()>", "one"), ("two", "two")):
        commit(add_worktree(repo, name, branch=branch), {"a.txt": f"{name}\n"})
    shown = _open_map(page, editor, repo)
    expect(_row(shown, "<img src=x onerror=stop()>")).to_be_visible()
    expect(shown.locator("img")).to_have_count(0)
    ran = shown.locator("body").evaluate(
        """body => {
            const script = document.createElement('script');
            script.textContent = 'window.ran = true';
            body.append(script);
            const link = document.createElement('a');
            link.setAttribute('onclick', 'window.ran = true');
            link.click();
            return window.ran ?? false;
        }"""
    )
    assert ran is False


def _open_map(page: Page, editor: CodeServer, folder: Path) -> FrameLocator:
    open_workbench(page, editor, folder)
    expect(status_item(page)).to_be_visible()  # before that, the palette has none of our commands
    run_command(page, "Worktree Sidecar: Show Overlap Map")
    shown = webview(page)
    expect(shown.locator("tbody tr").first).to_be_visible()
    return shown


def _row(shown: FrameLocator, name: str) -> Locator:
    return shown.locator("tbody tr").filter(has=shown.locator(f'.name:text-is("{name}")'))


def _cell(shown: FrameLocator, one: str, other: str) -> Locator:
    """The cell of two worktrees, whichever of them comes first."""
    return shown.locator(f'td[aria-label^="{one} and {other}:"], td[aria-label^="{other} and {one}:"]')


def _three(folder: Path) -> tuple[Path, Path]:
    """A repository whose worktrees `one` and `two` conflict, and `three` meets neither; it, and `one`."""
    repo = init(folder / "shop")
    commit(repo, {"a.txt": "a\n", "c.txt": "c\n"})
    one, two, three = (add_worktree(repo, name) for name in ("one", "two", "three"))
    commit(one, {"a.txt": "by one\n"})
    commit(two, {"a.txt": "by two\n"})
    commit(three, {"c.txt": "by three\n"})
    return repo, one
