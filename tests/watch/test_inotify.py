"""The order of things inside one inotify instance, a step at a time: races that can't be provoked from outside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.watch.backend import DirectoriesAppeared
from sidecar.watch.batching import Batcher
from sidecar.watch.inotify_backend import InotifyBackend
from sidecar.watch.tree import Tree, identify
from tests.harness import write
from tests.watch.support import plain


@pytest.fixture
def batcher() -> Batcher:
    return Batcher(quiet=0, longest=0)


@pytest.fixture
def backend(batcher: Batcher) -> Iterator[InotifyBackend]:
    opened = InotifyBackend(batcher, 1000)
    yield opened
    opened.close()


def tree(path: Path) -> Tree:
    found = Tree(plain(path), str(path))
    assert identify(found)
    return found


def take(backend: InotifyBackend) -> None:
    """Read the events, and look into every new directory."""
    for event in backend.take():
        assert isinstance(event, DirectoriesAppeared)
        for _ in event.work:
            pass


def told(batcher: Batcher) -> dict[str, frozenset[str]]:
    batch = batcher.take()
    return dict(batch.files) if batch else {}


def test_a_directory_that_becomes_a_link_during_the_walk_is_not_followed(
    tmp_path: Path, backend: InotifyBackend, batcher: Batcher
) -> None:
    write(tmp_path, {"place/a/b/f": "", "elsewhere/b/g": ""})
    place = tree(tmp_path / "place")
    walk = backend.watch_all(place)
    next(walk)  # the root
    next(walk)  # a
    (tmp_path / "place/a").rename(tmp_path / "place/z")
    (tmp_path / "place/a").symlink_to(tmp_path / "elsewhere")
    take(backend)
    for _ in walk:
        pass
    told(batcher)
    (tmp_path / "elsewhere/b/g").write_text("1\n")
    (tmp_path / "place/z/b/f").write_text("1\n")
    take(backend)
    assert told(batcher) == {place.key: {"z/b/f"}}
    assert backend.room() == 1000 - 3


def test_a_link_is_not_entered_though_it_was_a_directory_when_listed(tmp_path: Path, backend: InotifyBackend) -> None:
    write(tmp_path, {"place/f": "", "elsewhere/b/g": ""})
    (tmp_path / "place/a").symlink_to(tmp_path / "elsewhere")
    place = tree(tmp_path / "place")
    for _ in backend.watch_all(place):
        pass
    for _ in backend.watch_new(place, ["a"]):
        pass
    assert backend.watches() == 1


def test_a_directory_that_went_from_one_tree_to_another_belongs_to_where_it_is(
    tmp_path: Path, backend: InotifyBackend, batcher: Batcher
) -> None:
    write(tmp_path, {"one/d/f": "", "two/g": ""})
    one, two = tree(tmp_path / "one"), tree(tmp_path / "two")
    for _ in backend.watch_all(one):
        pass
    (tmp_path / "one/d").rename(tmp_path / "two/d")
    for _ in backend.watch_all(two):  # finds it before its leaving has been read
        pass
    take(backend)
    told(batcher)
    (tmp_path / "two/d/f").write_text("1\n")
    take(backend)
    assert told(batcher) == {two.key: {"d/f"}}


def test_the_root_of_one_tree_is_not_taken_over_by_another(
    tmp_path: Path, backend: InotifyBackend, batcher: Batcher
) -> None:
    write(tmp_path, {"outer/d/inner/s/f": ""})
    inner, outer = tree(tmp_path / "outer/d/inner"), tree(tmp_path / "outer")
    for each in (inner, outer):
        for _ in backend.watch_all(each):
            pass
    (tmp_path / "outer/d/inner/s/f").write_text("1\n")
    (tmp_path / "outer/d/inner/g").write_text("1\n")
    take(backend)
    assert told(batcher) == {inner.key: {"s/f", "g"}}


def test_a_directory_that_turns_out_to_be_a_linked_worktree_is_left(
    tmp_path: Path, backend: InotifyBackend, batcher: Batcher
) -> None:
    write(tmp_path, {"place/w/s/f": "", "place/v/f": "", "git/worktrees/w/HEAD": ""})
    place = tree(tmp_path / "place")
    for _ in backend.watch_all(place):
        pass
    (tmp_path / "place/w/.git").write_text(f"gitdir: {tmp_path / 'git/worktrees/w'}\n")
    take(backend)
    (tmp_path / "place/w/s/f").write_text("1\n")
    (tmp_path / "place/v/.git").write_text(f"gitdir: {tmp_path / 'git/modules/v'}\n")
    (tmp_path / "place/v/f").write_text("1\n")
    take(backend)
    assert told(batcher) == {place.key: {"v/f"}}
