"""The person's own VS Code, with a profile that is not theirs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.editor.processes import process_group
from scripts.steps import run, step


def find_code() -> str | None:
    """The path of the command `code`, where there is a screen to show its window on."""
    has_screen = sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return shutil.which("code") if has_screen else None


@contextmanager
def desktop_window(
    code: str, home: Path, vsix: Path, folder: Path, place: str | None
) -> Iterator[subprocess.Popen[bytes]]:
    """Install `vsix` into a new profile and open a window on `folder`; the process lasts as long as the window.

    `place` is FILE:LINE to open in it.
    """
    home.mkdir(parents=True, exist_ok=True)
    base = [code, f"--user-data-dir={home / 'user'}", f"--extensions-dir={home / 'extensions'}"]
    with step("extension installed"):
        run([*base, f"--install-extension={vsix}", "--force"])
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    options = ["--new-window", "--wait", "--disable-workspace-trust", *as_root]
    goto = ["--goto", place] if place else []
    with process_group([*base, *options, str(folder), *goto], os.environ, home / "code.log") as process:
        yield process
