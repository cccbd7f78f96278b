"""A code-server of its own: profile, extensions and port are nobody else's."""

import json
import os
import re
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, urlencode

from scripts.editor.install import NODE, code_server_entry
from scripts.editor.processes import process_group, wait_until
from scripts.steps import run, step

_START_SECONDS = 60
_OPTIONS = (
    "--auth=none",
    "--bind-addr=127.0.0.1:0",
    "--disable-telemetry",
    "--disable-update-check",
    "--disable-getting-started-override",
    "--ignore-last-opened",
    "--reconnection-grace-time=2",
)
_SETTINGS: Mapping[str, object] = {
    "chat.disableAIFeatures": True,
    "extensions.ignoreRecommendations": True,
    "files.autoSave": "off",  # as on a desktop; in a browser it is on
    "security.workspace.trust.startupPrompt": "never",
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "workbench.reduceMotion": "on",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
}


@dataclass(frozen=True)
class CodeServer:
    """A running code-server: its port on 127.0.0.1, and its log."""

    port: int
    log: Path
    process: subprocess.Popen[bytes]

    def address(self, folder: Path, file: Path | None = None, line: int | None = None) -> str:
        """The address that shows a folder, and opens a file in it, at a line (1-based) if one is given."""
        query = {"folder": str(folder)}
        if file is not None:
            at = f":{line}:1" if line is not None else ""
            remote = f"vscode-remote://127.0.0.1:{self.port}{quote(str(file))}{at}"
            query["payload"] = json.dumps(
                [["gotoLineMode", "true"], ["openFile", remote]] if at else [["openFile", remote]]
            )
        return f"http://127.0.0.1:{self.port}/?{urlencode(query, quote_via=quote)}"


@contextmanager
def code_server(
    home: Path,
    vsix: Path | None,
    settings: Mapping[str, object] | None = None,
    env: Mapping[str, str] | None = None,
    trust: bool = True,
) -> Iterator[CodeServer]:
    """Install `vsix`, if there is one, and nothing else, start code-server, and end it with the block.

    `settings` are added to the profile's; `env` (default: this process's own) is what its processes see; without
    `trust`, folders open in Restricted Mode until a person trusts them.
    """
    entry = code_server_entry()
    user, config, log = home / "user", home / "config.yaml", home / "code-server.log"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.touch()
    for place in ("Machine", "User"):
        (user / place).mkdir(parents=True)
        (user / place / "settings.json").write_text(json.dumps({**_SETTINGS, **(settings or {})}))
    environment = {
        **(os.environ if env is None else env),
        "EXTENSIONS_GALLERY": json.dumps({"serviceUrl": ""}),
        "XDG_DATA_HOME": str(home / "data"),
    }
    base: list[str | Path] = [
        NODE,
        entry,
        f"--config={config}",
        f"--user-data-dir={user}",
        f"--extensions-dir={home / 'extensions'}",
    ]
    if vsix is not None:
        with step("extension installed"):
            run([*base, f"--install-extension={vsix}", "--force"], env=environment)
    options = [*_OPTIONS, "--disable-workspace-trust"] if trust else _OPTIONS
    with process_group([*base, *options], environment, log) as process:

        def port() -> int | None:
            if process.poll() is not None:
                raise RuntimeError(f"code-server ended at once:\n{log.read_text(errors='replace')}")
            found = re.search(rb"listening on http://127\.0\.0\.1:(\d+)", log.read_bytes())
            return int(found[1]) if found and _is_healthy(int(found[1])) else None

        yield CodeServer(wait_until("code-server answers", port, _START_SECONDS), log, process)


@contextmanager
def short_address(address: str) -> Iterator[str]:
    """An address that fits a line and leads to a long one, as long as the block runs."""

    class Redirect(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302 if self.path == "/" else 404)
            self.send_header("Location", address)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Redirect) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


def _is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False
