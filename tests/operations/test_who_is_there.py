"""Which agents are in a worktree: by their hooks, by what their clients publish, and by real processes."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sidecar.git.repository import Repository, list_worktrees, open_repository
from sidecar.operations.presence import Agent, speak
from sidecar.operations.who_is_there import agents_of, who_is_there
from sidecar.system.agent_programs import client_of
from tests.git.leaving import eventually
from tests.harness import add_worktree, git

WAIT = "import sys, subprocess\nif len(sys.argv) > 2: subprocess.Popen(sys.argv[1:])\nsys.stdin.read()"
NODE = "/opt/lib/node_modules"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with a native program `claude`, and a script of an interpreter that is called `gemini`."""
    folder = tmp_path / "programs"
    folder.mkdir()
    shutil.copy(shutil.which("cat") or "/bin/cat", folder / "claude")
    (folder / "gemini").write_text(WAIT)
    return folder


@contextmanager
def running(folder: Path, *command: str | Path) -> Iterator[int]:
    """A process that stands in the folder until the block ends."""
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        eventually(lambda: Path(f"/proc/{process.pid}/cmdline").read_bytes().startswith(os.fsencode(command[0])))
        yield process.pid


def there(repo: Path, *more: str) -> dict[str, list[str]]:
    """The clients in each worktree in which there is one, by the worktree's name; those that edit with a `*`."""
    repository = open_repository(repo)
    assert isinstance(repository, Repository)
    found = who_is_there(repository.common_dir, list_worktrees(repository), more)
    said = {key: [f"{one.client}{'*' if one.is_writer else ''}" for one in agents] for key, agents in found.items()}
    return {Path(key).name: clients for key, clients in said.items()}


def publish(home: Path, pid: int, cwd: Path, session: str = "S", began: float | None = None) -> None:
    """What Claude Code writes of a session; beside it lies a key that nobody else is to open."""
    folder = home / ".claude" / "sessions"
    folder.mkdir(parents=True, exist_ok=True)
    at = int((time.time() if began is None else began) * 1000)
    (folder / f"{pid}.json").write_text(
        json.dumps({"pid": pid, "sessionId": session, "cwd": str(cwd), "startedAt": at})
    )
    (folder / f"{pid}.{'0' * 64}.key").mkdir(exist_ok=True)


def test_a_process_is_known_by_its_program_and_its_arguments(repo: Path, programs: Path) -> None:
    one, two = add_worktree(repo, "one"), add_worktree(repo, "two")
    (two / "deep").mkdir()
    with running(one, programs / "claude"), running(two / "deep", sys.executable, programs / "gemini") as pid:
        assert there(repo) == {"one": ["Claude Code"], "two": ["Gemini CLI"]}
        assert there(repo, "python", "cat") == there(repo)
        repository = open_repository(repo)
        assert isinstance(repository, Repository)
        worktree = next(worktree for worktree in list_worktrees(repository) if worktree.name == "two")
        (agent,) = agents_of(repository, worktree, {"agents": ()})
        assert (agent.pid, agent.as_object["edited"], agent.as_object["pid"]) == (pid, None, pid)
    assert there(repo) == {}


def test_a_program_that_a_setting_names_is_an_agent(repo: Path, programs: Path) -> None:
    (programs / "claude").rename(programs / "our-agent")
    with running(add_worktree(repo, "one"), programs / "our-agent"):
        assert there(repo) == {}
        assert there(repo, "our-agent") == {"one": ["our-agent"]}


def test_a_client_that_is_two_processes_is_one_agent(repo: Path, programs: Path) -> None:
    one = add_worktree(repo, "one")
    script = programs / "gemini"
    with running(one, sys.executable, script, sys.executable, script) as pid:
        children = Path(f"/proc/{pid}/task/{pid}/children")
        eventually(lambda: children.read_text().split())
        child = children.read_text().split()[0]
        eventually(lambda: os.fsencode(script) in Path(f"/proc/{child}/cmdline").read_bytes())
        assert there(repo) == {"one": ["Gemini CLI"]}
        os.kill(int(child), 9)


@pytest.mark.parametrize(
    ("client", "file", "arguments"),
    [
        ("Claude Code", "/home/ada/.local/share/claude/versions/2.1.332", "claude --resume"),
        ("Claude Code", f"{NODE}/@anthropic-ai/claude-code-linux-x64/claude", f"{NODE}/x/claude -p hello"),
        ("Codex", f"{NODE}/@openai/codex-linux-x64/vendor/x86_64/bin/codex", "codex exec go"),
        ("Codex", "/usr/bin/node", f"node {NODE}/@openai/codex/bin/codex.js exec"),
        ("Copilot CLI", f"{NODE}/@github/copilot-linux-x64/copilot", "copilot"),
        ("Gemini CLI", "/usr/bin/node", f"node --max-old-space-size=4096 {NODE}/@google/gemini-cli/bundle/main.js"),
        ("Gemini CLI", "/usr/bin/node", "node -r ./hook.js /usr/local/bin/gemini"),
        ("Qwen Code", "/usr/bin/node", f"node {NODE}/@qwen-code/qwen-code/cli-entry.js --yolo"),
        ("opencode", f"{NODE}/opencode-linux-x64/bin/opencode", "opencode run"),
        ("Mistral Vibe", "/usr/bin/python3.12", "/home/ada/.venv/bin/python3 /home/ada/.venv/bin/vibe"),
        ("aider", "/usr/bin/python3.12", "python3 -X utf8 -m aider.main"),
        ("Claude Code", "C:\\Users\\Ada\\claude.exe", "claude"),
        ("Claude Code", "/usr/bin/claude", "claude --worktree build-daemon"),
        ("Claude Code", "/usr/bin/node", f"node {NODE}/@anthropic-ai/claude-code/cli.js -p restart build-daemon"),
        (None, f"{NODE}/cline-linux-x64/cline", "cline --cline-hub-daemon --cwd /repo"),
        (None, "/usr/bin/node", f"node {NODE}/@anthropic-ai/claude-code/cli.js daemon run"),
        (None, "/usr/bin/node", "node"),
        (None, "/usr/bin/node", f"node -e require('{NODE}/@openai/codex/bin/codex.js')"),
        (None, "/usr/bin/vim", "vim claude"),
        (None, "/usr/bin/bash", "bash -c claude"),
        (None, "", ""),
    ],
)
def test_how_clients_are_started(client: str | None, file: str, arguments: str) -> None:
    assert client_of(file, arguments.split(" ") if arguments else []) == client


def test_what_a_client_publishes_says_where_it_is_better_than_its_process(
    repo: Path, home: Path, programs: Path
) -> None:
    one, two = add_worktree(repo, "one"), add_worktree(repo, "two")
    with running(one, programs / "claude") as pid:
        publish(home, pid, two)
        assert there(repo) == {"two": ["Claude Code"]}
        speak(str(repo / ".git"), Agent("Claude Code", "S", "", str(one), time.time(), time.time()), ())
        assert there(repo) == {"one": ["Claude Code*"]}


def test_what_a_client_left_behind_when_it_was_killed_is_nobody(repo: Path, home: Path, programs: Path) -> None:
    one = add_worktree(repo, "one")
    with running(repo.parent, programs / "claude") as pid:
        publish(home, pid, one, began=time.time() - 3600)  # of another process, which had this id before
        assert there(repo) == {}
        publish(home, pid, one)
        assert there(repo) == {"one": ["Claude Code"]}
    publish(home, pid, one)
    assert there(repo) == {}
    for text in ("", "[", "{}", '{"sessionId": 1, "cwd": "\\u0000", "startedAt": 1e999}', "[" * 50_000):
        (home / ".claude" / "sessions" / f"{os.getpid()}.json").write_text(text)
        assert there(repo) == {}


def test_a_session_of_a_container_is_not_whoever_has_its_process_id_here(
    repo: Path, home: Path, programs: Path
) -> None:
    one = add_worktree(repo, "one")
    with running(repo.parent, "cat") as pid:
        publish(home, pid, one)
        assert there(repo) == {}
    sdk = programs / "node_modules/@anthropic-ai/claude-agent-sdk/cli.py"
    sdk.parent.mkdir(parents=True)
    sdk.write_text(WAIT)
    with running(repo.parent, sys.executable, sdk) as pid:
        publish(home, pid, one)
        assert there(repo) == {"one": ["Claude Code"]}


def test_a_lock_that_names_a_running_agent_is_its_word(repo: Path, programs: Path) -> None:
    one, two = add_worktree(repo, "one"), add_worktree(repo, "two")
    with running(repo.parent, programs / "claude") as pid:
        git(repo, "worktree", "lock", "--reason", f"claude agent agent-1 (pid {pid} start 1)", one)
        git(repo, "worktree", "lock", "--reason", f"ours (pid {os.getpid()})", two)  # which is no agent
        assert there(repo) == {"one": ["Claude Code"]}
    assert there(repo) == {}


def test_the_word_of_a_hook_comes_before_where_a_process_stands(repo: Path, programs: Path) -> None:
    """A client's process often stays where it was started."""
    one, two = add_worktree(repo, "one"), add_worktree(repo, "two")
    common = str(repo / ".git")
    with running(one, sys.executable, programs / "gemini"):
        speak(common, Agent("Gemini CLI", "S", "", str(two), time.time()), ())
        assert there(repo) == {"two": ["Gemini CLI"]}
        speak(common, Agent("Gemini CLI", "S", "", str(two), time.time(), time.time()), ())
        assert there(repo) == {"two": ["Gemini CLI*"]}
        with running(one, sys.executable, programs / "gemini"):
            assert there(repo) == {"one": ["Gemini CLI"], "two": ["Gemini CLI*"]}
