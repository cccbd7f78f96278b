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

from playwright.sync_api import FrameLocator, Page, expect

from bench.processes import family
from bench.report import Row, print_report, share
from scripts.editor.chromium import HOW_TO_INSTALL, chromium, find_chromium
from scripts.editor.codeserver import CodeServer, code_server
from scripts.editor.workbench import open_workbench, run_command, webview
from scripts.package import package
from tests.harness import add_worktree, commit, environment, init, write

LINES = 40
WAIT_MILLISECONDS = 300_000
EVERY_MILLISECONDS = 100
_BEGIN = """() => {
    const frames = window.benchFrames = [];
    let last = performance.now();
    const next = now => { frames.push(now - last); last = now; window.benchFrame = requestAnimationFrame(next); };
    window.benchFrame = requestAnimationFrame(next);
}"""
_END = "() => { cancelAnimationFrame(window.benchFrame); return window.benchFrames.slice(1); }"


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
    executable = find_chromium()
    if executable is None:
        print(f"No Chromium to show the editor in: {HOW_TO_INSTALL}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="sidecar-bench-") as passing:
        worktrees = _build(Path(passing) / "shop", chosen.worktrees, chosen.shared)
        home = Path(passing) / "editor"
        home.mkdir()
        own = {**environment(), "HOME": str(home)}
        with chromium(executable) as browser, code_server(home / "code-server", package(), env=own) as editor:
            page = browser.new_context(viewport={"width": 1440, "height": 860}).new_page()
            page.set_default_timeout(WAIT_MILLISECONDS)
            expect.set_options(timeout=WAIT_MILLISECONDS)
            found = _measure(page, editor, worktrees, chosen.seconds)
    overlaps = chosen.shared * chosen.worktrees * (chosen.worktrees - 1) // 2
    rows = [Row("command to the table", found.opened, "s")]
    for what, frames in found.frames.items():
        named = {"p50": share(frames, 50), "p95": share(frames, 95), "most": max(frames)}
        rows += [
            Row(f"frame while {what}, {name}", value, "ms", note=f"{len(frames)} frames")
            for name, value in named.items()
        ]
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
    frames = {}
    for what, do in deeds.items():
        if what == "walking by keys":
            shown.locator("tbody th").first.focus()
        frames[what] = _frames(page, shown, do, seconds)
    return Measured(opened, frames, _extension_host(editor))


def _frames(page: Page, shown: FrameLocator, do: Callable[[int], None], seconds: float) -> list[float]:
    """Do something again and again, and give the milliseconds from each frame of the page to the next meanwhile."""
    body = shown.locator("body")
    body.evaluate(_BEGIN)
    ends, turn = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        do(turn)
        turn += 1
        page.wait_for_timeout(EVERY_MILLISECONDS)
    found: list[float] = body.evaluate(_END)
    return found


def _extension_host(editor: CodeServer) -> int:
    hosts = [one for one in family(editor.process.pid) if any("extensionHost" in part for part in one.cmdline())]
    return sum(int(one.memory_info().rss) for one in hosts)


if __name__ == "__main__":
    sys.exit(main())
