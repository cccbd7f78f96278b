"""Where watches are short: what is hot is watched in every worktree, the rest is looked at when somebody is at work."""

import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from sidecar.watch import poll
from sidecar.watch.batching import Batcher
from sidecar.watch.events import COARSE, Moment, WorktreeTarget, now, stamp_of
from sidecar.watch.inotify_backend import InotifyBackend
from sidecar.watch.poll import Failed, Pace, Poller, Seen, look, sweep
from sidecar.watch.tree import Tree, identify
from tests.harness import write
from tests.watch.conftest import Open
from tests.watch.support import Watching, eventually, git_target, paths, plain, tells
from tests.watch.test_limits import tree

NEVER = 3600.0
TICK = 0.0001
HOT = ("", "d1", "d2")


def later(seconds: float = 100.0) -> Moment:
    """A moment after which nothing has happened yet."""
    return Moment(time.time() + seconds, time.monotonic() + seconds)


def known(path: Path, hot: Sequence[str] = HOT, since: Moment | None = None) -> WorktreeTarget:
    """A worktree that has been read already."""
    return replace(plain(path), since=since or later(), hot=hot)


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> Callable[[], float]:
    """The poller's clock: it goes on when it is looked at, so that paces come out alike however busy the machine is."""
    readings = count(1)

    def look_at_it() -> float:
        return next(readings) * TICK

    monkeypatch.setattr(poll, "time", SimpleNamespace(monotonic=look_at_it, time_ns=time.time_ns))
    monkeypatch.setattr(poll, "now", lambda: Moment(time.time(), look_at_it()))
    return look_at_it


@pytest.fixture
def scarce(watch: Open) -> Watching:
    """Watches for one of the worktrees of these tests, and no sweep before the test is over."""
    return watch(backend="inotify", max_watches=26, poll_every=NEVER)


@pytest.fixture
def two(tmp_path: Path, scarce: Watching) -> tuple[Path, Path]:
    """A worktree that is watched as a whole, and one of which only what is hot is watched."""
    one, other = tree(tmp_path / "one", 20), tree(tmp_path / "other", 20)
    scarce.watcher.follow([known(one), known(other)])
    eventually(lambda: scarce.watcher.report().watches == 21 + len(HOT))
    assert scarce.watcher.report().polled == {str(other)}
    return one, other


def test_a_save_in_a_hot_directory_is_told_as_itself(scarce: Watching, two: tuple[Path, Path]) -> None:
    _, other = two
    told = scarce.after(lambda: (other / "d1/f.txt").write_text("1\n"), "d1/f.txt", key=str(other))
    assert paths(told) == {"d1/f.txt"}
    assert not any(batch.rescan for batch in scarce.heard.batches)


def test_what_appears_in_a_hot_directory_is_told(scarce: Watching, two: tuple[Path, Path]) -> None:
    _, other = two
    scarce.after(lambda: write(other, {"new.txt": "1\n"}), "new.txt", key=str(other))
    scarce.after(lambda: write(other, {"d1/new/deep/f.txt": "1\n"}), "d1/new/deep/f.txt", key=str(other))
    scarce.after(lambda: shutil.rmtree(other / "d7"), "d7", key=str(other))
    scarce.after(lambda: (other / "d2").rename(other / "e2"), "d2", "e2/f.txt", key=str(other))


def test_what_becomes_hot_is_told_from_when_it_was_read(tmp_path: Path, scarce: Watching) -> None:
    one, other = tree(tmp_path / "one", 20), tree(tmp_path / "other", 20)
    read = now()
    scarce.watcher.follow([known(one), known(other, ("",), read)])
    eventually(lambda: scarce.watcher.report().watches == 22)
    (other / "d5/f.txt").write_text("before it was hot\n")
    hot = [known(one), known(other, ("", "d5", "not-there"), read)]
    scarce.after(lambda: scarce.watcher.follow(hot), "d5/f.txt", key=str(other))
    scarce.after(lambda: (other / "d5/f.txt").write_text("after\n"), "d5/f.txt", key=str(other))


def test_whole_worktrees_give_way_to_what_is_hot(tmp_path: Path, scarce: Watching) -> None:
    one, other = tree(tmp_path / "one", 20), tree(tmp_path / "other", 20)
    scarce.watcher.follow([known(one, ("",)), known(other, ("",))])
    eventually(lambda: scarce.watcher.report().watches == 22)
    hot = ("", *(f"d{number}" for number in range(8)))
    scarce.watcher.follow([known(one, hot), known(other, hot)])
    eventually(lambda: scarce.watcher.report().polled == {str(one), str(other)})
    for place in (one, other):
        scarce.after(partial((place / "d7/f.txt").write_text, "1\n"), "d7/f.txt", key=str(place))
    assert scarce.watcher.report().watches == 2 * len(hot)


def test_the_first_sweep_tells_what_changed_since_the_worktree_was_read(tmp_path: Path, watch: Open) -> None:
    one, other = tree(tmp_path / "one", 20), tree(tmp_path / "other", 20)
    watching = watch(backend="inotify", max_watches=26)
    target = known(other, HOT, now())
    (other / "d9/f.txt").write_text("after the reading\n")
    watching.watcher.follow([known(one), target])
    watching.heard.until(lambda batches: tells(batches, "d9/f.txt", str(other)))


def test_nothing_is_told_of_a_worktree_that_was_read(tmp_path: Path, watch: Open) -> None:
    place = tree(tmp_path / "place", 3)
    watching = watch(backend="inotify")
    watching.watcher.follow([known(place)])
    eventually(lambda: watching.watcher.report().watches == 4)
    told = watching.after(lambda: (place / "d1/f.txt").write_text("1\n"), "d1/f.txt")
    assert paths(watching.heard.batches) == paths(told) == {"d1/f.txt"}
    assert not any(batch.rescan for batch in watching.heard.batches)


def test_what_changed_between_reading_and_watching_is_told(tmp_path: Path, watch: Open) -> None:
    place = tree(tmp_path / "place", 5)
    watching = watch(backend="inotify")
    target = known(place, since=now())
    (place / "d1/f.txt").write_text("1\n")
    os.utime(place / "d1/f.txt", (0, 0))
    (place / "d2/f.txt").unlink()
    (place / "d3").rename(place / "e3")
    watching.watcher.follow([target])
    watching.heard.until(
        lambda batches: all(tells(batches, path, str(place)) for path in ("d1/f.txt", "d2/f.txt", "d3", "e3"))
    )


@pytest.mark.parametrize("backend", ["watchfiles", "polling"])
def test_otherwise_watched_it_is_told_too(tmp_path: Path, watch: Open, backend: str) -> None:
    place = tree(tmp_path / "place", 5)
    watching = watch(backend=backend)
    target = known(place, since=now())
    (place / "d2/f.txt").unlink()
    watching.watcher.follow([target])
    watching.heard.until(lambda batches: tells(batches, "d2/f.txt", str(place)))


def test_a_clock_that_is_set_hides_nothing() -> None:
    instant, monotonic = time.time(), time.monotonic()
    assert stamp_of(Moment(instant + 500, monotonic - 5)) <= instant - 5 - COARSE + 1  # set back by 500 s since
    assert stamp_of(Moment(instant - 500, monotonic - 5)) <= instant - 500 - COARSE  # set forward


def test_who_opens_a_file_in_the_root_is_at_work(tmp_path: Path) -> None:
    place = tree(tmp_path / "place", 3)
    write(place, {"README.md": "1\n", ".gitignore": "x\n"})
    polled = Tree(known(place), str(place), since=later())
    assert identify(polled)
    backend = InotifyBackend(Batcher(0, 0), 100)
    try:
        for _ in backend.watch_some(polled, HOT):
            pass
        (place / ".gitignore").read_text()
        os.listdir(place)
        (place / "d1/f.txt").read_text()
        list(os.scandir(place / "d2"))
        backend.take()
        assert polled.stirred < 0
        (place / "README.md").read_text()
        backend.take()
        assert polled.stirred > 0
    finally:
        backend.close()


def test_quiet_worktrees_are_swept_once_and_then_hardly_ever(tmp_path: Path, ticks: Callable[[], float]) -> None:
    place = tree(tmp_path / "place", 50)
    polled = Tree(known(place), str(place), since=later())
    assert identify(polled)
    polled.directories[1] = ""  # a watch on the root, which would tell of somebody at work
    at_work: set[str] = set()
    poller = Poller(0.0, lambda: frozenset(at_work))
    poller.add(polled)

    def cost() -> tuple[float, float]:
        """Ticks of a whole sweep in one slice, and of the rest after it."""
        seen = None
        while seen is None:
            start = ticks()
            seen = poller.step()
        assert isinstance(seen, Seen), seen
        end = ticks()
        due = poller.due()
        assert due is not None
        return end - start, due - end

    assert polled.group not in at_work
    work, rest = cost()
    assert rest < Pace.QUIET.value * work / 2, "the first sweep has a rest of its own"
    work, rest = cost()
    assert rest > Pace.AT_WORK.value * work * 5
    at_work.add(polled.group)
    due = poller.due()
    assert due is not None and due <= ticks()
    work, rest = cost()
    assert rest < Pace.AT_WORK.value * work * 5


def test_a_sweep_that_is_left_for_another_goes_on_later(tmp_path: Path, ticks: Callable[[], float]) -> None:
    """Somebody at work in one worktree does not wait until a quiet one has been looked through."""
    trees = [Tree(known(tree(tmp_path / name, 2000)), str(tmp_path / name), since=later()) for name in ("one", "two")]
    for each in trees:
        assert identify(each)
        each.directories[1] = ""
    at_work: set[str] = set()
    poller = Poller(NEVER, lambda: frozenset(at_work))
    for each in trees:
        poller.add(each)
    assert poller.step() is None, "2,000 directories take more than a slice"
    at_work.add(trees[1].group)
    order: list[Tree] = []
    while len(order) < 2:
        assert ticks() < 20
        seen = poller.step()
        assert not isinstance(seen, Failed)
        if seen is not None:
            order.append(seen.tree)
    assert order == [trees[1], trees[0]]


def test_what_a_watch_has_told_is_not_told_by_a_sweep(tmp_path: Path) -> None:
    place = tree(tmp_path / "place", 3)
    polled = Tree(known(place), str(place), since=later())
    assert identify(polled)
    polled.directories[1], polled.directories[2] = "", "d1"
    batcher = Batcher(0, 0)
    assert not batcher.swept(polled, frozenset({"", "d1"}))
    assert batcher.take() is None
    assert batcher.swept(polled, frozenset({"d1", "d2"}))
    batch = batcher.take()
    assert batch is not None and batch.files == {polled.key: {"d2"}}


def test_a_directory_counts_as_changed_when_something_in_it_came_or_went(tmp_path: Path) -> None:
    place = tree(tmp_path / "place", 3)
    quiet, told = Tree(plain(place), str(place), since=later()), Tree(plain(place), str(place), since=now())
    for each, expected in ((quiet, set()), (told, {"", "d0", "d1", "d2"})):
        work = sweep(each, None)
        with pytest.raises(StopIteration) as end:
            while True:
                next(work)
        assert end.value.value[1] == expected
    looked = look(quiet, "d1")
    assert looked is not None and looked.newest >= (place / "d1").stat().st_ctime


def test_one_that_would_not_fit_is_not_walked_in_vain(tmp_path: Path, watch: Open) -> None:
    asked: list[str] = []

    def target(name: str) -> WorktreeTarget:
        place = tree(tmp_path / name, 20)

        def ignored(directories: Sequence[str]) -> frozenset[str]:
            asked.extend(f"{name}/{directory}" for directory in directories)
            return frozenset()

        return WorktreeTarget(str(place), place, ignored, frozenset(), later(), ("",))

    watching = watch(backend="inotify", max_watches=30, poll_every=NEVER)
    repo = tmp_path / "git"
    write(repo, {"HEAD": "ref: refs/heads/main\n"})
    watching.watcher.follow([git_target(repo), *(target(f"w{number}") for number in range(5))])
    eventually(lambda: watching.watcher.report().watches == 1 + 21 + 4)
    assert {path.partition("/")[0] for path in asked if path.startswith("w0")} == {"w0"}
    assert len(watching.watcher.report().polled) == 4


def test_watches_go_to_where_somebody_is_at_work(tmp_path: Path, watch: Open) -> None:
    """A sign of life is enough; nothing need have changed."""
    one, other = tree(tmp_path / "one", 20), tree(tmp_path / "other", 20)
    write(other, {"README.md": "1\n"})
    watching = watch(backend="inotify", max_watches=26, retry_every=0.1)
    watching.watcher.follow([known(one), known(other)])
    eventually(lambda: watching.watcher.report().polled == {str(other)})

    def is_watched() -> bool:
        (other / "README.md").read_text()
        return watching.watcher.report().polled == {str(one)}

    eventually(is_watched)
    watching.after(lambda: (one / "d1/f.txt").write_text("1\n"), "d1/f.txt", key=str(one))
    watching.after(lambda: (other / "d15/f.txt").write_text("1\n"), "d15/f.txt", key=str(other))
