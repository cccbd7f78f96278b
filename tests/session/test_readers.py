"""Whole worktrees are read beside the session: what takes long keeps nobody waiting, and nothing of it is lost."""

from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.picture import Picture
from sidecar.model.settings import Options
from sidecar.session.pending import Pending
from sidecar.session.reader import open_sources
from sidecar.session.reading import marks_of, read_worktree
from sidecar.session.repository_state import RepositoryState
from tests.git.leaving import eventually
from tests.harness import add_worktree, commit, git, init, write
from tests.session.pictures import changes_of, sources_of, state_of
from tests.session.watching import Live, watching

TRUSTED = Options(trusted=True)


class Brake:
    """Holds up whoever reads a changed `*.slow` file of a repository, by a filter of real git."""

    def __init__(self, path: Path) -> None:
        self._held, self.reached = path / "held", path / "reached"

    def filter(self) -> str:
        return f"touch '{self.reached}'; while [ -e '{self._held}' ]; do sleep 0.02; done; cat"

    def hold(self) -> None:
        self.reached.unlink(missing_ok=True)
        self._held.touch()

    def release(self) -> None:
        self._held.unlink(missing_ok=True)

    def __enter__(self) -> None:
        """From here on the end of a failing test is not held up either."""

    def __exit__(self, *_: object) -> None:
        self.release()


@pytest.fixture
def brake(tmp_path: Path) -> Brake:
    return Brake(tmp_path)


@pytest.fixture
def repo(tmp_path: Path, brake: Brake) -> Path:
    made = init(tmp_path / "repo")
    git(made, "config", "filter.slow.clean", brake.filter())
    commit(made, {".gitattributes": "*.slow filter=slow\n", "a.txt": "1\n", "b.txt": "1\n"})
    return made


@pytest.fixture
def slow(repo: Path) -> Path:
    """A worktree that can't be read while the brake holds."""
    path = add_worktree(repo, "slow")
    write(path, {"new.slow": "new\n", "a.txt": "slow's\n"})
    return path


def read_again(live: Live, slow: Path, brake: Brake) -> None:
    """Have the session begin to read the whole worktree, which the brake holds up; before that it has to stand."""
    write(slow, {"stands.txt": "1\n"})
    live.until(lambda picture: "stands.txt" in changes_of(picture, slow))
    brake.hold()
    git(slow, "add", "a.txt")
    eventually(brake.reached.exists)


def test_a_save_elsewhere_does_not_wait(repo: Path, slow: Path, brake: Brake) -> None:
    with watching(repo, TRUSTED) as live, brake:
        read_again(live, slow, brake)
        write(repo, {"a.txt": "main's\n"})
        live.until(lambda picture: [overlap.path for overlap in picture.overlaps] == ["a.txt"])
        assert sources_of(live.pictures[-1], slow)["a.txt"] == ("unstaged",)
        brake.release()
        live.until(lambda picture: sources_of(picture, slow)["a.txt"] == ("staged",))
        live.until_fresh()


def test_a_save_in_a_worktree_that_is_being_read(repo: Path, slow: Path, brake: Brake) -> None:
    with watching(repo, TRUSTED) as live, brake:
        read_again(live, slow, brake)
        write(slow, {"b.txt": "meanwhile\n"})
        live.until(lambda picture: "b.txt" in changes_of(picture, slow))
        write(slow, {"b.txt": "1\n"})
        live.until(lambda picture: "b.txt" not in changes_of(picture, slow))
        brake.release()
        live.until(lambda picture: sources_of(picture, slow)["a.txt"] == ("staged",))
        live.until_fresh()


def test_a_commit_in_a_worktree_that_is_being_read(repo: Path, slow: Path, brake: Brake) -> None:
    with watching(repo, TRUSTED) as live, brake:
        before = state_of(live.pictures[-1], slow).worktree.head
        read_again(live, slow, brake)
        git(slow, "commit", "--quiet", "--message", "new", "--only", "a.txt", env={"GIT_OPTIONAL_LOCKS": "0"})
        write(repo, {"b.txt": "main's\n"})
        live.until(lambda picture: "b.txt" in changes_of(picture, repo))
        assert state_of(live.pictures[-1], slow).worktree.head == before, "nothing is shown that was never there"
        brake.release()
        live.until(lambda picture: sources_of(picture, slow).get("a.txt") == ("committed",))
        live.until_fresh()


def test_what_is_being_read_is_removed(repo: Path, slow: Path, brake: Brake) -> None:
    with watching(repo, TRUSTED) as live, brake:
        read_again(live, slow, brake)
        git(repo, "worktree", "remove", "--force", str(slow))
        live.until(lambda picture: len(picture.worktrees) == 1)
        brake.release()
        write(repo, {"a.txt": "last\n"})
        live.until(lambda picture: "a.txt" in changes_of(picture, repo))
        live.until_fresh()


def test_the_first_picture_does_not_wait_for_the_last_worktree(
    repo: Path, slow: Path, brake: Brake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.session.repository_state.FIRST", 0.5)
    write(repo, {"a.txt": "main's\n"})
    brake.hold()
    with watching(repo, TRUSTED) as live, brake:
        assert [state.worktree.name for state in live.pictures[0].worktrees] == ["repo"]
        write(repo, {"b.txt": "main's\n"})
        live.until(lambda picture: "b.txt" in changes_of(picture, repo))
        brake.release()
        live.until(lambda picture: [overlap.path for overlap in picture.overlaps] == ["a.txt"])
        live.until_fresh()


def test_a_worktree_is_not_read_again_for_what_happens_to_others(
    repo: Path, slow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is to be read has been when a look ends.
    monkeypatch.setattr(
        "sidecar.session.repository_state.PATIENCE", 60.0
    )  # what is to be read has been when a look ends
    other = add_worktree(repo, "other")
    sources = open_sources(repo, TRUSTED)
    assert not isinstance(sources, Failure)
    view = RepositoryState(repo, TRUSTED, sources, lambda: None, repo)
    try:
        found = view.look(Pending(), dict)
        assert isinstance(found, Picture)
        eventually(lambda: all(marks_of(reading.worktree) for reading in view.readings.values()))
        view.look(Pending(), dict)
        read = dict(view.readings)
        commit(other, {"b.txt": "other's\n"})
        found = view.look(Pending(False, refs=True, whole=set(read)), dict)
        assert isinstance(found, Picture)
        assert sources_of(found, other) == {"b.txt": ("committed",)}
        same = {key for key, reading in view.readings.items() if reading is read[key]}
        assert same == {str(repo), str(slow)}
    finally:
        view.close()


def test_marks_tell_when_an_index_is_written(repo: Path) -> None:
    sources = open_sources(repo, TRUSTED)
    assert not isinstance(sources, Failure)
    view = RepositoryState(repo, TRUSTED, sources, lambda: None, repo)
    try:
        view.look(Pending(), dict)
        (reading,) = view.readings.values()
        eventually(lambda: marks_of(reading.worktree))
        reading = read_worktree(sources, reading.worktree)
        assert reading.marks is not None and reading.marks == marks_of(reading.worktree)
        git(repo, "add", "--chmod=+x", "a.txt")
        assert marks_of(reading.worktree) is None, "just written: the next change might not show"
        eventually(lambda: marks_of(reading.worktree))
        assert marks_of(reading.worktree) != reading.marks
    finally:
        view.close()
