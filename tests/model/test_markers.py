"""Conflict markers: what git really writes is taken apart, and what is no marker is left alone."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from sidecar.model.markers import Block, contains_marker, parse_markers, resolved_as, split_lines
from tests.harness import git, init
from tests.model.examples import examples

SIZE = 31
STYLES = ("merge", "diff3", "zdiff3")

LINES = st.sampled_from(
    ["a", "b", "c", "", "<<<<<<< HEAD", "=======", ">>>>>>> x", "||||||| base", "=" * (SIZE - 1), "a\r", "é", " "]
)


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, bytes, bytes]:
    """Base, ours and theirs of a text with lines that look like markers, mixed line ends, and maybe no last one."""
    base = draw(st.lists(LINES, max_size=10))
    sides = []
    for _ in range(2):
        lines = list(base)
        for _ in range(draw(st.integers(1, 2))):
            at = draw(st.integers(0, len(lines)))
            count = draw(st.integers(0, min(2, len(lines) - at)))
            lines[at : at + count] = draw(st.lists(LINES, max_size=2))
        sides.append(lines)
    base_text, ours, theirs = ("\n".join(lines) + draw(st.sampled_from(["\n", ""])) for lines in (base, *sides))
    return base_text.encode(), ours.encode(), theirs.encode()


@examples(4)
@given(st.lists(files(), min_size=20, max_size=40), st.sampled_from(STYLES))
def test_blocks_are_what_git_resolves(cases: list[tuple[bytes, bytes, bytes]], style: str) -> None:
    """With one side's lines in every block, the file is what `git merge -X ours` (or theirs) makes of it."""
    with TemporaryDirectory() as place:
        marked, ours, theirs = _merge_thrice(Path(place), cases, style)
    for case, text, mine, other in zip(cases, marked, ours, theirs, strict=True):
        note(f"{case} {text!r}")
        segments = parse_markers(text, SIZE)
        assert segments
        assert resolved_as(segments, ours=True)[0] == split_lines(mine)
        assert resolved_as(segments, ours=False)[0] == split_lines(other)
        blocks = [segment for segment in segments if isinstance(segment, Block)]
        assert len(blocks) == text.count(b"\n" + b"<" * SIZE + b" ") + text.startswith(b"<" * SIZE + b" ")
        assert resolved_as(segments, ours=True)[1] == _spans(segments, ours=True)


def _spans(segments: list[list[bytes] | Block], *, ours: bool) -> list[tuple[int, int]]:
    at, found = 0, []
    for segment in segments:
        size = len(segment if isinstance(segment, list) else segment.ours if ours else segment.theirs)
        if isinstance(segment, Block):
            found.append((at, size))
        at += size
    return found


def _merge_thrice(place: Path, cases: list[tuple[bytes, bytes, bytes]], style: str) -> tuple[list[bytes], ...]:
    """The files as a merge leaves them: with markers, resolved as ours, resolved as theirs."""
    repository = init(place)
    (repository / ".git/info/attributes").write_text(f"* conflict-marker-size={SIZE} -text\n")
    git(repository, "config", "merge.conflictStyle", style)
    commits: list[str] = []
    for side in range(3):
        for number, case in enumerate(cases):
            (repository / f"{number:03}").write_bytes(case[side])
        git(repository, "add", "--all")
        tree = git(repository, "write-tree")
        commits.append(git(repository, "commit-tree", tree, *(["-p", commits[0]] if commits else []), "-m", str(side)))
    found = []
    for favor in ([], ["-X", "ours"], ["-X", "theirs"]):
        git(repository, "checkout", "--quiet", "--force", "--detach", commits[1])
        git(repository, "merge", "--no-commit", "--quiet", *favor, "-X", "no-renames", commits[2], check=False)
        found.append([(repository / f"{number:03}").read_bytes() for number in range(len(cases))])
    return tuple(found)


def _marked(*lines: str) -> bytes:
    """A text in which `<`, `|`, `=`, `>` at the start of a line stand for markers."""
    marks = {char: char * SIZE for char in "<|=>"}
    return "".join(marks.get(line[:1], line[:1]) + line[1:] + "\n" for line in lines).encode()


def test_no_markers_at_all() -> None:
    assert parse_markers(b"a\nb\n", SIZE) == [[b"a", b"b"]]
    assert parse_markers(b"", SIZE) == [[]]


def test_a_block_with_its_base_left_out() -> None:
    text = _marked("a", "< ours", "x", "| base", "o", "=", "y", "> theirs", "z")
    assert parse_markers(text, SIZE) == [[b"a"], Block((b"x",), (b"y",)), [b"z"]]


def test_a_base_marker_without_a_label() -> None:
    assert parse_markers(_marked("< ours", "x", "|", "o", "=", "> theirs"), SIZE) == [[], Block((b"x",), ()), []]


def test_blocks_one_after_the_other() -> None:
    text = _marked("< o", "=", "1", "> t", "< o", "2", "=", "> t")
    assert parse_markers(text, SIZE) == [[], Block((), (b"1",)), [], Block((b"2",), ()), []]


def test_markers_of_nested_merges_are_text_of_the_base() -> None:
    """With several merge bases, their own conflict stands in the base part, with longer markers."""
    longer = "<" * (SIZE + 2) + " Temporary merge branch 1\n"
    text = _marked("< o", "x", "| b") + longer.encode() + _marked("=", "y", "> t")
    assert parse_markers(text, SIZE) == [[], Block((b"x",), (b"y",)), []]


@pytest.mark.parametrize(
    "lines",
    [
        ("< o", "x"),
        ("< o", "x", "=", "y"),
        ("< o", "x", "> t"),
        ("a", "< o", "x", "| b", "y"),
        ("< o", "=", "1", "> t", "< o", "2"),
    ],
)
def test_markers_that_do_not_add_up(lines: tuple[str, ...]) -> None:
    assert parse_markers(_marked(*lines), SIZE) == []


def test_carriage_returns_belong_to_the_end_of_the_line() -> None:
    text = _marked("< o", "x", "=", "y", "> t").replace(b"\n", b"\r\n")
    assert parse_markers(text, SIZE) == [[], Block((b"x",), (b"y",)), []]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"", []),
        (b"a", [b"a"]),
        (b"a\n", [b"a"]),
        (b"\n", [b""]),
        (b"a\r\nb\r\n", [b"a", b"b"]),
        (b"a\rb\n", [b"a\rb"]),
        (b"a\x0cb\x85c\xe2\x80\xa8d\n", [b"a\x0cb\x85c\xe2\x80\xa8d"]),
        (b"a\n\n", [b"a", b""]),
        (b"a\r\r\n", [b"a\r"]),
    ],
)
def test_lines_end_where_git_ends_them(text: bytes, lines: list[bytes]) -> None:
    assert split_lines(text) == lines


@examples(200)
@given(st.lists(st.text(alphabet="<=>|a \r", max_size=6)), st.integers(1, 5))
def test_a_marker_is_told_from_text(lines: list[str], size: int) -> None:
    content = "\n".join(lines).encode()
    assert contains_marker(content, size) == any(
        line[:size] in ("<" * size, "=" * size, ">" * size, "|" * size) for line in lines
    )
