"""Every state in which work could be lost, held, destroyed and brought back."""

import subprocess
from pathlib import Path

import pytest

from sidecar.git.snapshot.values import Snapshot
from tests.git.opening import opened
from tests.git.snapshot.portrait import destroy, hold, portrait, restored, without
from tests.harness import git
from tests.harness.states import STATES, State, allows, build_standing


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_comes_back_as_it_was(state: State, tmp_path: Path) -> None:
    """Of a snapshot for which every file was read; one that goes by git's status holds the same."""
    if not allows(state.needs):
        pytest.skip("This machine does not allow it.")
    at = build_standing(tmp_path)
    try:
        state.put(at)
        on = git(at.worktree, "symbolic-ref", "--short", "-q", "HEAD", check=False)
        branch = None if "detached" in state.name else on or "feat-1"
        broken = _complaints(at.main)
        before = portrait(at.worktree, branch)
        quick = hold(at.main, at.worktree, rehash=False)
        snapshot = hold(at.main, at.worktree, rehash=True)
        assert portrait(at.worktree, branch) == before
        assert (_content(at.main, quick), quick.unheld) == (_content(at.main, snapshot), snapshot.unheld)
    finally:
        state.undo(at)
    destroy(at.main, at.worktree, branch)
    back = restored(opened(at.main), snapshot.commit, at.worktree)
    after = portrait(at.worktree, branch)
    if state.name == "branch checked out twice":
        assert back.branches == (("feat-1", "feat-1-restored"),)
        _forget_the_name(before)
        _forget_the_name(after)
    assert without(after, snapshot.unheld) == without(before, snapshot.unheld)
    if not broken:
        assert not _complaints(at.main)


def _content(repo: Path, snapshot: Snapshot) -> str:
    """What git knows a snapshot's tree and parents by."""
    return git(repo, "rev-parse", f"{snapshot.commit}^{{tree}}", f"{snapshot.commit}^@", "--")


def _forget_the_name(seen: dict[str, object]) -> None:
    for name in [name for name in seen if name.startswith(("branch", "admin/HEAD", "admin/rebase"))]:
        del seen[name]
    seen["status"] = tuple(row for row in seen["status"] if not row.startswith(b"# branch"))  # type: ignore[attr-defined]


def _complaints(repo: Path) -> str:
    done = subprocess.run(["git", "fsck", "--strict", "--no-dangling"], cwd=repo, capture_output=True, text=True)
    return done.stdout if done.returncode else ""
