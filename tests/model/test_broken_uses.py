"""A broken use is said in one sentence, from either end."""

import pytest

from sidecar.model.broken_uses import broken_use_object, broken_use_sentence
from sidecar.model.changes import FILE, Entry
from sidecar.model.picture import TRUNK_KEY, BrokenUse, End

AFTER = Entry(FILE, "1" * 40)
TAKING = End("/w/taking", "taking", "feature/taking", "a.py", 3, AFTER)
USING = End("/w/using", "using", "using", "b.py", 12, AFTER)
REMOVED = BrokenUse("removed", "parse", TAKING, USING, (12, 14), nowhere=True)


@pytest.mark.parametrize(
    ("one", "taking", "using"),
    [
        (
            REMOVED,
            "Removes `parse`, which using newly uses in b.py, lines 12, 14. Once both are merged, it is nowhere.",
            "Uses `parse` of a.py, which taking (branch feature/taking) removes. Once both are merged, it is nowhere.",
        ),
        (
            BrokenUse("renamed", "parse", TAKING, USING, (12,), now="parse_text"),
            "Renames `parse` to `parse_text`, and using newly uses it in b.py, line 12.",
            "Uses `parse` of a.py, which taking (branch feature/taking) renames to `parse_text`.",
        ),
        (
            BrokenUse("moved", "old.py", TAKING, USING, (12,), is_module=True, now="a.py"),
            "Moves old.py to a.py, and using newly imports it in b.py, line 12.",
            "Imports old.py, which taking (branch feature/taking) moves to a.py.",
        ),
        (
            BrokenUse("parameters", "parse", TAKING, USING, (12,), required=2),
            "Changes `parse` so that it requires 2 arguments, and using newly calls it in b.py, line 12.",
            "Calls `parse` of a.py, which taking (branch feature/taking) changes so that it requires 2 arguments.",
        ),
    ],
    ids=lambda one: one.did if isinstance(one, BrokenUse) else "",
)
def test_each_deed_is_said_from_both_ends(one: BrokenUse, taking: str, using: str) -> None:
    assert broken_use_sentence(one, TAKING.key) == taking
    assert broken_use_sentence(one, USING.key) == using


def test_its_object_has_no_lines_where_the_file_is_gone_and_names_trunk_as_null() -> None:
    gone = BrokenUse("removed", "parse", End(TRUNK_KEY, None, "main", "a.py", 1, None), USING, (12,))
    said = broken_use_object(gone)
    assert said["removed"] == {"worktree": None, "path": "a.py", "lines": []}
    assert said["used"] == {"worktree": "using", "path": "b.py", "lines": [12]}
    assert said["message"] == "Uses `parse` of a.py, which trunk (branch main) removes."
    assert gone.ends("/w/nobody") is None
