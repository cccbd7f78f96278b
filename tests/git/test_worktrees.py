"""Worktrees as they are found on disk: whole, detached, locked, missing, broken, or not what they seem."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sidecar.git.repository import list_worktrees, open_repository
from sidecar.model.findings import Failure
from sidecar.model.picture import Worktree
from sidecar.session.once import look
from tests.git.opening import opened, worktree_at
from tests.harness import add_worktree, commit, git, git_bytes, init, write
from tests.harness import state_of as everything_of
from tests.session.pictures import changes_of, pictured, state_of


@pytest.fixture
def linked(repo: Path) -> Path:
    """A linked worktree with an edit, next to a second one that must stay readable whatever befalls the first."""
    path = add_worktree(repo, "linked")
    write(path, {"README.md": "edited\n"})
    write(add_worktree(repo, "other"), {"README.md": "edited otherwise\n"})
    return path


def _listed(repo: Path, name: str) -> Worktree:
    (found,) = [worktree for worktree in list_worktrees(opened(repo)) if worktree.name == name]
    return found


def test_all_that_is_known_of_each(repo: Path) -> None:
    linked = add_worktree(repo, "linked", branch="topic/one")
    detached = add_worktree(repo, "detached", detach=True)
    nested = add_worktree(repo, ".claude/worktrees/nested")
    head = git(repo, "rev-parse", "HEAD")
    admin = f"{repo}/.git/worktrees"
    assert list_worktrees(opened(linked)) == (
        Worktree(str(repo), "repo", f"{repo}/.git", True, "main", head),
        Worktree(str(detached), "detached", f"{admin}/detached", False, None, head),
        Worktree(str(linked), "linked", f"{admin}/linked", False, "topic/one", head),
        Worktree(str(nested), "nested", f"{admin}/nested", False, "nested", head),
    )


def test_in_gits_own_order(repo: Path) -> None:
    for name in ("zeta", "alpha", "mid"):
        add_worktree(repo, name)
    listed = git(repo, "worktree", "list", "--porcelain").split("\n")
    paths = [line.removeprefix("worktree ") for line in listed if line.startswith("worktree ")]
    assert [worktree.key for worktree in list_worktrees(opened(repo))] == paths


def test_two_of_one_name(repo: Path, tmp_path: Path) -> None:
    """Git numbers their administrative directories."""
    first = add_worktree(repo, tmp_path / "a/same", branch="a")
    second = add_worktree(repo, tmp_path / "b/same", branch="b")
    repository = opened(repo)
    assert worktree_at(repository, first).git_dir.endswith("/worktrees/same")
    assert worktree_at(repository, second).git_dir.endswith("/worktrees/same1")


@pytest.mark.parametrize("reason", ["", "on a drive", "two\nlines", "ünï → code"])
def test_locked(repo: Path, linked: Path, reason: str) -> None:
    git(repo, "worktree", "lock", "--reason", reason, str(linked))
    found = _listed(repo, "linked")
    assert found.locked == reason
    assert found.readable
    assert _listed(repo, "other").locked is None


def test_an_unborn_branch(repo: Path, linked: Path) -> None:
    git(linked, "checkout", "--quiet", "--orphan", "new/born")
    found = _listed(repo, "linked")
    assert (found.branch, found.head, found.problem) == ("new/born", None, None)


def test_in_the_middle_of_a_rebase_it_is_detached(repo: Path, linked: Path) -> None:
    commit(linked)
    commit(repo, {"README.md": "trunk\n"})
    git(linked, "rebase", "main", check=False)
    assert _listed(repo, "linked").branch is None
    picture = pictured(look(repo))
    assert state_of(picture, "linked").problem is None


def test_missing(repo: Path, linked: Path) -> None:
    shutil.rmtree(linked)
    found = _listed(repo, "linked")
    assert found.missing
    remedy = "If it was moved, run git worktree repair there. If it was deleted, git worktree prune forgets it."
    assert found.problem == f"The folder of linked is not there. {remedy}"
    linked.write_text("a file in its place")
    assert _listed(repo, "linked").missing


def test_missing_and_locked(repo: Path, linked: Path) -> None:
    git(repo, "worktree", "lock", "--reason", "usb", str(linked))
    shutil.rmtree(linked)
    found = _listed(repo, "linked")
    assert (found.missing, found.locked) == (True, "usb")


def _no_git_file(repo: Path, linked: Path) -> None:
    (linked / ".git").unlink()


def _empty_git_file(repo: Path, linked: Path) -> None:
    (linked / ".git").write_bytes(b"")


def _nonsense(repo: Path, linked: Path) -> None:
    (linked / ".git").write_bytes(os.urandom(3000))


def _huge(repo: Path, linked: Path) -> None:
    with (linked / ".git").open("wb") as file:
        file.truncate(1 << 40)


def _points_elsewhere(repo: Path, linked: Path) -> None:
    (linked / ".git").write_text(f"gitdir: {repo}/.git/worktrees/other\n")


def _points_at_the_main_one(repo: Path, linked: Path) -> None:
    (linked / ".git").write_text(f"gitdir: {repo}/.git\n")


def _fifo(repo: Path, linked: Path) -> None:
    (linked / ".git").unlink()
    os.mkfifo(linked / ".git")


def _link(repo: Path, linked: Path) -> None:
    shutil.move(linked / ".git", linked.parent / "git-file")
    (linked / ".git").symlink_to(linked.parent / "git-file")


def _repository_of_its_own(repo: Path, linked: Path) -> None:
    (linked / ".git").unlink()
    init(linked)
    commit(linked)


def _no_commondir(repo: Path, linked: Path) -> None:
    (repo / ".git/worktrees/linked/commondir").unlink()


def _foreign_commondir(repo: Path, linked: Path) -> None:
    foreign = init(repo.parent / "foreign")
    commit(foreign, {"README.md": "foreign\n"})
    (repo / ".git/worktrees/linked/commondir").write_text(f"{foreign}/.git\n")


def _no_head(repo: Path, linked: Path) -> None:
    (repo / ".git/worktrees/linked/HEAD").unlink()


def _broken_head(repo: Path, linked: Path) -> None:
    (repo / ".git/worktrees/linked/HEAD").write_text("nonsense\n")


def _head_of_no_commit(repo: Path, linked: Path) -> None:
    (repo / ".git/worktrees/linked/HEAD").write_text("1" * 40 + "\n")


def _broken_index(repo: Path, linked: Path) -> None:
    (repo / ".git/worktrees/linked/index").write_bytes(b"nonsense")


def _link_elsewhere(repo: Path, linked: Path) -> None:
    (linked / ".git").unlink()
    (linked / ".git").symlink_to(repo / ".git/worktrees/other")


def _link_to_itself(repo: Path, linked: Path) -> None:
    (linked / ".git").unlink()
    (linked / ".git").symlink_to(".git")


def _link_to_a_fifo(repo: Path, linked: Path) -> None:
    (linked / ".git").unlink()
    os.mkfifo(linked.parent / "fifo")
    (linked / ".git").symlink_to(linked.parent / "fifo")


BREAKS: tuple[Callable[[Path, Path], None], ...] = (
    *(_no_git_file, _empty_git_file, _nonsense, _huge, _points_elsewhere, _points_at_the_main_one, _fifo),
    *(_repository_of_its_own, _no_commondir, _foreign_commondir, _no_head, _broken_head),
    *(_head_of_no_commit, _broken_index, _link_elsewhere, _link_to_itself, _link_to_a_fifo),
)


@pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: broken.__name__.strip("_"))
def test_a_broken_worktree_is_a_problem_of_its_own(
    broken: Callable[[Path, Path], None], repo: Path, linked: Path
) -> None:
    """One sentence about it, and the others go on; what it has committed is known as long as its HEAD is."""
    broken(repo, linked)
    picture = pictured(look(repo))
    state = state_of(picture, "linked")
    said = state.worktree.problem or state.problem
    assert said is not None and "linked" in said and "\n" not in said
    assert state.unread is not None and state.integration.state == "not-integrated"
    assert (state.changes is None) == (state.worktree.head is None or broken is _head_of_no_commit)
    assert [(unknown.name(), unknown.path) for unknown in picture.unknown] == [("linked", None)]
    assert list(changes_of(picture, "other")) == ["README.md"]
    assert changes_of(picture, "repo") == {}


def test_an_administrative_directory_that_is_gone(repo: Path, linked: Path) -> None:
    """Git has forgotten the worktree; the others are as they were."""
    shutil.rmtree(repo / ".git/worktrees/linked")
    assert [worktree.name for worktree in list_worktrees(opened(repo))] == ["repo", "other"]


def test_an_administrative_directory_without_its_gitdir(repo: Path, linked: Path) -> None:
    (repo / ".git/worktrees/linked/gitdir").unlink()
    assert list(changes_of(pictured(look(repo)), "other")) == ["README.md"]


def _link_to_the_directory(repo: Path, linked: Path) -> None:
    """As git-annex makes it."""
    (linked / ".git").unlink()
    (linked / ".git").symlink_to(repo / ".git/worktrees/linked")


def _relative_link(repo: Path, linked: Path) -> None:
    (linked / ".git").unlink()
    (linked / ".git").symlink_to(os.path.relpath(repo / ".git/worktrees/linked", linked))


@pytest.mark.parametrize("how", [_link, _link_to_the_directory, _relative_link])
def test_a_link_is_followed_as_git_does(how: Callable[[Path, Path], None], repo: Path, linked: Path) -> None:
    how(repo, linked)
    assert git(linked, "status", "--porcelain") == " M README.md"
    for folder in (repo, linked):
        picture = pictured(look(folder))
        assert state_of(picture, "linked").worktree.problem is None
        assert list(changes_of(picture, "linked")) == ["README.md"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files to another user")
def test_a_worktree_of_another_user_is_read_like_any_other(repo: Path, linked: Path) -> None:
    """Its configuration is the repository's, which is ours."""
    os.chown(linked, 65534, 65534)
    assert list(changes_of(pictured(look(repo)), "linked")) == ["README.md"]


def test_moved_with_plain_mv(repo: Path, linked: Path, tmp_path: Path) -> None:
    """Git still lists the old place, until `git worktree repair`."""
    linked.rename(tmp_path / "moved")
    assert _listed(repo, "linked").missing
    git(tmp_path / "moved", "worktree", "repair")
    found = _listed(repo, "moved")
    assert (found.problem, found.git_dir) == (None, f"{repo}/.git/worktrees/linked")


def test_repository_moved_with_plain_mv(repo: Path, linked: Path, tmp_path: Path) -> None:
    repo.rename(tmp_path / "moved")
    picture = pictured(look(tmp_path / "moved"))
    assert state_of(picture, "moved").problem is None
    said = state_of(picture, "linked").worktree.problem
    assert said is not None and "repair" in said


def _make_relative(repo: Path, linked: Path) -> None:
    """As `git worktree add --relative-paths` (2.48) does."""
    admin = repo / ".git/worktrees" / linked.name
    (admin / "gitdir").write_text(os.path.relpath(linked / ".git", admin) + "\n")
    (linked / ".git").write_text(f"gitdir: {os.path.relpath(admin, linked)}\n")


def test_relative_paths_in_both_directions(repo: Path, linked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _make_relative(repo, linked)
    before = worktree_at(opened(repo), linked)
    assert before.problem is None and not before.missing
    for folder in (repo, linked, Path("/")):
        monkeypatch.chdir(folder)
        for start in (repo, linked):
            assert worktree_at(opened(start), linked) == before
            assert list(changes_of(pictured(look(start)), linked)) == ["README.md"]


def test_relative_paths_survive_a_move_of_everything(repo: Path, linked: Path, tmp_path: Path) -> None:
    _make_relative(repo, linked)
    (tmp_path / "new").mkdir()
    for path in (repo, linked):
        path.rename(tmp_path / "new" / path.name)
    found = worktree_at(opened(tmp_path / "new/linked"), tmp_path / "new/linked")
    assert found.problem is None


def test_a_worktree_in_a_worktree_of_a_worktree(repo: Path) -> None:
    outer = add_worktree(repo, "outer")
    inner = add_worktree(repo, outer / "in/ner")
    write(inner, {"a.txt": "inner\n"})
    write(outer, {"b.txt": "outer\n"})
    picture = pictured(look(inner))
    assert list(changes_of(picture, outer)) == ["b.txt"]
    assert list(changes_of(picture, inner)) == ["a.txt"]


def test_listing_is_the_same_from_everywhere(repo: Path, linked: Path) -> None:
    first, second = opened(repo), opened(linked)
    assert replace(first) == second
    assert list_worktrees(first) == list_worktrees(second)


def test_a_branch_name_that_looks_like_code(repo: Path) -> None:
    for number, branch in enumerate(("-d", "$(id)", "<img/src=x>", "a](b)", "\u202eabc", "a\u2028b", "x/refs/heads/y")):
        path = repo.parent / f"w{number}"
        git_bytes(repo, "update-ref", f"refs/heads/{branch}", "HEAD")
        git(repo, "worktree", "add", "--quiet", "--detach", str(path))
        git(path, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
        assert worktree_at(opened(repo), path).branch == branch
    assert not isinstance(look(repo), Failure)


def test_opening_writes_nothing(repo: Path, linked: Path) -> None:
    before = everything_of(repo)
    assert not isinstance(open_repository(linked), Failure)
    pictured(look(repo))
    assert everything_of(repo) == before
