"""`sidecar update`: trunk comes into a worktree, and what conflicts waits there."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Sidecar
from tests.harness import add_worktree, commit, git, state_of


@pytest.fixture
def shop(repo: Path, home: Path) -> Path:
    """Trunk has gone on since two worktrees began; one of them conflicts with it."""
    (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.com\n")
    commit(repo, {"a.txt": "one\n", "b.txt": "one\n"})
    commit(add_worktree(repo, "apart"), {"c.txt": "apart\n"})
    commit(add_worktree(repo, "against"), {"a.txt": "against\n"})
    commit(repo, {"a.txt": "two\n"})
    return repo


def test_trunk_is_merged_into_the_worktree_that_is_named_or_that_one_is_in(shop: Path, sidecar: Sidecar) -> None:
    before, apart = state_of(shop), shop.parent / "apart"
    ended = sidecar(apart, "update", "--dry-run")
    assert ended.status == 0 and "1 commit not there yet" in ended.out
    assert sidecar(apart, "update").status == 2
    assert state_of(shop) == before
    ended = sidecar(apart / ".", "update", "--yes")
    assert (ended.status, ended.out.splitlines()[-1]) == (0, "Merged main into apart.")
    assert (apart / "a.txt").read_text() == "two\n"
    ended = sidecar(shop, "update", "apart", "--yes", "--json")
    assert (ended.status, json.loads(ended.out)["findings"][0]["code"]) == (2, "nothing-to-merge")
    assert sidecar(shop, "update", "--yes").status == 2  # trunk itself


def test_what_conflicts_waits_in_the_worktree(shop: Path, sidecar: Sidecar) -> None:
    against = shop.parent / "against"
    ended = sidecar(shop, "update", "against", "--yes", "--json")
    answer = json.loads(ended.out)
    assert (ended.status, answer["outcome"], answer["conflicts"]) == (2, "conflicts", ["a.txt"])
    assert git(against, "diff", "--name-only", "--diff-filter=U") == "a.txt"
    assert "A merge is unfinished in against." in sidecar(shop, "update", "against", "--yes").out
    git(against, "merge", "--abort")
    ended = sidecar(against, "update", "--yes")
    assert ended.status == 2 and ended.err.endswith(
        "  a.txt\nThen commit them: sidecar update against --continue\nTo take it all back: git merge --abort\n"
    )


def test_what_is_resolved_is_committed_with_the_message_that_git_prepared(shop: Path, sidecar: Sidecar) -> None:
    against = shop.parent / "against"
    ended = sidecar(against, "update", "--continue", "--yes")
    assert ended.status == 2 and "No merge is in progress in against." in ended.out
    sidecar(against, "update", "--yes")
    ended = sidecar(shop, "update", "against", "--continue", "--yes", "--json")
    answer = json.loads(ended.out)
    assert (ended.status, answer["outcome"], answer["conflicts"]) == (2, "refused", ["a.txt"])
    (against / "a.txt").write_text("both\n")
    before = state_of(shop)
    planned = sidecar(against, "update", "--continue", "--dry-run")
    assert planned.status == 0 and "add first   a.txt" in planned.out
    assert sidecar(against, "update", "--continue").status == 2  # nobody consents
    assert state_of(shop) == before
    ended = sidecar(against, "update", "--continue", "--yes")
    assert (ended.status, ended.out.splitlines()[-1]) == (0, "The merge in against is committed.")
    assert git(against, "log", "-1", "--format=%s") == "Merge branch 'main' into against"
    assert git(against, "show", "HEAD:a.txt") == "both" and git(against, "status", "--short") == ""


def test_another_worktree_is_merged_into_one(shop: Path, sidecar: Sidecar) -> None:
    against, apart = shop.parent / "against", shop.parent / "apart"
    (apart / "notes.txt").write_text("notes\n")
    ended = sidecar(against, "update", "--from", "apart", "--yes")
    assert (ended.status, ended.out.splitlines()[-1]) == (0, "Merged apart into against.")
    assert "1 file in apart is not committed, and not merged: notes.txt." in ended.out
    assert (against / "c.txt").read_text() == "apart\n" and not (against / "notes.txt").exists()
    assert sidecar(against, "update", "--from", "against", "--yes").status == 1
    assert sidecar(against, "update", "--from", "apart", "--continue").status == 1


def test_where_there_is_no_worktree(tmp_path: Path, sidecar: Sidecar) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    assert sidecar(outside, "update", "--yes").status == 1
