"""What is an object id, and which ids a text has."""

import pytest

from sidecar.model.changes import is_object_id, object_ids_in

SHORT, LONG = "ab" * 20, "cd" * 32


@pytest.mark.parametrize(
    ("text", "one"),
    [
        (SHORT, True),
        (LONG, True),
        (SHORT[:-1], False),
        (SHORT + "ab" * 2, False),
        (SHORT.upper(), False),
        (SHORT + "\n", False),
        ("", False),
        ("\u0660" * 40, False),
    ],
)
def test_an_id_is_whole_and_alone(text: str, one: bool) -> None:
    assert is_object_id(text) is one


def test_ids_are_found_in_what_git_writes() -> None:
    log = f"{'0' * 40} {SHORT} A U Thor <a@example.org> 1 +0000\tcheckout: moving from {LONG} to x\n"
    assert object_ids_in(log.encode()) == [SHORT, LONG]
    assert object_ids_in(b"f" * 41 + b" " + b"f" * 39) == []
    assert object_ids_in(b"\xff" + SHORT.encode() + b"\xff") == [SHORT]
