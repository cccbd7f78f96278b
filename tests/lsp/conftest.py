"""What the end-to-end tests have: trunk, and two worktrees on it."""

from pathlib import Path

import pytest

from tests.harness import add_worktree, commit
from tests.lsp.texts import TEXT


@pytest.fixture
def base(repo: Path) -> Path:
    """Trunk with a file of twenty lines."""
    commit(repo, {"a.txt": TEXT, "b.txt": TEXT})
    return repo


@pytest.fixture
def mine(base: Path) -> Path:
    return add_worktree(base, "mine")


@pytest.fixture
def theirs(base: Path) -> Path:
    return add_worktree(base, "theirs", branch="feature/theirs")
