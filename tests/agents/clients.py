"""The real clients as the tests start them: in a home of their own, with a made-up key, and a model on 127.0.0.1."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scripts.agent_clients import place
from scripts.editor.install import NODE
from tests.agents.scripted_model import MARK, Json, Model

KEY = "made-up-key-of-a-test"
DEADLINE = 200
NOWHERE = "http://127.0.0.1:9"
"""Where every request goes that is not for the model: nobody listens there."""

_OPENCODE_CONFIG = ".config/opencode/opencode.json"
_KILO_CONFIG = ".config/kilo/kilo.json"


@dataclass(frozen=True)
class Client:
    """How to start one client without anybody there, and how its model calls the tools that edit and read.

    `serve` adds a program to its MCP servers, `calls` is what it puts before the names of the tools, a namespace
    where it is two, and `allowed` are the arguments that let it call them.
    """

    name: str
    command: Callable[[Path], list[str | Path]]
    prepare: Callable[[Path, str, Path], Mapping[str, str]]
    edit: Callable[[Path, str, str], Sequence[Json]]
    read: Callable[[Path], Json]
    serve: Callable[[Path, Path], None]
    calls: str | tuple[str, str]
    allowed: tuple[str, ...] = ()

    def call(self, tool: str, **arguments: object) -> Json:
        """A call of one of our tools over MCP, by the name that this client gives it."""
        if isinstance(self.calls, tuple):
            return {"tool": tool, "namespace": self.calls[0], "input": arguments}
        return {"tool": f"{self.calls}{tool}", "input": arguments}


@dataclass(frozen=True)
class Ended:
    """How a client ended, and what it printed."""

    status: int | None
    out: str = field(repr=False)


def run_client(client: Client, model: Model, folder: Path, programs: Path, home: Path, *, mcp: bool = False) -> Ended:
    """Start it in a folder with the script's prompt, and wait for its end; None where it had to be ended.

    With `mcp` it has our server.
    """
    environment = {
        "PATH": os.pathsep.join((str(programs), str(NODE.parent), "/usr/local/bin", "/usr/bin", "/bin")),
        "HOME": str(home),
        "PWD": str(folder),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NOWHERE),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost"),
        **client.prepare(home, model.url, folder),
    }
    command = client.command(place(client.name))
    if mcp:
        client.serve(home, programs / "sidecar")
        command += client.allowed
    command += [f"{MARK} go"] if client.name in ("codex", "kilo", "opencode") else ["-p", f"{MARK} go"]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        out, _ = process.communicate(timeout=DEADLINE)
        return Ended(process.returncode, out.decode(errors="replace"))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, _ = process.communicate()
        return Ended(None, out.decode(errors="replace"))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what it left behind


def install(client: str, home: Path, programs: Path) -> None:
    """Install the hook for the user, as a person does."""
    environment = {**os.environ, "HOME": str(home), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-m", "sidecar", "hook", "--install", client, "--yes"]
    subprocess.run(command, cwd=home, env=environment, check=True, capture_output=True)


def _write(path: Path, content: Json | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2) + "\n")


def _first(folder: Path, pattern: str) -> Path:
    return min(folder.glob(pattern), key=lambda path: len(str(path)))


def _claude(home: Path, url: str, folder: Path) -> Mapping[str, str]:
    off = ("DISABLE_TELEMETRY", "DISABLE_AUTOUPDATER", "DISABLE_ERROR_REPORTING")
    more = ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",)
    return {"ANTHROPIC_API_KEY": f"sk-ant-{KEY}", "ANTHROPIC_BASE_URL": url, **dict.fromkeys((*off, *more), "1")}


def _codex(home: Path, url: str, folder: Path) -> Mapping[str, str]:
    _write(
        home / ".codex" / "config.toml",
        'model = "gpt-5.5"\nmodel_provider = "test"\ncheck_for_update_on_startup = false\n'
        '[analytics]\nenabled = false\n[model_providers.test]\nname = "test"\n'
        f'base_url = "{url}/v1"\nenv_key = "TEST_KEY"\nwire_api = "responses"\n',
    )
    return {"TEST_KEY": KEY}


def _copilot(home: Path, url: str, folder: Path) -> Mapping[str, str]:
    return {
        "COPILOT_OFFLINE": "true",
        "COPILOT_AUTO_UPDATE": "false",
        "COPILOT_PROVIDER_BASE_URL": f"{url}/v1",
        "COPILOT_PROVIDER_API_KEY": KEY,
        "COPILOT_MODEL": "scripted",
    }


def _settings(home: Path, client: str, more: Json) -> None:
    """Add settings to a client's own file, which has the hook's entries already."""
    path = home / f".{client}" / "settings.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    _write(path, {**known, **more, "privacy": {"usageStatisticsEnabled": False}, "telemetry": {"enabled": False}})


def _gemini(home: Path, url: str, folder: Path) -> Mapping[str, str]:
    general = {"enableAutoUpdate": False, "enableAutoUpdateNotification": False}
    _settings(home, "gemini", {"security": {"auth": {"selectedType": "gemini-api-key"}}, "general": general})
    return {"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": url, "GEMINI_CLI_TRUST_WORKSPACE": "true"}


def _qwen(home: Path, url: str, folder: Path) -> Mapping[str, str]:
    general = {"disableAutoUpdate": True, "enableAutoUpdate": False, "disableUpdateNag": True}
    security = {"auth": {"selectedType": "openai"}}
    _settings(home, "qwen", {"security": security, "general": general, "model": {"name": "scripted"}})
    return {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{url}/v1", "OPENAI_MODEL": "scripted"}


def _opencode(home: Path, url: str, folder: Path) -> Mapping[str, str]:
    _write(home / _OPENCODE_CONFIG, _opencode_config(url))
    return _opencode_environment("OPENCODE")


def _kilo(home: Path, url: str, folder: Path) -> Mapping[str, str]:
    _write(home / _KILO_CONFIG, _opencode_config(url))
    names = ("PRESENCE", "SESSION_INGEST", "CODEBASE_INDEXING")
    quiet = {"KILO_TELEMETRY_LEVEL": "off", **dict.fromkeys((f"KILO_DISABLE_{name}" for name in names), "1")}
    return {**_opencode_environment("KILO"), **quiet}


def _opencode_config(url: str) -> Json:
    limit = {"context": 100000, "output": 8000}
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "test",
        "options": {"baseURL": f"{url}/v1", "apiKey": KEY},
        "models": {"scripted": {"name": "scripted", "tool_call": True, "limit": limit}},
    }
    return {"autoupdate": False, "share": "disabled", "model": "test/scripted", "provider": {"test": provider}}


def _opencode_environment(prefix: str) -> dict[str, str]:
    names = ("AUTOUPDATE", "MODELS_FETCH", "LSP_DOWNLOAD")
    npm = {"npm_config_registry": NOWHERE, "npm_config_fetch_retries": "0"}  # it installs beside its plugins
    return npm | dict.fromkeys((f"{prefix}_DISABLE_{name}" for name in names), "1")


def _edit_by(tool: str, path: str, old: str, new: str, **more: object) -> Callable[[Path, str, str], list[Json]]:
    """One call of a tool with these names for its parameters."""
    return lambda file, one, two: [{"tool": tool, "input": {path: str(file), old: one, new: two, **more}}]


def _read_by(tool: str, path: str) -> Callable[[Path], Json]:
    return lambda file: {"tool": tool, "input": {path: str(file)}}


def _patch(file: Path, old: str, new: str) -> list[Json]:
    text = f"*** Begin Patch\n*** Update File: {file.name}\n@@\n-{old}\n+{new}\n*** End Patch\n"
    return [{"tool": "apply_patch", "raw": text}]


def _after_reading(
    read: Callable[[Path], Json], edit: Callable[[Path, str, str], list[Json]]
) -> Callable[..., list[Json]]:
    """An edit by a client that wants the file read first."""
    return lambda file, one, two: [read(file), *edit(file, one, two)]


def _serve_claude(home: Path, program: Path) -> None:
    path = home / ".claude.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    _write(path, {**known, "mcpServers": {"sidecar": {"command": str(program), "args": ["mcp"]}}})


def _serve_codex(home: Path, program: Path) -> None:
    with (home / ".codex" / "config.toml").open("a") as config:
        config.write(f'[mcp_servers.sidecar]\ncommand = "{program}"\nargs = ["mcp"]\nrequired = true\n')


def _serve_copilot(home: Path, program: Path) -> None:
    server = {"type": "local", "command": str(program), "args": ["mcp"], "tools": ["*"]}
    _write(home / ".copilot" / "mcp-config.json", {"mcpServers": {"sidecar": server}})


def _serve_by_settings(client: str) -> Callable[[Path, Path], None]:
    server = {"sidecar": {"args": ["mcp"]}}
    return lambda home, program: _settings(
        home, client, {"mcpServers": {"sidecar": {**server["sidecar"], "command": str(program)}}}
    )


def _serve_as_opencode(config: str) -> Callable[[Path, Path], None]:
    def serve(home: Path, program: Path) -> None:
        path = home / config
        server = {"type": "local", "command": [str(program), "mcp"]}
        _write(path, {**json.loads(path.read_text()), "mcp": {"sidecar": server}})

    return serve


_CLAUDE_READ = _read_by("Read", "file_path")
_OPENCODE_READ = _read_by("read", "filePath")
_QWEN_READ = _read_by("read_file", "file_path")


def _as_opencode(
    name: str, program: str, prepare: Callable[[Path, str, Path], Mapping[str, str]], config: str
) -> Client:
    """A client of opencode's kind, of which others are forks."""
    return Client(
        name,
        lambda folder: [_first(folder, program), "run", "--auto"],
        prepare,
        _after_reading(_OPENCODE_READ, _edit_by("edit", "filePath", "oldString", "newString")),
        _OPENCODE_READ,
        _serve_as_opencode(config),
        "sidecar_",
    )


CLIENTS = {
    client.name: client
    for client in (
        Client(
            "claude",
            lambda folder: [
                _first(folder, "node_modules/@anthropic-ai/claude-code-*/claude"),
                "--permission-mode",
                "acceptEdits",
            ],
            _claude,
            _after_reading(_CLAUDE_READ, _edit_by("Edit", "file_path", "old_string", "new_string")),
            _CLAUDE_READ,
            _serve_claude,
            "mcp__sidecar__",
            ("--allowedTools", "mcp__sidecar"),
        ),
        Client(
            "codex",
            lambda folder: [
                *(NODE, folder / "node_modules/@openai/codex/bin/codex.js", "exec"),
                *("--sandbox", "danger-full-access", "--dangerously-bypass-hook-trust"),
            ],
            _codex,
            _patch,
            lambda file: {"tool": "exec_command", "input": {"cmd": f"cat {file.name}"}},
            _serve_codex,
            ("mcp__sidecar", ""),
        ),
        Client(
            "copilot",
            lambda folder: [_first(folder, "node_modules/@github/copilot-*/copilot"), "--allow-all-tools"],
            _copilot,
            _edit_by("edit", "path", "old_str", "new_str"),
            _read_by("view", "path"),
            _serve_copilot,
            "sidecar-",
        ),
        Client(
            "gemini",
            lambda folder: [
                *(NODE, folder / "node_modules/@google/gemini-cli/bundle/gemini.js"),
                *("--approval-mode", "yolo", "-m", "gemini-2.5-pro"),
            ],
            _gemini,
            _edit_by("replace", "file_path", "old_string", "new_string", instruction="change it"),
            _read_by("read_file", "file_path"),
            _serve_by_settings("gemini"),
            "mcp_sidecar_",
        ),
        _as_opencode("opencode", "node_modules/opencode-*/bin/opencode", _opencode, _OPENCODE_CONFIG),
        _as_opencode("kilo", "node_modules/@kilocode/cli-*/bin/kilo", _kilo, _KILO_CONFIG),
        Client(
            "qwen",
            lambda folder: [NODE, folder / "node_modules/@qwen-code/qwen-code/cli-entry.js", "--approval-mode", "yolo"],
            _qwen,
            _after_reading(_QWEN_READ, _edit_by("edit", "file_path", "old_string", "new_string")),
            _QWEN_READ,
            _serve_by_settings("qwen"),
            "mcp__sidecar__",
        ),
    )
}
