"""`sidecar watch`: on a terminal, in a pipe, and how it ends."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Sidecar, own_environment
from tests.cli.terminal import DEADLINE, plain, terminal
from tests.harness import add_worktree, commit, git, write
from tests.watch.support import eventually


@pytest.fixture
def shop(repo: Path) -> Path:
    for name in ("mine", "theirs"):
        commit(add_worktree(repo, name), {f"{name}.txt": "1\n"})
    return repo


@contextmanager
def watching(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "sidecar", "watch", *options],
        cwd=folder,
        env=own_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=DEADLINE)


def next_picture(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    picture: dict[str, Any] = json.loads(process.stdout.readline())
    return picture


def test_a_pipe_gets_an_object_a_line_for_every_picture(shop: Path) -> None:
    with watching(shop, "--json") as process:
        first = next_picture(process)
        assert {worktree["name"] for worktree in first["worktrees"]} >= {"repo"}
        write(shop.parent / "mine", {"README.md": "mine\n"})
        write(shop.parent / "theirs", {"README.md": "theirs\n"})
        while not (picture := next_picture(process))["overlaps"]:
            pass
        assert [overlap["verdict"] for overlap in picture["overlaps"]] == ["conflict"]
        assert list(picture) == list(first)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=DEADLINE)
        assert (process.returncode, err) == (0, "")
        assert all(json.loads(line)["schema"] == 1 for line in out.splitlines())


def test_a_pipe_gets_whole_tables(shop: Path) -> None:
    with watching(shop) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"Trunk is main ({git(shop, 'rev-parse', 'main')[:10]}).\n"
        tip = commit(shop, {"README.md": "later\n"})
        while process.stdout.readline() != f"Trunk is main ({tip[:10]}).\n":
            pass
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 0


def test_it_ends_when_nobody_reads_any_more(shop: Path) -> None:
    with watching(shop, "--json") as process:
        next_picture(process)
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        commit(shop, {"README.md": "later\n"})
        assert process.wait(DEADLINE) == 141


def test_on_a_terminal_it_is_one_screen_until_q(shop: Path) -> None:
    with terminal(shop, "watch") as shown:
        assert "mine" in shown.read_until("q ends")
        write(shop.parent / "mine", {"README.md": "mine\n"})
        write(shop.parent / "theirs", {"README.md": "theirs\n"})
        shown.read_until("1 conflict.")
        shown.press("q")
        assert shown.wait() == 0
        left_behind = plain(shown.shown.rpartition("\x1b[?1049l")[2])
        assert "1 conflict. See sidecar overlaps." in left_behind
        assert "q ends" not in left_behind


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_terminal_back(shop: Path, number: int) -> None:
    with terminal(shop, "watch") as shown:
        shown.read_until("q ends")
        shown.interrupt(number)
        assert shown.wait() == 0
        assert "\x1b[?1049l" in shown.shown


def test_what_vanishes_can_be_brought_back(shop: Path, sidecar: Sidecar) -> None:
    mine = shop.parent / "mine"
    write(mine, {"new.txt": "not committed\n"})
    with watching(shop, "--json") as process:
        eventually(lambda: "new.txt" in git(shop, "log", "--name-only", "-m", "--glob=refs/sidecar/guard"))
        shutil.rmtree(mine)
        git(shop, "worktree", "prune")
        assert process.stderr is not None
        said = process.stderr.readline()
    assert said.startswith("sidecar: mine is gone, and was not released. Bring it back, as of ")
    receipt = said.rstrip("\n").rpartition("sidecar restore ")[2]
    ended = sidecar(shop, "restore", receipt)
    assert (ended.status, ended.out.splitlines()[-1]) == (0, f"Restored in {mine}.")
    assert (mine / "new.txt").read_text() == "not committed\n"


def test_outside_of_a_repository(tmp_path: Path, sidecar: Sidecar) -> None:
    ended = sidecar(tmp_path, "watch", "--json")
    assert (ended.status, ended.out) == (1, "")
    assert "is not in a git repository" in ended.err
