"""The guard beside git's own: submodules, tools' own files, and what of it git packs, pushes and clones."""

import shutil
from pathlib import Path

import pytest

from tests.harness import git, write
from tests.harness.states import Standing, build_standing
from tests.operations.guarding import guarding, states, wait_until_kept
from tests.operations.test_guard import STORES, as_it_was, at, bring_back, destroy, newest_receipt

__all__ = ["at"]


def test_a_git_directory_with_a_tools_own_things_is_restorable(at: Standing) -> None:
    """Gerrit's and others' hooks, isomorphic-git's objects: they are not kept, and stand in nothing's way."""
    for name in ("hooks", "objects"):
        (at.administrative / name).mkdir()
        (at.administrative / name / "own").write_text("x\n")
    before = as_it_was(at)
    with guarding(at):
        wait_until_kept(at, "untracked.txt")
    destroy(at)
    bring_back(at, newest_receipt(at))
    assert as_it_was(at) == before


def test_a_submodule_is_named_as_not_kept(at: Standing, tmp_path: Path) -> None:
    library = build_standing(tmp_path / "library").main
    at.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "lib")
    at.git("commit", "--quiet", "-m", "Use the library", "lib", ".gitmodules")
    with guarding(at):
        wait_until_kept(at, "lib")
    shutil.rmtree(at.worktree)
    said = bring_back(at, newest_receipt(at))
    assert "What was inside of submodules was not kept: lib." in said


@pytest.mark.parametrize("at", STORES, indirect=True)
def test_nothing_of_it_is_pushed_or_cloned_and_git_finds_no_fault(at: Standing, tmp_path: Path) -> None:
    with guarding(at):
        wait_until_kept(at, "untracked.txt")
        write(at.worktree, {"later.txt": "later\n"})
        wait_until_kept(at, "later.txt")
    git(at.main, "gc", "--quiet", "--prune=now")
    assert git(at.main, "fsck", "--strict", "--no-dangling") == ""
    bare = tmp_path / "bare.git"
    form = git(at.main, "rev-parse", "--show-object-format")
    git(tmp_path, "init", "--quiet", "--bare", f"--object-format={form}", str(bare))
    git(at.main, "push", "--quiet", "--all", str(bare))
    git(at.main, "push", "--quiet", "--tags", str(bare))
    git(tmp_path, "clone", "--quiet", "--no-local", str(at.main), "cloned")
    for place in (bare, tmp_path / "cloned"):
        assert git(place, "for-each-ref", "refs/sidecar") == ""
        assert git(place, "cat-file", "-t", states(at)[0].commit, check=False) == ""
