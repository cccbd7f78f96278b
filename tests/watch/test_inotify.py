"""The order of things inside one inotify instance, a step at a time: races that can't be provoked from outside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.watch.gathering import Gathering
from sidecar.watch.inotify import Inotify
from sidecar.watch.source import Grown
from sidecar.watch.tree import Tree, identify
from tests.harness import write
from tests.watch.support import plain


@pytest.fixture
def gathering() -> Gathering:
    return Gathering(quiet=0, longest=0)


@pytest.fixture
def source(gathering: Gathering) -> Iterator[Inotify]:
    opened = Inotify(gathering, 1000)
    yield opened
    opened.close()


def tree(path: Path) -> Tree:
    found = Tree(plain(path), str(path))
    assert identify(found)
    return found


def take(source: Inotify) -> None:
    """Read the events, and look into every new directory."""
    for happening in source.take():
        assert isinstance(happening, Grown)
        for _ in happening.work:
            pass


def told(gathering: Gathering) -> dict[str, frozenset[str]]:
    batch = gathering.take()
    return dict(batch.files) if batch else {}


def test_a_directory_that_becomes_a_link_during_the_walk_is_not_followed(
    tmp_path: Path, source: Inotify, gathering: Gathering
) -> None:
    write(tmp_path, {"place/a/b/f": "", "elsewhere/b/g": ""})
    place = tree(tmp_path / "place")
    walk = source.stand(place)
    next(walk)  # the root
    next(walk)  # a
    (tmp_path / "place/a").rename(tmp_path / "place/z")
    (tmp_path / "place/a").symlink_to(tmp_path / "elsewhere")
    take(source)
    for _ in walk:
        pass
    told(gathering)
    (tmp_path / "elsewhere/b/g").write_text("1\n")
    (tmp_path / "place/z/b/f").write_text("1\n")
    take(source)
    assert told(gathering) == {place.key: {"z/b/f"}}
    assert source.room() == 1000 - 3


def test_a_link_is_not_entered_though_it_was_a_directory_when_listed(tmp_path: Path, source: Inotify) -> None:
    write(tmp_path, {"place/f": "", "elsewhere/b/g": ""})
    (tmp_path / "place/a").symlink_to(tmp_path / "elsewhere")
    place = tree(tmp_path / "place")
    for _ in source.stand(place):
        pass
    for _ in source.grow(place, ["a"]):
        pass
    assert source.watches() == 1


def test_a_directory_that_went_from_one_tree_to_another_belongs_to_where_it_is(
    tmp_path: Path, source: Inotify, gathering: Gathering
) -> None:
    write(tmp_path, {"one/d/f": "", "two/g": ""})
    one, two = tree(tmp_path / "one"), tree(tmp_path / "two")
    for _ in source.stand(one):
        pass
    (tmp_path / "one/d").rename(tmp_path / "two/d")
    for _ in source.stand(two):  # finds it before its leaving has been read
        pass
    take(source)
    told(gathering)
    (tmp_path / "two/d/f").write_text("1\n")
    take(source)
    assert told(gathering) == {two.key: {"d/f"}}


def test_the_root_of_one_tree_is_not_taken_over_by_another(
    tmp_path: Path, source: Inotify, gathering: Gathering
) -> None:
    write(tmp_path, {"outer/d/inner/s/f": ""})
    inner, outer = tree(tmp_path / "outer/d/inner"), tree(tmp_path / "outer")
    for each in (inner, outer):
        for _ in source.stand(each):
            pass
    (tmp_path / "outer/d/inner/s/f").write_text("1\n")
    (tmp_path / "outer/d/inner/g").write_text("1\n")
    take(source)
    assert told(gathering) == {inner.key: {"s/f", "g"}}


def test_a_directory_that_turns_out_to_be_a_linked_worktree_is_left(
    tmp_path: Path, source: Inotify, gathering: Gathering
) -> None:
    write(tmp_path, {"place/w/s/f": "", "place/v/f": "", "git/worktrees/w/HEAD": ""})
    place = tree(tmp_path / "place")
    for _ in source.stand(place):
        pass
    (tmp_path / "place/w/.git").write_text(f"gitdir: {tmp_path / 'git/worktrees/w'}\n")
    take(source)
    (tmp_path / "place/w/s/f").write_text("1\n")
    (tmp_path / "place/v/.git").write_text(f"gitdir: {tmp_path / 'git/modules/v'}\n")
    (tmp_path / "place/v/f").write_text("1\n")
    take(source)
    assert told(gathering) == {place.key: {"v/f"}}
