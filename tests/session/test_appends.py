"""Where both sides add lines at the end of the same list it is said, whatever git makes of it; logs are left out."""

from pathlib import Path

import pytest

from sidecar.model.messages import overlap_notes
from sidecar.model.overlaps import Overlap
from sidecar.session.once import look
from tests.harness import add_worktree, commit, init
from tests.session.pictures import pictured

ROUTES = 'routes = [\n    "a",\n    "b",\n]\n\n\ndef find():\n    return routes\n'
SAID = "Both add lines at the end of the same list, so both may be meant."


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return init(tmp_path / "shop")


def meet(shop: Path, path: str, before: str, one: str, two: str, attributes: str = "") -> Overlap:
    """The overlap of two worktrees that make this of a file, and no more."""
    commit(shop, {path: before, **({".gitattributes": attributes} if attributes else {})}, "Begin")
    for name, text in (("one", one), ("two", two)):
        commit(add_worktree(shop, name, start="main"), {path: text}, name)
    (overlap,) = pictured(look(shop)).overlaps
    return overlap


def added(text: str, line: str, before: str = "]\n") -> str:
    return text.replace(before, f"{line}\n{before}", 1) if before else f"{text}{line}\n"


@pytest.mark.parametrize(("path", "before"), [("routes.py", "]\n"), ("routes.py", ""), ("rows.sql", "")])
def test_a_conflict_at_the_end_of_a_list_or_file_keeps_its_verdict_and_says_so(
    shop: Path, path: str, before: str
) -> None:
    overlap = meet(shop, path, ROUTES, added(ROUTES, '    "c",', before), added(ROUTES, '    "d",', before))
    assert (overlap.verdict, overlap.appended, overlap_notes(overlap)) == ("conflict", True, [SAID])


def test_what_git_merges_by_union_is_said_too(shop: Path) -> None:
    overlap = meet(shop, "routes.py", ROUTES, added(ROUTES, "c"), added(ROUTES, "d"), "*.py merge=union\n")
    assert (overlap.verdict, overlap.appended) == ("clean", True)


@pytest.mark.parametrize("path", ["CHANGELOG.md", "docs/changes.rst", "NEWS", "HISTORY.txt", ".gitignore"])
def test_a_log_that_git_merges_by_union_is_quiet(shop: Path, path: str) -> None:
    overlap = meet(shop, path, ROUTES, added(ROUTES, "c", ""), added(ROUTES, "d", ""), "* merge=union\n")
    assert (overlap.verdict, overlap.appended) == ("clean", False)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (ROUTES.replace('"b",', '"B",\n    "c",'), added(ROUTES, '    "d",')),
        (added(ROUTES, '    "c",', '    "b",'), added(ROUTES, '    "d",', '    "b",')),
        (added(ROUTES, '    "c",').replace("return routes", "return 1"), added(ROUTES, "d").replace("routes\n", "2\n")),
        (added(ROUTES, '    "c",'), added(ROUTES, "    # end", "def find")),
        (added(ROUTES, '    "c",'), added(ROUTES, '    "c",')),
        (added(ROUTES, '    "c",'), added(ROUTES, '    "c",').replace("return routes", "return 1")),
    ],
)
def test_what_is_more_than_that_or_elsewhere_is_not(shop: Path, one: str, two: str) -> None:
    assert not meet(shop, "routes.py", ROUTES, one, two).appended
