"""What is measured of a real VS Code: frames of what it shows, its extension host, and how long we took to activate."""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect

from bench.processes import family
from bench.report import Row, share
from scripts.editor.chromium import HOW_TO_INSTALL, chromium, find_chromium
from scripts.editor.codeserver import CodeServer, code_server
from scripts.editor.workbench import run_command
from scripts.package import package
from tests.harness import environment

WAIT_MILLISECONDS = 600_000
EVERY_MILLISECONDS = 100
LATE_MILLISECONDS = 50
"""From which on a frame is seen to be late."""
OURS = "Worktree Sidecar"
_RUNNING = ".runtime-extensions-editor .extension"
_BEGIN = """() => {
    const frames = window.benchFrames = [];
    let last = performance.now();
    const next = now => { frames.push(now - last); last = now; window.benchFrame = requestAnimationFrame(next); };
    window.benchFrame = requestAnimationFrame(next);
}"""
_END = "() => { cancelAnimationFrame(window.benchFrame); return window.benchFrames.slice(1); }"


@contextmanager
def vs_code() -> Iterator[tuple[Browser, CodeServer] | None]:
    """A browser, and a VS Code with our package for it; None where there is no Chromium, which is said."""
    executable = find_chromium()
    if executable is None:
        print(f"No Chromium to show the editor in: {HOW_TO_INSTALL}", file=sys.stderr)
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="sidecar-bench-") as passing:
        home = Path(passing)
        own = {**environment(), "HOME": str(home)}
        with chromium(executable) as browser, code_server(home / "code-server", package(), env=own) as editor:
            expect.set_options(timeout=WAIT_MILLISECONDS)
            yield browser, editor


def new_page(browser: Browser) -> Page:
    """An empty window of the size of a laptop's."""
    page = browser.new_context(viewport={"width": 1440, "height": 860}).new_page()
    page.set_default_timeout(WAIT_MILLISECONDS)
    return page


def frames(page: Page, body: Locator, do: Callable[[int], None], seconds: float) -> list[float]:
    """Do something again and again, and give the milliseconds from each frame of a page to the next meanwhile."""
    body.evaluate(_BEGIN)
    ends, turn = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        do(turn)
        turn += 1
        page.wait_for_timeout(EVERY_MILLISECONDS)
    found: list[float] = body.evaluate(_END)
    return found


def frame_rows(what: str, found: Sequence[float]) -> list[Row]:
    """Median, 95 % and the worst of the times between frames, and how many were late."""
    named = {"p50": share(found, 50), "p95": share(found, 95), "most": max(found)}
    late = sum(one > LATE_MILLISECONDS for one in found)
    note = f"{late} of {len(found)} above {LATE_MILLISECONDS}"
    return [Row(f"frame while {what}, {name}", value, "ms", note=note) for name, value in named.items()]


def extension_host(editor: CodeServer) -> int:
    """Bytes of memory (RSS) of the extension hosts, VS Code's own extensions among what they run."""
    hosts = [one for one in family(editor.process.pid) if any("extensionHost" in part for part in one.cmdline())]
    return sum(int(one.memory_info().rss) for one in hosts)


def activations(page: Page) -> dict[str, float]:
    """Milliseconds that the extensions in view took to activate, ours among them, as *Show Running Extensions* says."""
    run_command(page, "Developer: Show Running Extensions")
    expect(page.locator(_RUNNING).filter(has_text=OURS).locator(".activation-time")).to_contain_text("ms")
    said: list[list[str]] = page.locator(_RUNNING).evaluate_all(
        "all => all.map(one => ['.name', '.activation-time'].map(part => one.querySelector(part).textContent))"
    )
    return {name: float(found[1]) for name, text in said if (found := re.search(r"(\d+)\s*ms", text))}
