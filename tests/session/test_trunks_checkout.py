"""A verdict with trunk is what `git merge` in trunk's checkout comes to, wherever that is and whatever it has there."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sidecar.model.picture import TRUNK_KEY
from sidecar.model.settings import Options
from sidecar.session.once import look
from tests.harness import add_worktree, commit, environment, git, identity, init, write
from tests.harness import state_of as everything_of
from tests.session.pictures import pictured


@dataclass(frozen=True)
class Setting:
    """A repository with trunk checked out at `trunk`, and a worktree `work`; `home` is the person's."""

    main: Path
    trunk: Path
    work: Path
    home: Path


def lines(**changed: str) -> str:
    """Twenty lines; those called `l3="x"` are different."""
    return "".join(changed.get(f"l{number}", f"line {number}") + "\n" for number in range(1, 21))


def verdict(setting: Setting, *, trusted: bool = False) -> str:
    """What is said of `work` and trunk: the worst of their verdicts. Nothing is written."""
    before = everything_of(setting.main)
    picture = pictured(look(setting.main, Options(trusted=trusted)))
    assert picture.problem is None
    assert everything_of(setting.main) == before
    verdicts = [overlap.verdict for overlap in picture.overlaps if overlap.seen_from(TRUNK_KEY)]
    return "conflict" if "conflict" in verdicts else "clean"


def merged(setting: Setting) -> str:
    """What git makes of it there; afterwards everything is as before."""
    env = {name: environment(setting.home)[name] for name in ("HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL")}
    done = subprocess.run(
        ["git", "merge", "--quiet", "--no-commit", "--no-ff", "work"],
        cwd=setting.trunk,
        env=os.environ | environment() | identity() | env,
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    git(setting.trunk, "reset", "--quiet", "--hard", "HEAD")
    return "conflict" if done.returncode else "clean"


def agree(setting: Setting, expected: str, *, trusted: bool = False) -> None:
    assert merged(setting) == expected, "git itself"
    assert verdict(setting, trusted=trusted) == expected


@pytest.fixture(params=["main", "linked"])
def setting(request: pytest.FixtureRequest, tmp_path: Path, home: Path) -> Setting:
    """Trunk in the main worktree, or in a linked one; either has configuration of its own."""
    main = init(tmp_path / "main")
    commit(main, {"a.txt": lines(), "dir/b.txt": lines()})
    work = add_worktree(main, "work")
    if request.param == "main":
        return Setting(main, main, work, home)
    git(main, "config", "extensions.worktreeConfig", "true")
    git(main, "switch", "--quiet", "--detach")
    git(main, "worktree", "add", "--quiet", "../trunk", "main")
    return Setting(main, main.parent / "trunk", work, home)


def own(setting: Setting, key: str, value: str) -> None:
    """Configuration that trunk's checkout has for itself, where it can; in the main worktree the repository's."""
    scope = "--local" if setting.trunk == setting.main else "--worktree"
    git(setting.trunk, "config", scope, key, value)


def _far_apart(setting: Setting) -> None:
    commit(setting.work, {"a.txt": lines(l2="work")})
    commit(setting.trunk, {"a.txt": lines(l18="trunk")})


def _both_at_the_end(setting: Setting) -> None:
    commit(setting.work, {"a.txt": lines() + "work\n"})
    commit(setting.trunk, {"a.txt": lines() + "trunk\n"})


def _no_merge(setting: Setting) -> str:
    _far_apart(setting)
    write(setting.home, {"attributes": "a.txt -merge\n"})
    own(setting, "core.attributesFile", "~/attributes")
    return "conflict"


def _union(setting: Setting) -> str:
    _both_at_the_end(setting)
    write(setting.main / ".git", {"own": "a.txt merge=union\n"})
    own(setting, "core.attributesFile", str(setting.main / ".git/own"))
    return "clean"


def _the_narrower_file_alone(setting: Setting) -> str:
    """It replaces the person's, and adds nothing to it."""
    _both_at_the_end(setting)
    write(setting.home, {"union": "a.txt merge=union\n", "none": "# nothing\n"})
    git(setting.home, "config", "--file", ".gitconfig", "core.attributesFile", "~/union")
    own(setting, "core.attributesFile", "~/none")
    return "conflict"


def _a_file_in_the_checkout(setting: Setting) -> str:
    """Named relative to its top, and there alone."""
    _both_at_the_end(setting)
    write(setting.trunk, {"own attributes": "a.txt merge=union\n"})
    own(setting, "core.attributesFile", "own attributes")
    return "clean"


def _directory_renames(setting: Setting) -> str:
    commit(setting.work, {"dir/new.txt": "new\n"})
    git(setting.trunk, "mv", "dir", "moved")
    commit(setting.trunk)
    own(setting, "merge.directoryRenames", "false")
    return "clean"


def _no_renames(setting: Setting) -> str:
    commit(setting.work, {"a.txt": lines(l2="work")})
    git(setting.trunk, "mv", "a.txt", "moved.txt")
    commit(setting.trunk)
    own(setting, "merge.renames", "false")
    return merged(setting)  # git before 2.50 merges with renames all the same


def _renormalize(setting: Setting) -> str:
    commit(setting.work, {"a.txt": lines(l2="work").replace("\n", "\r\n")})
    commit(setting.trunk, {"a.txt": lines(l18="trunk")})
    git(setting.main, "config", "merge.renormalize", "false")
    own(setting, "merge.renormalize", "true")
    write(setting.main, {".git/info/attributes": "a.txt text\n"})
    return "clean"


def _default_driver(setting: Setting) -> str:
    _both_at_the_end(setting)
    own(setting, "merge.default", "union")
    return "clean"


def _included_for_this_checkout(setting: Setting) -> str:
    """What the person's own file includes where the git directory is a certain one."""
    _both_at_the_end(setting)
    git_dir = git(setting.trunk, "rev-parse", "--absolute-git-dir")
    write(setting.home, {"more": "[merge]\n\tdefault = union\n"})
    git(setting.home, "config", "--file", ".gitconfig", f"includeIf.gitdir:{git_dir}.path", "more")
    return "clean"


def _a_driver_included_for_this_branch(setting: Setting) -> str:
    """It is the person's, so it runs."""
    _both_at_the_end(setting)
    write(setting.home, {"more": '[merge "mine"]\n\tdriver = true\n'})
    git(setting.home, "config", "--file", ".gitconfig", "includeIf.onbranch:main.path", "more")
    write(setting.main, {".git/info/attributes": "a.txt merge=mine\n"})
    return "clean"


CASES: list[Callable[[Setting], str]] = [
    _no_merge,
    _union,
    _the_narrower_file_alone,
    _a_file_in_the_checkout,
    _directory_renames,
    _no_renames,
    _renormalize,
    _default_driver,
    _included_for_this_checkout,
    _a_driver_included_for_this_branch,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__.strip("_"))
def test_settings_of_every_scope(setting: Setting, case: Callable[[Setting], str]) -> None:
    agree(setting, case(setting))


def test_settings_of_another_worktree_do_not_count(setting: Setting) -> None:
    _both_at_the_end(setting)
    git(setting.main, "config", "extensions.worktreeConfig", "true")
    git(setting.work, "config", "--worktree", "merge.default", "union")
    agree(setting, "conflict")


@pytest.mark.parametrize("kind", ["blob", "tree", "commit", "twice"])
def test_what_is_replaced_is_read_as_something_else(setting: Setting, kind: str) -> None:
    """Git merges with what `git replace` names, so the verdict is about that too."""
    _far_apart(setting)
    what = {"blob": "work:a.txt", "tree": "work^{tree}", "commit": "work", "twice": "work:a.txt"}[kind]
    old = git(setting.main, "rev-parse", what)
    commit(setting.work, {"a.txt": lines(l18="replaced")})
    new = git(setting.main, "rev-parse", what)
    git(setting.work, "reset", "--quiet", "--hard", "HEAD~1")
    if kind == "commit":
        new = git(setting.main, "commit-tree", f"{new}^{{tree}}", "-p", "work^", "-m", "Replacement")
    if kind == "twice":
        between = git(setting.main, "hash-object", "-w", "--stdin", input="between\n")
        git(setting.main, "replace", old, between)
        old = between
    agree(setting, "clean" if kind != "twice" else merged(setting))
    git(setting.main, "replace", old, new)
    git(setting.work, "reset", "--quiet", "--hard")
    agree(setting, "conflict")
    git(setting.main, "config", "core.useReplaceRefs", "false")
    git(setting.work, "reset", "--quiet", "--hard")
    agree(setting, "clean")


@pytest.mark.parametrize(
    "texts",
    [("x{{{a{a", "M{{{{a", "x{P{{a"), ("abaa}b", "abaa}", "abPa}}b")],
    ids=["only histogram merges", "only myers merges"],
)
@pytest.mark.parametrize("algorithm", ["myers", "histogram", "minimal", "patience", "default"])
def test_how_lines_are_compared(setting: Setting, texts: tuple[str, str, str], algorithm: str) -> None:
    """From git 2.50 on the configuration decides that for `git merge`; regions follow it."""
    base, ours, theirs = ("".join(f"{letter}\n" for letter in text) for text in texts)
    commit(setting.trunk, {"c.txt": base})
    git(setting.work, "merge", "--quiet", "main")
    commit(setting.trunk, {"c.txt": ours})
    commit(setting.work, {"c.txt": theirs})
    own(setting, "diff.algorithm", algorithm)
    agree(setting, merged(setting))
