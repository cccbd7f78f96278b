"""In the middle of a merge what is judged is what would be committed: the commit itself then changes nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from sidecar.model.overlaps import Overlap
from sidecar.model.picture import Picture
from sidecar.model.settings import Options
from sidecar.session.at_paths import look_at_paths
from sidecar.session.once import compare, look
from tests.harness import add_worktree, commit, git, write
from tests.harness import state_of as everything_of
from tests.session.pictures import changes_of, overlaps_of, pictured, state_of
from tests.session.watching import watching

TEXT = "".join(f"line {number}\n" for number in range(1, 21))


def changed(number: int, new: str, text: str = TEXT) -> str:
    return text.replace(f"line {number}\n", new)


RESOLUTIONS = {
    "both": changed(5, "mine\ntrunk\n"),
    "neither": changed(5, "agreed\n"),
    "mine": changed(5, "mine\n"),
    "trunk": changed(5, "trunk\n"),
}
WITH_OTHER = "conflict content a.txt mine:a.txt:5-5 | other:a.txt:5-5"


@pytest.fixture
def three(repo: Path) -> tuple[Path, Path]:
    """Trunk has moved on; `mine` conflicts with it in a.txt, and with `other`, whose b.txt merges."""
    commit(repo, {"a.txt": TEXT, "b.txt": TEXT, "c.txt": TEXT})
    mine, other = add_worktree(repo, "mine"), add_worktree(repo, "other")
    commit(repo, {"a.txt": changed(5, "trunk\n"), "c.txt": changed(5, "trunk\n"), "new.txt": "new\n"})
    commit(mine, {"a.txt": changed(5, "mine\n"), "b.txt": changed(5, "mine\n")})
    commit(other, {"a.txt": changed(5, "other\n"), "b.txt": changed(15, "other\n")})
    return mine, other


def said(picture: Picture, name: str, other: str = "") -> list[str]:
    """What is said of the two, by verdict, path and lines."""
    return [one for one in overlaps_of(picture) if f"{name}:" in one and other in one]


def bare(picture: Picture) -> list[Overlap]:
    """The overlaps without what a commit changes by itself: where each side has its changes."""
    return [replace(one, sides=tuple(replace(side, sources=()) for side in one.sides)) for one in picture.overlaps]  # type: ignore[arg-type]


@pytest.mark.parametrize("stage", ["on the disk", "staged"])
@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_a_resolved_merge_is_judged_as_its_commit_will_be(
    repo: Path, three: tuple[Path, Path], resolution: str, stage: str
) -> None:
    mine, _ = three
    git(mine, "merge", "--quiet", "main", check=False)
    write(mine, {"a.txt": RESOLUTIONS[resolution]})
    if stage == "staged":
        git(mine, "add", "a.txt")
    before = everything_of(repo)
    middle = pictured(look(repo))
    assert everything_of(repo) == before, "looking writes nothing"
    assert said(middle, "mine", "trunk") == []
    own = {"b.txt"} | ({"a.txt"} if resolution != "trunk" else set())
    assert set(changes_of(middle, mine)) == own, "what trunk has is trunk's"
    git(mine, "commit", "--quiet", "--all", "--no-edit")
    assert bare(middle) == bare(pictured(look(repo)))


def test_nobody_hears_of_a_merge_that_is_not_resolved_yet(repo: Path, three: tuple[Path, Path]) -> None:
    mine, _ = three
    assert said(pictured(look(repo)), "mine", "trunk") == ["conflict content a.txt mine:a.txt:5-5 | trunk:a.txt:5-5"]
    git(mine, "merge", "--quiet", "main", check=False)
    assert said(pictured(look(repo)), "mine", "trunk") == []
    git(mine, "merge", "--abort")
    assert said(pictured(look(repo)), "mine", "trunk") == ["conflict content a.txt mine:a.txt:5-5 | trunk:a.txt:5-5"]


def test_merging_another_worktree_ends_the_conflict_with_it_alone(repo: Path, three: tuple[Path, Path]) -> None:
    mine, other = three
    git(mine, "merge", "--quiet", "other", check=False)
    write(mine, {"a.txt": changed(5, "mine\nother\n")})
    middle = pictured(look(repo))
    assert said(middle, "mine", "other:") == []
    assert said(middle, "mine", "trunk") == ["conflict content a.txt mine:a.txt:5-6 | trunk:a.txt:5-5"]
    compared = compare(repo, "mine", "other")
    assert not isinstance(compared, Exception) and getattr(compared, "overlaps", None) == ()
    commit(other, {"b.txt": changed(5, "other again\n")})
    met = said(pictured(look(repo)), "mine", "other:")
    assert met == ["conflict content b.txt mine:b.txt:5-5 | other:b.txt:5-5"], "what it did since counts"


def test_several_are_merged_at_once(repo: Path, three: tuple[Path, Path]) -> None:
    mine, _ = three
    for name in ("third", "fourth"):
        commit(add_worktree(repo, name, start="main~1"), {f"{name}.txt": f"{name}\n"})
    git(mine, "merge", "--quiet", "--no-commit", "third", "fourth")
    write(mine, {"third.txt": "mended\n", "fourth.txt": "mended\n"})
    middle = pictured(look(repo))
    assert len(state_of(middle, mine).worktree.merging) == 2
    assert said(middle, "mine", "third:") == said(middle, "mine", "fourth:") == []
    git(mine, "commit", "--quiet", "--all", "--no-edit")
    assert bare(middle) == bare(pictured(look(repo)))


def test_a_squash_is_not_merged(repo: Path, three: tuple[Path, Path]) -> None:
    """Its commit will not have trunk among its parents, so the next merge stops again."""
    mine, _ = three
    git(mine, "merge", "--quiet", "--squash", "main", check=False)
    write(mine, {"a.txt": RESOLUTIONS["both"]})
    git(mine, "add", "--all")
    assert any(one.startswith("conflict content a.txt ") for one in said(pictured(look(repo)), "mine", "trunk"))


@pytest.mark.parametrize("backend", ["--merge", "--apply"])
def test_a_resolved_rebase_is_quiet(repo: Path, three: tuple[Path, Path], backend: str) -> None:
    mine, _ = three
    git(mine, "rebase", "--quiet", backend, "main", check=False)
    write(mine, {"a.txt": RESOLUTIONS["both"]})
    assert said(pictured(look(repo)), "mine", "trunk") == []
    git(mine, "add", "a.txt")
    middle = pictured(look(repo))
    assert said(middle, "mine", "trunk") == []
    git(mine, "-c", "core.editor=true", "rebase", "--continue")
    assert bare(middle) == [
        replace(one, sides=tuple(replace(side, ref=_ref(middle, side.key, side.ref)) for side in one.sides))  # type: ignore[arg-type]
        for one in bare(pictured(look(repo)))
    ]


def _ref(picture: Picture, key: str, ref: str) -> str:
    return next((state.worktree.ref for state in picture.worktrees if state.worktree.key == key), ref)


@pytest.mark.parametrize("content", ["", "nonsense\n", f"{'1' * 40}\n"])
def test_what_is_no_commit_is_not_merged(repo: Path, three: tuple[Path, Path], content: str) -> None:
    mine, _ = three
    before = overlaps_of(pictured(look(repo)))
    Path(git(mine, "rev-parse", "--absolute-git-dir"), "MERGE_HEAD").write_text(content)
    picture = pictured(look(repo))
    assert overlaps_of(picture) == before and state_of(picture, mine).problem is None


def test_an_edit_is_judged_alike_in_the_middle_of_a_merge(repo: Path, three: tuple[Path, Path]) -> None:
    """For an agent that asks about one file: what the merge has staged elsewhere is not taken for its own."""
    mine, other = three
    git(mine, "merge", "--quiet", "main", check=False)
    write(mine, {"a.txt": RESOLUTIONS["both"]})
    whole = [one for one in pictured(look(repo)).overlaps if one.path == "a.txt" and one.seen_from(str(mine))]
    for key in (mine, other):
        asked = pictured(look_at_paths(str(key), ["a.txt"], Options()))
        assert [one for one in asked.overlaps if one.seen_from(str(mine))] == whole


def test_a_live_session_is_quiet_as_soon_as_the_merge_begins_and_not_before_it_ends(
    repo: Path, three: tuple[Path, Path]
) -> None:
    mine, _ = three
    with watching(repo) as watcher:
        watcher.until(lambda picture: said(picture, "mine", "trunk") != [])
        git(mine, "merge", "--quiet", "main", check=False)
        watcher.until(lambda picture: said(picture, "mine", "trunk") == [])
        write(mine, {"a.txt": RESOLUTIONS["both"]})
        git(mine, "add", "a.txt")
        git(mine, "commit", "--quiet", "--no-edit")
        committed = watcher.until(lambda picture: state_of(picture, mine).behind == 0)
        assert said(committed, "mine", "trunk") == []
        git(mine, "reset", "--quiet", "--hard", "HEAD~1")
        watcher.until(lambda picture: said(picture, "mine", "trunk") != [])
