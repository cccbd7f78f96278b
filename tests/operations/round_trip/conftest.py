"""A repository of any object format, and a worktree of it."""

from pathlib import Path

import pytest

from tests.harness import add_worktree, commit, init


@pytest.fixture
def object_format() -> str:
    return "sha1"


@pytest.fixture
def pair(object_format: str, tmp_path: Path) -> tuple[Path, Path]:
    """A repository and a worktree `feat` of it."""
    repo = init(tmp_path / "repo", f"--object-format={object_format}")
    commit(repo, {"a": "a\n", "d/b": "b\n", ".gitignore": "*.secret\n/out/\n"})
    worktree = add_worktree(repo, "feat")
    commit(worktree, {"c": "c\n"})
    return repo, worktree
