"""With a session there, commands and hooks answer from it, as they would by themselves; in doubt they look."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sidecar.agents import pictures
from sidecar.cli import check, status
from sidecar.model.picture import Picture, WorktreeState
from sidecar.model.settings import Options
from sidecar.operations.picture_news import overlap_news
from sidecar.session import at_paths, once
from sidecar.session.address import notes
from sidecar.session.asking import SECONDS, ask_picture_at
from sidecar.system.place import find_place
from tests.cli.conftest import Sidecar, own_environment, spawn
from tests.cli.terminal import plain, terminal
from tests.git.leaving import eventually
from tests.harness import add_worktree, commit, git, init, write
from tests.session.attaching import DEADLINE, AtDoor, attached, is_nothing_left

TEXT = "".join(f"line {number}\n" for number in range(20))
COMMANDS = (["status", "--json"], ["overlaps", "--json"], ["check", ".", "--json"], ["overlaps", "one", "--json"])


@pytest.fixture
def door(repo: Path) -> Iterator[AtDoor]:
    """A window on a repository whose worktrees `one` and `two` meet, and whose worktree `landed` is in trunk."""
    commit(repo, {"a.txt": TEXT, "b.txt": TEXT})
    for name in ("one", "two"):
        write(add_worktree(repo, name), {"a.txt": TEXT.replace("line 3\n", f"{name}\n")})
    commit(add_worktree(repo, "landed"), {"c.txt": "landed\n"})
    git(repo, "merge", "--quiet", "--squash", "landed")
    commit(repo, message="Squash")
    with attached(repo) as found:
        found.until(lambda picture: any(state.integration.how for state in picture.worktrees))
        yield found
    eventually(is_nothing_left)


def answers(repo: Path, sidecar: Sidecar) -> list[tuple[int, Any, str]]:
    """What every command says, without sizes, which a session measures in its own time."""
    found = []
    for command in COMMANDS:
        ended = sidecar(repo, *command)
        said = json.loads(ended.out)
        for worktree in said.get("worktrees", ()):
            worktree["bytes"] = None
        found.append((ended.status, said, ended.err))
    return found


def refuse(*_: object, **__: object) -> None:
    raise AssertionError("it looked for itself")


def test_commands_say_the_same_from_a_session_and_by_themselves(
    repo: Path, door: AtDoor, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIDECAR_SESSION", "off")
    alone = answers(repo, sidecar)
    monkeypatch.setenv("SIDECAR_SESSION", "1")
    monkeypatch.setattr(once, "look", refuse)
    assert answers(repo, sidecar) == alone
    assert alone[1][0] == 2


@pytest.mark.parametrize("columns", ["70", "150"])
@pytest.mark.parametrize("paths", [["."], ["c.txt"], ["a.txt", "./nobody.txt"]])
def test_a_check_reads_the_same_from_a_session_and_by_itself(
    repo: Path, door: AtDoor, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch, paths: list[str], columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("SIDECAR_SESSION", "off")
    alone = sidecar(repo.parent, "-C", "one", "check", *paths)
    monkeypatch.setenv("SIDECAR_SESSION", "1")
    monkeypatch.setattr(check, "ask_picture", refuse)
    assert sidecar(repo.parent, "-C", "one", "check", *paths) == alone
    assert alone.out


def test_a_status_that_a_session_has_printed_reads_as_one_that_is_printed_here(
    repo: Path, door: AtDoor, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "150")
    door.until(lambda picture: all(state.bytes for state in picture.worktrees))
    with monkeypatch.context() as patch:
        patch.setattr(status, "ask_picture", refuse)
        printed = sidecar(repo, "status")
    monkeypatch.setattr(status, "ask_printed", lambda *_, **__: None)
    assert sidecar(repo, "status") == printed
    assert "SIZE" in printed.out


def test_a_session_prints_for_the_terminal_of_who_asks(repo: Path, door: AtDoor) -> None:
    """As wide as that is, in its colours or in none."""
    shown = []
    for columns, variables in ((60, {}), (60, {"NO_COLOR": "1"}), (160, {})):
        both = []
        for session in ("1", "off"):
            asked = {"SIDECAR_SESSION": session, **variables}
            with terminal(repo.parent / "one", "check", ".", columns=columns, **asked) as one:
                assert one.wait() == 2
                both.append(one.shown)
        assert both[0] == both[1]
        shown.append(both[0])
    narrow, plain_one, wide = shown
    assert plain(narrow) == plain(plain_one) != plain_one != narrow
    assert len(plain(wide).splitlines()) < len(plain(narrow).splitlines())


def test_a_session_prints_colours_into_a_pipe_for_who_asks_for_them(repo: Path, door: AtDoor) -> None:
    alone, asked = (spawn(repo, "check", ".", FORCE_COLOR="1", SIDECAR_SESSION=session) for session in ("off", "1"))
    assert alone == asked
    assert "\x1b[" in asked.out


def test_a_file_of_a_repository_inside_is_not_asked_of_the_session_around_it(
    repo: Path, door: AtDoor, sidecar: Sidecar
) -> None:
    inner = init(repo / "inner")
    commit(inner, {"a.txt": TEXT})
    other = add_worktree(inner, repo.parent / "inner-other", branch="other")
    write(other, {"a.txt": TEXT.replace("line 3\n", "inner\n")})
    write(inner, {"a.txt": TEXT.replace("line 3\n", "mine\n")})
    ended = sidecar(repo, "check", "b.txt", "inner/a.txt", "--json")
    found = {file["path"]: file["worktree"] for file in json.loads(ended.out)["files"]}
    assert (ended.status, found) == (2, {"b.txt": "repo", "a.txt": "inner"})


def test_what_was_written_the_moment_before_is_in_the_answer(
    repo: Path, door: AtDoor, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []

    def look(*given: Any, **more: Any) -> object:
        looked.append(given)
        return alone(*given, **more)

    alone = once.look
    monkeypatch.setattr(once, "look", look)
    for turn in range(10):
        write(repo.parent / "two", {"b.txt": TEXT.replace("line 5\n", f"turn {turn}\n"), f"{turn}/new.txt": "new\n"})
        write(repo.parent / "one", {"b.txt": TEXT.replace("line 5\n", "mine\n") if turn % 2 else TEXT})
        checked = json.loads(sidecar(repo.parent / "one", "check", "b.txt", "--json").out)
        assert len(checked["files"][0]["overlaps"]) == turn % 2
        said = sidecar(repo, "status", "--json")
        counts = {one["name"]: one["changes"]["untracked"] for one in json.loads(said.out)["worktrees"]}
        assert counts["two"] == turn + 1
    git(repo.parent / "one", "checkout", "--quiet", "--", ".")
    (overlap,) = json.loads(sidecar(repo, "overlaps", "--json").out)["overlaps"]
    assert overlap["path"] == "c.txt"
    assert len(looked) < 20, "not always is there a doubt, also on a busy machine"
    git(repo, "config", "sidecar.trunk", "one")
    assert json.loads(sidecar(repo, "status", "--json").out)["trunk"]["branch"] == "one"


def test_tables_say_the_same_from_a_session_and_by_themselves(
    repo: Path, door: AtDoor, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a worktree takes back of trunk, too, right after it did."""
    write(repo.parent / "landed", {"a.txt": TEXT.replace("line 9\n", "")})
    git(repo.parent / "landed", "rm", "--quiet", "c.txt")
    commands = (["check", "a.txt"], ["check", "."], ["check", ".", "--json"], ["overlaps"])
    monkeypatch.setenv("SIDECAR_SESSION", "off")
    alone = [sidecar(repo.parent / "landed", *command) for command in commands]
    monkeypatch.setenv("SIDECAR_SESSION", "1")
    for name in ("look", "taken_back"):
        monkeypatch.setattr(once, name, refuse)
    assert [sidecar(repo.parent / "landed", *command) for command in commands] == alone
    assert "a.txt" in alone[0].out


def test_a_session_answers_nobody_where_a_killed_operation_has_left_something(
    repo: Path, door: AtDoor, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command clears that up first."""
    write(repo.parent / "one", {"mine.txt": "only here\n"})
    door.until(lambda picture: "mine.txt" in {name for one in picture.worktrees for name in paths_of(one)})
    monkeypatch.setattr(once, "look", refuse)
    (repo / ".git/sidecar/journal").mkdir(parents=True)
    for command in (["status", "--json"], ["check", "mine.txt", "--json"]):
        with pytest.raises(AssertionError, match="it looked for itself"):
            sidecar(repo.parent / "one", *command)


def paths_of(state: WorktreeState) -> set[str]:
    """The paths that a worktree has changed."""
    return set(state.changes.changes) if state.changes is not None else set()


def test_who_asks_a_session_loads_nothing_that_reads_git(repo: Path, door: AtDoor) -> None:
    """Nor does a hook load what makes classes, which takes it as long as all that it does."""
    one = repo.parent / "one"
    payload: dict[str, object] = {"session_id": "THIS", "cwd": str(one), "hook_event_name": "PostToolUse"}
    payload |= {"tool_name": "Edit", "tool_input": {"file_path": str(one / "a.txt")}}
    unneeded = {"pygit2", "psutil", "rich", "sidecar.git.process", "sidecar.model.picture", "sidecar.session.once"}
    calls: dict[tuple[str, ...], set[str]] = {
        ("status", "--json"): set(),
        ("check", "a.txt", "--json"): set(),
        ("hook", "--client", "claude"): {"click", "dataclasses", "pathlib", "shutil", "subprocess"},
    }
    for arguments, more in calls.items():
        by_itself = {"sidecar.session.once", "sidecar.session.at_paths"}  # where there was a doubt
        loaded, end = by_itself, time.monotonic() + DEADLINE
        while loaded & by_itself and time.monotonic() < end:
            done = subprocess.run(
                [sys.executable, "-X", "importtime", "-m", "sidecar", *arguments],
                cwd=one,
                env=own_environment(),
                input=json.dumps(payload).replace("THIS", str(time.monotonic())).encode(),
                capture_output=True,
                check=False,
            )
            loaded = {line.rpartition("|")[2].strip() for line in done.stderr.decode().splitlines()}
            loaded |= set() if done.stdout else by_itself  # a hook says nothing where all takes too long
        assert b"two" in done.stdout, arguments
        assert not loaded & (unneeded | more), arguments


def test_text_that_is_not_saved_is_in_no_answer(repo: Path, door: AtDoor, sidecar: Sidecar) -> None:
    before = answers(repo, sidecar)
    door.session.set_unsaved(f"{repo}/b.txt", TEXT.replace("line 5\n", "typed\n"), 1)
    door.until(lambda picture: picture.documents)
    assert answers(repo, sidecar) == before


def test_a_session_that_trusts_answers_who_does_not_where_that_makes_no_difference(
    repo: Path, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(repo, {"a.txt": TEXT})
    for name in ("one", "two"):
        write(add_worktree(repo, name), {"a.txt": TEXT.replace("line 3\n", f"{name}\n")})
    with attached(repo, Options(trusted=True)) as door:
        door.until(lambda picture: len(picture.overlaps) == 1)
        with monkeypatch.context() as patch:
            patch.setattr(once, "look", refuse)
            assert sidecar(repo, "overlaps", "--json").status == 2
        write(repo, {".git/info/attributes": "*.txt merge=mine\n"})
        git(repo, "config", "merge.mine.driver", "true")
        door.until(lambda picture: picture.overlaps and picture.overlaps[0].verdict == "clean")
        assert sidecar(repo, "overlaps", "--json").status == 2
        assert sidecar(repo, "overlaps", "--json", "--trust").status == 0


def test_a_session_that_lives_and_does_nothing_keeps_nobody_waiting(repo: Path, door: AtDoor, sidecar: Sidecar) -> None:
    ((_, note),) = notes()
    place = find_place(str(repo.parent / "one"))
    assert place is not None
    os.kill(note.pid, signal.SIGSTOP)
    try:
        before = time.monotonic()
        assert ask_picture_at(place, Options(), ["a.txt"]) is None
        assert time.monotonic() - before < 2 * SECONDS
        with contextlib.suppress(BlockingIOError):  # so many have asked meanwhile that the next one would wait for ever
            while isinstance(note.address, str):
                with socket.socket(socket.AF_UNIX) as asker:
                    asker.setblocking(False)
                    asker.connect(note.address)
        assert sidecar(repo, "overlaps", "--json").status == 2
    finally:
        os.kill(note.pid, signal.SIGCONT)


def test_the_hook_tells_the_same_from_a_session(repo: Path, door: AtDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    one = repo.parent / "one"
    place = find_place(str(one))
    assert place is not None
    alone = at_paths.look_at_paths(str(one), ["a.txt"], Options())
    monkeypatch.setattr(at_paths, "look_at_paths", refuse)
    monkeypatch.setattr(once, "look", refuse)
    assert isinstance(alone, Picture)
    told = pictures.ask_meetings(place, [str(one / "a.txt")])()
    assert told == overlap_news(alone, str(one))
    assert len(told) == 1
    assert pictures.conflicts(place) == told
    assert pictures.ask_meetings(place, [str(one / "b.txt")])() == []


def test_the_doctor_names_sessions_their_doors_and_their_logs(repo: Path, door: AtDoor, sidecar: Sidecar) -> None:
    ((_, note),) = notes()
    checks = json.loads(sidecar(repo, "doctor", "--json").out)["checks"]
    (said,) = [one["said"] for one in checks if one["area"] == "sessions" and one["name"] == f"process {note.pid}"]
    for fact in (f"{repo}/.git", "version 0.1.0", "attached: editor", "directories (inotify)", "MB", note.log):
        assert fact in said
