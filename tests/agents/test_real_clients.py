"""Real clients, offline: the installed hook is called, and what it says reaches the next request to the model."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.agent_clients import place
from tests.agents.clients import CLIENTS, Client, Ended, install, run_client
from tests.agents.scripted_model import Json, Model, serving
from tests.harness import add_worktree, commit, write

TOOLS = ["worktrees", "overlaps", "check", "plan", "open", "merge", "release", "restore"]
ROOT = Path(__file__).parent.parent.parent
ABOUT_THE_EDIT = "about the files of this edit"
OLD = "#!/bin/sh\ncat >/dev/null\necho 'sidecar: No such command hook.' >&2\nexit 2\n"
HANGING = "#!/bin/sh\nexec sleep 600\n"
RUBBISH = '#!/bin/sh\ncat >/dev/null\nprintf \'{"hookSpecificOutput": [3, {"decision": rubbish\'\nexit 3\n'


@pytest.fixture(params=list(CLIENTS))
def client(request: pytest.FixtureRequest) -> Client:
    """Each client; skipped by name where it is not installed."""
    found = CLIENTS[request.param]
    if not place(found.name).exists():
        pytest.skip(f"{found.name} is not installed: npm run test:agents {found.name}")
    return found


@pytest.fixture
def model() -> Iterator[Model]:
    with serving(Model()) as one:
        yield one


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder for PATH with the command `sidecar`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    _program(folder / "sidecar", f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m sidecar "$@"\n')
    return folder


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def here(repo: Path) -> Path:
    """A worktree `one` of three files; worktree `two` has changed the middle line of `a.txt`."""
    commit(repo, {"a.txt": "one\ntwo\nthree\n", "b.txt": "one\ntwo\nthree\n"})
    one, two = add_worktree(repo, "one"), add_worktree(repo, "two")
    write(two, {"a.txt": "one\nTHEIRS\nthree\n"})
    return one


def _run(client: Client, model: Model, folder: Path, programs: Path, home: Path, *steps: Json) -> Ended:
    model.steps = [*steps, {"text": "done"}]
    install(client.name, home, programs)
    return run_client(client, model, folder, programs, home)


def test_an_edit_that_now_conflicts(client: Client, model: Model, here: Path, programs: Path, home: Path) -> None:
    ended = _run(client, model, here, programs, home, *client.edit(here / "a.txt", "two", "OURS"))
    assert (here / "a.txt").read_text() == "one\nOURS\nthree\n", ended
    heard = model.heard()
    assert "Conflicts with two, which changed line 2" in heard[-1], (ended.out, heard[-1][-3000:])
    assert ABOUT_THE_EDIT not in heard[0]


def test_an_edit_of_a_file_that_nobody_else_has_changed(
    client: Client, model: Model, here: Path, programs: Path, home: Path
) -> None:
    ended = _run(client, model, here, programs, home, *client.edit(here / "b.txt", "two", "OURS"))
    assert (here / "b.txt").read_text() == "one\nOURS\nthree\n", ended
    assert ABOUT_THE_EDIT not in model.heard()[-1]


def test_a_read(client: Client, model: Model, here: Path, programs: Path, home: Path) -> None:
    ended = _run(client, model, here, programs, home, client.read(here / "a.txt"))
    heard = model.heard()
    assert len(heard) > 1, ended
    assert ABOUT_THE_EDIT not in heard[-1]


def test_a_session_that_starts_beside_another_agent(
    client: Client, model: Model, here: Path, programs: Path, home: Path
) -> None:
    other: Json = {"session_id": "other", "transcript_path": "t", "cwd": str(here), "hook_event_name": "PostToolUse"}
    other |= {"tool_name": "Write", "tool_input": {"file_path": str(here / "b.txt"), "content": "new\n"}}
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "sidecar", "hook", "--client", "claude"]
    subprocess.run(command, input=json.dumps(other).encode(), env=environment, check=True, capture_output=True)
    ended = _run(client, model, here, programs, home)
    assert "Claude Code is at work in this directory" in model.heard()[0], ended


def test_the_tools_are_listed_and_called_over_mcp(
    client: Client, model: Model, here: Path, programs: Path, home: Path
) -> None:
    write(here, {"a.txt": "one\nOURS\nthree\n"})
    searched = [{"tool": "ToolSearch", "input": {"query": "sidecar", "max_results": 20}}] * (client.name == "claude")
    model.steps = [client.call("check", paths=["a.txt"], folder=str(here)), *searched, {"text": "done"}]
    ended = run_client(client, model, here, programs, home, mcp=True)
    heard = "\n".join(model.heard())
    if client.name != "codex":  # which searches where its model is not asked
        listed = [tool for tool in TOOLS if re.search(rf"\bsidecar[-_]+{tool}\b|_sidecar_+{tool}\b", heard)]
        assert listed == TOOLS, (ended, heard[:3000])
    assert re.search(r"verdict\W+conflict", heard), (ended, heard[-3000:])


@pytest.mark.parametrize("what", ["missing", "old", "hanging", "rubbish"])
def test_a_broken_sidecar_never_stops_an_edit(
    what: str, client: Client, model: Model, here: Path, programs: Path, home: Path
) -> None:
    model.steps = [*client.edit(here / "a.txt", "two", "OURS"), {"text": "done"}]
    install(client.name, home, programs)
    program = programs / "sidecar"
    if what == "missing":
        program.unlink()
    else:
        _program(program, {"old": OLD, "hanging": HANGING, "rubbish": RUBBISH}[what])
    ended = run_client(client, model, here, programs, home)
    assert (here / "a.txt").read_text() == "one\nOURS\nthree\n", ended.out
    assert ended.status == 0, ended.out
