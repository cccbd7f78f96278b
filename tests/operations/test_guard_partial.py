"""Guarded worktrees of a partial clone with a sparse checkout: what was left out was never fetched, and stays so."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.guard.browse import find_kept
from sidecar.operations.guard.rewind import apply_rewind, plan_rewind
from sidecar.operations.restore import list_restorable, restore
from sidecar.operations.run import Control
from tests.harness import add_worktree, commit, git, init, write
from tests.harness.states import Standing
from tests.harness.whole import as_kept, whole
from tests.operations.guarding import guarding, states, wait_until_kept


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    path = init(tmp_path / "upstream")
    commit(path, {"a.txt": "a\n", "b.txt": "b\n", "far/x.txt": "x\n", "far/y.txt": "y\n"}, "Begin")
    git(path, "config", "uploadpack.allowFilter", "true")
    git(path, "config", "uploadpack.allowAnySHA1InWant", "true")
    return path


@pytest.fixture
def at(upstream: Path) -> Standing:
    main = upstream.parent / "main"
    git(upstream.parent, "clone", "-q", "--no-checkout", "--filter=blob:none", upstream.as_uri(), main)
    git(main, "sparse-checkout", "set", "--no-cone", "/*", "!/far")
    git(main, "checkout", "-q", "main")
    worktree = add_worktree(main, "feat-1")
    commit(worktree, {"a.txt": "a\nwork\n"}, "Work")
    write(worktree, {"b.txt": "b\nunstaged\n", "new.txt": "new\n"})
    return Standing(main, worktree, upstream)


def only_the_files_are_gone(at: Standing) -> None:
    shutil.rmtree(at.worktree)


def git_removed_it(at: Standing) -> None:
    git(at.main, "worktree", "remove", "--force", at.worktree)
    git(at.main, "branch", "-D", "feat-1")


@pytest.mark.parametrize("goes", [only_the_files_are_gone, git_removed_it], ids=lambda one: one.__name__)
def test_one_that_is_gone_comes_back_without_what_was_left_out(
    at: Standing, upstream: Path, goes: Callable[[Standing], None]
) -> None:
    with guarding(at):
        wait_until_kept(at, "new.txt")
    upstream.rename(upstream.with_name("away"))
    before, status = as_kept(whole(at.worktree)), git(at.worktree, "status", "--porcelain")
    goes(at)
    listed = list_restorable(at.main, Options())
    assert not isinstance(listed, Failure)
    back = restore(at.main, listed[0].id, Options())
    assert not isinstance(back, Failure)
    assert back.outcome == "restored", back.findings
    assert as_kept(whole(at.worktree)) == before
    assert git(at.worktree, "status", "--porcelain") == status
    (told,) = [one for one in back.findings if one.code == "not-in-states"]
    assert told.paths == ("far/x.txt", "far/y.txt")
    upstream.with_name("away").rename(upstream)
    git(at.worktree, "sparse-checkout", "disable")
    assert (at.worktree / "far/x.txt").read_text() == "x\n"
    assert git(at.worktree, "status", "--porcelain") == status


def test_going_back_leaves_out_what_is_left_out(at: Standing, upstream: Path) -> None:
    with guarding(at):
        wait_until_kept(at, "new.txt")
        first = states(at)[0]
        commit(upstream, {"far/x.txt": "x, later\n", "far/y.txt": None}, "Go on")
        git(at.main, "pull", "-q")
        git(at.worktree, "merge", "-q", "--no-edit", "main")
        write(at.worktree, {"b.txt": "b\nlater\n", "late.txt": "late\n"})
        wait_until_kept(at, "late.txt")
    kept = find_kept(at.main, "feat-1", Options())
    assert not isinstance(kept, Failure)
    plan = plan_rewind(kept, first, Options())
    assert not isinstance(plan, Failure)
    assert sorted(plan.changes) == ["b.txt", "late.txt"]
    back = apply_rewind(plan, Control())
    assert back.outcome == "restored", back.findings
    assert (at.worktree / "b.txt").read_text() == "b\nunstaged\n"
    assert not (at.worktree / "far").exists()
