"""What a window must not say is seen where it says it."""

import pytest

from tests.editor.told import Told, faults


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ([Told("status", "undefined conflicts")], "broken: undefined conflicts"),
        ([Told("dialog", "TypeError: no")], "broken: TypeError: no"),
        ([Told("notice", "Merge taxes into main?")], "asked in a notification: Merge taxes into main?"),
        ([Told("notice", "taxes is gone.")] * 2, "said twice: taxes is gone."),
    ],
)
def test_a_fault_is_seen(told: list[Told], fault: str) -> None:
    assert faults(told) == [fault]


def test_what_is_asked_where_it_belongs_and_what_was_answered_is_none() -> None:
    assert faults([Told("dialog", "Merge taxes into main?"), Told("dialog", "Merge taxes into main?")]) == []
    gone = Told("notice", "taxes is gone.")
    assert faults([gone, Told("answered", gone.text), gone, Told("progress", gone.text)]) == []
