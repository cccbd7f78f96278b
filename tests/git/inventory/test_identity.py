"""A worktree that is not what it says it is: nothing is looked at, and the finding says why."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sidecar.git.inventory.inventory import take_inventory
from sidecar.git.repository import list_worktrees
from sidecar.model.inventory import Inventory
from sidecar.model.inventory_findings import findings_of
from sidecar.model.settings import BUILD_OUTPUT
from tests.git.inventory.taking import attempt, codes
from tests.git.opening import opened, worktree_at
from tests.harness import add_worktree, commit, git, init, write
from tests.harness.states import Standing, build_standing


@pytest.fixture
def standing(tmp_path: Path) -> Standing:
    return build_standing(tmp_path)


def _swapped(at: Standing) -> None:
    """The worktree's `.git` leads to a repository of somebody hostile."""
    evil = init(at.outside / "evil")
    (at.worktree / ".git").write_text(f"gitdir: {evil}/.git\n")


def _of_another_worktree(at: Standing) -> None:
    other = add_worktree(at.main, "feat-2")
    shutil.copy(other / ".git", at.worktree / ".git")


def _a_link(at: Standing) -> None:
    (at.worktree / ".git").rename(at.outside / "git")
    (at.worktree / ".git").symlink_to(at.outside / "git")


def _a_directory(at: Standing) -> None:
    (at.worktree / ".git").unlink()
    git(at.worktree, "init", "--quiet")


def _moved_behind_a_link(at: Standing) -> None:
    at.worktree.rename(at.outside / "moved")
    at.worktree.symlink_to(at.outside / "moved")


def _common_directory_elsewhere(at: Standing) -> None:
    evil = init(at.outside / "evil")
    (at.administrative / "commondir").write_text(f"{evil}/.git\n")


def _crafted(at: Standing) -> None:
    """The administrative directory names a victim, which has a `.git` file of its own that leads elsewhere."""
    victim = at.outside / "feat-1"
    write(victim, {"precious": "x", ".git": f"gitdir: {at.main}/.git\n"})
    (at.administrative / "gitdir").write_text(f"{victim}/.git\n")


def _crafted_to_hold_the_repository(at: Standing) -> None:
    """The administrative directory names the directory above the repository."""
    above = at.main.parent
    administrative = at.administrative
    (above / ".git").write_text(f"gitdir: {administrative}\n")
    (administrative / "gitdir").write_text(f"{above}/.git\n")


@pytest.mark.parametrize(
    "put",
    [_swapped, _of_another_worktree, _a_link, _a_directory, _moved_behind_a_link, _common_directory_elsewhere],
)
def test_a_broken_link_is_refused(standing: Standing, put: Callable[[Standing], None]) -> None:
    repository = opened(standing.main)
    before = worktree_at(repository, standing.worktree)
    put(standing)
    assert codes(take_inventory(repository, before, disposable=BUILD_OUTPUT)) == {"identity"}
    for now in list_worktrees(repository):
        if not now.main and now.name != "feat-2":
            assert codes(take_inventory(repository, now, disposable=BUILD_OUTPUT)) <= {"identity", "missing"}


@pytest.mark.parametrize("put", [_crafted, _crafted_to_hold_the_repository])
def test_a_crafted_directory_is_refused(standing: Standing, put: Callable[[Standing], None]) -> None:
    put(standing)
    repository = opened(standing.main)
    for worktree in list_worktrees(repository):
        if not worktree.main:
            taken = take_inventory(repository, worktree, disposable=BUILD_OUTPUT)
            assert codes(taken) == {"identity"}, taken


def test_a_crafted_pair_has_everything_at_stake(standing: Standing) -> None:
    """A victim with a fitting `.git` file is a worktree to git; then every file of it is told."""
    victim = standing.outside / "victim"
    write(victim, {"precious": "x", ".git": f"gitdir: {standing.administrative}\n"})
    (standing.administrative / "gitdir").write_text(f"{victim}/.git\n")
    taken = attempt(victim, main=standing.main)
    assert isinstance(taken, Inventory)
    assert {"uncommitted", "untracked"} <= codes(taken)
    assert taken.files.untracked == ("precious",)


def test_the_main_worktree_is_refused(standing: Standing) -> None:
    assert codes(attempt(standing.main)) == {"main-worktree"}


def test_a_missing_worktree_is_refused(standing: Standing) -> None:
    shutil.rmtree(standing.worktree)
    assert codes(attempt(standing.worktree, main=standing.main)) == {"missing"}


def test_an_administrative_directory_elsewhere_is_refused(standing: Standing) -> None:
    repository = opened(standing.main)
    worktree = worktree_at(repository, standing.worktree)
    elsewhere = shutil.copytree(standing.administrative, standing.outside / "administrative")
    for git_dir in (str(elsewhere), "", str(standing.administrative / "logs")):
        taken = take_inventory(repository, replace(worktree, git_dir=git_dir), disposable=BUILD_OUTPUT)
        assert codes(taken) == {"identity"}


def test_a_link_straight_to_its_administrative_directory_is_no_break(standing: Standing) -> None:
    """As git-annex makes it."""
    repository = opened(standing.main)
    before = take_inventory(repository, worktree_at(repository, standing.worktree), disposable=BUILD_OUTPUT)
    administrative = standing.administrative
    (standing.worktree / ".git").unlink()
    (standing.worktree / ".git").symlink_to(administrative)
    after = take_inventory(repository, worktree_at(repository, standing.worktree), disposable=BUILD_OUTPUT)
    assert codes(after) == codes(before)


def test_a_linked_administrative_directory_is_refused(standing: Standing) -> None:
    administrative = standing.administrative
    administrative.rename(standing.outside / "administrative")
    administrative.symlink_to(standing.outside / "administrative")
    for worktree in list_worktrees(opened(standing.main)):
        if not worktree.main:
            taken = take_inventory(opened(standing.main), worktree, disposable=BUILD_OUTPUT)
            assert codes(taken) == {"identity"}


@pytest.mark.parametrize("name", ["index", "HEAD", "config.worktree", "logs/HEAD"])
def test_a_link_in_the_administrative_directory_is_told(standing: Standing, name: str) -> None:
    path = standing.administrative / name
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        path.write_text("")
    path.rename(standing.outside / "moved")
    path.symlink_to(standing.outside / "moved")
    assert codes(attempt(standing.worktree, main=standing.main)) & {"administrative-files", "unreadable", "identity"}


def test_a_broken_index_is_told(standing: Standing) -> None:
    (standing.administrative / "index").write_bytes(b"DIRC nonsense")
    assert codes(attempt(standing.worktree)) == {"unreadable"}


def test_a_missing_commit_is_told(standing: Standing) -> None:
    standing.git("checkout", "--quiet", "--detach")
    lost = commit(standing.worktree, {"x": "x"})
    (standing.main / ".git/objects" / lost[:2] / lost[2:]).unlink()
    assert codes(attempt(standing.worktree)) == {"unreadable"}


@pytest.mark.parametrize(
    "name", ["line\nbreak", "bidi\u202e", b"\xff\xfe".decode("utf-8", "surrogateescape"), "sp ace"]
)
def test_an_odd_name_is_shown_in_one_line(tmp_path: Path, name: str) -> None:
    main = init(tmp_path / "main")
    commit(main, {"a": "a"})
    place = add_worktree(main, name, detach=True)
    write(place, {"new": "x"})
    taken = attempt(place)
    assert isinstance(taken, Inventory)
    messages = [one.message for one in findings_of(taken)]
    (place / ".git").write_text(f"gitdir: {tmp_path}\n")
    repository = opened(tmp_path / "main")
    for worktree in list_worktrees(repository):
        if not worktree.main:
            refused = take_inventory(repository, worktree, disposable=BUILD_OUTPUT)
            assert not isinstance(refused, Inventory)
            messages += [one.message for one in refused]
    assert len(messages) >= 2
    assert all(message.isprintable() for message in messages)
