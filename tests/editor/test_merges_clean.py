"""What git merges without a word, and is still wrong: found in a window, acted on there, and gone."""

import re
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scripts.editor.codeserver import CodeServer
from scripts.editor.workbench import (
    active_tab,
    answer_notification,
    ask_to_merge,
    code_lens,
    dialog,
    go_to_line,
    input_box,
    open_workbench,
    output,
    pick,
    picker_rows,
    quick_fix,
    run_command,
    show_problems,
    show_quick_fixes,
    squiggles,
    wait_for_message,
)
from scripts.editor.worktrees_view import next_step
from tests.editor.conftest import Shoot
from tests.harness import add_worktree, begin_shop, commit, git, write
from tests.operations.test_merge_check import CHECKER, PRICES

LONG = 120_000
"""Milliseconds: merges are tried when nothing has changed for a moment, at the lowest priority."""

CART = "def add():\n    pass\n"
USES = f"{CART}\n\ntotal()\n"
RENAMED = PRICES.replace("total", "total_price")
PARTS = """import pathlib
parts = [f"{part.name} {part.read_text()}\\n" for part in sorted(pathlib.Path().glob("*.part"))]
pathlib.Path("parts.lock").write_text("".join(parts))
"""
"""Makes `parts.lock` of all parts that are there."""
TEST = """import sys
sys.path.insert(0, sys.argv[1])
import prices
if prices.total() != 1:
    sys.exit("the total is wrong")
"""
"""Tests the `prices` of a folder."""
RAISED = PRICES.replace("return 1", "return 11")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return begin_shop(tmp_path, {"prices.py": PRICES, "cart.py": CART})


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """A Python as a person would have it at home."""
    (tmp_path / "python").symlink_to(sys.executable)
    return tmp_path / "python"


def test_what_fails_only_together_is_told_and_gone_after_trunk_was_merged(
    page: Page, editor: CodeServer, shop: Path, tmp_path: Path, shoot: Shoot
) -> None:
    (tmp_path / "check.py").write_text(CHECKER)
    git(shop, "config", "sidecar.check", f"{sys.executable} {tmp_path}/check.py")
    feat = add_worktree(shop, "feat")
    commit(feat, {"prices.py": RENAMED}, "Rename total")
    commit(shop, {"cart.py": USES}, "Use total")
    open_workbench(page, editor, feat, feat / "cart.py")
    expect(squiggles(page).first).to_be_visible(timeout=LONG)
    problem = show_problems(page).filter(has_text="fails sidecar.check, and neither does alone: total is not defined")
    expect(problem).to_be_visible()
    go_to_line(page, 2, 5)
    expect(show_quick_fixes(page, "Merge trunk into this worktree")).to_be_visible()
    shoot("fails-together")
    page.keyboard.press("Escape")
    quick_fix(page, "Merge trunk into this worktree")
    answer_notification(page, "Merge")
    wait_for_message(page, "feat")
    expect(squiggles(page)).to_have_count(0, timeout=LONG)
    assert "total()" in (feat / "cart.py").read_text()
    shoot("fails-together-gone")


def test_what_takes_trunk_back_is_told_and_taken_back(page: Page, editor: CodeServer, shop: Path, shoot: Shoot) -> None:
    commit(shop, {"prices.py": RAISED}, "Raise the total")
    feat = add_worktree(shop, "feat")
    (feat / "prices.py").write_text(PRICES)
    open_workbench(page, editor, feat, feat / "prices.py")
    expect(squiggles(page).first).to_be_visible(timeout=LONG)
    expect(show_problems(page).filter(has_text="takes back what")).to_be_visible()
    go_to_line(page, 2, 5)
    expect(show_quick_fixes(page, "Take trunk's lines back")).to_be_visible()
    shoot("undoes-trunk")
    page.keyboard.press("Escape")
    quick_fix(page, "Take trunk's lines back")
    page.keyboard.press("Control+s")
    expect(squiggles(page)).to_have_count(0, timeout=LONG)
    shoot("undoes-trunk-gone")


def test_a_definition_that_goes_is_told_where_it_is_used_until_that_fits(
    page: Page, editor: CodeServer, shop: Path, shoot: Shoot
) -> None:
    commit(add_worktree(shop, "feat"), {"prices.py": RENAMED}, "Rename total")
    use = add_worktree(shop, "use")
    commit(use, {"cart.py": f"from prices import total\n\n{USES}"}, "Use total")
    open_workbench(page, editor, use, use / "cart.py")
    expect(squiggles(page).first).to_be_visible()
    expect(show_problems(page).filter(has_text="which feat renames to").first).to_be_visible()
    shoot("broken-use")
    for line, column in ((1, len("from prices import total") + 1), (7, len("total") + 1)):
        go_to_line(page, line, column)
        page.keyboard.type("_price")
    page.keyboard.press("Control+s")
    expect(squiggles(page)).to_have_count(0)
    expect(active_tab(page)).not_to_have_class(re.compile(r"\bdirty\b"))
    assert "total_price()" in (use / "cart.py").read_text()
    shoot("broken-use-gone")


def test_a_conflict_in_what_a_tool_makes_is_merged_with_it_made_anew(
    page: Page, editor: CodeServer, shop: Path, python: Path, shoot: Shoot
) -> None:
    git(shop, "config", "sidecar.generated", f"parts.lock -> {python} parts.py")
    commit(shop, {"parts.py": PARTS, "a.part": "1.0", "parts.lock": "a.part 1.0\n"}, "Lock parts")
    feat = add_worktree(shop, "feat")
    commit(feat, {"b.part": "2.0", "parts.lock": "a.part 1.0\nb.part 2.0\n"}, "Add b")
    commit(shop, {"c.part": "3.0", "parts.lock": "a.part 1.0\nc.part 3.0\n"}, "Add c")
    open_workbench(page, editor, feat, feat / "parts.lock")
    expect(squiggles(page).first).to_be_visible()
    expect(show_problems(page).filter(has_text="better made anew").first).to_be_visible()
    expect(next_step(page)).to_contain_text("Merge into main")
    shoot("regenerate-problem")
    run_command(page, "Worktree Sidecar: Merge Worktree into Trunk...")
    pick(page, "feat")
    pick(page, "Merge commit")
    expect(picker_rows(page).filter(has_text="Merge and Regenerate")).to_contain_text("parts.lock")
    shoot("regenerate")
    pick(page, "Merge and Regenerate")
    expect(input_box(page)).to_have_value("Merge branch 'feat'")
    page.keyboard.press("Enter")
    expect(dialog(page)).to_contain_text("parts.lock by")
    shoot("regenerate-question")
    answer_notification(page, "Merge and Regenerate")
    wait_for_message(page, "Merged feat into main")
    assert (shop / "parts.lock").read_text() == "a.part 1.0\nb.part 2.0\nc.part 3.0\n"
    expect(code_lens(page)).to_contain_text("All work of feat is in main: release it")
    expect(squiggles(page)).to_have_count(0)
    shoot("regenerate-done")


@pytest.mark.skipif(sys.platform != "linux", reason="what verify reads is known on Linux alone")
def test_a_verify_that_tests_what_trunk_has_is_refused_until_it_reads_what_lands(
    page: Page, editor: CodeServer, shop: Path, python: Path, shoot: Shoot
) -> None:
    """First by what is installed for it, then by itself: the branch is broken, and either would pass."""
    commit(shop, {"test.py": TEST}, "Test prices")
    feat = add_worktree(shop, "feat")
    commit(feat, {"prices.py": RAISED}, "Raise the total")
    write(shop, {".git/info/exclude": "lib\n", "lib/prices.py": PRICES})
    git(shop, "config", "sidecar.prepare", 'ln -s "$SIDECAR_CHECKOUT/lib" .')
    git(shop, "config", "sidecar.verify", f"{python} test.py lib")
    before = git(shop, "rev-parse", "main")
    open_workbench(page, editor, feat, feat / "prices.py")
    ask_to_merge(page, "feat")
    expect(dialog(page)).to_contain_text("sidecar.prepare links into another checkout")
    shoot("links-elsewhere-question")
    answer_notification(page, "Merge")
    wait_for_message(page, "Verify would test files of another checkout, not those that land: lib leads to")
    shoot("links-elsewhere")
    answer_notification(page, "Show Log")
    expect(output(page)).to_be_visible()
    git(shop, "config", "sidecar.prepare", "true")
    git(shop, "config", "sidecar.verify", f'cd "$SIDECAR_CHECKOUT" && {python} test.py .')
    ask_to_merge(page, "feat")
    answer_notification(page, "Merge")
    wait_for_message(page, "Verify read files of another checkout, and never those that land:")
    shoot("verified-elsewhere")
    answer_notification(page, "Show Log")
    git(shop, "config", "sidecar.verify", f"{python} test.py .")
    ask_to_merge(page, "feat")
    answer_notification(page, "Merge")
    wait_for_message(page, "the total is wrong")
    answer_notification(page, "Show Log")
    assert git(shop, "rev-parse", "main") == before
    commit(feat, {"prices.py": PRICES, "cart.py": f"{CART}# by hand\n"}, "Take that back")
    ask_to_merge(page, "feat")
    answer_notification(page, "Merge")
    wait_for_message(page, "Merged feat into main")
    shoot("verified-elsewhere-gone")
