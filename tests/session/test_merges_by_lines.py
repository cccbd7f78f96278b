"""What is called clean without asking git is clean by its merge, whatever the texts; what else takes part is asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.git.judge import PathQuestion
from sidecar.git.objects import write_tree
from sidecar.model.changes import EXECUTABLE, FILE, SYMLINK, Entry
from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.session.lines import merges_by_lines
from sidecar.session.reader import Sources, open_sources
from tests.harness import commit, git, init

BASE = "".join(f"{number}\n" for number in range(9))


@contextmanager
def opened(folder: Path) -> Iterator[Sources]:
    sources = open_sources(folder, Options(trusted=True))
    assert not isinstance(sources, Failure), sources
    try:
        yield sources
    finally:
        sources.close()


@pytest.fixture
def sources(tmp_path: Path) -> Iterator[Sources]:
    main = init(tmp_path / "main")
    commit(main, {"a.txt": BASE}, "Begin")
    with opened(main) as found:
        yield found


def question(sources: Sources, *texts: str | bytes, attributes: str = "", mode: int = FILE) -> PathQuestion:
    """One path that was the first of these texts and is the others on the two sides."""
    objects = sources.quarantine.objects
    blobs = [objects.write("blob", text if isinstance(text, bytes) else text.encode()) for text in texts]
    base, ours, theirs = (Entry(mode, oid) for oid in blobs)
    tree = {"a.txt": ours, ".gitattributes": Entry(FILE, objects.write("blob", attributes.encode()))}
    return PathQuestion("a.txt", base, ours, theirs, write_tree(objects, tree))


TEXTS = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n", "}\n"]), max_size=14)
EDITS = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 3), TEXTS.map(lambda lines: lines[:3])), max_size=4)


def edited(lines: list[str], edits: list[tuple[int, int, list[str]]], tail: str) -> str:
    """The text with lines replaced, and `tail` after it."""
    result = list(lines)
    for at, count, new in edits:
        result[at : at + count] = new
    return "".join(result) + tail


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS, EDITS, EDITS, st.sampled_from(["", "no line end", "tail\n" * 400, "x\n}\n\n" * 700]))
def test_git_merges_what_is_clean_by_construction(
    sources: Sources,
    lines: list[str],
    ours: list[tuple[int, int, list[str]]],
    theirs: list[tuple[int, int, list[str]]],
    tail: str,
) -> None:
    """A long common end is what git would leave out of a comparison, but not of a merge."""
    texts = (edited(lines, edits, tail) for edits in ([], ours, theirs))
    asked = question(sources, *texts)
    if asked.base not in (asked.ours, asked.theirs) and asked.ours != asked.theirs and merges_by_lines(sources, asked):
        assert sources.judge.merge_path(asked).clean


FIRST, LAST = BASE.replace("1\n", "one\n"), BASE.replace("7\n", "seven\n")


def test_a_line_between_is_enough_and_none_is_not(sources: Sources) -> None:
    third, second = BASE.replace("3\n", "three\n"), BASE.replace("2\n", "two\n")
    assert merges_by_lines(sources, question(sources, BASE, FIRST, third))
    assert not merges_by_lines(sources, question(sources, BASE, FIRST, second))
    assert not merges_by_lines(sources, question(sources, BASE, FIRST + "end\n", LAST + "other end\n"))


def test_what_is_no_text_is_asked(sources: Sources) -> None:
    assert not merges_by_lines(sources, question(sources, BASE, FIRST, LAST.encode() + b"\0"))
    assert not merges_by_lines(sources, question(sources, BASE, FIRST, LAST, mode=SYMLINK))
    asked = question(sources, BASE, FIRST, LAST)
    other_mode = PathQuestion(asked.path, asked.base, asked.ours, Entry(EXECUTABLE, asked.theirs.oid), asked.into)
    assert not merges_by_lines(sources, other_mode)
    assert not merges_by_lines(sources, PathQuestion(asked.path, None, asked.ours, asked.theirs, asked.into))


@pytest.mark.parametrize("line", ["*.txt merge=union", "*.txt -merge", "*.txt binary", "[attr]own merge=x\n*.txt own"])
def test_where_attributes_choose_the_merge_git_is_asked(line: str, sources: Sources) -> None:
    assert not merges_by_lines(sources, question(sources, BASE, FIRST, LAST, attributes=f"{line}\n"))


@pytest.mark.parametrize("line", ["*.txt text eol=lf", "*.md merge=union", "# merge\n*.txt diff"])
def test_attributes_that_choose_none_do_not_count(line: str, sources: Sources) -> None:
    assert merges_by_lines(sources, question(sources, BASE, FIRST, LAST, attributes=f"{line}\n"))


@pytest.mark.parametrize(
    ("key", "value"), [("merge.default", "union"), ("merge.renormalize", "true"), ("core.attributesFile", "mine")]
)
def test_where_the_configuration_chooses_the_merge_git_is_asked(key: str, value: str, tmp_path: Path) -> None:
    main = init(tmp_path / "main")
    commit(main, {"a.txt": BASE, "mine": "*.txt merge=union\n"}, "Begin")
    git(main, "config", key, value)
    with opened(main) as found:
        assert not merges_by_lines(found, question(found, BASE, FIRST, LAST))
