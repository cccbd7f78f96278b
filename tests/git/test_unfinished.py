"""What git has not finished in a worktree, and which branch it will come back to; git itself leaves it."""

from pathlib import Path

import pytest

from sidecar.git.unfinished import branches_held, unfinished_operations
from tests.harness import add_worktree, commit, git, init

COMMANDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "nothing": (),
    "merge": (("merge", "main"),),
    "cherry-pick": (("cherry-pick", "main"),),
    "revert": (("revert", "--no-edit", "HEAD~1"),),
    "rebase": (("rebase", "main"),),
    "rebase by patches": (("rebase", "--apply", "main"),),
    "am": (("format-patch", "-1", "-o", "patches", "main"), ("am", "--3way", "patches/0001-Theirs.patch")),
    "bisect": (("bisect", "start", "HEAD", "HEAD~2"),),
    "notes merge": (
        *((("notes", "add", "-m", "ours"), ("notes", "--ref=other", "add", "-m", "theirs"))),
        ("notes", "merge", "--strategy=manual", "other"),
    ),
    "detached bisect": (("switch", "-q", "--detach"), ("bisect", "start", "HEAD", "HEAD~2")),
}
FOUND = {
    "nothing": ((), ()),
    "rebase": (("rebase",), ("feat",)),
    "rebase by patches": (("rebase",), ("feat",)),
    "bisect": (("bisect",), ("feat",)),
}


STORES = [(), pytest.param(("--ref-format=reftable",), marks=pytest.mark.needs_git(2, 45))]


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("what", COMMANDS)
def test_what_is_unfinished(tmp_path: Path, what: str, store: tuple[str, ...]) -> None:
    """Also where git stores what it leaves as refs that are no files."""
    repo = init(tmp_path / "repo", *store)
    commit(repo, {"a.txt": "one\n"}, "One")
    feat = add_worktree(repo, "feat")
    commit(repo, {"a.txt": "theirs\n"}, "Theirs")
    for text in ("mine\n", "mine and more\n", "mine and most\n"):
        commit(feat, {"a.txt": text}, "Mine")
    for command in COMMANDS[what]:
        git(feat, *command, check=False)
    operations, branches = FOUND.get(what, ((what.removeprefix("detached "),), ()))
    git_dir = git(feat, "rev-parse", "--absolute-git-dir")
    assert unfinished_operations(git_dir) == operations
    held = branches_held(git_dir)
    assert held == branches if what != "detached bisect" else "feat" not in held


def test_a_directory_that_is_not_known_has_nothing_unfinished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "MERGE_HEAD").write_text("")
    monkeypatch.chdir(tmp_path)
    assert unfinished_operations("") == ()
    assert branches_held("") == ()
