"""What the end-to-end tests have: trunk, and two worktrees on it."""

from pathlib import Path

import pytest

from tests.harness import add_worktree, commit
from tests.lsp.texts import TEXT, changed


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


@pytest.fixture
def author(home: Path) -> None:
    """The person has a name, without which git commits nothing."""
    (home / ".gitconfig").write_text("[user]\n\tname = Ada Harness\n\temail = ada@example.com\n")


@pytest.fixture
def feature(theirs: Path, author: None) -> Path:
    """A worktree with one commit that is not in trunk."""
    commit(theirs, {"a.txt": changed(5, "theirs\n")}, "Change line 5")
    return theirs
