"""How much a merge changes, in numbers and in a sentence."""

import pytest

from sidecar.model.changes import Change, Entry
from sidecar.model.merging import Extent, extent_of

ONE, TWO = Entry(0o100644, "1" * 40), Entry(0o100644, "2" * 40)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([], "Changes no file."),
        ([("a", ONE, TWO)], "Changes 1 file."),
        ([("a", None, TWO), ("b", None, TWO)], "Adds 2 files."),
        ([("a", ONE, None), ("b", ONE, None), ("c", TWO, None)], "Deletes 3 of 3 files."),
        ([("a", ONE, None), ("b", None, ONE)], "Moves 1 file."),
        (
            [("a", ONE, None), ("b", ONE, None), ("c", None, ONE), ("d", None, TWO)],
            "Adds 1 file, moves 1 file, deletes 1 of 3 files.",
        ),
    ],
)
def test_the_sentence(changes: list[tuple[str, Entry | None, Entry | None]], said: str) -> None:
    assert extent_of([Change(path, before, after) for path, before, after in changes], lambda: 3).said == said


def test_files_are_counted_only_where_some_are_deleted() -> None:
    assert extent_of([Change("a", ONE, TWO)], lambda: 1 // 0) == Extent(edited=1)
