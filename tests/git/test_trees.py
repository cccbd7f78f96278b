"""What differs between trees and between texts, held against git's own diff."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, note

from sidecar.git.process import GitError
from sidecar.git.trees import TreeReader
from sidecar.model.changes import EXECUTABLE, FILE, SUBMODULE, SYMLINK, Change, Entry
from sidecar.model.hunks import Hunk
from tests.git.opening import comparing
from tests.harness import git
from tests.model.diffs import as_bytes, hunks_of_trees, tree_of_texts
from tests.model.examples import examples
from tests.model.loose import File, Store, open_store
from tests.model.texts import Text, triples
from tests.model.tree_edits import Edit, apply, bases, edits, text


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with TemporaryDirectory() as place:
        yield open_store(Path(place) / "store.git")


@pytest.fixture
def trees(store: Store) -> Iterator[TreeReader]:
    with comparing(store.path) as (_, reader):
        yield reader


def _entry(found: dict[str, tuple[int, str]], path: str) -> Entry | None:
    return Entry(*found[path]) if path in found else None


@examples(80)
@given(base=bases(), todo=edits(5))
def test_changes_are_what_two_listings_differ_in(
    store: Store, trees: TreeReader, base: dict[str, File], todo: list[Edit]
) -> None:
    before, after = store.tree(base), store.tree(apply(base, todo))
    was, now = store.files(before), store.files(after)
    changes = trees.changes(before, after)
    assert (changes.base, changes.tree) == (before, after)
    assert changes.touched == {
        path: Change(path, _entry(was, path), _entry(now, path))
        for path in was.keys() | now.keys()
        if was.get(path) != now.get(path)
    }
    renames = dict(_renames(store, before, after))
    note(f"{renames}")
    assert {change.path: change.old_path for change in changes if change.old_path} == renames
    assert changes.changes.keys() == changes.touched.keys() - set(renames.values())
    for change in changes:
        assert change.after == _entry(now, change.path)
        assert change.before == _entry(was, change.old_path or change.path)


def _renames(store: Store, before: str, after: str) -> Iterator[tuple[str, str]]:
    fields = store.git("diff-tree", "-r", "-z", "-M", "--diff-filter=R", "--name-status", before, after).decode()
    parts = fields.split("\0")[:-1]
    for at in range(0, len(parts), 3):
        yield parts[at + 2], parts[at + 1]


@examples(60)
@given(case=triples())
def test_hunks_are_those_of_gits_merge(store: Store, trees: TreeReader, case: tuple[Text, Text, Text]) -> None:
    """And they are complete: with the new text's lines put in place of the old ones, one text becomes the other."""
    for before, after in ((case[0], case[1]), (case[1], case[2])):
        old, new = (store.write("blob", as_bytes(lines)) for lines in (before, after))
        hunks = trees.hunks(old, new)
        one, two = tree_of_texts(store, [as_bytes(before)]), tree_of_texts(store, [as_bytes(after)])
        assert list(hunks) == hunks_of_trees(store, one, two).get(0, [])
        lines = list(before)
        for hunk in reversed(hunks):
            lines[hunk.base : hunk.base_end] = after[hunk.start : hunk.end]
        assert tuple(lines) == after


def test_a_text_that_ends_like_an_answer(store: Store, trees: TreeReader) -> None:
    """The last line of a diff may read like the mark that ends an answer; nothing gets out of step."""
    for number in range(40):
        old, new = (store.write("blob", b"%d\n%s" % (number, tail)) for tail in (b"x\n", b"x\nend %d\n" % number))
        assert trees.hunks(old, new) == (Hunk(2, 0, 2, 1),)
        assert trees.hunks(new, old) == (Hunk(2, 1, 2, 0),)


def test_texts_without_a_last_line_end_and_binary_ones(store: Store, trees: TreeReader) -> None:
    def blob(content: bytes) -> str:
        return store.write("blob", content)

    assert trees.hunks(blob(b"a\nb"), blob(b"a\nb\n")) == (Hunk(1, 1, 1, 1),)
    assert trees.hunks(blob(b""), blob(b"a")) == (Hunk(0, 0, 0, 1),)
    assert trees.hunks(blob(b"a"), blob(b"")) == (Hunk(0, 1, 0, 0),)
    assert trees.hunks(blob(b"\0a\nb\n"), blob(b"\0a\nc\n")) == (Hunk(1, 1, 1, 1),)
    assert trees.hunks(blob(b"same\n"), blob(b"same\n")) == ()
    assert trees.hunks(blob(b"@@ -1 +1 @@\n"), blob(b"@@ -7,7 +7,7 @@\n")) == (Hunk(0, 1, 0, 1),)


def test_kinds_of_entries(store: Store, trees: TreeReader) -> None:
    before = store.tree({"a": (FILE, b"a"), "l": (SYMLINK, b"x"), "s": (SUBMODULE, b"1" * 40), "t": (FILE, b"t")})
    after = store.tree({"a": (EXECUTABLE, b"a"), "l": (FILE, b"x"), "s": (SUBMODULE, b"2" * 40), "t": (SYMLINK, b"t")})
    found = trees.changes(before, after).touched
    assert {path: (c.before and c.before.mode, c.after and c.after.mode) for path, c in found.items()} == {
        "a": (FILE, EXECUTABLE),
        "l": (SYMLINK, FILE),
        "s": (SUBMODULE, SUBMODULE),
        "t": (FILE, SYMLINK),
    }


def test_equal_trees(store: Store, trees: TreeReader) -> None:
    tree = store.tree({"a": (FILE, b"a")})
    assert not trees.changes(tree, tree).touched
    assert list(trees.changes(tree, tree)) == []


def test_names_of_all_kinds(store: Store, trees: TreeReader) -> None:
    names = ["a b", "new\nline", 'q"', "ü", "tab\t", ":x", "end 0", "\u2028"]
    empty = store.tree({})
    assert set(trees.changes(empty, store.tree(dict.fromkeys(names, (FILE, b"")))).touched) == set(names)


def test_copies_are_no_renames(store: Store, trees: TreeReader) -> None:
    before = store.tree({"a": (FILE, text(1)), "gone": (FILE, text(2))})
    after = store.tree({"a": (FILE, text(1)), "copy": (FILE, text(1))})
    assert {change.path: change.old_path for change in trees.changes(before, after)} == {"copy": None, "gone": None}


def test_an_entry_of_a_tree(store: Store, trees: TreeReader) -> None:
    tree = store.tree({"d/a": (FILE, b"a")})
    assert trees.entry(tree, "d/a") == Entry(FILE, store.write("blob", b"a"))
    assert trees.entry(tree, "d/b") is None


def test_a_tree_that_is_not_there(store: Store, trees: TreeReader) -> None:
    """An error, not a change set without changes; and what is asked next is answered."""
    there = store.tree({"a": (FILE, b"a")})
    for before, after in ((there, "1" * 40), ("1" * 40, there)):
        with pytest.raises(GitError):
            trees.changes(before, after)
    assert set(trees.changes(store.tree({}), there).touched) == {"a"}


def test_a_tree_that_git_cannot_parse_is_told_in_gits_words(store: Store, trees: TreeReader) -> None:
    """As isomorphic-git commits where the index is sparse or split (`findings`)."""
    there = store.tree({"a": (FILE, b"a")})
    nameless = store.write("tree", b"100644 \0" + bytes(20))
    with pytest.raises(GitError, match="empty filename in tree entry"):
        trees.changes(there, nameless)
    assert set(trees.changes(store.tree({}), there).touched) == {"a"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("diff.renames", "false"), ("diff.renames", "copies"), ("diff.noprefix", "true"), ("diff.context", "9")),
        *(("diff.interHunkContext", "9"), ("diff.algorithm", "patience"), ("color.ui", "always")),
        *(("diff.mnemonicPrefix", "true"), ("diff.orderFile", "/nowhere"), ("diff.renameLimit", "1")),
        *(("diff.indentHeuristic", "true"), ("core.abbrev", "4"), ("core.quotePath", "true")),
    ],
)
def test_the_persons_settings_change_nothing(store: Store, home: Path, key: str, value: str) -> None:
    git(home, "config", "--file", str(home / ".gitconfig"), key, value)
    before = store.tree({"ä": (FILE, text(1)), "b": (FILE, text(2)), "c": (FILE, text(3))})
    after = store.tree({"z": (FILE, text(1) + b"x\n"), "y": (FILE, text(2) + b"x\n"), "c": (FILE, text(3) + b"x\n")})
    with comparing(store.path) as (_, trees):
        assert {change.path: change.old_path for change in trees.changes(before, after)} == {
            "z": "ä",
            "y": "b",
            "c": None,
        }
        old = store.write("blob", b"a\n b\na\n")
        new = store.write("blob", b"a\n b\na\n b\na\n")
        assert len(trees.hunks(old, new)) == 1


def test_a_file_is_found_by_its_content_and_last_name_or_as_the_only_one(store: Store, trees: TreeReader) -> None:
    tree = store.tree({"a/x": (FILE, b"1"), "b/y": (FILE, b"1"), "c/z": (FILE, b"2")})
    one, two, three = (Entry(FILE, store.write("blob", content)) for content in (b"1", b"2", b"3"))
    assert trees.find(tree, one, "d/y") == "b/y"
    assert trees.find(tree, one, "d/new") is None, "there are two of them"
    assert trees.find(tree, two, "d/new") == "c/z"
    assert trees.find(tree, three, "c/z") is None
