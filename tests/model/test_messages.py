"""Names and numbers in sentences."""

from sidecar.model.words import counted, named, some, them


def test_what_is_counted_agrees_in_number() -> None:
    assert [counted(count, "file is", "files are") for count in (0, 1, 2)] == [
        "0 files are",
        "1 file is",
        "2 files are",
    ]
    assert [them(count) for count in (1, 2)] == ["it", "them"]

    assert [some(operation) for operation in ("rebase", "am")] == ["a rebase", "an am"]


def test_the_first_names_are_told_and_the_rest_is_counted() -> None:
    assert named(()) == ""
    assert named(("a", "b\n", "c")) == "a, b\\x0a, c"
    assert named(("a", "b", "c", "d")) == "a, b, c and 1 more"
    assert named(("a", "b", "c"), 1, "; ") == "a and 2 more"
    assert named(("a", "b", "c"), 2, "; ") == "a; b and 1 more"
