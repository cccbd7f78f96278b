"""Somebody writes while a snapshot is taken, or the machine dies while it is restored."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.git.snapshot import store, write
from sidecar.git.snapshot.values import Snapshot, Watcher
from sidecar.git.snapshot.write import write_snapshot
from sidecar.model.findings import Failure
from tests.git.opening import opened, worktree_at
from tests.git.snapshot.portrait import administrative, destroy, hold, portrait, refused, restored, without
from tests.harness import add_worktree, commit, git, init
from tests.harness import write as put

Deed = Callable[[Path], object]


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    repo = init(tmp_path / "repo")
    commit(repo, {"a": "a\n", "d/b": "b\n", ".gitignore": "*.log\n"})
    worktree = add_worktree(repo, "feat")
    put(worktree, {"a": "edited\n", "new": "new\n"})
    put(worktree, {"big": b"x" * 3_000_000})
    return repo, worktree


def _to_link(worktree: Path) -> None:
    (worktree / "new").unlink()
    (worktree / "new").symlink_to("/etc/hostname")


def _to_fifo(worktree: Path) -> None:
    (worktree / "new").unlink()
    os.mkfifo(worktree / "new")


def _directory_to_link(worktree: Path) -> None:
    shutil.rmtree(worktree / "d")
    other = worktree.parent / "other"
    put(other, {"b": "not of the worktree\n"})
    (worktree / "d").symlink_to(other)


def _in_place(worktree: Path) -> None:
    with open(worktree / "a", "r+") as file:
        file.write("E")


DEEDS: dict[str, tuple[Deed, str]] = {
    "edited": (lambda w: put(w, {"a": "again\n"}), "a"),
    "edited in place": (_in_place, "a"),
    "grown": (lambda w: (w / "big").open("ab").write(b"y"), "big"),
    "shrunk": (lambda w: os.truncate(w / "big", 10), "big"),
    "deleted": (lambda w: (w / "new").unlink(), "new"),
    "created": (lambda w: put(w, {"fresh": "x"}), "fresh"),
    "created below": (lambda w: put(w, {"d/e/f": "x"}), "d/e/f"),
    "moved": (lambda w: os.rename(w / "new", w / "newer"), "newer"),
    "mode": (lambda w: (w / "a").chmod(0o755), "a"),
    "becomes a link": (_to_link, "new"),
    "becomes a FIFO": (_to_fifo, "new"),
    "its directory becomes a link": (_directory_to_link, "d"),
    "staged": (lambda w: git(w, "add", "a"), ".git/index"),
    "committed": (lambda w: git(w, "commit", "-qam", "x"), ".git/HEAD"),
    "switched": (lambda w: git(w, "checkout", "-qb", "other"), ".git/HEAD"),
    "a ref of its own": (lambda w: git(w, "update-ref", "refs/worktree/x", "HEAD"), ".git/refs/worktree/x"),
}


@pytest.mark.parametrize("moment", ["hash_files", "store_content", "make_items", "_grow"])
@pytest.mark.parametrize("name", DEEDS)
def test_a_change_meanwhile_is_noticed(
    name: str, moment: str, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deed is done right before one of the steps, once."""
    repo, worktree = pair
    deed, path = DEEDS[name]
    step = getattr(write, moment)
    done: list[object] = []

    def after_the_deed(*args: object, **named: object) -> object:
        if not done:
            done.append(deed(worktree))
        return step(*args, **named)

    monkeypatch.setattr(write, moment, after_the_deed)
    if name == "becomes a FIFO":  # git may open it, and is given up then
        monkeypatch.setattr(store, "PATIENCE", 5.0)
    repository = opened(repo)
    snapshot = write_snapshot(repository, worktree_at(repository, worktree))
    if isinstance(snapshot, Failure):
        assert snapshot.code in ("no-snapshot", "unreadable-worktree", "changing")
        return
    assert path in snapshot.changed
    git(repo, "update-ref", "refs/sidecar/test", snapshot.commit)
    held = git(repo, "ls-tree", "-r", "--name-only", f"{snapshot.commit}:files").splitlines()
    assert "not of the worktree" not in git(repo, "grep", "-a", "-h", "", snapshot.commit, check=False)
    assert set(held) <= {"a", "big", "d/b", ".gitignore", "new", "newer", "fresh", "d/e/f"}
    shutil.rmtree(worktree)
    git(repo, "worktree", "prune")
    restored(repository, snapshot.commit, worktree)


def test_what_does_not_matter_is_no_change(pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    repo, worktree = pair
    (worktree / "x.log").write_text("a line\n")
    step = write._grow

    def after_logging(*args: object, **named: object) -> object:
        with (worktree / "x.log").open("a") as file:
            file.write("another\n")
        return step(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(write, "_grow", after_logging)
    hold(repo, worktree)


def test_can_be_cancelled(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    repository = opened(repo)
    failure = write_snapshot(repository, worktree_at(repository, worktree), watcher=Watcher(cancelled=lambda: True))
    assert not isinstance(failure, Snapshot)
    assert failure.code == "cancelled"


def test_tells_how_far_it_is(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    told: list[tuple[int, int]] = []
    hold(repo, worktree, watcher=Watcher(lambda done, whole: told.append((done, whole))))
    assert told == sorted(told)
    assert len({whole for _, whole in told}) == 1
    assert told[-1][0] == told[-1][1]


KILLED = """
import os, signal, sys
from pathlib import Path
from sidecar.git.repository import open_repository
from sidecar.git.snapshot.restore import restore_snapshot

at, seen = sys.argv[4], 0

def count(event, args):
    global seen
    if event in ("open", "subprocess.Popen") or event.startswith("os."):
        seen += 1
        if at == str(seen) or event == "os.rename" and at.startswith("/") and args[1].endswith(at):
            os.kill(os.getpid(), signal.SIGKILL)

repository = open_repository(Path(sys.argv[1]))
import sidecar.git.snapshot.restore as restore
restore.os.path.getsize(sys.argv[1])
sys.addaudithook(count)
restore_snapshot(repository, sys.argv[2], sys.argv[3])
"""


def test_killed_anywhere_it_is_done_by_the_next_call(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    git(repo, "worktree", "lock", "--reason=mine", str(worktree))
    before = portrait(worktree, "feat")
    snapshot = hold(repo, worktree)
    destroy(repo, worktree, "feat")
    step, kills = 1, 0
    while True:
        done = subprocess.run([sys.executable, "-c", KILLED, str(repo), snapshot.commit, str(worktree), str(step)])
        if done.returncode != -signal.SIGKILL:
            assert done.returncode == 0
            break
        kills += 1
        step += 11
        restored(opened(repo), snapshot.commit, worktree)
        assert without(portrait(worktree, "feat"), snapshot.unheld) == without(before, snapshot.unheld)
        assert {path.name for path in worktree.parent.iterdir()} == {"repo", "feat"}
        assert {path.name for path in (repo / ".git/worktrees").iterdir()} == {"feat"}
        assert list((repo / ".git/sidecar").iterdir()) == []
        git(repo, "worktree", "remove", "--force", "--force", str(worktree))
        git(repo, "branch", "-D", "feat")
    assert kills > 10


def test_killed_with_a_name_claimed_the_next_call_gives_it_back(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    snapshot = hold(repo, worktree)
    destroy(repo, worktree, "feat")
    claimed = repo / ".git/worktrees/feat"
    subprocess.run([sys.executable, "-c", KILLED, str(repo), snapshot.commit, str(worktree), "/worktrees/feat"])
    assert list(claimed.iterdir()) == []
    restored(opened(repo), snapshot.commit, worktree)
    assert [path.name for path in claimed.parent.iterdir()] == ["feat"]
    assert list((repo / ".git/sidecar").iterdir()) == []


def test_an_empty_directory_of_somebody_else_stays(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    snapshot = hold(repo, worktree)
    destroy(repo, worktree, "feat")
    (repo / ".git/worktrees/feat").mkdir(parents=True)
    restored(opened(repo), snapshot.commit, worktree)
    assert sorted(path.name for path in (repo / ".git/worktrees").iterdir()) == ["feat", "feat1"]


def test_a_refused_disk_leaves_nothing(pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from sidecar.git.snapshot import restore

    repo, worktree = pair
    snapshot = hold(repo, worktree)
    destroy(repo, worktree, "feat")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for step in ("build", "check_built", "build_home", "_write_link"):
        with monkeypatch.context() as patch:
            patch.setattr(restore, step, refuse)
            assert "No space left" in refused(opened(repo), snapshot.commit, worktree).message
        assert {path.name for path in worktree.parent.iterdir()} == {"repo"}
        assert list((repo / ".git/worktrees").glob("*")) == []
    restored(opened(repo), snapshot.commit, worktree)
    assert administrative(worktree).name == "feat"
