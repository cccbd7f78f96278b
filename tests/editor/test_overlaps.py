"""The main job: a person sees, on the exact lines, what another worktree has changed too."""

import re
import subprocess

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
    quick_fix,
    run_command,
    show_problems,
    squiggles,
    status_item,
    undo_all,
)
from tests.editor.conftest import Shoot
from tests.harness.sample import Sample

_SHELL_SECONDS = 2


def test_the_conflicting_lines_are_underlined(page: Page, editor: CodeServer, sample: Sample, shoot: Shoot) -> None:
    open_workbench(page, editor, sample.showcase, sample.showcase_file)
    expect(squiggles(page).first).to_be_visible()
    expect_underlined(
        page,
        "discount: int = 0",
        "",
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
    expect(squiggles(page, "info").or_(squiggles(page, "hint")).first).to_be_visible()
    expect(code_lens(page)).not_to_contain_text("conflict")
    shoot("take")


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
    expect(status_item(page)).to_contain_text("elsewhere")  # the server has seen every worktree
    subprocess.run(
        ["sed", "-i", "s/limit: int = 20/limit: int = 30/", "shop/search.py"],
        cwd=sample.worktrees["discounts"],
        check=True,
    )
    expect(squiggles(page).first).to_be_visible(timeout=_SHELL_SECONDS * 1000)
    expect_underlined(page, "def search(catalog: Catalog, text: str, limit: int = 50) -> list[Product]:")
