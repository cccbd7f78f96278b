"""Too many events, too few watches: nothing is missed, it is said, and watching comes back."""

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from sidecar.system.mounts import Mount, is_remote, read_mounts
from sidecar.watch.poll import RACY_NS, look
from sidecar.watch.tree import Tree
from sidecar.watch.watchfiles_backend import FLOOD
from tests.harness import init, write
from tests.watch.conftest import Open
from tests.watch.support import DEADLINE, eventually, git_target, plain, tells

LIMIT = "fs.inotify.max_user_watches"


def tree(path: Path, directories: int) -> Path:
    """A directory with so many directories in it, a file in each."""
    write(path, {f"d{number}/f.txt": "f\n" for number in range(directories)})
    return path


def flood(place: Path) -> None:
    """More events than the kernel queues, none of which it can merge with the one before."""
    events = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    for number in range(events + 10):
        os.utime(place / f"d{number % 2}/f.txt")


def test_an_overflow_is_answered_with_a_rescan_and_new_watches(tmp_path: Path, watch: Open) -> None:
    one, two = tree(tmp_path / "one", 5), tree(tmp_path / "two", 3)
    watching = watch(backend="inotify")
    watching.follow(plain(one), plain(two))
    heard = watching.heard
    since = len(heard.batches)
    heard.gate.clear()
    heard.waiting.clear()
    (one / "first").touch()
    assert heard.waiting.wait(DEADLINE)
    flood(one)
    (one / "d3").rename(one / "unseen")
    write(one, {"fresh/g.txt": "g\n"})
    heard.gate.set()
    heard.until(lambda told: {str(one), str(two)} <= {key for batch in told for key in batch.rescan}, since)
    for path in (one / "unseen/f.txt", one / "fresh/g.txt", two / "d2/f.txt"):
        root = one if path.is_relative_to(one) else two
        watching.after(partial(path.write_text, "1\n"), str(path.relative_to(root)), key=str(root))
    assert watching.watcher.report().watches == 1 + 6 + 1 + 3
    assert not watching.watcher.report().polled


def test_a_worktree_beyond_the_limit_is_polled_and_says_so(tmp_path: Path, watch: Open) -> None:
    small, large = tree(tmp_path / "small", 3), tree(tmp_path / "large", 30)
    watching = watch(backend="inotify", max_watches=20)
    watching.follow(plain(small), plain(large))
    eventually(lambda: watching.watcher.report().watches == 4)
    report = watching.watcher.report()
    assert report.polled == {str(large)}
    assert LIMIT in report.problems[str(large)]
    assert report.problems.keys() == {str(large)}
    watching.after(lambda: (large / "d7/f.txt").write_text("1\n"), "d7/f.txt", key=str(large))
    watching.after(lambda: (large / "d9/f.txt").unlink(), "d9/f.txt", key=str(large))
    watching.after(lambda: (small / "d1/f.txt").write_text("1\n"), "d1/f.txt", key=str(small))
    assert watching.watcher.report().polled == {str(large)}


def test_a_worktree_that_grows_beyond_the_limit_is_polled(tmp_path: Path, watch: Open) -> None:
    place = tree(tmp_path / "place", 3)
    watching = watch(backend="inotify", max_watches=10)
    watching.follow(plain(place))
    assert not watching.watcher.report().polled
    watching.after(lambda: tree(place / "more", 20), *(f"more/d{number}/f.txt" for number in range(20)))
    eventually(lambda: watching.watcher.report().polled == {str(place)})
    watching.after(lambda: (place / "more/d7/f.txt").write_text("1\n"), "more/d7/f.txt")


def test_watching_comes_back_when_there_is_room(tmp_path: Path, watch: Open) -> None:
    one, two = tree(tmp_path / "one", 10), tree(tmp_path / "two", 10)
    watching = watch(backend="inotify", max_watches=15, retry_every=0.1)
    watching.follow(plain(one), plain(two))
    assert watching.watcher.report().polled == {str(two)}
    watching.watcher.follow([plain(two)])
    eventually(lambda: watching.watcher.report().watches == 11 and not watching.watcher.report().polled)
    assert not watching.watcher.report().problems
    watching.after(lambda: (two / "d7/f.txt").write_text("1\n"), "d7/f.txt", key=str(two))


def test_watches_go_to_the_worktree_that_changes(tmp_path: Path, watch: Open) -> None:
    one, two = tree(tmp_path / "one", 10), tree(tmp_path / "two", 10)
    watching = watch(backend="inotify", max_watches=15, retry_every=0.1)
    watching.follow(plain(one), plain(two))
    for active, quiet in ((two, one), (one, two), (two, one)):

        def is_watched(active: Path = active) -> bool:
            (active / "d7/f.txt").touch()
            return str(active) not in watching.watcher.report().polled

        eventually(is_watched)
        polled = {str(quiet)}
        eventually(partial(lambda wanted: watching.watcher.report().polled == wanted, polled))
        assert watching.watcher.report().watches <= 15
        watching.after(partial((active / "d3/f.txt").write_text, "1\n"), "d3/f.txt", key=str(active))
        watching.after(partial((quiet / "d3/f.txt").write_text, "1\n"), "d3/f.txt", key=str(quiet))


def test_watches_are_not_taken_from_a_worktree_that_has_just_changed(tmp_path: Path, watch: Open) -> None:
    one, two = tree(tmp_path / "one", 10), tree(tmp_path / "two", 10)
    watching = watch(backend="inotify", max_watches=15)
    watching.follow(plain(one), plain(two))
    for number in range(5):
        watching.after(partial((two / f"d{number}/f.txt").write_text, "1\n"), f"d{number}/f.txt", key=str(two))
    assert watching.watcher.report().polled == {str(two)}


def test_git_directories_come_first(tmp_path: Path, watch: Open) -> None:
    repo = init(tree(tmp_path / "repo", 30))
    watching = watch(backend="inotify", max_watches=35)
    watching.follow(plain(repo, ".git"), git_target(repo / ".git"))
    assert watching.watcher.report().polled == {str(repo)}


def test_a_flood_is_a_rescan_where_losses_are_not_told(tmp_path: Path, watch: Open) -> None:
    place = tree(tmp_path / "place", 2)
    kept_waiting, other = watch(backend="watchfiles"), watch(backend="watchfiles")
    kept_waiting.follow(plain(place))
    other.follow(plain(place))
    heard = kept_waiting.heard
    since = len(heard.batches)
    heard.gate.clear()
    heard.waiting.clear()
    (place / "first").touch()
    assert heard.waiting.wait(DEADLINE)
    names = [f"d{number % 2}/{number}" for number in range(2 * FLOOD)]
    subprocess.run(["touch", *names], cwd=place, check=True)
    other.after((place / "end").touch, "end")
    heard.gate.set()
    heard.until(lambda told: any(batch.rescan for batch in told), since)


_IN_A_USER_NAMESPACE = ["unshare", "--user", "--map-root-user"]


@pytest.fixture
def limited() -> None:
    """A user namespace has inotify limits of its own, so the real ones can be reached without harm to anybody."""
    try:
        subprocess.run([*_IN_A_USER_NAMESPACE, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("unshare --user (util-linux) does not work here")


def run_limited(limit: str, script: str, *arguments: Path) -> None:
    """Run a Python script where /proc/sys/user/<limit> is set: "max_inotify_watches=20"."""
    name, value = limit.split("=")
    shell = f'echo {value} > /proc/sys/user/{name} && exec "$@"'
    done = subprocess.run(
        [*_IN_A_USER_NAMESPACE, "sh", "-c", shell, "sh", sys.executable, "-c", script, *map(str, arguments)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_kernels_own_limit_of_watches(tmp_path: Path, limited: None) -> None:
    tree(tmp_path / "small", 3)
    tree(tmp_path / "large", 30)
    run_limited("max_inotify_watches=20", _WATCHES, tmp_path)


_WATCHES = """
import shutil, sys
from pathlib import Path
from sidecar.watch.open import open_watcher
from tests.watch.support import Heard, Watching, eventually, plain

top = Path(sys.argv[1])
watcher = open_watcher(heard := Heard(), backend="inotify", poll_every=0.05, retry_every=0.1, max_watches=9999)
watching = Watching(watcher, heard)
watching.follow(plain(top / "small"), plain(top / "large"))
report = watching.watcher.report()
assert report.backend == "inotify" and report.polled == {str(top / "large")}, report
assert "fs.inotify.max_user_watches" in report.problems[str(top / "large")], report
watching.after(lambda: (top / "large/d7/f.txt").write_text("1"), "d7/f.txt", key=str(top / "large"))
watching.after(lambda: (top / "small/d1/f.txt").write_text("1"), "d1/f.txt", key=str(top / "small"))
Path("/proc/sys/user/max_inotify_watches").write_text("100")
eventually(lambda: not watching.watcher.report().polled)
watching.after(lambda: (top / "large/d7/f.txt").write_text("2"), "d7/f.txt", key=str(top / "large"))
assert watching.watcher.report().watches == 35, watching.watcher.report()
watching.watcher.close()
"""


def test_the_kernels_own_limit_of_instances(tmp_path: Path, limited: None) -> None:
    tree(tmp_path / "place", 3)
    run_limited("max_inotify_instances=0", _INSTANCES, tmp_path)


_INSTANCES = """
import sys
import time
from pathlib import Path
from sidecar.watch.open import open_watcher
from tests.watch.support import Heard, Watching, eventually, plain

place = Path(sys.argv[1]) / "place"
watching = Watching(open_watcher(heard := Heard(), poll_every=0.05, retry_every=0.1), heard)
watching.follow(plain(place))
report = watching.watcher.report()
assert report.backend == "polling" and report.polled == {str(place)}, report
assert "fs.inotify.max_user_instances" in report.problems[str(place)], report
watching.after(lambda: (place / "d1/f.txt").write_text("1"), "d1/f.txt")
Path("/proc/sys/user/max_inotify_instances").write_text("1")
eventually(lambda: watching.watcher.report().backend == "inotify" and watching.watcher.report().watches == 4)
assert not watching.watcher.report().problems and not watching.watcher.report().polled
watching.after(lambda: (place / "d1/f.txt").write_text("2"), "d1/f.txt")
watching.watcher.close()
"""


def test_polling_tells_the_directory_and_not_the_whole_worktree(tmp_path: Path, watch: Open) -> None:
    place = tree(tmp_path / "place", 300)
    watching = watch(backend="polling")
    watching.follow(plain(place))

    def tells_only_the_directory() -> bool:  # not at first: files that are so young are looked at twice
        batches = watching.after(lambda: (place / "d7/f.txt").write_text("1\n"), "d7/f.txt")
        return not tells(batches, "d8/f.txt")

    eventually(tells_only_the_directory)

    def write_all() -> None:
        for number in range(300):
            (place / f"d{number}/f.txt").write_text("2\n")

    watching.after(write_all, *(f"d{number}/f.txt" for number in range(300)))


def test_a_file_that_is_younger_than_its_time_stamps_can_tell_is_told_twice(tmp_path: Path) -> None:
    place = Tree(plain(tmp_path), str(tmp_path))

    def is_looked_at_twice() -> bool:
        begin = time.time_ns()
        (tmp_path / "f").write_text("f\n")
        first = look(place, "")
        if time.time_ns() - begin > RACY_NS:
            return False  # this machine was too busy to see it young
        eventually(lambda: look(place, "") != first)
        return True

    eventually(is_looked_at_twice)


@pytest.mark.parametrize(
    ("path", "remote"),
    [
        ("/home/me/work", False),
        ("/mnt/share", True),
        ("/mnt/share/x/y", True),
        ("/mnt/share/local/z", False),
        ("/mnt/shared", False),
        ("/mnt/with space/x", True),
    ],
)
def test_file_systems_that_other_machines_write_to(path: str, remote: bool) -> None:
    mounts = (
        Mount("/", "ext4"),
        Mount("/mnt/share", "nfs4"),
        Mount("/mnt/share/local", "xfs"),
        Mount("/mnt/with space", "fuse.sshfs"),
    )
    assert is_remote(path, mounts) is remote


def test_this_machines_own_mounts_are_understood(tmp_path: Path) -> None:
    assert "/" in {mount.point for mount in read_mounts()}
    assert not is_remote(str(tmp_path), read_mounts())
