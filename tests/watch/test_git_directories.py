"""What git does, seen through its directories."""

from pathlib import Path

import pytest

from sidecar.system.worktree_links import git_directory
from sidecar.watch.events import is_linked_worktree, matters
from tests.harness import add_worktree, commit, git, init
from tests.watch.conftest import Open
from tests.watch.support import Watching, git_target, worktree


@pytest.fixture
def following(repo: Path, watching: Watching) -> Watching:
    watching.follow(git_target(repo / ".git"))
    return watching


def sees(watching: Watching, directory: Path, *arguments: str | Path, key: Path | None = None) -> None:
    """Git is run there, and then the git directory is told to have changed."""
    since = len(watching.heard.batches)
    git(directory, *arguments)
    wanted = str(key or directory / ".git")
    watching.heard.until(lambda batches: any(wanted in batch.git for batch in batches), since)


def test_commits_checkouts_branches_and_tags(repo: Path, following: Watching) -> None:
    sees(following, repo, "commit", "--quiet", "--allow-empty", "-m", "More")
    sees(following, repo, "branch", "feature/deep/er")
    sees(following, repo, "commit", "--quiet", "--allow-empty", "-m", "More")
    sees(following, repo, "branch", "--force", "feature/deep/er", "HEAD")
    sees(following, repo, "switch", "--quiet", "feature/deep/er")
    sees(following, repo, "tag", "v1")
    sees(following, repo, "pack-refs", "--all")
    sees(following, repo, "branch", "--delete", "main")


def test_the_index_and_unfinished_operations(repo: Path, following: Watching) -> None:
    commit(repo, {"f": "1\n"})
    side = git(repo, "commit-tree", "-p", "HEAD~1", "-m", "Side", "HEAD~1^{tree}")
    sees(following, repo, "rm", "--quiet", "--cached", "f")
    sees(following, repo, "reset", "--quiet", "--hard")
    sees(following, repo, "merge", "--quiet", "--no-commit", side)
    assert (repo / ".git/MERGE_HEAD").exists()
    sees(following, repo, "bisect", "start")


def test_configuration_excludes_and_attributes(repo: Path, following: Watching) -> None:
    sees(following, repo, "config", "sidecar.trunk", "main")
    for name in ("exclude", "attributes"):
        since = len(following.heard.batches)
        (repo / ".git/info").mkdir(exist_ok=True)
        (repo / ".git/info" / name).write_text("*.o\n")
        following.heard.until(lambda batches: any(batch.git for batch in batches), since)


def test_worktrees_added_moved_locked_and_removed(repo: Path, following: Watching) -> None:
    sees(following, repo, "worktree", "add", "--quiet", "-b", "w", repo.parent / "w")
    administered = repo / ".git/worktrees/w"
    following.follow(git_target(repo / ".git"), git_target(administered), worktree(repo.parent / "w"))
    sees(following, repo, "worktree", "lock", repo.parent / "w", key=administered)
    # in between, since a sweep can't know of what was undone before it came by
    sees(following, repo.parent / "w", "switch", "--quiet", "--detach", key=administered)
    sees(following, repo, "worktree", "unlock", repo.parent / "w", key=administered)
    sees(following, repo, "worktree", "move", repo.parent / "w", repo.parent / "v", key=administered)
    sees(following, repo, "worktree", "remove", repo.parent / "v")
    sees(following, repo, "worktree", "add", "--quiet", "-b", "x", repo.parent / "x")


def test_a_commit_in_a_linked_worktree(repo: Path, watching: Watching) -> None:
    linked = add_worktree(repo, "linked")
    watching.follow(git_target(repo / ".git"), git_target(repo / ".git/worktrees/linked"))
    since = len(watching.heard.batches)
    commit(linked, {"f": "f\n"})
    both = {str(repo / ".git"), str(repo / ".git/worktrees/linked")}
    watching.heard.until(lambda batches: both <= {key for batch in batches for key in batch.git}, since)


def test_what_git_does_for_itself_wakes_nobody(repo: Path, watch: Open) -> None:
    watching = watch(backend="inotify")
    watching.follow(git_target(repo / ".git"), worktree(repo))
    since = len(watching.heard.batches)
    git(repo, "hash-object", "-w", "README.md")
    git(repo, "commit-tree", "-m", "Loose", "HEAD^{tree}")
    git(repo, "status", env={"GIT_OPTIONAL_LOCKS": "0"})
    git(repo, "update-ref", "refs/sidecar/guard/x", "HEAD")
    git(repo, "fetch", "--quiet", ".", "HEAD")
    for name in ("config.lock", "COMMIT_EDITMSG", "refs/heads/main.lock"):
        (repo / ".git" / name).write_text("x\n")
    (repo / ".git/sidecar/trash").mkdir(parents=True)
    (repo / ".git/refs/heads/main.lock").unlink()
    (repo / "sentinel").touch()
    batches = watching.heard.until(lambda told: any(batch.files for batch in told), since)
    assert [batch.git for batch in batches] == [frozenset()]


def test_a_bare_repository(tmp_path: Path, watching: Watching) -> None:
    bare = init(tmp_path / "bare.git", "--bare")
    watching.follow(git_target(bare))
    sees(watching, bare, "symbolic-ref", "HEAD", "refs/heads/other", key=bare)


@pytest.mark.parametrize(
    "path",
    [
        *("HEAD", "index", "packed-refs", "config", "info/exclude", "info/attributes", "MERGE_HEAD", "ORIG_HEAD"),
        *("refs/heads/a", "refs/remotes/o/b", "refs/stash", "worktrees/w", "reftable/tables.list", "rebase-merge"),
        *("BISECT_LOG", "locked", "gitdir"),
    ],
)
def test_what_matters(path: str) -> None:
    assert matters(path)


@pytest.mark.parametrize(
    "path",
    [
        *("index.lock", "HEAD.lock", "refs/heads/a.lock", "objects", "objects/ab/cd", "logs/HEAD", "COMMIT_EDITMSG"),
        *("FETCH_HEAD", "gc.pid", "sidecar", "sidecar/x", "refs/sidecar/guard/x", "worktrees/w/index", "info/refs"),
        *("reftable/0x0.ref", "hooks/pre-commit", "modules/m"),
    ],
)
def test_what_does_not_matter(path: str) -> None:
    assert not matters(path)


def test_the_git_directory_of_a_worktree(repo: Path, tmp_path: Path) -> None:
    linked = add_worktree(repo, "linked")
    assert git_directory(repo) == repo / ".git"
    assert git_directory(linked) == repo / ".git/worktrees/linked"
    assert is_linked_worktree(linked)
    assert not is_linked_worktree(repo)
    assert git_directory(tmp_path) is None
    (tmp_path / ".git").write_text("not a git file\n")
    assert git_directory(tmp_path) is None
