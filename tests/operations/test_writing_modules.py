"""Whoever follows a merge, or a release, from the terminal to its last write, has few files to read."""

from pathlib import Path

import pytest

from tests.harness import add_worktree, commit, git, init
from tests.harness.writing_modules import modules_that_write

MOST_FILES = 15


@pytest.fixture
def shop(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.com\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    main = init(tmp_path / "shop")
    commit(main, {"a.txt": "one\n"}, "Begin")
    commit(add_worktree(main, "feat"), {"b.txt": "two\n"}, "Work on it")
    return main


def test_a_merge_is_written_by_few_files(shop: Path) -> None:
    found = modules_that_write(shop, shop.parent, "merge", "feat", "--yes", "--verify", "true")
    assert (shop / "b.txt").exists()
    assert {"operations/merge/apply.py", "operations/merge/verify.py"} <= set(found)
    assert len(found) <= MOST_FILES, found


def test_a_release_is_written_by_few_files(shop: Path) -> None:
    git(shop, "merge", "--quiet", "feat")
    found = modules_that_write(shop, shop.parent, "release", "feat", "--yes")
    assert not (shop.parent / "feat").exists()
    assert "operations/release/apply.py" in found
    assert len(found) <= MOST_FILES, found
