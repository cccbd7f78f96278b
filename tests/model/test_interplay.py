"""The filter in front of git's answer: whatever it lets pass unasked must be what git would have said."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import event, given, note

from sidecar.model.changes import Change, Entry
from sidecar.model.may_overlap import Footprint, Interplay, footprint, interplay
from tests.model.examples import examples
from tests.model.loose import EXECUTABLE, FILE, SUBMODULE, SYMLINK, File, Store, open_store
from tests.model.tree_edits import Edit, apply, bases, edits

Entries = dict[str, tuple[int, str]]


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with TemporaryDirectory() as place:
        yield open_store(Path(place) / "store.git")


@examples(180)
@given(bases(), edits(), edits())
def test_what_is_not_asked_merges_path_by_path(
    store: Store, base: dict[str, File], mine: list[Edit], other: list[Edit]
) -> None:
    """Where two change sets don't meet, git's merge is clean and is both; where they meet in some paths only, all other
    paths are as both say, no conflict names another, and each of them is what a merge of that path alone gives."""
    trees = [store.tree(files) for files in (base, apply(base, mine), apply(base, other))]
    was, ours, theirs = (store.files(tree) for tree in trees)
    play = interplay(footprint(_touched(was, ours)), footprint(_touched(was, theirs)))
    event("structural" if play.structural else "some paths" if play.paths else "apart")
    note(f"{was} {ours} {theirs}")
    assert play.paths == {
        path
        for path in was.keys() | ours.keys() | theirs.keys()
        if was.get(path) not in (_at(ours, path), _at(theirs, path))
    }
    if play.structural:
        return
    root = store.commit(trees[0])
    fields = store.merge(*(store.commit(tree, root, note=word) for tree, word in zip(trees[1:], "ot", strict=True)))
    merged = store.files(fields.split(b"\0")[0].decode())
    union = {path: _settled(path, was, ours, theirs) for path in was.keys() | ours.keys() | theirs.keys()}
    assert {path: file for path, file in merged.items() if path not in play.paths} == {
        path: file for path, file in union.items() if file is not None and path not in play.paths
    }
    assert (b"CONFLICT" in fields) <= bool(play.paths)
    for path in play.paths:
        alone = [
            store.tree({path: (file[0], _content(store, file))} if file else {})
            for file in (was.get(path), ours[path], theirs[path])
        ]
        first = store.commit(alone[0])
        sides = (store.commit(tree, first, note=word) for tree, word in zip(alone[1:], "ot", strict=True))
        single = store.merge(*sides)
        assert (b"CONFLICT" in single) <= (b"CONFLICT" in fields)
        assert _shape(store.files(single.split(b"\0")[0].decode()).get(path)) == _shape(merged.get(path))


def _content(store: Store, file: tuple[int, str]) -> bytes:
    return store.git("cat-file", "blob", file[1])


def _shape(file: tuple[int, str] | None) -> int | None:
    """The mode only: markers name commits, and so their blobs differ."""
    return file[0] if file else None


def _at(files: Entries, path: str) -> tuple[int, str] | None:
    return files.get(path)


def _settled(path: str, was: Entries, ours: Entries, theirs: Entries) -> tuple[int, str] | None:
    return theirs.get(path) if ours.get(path) == was.get(path) else ours.get(path)


def _touched(before: Entries, after: Entries) -> dict[str, Change]:
    return {
        path: Change(path, _entry(before.get(path)), _entry(after.get(path)))
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path)
    }


def _entry(file: tuple[int, str] | None) -> Entry | None:
    return Entry(*file) if file else None


def _of(**changes: tuple[int | None, int | None]) -> Footprint:
    """The footprint of changes by path (`__` is `/`), each as (mode before, mode after)."""
    return footprint(
        {
            name.replace("__", "/"): Change(
                name.replace("__", "/"),
                None if before is None else Entry(before, "1" * 40),
                None if after is None else Entry(after, "2" * 40),
            )
            for name, (before, after) in changes.items()
        }
    )


EDITED, ADDED, REMOVED = (FILE, FILE), (None, FILE), (FILE, None)


@pytest.mark.parametrize(
    ("one", "two", "structural", "paths"),
    [
        ({"a": EDITED}, {"b": EDITED}, False, set()),
        ({"a": EDITED}, {"a": EDITED}, False, {"a"}),
        ({"a": ADDED}, {"a": ADDED}, False, {"a"}),
        ({"a": EDITED}, {"a": REMOVED}, True, {"a"}),
        ({"a": REMOVED}, {"a": REMOVED}, True, {"a"}),
        ({"a": EDITED}, {"a": (FILE, EXECUTABLE)}, True, {"a"}),
        ({"a": EDITED}, {"a": (FILE, SYMLINK)}, True, {"a"}),
        ({"a": (SUBMODULE, SUBMODULE)}, {"a": (SUBMODULE, SUBMODULE)}, True, {"a"}),
        ({"a": ADDED}, {"a__b": ADDED}, True, set()),
        ({"d__a": REMOVED, "e__a": ADDED}, {"d__new": ADDED}, True, set()),
        ({"d__e__a": REMOVED, "x": ADDED}, {"d__new": ADDED}, True, set()),
        ({"d__a": REMOVED}, {"d__b": EDITED}, False, set()),
        ({"a": REMOVED, "d__a": ADDED}, {"new": ADDED}, False, set()),
    ],
)
def test_how_change_sets_meet(
    one: dict[str, tuple[int | None, int | None]],
    two: dict[str, tuple[int | None, int | None]],
    structural: bool,
    paths: set[str],
) -> None:
    wanted = Interplay(structural, frozenset(paths))
    assert interplay(_of(**one), _of(**two)) == wanted
    assert interplay(_of(**two), _of(**one)) == wanted
    assert bool(wanted) == (structural or bool(paths))


def test_a_change_set_without_changes_meets_nothing() -> None:
    assert not interplay(footprint({}), _of(a=EDITED))
