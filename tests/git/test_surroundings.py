"""The person's and the repository's configuration, attributes and ignore rules, and which of them count."""

from pathlib import Path

import pytest

from sidecar.git.attributes import attributes_above, read_surroundings
from sidecar.git.config import merge_pairs, read_config, sidecar_keys, silenced_drivers, silenced_programs
from sidecar.git.ignore import ignored_directories, is_ignored
from sidecar.git.process import GitError, Place
from tests.git.opening import opened, quarantined, worktree_at
from tests.harness import add_worktree, commit, git, write


def _place(repo: Path) -> Place:
    return Place(str(repo / ".git"), {"GIT_DIR": str(repo / ".git")})


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
    assert sidecar_keys(read_config(_place(repo))) == {"maxfilesize": "7", "trusted": ("/a", "/b")}


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
    assert untrusted == {"merge.conflictstyle": "diff3"}
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
    seen = read_surroundings(opened(repo))
    assert b"person\n" in seen.weakest and seen.strongest == b"repository\n"
    _global(home, "core.attributesFile", str(home / "other"))
    assert b"other\n" in read_surroundings(opened(repo)).weakest
    git(repo, "config", "core.attributesFile", "/somewhere")
    assert b"other\n" in read_surroundings(opened(repo)).weakest, "a repository names no files of the person's"


@pytest.mark.parametrize("value", ["true", "yes", "on", "1", "input", "TRUE"])
def test_text_by_default(repo: Path, value: str) -> None:
    assert b"text=auto" not in read_surroundings(opened(repo)).weakest
    git(repo, "config", "core.autocrlf", value)
    assert b"text=auto" in read_surroundings(opened(repo)).weakest


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
