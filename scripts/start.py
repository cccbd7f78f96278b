"""`npm start [-- REPOSITORY] [-- --check]`: the main job in a real editor, on the sample repository or on yours."""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from playwright.sync_api import TimeoutError as PageTimeout

from scripts.editor.chromium import HOW_TO_INSTALL, chromium, find_chromium
from scripts.editor.codeserver import CodeServer, code_server, short_address
from scripts.editor.desktop import desktop_window, find_code
from scripts.editor.workbench import open_workbench
from scripts.package import SERVER_EXECUTABLE, package
from scripts.stdio import first_diagnostics
from scripts.steps import StepError, exit_with, step
from tests.harness.sample import build

_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, *((signal.SIGHUP,) if sys.platform != "win32" else ()))
_DIAGNOSTIC_MILLISECONDS = 60_000


@dataclass(frozen=True)
class Scene:
    """What the editor opens: a worktree, and a file in it with the 1-based line to look at."""

    folder: Path
    file: Path | None = None
    line: int = 1


def main() -> int:
    """Show it until Ctrl+C, or with `--check` until the editor shows the first diagnostic."""
    parser = argparse.ArgumentParser(prog="npm start --", description=__doc__)
    parser.add_argument("repository", nargs="?", type=Path, help="a repository to use instead of the sample")
    parser.add_argument("--check", action="store_true", help="end when a headless editor shows the first diagnostic")
    arguments = parser.parse_args([it for it in sys.argv[1:] if it != "--"])
    for number in _ENDING_SIGNALS:
        signal.signal(number, _end)
    with ExitStack() as stack:
        try:
            return _show(stack, arguments.repository, arguments.check)
        except KeyboardInterrupt:
            for number in _ENDING_SIGNALS:  # a second one must not cut the cleaning short
                signal.signal(number, signal.SIG_IGN)
            print("\nEnding; what was made for this goes with it.", flush=True)
            return 0


def _show(stack: ExitStack, repository: Path | None, check: bool) -> int:
    vsix = package()
    place = stack.enter_context(tempfile.TemporaryDirectory(prefix="worktree-sidecar-", ignore_cleanup_errors=True))
    home = Path(place).resolve()
    if repository is None:
        with step("sample repository"):
            repository = build(home / "sample").main
    scene = _scene(repository.resolve())
    subprocess.run([SERVER_EXECUTABLE, "-C", scene.folder, "status"], check=False)
    if check:
        return _check(stack, home, vsix, scene)
    code = find_code()
    if code:
        _window(stack, code, home, vsix, scene)
    else:
        _browser_page(stack, home, vsix, scene)
    return 0


def _window(stack: ExitStack, code: str, home: Path, vsix: Path, scene: Scene) -> None:
    place = f"{scene.file}:{scene.line}" if scene.file else None
    process = stack.enter_context(desktop_window(code, home / "code", vsix, scene.folder, place))
    print(f"VS Code is open on {scene.folder}, with a profile of its own.\n{_to_try(scene)}")
    print("Close its window or press Ctrl+C to end.", flush=True)
    process.wait()


def _browser_page(stack: ExitStack, home: Path, vsix: Path, scene: Scene) -> None:
    server = stack.enter_context(code_server(home / "code-server", vsix))
    address = server.address(scene.folder, scene.file, scene.line)
    with short_address(address) as short:
        print(f"\nOpen this address in a browser; it is VS Code on {scene.folder}:\n")
        print(f"  {short}\n\n{_to_try(scene)}\nPress Ctrl+C to end.", flush=True)
        server.process.wait()
    raise StepError(f"code-server ended by itself:\n{server.log.read_text(errors='replace')}")


def _to_try(scene: Scene) -> str:
    """Five things to try, in the order in which a person comes to them."""
    where = f"{scene.file.name}, line {scene.line}" if scene.file else "a file"
    return f"""
Five things to try:
  1. Look at {where}: hover it, then press Ctrl+. for what can be done.
  2. Ctrl+Shift+P, "Worktree Sidecar: Show Overlaps": all places where worktrees meet.
  3. "Worktree Sidecar: Merge Worktree into Trunk...": the plan is shown before anything happens.
  4. "Worktree Sidecar: Release Worktree...": its work is proven to be in trunk first.
  5. In a terminal, rm -rf the folder of a worktree; a moment later you are offered to bring it back.
"""


def _check(stack: ExitStack, home: Path, vsix: Path, scene: Scene) -> int:
    if scene.file is None:
        raise StepError(f"{scene.folder} has no conflict now, so there is no diagnostic to wait for.")
    browser = find_chromium()
    if browser is None:
        with step("first diagnostic from the packaged server"):
            found = first_diagnostics([SERVER_EXECUTABLE, "serve"], scene.folder)
        print(found.diagnostics[0].message)
        print(f"Checked the packaged server over stdio, not an editor: there is no Chromium ({HOW_TO_INSTALL}).")
        return 0
    server = stack.enter_context(code_server(home / "code-server", vsix))
    with step("first diagnostic in the editor"):
        _wait_for_squiggle(browser, server, scene)
    print(f"Checked in a real editor: {scene.file.relative_to(scene.folder)} has its first diagnostic.")
    return 0


def _wait_for_squiggle(executable: str, server: CodeServer, scene: Scene) -> None:
    with chromium(executable) as browser:
        page = browser.new_page()
        open_workbench(page, server, scene.folder, scene.file)
        squiggle = page.locator(".squiggly-warning, .squiggly-info, .squiggly-hint").first
        try:
            squiggle.wait_for(timeout=_DIAGNOSTIC_MILLISECONDS)
        except PageTimeout:
            raise StepError(f"The editor showed no diagnostic for {scene.file} within a minute.") from None


def _scene(repository: Path) -> Scene:
    """The first conflict in a linked worktree, else the folder alone."""
    command = (SERVER_EXECUTABLE, "-C", repository, "status", "--json")
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    if asked.returncode != 0:
        raise StepError(asked.stderr.strip())
    status = json.loads(asked.stdout)
    linked = {it["name"]: Path(it["path"]) for it in status["worktrees"] if not it["main"]}
    for overlap in (it for it in status["overlaps"] if it["verdict"] == "conflict"):
        for side in overlap["sides"]:
            folder = linked.get(side["worktree"])
            if folder and side["regions"] and (folder / side["path"]).is_file():
                return Scene(folder, folder / side["path"], side["regions"][0]["start"])
    return Scene(repository)


def _end(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    exit_with(main)
