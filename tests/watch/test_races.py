"""What could fall between a directory's appearance and its watch, and between two batches."""

import shutil
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from sidecar.watch.batching import PAUSE
from tests.harness import add_worktree, commit, git, init, write
from tests.watch.conftest import Open
from tests.watch.support import Watching, eventually, git_target, paths, plain, tells, worktree


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write(tmp_path / "place", {"a.txt": "a\n"})
    return tmp_path / "place"


@pytest.fixture
def watching(watch: Open, place: Path) -> Watching:
    opened = watch(backend="inotify")
    opened.follow(plain(place))
    return opened


def test_deep_directories_made_and_written_at_once(place: Path, watching: Watching) -> None:
    for number in range(200):
        deep = f"n{number}/a/b/c/d"
        watching.after(partial(write, place, {f"{deep}/f.txt": "f\n"}), f"{deep}/f.txt")


def test_many_directories_made_and_written_by_several_writers(place: Path, watching: Watching) -> None:
    def make(writer: int) -> None:
        for number in range(150):
            write(place, {f"w{writer}/{number % 7}/{number}/x/f.txt": "f\n"})

    def make_all() -> None:
        writers = [threading.Thread(target=make, args=(writer,)) for writer in range(4)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()

    wanted = [f"w{writer}/{number % 7}/{number}/x/f.txt" for writer in range(4) for number in range(150)]
    watching.after(make_all, *wanted)
    directories = 1 + sum(1 for path in place.rglob("*") if path.is_dir())
    eventually(lambda: watching.watcher.report().watches == directories)


def test_a_directory_renamed_over_and_over(place: Path, watching: Watching) -> None:
    write(place, {"d0/s/f.txt": "f\n"})
    for number in range(200):
        (place / f"d{number}").rename(place / f"d{number + 1}")
    watching.after(lambda: (place / "d200/s/f.txt").write_text("g\n"), "d200/s/f.txt")
    eventually(lambda: watching.watcher.report().watches == 3)


def test_directories_that_change_places(place: Path, watching: Watching) -> None:
    watching.after(lambda: write(place, {"x/s/f.txt": "x\n", "y/s/f.txt": "y\n"}), "x/s/f.txt", "y/s/f.txt")
    for _ in range(50):
        (place / "x").rename(place / "z")
        (place / "y").rename(place / "x")
        (place / "z").rename(place / "y")
    watching.after(lambda: (place / "x/s/f.txt").write_text("1\n"), "x/s/f.txt")
    watching.after(lambda: (place / "y/s/f.txt").write_text("2\n"), "y/s/f.txt")


def test_a_directory_moved_into_a_new_one(place: Path, watching: Watching) -> None:
    for number in range(50):
        watching.after(partial(write, place, {f"m{number}/s/f.txt": "m\n"}), f"m{number}/s/f.txt")
        (place / f"new{number}").mkdir()
        (place / f"m{number}").rename(place / f"new{number}/m")
        watching.after(
            partial((place / f"new{number}/m/s/g.txt").write_text, "g\n"),
            f"new{number}/m/s/g.txt",
            f"m{number}/s/f.txt",
        )


def test_a_directory_removed_and_made_again(place: Path, watching: Watching) -> None:
    for number in range(100):
        watching.after(partial(write, place, {"again/s/f.txt": f"{number}\n"}), "again/s/f.txt")
        watching.after(lambda: shutil.rmtree(place / "again"), "again/s/f.txt")
    eventually(lambda: watching.watcher.report().watches == 1)


def test_a_branch_switch_of_thousands_of_files_is_one_batch_or_few(tmp_path: Path, watch: Open) -> None:
    repo = init(tmp_path / "repo")
    commit(repo, {f"d{number % 60}/f{number}.txt": "1\n" for number in range(3000)})
    git(repo, "branch", "one")
    commit(repo, {f"d{number % 60}/f{number}.txt": "2\n" for number in range(3000)})
    watching = watch(backend="inotify", longest=0.02)
    watching.follow(worktree(repo), git_target(repo / ".git"))
    everything = [f"d{number % 60}/f{number}.txt" for number in range(3000)]
    since, begin = len(watching.heard.batches), time.monotonic()
    watching.after(lambda: git(repo, "switch", "--quiet", "one"), *everything)
    batches = watching.heard.until(lambda told: any(batch.git for batch in told), since)
    seconds = time.monotonic() - begin
    assert len(batches) <= 3 + seconds / PAUSE  # git itself pauses on a busy machine


def test_a_lock_that_a_killed_git_left_behind_holds_nothing_for_long(tmp_path: Path, watch: Open) -> None:
    repo = init(tmp_path / "repo")
    watching = watch(backend="inotify")
    watching.follow(worktree(repo), git_target(repo / ".git"))
    (repo / ".git/index.lock").touch()
    watching.after(lambda: (repo / "a").write_text("1\n"), "a")
    for number in range(3):
        watching.after(partial((repo / f"b{number}").write_text, "1\n"), f"b{number}")


def test_a_worktree_added_inside_another_is_not_taken_for_its_files(tmp_path: Path, watch: Open) -> None:
    repo = init(tmp_path / "repo")
    commit(repo, {f"d/{number}/f.txt": "f\n" for number in range(40)})
    watching = watch(backend="inotify")
    watching.follow(worktree(repo), git_target(repo / ".git"))
    before = watching.watcher.report().watches
    inner = add_worktree(repo, ".claude/worktrees/w")
    administered = repo / ".git/worktrees/w"
    watching.follow(
        worktree(repo, nested=frozenset({".claude/worktrees/w"})),
        git_target(repo / ".git"),
        worktree(inner),
        git_target(administered),
    )
    batches = watching.after(lambda: (inner / "d/7/f.txt").write_text("inner\n"), "d/7/f.txt", key=str(inner))
    batches += watching.after(lambda: (repo / "d/7/f.txt").write_text("outer\n"), "d/7/f.txt", key=str(repo))
    outer = {path for batch in batches for path in batch.files.get(str(repo), ())}
    assert not {path for path in outer if path.startswith(".claude/worktrees/w/")}
    assert not tells([batch for batch in batches if str(inner) in batch.files], "d/7/f.txt", key="nobody")
    eventually(lambda: watching.watcher.report().watches > before + 40)
    watching.follow(worktree(repo, nested=frozenset({".claude/worktrees/w"}), key="other"), git_target(repo / ".git"))
    git(repo, "worktree", "remove", "--force", inner)
    batches = watching.after(lambda: (repo / "d/8/f.txt").write_text("outer\n"), "d/8/f.txt", key="other")
    assert not {path for path in paths(batches) if path.startswith(".claude/worktrees/w/")}
