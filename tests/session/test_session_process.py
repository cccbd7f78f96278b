"""One session process for every door of a repository: it is shared, replaced when it is killed, and leaves nothing."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from sidecar.git.quarantine import quarantine_directories
from sidecar.model.picture import Picture, WorktreeState
from sidecar.model.settings import Options
from sidecar.session import address, starting
from sidecar.session import attached as attached_session
from sidecar.session.address import LOCAL, directory, notes
from sidecar.session.asking import ask_picture, ask_report
from sidecar.session.attached import Hears
from sidecar.session.doors import find_session
from sidecar.session.live import Session
from sidecar.session.once import look
from sidecar.session.shared import shared as shared_of
from sidecar.session.watch_notes import NAME
from sidecar.session.wire import MOST_BEFORE_PROOF, Connection
from sidecar.system.place import find_place
from tests.git.leaving import eventually
from tests.harness import add_worktree, commit, git, write
from tests.session.attaching import attached, is_nothing_left, session_processes

TEXT = "".join(f"line {number}\n" for number in range(20))


@pytest.fixture
def shared(repo: Path) -> Path:
    """A repository in which two worktrees changed the same line."""
    commit(repo, {"a.txt": TEXT})
    for name in ("one", "two"):
        worktree = add_worktree(repo, name)
        write(worktree, {"a.txt": TEXT.replace("line 3\n", f"{name}\n")})
    return repo


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    eventually(is_nothing_left)


def typed(worktree: Path, picture: Picture) -> list[str]:
    """The paths that a worktree has changed in an editor only."""
    state = next(one for one in picture.worktrees if one.worktree.key == str(worktree))
    return [change.path for change in state.changes or () if "unsaved" in change.sources]


def changed(state: WorktreeState) -> set[str]:
    """The paths that a worktree has changed."""
    return set(state.changes.changes) if state.changes is not None else set()


def test_doors_that_start_at_the_same_moment_have_one_session(shared: Path) -> None:
    folders = [shared, shared.parent / "one", shared.parent / "two"]
    with ExitStack() as doors, ThreadPoolExecutor(3) as pool:
        held = list(pool.map(lambda folder: doors.enter_context(attached(folder)), folders))
        fresh = look(shared, Options())
        assert isinstance(fresh, Picture)
        for door in held:
            door.until(lambda picture: picture.overlaps == fresh.overlaps and picture.worktrees == fresh.worktrees)
        assert len(session_processes()) == 1
        (name,) = (name for name, _ in notes())
        eventually(lambda: len((ask_report(name) or {"doors": ()})["doors"]) == 3)


def test_what_is_typed_at_one_door_shows_at_all_and_goes_with_it(shared: Path) -> None:
    one, two = shared.parent / "one", shared.parent / "two"
    with attached(one) as mine:
        with attached(two) as other:
            other.session.set_unsaved(f"{two}/b.txt", "typed\n", 7)
            mine.until(lambda picture: typed(two, picture) == ["b.txt"] and not picture.documents)
            other.until(lambda picture: picture.documents == {f"{two}/b.txt": 7})
        mine.until(lambda picture: not typed(two, picture))


def test_of_two_doors_texts_the_one_typed_last_counts_also_for_the_next_session(shared: Path) -> None:
    path = f"{shared.parent / 'one'}/b.txt"
    with attached(shared) as first, attached(shared) as last:
        first.session.set_unsaved(path, "opened\n", 1)
        first.session.set_unsaved(path, "typed first\n", 2)
        first.until(lambda picture: picture.documents == {path: 2})
        last.session.set_unsaved(path, "opened\n", 1)
        last.session.set_unsaved(path, "typed last\n", 2)  # so soon that only this one may be told
        last.until(lambda picture: picture.documents == {path: 2})
        for _ in range(2):
            (killed,) = session_processes()
            number = last.pictures[-1].number
            os.kill(killed, signal.SIGKILL)
            last.until(lambda picture, number=number: picture.number > number and picture.documents == {path: 2})  # type: ignore[misc]
            first.until(lambda picture: not picture.documents)


def test_files_and_hunks_are_asked_for(shared: Path) -> None:
    with attached(shared) as door:
        (overlap,) = door.until(lambda picture: len(picture.overlaps) == 1).overlaps
        before, after = overlap.sides[0].before, overlap.sides[0].after
        assert before is not None and after is not None
        assert door.session.content(before) == TEXT.encode()
        assert [(hunk.base, hunk.count) for hunk in door.session.hunks(before, after)] == [(3, 1)]


def test_what_a_saved_file_has_become_comes_with_the_picture_to_every_door(shared: Path) -> None:
    one, saved = shared.parent / "one", TEXT.replace("line 3\n", "saved\n")
    with attached(one) as mine, attached(shared.parent / "two") as other:
        for door in (mine, other):
            door.until(lambda picture: len(picture.overlaps) == 1)
        write(one, {"a.txt": saved})
        oid = git(shared, "hash-object", str(one / "a.txt"))
        for door in (mine, other):
            (overlap,) = door.until(
                lambda picture: any(side.after and side.after.oid == oid for side in picture.overlaps[0].sides)
            ).overlaps
            (running,) = session_processes()
            os.kill(running, signal.SIGSTOP)  # so that nobody answers
            try:
                after = next(side.after for side in overlap.sides if side.name == "one")
                assert after is not None
                assert door.session.content(after) == saved.encode()
            finally:
                os.kill(running, signal.SIGCONT)


def test_one_that_is_killed_is_replaced_and_told_every_text_again(shared: Path) -> None:
    one, two = shared.parent / "one", shared.parent / "two"
    with attached(one) as mine, attached(two) as other:
        mine.session.set_unsaved(f"{one}/mine.txt", "typed\n", 1)
        other.session.set_unsaved(f"{two}/other.txt", "typed\n", 1)
        for turn in range(3):
            (killed,) = session_processes()
            last = mine.until(lambda picture: typed(one, picture) and typed(two, picture))
            os.kill(killed, signal.SIGKILL)
            write(two, {"a.txt": TEXT.replace("line 3\n", f"turn {turn}\n")})
            eventually(lambda gone=killed: session_processes() not in ([], [gone]))  # type: ignore[misc]
            fresh = look(shared, Options())
            assert isinstance(fresh, Picture)
            for door in (mine, other):
                door.until(
                    lambda picture, fresh=fresh: (  # type: ignore[misc]
                        picture.overlaps == fresh.overlaps and typed(one, picture) and typed(two, picture)
                    )
                )
            assert mine.pictures[-1].number > last.number
            (overlap,) = mine.pictures[-1].overlaps
            assert overlap.sides[1].after is not None
            assert mine.session.content(overlap.sides[1].after) == (two / "a.txt").read_bytes()
        assert len(session_processes()) == 1


def test_doors_that_would_see_otherwise_have_their_own(shared: Path) -> None:
    large = Options(editor={"maxFileSize": 1})
    with attached(shared), attached(shared, Options(trusted=True)), attached(shared, large):
        assert len(session_processes()) == 3
    with (
        attached(shared),
        attached(shared, Options(editor={"show": "everything", "trunk": "", "verify": "true"})) as two,
    ):
        eventually(lambda: len(session_processes()) == 1)  # those from before had no door
        two.until(lambda picture: two.session.settings["show"] == "everything")


def test_a_main_worktree_whose_git_directory_is_elsewhere_is_seen_by_who_is_in_it(shared: Path) -> None:
    elsewhere = shared.parent / "elsewhere"
    git(shared, "init", "--quiet", f"--separate-git-dir={elsewhere}")
    git(shared, "worktree", "repair", str(shared.parent / "one"), str(shared.parent / "two"))
    write(shared, {"a.txt": TEXT.replace("line 3\n", "main\n")})
    with attached(shared.parent / "one") as before, attached(shared) as door:
        fresh = look(shared, Options())
        assert isinstance(fresh, Picture)
        assert len(fresh.overlaps) == 3 and all(one.worktree.problem is None for one in fresh.worktrees)
        door.until(lambda picture: picture.worktrees == fresh.worktrees and picture.overlaps == fresh.overlaps)
        before.until(lambda picture: picture.worktrees)
        told = ask_picture(shared, Options(), prove=False)
        assert told is None or told.worktrees == fresh.worktrees


def test_another_version_has_its_own(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with attached(shared):
        monkeypatch.setattr(address, "__version__", "0.0.1")
        with attached(shared):
            assert sorted(note.version for _, note in notes()) == ["0.0.1", "0.1.0"]


def test_a_door_that_dies_without_a_word_leaves_no_text(shared: Path) -> None:
    one = shared.parent / "one"
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom sidecar.model.settings import Options\n"
        "from sidecar.session.attached import Hears\nfrom sidecar.session.doors import find_session\n"
        "session, _ = find_session(Path(sys.argv[1]), Options(), Hears())\n"
        "session.set_unsaved(sys.argv[1] + '/b.txt', 'typed', 1)\ntime.sleep(600)"
    )
    with attached(shared) as door, subprocess.Popen([sys.executable, "-c", script, str(one)]) as other:
        door.until(lambda picture: typed(one, picture))
        other.kill()
        door.until(lambda picture: not typed(one, picture))


def test_what_a_killed_one_left_is_taken_away_by_the_next_one(shared: Path) -> None:
    with attached(shared, Options(trusted=True)) as door:
        door.until(lambda picture: True)
        (killed,) = session_processes()
        door.session.close()
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: not session_processes())
    assert list(directory().glob("*.json")), "the kill left what it is about"
    with attached(shared) as door:
        door.until(lambda picture: len(picture.overlaps) == 1)
        assert len(list(directory().glob("*.lock"))) == 2  # its own, and the one that all share


def test_a_repository_that_is_deleted_ends_its_session(shared: Path) -> None:
    with attached(shared) as door:
        door.until(lambda picture: len(picture.overlaps) == 1)
        shutil.rmtree(shared.parent / "one")
        shutil.rmtree(shared)
        door.until(lambda picture: picture.problem is not None)


def test_a_log_is_left_where_there_was_something_to_say(shared: Path) -> None:
    with attached(shared) as door:
        door.until(lambda picture: True)
        ((_, note),) = notes()
        assert f"is the session of {shared}/.git" in Path(note.log).read_text()
    eventually(lambda: not session_processes() and not Path(note.log).exists())
    with attached(shared) as door:
        door.until(lambda picture: True)
        shutil.rmtree(shared)
        door.until(lambda picture: picture.problem is not None)
    eventually(is_nothing_left)
    assert "looking again at everything" in Path(note.log).read_text()


def test_a_worktree_that_is_removed_takes_no_session_with_it(shared: Path) -> None:
    one = shared.parent / "one"
    with attached(one) as door:
        door.until(lambda picture: len(picture.worktrees) == 3)
        shutil.rmtree(one)
        door.until(lambda picture: picture.problem is None and not picture.overlaps)
        commit(shared, {"b.txt": "more\n"})
        head = (shared / ".git/refs/heads/main").read_text().strip()
        door.until(lambda picture: picture.trunk is not None and picture.trunk.commit == head)


def test_without_a_place_to_listen_each_window_has_its_own_and_says_so(shared: Path, home: Path) -> None:
    (home / ".cache").write_text("no directory")
    found = find_session(shared, Options(), Hears())
    assert isinstance(found, tuple)
    session, why = found
    assert isinstance(session, Session)
    session.close()
    assert why is not None
    assert why.startswith("No session can listen in ")
    assert why.endswith("This window keeps a session of its own.")
    (home / ".cache").unlink()


def test_off_keeps_it_in_this_process(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIDECAR_SESSION", "off")
    found = find_session(shared, Options(), Hears())
    assert isinstance(found, tuple)
    session, why = found
    assert isinstance(session, Session) and why is None
    session.close()
    assert session_processes() == []


def test_a_place_too_deep_for_a_socket_has_a_port_of_this_machine(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    with attached(shared) as door:
        door.until(lambda picture: len(picture.overlaps) == 1)
        assert [type(note.address) for _, note in notes()] == [int]


@pytest.mark.skipif(sys.platform != "linux", reason="systemd makes these directories")
def test_who_was_started_with_few_variables_finds_the_session_in_the_usual_place(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = tmp_path / "run" / str(os.getuid())
    monkeypatch.setattr(address, "RUNTIME_DIRECTORIES", str(usual.parent))
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert not directory().is_relative_to(usual.parent)
    usual.mkdir(parents=True)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(usual))
    with attached(shared) as door:
        door.until(lambda picture: len(picture.overlaps) == 1)
        monkeypatch.delenv("XDG_RUNTIME_DIR")
        assert ask_picture(shared, Options(), prove=False) is not None
        assert [note.pid for _, note in notes()] == session_processes()


def test_one_that_lives_and_does_nothing_is_parted_from_and_had_again_when_it_goes_on(
    shared: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(attached_session, "PATIENCE", 0.5)
    one = shared.parent / "one"
    with attached(shared) as door:
        door.until(lambda picture: len(picture.overlaps) == 1)
        (stopped,) = session_processes()
        os.kill(stopped, signal.SIGSTOP)
        try:
            door.session.set_unsaved(f"{one}/b.txt", "typed\n", 1)
            eventually(lambda: "the session does not answer" in caplog.messages)
        finally:
            os.kill(stopped, signal.SIGCONT)
        door.until(lambda picture: typed(one, picture))


def test_who_only_looks_notices_one_that_does_nothing(
    shared: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(attached_session, "SILENT", 0.0)
    with attached(shared) as door:
        door.until(lambda picture: len(picture.overlaps) == 1)
        (stopped,) = session_processes()
        os.kill(stopped, signal.SIGSTOP)
        try:
            door.session.make_sure()
            eventually(lambda: "the session does not answer" in caplog.messages)
        finally:
            os.kill(stopped, signal.SIGCONT)
        write(shared.parent / "one", {"c.txt": "after it went on\n"})
        door.until(lambda picture: "c.txt" in {name for one in picture.worktrees for name in changed(one)})


def test_a_door_that_was_killed_while_it_started_one_keeps_nobody_waiting(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "STARTING", 3600.0)
    place = find_place(str(shared))
    assert place is not None
    killed = subprocess.Popen([sys.executable, "-c", "pass"])
    killed.wait()
    directory().mkdir(mode=0o700, parents=True, exist_ok=True)
    mark = directory() / f"{shared_of(place, False, {}).name}.starting"
    mark.write_text(str(killed.pid))
    with attached(shared) as door:
        door.until(lambda picture: len(picture.overlaps) == 1)
        assert not mark.exists()


def test_one_whose_directory_is_taken_away_closes_everything_at_its_end(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "run"
    place.mkdir()
    with monkeypatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(place))
        with attached(shared) as door:
            door.until(lambda picture: len(picture.overlaps) == 1)
            (session,) = session_processes()
            ((_, note),) = notes()
            ours = [found for found in quarantine_directories() if (found / NAME).exists()]
            assert ours
            shutil.rmtree(place)
            place.write_text("no directory")
    eventually(lambda: not psutil.pid_exists(session))
    assert [found for found in ours if found.exists()] == []
    assert not Path(note.log).exists() or "Traceback" not in Path(note.log).read_text()


def test_nobody_is_let_in_without_the_key(shared: Path) -> None:
    with attached(shared) as door:
        door.until(lambda picture: True)
        ((_, note),) = notes()
        is_path = isinstance(note.address, str)
        with socket.socket(socket.AF_UNIX if is_path else socket.AF_INET) as stranger:
            stranger.connect(str(note.address) if is_path else (LOCAL, note.address))
            connection = Connection(stranger)
            assert "nonce" in (connection.receive(MOST_BEFORE_PROOF) or {})
            connection.send({"proof": "0" * 64, "nonce": "1"})
            assert connection.receive() is None
        assert not is_path or Path(str(note.address)).stat().st_mode & 0o077 == 0
        assert directory().stat().st_mode & 0o077 == 0
        assert (directory() / "key").stat().st_mode & 0o077 == 0
