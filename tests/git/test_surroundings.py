"""The person's and the repository's configuration, attributes and ignore rules, and which of them count."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from sidecar.git.attributes import attributes_above
from sidecar.git.config import merge_pairs, read_config, sidecar_keys, silenced_drivers, silenced_programs
from sidecar.git.ignore import ignored_directories, is_ignored
from sidecar.git.process import GitError, Place
from sidecar.git.surroundings import Surroundings, read_surroundings
from tests.git.opening import opened, quarantined, worktree_at
from tests.harness import add_worktree, commit, git, write


def _place(repo: Path) -> Place:
    return Place(str(repo / ".git"), {"GIT_DIR": str(repo / ".git")})


def _surroundings(repo: Path, *, checkout: Path | None = None) -> Surroundings:
    repository = opened(repo)
    return read_surroundings(repository, worktree_at(repository, checkout) if checkout is not None else None)


def _global(home: Path, key: str, value: str) -> None:
    git(home, "config", "--file", str(home / ".gitconfig"), "--add", key, value)


def test_scopes_and_the_last_one_wins(repo: Path, home: Path) -> None:
    _global(home, "user.name", "Person")
    git(repo, "config", "user.name", "Repository")
    git(repo, "config", "--add", "user.name", "two\nlines")
    config = read_config(_place(repo))
    assert config.get("user.name") == "two\nlines"
    assert config.all("user.name") == ("Person", "Repository", "two\nlines")
    assert config.all("user.name", frozenset({"global"})) == ("Person",)
    assert config.get("no.such") is None
    assert not [pair for pair in config.pairs if pair[0] == "command"]


def test_includes_are_read(repo: Path) -> None:
    (repo / ".git/more").write_text("[sidecar]\n\ttrunk = dev\n")
    git(repo, "config", "include.path", "more")
    assert read_config(_place(repo)).get("sidecar.trunk") == "dev"


def test_a_broken_file_is_an_error(repo: Path) -> None:
    (repo / ".git/config").write_text("[core\n")
    with pytest.raises(GitError, match="bad config"):
        read_config(_place(repo))


def test_sidecar_keys(repo: Path, home: Path) -> None:
    _global(home, "sidecar.trusted", "/a")
    _global(home, "sidecar.trusted", "/b")
    git(repo, "config", "sidecar.maxFileSize", "7")
    git(repo, "config", "sidecar.trusted", "/evil")
    assert sidecar_keys(read_config(_place(repo)), trusted=True) == {"maxfilesize": "7", "trusted": ("/a", "/b")}


def test_which_programs_are_silenced(repo: Path, home: Path) -> None:
    """Those that the repository configures; where the person has configured the same, the person's stands."""
    _global(home, "filter.mine.clean", "person")
    _global(home, "filter.both.clean", "person")
    for name in ("both", "theirs"):
        git(repo, "config", f"filter.{name}.clean", "repository")
        git(repo, "config", f"filter.{name}.required", "true")
    config = read_config(_place(repo))
    assert sorted(silenced_programs(config, trusted=False)) == [
        ("filter.both.clean", "person"),
        ("filter.both.required", "false"),
        ("filter.theirs.clean", ""),
        ("filter.theirs.required", "false"),
    ]
    assert silenced_programs(config, trusted=True) == []


def test_which_drivers_are_silenced(repo: Path, home: Path) -> None:
    _global(home, "merge.mine.driver", "person")
    for name in ("mine", "theirs", "with.dots"):
        git(repo, "config", f"merge.{name}.driver", "repository")
    git(repo, "config", "merge.conflictStyle", "diff3")
    git(repo, "config", "merge.default", "theirs")
    config = read_config(_place(repo))
    assert silenced_drivers(config, trusted=False) == {"theirs", "with.dots"}
    assert silenced_drivers(config, trusted=True) == frozenset()
    untrusted = dict(merge_pairs(config, trusted=False))
    assert untrusted == {"merge.conflictstyle": "diff3", "merge.default": "text", "merge.mine.driver": "person"}
    trusted = dict(merge_pairs(config, trusted=True))
    assert trusted["merge.theirs.driver"] == "repository"
    assert trusted["merge.default"] == "theirs"
    git(repo, "config", "merge.default", "union")
    assert dict(merge_pairs(read_config(_place(repo)), trusted=False))["merge.default"] == "union"


def test_attributes_files_above_paths(repo: Path) -> None:
    commit(repo, {".gitattributes": "top\n", "d/.gitattributes": "d\n", "d/e/.gitattributes": "e\n", "d/e/a": "a\n"})
    commit(repo, {"x/.gitattributes/a": "a directory of that name\n"})
    tree = git(repo, "rev-parse", "HEAD^{tree}")
    with quarantined(opened(repo)) as quarantine:

        def directories(*paths: str) -> list[str]:
            return [directory for directory, _ in attributes_above(quarantine.objects, tree, paths)]

        assert directories() == [""]
        assert directories("a", "x/a", "gone/a") == [""]
        assert directories("d/a") == ["", "d"]
        assert directories("d/e/a", "d/e/f/g") == ["", "d", "d/e"]
        assert directories("d") == [""]


def test_attributes_outside_of_trees(repo: Path, home: Path) -> None:
    write(home, {".config/git/attributes": "person\n", "other": "other\n"})
    write(repo, {".git/info/attributes": "repository\n"})
    seen = _surroundings(repo)
    assert b"person\n" in seen.weakest and seen.strongest == b"repository\n\n"
    _global(home, "core.attributesFile", "~/other")
    assert b"other\n" in _surroundings(repo).weakest and b"person" not in _surroundings(repo).weakest
    write(repo, {"own": "\ufeffown without an end"})
    git(repo, "config", "core.attributesFile", "own")
    assert _surroundings(repo).weakest == b"", "relative to the top of the checkout, and there is none"
    assert _surroundings(repo, checkout=repo).weakest == b"own without an end\n"
    git(repo, "config", "core.attributesFile", "/dev/zero")
    assert _surroundings(repo, checkout=repo).weakest == b""


def test_what_is_ignored_everywhere(repo: Path, home: Path) -> None:
    write(home, {".config/git/ignore": "person\n", "other": "other\n"})
    write(repo, {".git/info/exclude": "repository\n"})
    assert _surroundings(repo).ignored == b"repository\n\nperson\n"
    _global(home, "core.excludesFile", "~/other")
    assert _surroundings(repo).ignored == b"repository\n\nother\n"


def test_files_that_count_whether_they_are_there_or_not(repo: Path, home: Path) -> None:
    _global(home, "include.path", "elsewhere/config")
    git(repo, "config", "includeIf.gitdir:/nowhere/.path", str(home / "for some"))
    git(repo, "config", "core.attributesFile", str(home / "own"))
    names = {os.path.relpath(file, home) for file in _surroundings(repo).files if file.startswith(f"{home}/")}
    assert names == {".gitconfig", "elsewhere/config", "for some", "own", ".config/git/ignore"}


def test_replaced_objects(repo: Path) -> None:
    assert _surroundings(repo).replaced == {}
    old, new = (git(repo, "hash-object", "-w", "--stdin", input=text) for text in ("old", "new"))
    git(repo, "replace", old, new)
    assert _surroundings(repo).replaced == {old: new}
    git(repo, "config", "core.useReplaceRefs", "false")
    assert _surroundings(repo).replaced == {}


def test_how_lines_are_compared(repo: Path, home: Path) -> None:
    """Only newer gits let the configuration decide that."""
    _global(home, "diff.algorithm", "Patience")
    repository = opened(repo)
    assert read_surroundings(replace(repository, version=(2, 50, 1)), None).algorithm == "patience"
    assert read_surroundings(replace(repository, version=(2, 49, 0)), None).algorithm is None


@pytest.mark.parametrize("value", ["true", "yes", "on", "1", "input", "TRUE"])
def test_text_by_default(repo: Path, value: str) -> None:
    assert b"text=auto" not in _surroundings(repo).weakest
    git(repo, "config", "core.autocrlf", value)
    assert b"text=auto" in _surroundings(repo).weakest


def test_ignored_directories(repo: Path) -> None:
    linked = add_worktree(repo, "linked")
    write(linked, {".gitignore": "out/\nnode_modules\n/d/e/\nheld/\n!d/e/f/\n"})
    write(linked, {"held/kept.txt": "k\n", "glob[a]/x": "x\n"})
    git(linked, "add", "--force", "held/kept.txt")
    repository = opened(repo)
    worktree = worktree_at(repository, linked)
    asked = ["out", "d", "d/e", "d/out", "d/node_modules", "held", "glob[a]", "ünï", "-d", ":x", "gone"]
    assert ignored_directories(repository, worktree, asked) == {"out", "d/e", "d/out", "d/node_modules"}
    assert ignored_directories(repository, worktree, []) == frozenset()


@pytest.mark.parametrize(
    ("path", "ignored"), [("x.log", True), ("out/x", True), ("kept.log", False), ("x", False), ("d/x.log", True)]
)
def test_ignored_files(repo: Path, path: str, ignored: bool) -> None:
    write(repo, {".gitignore": "*.log\nout/\n", "kept.log": "k\n"})
    git(repo, "add", "--force", "kept.log")
    repository = opened(repo)
    assert is_ignored(repository, worktree_at(repository, repo), path) is ignored


def test_what_cannot_be_asked_is_not_ignored(repo: Path) -> None:
    """Watching too much loses nothing."""
    write(repo, {".gitignore": "out/\n"})
    repository = opened(repo)
    worktree = worktree_at(repository, repo)
    (repo / ".git/index").write_bytes(b"nonsense")
    assert ignored_directories(repository, worktree, ["out"]) == frozenset()
