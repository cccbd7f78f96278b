"""A Picture of a few paths says what the whole Picture says of them."""

from pathlib import Path

import pytest

from sidecar.model.overlaps import Overlap
from sidecar.model.picture import Picture
from sidecar.model.settings import Options
from sidecar.session.at_paths import look_at_paths
from sidecar.session.once import look
from sidecar.session.unsaved import Unsaved
from tests.harness import add_worktree, commit, git, write
from tests.harness.sample import Sample, build


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return build(tmp_path_factory.mktemp("sample") / "sample")


def picture_of(folder: Path) -> Picture:
    picture = look(folder, Options(), prove=False)
    assert isinstance(picture, Picture)
    return picture


def at(key: str, *paths: str) -> set[Overlap]:
    picture = look_at_paths(key, paths, Options())
    assert isinstance(picture, Picture)
    return set(picture.overlaps)


def expected(picture: Picture, key: str, path: str) -> set[Overlap]:
    """The overlaps of the worktree at a path, by any of its names there."""
    found = set()
    for overlap in picture.overlaps:
        sides = overlap.seen_from(key)
        if sides is not None:
            mine = next(state for state in picture.worktrees if state.worktree.key == key)
            change = mine.changes.named(sides[0].path) if mine.changes is not None else None
            if path in {overlap.path, sides[0].path, *(change.names if change is not None else ())}:
                found.add(overlap)
    return found


def test_every_changed_file_of_the_sample(sample: Sample) -> None:
    picture = picture_of(sample.main)
    seen = 0
    for state in picture.worktrees:
        for path in sorted(state.changes.changes) if state.changes is not None else ():
            wanted = expected(picture, state.worktree.key, path)
            assert at(state.worktree.key, path) == wanted, (state.worktree.name, path)
            seen += len(wanted)
    assert seen > 10


def test_a_file_renamed_without_a_commit_is_known_by_both_names(repo: Path) -> None:
    commit(repo, {"a.txt": "".join(f"{number}\n" for number in range(20))})
    one, two = add_worktree(repo, "one"), add_worktree(repo, "two")
    git(one, "mv", "a.txt", "b.txt")
    text = (two / "a.txt").read_text()
    write(two, {"a.txt": text.replace("3\n", "THEIRS\n", 1)})
    write(one, {"b.txt": text.replace("3\n", "OURS\n", 1)})
    picture = picture_of(repo)
    assert {overlap.verdict for overlap in picture.overlaps} == {"conflict"}
    assert at(str(one), "b.txt") == set(picture.overlaps)
    assert at(str(two), "a.txt") == set(picture.overlaps)


def test_a_file_that_another_deleted_without_a_commit(repo: Path) -> None:
    commit(repo, {"a.txt": "one\ntwo\n"})
    one, two = add_worktree(repo, "one"), add_worktree(repo, "two")
    write(two, {"a.txt": None})
    write(one, {"a.txt": "one\nOURS\n"})
    assert at(str(one), "a.txt") == set(picture_of(repo).overlaps) != set()


def test_attributes_that_another_has_changed_decide(repo: Path) -> None:
    commit(repo, {"a.txt": "one\ntwo\nthree\n"})
    one, two = add_worktree(repo, "one"), add_worktree(repo, "two")
    for worktree, word in ((one, "OURS"), (two, "THEIRS")):
        write(worktree, {".gitattributes": "a.txt merge=union\n", "a.txt": f"one\n{word}\nthree\n"})
        commit(worktree)
    (found,) = at(str(one), "a.txt")
    assert found.verdict == "clean"
    assert {found} == {one for one in picture_of(repo).overlaps if one.path == "a.txt"}


def test_attributes_that_are_not_committed_decide(repo: Path) -> None:
    commit(repo, {"d/a.txt": "one\ntwo\nthree\n"})
    one, two = add_worktree(repo, "one"), add_worktree(repo, "two")
    for worktree in (repo, one, two):
        write(worktree, {"d/a.txt": f"one\n{worktree.name}\nthree\n", "d/.gitattributes": "*.txt merge=union\n"})
    picture = picture_of(repo)
    assert {overlap.verdict for overlap in picture.overlaps if overlap.path == "d/a.txt"} == {"clean"}
    for worktree in (repo, one, two):
        assert at(str(worktree), "d/a.txt") == expected(picture, str(worktree), "d/a.txt")


def test_other_files_are_not_in_it(repo: Path) -> None:
    commit(repo, {"a.txt": "base\n", "b.txt": "base\n"})
    one, two = add_worktree(repo, "one"), add_worktree(repo, "two")
    for worktree in (one, two):
        write(worktree, {"a.txt": f"{worktree.name}\n", "b.txt": f"{worktree.name}\n"})
    assert {overlap.path for overlap in at(str(one), "a.txt")} == {"a.txt"}
    assert {overlap.path for overlap in at(str(one), "a.txt", "b.txt")} == {"a.txt", "b.txt"}


def test_what_is_about_to_be_written_is_held_against_the_others(repo: Path) -> None:
    commit(repo, {"a.txt": "one\ntwo\nthree\n"})
    one, two = add_worktree(repo, "one"), add_worktree(repo, "two")
    write(two, {"a.txt": "one\nTHEIRS\nthree\n"})
    assert at(str(one), "a.txt") == set()
    planned = {"a.txt": Unsaved(b"one\nOURS\nthree\n", 1)}
    picture = look_at_paths(str(one), ["a.txt"], Options(), planned)
    assert isinstance(picture, Picture)
    assert [overlap.verdict for overlap in picture.overlaps] == ["conflict"]
    assert (one / "a.txt").read_text() == "one\ntwo\nthree\n"
