"""Who is in a worktree, asked of real processes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from sidecar.system.processes import memory_of, processes_inside
from tests.git.leaving import eventually
from tests.harness import add_worktree, commit

WAIT = "import sys; sys.stdin.read()"


@contextmanager
def process_in(folder: Path) -> Iterator[int]:
    """A process that stands in the folder until the block ends."""
    with subprocess.Popen([sys.executable, "-c", WAIT], cwd=folder, stdin=subprocess.PIPE) as process:
        yield process.pid


def pids(folders: list[Path]) -> list[list[int]]:
    found = processes_inside(map(str, folders))
    return [[process.pid for process in found[str(folder)]] for folder in folders]


def test_a_process_is_in_the_folder_it_stands_in_and_in_no_other(tmp_path: Path) -> None:
    here, below, other = tmp_path / "here", tmp_path / "here" / "deep" / "er", tmp_path / "here-too"
    below.mkdir(parents=True)
    other.mkdir()
    with process_in(here) as first, process_in(below) as second:
        assert pids([here, other]) == [sorted([first, second]), []]
    assert pids([here, other]) == [[], []]


def test_it_has_the_name_that_the_system_gives_it(tmp_path: Path) -> None:
    with process_in(tmp_path) as pid:
        (found,) = processes_inside([str(tmp_path)])[str(tmp_path)]
        assert found.pid == pid
        assert found.name.startswith("python")


def test_in_nested_folders_it_is_in_the_innermost(tmp_path: Path) -> None:
    inner = tmp_path / ".claude" / "worktrees" / "one"
    (inner / "src").mkdir(parents=True)
    with process_in(inner / "src") as deep, process_in(tmp_path) as shallow:
        assert pids([tmp_path, inner]) == [[shallow], [deep]]


def test_a_folder_reached_by_a_link_is_the_folder(tmp_path: Path) -> None:
    folder, link = tmp_path / "folder", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)
    with process_in(link) as pid:
        assert pids([folder]) == [[pid]]
        assert pids([link]) == [[pid]]


def test_this_process_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert os.getpid() not in pids([tmp_path])[0]


def test_folders_that_are_not_there_and_the_root_are_fine(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")
    assert processes_inside([gone]) == {gone: ()}
    assert processes_inside([]) == {}
    assert set(processes_inside(["/"])) == {"/"}


@pytest.mark.skipif(sys.platform != "linux", reason="proc(5)")
def test_a_process_whose_directory_was_deleted_is_not_in_the_one_made_at_its_path(tmp_path: Path) -> None:
    place = tmp_path / "worktree"
    place.mkdir()
    with process_in(place) as old:
        place.rmdir()
        place.mkdir()
        with process_in(place) as new:
            assert pids([place]) == [[new]]
            assert old != new


EDITOR = """
import os, pty, subprocess, sys
waits = [sys.executable, "-c", "input()"]
shell = subprocess.Popen(["/bin/sh", "-c", "read line"], stdin=subprocess.PIPE)
helper = subprocess.Popen(waits, stdin=subprocess.PIPE, start_new_session=True)
program, ours = pty.fork()
if not program:
    os.execv(waits[0], waits)
print(shell.pid, helper.pid, program, flush=True)
sys.stdin.read()
shell.kill(), helper.kill(), os.kill(program, 9)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
def test_what_an_editor_has_there_for_itself_is_told_from_what_works_by_itself(tmp_path: Path) -> None:
    psutil.Process().terminal()  # from now on psutil knows no terminal that is opened
    folder, place = tmp_path / "worktree", tmp_path / "code-server"
    folder.mkdir()
    place.mkdir()
    (place / "entry").write_text(EDITOR)
    how = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "start_new_session": True}
    with subprocess.Popen([sys.executable, place / "entry"], cwd=folder, **how) as editor:  # type: ignore[call-overload]
        shell, helper, program = map(int, editor.stdout.readline().split())
        found = {one.pid: one for one in processes_inside([str(folder)])[str(folder)]}
        editor.stdin.close()
    assert (found[shell].editor, found[shell].kind) == ("VS Code", "terminal")
    assert (found[helper].editor, found[helper].kind) == ("VS Code", "helper")
    assert (found[program].editor, found[program].kind) == ("", "")


def test_the_sidecar_itself_does_not_count_and_a_shell_that_asks_is_known(repo: Path) -> None:
    house = Path(__file__).resolve().parents[2]
    env = {**os.environ, "PYTHONPATH": str(house)}
    watching = [sys.executable, "-m", "sidecar", "serve"]
    with subprocess.Popen(watching, cwd=repo, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        with process_in(repo) as other:
            assert pids([repo]) == [[other]]
        server.kill()
    ask = "from sidecar.system.processes import processes_inside as p; import sys; print(p([sys.argv[1]])[sys.argv[1]])"
    line = f'"{sys.executable}" -c "{ask}" "{repo}"; :'
    said = subprocess.run(["/bin/sh", "-c", line], cwd=repo, env=env, capture_output=True, text=True, check=True).stdout
    assert "kind='caller'" in said or "kind='terminal'" in said  # where an editor's terminal runs the tests


def test_a_git_that_another_sidecar_has_for_itself_does_not_count(repo: Path) -> None:
    commit(add_worktree(repo, "mine"), {"a.txt": "one\n"})
    watching = [sys.executable, "-m", "sidecar", "watch", "--json"]
    with subprocess.Popen(watching, cwd=repo, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as watch:

        def keeps_states() -> bool:
            with suppress(psutil.Error):  # a git has ended meanwhile
                return any("update-ref" in child.cmdline() for child in psutil.Process(watch.pid).children())
            return False

        try:
            eventually(keeps_states)
            assert pids([repo]) == [[]]
        finally:
            watch.terminate()


def test_memory_is_told_while_what_a_process_has_started_ends() -> None:
    with subprocess.Popen(["sh", "-c", "while :; do true | true | true | true; done"]) as shell:
        try:
            assert all(memory_of(shell.pid) for _ in range(300))
        finally:
            shell.kill()
    assert memory_of(shell.pid) is None
