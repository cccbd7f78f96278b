"""Whatever a worktree is made of comes back from a release, byte for byte, also what only lstat tells."""

from pathlib import Path

import pytest

from tests.harness import add_worktree, commit, git, init
from tests.harness import write as put
from tests.operations.round_trip.portrait import administrative, go_and_come_back, portrait, released, restored
from tests.operations.round_trip.worktree_contents import PUTS, everything

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
    go_and_come_back(repo, worktree)
    assert portrait(worktree, "feat") == before
    assert (administrative(worktree) / "index").read_bytes() == index
    git(repo, "gc", "--quiet", "--prune=now")
    assert git(repo, "fsck", "--strict", "--no-dangling") == ""
    assert [path.name for path in worktree.parent.iterdir() if "sidecar" in path.name] == []


def test_history_with_a_hole_does_no_harm(pair: tuple[Path, Path]) -> None:
    """A ref on it would make every collection fail."""
    repo, worktree = pair
    lost = commit(worktree, {"lost": "lost\n"})
    git(worktree, "reset", "--quiet", "--hard", "HEAD^")
    blob = git(worktree, "rev-parse", f"{lost}:lost")
    (repo / ".git/objects" / blob[:2] / blob[2:]).unlink()
    receipt = released(repo, worktree)
    assert lost not in git(repo, "rev-list", "--all").split()
    git(repo, "gc", "--quiet", "--prune=now")
    assert git(repo, "fsck", "--connectivity-only", "--no-dangling") == ""
    restored(repo, receipt)


def test_a_ref_of_ours_names_no_file_that_git_ignores(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    put(worktree, {"my.secret": "secret\n", "out/x": "x\n", "new": "new\n"})
    receipt = released(repo, worktree)
    reached = git(repo, "rev-list", "--objects", f"refs/sidecar/release/{receipt}")
    assert "secret" not in reached
    ids = {row.split(" ")[0] for row in reached.splitlines()}
    assert git(repo, "hash-object", "--stdin", input="secret\n") not in ids
    restored(repo, receipt)


def test_from_a_bare_repository(tmp_path: Path) -> None:
    source = init(tmp_path / "source")
    commit(source, {"a": "a\n"})
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "--quiet", "--bare", source, bare)
    worktree = bare / "feat"
    git(bare, "worktree", "add", "--quiet", "-b", "feat", worktree)
    put(worktree, {"a": "unstaged\n", "new": "new\n"})
    before = portrait(worktree, "feat")
    go_and_come_back(bare, worktree)
    assert portrait(worktree, "feat") == before


def test_a_branch_that_went_on_is_theirs(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    git(worktree, "config", "branch.feat.description", "mine")
    tip, log = git(worktree, "rev-parse", "HEAD"), git(worktree, "reflog", "show", "--format=%H %gs", "feat")
    receipt = released(repo, worktree)
    git(repo, "branch", "feat", "main")
    git(repo, "branch", "feat-restored", "main")
    back = restored(repo, receipt)
    assert any("feat-restored-2" in one.message for one in back.findings)
    assert git(worktree, "symbolic-ref", "--short", "HEAD") == "feat-restored-2"
    assert git(worktree, "rev-parse", "HEAD") == tip
    assert git(repo, "rev-parse", "feat") == git(repo, "rev-parse", "main")
    assert git(worktree, "reflog", "show", "--format=%H %gs", "feat-restored-2") == log
    assert git(worktree, "config", "branch.feat-restored-2.description") == "mine"


def test_a_branch_whose_name_is_a_directory_now(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    receipt = released(repo, worktree)
    git(repo, "branch", "feat/more")
    restored(repo, receipt)
    assert git(worktree, "symbolic-ref", "--short", "HEAD") == "feat-restored"


def test_a_rebase_goes_on_after_its_branch_got_another_name(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    commit(worktree, {"z": "z\n"})
    git(worktree, "rebase", "-i", "HEAD~2", env={"GIT_SEQUENCE_EDITOR": "sed -i 1s/pick/edit/"})
    receipt = released(repo, worktree)
    git(repo, "branch", "--force", "feat", "main")
    restored(repo, receipt)
    git(worktree, "rebase", "--continue", env={"GIT_EDITOR": "true"})
    assert git(worktree, "symbolic-ref", "--short", "HEAD") == "feat-restored"
    assert git(repo, "rev-parse", "feat") == git(repo, "rev-parse", "main")


def test_names_of_administrative_directories_that_are_taken(pair: tuple[Path, Path], tmp_path: Path) -> None:
    repo, worktree = pair
    everything(worktree)
    receipt = released(repo, worktree)
    other = add_worktree(repo, tmp_path / "x/feat", branch="other")
    before = git(other, "status", "--porcelain")
    restored(repo, receipt)
    assert administrative(worktree).name == "feat1"
    assert git(other, "status", "--porcelain") == before == ""
    assert git(worktree, "status", "--porcelain") != ""
