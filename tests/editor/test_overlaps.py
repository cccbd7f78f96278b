"""The main job: a person sees, on the exact lines, what another worktree has changed too."""

import re
import subprocess
from pathlib import Path

from playwright.sync_api import Page, expect

from scripts.editor.codeserver import CodeServer
from scripts.editor.workbench import (
    active_tab,
    code_lens,
    editor_text,
    expect_underlined,
    go_to_line,
    hover_widget,
    open_workbench,
    pick,
    picker_rows,
    quick_fix,
    run_command,
    show_problems,
    show_quick_fixes,
    squiggles,
    status_item,
    undo_all,
    webview,
)
from tests.editor.conftest import Shoot
from tests.harness import add_worktree, commit, init
from tests.harness.sample import Sample

_SHELL_SECONDS = 2


def test_the_conflicting_lines_are_underlined(page: Page, editor: CodeServer, sample: Sample, shoot: Shoot) -> None:
    open_workbench(page, editor, sample.showcase, sample.showcase_file)
    expect(squiggles(page).first).to_be_visible()
    expect_underlined(
        page,
        "discount: int = 0",
        "def total(self) -> int:",
        '"""What the customer pays, in cents."""',
        "subtotal = sum(product.price * count for product, count in self.lines.items())",
        "return max(subtotal - self.discount, 0)",
    )
    expect(code_lens(page)).to_contain_text("tax-rules (conflict)")
    shoot("lines")


def test_problems_names_the_other_worktree(page: Page, editor: CodeServer, sample: Sample, shoot: Shoot) -> None:
    open_workbench(page, editor, sample.showcase, sample.showcase_file)
    expect(code_lens(page)).to_be_visible()
    rows = show_problems(page)
    expect(rows.filter(has_text=re.compile(r"tax-rules.*conflict", re.DOTALL)).first).to_be_visible()
    shoot("conflict")


def test_hover_shows_the_other_side(page: Page, editor: CodeServer, sample: Sample, shoot: Shoot) -> None:
    open_workbench(page, editor, sample.showcase, sample.showcase_file)
    expect(squiggles(page).first).to_be_visible()
    go_to_line(page, 13, 8)
    run_command(page, "Show or Focus Hover")
    expect(hover_widget(page).filter(has_text='country: str = "NL"')).to_be_visible()
    shoot("hover")


def test_the_page_of_a_code_is_shown_to_be_read(page: Page, editor: CodeServer, sample: Sample, shoot: Shoot) -> None:
    open_workbench(page, editor, sample.showcase, sample.showcase_file)
    expect(squiggles(page).first).to_be_visible()
    go_to_line(page, 13, 8)
    run_command(page, "Show or Focus Hover")
    hover_widget(page).locator(".code-link").first.click()
    expect(webview(page).locator("h1")).to_contain_text("this will conflict with another worktree")
    shoot("page")
    run_command(page, "View: Reopen Editor with Text Editor")
    expect(editor_text(page)).to_contain_text("this\u00a0will\u00a0conflict")
    editor_text(page).click()
    page.keyboard.type("not to be written")
    expect(page.locator(".monaco-editor-overlaymessage .message")).to_contain_text("Editor is read-only")
    expect(active_tab(page)).not_to_have_class(re.compile(r"\bdirty\b"))


def test_compare_opens_the_diff_editor(page: Page, editor: CodeServer, sample: Sample, shoot: Shoot) -> None:
    open_workbench(page, editor, sample.showcase, sample.showcase_file)
    expect(squiggles(page).first).to_be_visible()
    go_to_line(page, 13)
    quick_fix(page, "Compare with tax-rules's version")
    left, right = (page.locator(f".monaco-diff-editor .editor.{side} .view-lines") for side in ("original", "modified"))
    expect(left).to_contain_text(re.compile(r'country:\sstr\s=\s"NL"'))
    expect(right).to_contain_text(re.compile(r"discount:\sint\s=\s0"))
    expect(active_tab(page)).to_contain_text("tax-rules")
    shoot("compare")


def test_take_makes_the_warning_go(page: Page, editor: CodeServer, sample: Sample, shoot: Shoot) -> None:
    open_workbench(page, editor, sample.showcase, sample.showcase_file)
    expect(squiggles(page).first).to_be_visible()
    go_to_line(page, 13)
    quick_fix(page, "Take tax-rules's version of these lines")
    expect(editor_text(page)).to_contain_text(re.compile(r'country:\sstr\s=\s"NL"'))
    expect(editor_text(page)).not_to_contain_text(re.compile(r"discount:\sint"))
    expect(squiggles(page)).to_have_count(0)
    expect(squiggles(page, "info").or_(squiggles(page, "hint"))).to_have_count(0)
    expect(code_lens(page)).to_contain_text("2 worktrees changed this file: tax-rules, wish-lists")
    expect(code_lens(page)).not_to_contain_text("conflict")
    shoot("take")


def test_many_on_the_same_lines_are_one_problem_with_a_list_of_what_can_be_done(
    page: Page, editor: CodeServer, tmp_path: Path, shoot: Shoot
) -> None:
    repo = init(tmp_path / "crowd")
    text = "def greeting(name):\n    word = 'Hello'\n\n    return f'{word}, {name}!'\n"
    commit(repo, {"greeting.py": text})
    places = [add_worktree(repo, f"agent-{number}") for number in range(6)]
    for place in places:
        greeting = f"word = '{place.name}'\n\n    word += '{place.name}'\n"
        commit(place, {"greeting.py": text.replace("word = 'Hello'\n\n", greeting)})
    open_workbench(page, editor, places[0], places[0] / "greeting.py")
    expect_underlined(page, "word = 'agent-0'", "word += 'agent-0'")
    go_to_line(page, 2, 5)
    run_command(page, "Show or Focus Hover")
    expect(hover_widget(page).filter(has_text="Conflicts with agent-1, agent-2 and 3 more.").first).to_be_visible()
    expect(hover_widget(page).filter(has_text="+    word = 'agent-3'").first).to_be_visible()
    expect(hover_widget(page).get_by_role("link", name="Compare with another version...").first).to_be_visible()
    shoot("crowd-hover")
    page.keyboard.press("Escape")
    row = show_quick_fixes(page, "More...")
    expect(page.locator(".action-widget .monaco-list-row.action")).to_have_count(6)
    shoot("crowd-fixes")
    row.click()
    expect(picker_rows(page).filter(has_text="Merge agent-5 into trunk")).to_be_visible()
    shoot("crowd-more")
    pick(page, "Take agent-5's version of these lines")
    expect(editor_text(page)).to_contain_text(re.compile(r"word\s=\s'agent-5'"))
    assert len(show_problems(page).filter(has_text="Conflicts with").all()) == 1


def test_typing_without_saving_underlines_and_undoing_clears(
    page: Page, editor: CodeServer, sample: Sample, shoot: Shoot
) -> None:
    file = sample.worktrees["search-box"] / "shop" / "taxes.py"
    on_disk = file.read_bytes()
    open_workbench(page, editor, sample.worktrees["search-box"], file)
    expect(editor_text(page)).to_contain_text(re.compile(r"return\sSTANDARD"))
    go_to_line(page, 24)
    page.keyboard.press("End")
    page.keyboard.type(" or FREE")
    expect(squiggles(page).first).to_be_visible()
    expect_underlined(page, "return STANDARD.get(country, FREE) or FREE")
    expect(active_tab(page)).to_have_class(re.compile(r"\bdirty\b"))
    assert file.read_bytes() == on_disk
    shoot("unsaved")

    undo_all(page)
    expect(squiggles(page)).to_have_count(0)


def test_an_edit_by_a_shell_appears_within_two_seconds(page: Page, editor: CodeServer, sample: Sample) -> None:
    ours = sample.worktrees["search-box"]
    open_workbench(page, editor, ours, ours / "shop" / "search.py")
    expect(status_item(page)).to_contain_text("between other worktrees")  # the server has seen every worktree
    subprocess.run(
        ["sed", "-i", "s/limit: int = 20/limit: int = 30/", "shop/search.py"],
        cwd=sample.worktrees["discounts"],
        check=True,
    )
    expect(squiggles(page).first).to_be_visible(timeout=_SHELL_SECONDS * 1000)
    expect_underlined(page, "def search(catalog: Catalog, text: str, limit: int = 50) -> list[Product]:")
