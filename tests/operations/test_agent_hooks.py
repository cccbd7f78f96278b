"""`sidecar hook --install` and `--uninstall`: what becomes of a person's settings files."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.model.jsonc import parse
from tests.harness import git

HOUSE = Path(__file__).parent.parent.parent
FILES = {
    "claude": (".claude/settings.json", ".claude/settings.json"),
    "codex": (".codex/hooks.json", ".codex/hooks.json"),
    "copilot": (".copilot/hooks/worktree-sidecar.json", ".github/hooks/worktree-sidecar.json"),
    "cursor": (".cursor/hooks.json", ".cursor/hooks.json"),
    "gemini": (".gemini/settings.json", ".gemini/settings.json"),
    "kilo": (".config/kilo/plugins/worktree-sidecar.js", ".kilo/plugins/worktree-sidecar.js"),
    "opencode": (".config/opencode/plugins/worktree-sidecar.js", ".opencode/plugins/worktree-sidecar.js"),
    "qwen": (".qwen/settings.json", ".qwen/settings.json"),
    "vscode": (".copilot/hooks/worktree-sidecar.json", ".github/hooks/worktree-sidecar.json"),
}
PERSONS = """{
  // how I like it
  "theme": "dark", /* and so on */
  "hooks": {
    "PostToolUse": [
      {"matcher": "Write", "hooks": [{"type": "command", "command": "make format"}]} // mine
    ],
    "AfterTool": []
  },
  "last": [1, 2]
}
"""


def sidecar(folder: Path, *arguments: str, status: int = 0) -> str:
    """What the command says on standard error."""
    environment = {**os.environ, "PYTHONPATH": str(HOUSE)}
    command = [sys.executable, "-m", "sidecar", "hook", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True)
    assert done.returncode == status, done.stderr.decode()
    return done.stderr.decode()


@pytest.mark.parametrize("client", FILES)
@pytest.mark.parametrize("scope", ["--user", "--project"])
def test_a_file_comes_and_goes(client: str, scope: str, repo: Path, home: Path) -> None:
    path = home / FILES[client][0] if scope == "--user" else repo / FILES[client][1]
    assert f"hook --client {'copilot' if client == 'vscode' else client}" in sidecar(
        repo, "--install", client, scope, "-n"
    )
    assert not path.exists()
    sidecar(repo, "--install", client, scope, "--yes")
    assert path.exists()
    assert "Nothing is to be changed" in sidecar(repo, "--install", client, scope, "--yes")
    sidecar(repo, "--uninstall", client, scope, "--yes")
    assert not path.exists()


@pytest.mark.parametrize("client", ["claude", "codex", "cursor", "gemini", "qwen"])
def test_a_persons_settings_stay_as_they_are(client: str, repo: Path, home: Path) -> None:
    path = home / FILES[client][0]
    path.parent.mkdir()
    path.write_text(PERSONS)
    path.chmod(0o640)
    sidecar(repo, "--install", client, "--yes")
    installed = path.read_text()
    assert {"// how I like it", "/* and so on */", "// mine"} <= set(re.findall(r"//.*|/\*.*?\*/", installed))
    assert {**parse(installed).value, "hooks": None} == {**parse(PERSONS).value, "hooks": None}
    assert "hook --client" in json.dumps(parse(installed).value["hooks"])
    assert path.stat().st_mode & 0o777 == 0o640
    sidecar(repo, "--uninstall", client, "--yes")
    assert path.read_text() == PERSONS


def test_entries_that_a_person_moved_are_taken_out_all_the_same(repo: Path, home: Path) -> None:
    path = home / FILES["claude"][0]
    sidecar(repo, "--install", "claude", "--yes")
    path.write_text(json.dumps({**json.loads(path.read_text()), "theme": "dark"}))
    sidecar(repo, "--uninstall", "claude", "--yes")
    assert json.loads(path.read_text()) == {"theme": "dark"}


def test_a_link_to_the_settings_stays_one(repo: Path, home: Path) -> None:
    real = home / "dotfiles.json"
    real.write_text("{}\n")
    (home / ".claude").mkdir()
    (home / ".claude" / "settings.json").symlink_to(real)
    sidecar(repo, "--install", "claude", "--yes")
    assert (home / ".claude" / "settings.json").is_symlink()
    assert "hook --client claude" in real.read_text()


@pytest.mark.parametrize("text", ["not JSON", "[]", '{"hooks": 3}', "{"])
def test_a_file_that_is_not_understood_is_left_alone(text: str, repo: Path, home: Path) -> None:
    path = home / FILES["claude"][0]
    path.parent.mkdir()
    path.write_text(text)
    assert "left as it is" in sidecar(repo, "--install", "claude", "--yes", status=1)
    assert path.read_text() == text


def test_somebody_elses_file_of_our_name_is_left_alone(repo: Path, home: Path) -> None:
    path = home / FILES["copilot"][0]
    path.parent.mkdir(parents=True)
    path.write_text('{"version": 1}')
    sidecar(repo, "--install", "copilot", "--yes", status=1)
    assert path.read_text() == '{"version": 1}'


def test_without_consent_nothing_is_written(repo: Path, home: Path) -> None:
    assert "--yes" in sidecar(repo, "--install", "claude", status=1)
    assert not (home / ".claude").exists()


def test_clients_are_found_by_their_folders(repo: Path, home: Path) -> None:
    (home / ".claude").mkdir()
    (home / ".qwen").mkdir()
    sidecar(repo, "--install", "--all", "--yes")
    assert (home / FILES["claude"][0]).exists()
    assert (home / FILES["qwen"][0]).exists()
    sidecar(repo, "--uninstall", "--all", "--yes")
    assert not (home / FILES["claude"][0]).exists()


def test_a_client_calls_before_an_edit_only_where_edits_are_refused(repo: Path, home: Path) -> None:
    path = home / FILES["claude"][0]
    sidecar(repo, "--install", "claude", "--yes")
    assert "PreToolUse" not in json.loads(path.read_text())["hooks"]
    git(repo, "config", "sidecar.hookBlocks", "true")
    sidecar(repo, "--install", "claude", "--yes")
    assert "PreToolUse" in json.loads(path.read_text())["hooks"]
    sidecar(repo, "--uninstall", "claude", "--yes")
    assert not path.exists()


@pytest.mark.parametrize("client", ["claude", "codex", "gemini", "qwen"])
def test_the_entry_succeeds_where_there_is_no_sidecar(client: str, repo: Path, home: Path) -> None:
    sidecar(repo, "--install", client, "--project", "--yes")
    hooks = json.loads((repo / FILES[client][1]).read_text())["hooks"]
    commands = {inner["command"] for entries in hooks.values() for entry in entries for inner in entry["hooks"]}
    (command,) = commands
    done = subprocess.run(["/bin/sh", "-c", command], env={"PATH": "/usr/bin:/bin"}, input=b"{}", capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_the_plugin_has_the_hooks_that_are_installed(repo: Path) -> None:
    sidecar(repo, "--install", "claude", "--project", "--yes")
    installed = (repo / FILES["claude"][1]).read_text()
    assert (HOUSE / "agent-plugin" / "hooks" / "hooks.json").read_text() == installed
