"""Several write the states of one worktree: a guard, a restoration, a command in a terminal. They take turns."""

from pathlib import Path

import pytest

from sidecar.git.process import GitError
from sidecar.git.repository import list_worktrees
from sidecar.model.settings import Options
from sidecar.operations.guard.histories import Wish, open_histories
from sidecar.operations.guard.rewind import keep_now, with_present
from sidecar.operations.guard.states import State
from sidecar.session.present_state import PresentState
from sidecar.session.reader import Sources
from tests.harness import write
from tests.harness.states import Standing, build_standing
from tests.operations.guarding import repository, states

MOST = 1 << 30


@pytest.fixture
def at(tmp_path: Path) -> Standing:
    return build_standing(tmp_path)


def test_two_that_keep_states_of_one_worktree_lose_none_and_keep_nothing_twice(at: Standing) -> None:
    """A guard has read the refs, and a restoration in another process keeps a state before the guard's next one."""
    found = repository(at)
    worktree = next(one for one in list_worktrees(found) if one.key == str(at.worktree))

    def keep_after_another(sources: Sources, present: PresentState) -> list[str]:
        guard = open_histories(sources)
        write(at.worktree, {"of-another.txt": "kept first\n"})
        other = with_present(found, worktree, Options(), keep_now)
        assert isinstance(other, State)
        mine = guard.keep(Wish(present, safe=False, work=True), MOST)
        assert mine.before == other.commit
        again = with_present(found, worktree, Options(), keep_now)
        assert isinstance(again, State)
        same = with_present(found, worktree, Options(), lambda fresh, now: guard.keep(Wish(now, False, True), MOST))
        assert isinstance(same, State)
        assert same.commit == again.commit
        guard.drop(guard.history(present))
        guard.close()
        return [other.commit, mine.commit, again.commit]

    kept = with_present(found, worktree, Options(), keep_after_another)
    assert isinstance(kept, list)
    assert len(set(kept)) == 3
    assert states(at) == []


def test_refs_that_nobody_moved_and_that_cannot_be_moved_are_an_error(at: Standing) -> None:
    found = repository(at)
    worktree = next(one for one in list_worktrees(found) if one.key == str(at.worktree))

    def keep(sources: Sources, present: PresentState) -> None:
        guard = open_histories(sources)
        (Path(found.common_dir) / "refs/sidecar").write_text("no directory\n")
        with pytest.raises(GitError):
            guard.keep(Wish(present, safe=False, work=True), MOST)
        guard.close()

    assert with_present(found, worktree, Options(), keep) is None
