"""A running session keeps up with what lies outside of the repository: the person's own files, and submodules."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.harness import add_worktree, commit, git, init, write
from tests.session.watching import Live, watching

WORDS = "".join(f"line {number}\n" for number in range(1, 13))


@pytest.fixture
def main(tmp_path: Path, home: Path) -> Path:
    """Two worktrees that conflict at line 2, and one has a file that nobody knows."""
    (home / ".config/git").mkdir()
    main = init(tmp_path / "main")
    commit(main, {"a.txt": WORDS})
    for name in ("one", "two"):
        worktree = add_worktree(main, name)
        write(worktree, {"a.txt": WORDS.replace("line 2\n", f"{name}\n")})
    write(main.parent / "one", {"junk": "j\n"})
    return main


@pytest.fixture
def live(main: Path) -> Iterator[Live]:
    with watching(main) as opened:
        _settle(opened, main)
        yield opened


def _settle(live: Live, main: Path) -> None:
    """Wait until what a session looks at again in its beginning has been looked at."""
    live.until(lambda picture: [overlap.verdict for overlap in picture.overlaps] == ["conflict"])
    for number in range(3):
        write(main.parent / "two", {"news": f"{number}\n"})
        live.until_fresh()


def _set(file: Path, key: str, value: str) -> None:
    git(file.parent, "config", "--file", file.name, key, value)


Settings = Callable[[Path], None]


def _attributes_by_default(home: Path) -> None:
    write(home, {".config/git/attributes": "* merge=union\n"})


def _attributes_by_name(home: Path) -> None:
    _set(home / ".gitconfig", "core.attributesFile", "~/elsewhere/attributes")
    write(home, {"elsewhere/attributes": "* merge=union\n"})


def _a_driver(home: Path) -> None:
    _set(home / ".gitconfig", "merge.default", "union")


def _an_included_file(home: Path) -> None:
    write(home, {"there/later": "[merge]\n\tdefault = union\n"})


def _the_other_configuration_file(home: Path) -> None:
    write(home, {".config/git/config": "[merge]\n\tdefault = union\n"})


DECIDING = [_attributes_by_default, _attributes_by_name, _a_driver, _an_included_file]


@pytest.mark.parametrize("change", DECIDING, ids=lambda change: change.__name__.strip("_"))
def test_what_decides_a_merge(main: Path, home: Path, change: Settings) -> None:
    _set(home / ".gitconfig", "include.path", "there/later")
    with watching(main) as live:
        _settle(live, main)
        change(home)
        live.until(lambda picture: [overlap.verdict for overlap in picture.overlaps] == ["clean"])
        live.until_fresh()


def test_the_configuration_file_of_the_desktop(main: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read where GIT_CONFIG_GLOBAL names no other."""
    monkeypatch.delenv("GIT_CONFIG_GLOBAL")
    with watching(main) as live:
        _settle(live, main)
        _the_other_configuration_file(home)
        live.until(lambda picture: [overlap.verdict for overlap in picture.overlaps] == ["clean"])


def _excluded_by_default(home: Path) -> None:
    write(home, {".config/git/ignore": "junk\n"})


def _excluded_by_name(home: Path) -> None:
    _set(home / ".gitconfig", "core.excludesFile", "~/excluded")
    write(home, {"excluded": "junk\n"})


@pytest.mark.parametrize("change", [_excluded_by_default, _excluded_by_name])
def test_what_is_ignored(live: Live, home: Path, change: Settings) -> None:
    def untracked() -> bool:
        states = {state.worktree.name: state for state in live.pictures[-1].worktrees}
        changes = states["one"].changes
        return changes is not None and "junk" in changes.touched

    assert untracked()
    change(home)
    live.until(lambda _picture: not untracked())
    live.until_fresh()


def test_a_file_that_a_link_leads_to(live: Live, home: Path) -> None:
    """As those have it who keep their settings in a repository."""
    write(home, {"dotfiles/attributes": "# none\n"})
    (home / ".config/git/attributes").symlink_to("../../dotfiles/attributes")
    live.until_fresh()
    write(home, {"dotfiles/attributes": "* merge=union\n"})
    live.until(lambda picture: [overlap.verdict for overlap in picture.overlaps] == ["clean"])


def test_what_a_submodule_has_fetched(tmp_path: Path, home: Path) -> None:
    """A commit that follows from the other one is taken as soon as trunk's checkout has it."""
    library, main = init(tmp_path / "library"), init(tmp_path / "main")
    first = commit(library, {"lib.txt": "1\n"})
    _set(home / ".gitconfig", "protocol.file.allow", "always")
    git(main, "submodule", "--quiet", "add", "../library", "lib", env={"GIT_CONFIG_GLOBAL": str(home / ".gitconfig")})
    commit(main)
    work = add_worktree(main, "work")
    second, third = (commit(library, {"lib.txt": f"{number}\n"}) for number in (2, 3))
    for worktree, oid in ((main, second), (work, third)):
        git(worktree, "update-index", "--cacheinfo", f"160000,{oid},lib")
        git(worktree, "commit", "--quiet", "--message=Move")
    assert first != second
    with watching(main) as live:
        live.until(lambda picture: "conflict" in [overlap.verdict for overlap in picture.overlaps])
        git(main / "lib", "fetch", "--quiet", "origin")
        git(main / "lib", "checkout", "--quiet", second)
        live.until(lambda picture: [overlap.verdict for overlap in picture.overlaps] == ["clean"])
