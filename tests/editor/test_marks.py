"""What is beside the text: marks of conflicts, each of which a setting turns off; and the first steps."""

import json
import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from scripts.editor.codeserver import CodeServer
from scripts.editor.workbench import open_workbench, run_command, squiggles, status_item
from tests.editor.conftest import Shoot
from tests.harness.sample import Sample

MOST_MILLISECONDS = 1000
"""To be activated in: 150 are meant, on a machine that does nothing else; awaiting the server takes longer."""
GUTTER = ".monaco-editor .glyph-margin-widgets .cgmr"


def test_conflicts_are_marked_in_the_gutter_and_the_explorer_until_that_is_turned_off(
    page: Page, editor: CodeServer, sample: Sample, shoot: Shoot
) -> None:
    open_workbench(page, editor, sample.showcase, sample.showcase_file)
    expect(squiggles(page).first).to_be_visible()
    expect(page.locator(GUTTER).first).to_be_visible()
    marked = page.locator(".explorer-folders-view [aria-label*='Conflicts with']")
    expect(marked.first).to_be_visible()
    shoot("marks")
    (sample.showcase / ".vscode").mkdir(exist_ok=True)
    off = {"worktreeSidecar.marks.gutter": False, "worktreeSidecar.marks.explorer": False}
    (sample.showcase / ".vscode" / "settings.json").write_text(json.dumps(off))
    expect(page.locator(GUTTER)).to_have_count(0)
    expect(marked).to_have_count(0)
    expect(squiggles(page).first).to_be_visible()


def test_the_first_steps_are_a_walkthrough_with_pictures(
    page: Page, editor: CodeServer, sample: Sample, shoot: Shoot, record_property: Callable[[str, object], None]
) -> None:
    page.set_viewport_size({"width": 1600, "height": 900})  # where there is less room it has no pictures
    open_workbench(page, editor, sample.showcase)
    expect(status_item(page)).to_be_visible()
    run_command(page, "Worktree Sidecar: Get Started")
    steps = page.locator(".getting-started-step")
    expect(steps).to_have_count(4)
    expect(steps.first).to_contain_text("See where they meet")
    expect(page.locator(".getting-started-media img").first).to_be_visible()
    shoot("walkthrough")
    run_command(page, "Developer: Show Running Extensions")
    row = page.locator(".runtime-extensions-editor .extension").filter(has_text="Worktree Sidecar")
    took = re.search(r"(\d+)ms", row.locator(".activation-time").inner_text())
    assert took is not None
    record_property("activation_milliseconds", int(took[1]))
    assert int(took[1]) <= MOST_MILLISECONDS
