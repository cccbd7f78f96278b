"""In a folder that is not trusted, nothing but the bundled server runs."""

import sys
from pathlib import Path

import psutil
from playwright.sync_api import Page, expect

from scripts.editor.codeserver import CodeServer, code_server
from scripts.editor.processes import wait_until
from scripts.editor.workbench import open_workbench, run_command, squiggles
from scripts.package import package
from tests.editor.conftest import bare_environment
from tests.harness.sample import Sample

_SERVER_SECONDS = 20


def test_the_setting_counts_only_after_trust(page: Page, sample: Sample, tmp_path: Path) -> None:
    own_server = tmp_path / "own-server"
    own_server.write_text(f'#!/bin/sh\nexec {sys.executable} -m sidecar "$@"\n')
    own_server.chmod(0o755)
    home = tmp_path / "editor"
    home.mkdir()
    settings = {"worktreeSidecar.server.path": str(own_server)}
    with code_server(home / "code-server", package(), settings, bare_environment(home), trust=False) as editor:
        open_workbench(page, editor, sample.showcase, sample.showcase_file)
        expect(squiggles(page).first).to_be_visible()
        assert _executables(editor) == {"sidecar"}

        run_command(page, "Workspaces: Manage Workspace Trust")
        page.locator(".workspace-trust-editor").get_by_role("button", name="Trust", exact=True).click()
        python = Path(sys.executable).resolve().name
        wait_until("the own server alone", lambda: _executables(editor) == {python} or None, _SERVER_SECONDS)
        expect(squiggles(page).first).to_be_visible()


def _executables(editor: CodeServer) -> set[str]:
    """The names of the programs that run `serve` for this editor."""
    found = set()
    for process in psutil.Process(editor.process.pid).children(recursive=True):
        try:
            if process.cmdline()[-1:] == ["serve"]:
                found.add(Path(process.exe()).name)
        except psutil.NoSuchProcess:
            continue
    return found
