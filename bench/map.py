"""Frames of the overlap map in a real VS Code, with 50 worktrees of which every two meet (9,800 overlaps).

    python -m bench.map [--worktrees N] [--shared N] [--seconds N] [--json]

They meet in --shared files, some of which conflict. While frames are counted, the table is scrolled, walked through by
arrow keys, and drawn anew because a file is written in one of the worktrees. Needs Chromium.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, expect

from bench.report import Row, print_report
from bench.windowed import extension_host, frame_rows, frames, new_page, vs_code
from scripts.editor.codeserver import CodeServer
from scripts.editor.workbench import open_workbench, run_command, webview
from tests.harness import add_worktree, commit, init, write

LINES = 40


@dataclass(frozen=True)
class Measured:
    """Milliseconds between two frames while each thing was done; seconds until the table was there; bytes of memory."""

    opened: float
    frames: dict[str, list[float]]
    memory: int


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--worktrees", type=int, default=50, help="linked worktrees (50)")
    parser.add_argument("--shared", type=int, default=8, help="files that all of them have changed (8)")
    parser.add_argument("--seconds", type=float, default=6, help="how long each thing is done (6)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(given)
    with tempfile.TemporaryDirectory(prefix="sidecar-bench-") as passing, vs_code() as there:
        if there is None:
            return 1
        browser, editor = there
        worktrees = _build(Path(passing) / "shop", chosen.worktrees, chosen.shared)
        found = _measure(new_page(browser), editor, worktrees, chosen.seconds)
    overlaps = chosen.shared * chosen.worktrees * (chosen.worktrees - 1) // 2
    rows = [Row("command to the table", found.opened, "s")]
    for what, times in found.frames.items():
        rows += frame_rows(what, times)
    rows.append(Row("memory of the extension host (RSS)", found.memory / 1e6, "MB"))
    setting = {"worktrees": chosen.worktrees, "overlaps": overlaps}
    print_report("map", setting, rows, None, as_json=chosen.json)
    return 0


def _build(main: Path, count: int, shared: int) -> list[Path]:
    """Worktrees that have all changed the same files: neighbours the same line, the others lines apart."""
    text = "".join(f"line {number}\n\n\n" for number in range(LINES))
    names = [f"module_{number}.py" for number in range(shared)]
    commit(init(main), dict.fromkeys(names, text))
    found = []
    for number in range(count):
        worktree = add_worktree(main, f"task-{number:02}")
        line = f"line {number // 2 % LINES}\n"
        commit(worktree, {name: text.replace(line, f"{worktree.name}: {line}") for name in names})
        found.append(worktree)
    return found


def _measure(page: Page, editor: CodeServer, worktrees: Sequence[Path], seconds: float) -> Measured:
    open_workbench(page, editor, worktrees[0])
    begun = time.monotonic()
    run_command(page, "Worktree Sidecar: Show Overlap Map")
    shown = webview(page)
    expect(shown.locator("tbody tr")).to_have_count(len(worktrees))
    opened = time.monotonic() - begun
    expect(shown.locator("td.conflict").first).to_be_visible()
    deeds: dict[str, Callable[[int], None]] = {
        "scrolling": lambda turn: page.mouse.wheel(120 if turn % 8 < 4 else -120, 240 if turn % 16 < 8 else -240),
        "walking by keys": lambda turn: page.keyboard.press("ArrowDown" if turn % 96 < 48 else "ArrowUp"),
        "files are written": lambda turn: write(worktrees[turn % 7], {"module_0.py": f"written {turn}\n"}),
    }
    table = shown.locator(".scroll").bounding_box()
    assert table
    page.mouse.move(table["x"] + 300, table["y"] + 200)
    found = {}
    for what, do in deeds.items():
        if what == "walking by keys":
            shown.locator("tbody th").first.focus()
        found[what] = frames(page, shown.locator("body"), do, seconds)
    return Measured(opened, found, extension_host(editor))


if __name__ == "__main__":
    sys.exit(main())
