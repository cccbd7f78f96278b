"""`npm run test:agents [-- NAME...] [-- PYTEST_ARGUMENT...]`: brings real agent clients into `.tools`, once, and runs
`tests/agents` with them.

Every version is pinned. None of the packages' install scripts runs, and no client is started here.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.editor.install import npm_install
from scripts.steps import ROOT, exit_with, step

CLIENTS = {
    "claude": ("@anthropic-ai/claude-code", "2.1.332"),
    "codex": ("@openai/codex", "0.171.0"),
    "copilot": ("@github/copilot", "1.0.102"),
    "gemini": ("@google/gemini-cli", "0.61.0"),
    "kilo": ("@kilocode/cli", "7.7.7"),
    "opencode": ("opencode-ai", "1.18.33"),
    "qwen": ("@qwen-code/qwen-code", "0.24.4"),
}
"""The npm package and version of each client that the tests start, by our name for it."""


def place(client: str) -> Path:
    """The folder that a client of the pinned version is installed in; it need not be there."""
    return ROOT / ".tools" / f"{client}-{CLIENTS[client][1]}"


def main() -> int:
    """Bring the clients that are named, or all, unless they are there; then run the tests."""
    named = [argument for argument in sys.argv[1:] if argument in CLIENTS]
    for client in named or CLIENTS:
        if not place(client).exists():
            _bring(client)
    rest = [argument for argument in sys.argv[1:] if argument not in CLIENTS]
    only = ["-k", " or ".join(named)] if named else []
    return subprocess.run([sys.executable, "-m", "pytest", "tests/agents", *only, *rest], cwd=ROOT).returncode


def _bring(client: str) -> None:
    """Install one beside its place, and move it there when it is whole."""
    package, version = CLIENTS[client]
    partial = place(client).with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    (partial / "package.json").write_text(json.dumps({"private": True}))
    with step(f"{package} {version} (once)"):
        npm_install(partial, "--no-save", f"{package}@{version}")
    partial.rename(place(client))


if __name__ == "__main__":
    exit_with(main)
