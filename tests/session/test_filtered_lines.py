"""Behind a filter the lines are those on the screen, or none are named; a filter that is left out is named."""

import os
from pathlib import Path

import pytest

from sidecar.model.messages import overlap_sentence
from sidecar.model.overlaps import Overlap, counterparts
from sidecar.model.settings import Options
from sidecar.session.once import look
from tests.harness import Executable, add_worktree, commit, commit_index, git, init, write
from tests.session.pictures import pictured
from tests.session.watching import watching

LEFT_OUT = "The repository's own filter was left out, because the repository is not trusted."
NOT_NAMED = "Lines that a filter keeps from git are not named."


@pytest.fixture
def main(tmp_path: Path, home: Path) -> Path:
    """A filter that keeps the lines with `output` from git, one that stores something else; both are the person's."""
    tools = {
        "strip": Executable("#!/bin/sh\ngrep -v ^output\nexit 0\n"),
        "store": Executable("#!/bin/sh\necho stored; md5sum | cut -c1-32\n"),
    }
    write(home, dict(tools))
    for name, program in (("nb", "strip"), ("big", "store")):
        git(home, "config", "--file", ".gitconfig", f"filter.{name}.clean", str(home / program))
    main = init(tmp_path / "main")
    commit(main, {"n.nb": "".join(f"{number}\n" for number in range(1, 9)), ".gitattributes": "*.nb filter=nb\n"})
    return main


def _only(main: Path, *, trusted: bool = False) -> Overlap:
    found = pictured(look(main, Options(trusted=trusted))).overlaps
    assert len(found) == 1, found
    return found[0]


def _add(worktree: Path, home: Path) -> None:
    """Commit everything through the person's filters."""
    git(worktree, "add", "--all", env={"GIT_CONFIG_GLOBAL": str(home / ".gitconfig")})
    commit_index(worktree)


def _regions(overlap: Overlap) -> list[list[tuple[int, int, bool]]]:
    return [[(region.start, region.end, region.whole) for region in side.regions] for side in overlap.sides]


def _numbers(**changed: str) -> str:
    return "".join(changed.get(f"l{number}", f"{number}") + "\n" for number in range(1, 9))


def test_lines_are_counted_as_the_file_has_them(main: Path) -> None:
    one, two = add_worktree(main, "one"), add_worktree(main, "two")
    write(one, {"n.nb": "output\noutput\n" + _numbers(l5="one")})
    write(two, {"n.nb": _numbers(l5="output\ntwo")})
    overlap = _only(main)
    assert (overlap.verdict, overlap.note, _regions(overlap)) == ("conflict", None, [[(7, 7, False)], [(6, 6, False)]])


def test_a_conflict_is_named_by_no_line_where_git_has_something_else_there(main: Path, home: Path) -> None:
    write(main, {".gitattributes": "*.big filter=big\n", "x.big": "1\n"})
    _add(main, home)
    one, two = add_worktree(main, "one"), add_worktree(main, "two")
    write(one, {"x.big": "one\n" * 30})
    _add(one, home)
    write(two, {"x.big": "two\n" * 30})
    overlap = _only(main)
    assert (overlap.verdict, overlap.note) == ("conflict", NOT_NAMED)
    assert _regions(overlap) == [[(1, 1, True)], [(1, 1, True)]]
    (pair, *_) = counterparts(*overlap.sides, overlap.verdict)
    said = overlap_sentence(overlap, *overlap.sides, [] if pair[1].whole else [pair[1]])
    assert said == f"Conflicts with two, which changed this file. {NOT_NAMED}"


def test_with_trunk_that_has_no_file_of_its_own(main: Path) -> None:
    """Trunk's side is no file on a screen."""
    one = add_worktree(main, "one")
    write(one, {"n.nb": "output\n" + _numbers(l5="one")})
    commit(main, {"n.nb": _numbers(l5="trunk")})
    overlap = _only(main)
    assert (overlap.verdict, overlap.note, _regions(overlap)) == (
        "conflict",
        NOT_NAMED,
        [[(6, 6, False)], [(1, 1, True)]],
    )


def test_a_text_that_is_not_saved_names_no_line(main: Path) -> None:
    one, two = add_worktree(main, "one"), add_worktree(main, "two")
    commit(two, {"n.nb": _numbers(l5="two")})
    with watching(main) as live:
        live.session.set_unsaved(str(one / "n.nb"), "output\n" + _numbers(l5="typed"), 1)
        (overlap,) = live.settled(one / "n.nb", 1).overlaps
        assert (overlap.verdict, overlap.note, _regions(overlap)) == (
            "conflict",
            NOT_NAMED,
            [[(1, 1, True)], [(5, 5, False)]],
        )


@pytest.fixture
def own(main: Path, home: Path) -> Path:
    """The same filter, but the repository's own."""
    git(home, "config", "--file", ".gitconfig", "--remove-section", "filter.nb")
    git(main, "config", "filter.nb.clean", str(home / "strip"))
    return main


def test_a_filter_that_is_left_out_is_named(own: Path) -> None:
    """Only what it stores differently on disk meets at all; trusted, nothing does."""
    one, two = add_worktree(own, "one"), add_worktree(own, "two")
    for worktree, name in ((one, "one"), (two, "two")):
        write(worktree, {"n.nb": _numbers(l8=f"8\noutput {name}")})
    assert (_only(own).verdict, _only(own).note) == ("conflict", LEFT_OUT)
    assert pictured(look(own, Options(trusted=True))).overlaps == ()


def test_it_is_named_where_one_side_is_committed(own: Path) -> None:
    one, two = add_worktree(own, "one"), add_worktree(own, "two")
    commit(one, {"n.nb": _numbers(l8="one")})
    write(two, {"n.nb": _numbers(l8="output")})
    os.utime(two / "n.nb", (1, 1))
    assert LEFT_OUT in (_only(own).note or "")


def test_it_takes_no_part_in_what_is_committed(own: Path) -> None:
    for name in ("one", "two"):
        commit(add_worktree(own, name), {"n.nb": _numbers(l8=name)})
    assert LEFT_OUT not in (_only(own).note or "")
