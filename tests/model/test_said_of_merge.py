"""What checkers print is read as VS Code's problem matchers do, and what either side says too is not the merge's."""

import pytest

from sidecar.model.said_of_merge import FINE, Complaint, OfSide, Said, only_of_merge, read_complaints

FILES = ("src/a.ts", "a.py", "pkg/b.go", "web/x.js", "one/same.py", "two/same.py", "my file.py")


@pytest.mark.parametrize(
    ("text", "path", "line", "message"),
    [
        ("src/a.ts(3,5): error TS2304: Cannot find name 'x'.", "src/a.ts", 3, "TS2304: Cannot find name 'x'."),
        (
            "\x1b[96msrc/a.ts\x1b[0m:\x1b[93m3\x1b[0m:\x1b[93m5\x1b[0m - \x1b[91merror\x1b[0m TS2304: Cannot find.",
            "src/a.ts",
            3,
            "TS2304: Cannot find.",
        ),
        ('  /top/a.py:3:5 - error: "x" is not defined (rule)', "a.py", 3, '"x" is not defined (rule)'),
        (
            'a.py:3: error: Name "x" is not defined  [name-defined]',
            "a.py",
            3,
            'Name "x" is not defined  [name-defined]',
        ),
        ("a.py:3:5: F821 Undefined name `x`", "a.py", 3, "F821 Undefined name `x`"),
        ("vet: pkg/b.go:3:5: undefined: x", "pkg/b.go", 3, "undefined: x"),
        ("./b.go:3:5: undefined: x", "pkg/b.go", 3, "undefined: x"),
        ("error[E0425]: cannot find x\n --> src/a.ts:3:5\n  |\n", "src/a.ts", 3, "cannot find x"),
        ("/top/web/x.js\n  3:5  error  'x' is not defined  no-undef\n", "web/x.js", 3, "'x' is not defined  no-undef"),
        (
            '  File "a.py", line 3\n    def (\n        ^\nSyntaxError: invalid syntax',
            "a.py",
            3,
            "SyntaxError: invalid syntax",
        ),
        ('***   File "./a.py", line 3\n    x(\n\nSyntaxError: never closed', "a.py", 3, "SyntaxError: never closed"),
        ("my file.py:3:1: error: bad", "my file.py", 3, "bad"),
        ("src\\a.ts(3,5): error TS1: x", "src/a.ts", 3, "TS1: x"),
    ],
)
def test_an_error_is_read_with_its_place(text: str, path: str, line: int, message: str) -> None:
    assert read_complaints(f"Checking...\n{text}\nFound 1 error.\n", FILES, "/top") == (Complaint(path, line, message),)


@pytest.mark.parametrize(
    "text",
    [
        "a.py:3: warning: unused",
        "a.py:3: note: see here",
        "warning: unused\n --> a.py:3:5",
        "/elsewhere/a.py:3:5: error: x",
        "same.py:3: error: which one",
        "other.py:3: error: not here",
        "Error: 3 problems",
        "12:30:15: error",
    ],
)
def test_what_is_no_error_of_these_files_is_not(text: str) -> None:
    assert read_complaints(text, FILES, "/top") == ()


def says(*rows: tuple[int, str]) -> Said:
    return Said("fails", tuple(Complaint("a.py", line, message) for line, message in rows))


def side(said: Said, shift: int = 0, lacks: tuple[int, ...] = ()) -> OfSide:
    """A side whose lines are so many above those of the merge, but for those that it lacks."""
    return OfSide(said, lambda path, line: (path, None if line in lacks else line + shift))


def test_what_neither_side_says_is_the_merges() -> None:
    merged = says((3, "x is not defined"), (9, "y is not defined"))
    assert only_of_merge(merged, [side(says((2, "x is not defined")), -1), side(FINE)]) == merged.complaints[1:]
    assert only_of_merge(merged, [side(FINE), side(FINE)]) == merged.complaints
    assert only_of_merge(merged, [side(says((3, "x is not defined"))), side(says((9, "y is not defined")))]) == ()


def test_one_more_of_the_same_is_new_and_as_many_elsewhere_are_not() -> None:
    twice = says((3, "x is not defined"), (9, "x is not defined"))
    once = says((3, "x is not defined"))
    assert only_of_merge(twice, [side(once, lacks=(9,)), side(FINE)]) == twice.complaints[1:]
    assert only_of_merge(once, [side(says((7, "x is not defined"))), side(FINE)]) == ()
    assert only_of_merge(says((3, "f, defined at line 8")), [side(says((3, "f, defined at line 7"))), side(FINE)]) == ()
