"""Following, dropping, closing, roots that come and go, and what idling costs."""

import os
import shutil
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from sidecar.watch.batching import HELD
from sidecar.watch.events import Batch, WorktreeTarget
from sidecar.watch.open import open_watcher
from tests.harness import add_worktree, git, write
from tests.watch.conftest import Open
from tests.watch.support import DEADLINE, Heard, Watching, eventually, git_target, paths, plain, tells, worktree

BACKENDS = ["inotify", "watchfiles", "polling"]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write(tmp_path / "place", {"a.txt": "a\n", "d/b.txt": "b\n", "skip/x/y": ""})
    return tmp_path / "place"


def descriptors() -> set[tuple[str, str]]:
    found = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            found.add((name, os.readlink(f"/proc/self/fd/{name}")))
        except FileNotFoundError:
            continue
    return found


def test_following_the_same_again_changes_nothing(place: Path, watching: Watching) -> None:
    watching.follow(plain(place))
    before = watching.watcher.report()
    since = len(watching.heard.batches)
    for _ in range(3):
        watching.watcher.follow([plain(place)])
    watching.after(lambda: (place / "d/b.txt").write_text("1\n"), "d/b.txt")
    assert watching.watcher.report() == before
    if before.backend != "polling":  # which looks again at files as young as these
        assert not [batch for batch in watching.heard.batches[since:] if batch.rescan]


def test_no_watch_is_spent_on_ignored_directories(place: Path, watch: Open) -> None:
    watching = watch(backend="inotify")
    watching.follow(plain(place, "skip"))
    assert watching.watcher.report().watches == 2
    watching.follow(plain(place, "skip"), plain(place / "skip"))
    assert watching.watcher.report().watches == 4


def test_what_is_dropped_is_not_told_and_holds_no_watch(place: Path, tmp_path: Path, watching: Watching) -> None:
    write(tmp_path / "other", {"o/p.txt": "o\n"})
    watching.follow(plain(place), plain(tmp_path / "other"))
    watching.watcher.follow([plain(tmp_path / "other")])
    batches = watching.after(
        lambda: ((place / "a.txt").write_text("1\n"), (tmp_path / "other/o/p.txt").write_text("1\n")), "o/p.txt"
    )
    assert not {key for batch in batches for key in [*batch.files, *batch.rescan]} & {str(place)}
    if watching.watcher.report().backend == "inotify":
        eventually(lambda: watching.watcher.report().watches == 2)
    watching.watcher.follow([])
    eventually(lambda: watching.watcher.report().watches == 0 and not watching.watcher.report().polled)


def test_a_target_that_comes_later_is_rescanned_and_watched(place: Path, tmp_path: Path, watching: Watching) -> None:
    write(tmp_path / "later", {"l.txt": "l\n"})
    watching.follow(plain(place))
    since = len(watching.heard.batches)
    watching.watcher.follow([plain(place), plain(tmp_path / "later")])
    batches = watching.heard.until(lambda told: any(batch.rescan for batch in told), since)
    assert {key for batch in batches for key in batch.rescan} == {str(tmp_path / "later")}
    watching.after(lambda: (tmp_path / "later/l.txt").write_text("1\n"), "l.txt", key=str(tmp_path / "later"))
    watching.after(lambda: (place / "a.txt").write_text("1\n"), "a.txt", key=str(place))


def test_targets_that_come_while_others_change(place: Path, tmp_path: Path, watching: Watching) -> None:
    followed = [plain(place)]
    watching.follow(*followed)
    for number in range(15):
        (tmp_path / f"more{number}").mkdir()
        followed.append(plain(tmp_path / f"more{number}"))
        since = len(watching.heard.batches)
        (place / "a.txt").write_text(f"{number}\n")
        watching.follow(*followed)
        watching.heard.until(lambda told: tells(told, "a.txt", key=str(place)), since)


def test_git_is_not_asked_twice_about_what_it_ignores(place: Path, watch: Open) -> None:
    def ignored(directories: Sequence[str]) -> frozenset[str]:
        asked.extend(directories)
        return frozenset(directories) & {"skip", "out"}

    asked: list[str] = []
    watching = watch(backend="inotify")
    watching.follow(WorktreeTarget("it", place, ignored, frozenset()))
    for number in range(5):
        write(place, {"out/x": ""})
        watching.after((place / f"{number}").touch, f"{number}")
        shutil.rmtree(place / "out")
    assert sorted(asked) == ["d", "out", "skip"]


def test_nested_directories_that_come_and_go(place: Path, watch: Open) -> None:
    git(place, "init", "--quiet")
    watching = watch(backend="inotify")
    watching.follow(worktree(place, nested=frozenset({"skip"})))
    assert watching.watcher.report().watches == 2
    watching.watcher.follow([worktree(place, nested=frozenset({"d"}))])
    eventually(lambda: watching.watcher.report().watches == 3)
    batches = watching.after(lambda: write(place, {"d/b.txt": "1\n", "skip/x/y": "1\n"}), "skip/x/y")
    assert "d/b.txt" not in paths(batches)


def test_a_rewalk_asks_anew_what_is_ignored(place: Path, watch: Open) -> None:
    git(place, "init", "--quiet")
    watching = watch(backend="inotify")
    watching.follow(worktree(place))
    assert watching.watcher.report().watches == 4
    write(place, {".gitignore": "skip/\n"})
    since = len(watching.heard.batches)
    watching.watcher.rewalk(str(place))
    watching.heard.until(lambda told: any(batch.rescan for batch in told), since)
    eventually(lambda: watching.watcher.report().watches == 2)
    write(place, {".gitignore": "d/\n"})
    since = len(watching.heard.batches)
    watching.watcher.rewalk(str(place))
    watching.heard.until(lambda told: any(batch.rescan for batch in told), since)
    watching.after(lambda: (place / "skip/x/y").write_text("1\n"), "skip/x/y")


@pytest.mark.parametrize("backend", BACKENDS)
def test_closing_leaves_no_thread_and_no_descriptor(place: Path, backend: str) -> None:
    open_watcher(Heard(), backend=backend).close()  # libraries keep what they opened when they were loaded
    threads, before = threading.active_count(), descriptors()
    for _ in range(3):
        watching = Watching(open_watcher(heard := Heard(), backend=backend), heard)
        watching.follow(plain(place))
        assert threading.active_count() > threads
        watching.watcher.close()
        watching.watcher.close()
        watching.watcher.follow([plain(place)])
        watching.watcher.rewalk(str(place))
        assert watching.watcher.report().watches == 0
    assert threading.active_count() == threads
    eventually(lambda: descriptors() == before)  # the library behind watchfiles gives them back on its own thread


@pytest.mark.parametrize("backend", BACKENDS)
def test_closing_from_within_a_batch(place: Path, backend: str) -> None:
    def close(_batch: Batch) -> None:
        watcher.close()
        closed.set()

    closed = threading.Event()
    before = set(threading.enumerate())
    watcher = open_watcher(close, backend=backend)
    watcher.follow([plain(place)])
    assert closed.wait(DEADLINE)
    eventually(lambda: set(threading.enumerate()) <= before)


def test_a_listener_that_fails_is_heard_again(place: Path, watch: Open, caplog: pytest.LogCaptureFixture) -> None:
    watching = watch(backend="inotify")
    watching.follow(plain(place))
    real = watching.heard.until
    failed = threading.Event()

    def fail(_batch: Batch) -> None:
        failed.set()
        raise ValueError("not today")

    other = open_watcher(fail, backend="inotify")
    other.follow([plain(place)])
    assert failed.wait(DEADLINE)
    failed.clear()
    (place / "a.txt").write_text("1\n")
    assert failed.wait(DEADLINE)
    other.close()
    assert "not today" in caplog.text
    assert real(lambda batches: bool(batches))


def test_a_root_that_is_not_there_yet(tmp_path: Path, watching: Watching) -> None:
    watching.follow(plain(tmp_path / "soon"), git_target(tmp_path / "soon/.git"))
    since = len(watching.heard.batches)
    write(tmp_path / "soon", {"a.txt": "a\n"})
    watching.heard.until(lambda told: any(str(tmp_path / "soon") in batch.rescan for batch in told), since)
    watching.after(lambda: (tmp_path / "soon/a.txt").write_text("1\n"), "a.txt")
    since = len(watching.heard.batches)
    git(tmp_path / "soon", "init", "--quiet")
    watching.heard.until(lambda told: any(batch.git for batch in told), since)


def test_a_root_that_is_not_there_is_told_once(place: Path, watch: Open) -> None:
    watching = watch(backend="inotify", poll_every=0.001)
    watching.follow(plain(place.with_name("nowhere")))
    clock = watch(backend="polling")
    clock.follow(plain(place))
    for number in range(10):
        clock.after((place / f"{number}").touch, f"{number}")
    assert len(watching.heard.batches) == 1


def test_a_root_that_is_removed_and_comes_back(place: Path, watching: Watching) -> None:
    watching.follow(plain(place))
    for number in range(3):
        since = len(watching.heard.batches)
        shutil.rmtree(place)
        watching.heard.until(lambda told: any(str(place) in batch.rescan for batch in told), since)
        since = len(watching.heard.batches)
        write(place, {"new/file.txt": "1\n"})
        watching.heard.until(lambda told: any(str(place) in batch.rescan for batch in told), since)
        watching.after(partial((place / "new/file.txt").write_text, f"then {number}\n"), "new/file.txt")


def test_a_root_that_is_renamed_away_and_replaced(place: Path, watching: Watching) -> None:
    watching.follow(plain(place))
    since = len(watching.heard.batches)
    place.rename(place.with_name("away"))
    watching.heard.until(lambda told: any(str(place) in batch.rescan for batch in told), since)
    since = len(watching.heard.batches)
    write(place, {"n.txt": "n\n"})
    watching.heard.until(lambda told: any(str(place) in batch.rescan for batch in told), since)
    watching.after(lambda: (place / "n.txt").write_text("m\n"), "n.txt")


def test_a_root_whose_parent_was_exchanged_is_noticed_when_it_is_followed_again(tmp_path: Path, watch: Open) -> None:
    place = tmp_path / "parent/place"
    write(place, {"a.txt": "a\n"})
    watching = watch(backend="inotify")
    watching.follow(plain(place))
    place.parent.rename(tmp_path / "away")  # of which a watch on the root itself hears nothing
    write(place, {"b.txt": "b\n"})
    since = len(watching.heard.batches)
    watching.watcher.follow([plain(place)])
    watching.heard.until(lambda told: any(str(place) in batch.rescan for batch in told), since)
    watching.after(lambda: (place / "b.txt").write_text("1\n"), "b.txt")


def test_a_worktree_removed_while_somebody_stands_in_it(repo: Path, watching: Watching) -> None:
    linked = add_worktree(repo, "linked")
    watching.follow(worktree(linked))
    since = len(watching.heard.batches)
    standing = os.open(linked, os.O_RDONLY)
    try:
        git(repo, "worktree", "remove", linked)
        watching.heard.until(lambda told: any(str(linked) in batch.rescan for batch in told), since)
        since = len(watching.heard.batches)
        git(repo, "worktree", "add", "--quiet", linked, "linked")
        watching.heard.until(lambda told: any(str(linked) in batch.rescan for batch in told), since)
    finally:
        os.close(standing)
    watching.after(lambda: (linked / "README.md").write_text("1\n"), "README.md")


def test_a_root_that_cannot_be_asked_about_is_a_problem_and_the_others_go_on(place: Path, watch: Open) -> None:
    def fail(_directories: object) -> frozenset[str]:
        if broken.is_set():
            raise RuntimeError("git is not there")
        return frozenset()

    broken = threading.Event()
    broken.set()
    watching = watch(backend="inotify")
    bad = plain(place / "skip")
    bad = type(bad)(bad.key, bad.path, fail, frozenset())
    watching.follow(plain(place), bad)
    eventually(lambda: "git is not there" in watching.watcher.report().problems.get(bad.key, ""))
    watching.after(lambda: (place / "a.txt").write_text("1\n"), "a.txt", key=str(place))
    broken.clear()
    eventually(lambda: not watching.watcher.report().problems)
    watching.after(lambda: (place / "skip/x/y").write_text("1\n"), "x/y", key=bad.key)


def test_commits_and_files_of_one_worktree_come_together(repo: Path, watch: Open) -> None:
    watching = watch(backend="inotify", quiet=1.0, longest=HELD)  # git may take so long on a busy machine
    watching.follow(worktree(repo), git_target(repo / ".git"))
    since = len(watching.heard.batches)
    write(repo, {"new.txt": "n\n"})
    git(repo, "commit", "--quiet", "--allow-empty", "--message=Empty")
    batches = watching.heard.until(lambda told: any(batch.git for batch in told), since)
    assert any(batch.git and "new.txt" in batch.files.get(str(repo), ()) for batch in batches)


def test_idling_costs_nothing(place: Path, watch: Open) -> None:
    def wakings() -> int:
        """How often the watcher's thread has gone to sleep; it can't do anything in between without this moving."""
        lines = Path(f"/proc/self/task/{thread}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))

    watching = watch(backend="inotify", poll_every=0.01, retry_every=0.01)
    watching.follow(plain(place, "skip"))
    thread = next(t.native_id for t in threading.enumerate() if t.name == "sidecar-watch")
    clock = watch(backend="polling")  # the interval is as long as its sweeps take
    write(place, {"skip/clock": ""})
    clock.follow(plain(place / "skip"))
    watching.after((place / "a.txt").touch, "a.txt")
    clock.after((place / "skip/clock").touch, "clock")

    def is_asleep() -> bool:
        before = wakings()
        for _ in range(20):
            clock.after((place / "skip/clock").touch, "clock")
        return wakings() == before

    eventually(is_asleep)  # not at once: it may still be on its way to sleep
