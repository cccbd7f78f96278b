"""The Worktrees view without a mouse: each action of each row is in a menu that a key opens, and works from there."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scripts.editor.codeserver import CodeServer
from scripts.editor.workbench import dialog, open_workbench, picker_rows
from scripts.editor.worktrees_view import (
    child_row,
    focused_row,
    next_step,
    open_row_menu,
    row_menu,
    type_in_menu,
    type_open,
    type_to_row,
    type_to_worktrees,
    view_body,
    view_rows,
    worktree_row,
)
from scripts.steps import ROOT
from tests.cli.conftest import spawn
from tests.editor.axe import violations
from tests.editor.conftest import Shoot
from tests.harness import add_worktree, begin_shop, commit, git

_CART = "def total(prices):\n    return sum(prices)\n\n\ndef count(prices):\n    return len(prices)\n"
_TAX = _CART.replace("sum(prices)", "sum(prices) * TAX")
_DISCOUNT = _CART.replace("sum(prices)", "sum(prices) - DISCOUNT")
_COUNT_POINTERS = """window.pointers = 0;
for (const kind of ['pointerdown', 'mousedown', 'mousemove', 'wheel'])
    addEventListener(kind, () => { window.pointers += 1; }, true);"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository in which each action has a row: see the worktrees' names."""
    main = begin_shop(tmp_path, {"cart.py": _CART})
    for name, text in (("here", _TAX), ("other", _DISCOUNT), ("stuck", _TAX), ("solved", _TAX), ("kept", None)):
        commit(add_worktree(main, name), {"cart.py": text} if text else {"kept.md": "Kept\n"}, f"Work in {name}")
    for name in ("stuck", "solved"):
        git(main.parent / name, "merge", "--quiet", "other", check=False)
    (main.parent / "solved" / "cart.py").write_text(_TAX.replace("TAX", "TAX - DISCOUNT"))
    git(main.parent / "solved", "add", "cart.py")
    _sidecar(main, "keep", "kept")
    for name, text in (("landed", _CART.replace("len(prices)", "len([*prices])")), ("released", "Released\n")):
        commit(add_worktree(main, name), {"cart.py" if name == "landed" else "released.md": text}, f"Work in {name}")
        _sidecar(main, "merge", name, "--yes")
    _sidecar(main, "release", "released", "--yes")
    return main


@pytest.fixture
def here(shop: Path) -> Path:
    return shop.parent / "here"


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """A window in which a test fails that has moved or pressed the mouse."""
    page.context.add_init_script(_COUNT_POINTERS)
    yield page
    assert page.evaluate("window.pointers") == 0


def test_every_action_of_every_row_is_in_the_menu_of_its_row(page: Page, editor: CodeServer, here: Path) -> None:
    """What has a button at the end of a row, and what has none: all that the extension adds to any row."""
    _open(page, editor, here)
    _release(page, "landed")  # its outcome is a notice
    for name in ("main", "other", "stuck", "solved", "kept", "Can be restored", "Notices"):
        type_open(page, worktree_row(page, name))
    for side in ("with other", "with trunk"):
        type_open(page, child_row(page, side))
    top = ("main", "here", "other", "stuck", "solved", "kept", "Can be restored", "Notices")
    below = ("released, merged", "with other", "with trunk", "cart.py", "released, released")
    seen: set[str] = set()
    for row in (*(worktree_row(page, one) for one in top), *(child_row(page, label) for label in below)):
        type_to_row(page, row)
        titles = open_row_menu(page)
        buttons = row.locator(".actions .action-label").evaluate_all("all => all.map(it => it.ariaLabel)")
        assert {*buttons} <= {*titles}, row.get_attribute("aria-label")
        seen |= {*titles}
        page.keyboard.press("Escape")
        expect(row_menu(page)).to_have_count(0)
    assert seen == _titles_of_rows()


def test_from_a_file_to_a_release_and_back(page: Page, editor: CodeServer, here: Path, shoot: Shoot) -> None:
    _open(page, editor, here)
    type_open(page, child_row(page, "with other"))
    type_to_row(page, child_row(page, "cart.py"))
    shoot("keyboard-file")
    type_in_menu(page, "Compare with Other Worktree")
    expect(page.locator(".monaco-diff-editor .editor.modified .view-lines")).to_contain_text("TAX")

    type_to_worktrees(page)
    type_to_row(page, worktree_row(page, "other"))
    type_in_menu(page, "Protect Worktree...")
    expect(worktree_row(page, "other")).to_contain_text("protected")
    expect(focused_row(page)).to_have_attribute("aria-label", re.compile("^other,"))
    open_row_menu(page)
    shoot("keyboard-menu")
    page.keyboard.press("Escape")
    type_in_menu(page, "Unprotect Worktree...")
    expect(worktree_row(page, "other")).not_to_contain_text("protected")

    type_to_row(page, worktree_row(page, "here"))
    type_in_menu(page, "Merge Worktree into Trunk...")
    expect(dialog(page)).to_contain_text("Merge here")
    shoot("keyboard-question")
    _consent(page, "Merge here")
    expect(worktree_row(page, "here")).to_contain_text("in main")

    type_to_worktrees(page)
    _release(page, "landed")
    type_open(page, worktree_row(page, "Can be restored"))
    type_to_row(page, child_row(page, "landed, released"))
    type_in_menu(page, "Restore Worktree...")
    _consent(page, "landed")
    expect(worktree_row(page, "landed")).to_be_visible()
    assert (here.parent / "landed" / "cart.py").exists()

    type_to_worktrees(page)
    type_open(page, worktree_row(page, "Notices"))
    type_to_row(page, child_row(page, "Merged here"))
    page.keyboard.press("Enter")
    expect(picker_rows(page).first).to_be_visible()
    shoot("keyboard-notice")


def test_axe_finds_nothing_in_the_view(page: Page, editor: CodeServer, here: Path) -> None:
    """In the rows and what they hold; the header above them and the rest of the window are VS Code's own.

    Of a row's label and description VS Code makes one text without a space between them, which no name can have in it:
    each name has to begin with the label, so that one who speaks to the editor can say what is seen.
    """
    _open(page, editor, here)
    _release(page, "landed")
    for name in ("Notices", "Can be restored", "stuck", "other", "main"):  # a row that is pushed out of sight is none
        type_open(page, worktree_row(page, name))
    type_open(page, child_row(page, "with other"))
    assert violations(view_body(page), "label-content-name-mismatch") == []
    names = view_rows(page).evaluate_all(
        "all => all.map(it => [it.ariaLabel, it.querySelector('.label-name').textContent])"
    )
    assert len(names) > 10
    assert [(name, seen) for name, seen in names if not name.startswith(seen)] == []


def _open(page: Page, editor: CodeServer, here: Path) -> None:
    """The window of `here`, with the keyboard in the view, and with room for it."""
    open_workbench(page, editor, here, here / "cart.py")
    expect(next_step(page)).to_be_visible()
    type_to_worktrees(page)
    expect(worktree_row(page, "kept")).to_be_visible()
    expect(child_row(page, "1 commit ahead of main")).to_contain_text("kB")  # the last that comes of it


def _release(page: Page, name: str) -> None:
    type_to_row(page, worktree_row(page, name))
    type_in_menu(page, "Release Worktree...")
    _consent(page, name)
    expect(worktree_row(page, name)).to_have_count(0)
    type_to_worktrees(page)


def _consent(page: Page, text: str) -> None:
    expect(dialog(page)).to_contain_text(text)
    page.keyboard.press("Enter")
    expect(dialog(page)).to_have_count(0)


def _titles_of_rows() -> set[str]:
    """The titles of all commands that the extension adds to rows of the view."""
    adds = json.loads((ROOT / "editor-client" / "package.json").read_text("utf-8"))["contributes"]
    titles = {one["command"]: one["title"] for one in adds["commands"]}
    return {titles[one["command"]] for one in adds["menus"]["view/item/context"]}


def _sidecar(folder: Path, *arguments: str) -> None:
    ended = spawn(folder, *arguments)
    assert ended.status == 0, ended.out + ended.err
