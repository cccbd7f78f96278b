"""How the command behaves whatever it is asked: streams, exit statuses, errors, terminals, start-up."""

import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import time
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

import click
import pytest

from sidecar import __version__
from sidecar.cli import app
from tests.cli.conftest import Sidecar, own_environment, spawn
from tests.harness import add_worktree, commit, write
from tests.harness.sample import Sample, truth

READING = (["status"], ["overlaps"], ["check", "."])
DEADLINE = 60


def test_json_is_one_object_on_standard_output_and_nothing_else(sample: Sample) -> None:
    for command in READING:
        ended = spawn(sample.showcase, *command, "--json")
        assert ended.err == ""
        assert ended.out.endswith("}\n")
        assert json.loads(ended.out)["schema"] == 1
        assert ended.out.isascii()


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_errors_are_one_sentence_on_standard_error(command: list[str], tmp_path: Path, sidecar: Sidecar) -> None:
    for arguments in (command, [*command, "--json"]):
        ended = sidecar(tmp_path, *arguments)
        assert (ended.status, ended.out) == (1, "")
        assert ended.err.startswith("sidecar: ")
        assert "is not in a git repository" in ended.err
        assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["nonsense"],
        ["check"],
        ["overlaps", "a", "b", "c"],
        ["status", "x"],
        ["-C"],
        ["-C", "/nowhere", "status"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_an_error_and_not_a_conflict(arguments: list[str], repo: Path, sidecar: Sidecar) -> None:
    ended = sidecar(repo, *arguments)
    assert (ended.status, ended.out) == (1, "")
    assert re.fullmatch(r"sidecar: .*\. See sidecar( \w+)? --help\.\n", ended.err)


def test_help_and_version(repo: Path, sidecar: Sidecar) -> None:
    assert sidecar(repo, "--version").out == f"sidecar {__version__}\n"
    ended = sidecar(repo, "--help")
    assert ended.status == 0
    for command in ("serve", "status", "overlaps", "check"):
        assert command in ended.out
        assert sidecar(repo, command, "-h").status == 0
    ended = sidecar(repo)
    assert (ended.status, ended.out) == (1, "")
    assert "Usage: sidecar" in ended.err


def test_c_runs_in_another_directory(sample: Sample, tmp_path: Path, sidecar: Sidecar) -> None:
    ended = sidecar(tmp_path, "-C", sample.main, "overlaps", "../wish-lists", "discounts", "--json")
    assert {row["path"] for row in json.loads(ended.out)["overlaps"]} == {"shop/cart.py", "shop/validation.py"}


def test_without_git(repo: Path, tmp_path: Path) -> None:
    for command in READING:
        ended = spawn(repo, *command, "--json", PATH=str(tmp_path))
        assert (ended.status, ended.out) == (1, "")
        assert ended.err == "sidecar: git was not found. Install git 2.38 or newer and put it on PATH.\n"


def test_with_an_old_git(repo: Path, tmp_path: Path) -> None:
    old = tmp_path / "git"
    old.write_text("#!/bin/sh\necho git version 2.30.2\n")
    old.chmod(0o755)
    ended = spawn(repo, "status", PATH=str(tmp_path))
    assert (ended.status, ended.out) == (1, "")
    assert ended.err == "sidecar: git 2.30.2 is too old. Install git 2.38 or newer.\n"


def test_in_a_directory_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    shell = 'rmdir "$PWD" && exec "$0" -m sidecar status'
    done = subprocess.run(
        ["sh", "-c", shell, sys.executable],
        cwd=gone,
        env=own_environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "sidecar: The current directory is not there any more.\n"


def test_a_reader_that_went_away_is_no_trouble(sample: Sample) -> None:
    for command in (["status"], ["overlaps", "--json"], ["check", "new.py"]):
        with subprocess.Popen(
            [sys.executable, "-m", "sidecar", *command],
            cwd=sample.main,
            env=own_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait(DEADLINE) == 141


def test_ctrl_c_ends_quietly(repo: Path, tmp_path: Path) -> None:
    told = tmp_path / "told"
    os.mkfifo(told)
    never = tmp_path / "never"
    os.mkfifo(never)
    slow = tmp_path / "git"
    slow.write_text(f"#!/bin/sh\necho started > '{told}'\nread forever < '{never}'\n")
    slow.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-m", "sidecar", "status"],
        cwd=repo,
        env=own_environment(PATH=f"{tmp_path}:{os.environ['PATH']}"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert told.read_text() == "started\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, out, err.strip()) == (130, "", "")


def on_a_terminal(folder: Path, columns: int, *arguments: str, **variables: str) -> str:
    """What the command prints where standard output is a terminal of that width."""
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = own_environment(TERM="xterm-256color") | variables
    process = subprocess.Popen(
        [sys.executable, "-m", "sidecar", *arguments],
        cwd=folder,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said, deadline = b"", time.monotonic() + DEADLINE
    while select.select([ours], [], [], max(0.0, deadline - time.monotonic()))[0]:
        try:
            said += os.read(ours, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
    os.close(ours)
    process.wait(DEADLINE)
    return said.decode().replace("\r\n", "\n")


def test_a_terminal_gets_colour_and_lines_that_fit(sample: Sample) -> None:
    for command in ("overlaps", "status"):
        shown = on_a_terminal(sample.main, 80, command)
        assert "\x1b[" in shown
        plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
        assert max(map(len, plain.splitlines())) <= 80
        assert "5 conflicts, 5 clean, 1 identical." in plain


def test_no_color_is_honoured(sample: Sample) -> None:
    shown = on_a_terminal(sample.main, 80, "overlaps", NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", shown)
    assert "conflict" in shown


def test_a_pipe_gets_plain_lines_as_long_as_they_are(sample: Sample) -> None:
    for command in ("overlaps", "status"):
        ended = spawn(sample.main, command, TERM="xterm-256color")
        assert "\x1b" not in ended.out
        assert "│" not in ended.out
        assert max(map(len, ended.out.splitlines())) > 80


def test_names_outside_ascii_reach_a_stream_that_has_only_ascii(repo: Path) -> None:
    for name in ("mine", "theirs"):
        commit(add_worktree(repo, name), {"grüße.py": f"{name}\n"})
    ended = spawn(repo, "overlaps", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (ended.status, ended.err) == (2, "")
    assert ended.out.startswith("gr\\xfc\\xdfe.py\n")
    assert spawn(repo, "overlaps", PYTHONUTF8="1").out.startswith("grüße.py\n")


def test_an_agent_before_each_edit_waits_for_no_library_that_is_not_needed(sample: Sample) -> None:
    code = (
        "import sys; from sidecar.__main__ import main\n"
        "main(['check', 'nobody-has-it.py', '--json'])\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(loaded & {'pygls', 'lsprotocol', 'attrs', 'rich', 'psutil', 'watchfiles'}), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=sample.showcase,
        env=own_environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    assert json.loads(done.stdout)["files"][0]["path"] == "nobody-has-it.py"
    assert done.stderr == "[]\n"


def test_the_languages_door_is_opened_by_serve(repo: Path) -> None:
    body = json.dumps(
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {"processId": None, "rootUri": None, "capabilities": {}},
        }
    )
    with subprocess.Popen(
        [sys.executable, "-m", "sidecar", "serve", "--stdio"],
        cwd=repo,
        env=own_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
        process.stdin.flush()
        headers = iter(process.stdout.readline, b"\r\n")
        length = next(int(line.split(b":")[1]) for line in headers if line.lower().startswith(b"content-length"))
        while process.stdout.readline() != b"\r\n":
            pass
        answer = json.loads(process.stdout.read(length))
        process.kill()
    assert answer["id"] == 1
    assert "capabilities" in answer["result"]


def test_the_truth_of_the_sample_is_said_by_the_installed_command(sample: Sample) -> None:
    command = Path(sys.executable).parent / "sidecar"
    done = subprocess.run(
        [command, "overlaps", "--json"], cwd=sample.main, capture_output=True, timeout=DEADLINE, check=False
    )
    assert (done.returncode, json.loads(done.stdout)) == (2, truth())


def test_warnings_go_to_standard_error_and_leave_the_answer_alone(repo: Path, sidecar: Sidecar) -> None:
    broken = add_worktree(repo, "broken")
    (broken / ".git").write_text("gitdir: /nowhere\n")
    write(repo, {"README.md": "# Changed\n"})
    ended = sidecar(repo, "overlaps", "--json")
    assert json.loads(ended.out)["overlaps"] == []
    assert (ended.status, len(ended.err.splitlines())) == (1, 1)
    assert "broken" in ended.err


def test_the_page_in_the_documentation_knows_every_command_and_option() -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "cli.md").read_text(encoding="utf-8")
    commands = {name: command for name, command in app.sidecar.commands.items() if not command.hidden}
    told = [*app.sidecar.params, *(option for command in commands.values() for option in command.params)]
    options = {
        name for option in told if isinstance(option, click.Option) and not option.hidden for name in option.opts
    }
    assert [name for name in options if f"`{name}" not in page] == []
    assert [name for name in commands if f"sidecar {name}" not in page] == []


def test_every_command_is_found_by_its_own_name() -> None:
    commands = app.sidecar.commands
    assert {name: commands[name].name for name in commands} == {name: name for name in app.NAMES}
    assert "nonsense" not in commands
