"""The trunk rule, step by step: configured, origin's HEAD, main, master, the main worktree's branch."""

from pathlib import Path

import pytest

from sidecar.git.history import find_trunk
from sidecar.git.repository import list_worktrees
from sidecar.model.findings import Failure
from sidecar.model.picture import Trunk
from tests.git.opening import opened
from tests.harness import add_worktree, commit, git, init


def _trunk(folder: Path, configured: str = "") -> Trunk | Failure:
    repository = opened(folder)
    return find_trunk(repository, list_worktrees(repository), configured)


def _found(folder: Path, configured: str = "") -> tuple[str, str]:
    """(branch, full name of the ref); the commit must be the ref's."""
    trunk = _trunk(folder, configured)
    assert isinstance(trunk, Trunk), trunk
    assert trunk.commit == git(folder, "rev-parse", "--verify", f"{trunk.ref}^{{commit}}")
    return trunk.branch, trunk.ref


@pytest.fixture
def branches(repo: Path) -> Path:
    """A repository with main, master, dev and topic/one, all at commits of their own; dev is checked out."""
    for name in ("master", "topic/one", "dev"):
        git(repo, "checkout", "--quiet", "-b", name)
        commit(repo, message=name)
    return repo


@pytest.fixture
def with_origin(branches: Path) -> Path:
    """The same, with origin/HEAD at origin/topic/one."""
    for name in ("main", "topic/one", "only-there"):
        git(branches, "update-ref", f"refs/remotes/origin/{name}", "main")
    git(branches, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/topic/one")
    return branches


def test_what_is_configured_comes_first(with_origin: Path) -> None:
    assert _found(with_origin, "dev") == ("dev", "refs/heads/dev")
    assert _found(with_origin, "refs/heads/dev") == ("dev", "refs/heads/dev")
    assert _found(with_origin, "topic/one") == ("topic/one", "refs/heads/topic/one")


def test_a_configured_branch_may_be_at_origin_only(with_origin: Path) -> None:
    assert _found(with_origin, "only-there") == ("only-there", "refs/remotes/origin/only-there")


@pytest.mark.parametrize("name", ["nothing", "topic", "ma*", "HEAD", "-d", "a b", "main~1", "refs/remotes/origin/main"])
def test_a_configured_branch_that_is_not_there_is_no_guess(with_origin: Path, name: str) -> None:
    failure = _trunk(with_origin, name)
    assert isinstance(failure, Failure)
    assert failure.code == "no-trunk"
    assert f"sidecar.trunk names {name}," in failure.message


def test_a_tag_is_no_branch(branches: Path) -> None:
    git(branches, "tag", "v1")
    assert isinstance(_trunk(branches, "v1"), Failure)


def test_then_the_branch_that_origins_head_names(with_origin: Path) -> None:
    """The local one of that name."""
    assert _found(with_origin) == ("topic/one", "refs/heads/topic/one")
    git(with_origin, "branch", "-D", "topic/one")
    assert _found(with_origin) == ("topic/one", "refs/remotes/origin/topic/one")


def test_an_origins_head_that_names_nothing_is_passed_over(with_origin: Path) -> None:
    git(with_origin, "update-ref", "-d", "refs/remotes/origin/topic/one")
    git(with_origin, "branch", "-D", "topic/one")
    assert _found(with_origin) == ("main", "refs/heads/main")


def test_another_remote_than_origin_does_not_count(branches: Path) -> None:
    git(branches, "update-ref", "refs/remotes/other/dev", "dev")
    git(branches, "symbolic-ref", "refs/remotes/other/HEAD", "refs/remotes/other/dev")
    assert _found(branches) == ("main", "refs/heads/main")


def test_then_main_then_master(branches: Path) -> None:
    assert _found(branches) == ("main", "refs/heads/main")
    git(branches, "branch", "-D", "main")
    assert _found(branches) == ("master", "refs/heads/master")


def test_then_the_main_worktrees_branch(branches: Path) -> None:
    git(branches, "branch", "-D", "main", "master")
    linked = add_worktree(branches, "linked")
    assert _found(branches) == ("dev", "refs/heads/dev")
    assert _found(linked) == ("dev", "refs/heads/dev")


def test_without_any_of_these_a_person_is_asked(branches: Path) -> None:
    git(branches, "branch", "-D", "main", "master")
    git(branches, "checkout", "--quiet", "--detach")
    failure = _trunk(branches)
    assert isinstance(failure, Failure)
    assert (failure.code, failure.message) == (
        "no-trunk",
        "Which branch is trunk is not clear. Name it with: git config sidecar.trunk BRANCH",
    )


@pytest.mark.parametrize("branch", ["main", "develop"])
@pytest.mark.parametrize("options", [(), ("--bare",)])
def test_before_the_first_commit(tmp_path: Path, branch: str, options: tuple[str, ...]) -> None:
    folder = init(tmp_path / "new", *options)
    git(folder, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    assert _trunk(folder) == Trunk(branch, f"refs/heads/{branch}", None)


@pytest.mark.parametrize("branch", ["main", "develop"])
def test_a_bare_repository(tmp_path: Path, repo: Path, branch: str) -> None:
    bare = init(tmp_path / "bare.git", "--bare")
    git(bare, "fetch", "--quiet", str(repo), f"main:{branch}")
    git(bare, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    assert _found(bare) == (branch, f"refs/heads/{branch}")


ODD = ["a\u2028b", "a\u0085b", "ünï", "a&b;c", "@", "x.y", "\udcff"]


@pytest.mark.parametrize("name", ODD)
def test_odd_names(branches: Path, name: str) -> None:
    """What ends a line elsewhere does not for git."""
    git(branches, "update-ref", f"refs/heads/{name}", "dev")
    assert _found(branches, name) == (name, f"refs/heads/{name}")
    git(branches, "update-ref", f"refs/remotes/origin/{name}", "dev")
    git(branches, "symbolic-ref", "refs/remotes/origin/HEAD", f"refs/remotes/origin/{name}")
    assert _found(branches) == (name, f"refs/heads/{name}")


def test_packed_refs(with_origin: Path) -> None:
    git(with_origin, "pack-refs", "--all")
    assert _found(with_origin) == ("topic/one", "refs/heads/topic/one")
    assert _found(with_origin, "only-there") == ("only-there", "refs/remotes/origin/only-there")
