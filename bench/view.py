"""The Worktrees view in a real VS Code, with 50 worktrees of which ten have changed 200 files (9,300 overlaps).

    python -m bench.view [--files N] [--worktrees N] [--shared N] [--seconds N] [--windows N] [--keep DIR] [--json]

How long the extension takes to activate, from a click on a row to the rows below it, and frames of the window while the
view is scrolled, and while files are written in the worktrees. Needs Chromium.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from playwright.sync_api import Browser, Locator, Page, expect

from bench.report import Row, arguments, print_report, share
from bench.repository import SHARING, Repository, replace_file, repository, sharing
from bench.windowed import OURS, activations, extension_host, frame_rows, frames, new_page, vs_code
from scripts.editor.codeserver import CodeServer
from scripts.editor.processes import wait_until
from scripts.editor.workbench import open_workbench
from scripts.editor.worktrees_view import child_row, show_worktrees, view_body, worktree_row

_WAIT = 600
_WATCH = """row => {
    const pane = row.closest('.pane-body'), level = Number(row.getAttribute('aria-level')) + 1;
    const below = `.monaco-list-row[data-index="${Number(row.dataset.index) + 1}"][aria-level="${level}"]`;
    window.benchOpened = new Promise(resolve => pane.addEventListener('pointerdown', () => {
        const begun = performance.now();
        const look = now => pane.querySelector(below) ? resolve(now - begun) : requestAnimationFrame(look);
        requestAnimationFrame(look);
    }, { once: true, capture: true }));
}"""


@dataclass(frozen=True)
class Measured:
    """Milliseconds: of extensions' activation in each window, of opening each row, between frames. Bytes of memory."""

    activations: list[dict[str, float]]
    expansions: dict[str, list[float]]
    frames: dict[str, list[float]]
    memory: dict[str, int]


def main(given: Sequence[str] | None = None) -> int:
    parser = arguments(__doc__, files=2000)
    parser.add_argument("--shared", type=int, default=200, help=f"files that {SHARING} worktrees have changed (200)")
    parser.add_argument("--seconds", type=float, default=8, help="how long each thing is done (8)")
    parser.add_argument("--windows", type=int, default=5, help="windows to open for the time to activate (5)")
    chosen = parser.parse_args(given)
    with repository(chosen.keep, chosen.files, chosen.worktrees, chosen.seed) as built, vs_code() as there:
        if there is None:
            return 1
        with sharing(built, chosen.shared) as names:
            found = _measure(*there, built, names, chosen.seconds, chosen.windows)
    rows = []
    for name in (OURS, "Git"):
        times = [one[name] for one in found.activations if name in one]
        note = ", ".join(f"{one:.0f}" for one in times)
        rows += [Row(f"activation of {name}, middle", share(times, 50), "ms", note=note)] if times else []
    for what, times in found.expansions.items():
        rows += [
            Row(f"click to the rows below {what}, {name}", value, "ms", note=f"{len(times)} rows")
            for name, value in (("middle", share(times, 50)), ("most", max(times)))
        ]
    for what, times in found.frames.items():
        rows += frame_rows(what, times)
    for when, size in found.memory.items():
        rows.append(Row(f"memory of the extension host {when} (RSS)", size / 1e6, "MB"))
    overlaps = chosen.shared * SHARING * (SHARING - 1) // 2
    print_report(
        "view", {"worktrees": chosen.worktrees, "overlaps at least": overlaps}, rows, None, as_json=chosen.json
    )
    return 0


def _measure(
    browser: Browser, editor: CodeServer, built: Repository, names: Sequence[str], seconds: float, windows: int
) -> Measured:
    activated = []
    page = new_page(browser)
    for number in range(windows):
        open_workbench(page, editor, built.worktrees[0])
        activated.append(activations(page))
        if number < windows - 1:
            before, page = page, new_page(browser)
            before.context.close()
    show_worktrees(page)
    first, second, third = (worktree.name for worktree in built.worktrees[:3])
    wait_until(
        "all overlaps are shown", lambda: _count(child_row(page, f"with {second},")) >= len(names) or None, _WAIT
    )
    memory = {"with all shown": extension_host(editor)}
    worktree_row(page, first).click()
    expect(child_row(page, "with ")).to_have_count(0)
    expansions = {"a worktree": [_open(page, worktree_row(page, one.name)) for one in built.worktrees[1 : SHARING - 1]]}
    worktree_row(page, second).click()
    others = (one.name for one in built.worktrees[2:SHARING])
    expansions[f"another one's {len(names)} files"] = [_open(page, child_row(page, f"with {name},")) for name in others]
    child_row(page, f"with {third},").click()
    expect(child_row(page, names[0])).to_be_visible()
    found = {}

    def scroll(turn: int) -> None:
        page.mouse.wheel(0, 240 if turn % 32 < 16 else -240)

    def write(turn: int) -> None:
        path = built.worktrees[turn % SHARING] / names[turn % len(names)]
        replace_file(path, f"# turn {turn}\n{path.read_text(encoding='utf-8')}")

    def both(turn: int) -> None:
        write(turn)
        scroll(turn)

    deeds = {"scrolling": scroll, "files are written": write, "both": both}
    view_body(page).hover()
    for what, do in deeds.items():
        found[what] = frames(page, page.locator("body"), do, seconds)
    memory["at the end"] = extension_host(editor)
    return Measured(activated, expansions, found, memory)


def _count(row: Locator) -> int:
    """The number in the words of a row that says with whom there are so many conflicts."""
    found = re.search(r", (\d+)", row.get_attribute("aria-label") or "")
    return int(found[1]) if found else 0


def _open(page: Page, row: Locator) -> float:
    """Open a row by the mouse and close it again; milliseconds until the rows below it were there."""
    row.evaluate(_WATCH)
    row.click()
    took: float = page.evaluate("() => window.benchOpened")
    row.click()
    expect(row).to_have_attribute("aria-expanded", "false")
    return took


if __name__ == "__main__":
    sys.exit(main())
