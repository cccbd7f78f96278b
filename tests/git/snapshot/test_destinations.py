"""Where a worktree comes back to, when its place, its branch or its name is taken, or was never gone."""

import os
from pathlib import Path

import pytest

from sidecar.git.snapshot.read import check_snapshot
from tests.git.opening import opened
from tests.git.snapshot.portrait import administrative, destroy, hold, portrait, refused, restored
from tests.git.snapshot.puts import everything
from tests.harness import add_worktree, commit, git, write


def test_into_another_place(pair: tuple[Path, Path], tmp_path: Path) -> None:
    repo, worktree = pair
    everything(worktree)
    before = portrait(worktree, "feat")
    snapshot = hold(repo, worktree)
    destroy(repo, worktree, "feat")
    other = tmp_path / "new/place with space"
    restored(opened(repo), snapshot.commit, other)
    assert portrait(other, "feat") == before
    assert git(other, "rev-parse", "--show-toplevel") == str(other)


def test_into_an_empty_directory(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    before = portrait(worktree, "feat")
    snapshot = hold(repo, worktree)
    destroy(repo, worktree, "feat")
    worktree.mkdir()
    restored(opened(repo), snapshot.commit, worktree)
    assert portrait(worktree, "feat") == before


@pytest.mark.parametrize("kind", ["file", "directory", "link", "dangling link"])
def test_nothing_that_is_there_is_overwritten(kind: str, pair: tuple[Path, Path], tmp_path: Path) -> None:
    repo, worktree = pair
    snapshot = hold(repo, worktree)
    destroy(repo, worktree, "feat")
    target = tmp_path / "target"
    if kind == "file":
        worktree.write_text("mine")
    elif kind == "directory":
        write(worktree, {"mine": "mine"})
    else:
        worktree.symlink_to(target)
        if kind == "link":
            target.mkdir()
    failure = refused(opened(repo), snapshot.commit, worktree)
    assert failure.code == "path-taken"
    assert str(worktree) in failure.message
    assert git(repo, "branch", "--list", "feat") == ""
    assert not list((repo / ".git/worktrees").glob("*"))
    if kind == "link":
        assert list(target.iterdir()) == []


def test_twice(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    everything(worktree)
    before = portrait(worktree, "feat")
    snapshot = hold(repo, worktree)
    destroy(repo, worktree, "feat")
    restored(opened(repo), snapshot.commit, worktree)
    assert restored(opened(repo), snapshot.commit, worktree).path == str(worktree)
    assert portrait(worktree, "feat") == before
    write(worktree, {"a": "newer\n"})
    assert refused(opened(repo), snapshot.commit, worktree).code == "path-taken"
    assert (worktree / "a").read_text() == "newer\n"
    second = restored(opened(repo), snapshot.commit, worktree.with_name("second"))
    assert (second.branch, second.branches) == ("feat-restored", (("feat", "feat-restored"),))
    assert git(repo, "rev-parse", "feat") == git(repo, "rev-parse", "feat-restored")


def test_a_branch_that_went_on_is_theirs(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    git(worktree, "config", "branch.feat.description", "mine")
    tip, log = git(worktree, "rev-parse", "HEAD"), git(worktree, "reflog", "show", "--format=%H %gs", "feat")
    snapshot = hold(repo, worktree)
    destroy(repo, worktree, "feat")
    git(repo, "branch", "feat", "main")
    git(repo, "branch", "feat-restored", "main")
    back = restored(opened(repo), snapshot.commit, worktree)
    assert (back.branch, back.branches) == ("feat-restored-2", (("feat", "feat-restored-2"),))
    assert any("feat-restored-2" in note for note in back.notes)
    assert git(worktree, "rev-parse", "HEAD") == tip
    assert git(repo, "rev-parse", "feat") == git(repo, "rev-parse", "main")
    assert git(worktree, "reflog", "show", "--format=%H %gs", "feat-restored-2") == log
    assert git(worktree, "config", "branch.feat-restored-2.description") == "mine"


def test_a_branch_whose_name_is_a_directory_now(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    snapshot = hold(repo, worktree)
    destroy(repo, worktree, "feat")
    git(repo, "branch", "feat/more")
    assert restored(opened(repo), snapshot.commit, worktree).branch == "feat-restored"


def test_a_rebase_goes_on_after_its_branch_got_another_name(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    commit(worktree, {"z": "z\n"})
    git(worktree, "rebase", "-i", "HEAD~2", env={"GIT_SEQUENCE_EDITOR": "sed -i 1s/pick/edit/"})
    snapshot = hold(repo, worktree)
    destroy(repo, worktree, "feat")
    git(repo, "branch", "feat", "main")
    restored(opened(repo), snapshot.commit, worktree)
    git(worktree, "rebase", "--continue", env={"GIT_EDITOR": "true"})
    assert git(worktree, "symbolic-ref", "--short", "HEAD") == "feat-restored"
    assert git(repo, "rev-parse", "feat") == git(repo, "rev-parse", "main")


def test_names_of_administrative_directories_that_are_taken(pair: tuple[Path, Path], tmp_path: Path) -> None:
    repo, worktree = pair
    snapshot = hold(repo, worktree)
    destroy(repo, worktree, "feat")
    other = add_worktree(repo, tmp_path / "x/feat", branch="other")
    back = restored(opened(repo), snapshot.commit, worktree)
    assert Path(back.git_dir).name == "feat1"
    assert git(other, "status", "--porcelain") == git(worktree, "status", "--porcelain") == ""


def test_only_the_directory_vanished(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    everything(worktree)
    before = portrait(worktree, "feat")
    snapshot = hold(repo, worktree)
    home = administrative(worktree)
    (home / "notes").write_text("younger than the snapshot")
    os.rename(worktree, worktree.with_name("gone"))
    back = restored(opened(repo), snapshot.commit, worktree)
    assert back.kept_administrative
    assert (back.git_dir, back.branch, back.branches) == (str(home), "feat", ())
    assert (home / "notes").read_text() == "younger than the snapshot"
    (home / "notes").unlink()
    after = portrait(worktree, "feat")
    assert {**after, "admin/": None} == {**before, "admin/": None}


def test_what_a_collection_took_meanwhile_is_noticed(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    everything(worktree)
    repository = opened(repo)
    snapshot = hold(repo, worktree)
    assert check_snapshot(repository, snapshot.commit) is None
    blob = git(repo, "rev-parse", f"{snapshot.commit}:files/untracked")
    (repo / ".git/objects" / blob[:2] / blob[2:]).unlink()
    failure = check_snapshot(repository, snapshot.commit)
    assert failure is not None
    assert failure.code == "bad-snapshot"
    assert check_snapshot(repository, "0" * 40) is not None
    destroyed = refused(repository, snapshot.commit, worktree.with_name("elsewhere"))
    assert "untracked" in destroyed.message
    assert not worktree.with_name("elsewhere").exists()
