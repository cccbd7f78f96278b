"""What one side takes away and another newly uses is found on real repositories, whichever of the two trunk is."""

from pathlib import Path

import pytest

from sidecar.model.picture import Picture
from sidecar.model.settings import Options
from sidecar.session.asking import ask_picture_at
from sidecar.session.at_paths import cut_to_paths, look_at_paths
from sidecar.session.once import look
from sidecar.system.place import find_place
from tests.git.leaving import eventually
from tests.harness import Content, add_worktree, commit, git, init, write
from tests.session.attaching import attached, is_nothing_left
from tests.session.breaking_uses import TOLD, Case, Files
from tests.session.innocent_uses import INNOCENT
from tests.session.pictures import pictured

Said = list[tuple[str, str, str, bool | None]]


def made(case: Case, tmp_path: Path) -> Path:
    main = init(tmp_path / "shop")
    commit(main, dict(case.base), "Begin")
    for name, files in (("taking", case.taking), ("using", case.using)):
        commit(add_worktree(main, name), contents(files), name)
    return main


def contents(files: Files) -> dict[str, Content]:
    return dict(files)


def said(picture: Picture, taking: str | None, using: str | None) -> Said:
    """What is told, all of it between these two (None: trunk)."""
    assert {(one.removed.name, one.used.name) for one in picture.broken_uses} <= {(taking, using)}
    return [(one.did, one.symbol, f"{one.used.path}:{one.used.line}", one.nowhere) for one in picture.broken_uses]


@pytest.mark.parametrize("case", [*TOLD, *INNOCENT], ids=lambda case: case.name)
def test_a_pair(case: Case, tmp_path: Path) -> None:
    main = made(case, tmp_path)
    expected = [case.told] if case.told is not None else []
    assert said(pictured(look(main)), "taking", "using") == expected
    git(main, "merge", "--quiet", "taking")
    assert said(pictured(look(main)), None, "using") == expected
    git(main, "reset", "--quiet", "--hard", "using")
    assert said(pictured(look(main)), "taking", None) == expected


def test_there_are_enough_pairs() -> None:
    languages = {case.name.partition("-")[0] for case in TOLD}
    assert {"python", "javascript", "typescript", "go", "rust", "java"} <= languages
    assert len(TOLD) >= 20
    assert len(INNOCENT) >= 20


def test_one_worktree_alone_and_its_files_see_what_is_theirs(tmp_path: Path) -> None:
    main = made(TOLD[0], tmp_path)
    add_worktree(main, "nobody")
    (found,) = pictured(look(main)).broken_uses
    for name, path, seen in (
        ("taking", "pkg/a.py", 1),
        ("using", "app.py", 1),
        ("using", "pkg/b.py", 0),
        ("nobody", "app.py", 0),
    ):
        at_path = pictured(look_at_paths(str(tmp_path / name), [path], Options()))
        assert at_path.broken_uses == (found,) * seen
        assert cut_to_paths(pictured(look(main)), str(tmp_path / name), [path]).broken_uses == (found,) * seen


def test_what_both_have_from_one_of_them_is_no_news(tmp_path: Path) -> None:
    """A worktree that was made of the other's branch has its uses, and what it removes it removes knowingly."""
    case = TOLD[0]
    main = init(tmp_path / "shop")
    commit(main, dict(case.base), "Begin")
    using = add_worktree(main, "using")
    commit(using, contents(case.using), "Use")
    git(main, "worktree", "add", "--quiet", "-b", "taking", str(tmp_path / "taking"), "using")
    commit(tmp_path / "taking", {**contents(case.taking), "app.py": "VALUE = 1\n"}, "Remove with its use")
    assert pictured(look(main)).broken_uses == ()


def test_a_third_is_told_of_trunk_alone_once_that_has_removed_it(tmp_path: Path) -> None:
    main = made(TOLD[0], tmp_path)
    git(main, "merge", "--quiet", "taking")
    git(tmp_path / "taking", "merge", "--quiet", "main")
    commit(tmp_path / "taking", {"more.py": "x = 1\n"}, "More")
    assert [(one.removed.name, one.used.name) for one in pictured(look(main)).broken_uses] == [(None, "using")]


def test_with_several_merge_bases_git_says_what_the_merge_has(tmp_path: Path) -> None:
    main = init(tmp_path / "shop")
    commit(main, dict(TOLD[0].base), "Begin")
    taking, using = add_worktree(main, "taking"), add_worktree(main, "using")
    first, second = commit(taking, {"one.txt": "1\n"}, "One"), commit(using, {"two.txt": "2\n"}, "Two")
    git(taking, "merge", "--quiet", "--no-ff", "-m", "Cross", second)
    git(using, "merge", "--quiet", "--no-ff", "-m", "Cross", first)
    commit(taking, contents(TOLD[0].taking), "Remove")
    commit(using, contents(TOLD[0].using), "Use")
    assert said(pictured(look(main)), "taking", "using") == [TOLD[0].told]


def test_a_session_gives_it_to_its_doors_and_to_who_asks(tmp_path: Path) -> None:
    main = made(TOLD[0], tmp_path)
    with attached(main) as door:
        (found,) = door.until(lambda picture: picture.broken_uses).broken_uses
        place = find_place(str(tmp_path / "using"))
        assert place is not None
        at_path = ask_picture_at(place, Options(), ["app.py"])
        assert at_path is not None and at_path.broken_uses == (found,)
        write(tmp_path / "using", {"app.py": "VALUE = 1\n"})
        door.until(lambda picture: not picture.broken_uses)
    eventually(is_nothing_left)
