"""What a worktree can be made of, held, destroyed and brought back."""

import os
import stat
from pathlib import Path

import pytest

from sidecar.git.snapshot.read import read_snapshot
from sidecar.git.snapshot.restore import restore_snapshot
from sidecar.git.snapshot.values import Restored, Snapshot, SnapshotFacts
from sidecar.git.snapshot.write import write_snapshot
from tests.git.opening import opened, worktree_at
from tests.git.snapshot.portrait import administrative, destroy, hold, portrait, restored, without
from tests.git.snapshot.puts import PUTS, everything
from tests.harness import commit, git, git_bytes, init, write

WITH_SHA256 = (
    "everything",
    "split index",
    "sparse index",
    "index version 4",
    "a resolved conflict",
    "tags and blobs under refs/worktree",
)


@pytest.mark.parametrize(
    ("object_format", "name"), [*(("sha1", name) for name in PUTS), *(("sha256", name) for name in WITH_SHA256)]
)
def test_everything_comes_back(name: str, pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    PUTS[name](worktree)
    before = portrait(worktree, "feat")
    index = (administrative(worktree) / "index").read_bytes()
    quick = hold(repo, worktree, rehash=False)
    snapshot = hold(repo, worktree)
    assert quick.tree == snapshot.tree
    assert portrait(worktree, "feat") == before
    assert git(repo, "fsck", "--strict", "--no-dangling") == ""
    destroy(repo, worktree, "feat")
    back = restored(opened(repo), snapshot.commit, worktree)
    assert (back.path, back.branch, back.branches, back.notes) == (str(worktree), "feat", (), ())
    after = portrait(worktree, "feat")
    assert without(after, snapshot.unheld) == without(before, snapshot.unheld)
    if name != "split index":
        assert (administrative(worktree) / "index").read_bytes() == index
    git(repo, "gc", "--quiet", "--prune=now")
    assert git(repo, "fsck", "--strict", "--no-dangling") == ""
    assert [path.name for path in worktree.parent.iterdir() if "sidecar" in path.name] == []
    assert list((repo / ".git/sidecar").iterdir()) == []


def test_only_what_is_named_is_missing(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    write(worktree, {"my.secret": "s\n", "out/x": "x\n", "kept/my.secret": "s\n", "a.txt": "x"})
    commit(init(worktree / "inner"), {"f": "f"})
    os.mkfifo(worktree / "fifo")
    os.link(worktree / "a.txt", worktree / "b.txt")
    snapshot = hold(repo, worktree)
    assert {(item.code, item.path) for item in snapshot.unheld} == {
        ("ignored", "my.secret"),
        ("ignored", "out"),
        ("ignored", "kept/my.secret"),
        ("nested-repository", "inner"),
        ("special-file", "fifo"),
        ("hard-link", "a.txt"),
        ("hard-link", "b.txt"),
    }
    facts = read_snapshot(opened(repo), snapshot.commit)
    assert isinstance(facts, SnapshotFacts)
    assert {item.code for item in facts.unheld} == {"nested-repository", "special-file", "hard-link"}
    assert (facts.name, facts.path, facts.branch, facts.files) == ("feat", str(worktree), "feat", snapshot.files)
    held = git_bytes(repo, "grep", "-a", "-e", "secret", snapshot.commit, "--", ":!files/.gitignore", check=False)
    assert b"my.secret" not in held
    destroy(repo, worktree, "feat")
    restored(opened(repo), snapshot.commit, worktree)
    assert sorted(path.name for path in worktree.iterdir()) == sorted(
        [".git", ".gitignore", "a", "a.txt", "b.txt", "c", "d", "inner", "kept"]
    )
    assert list((worktree / "inner").iterdir()) == list((worktree / "kept").iterdir()) == []


def test_the_main_worktree_is_refused(repo: Path) -> None:
    repository = opened(repo)
    failure = write_snapshot(repository, worktree_at(repository, repo))
    assert not isinstance(failure, Snapshot)
    assert failure.code == "main-worktree"


def test_a_worktree_whose_git_file_was_swapped_is_refused(pair: tuple[Path, Path], tmp_path: Path) -> None:
    repo, worktree = pair
    repository = opened(repo)
    listed = worktree_at(repository, worktree)
    (worktree / ".git").write_text(f"gitdir: {init(tmp_path / 'evil')}/.git\n")
    failure = write_snapshot(repository, listed)
    assert not isinstance(failure, Snapshot)
    assert failure.code == "unreadable-worktree"


def test_what_is_too_large_is_left_out_or_refused(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    write(worktree, {"large": b"x" * 5000, "small": b"y" * 100})
    repository = opened(repo)
    snapshot = hold(repo, worktree, largest=1000)
    assert ("too-large", "large") in {(item.code, item.path) for item in snapshot.unheld}
    objects = git(repo, "count-objects", "-v")
    failure = write_snapshot(repository, worktree_at(repository, worktree), most=1000)
    assert not isinstance(failure, Snapshot)
    assert failure.code == "too-large"
    assert git(repo, "count-objects", "-v") == objects


def test_nothing_of_the_repository_runs(pair: tuple[Path, Path], tmp_path: Path) -> None:
    repo, worktree = pair
    canary = tmp_path / "canary"
    evil = f"touch {canary}; cat"
    git(repo, "config", "extensions.worktreeConfig", "true")
    for key in ("filter.evil.clean", "filter.evil.smudge", "core.fsmonitor", "diff.external", "core.sshCommand"):
        git(worktree, "config", "--worktree", key, evil)
        git(repo, "config", key, evil)
    for hook in ("post-index-change", "reference-transaction", "post-checkout"):
        path = repo / f".git/hooks/{hook}"
        path.write_text(f"#!/bin/sh\ntouch {canary}\n")
        path.chmod(0o755)
    write(worktree, {".gitattributes": "* filter=evil diff=evil\n", "new": "x\n"})
    repository = opened(repo)
    for quick in (False, True):
        snapshot = write_snapshot(repository, worktree_at(repository, worktree), rehash=not quick)
        assert isinstance(snapshot, Snapshot)
        back = restore_snapshot(repository, snapshot.commit, str(tmp_path / f"back-{quick}"))
        assert isinstance(back, Restored), back
    assert not canary.exists()


def test_what_nobody_changed_is_the_same_snapshot(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    repository = opened(repo)
    everything(worktree)
    first = hold(repo, worktree, rehash=False)
    again = hold(repo, worktree, rehash=False, previous=first.commit)
    assert (again.commit, again.written) == (first.commit, 0)
    write(worktree, {"untracked": "v\n"})
    third = hold(repo, worktree, rehash=False, previous=again.commit)
    assert third.commit != first.commit
    assert third.written == 2
    destroy(repo, worktree, "feat")
    restored(repository, third.commit, worktree)
    assert (worktree / "untracked").read_text() == "v\n"
    assert stat.S_IMODE((worktree / "d/run").stat().st_mode) == 0o755


def test_history_with_a_hole_is_told_and_does_no_harm(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    lost = commit(worktree, {"lost": "lost\n"})
    git(worktree, "reset", "--quiet", "--hard", "HEAD^")
    blob = git(worktree, "rev-parse", f"{lost}:lost")
    (repo / ".git/objects" / blob[:2] / blob[2:]).unlink()
    snapshot = hold(repo, worktree)
    assert ("missing-object", lost) in {(item.code, item.path) for item in snapshot.unheld}
    assert lost not in snapshot.parents
    destroy(repo, worktree, "feat")
    assert git(repo, "fsck", "--connectivity-only", "--no-dangling") == ""
    restored(opened(repo), snapshot.commit, worktree)


def test_a_commit_that_head_descends_from_is_no_parent(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    left = commit(worktree, {"x": "1"})
    git(worktree, "reset", "--quiet", "--hard", "HEAD^")
    right = commit(worktree, {"x": "2"})
    git(worktree, "reset", "--quiet", "--hard", "HEAD^")
    assert set(hold(repo, worktree).parents) == {left, right}


def test_from_a_bare_repository(tmp_path: Path) -> None:
    source = init(tmp_path / "source")
    commit(source, {"a": "a\n"})
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "--quiet", "--bare", source, bare)
    worktree = bare / "feat"
    git(bare, "worktree", "add", "--quiet", "-b", "feat", worktree)
    _everything_but_d(worktree)
    before = portrait(worktree, "feat")
    snapshot = hold(bare, worktree)
    destroy(bare, worktree, "feat")
    restored(opened(bare), snapshot.commit, worktree)
    assert portrait(worktree, "feat") == before


def _everything_but_d(worktree: Path) -> None:
    write(worktree, {"a": "staged\n"})
    git(worktree, "add", "--all")
    write(worktree, {"a": "unstaged\n", "new": "new\n"})
