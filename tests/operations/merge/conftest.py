"""Two worktrees that merge: trunk `main` in the main worktree, `feat` beside it with a commit of its own."""

from pathlib import Path

import pytest

from tests.harness import add_worktree, commit, init, write


@pytest.fixture(autouse=True)
def _identity(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.com\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def main(tmp_path: Path) -> Path:
    """The main worktree, with trunk checked out and things of the person's own in it."""
    path = init(tmp_path / "shop")
    commit(
        path,
        {".gitignore": "*.log\nlocal/\n", "a.txt": "one\ntwo\nthree\n", "b.txt": "b\n", "dir/c.txt": "c\n"},
        "Begin",
    )
    write(path, {"b.txt": "b, and being edited\n", "notes.md": "untracked\n", "debug.log": "ignored\n"})
    return path


@pytest.fixture
def feat(main: Path) -> Path:
    """A worktree on branch `feat` with one commit: a file edited, one new, one gone."""
    path = add_worktree(main, "feat")
    commit(path, {"a.txt": "one\n2\nthree\n", "new/d.txt": "d\n", "dir/c.txt": None}, "Work on it")
    return path
