"""Changes and change sets: names, renames, sources."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.model.changes import (
    COMMITTED,
    EXECUTABLE,
    FILE,
    SOURCES,
    STAGED,
    SUBMODULE,
    SYMLINK,
    UNSAVED,
    UNSTAGED,
    Change,
    ChangeSet,
    Entry,
    ancestors,
    count_by_source,
    merge_sources,
)
from tests.model.examples import examples

ONE, TWO = Entry(FILE, "1" * 40), Entry(FILE, "2" * 40)
RENAMED = Change("new", ONE, TWO, old_path="old")
EDITED = Change("a", ONE, TWO, (COMMITTED, UNSTAGED))
SET = ChangeSet(
    "b" * 40,
    "c" * 40,
    {"new": Change("new", None, TWO), "old": Change("old", ONE, None), "a": EDITED},
    {"new": RENAMED, "a": EDITED},
)


def test_a_rename_is_one_change_known_by_both_names() -> None:
    assert list(SET) == [RENAMED, EDITED]
    assert RENAMED.names == ("new", "old")
    assert EDITED.names == ("a",)
    assert SET.named("new") is RENAMED
    assert SET.named("old") is RENAMED
    assert SET.named("a") is EDITED
    assert SET.named("b") is None


def test_a_deletion_that_is_no_rename_has_its_own_name() -> None:
    gone = Change("old", ONE, None)
    kept = ChangeSet("", "", {"old": gone}, {"old": gone})
    assert kept.named("old") is gone


def test_a_file_that_was_renamed_to_the_name_of_another_that_was_renamed() -> None:
    """a -> b and b -> c at once: the name b is first of all what is called so now."""
    first, second = Change("b", ONE, ONE, old_path="a"), Change("c", TWO, TWO, old_path="b")
    touched = {"a": Change("a", ONE, None), "b": Change("b", TWO, ONE), "c": Change("c", None, TWO)}
    both = ChangeSet("", "", touched, {"b": first, "c": second})
    assert both.named("b") is first
    assert both.named("a") is first
    assert both.named("c") is second


@pytest.mark.parametrize(("mode", "is_file"), [(FILE, True), (EXECUTABLE, True), (SYMLINK, False), (SUBMODULE, False)])
def test_what_is_a_file(mode: int, is_file: bool) -> None:
    assert Entry(mode, "1" * 40).is_file is is_file


@examples(100)
@given(st.lists(st.lists(st.sampled_from(SOURCES)).map(tuple)).map(tuple))
def test_sources_are_merged_in_one_order(groups: tuple[tuple[str, ...], ...]) -> None:
    merged = merge_sources(*groups)
    assert set(merged) == {source for group in groups for source in group}
    assert list(merged) == sorted(set(merged), key=SOURCES.index)


@pytest.mark.parametrize(
    ("path", "above"), [("a", []), ("a/b", ["a"]), ("a/b/c", ["a/b", "a"]), ("a b/ü/c", ["a b/ü", "a b"])]
)
def test_directories_above(path: str, above: list[str]) -> None:
    assert list(ancestors(path)) == above


def test_a_change_counts_in_each_of_its_sources() -> None:
    changes = {"a": EDITED, "b": Change("b", None, ONE, (STAGED, UNSTAGED)), "c": Change("c", None, ONE, (UNSAVED,))}
    assert count_by_source(ChangeSet("", "", changes, changes)) == {
        "committed": 1,
        "staged": 1,
        "unstaged": 2,
        "untracked": 0,
        "unsaved": 1,
    }
