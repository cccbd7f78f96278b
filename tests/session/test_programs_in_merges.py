"""Merge drivers and submodules in a verdict: as `git merge` in trunk's checkout has them; nothing is written there."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.model.picture import TRUNK_KEY, Picture
from sidecar.model.settings import Options
from sidecar.operations.merge.plan import plan_merge
from sidecar.operations.merge.run import MergePlan
from sidecar.session.once import look
from tests.harness import Content, Executable, add_worktree, commit, commit_index, git, init, write
from tests.session.pictures import pictured
from tests.session.test_trunks_checkout import Setting, agree, lines, merged, verdict

__all__ = ["setting"]
UNION = Executable('#!/bin/sh\nexec git merge-file --union -q "$1" "$2" "$3"\n')


@pytest.fixture
def setting(tmp_path: Path, home: Path) -> Setting:
    """Trunk in the main worktree; both have changed line 2 of a file that a driver merges."""
    main = init(tmp_path / "main")
    commit(main, {"a.txt": lines(), ".gitattributes": "a.txt merge=own\n", ".gitignore": "node_modules\nown.log\n"})
    return Setting(main, main, add_worktree(main, "work"), home)


def _driver(setting: Setting, command: str) -> None:
    git(setting.main, "config", "merge.own.driver", command)


def _diverge(setting: Setting) -> None:
    commit(setting.work, {"a.txt": lines(l2="work")})
    commit(setting.trunk, {"a.txt": lines(l2="trunk")})


def _for_both(setting: Setting, files: dict[str, Content]) -> None:
    commit(setting.trunk, files)
    git(setting.work, "merge", "--quiet", "--ff-only", "main")


def _tracked(setting: Setting) -> None:
    _for_both(setting, {"tools/union": UNION})
    _driver(setting, "tools/union %A %O %B")


def _reads_a_tracked_file(setting: Setting) -> None:
    _for_both(setting, {"package.json": "{}\n", "deep/er/x": "x\n"})
    _driver(setting, "test -f package.json && test -f deep/er/x && git merge-file --union -q %A %O %B")


def _only_trunk_has_it(setting: Setting) -> None:
    commit(setting.trunk, {"tools/union": UNION})
    _driver(setting, "tools/union %A %O %B")


def _install(setting: Setting) -> None:
    tools: dict[str, Content] = {"node_modules/tool/union": UNION, "node_modules/.bin/x": "x\n"}
    write(setting.trunk, tools)


def _ignored(setting: Setting) -> None:
    _install(setting)
    _driver(setting, "echo cache > node_modules/.cache && node_modules/tool/union %A %O %B")


def _linked_program(setting: Setting) -> None:
    _install(setting)
    (setting.trunk / "node_modules/.bin/union").symlink_to("../tool/union")
    _driver(setting, "node_modules/.bin/union %A %O %B")


def _asks_git(setting: Setting) -> None:
    """About its own configuration, and about the commit that is checked out."""
    git(setting.main, "config", "own.how", "--union")
    _driver(
        setting,
        "git show HEAD:a.txt | grep -q trunk && test -e $(git rev-parse --show-toplevel)/a.txt && "
        "git merge-file $(git config own.how) -q %A %O %B",
    )


def _has_a_comment(setting: Setting) -> None:
    _driver(setting, "git merge-file --union -q %A %O %B # as always")


def _looks_into_the_git_directory(setting: Setting) -> None:
    write(setting.main, {".git/own-tool/key": "key\n"})
    _driver(setting, 'test -f "$(git rev-parse --git-dir)/own-tool/key" && git merge-file --union -q %A %O %B')


def _talks(setting: Setting) -> None:
    """On standard output, where git's own answer is read from."""
    _driver(setting, "printf 'up to date\\0in 5 ms\\n' && git merge-file --union -q %A %O %B")


FINDING = [
    _talks,
    _tracked,
    _reads_a_tracked_file,
    _only_trunk_has_it,
    _ignored,
    _linked_program,
    _asks_git,
    _has_a_comment,
    _looks_into_the_git_directory,
]


@pytest.mark.parametrize("case", FINDING, ids=lambda case: case.__name__.strip("_"))
def test_a_driver_finds_its_repository_around_it(setting: Setting, case: Callable[[Setting], None]) -> None:
    case(setting)
    _diverge(setting)
    agree(setting, "clean", trusted=True)


def test_what_a_driver_writes_stays_aside(setting: Setting) -> None:
    _driver(setting, "echo x > own.log; echo x > tools; echo x >> .gitignore; git merge-file --union -q %A %O %B")
    _diverge(setting)
    assert verdict(setting, trusted=True) == "clean"
    assert not (setting.trunk / "own.log").exists()


def test_a_driver_sees_the_tree_of_each_that_is_merged_into(setting: Setting) -> None:
    """Also where another merge has just had files of the same names."""
    _driver(setting, "cat flag.txt >> seen.txt; test $(cat flag.txt) = yes && git merge-file --union -q %A %O %B")
    commit(setting.trunk, {"a.txt": lines(l2="trunk"), "flag.txt": "yes\n"})
    commit(setting.work, {"a.txt": lines(l2="work"), "flag.txt": "no\n"})
    other = add_worktree(setting.main, "other", start="main~1")
    commit(other, {"a.txt": lines(l2="other")})
    picture = pictured(look(setting.main, Options(trusted=True)))
    found = {tuple(side.name for side in one.sides): one.verdict for one in picture.overlaps if one.path == "a.txt"}
    assert found == {("work", None): "clean", ("other", None): "clean", ("other", "work"): "conflict"}


def _notes(setting: Setting, *, trusted: bool = True) -> dict[str, tuple[str, str | None]]:
    picture = pictured(look(setting.main, Options(trusted=trusted)))
    return {overlap.path: (overlap.verdict, overlap.note) for overlap in picture.overlaps}


def _severities(setting: Setting) -> list[tuple[str, str]]:
    plan = plan_merge(setting.main, "work", Options(trusted=True))
    assert isinstance(plan, MergePlan)
    return [(finding.code, finding.severity) for finding in plan.findings if finding.code == "conflict"]


@pytest.mark.parametrize(
    "command",
    ["no-such-driver %A %O %B", "./gitignore %A", "cat no-such-file && git merge-file --union -q %A %O %B", "kill $$"],
    ids=["missing", "not executable", "lacks something", "dies"],
)
def test_a_driver_that_makes_nothing_of_it_is_noted(setting: Setting, command: str) -> None:
    """And refuses no merge: git is asked again when it is made."""
    _driver(setting, command)
    _diverge(setting)
    note = "A merge driver made nothing of it here, so git may yet merge it."
    assert _notes(setting) == {"a.txt": ("conflict", note)}
    assert _severities(setting) == [("conflict", "info")]


def test_a_driver_that_finds_a_conflict_is_believed(setting: Setting) -> None:
    _driver(setting, "git merge-file -q %A %O %B; echo and more >> %A; exit 1")
    _diverge(setting)
    assert merged(setting) == "conflict"
    assert _notes(setting) == {"a.txt": ("conflict", None)}
    assert _severities(setting) == [("conflict", "blocks")]


def test_another_conflict_refuses_all_the_same(setting: Setting) -> None:
    _driver(setting, "no-such-driver")
    commit(setting.work, {"a.txt": lines(l2="work"), "b.txt": "work\n"})
    commit(setting.trunk, {"a.txt": lines(l2="trunk"), "b.txt": "trunk\n"})
    assert _notes(setting)["b.txt"] == ("conflict", None)
    assert _severities(setting) == [("conflict", "blocks")]


def test_a_filter_finds_its_repository_around_it(setting: Setting) -> None:
    """It takes part in a merge that renormalizes: a program of the repository, with a key in the git directory."""
    upper = Executable('#!/bin/sh\ntest -f "$(git rev-parse --git-common-dir)/own-tool/key" && tr a-z A-Z\n')
    _for_both(setting, {"tools/upper": upper, ".gitattributes": "*.t filter=upper\n", "x.t": lines().upper()})
    write(setting.main, {".git/own-tool/key": "key\n"})
    git(setting.main, "config", "merge.renormalize", "true")
    commit(setting.work, {"x.t": lines(l2="work").upper()})
    commit(setting.trunk, {"x.t": lines(l18="trunk")})
    for key, value in {"clean": "tools/upper", "smudge": "cat", "required": "true"}.items():
        git(setting.main, "config", f"filter.upper.{key}", value)
    assert verdict(setting, trusted=True) == "clean"
    assert verdict(setting) == "conflict"


# Submodules


@pytest.fixture(params=["main", "linked"])
def holding(request: pytest.FixtureRequest, tmp_path: Path, home: Path) -> Setting:
    """A submodule `lib` at the first of three commits; trunk's checkout has it."""
    library, main = init(tmp_path / "library"), init(tmp_path / "main")
    for number in range(1, 4):
        commit(library, {"lib.txt": f"{number}\n"})
    git(home, "config", "--file", ".gitconfig", "protocol.file.allow", "always")
    env = {"GIT_CONFIG_GLOBAL": str(home / ".gitconfig")}
    git(main, "submodule", "--quiet", "add", "../library", "lib", env=env)
    git(main / "lib", "checkout", "--quiet", "HEAD~2")
    commit(main)
    work, trunk = add_worktree(main, "work"), main
    if request.param == "linked":
        git(main, "switch", "--quiet", "--detach")
        git(main, "worktree", "add", "--quiet", "../trunk", "main")
        trunk = main.parent / "trunk"
        git(trunk, "submodule", "--quiet", "update", "--init", env=env)
    return Setting(main, trunk, work, home)


def _move(worktree: Path, oid: str) -> None:
    git(worktree, "update-index", "--cacheinfo", f"160000,{oid},lib")
    git(worktree, "commit", "--quiet", "--message=Move")


def _versions(holding: Setting) -> list[str]:
    return git(holding.trunk / "lib", "rev-list", "--reverse", "origin/main").split()


@pytest.mark.parametrize(("ours", "theirs"), [(1, 2), (2, 1)], ids=["theirs is later", "ours is later"])
def test_the_later_commit_of_a_submodule_is_taken(holding: Setting, ours: int, theirs: int) -> None:
    versions = _versions(holding)
    _move(holding.trunk, versions[ours])
    _move(holding.work, versions[theirs])
    agree(holding, "clean")


def test_a_submodule_set_aside_is_seen_too(holding: Setting) -> None:
    """It is not checked out any more, but git has it."""
    versions = _versions(holding)
    git(holding.trunk, "submodule", "--quiet", "deinit", "--force", "lib")
    _move(holding.trunk, versions[1])
    _move(holding.work, versions[2])
    agree(holding, "clean")


def test_commits_of_a_submodule_that_parted_conflict(holding: Setting) -> None:
    versions = _versions(holding)
    git(holding.trunk / "lib", "checkout", "--quiet", versions[0])
    parted = commit(holding.trunk / "lib", {"lib.txt": "other\n"})
    _move(holding.trunk, parted)
    _move(holding.work, versions[2])
    agree(holding, "conflict")


def test_commits_that_a_submodule_lacks_conflict_until_it_has_them(holding: Setting) -> None:
    versions = _versions(holding)
    library = holding.main.parent / "library"
    later = commit(library, {"lib.txt": "4\n"})
    _move(holding.trunk, versions[1])
    _move(holding.work, later)
    agree(holding, "conflict")
    git(holding.trunk / "lib", "fetch", "--quiet", "origin")
    agree(holding, "clean")


def test_a_submodule_that_is_not_there_conflicts(holding: Setting) -> None:
    versions = _versions(holding)
    _move(holding.trunk, versions[1])
    _move(holding.work, versions[2])
    git_dir = Path(git(holding.trunk, "rev-parse", "--absolute-git-dir"))
    (git_dir / "modules").rename(git_dir / "elsewhere")
    (holding.trunk / "lib/.git").unlink()
    agree(holding, "conflict")


def _paths(picture: Picture) -> list[tuple[str, str]]:
    return [(overlap.path, overlap.verdict) for overlap in picture.overlaps if overlap.seen_from(TRUNK_KEY)]


def test_what_else_differs_is_merged_with_it(holding: Setting) -> None:
    versions = _versions(holding)
    _move(holding.trunk, versions[1])
    write(holding.trunk, {"a.txt": "trunk\n"})
    git(holding.trunk, "add", "a.txt")
    commit_index(holding.trunk)
    _move(holding.work, versions[2])
    write(holding.work, {"a.txt": "work\n"})
    assert _paths(pictured(look(holding.main))) == [("a.txt", "conflict"), ("lib", "clean")]
    assert os.listdir(holding.work / "lib") == []
