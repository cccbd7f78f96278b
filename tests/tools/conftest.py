"""Situations with real tools: husky, git-lfs and others, of pinned versions, beside plain git as the judge."""

import os
from pathlib import Path

import pytest

from scripts.real_tools import PROGRAMS, READY
from tests.harness import commit, init


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip these tests where the tools are not installed."""
    if not READY.exists():
        missing = pytest.mark.skip(reason="the real tools are not installed: npm run real-tools")
        for item in items:
            if item.path.is_relative_to(Path(__file__).parent):
                item.add_marker(missing)


@pytest.fixture(autouse=True)
def _tools(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.com\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", os.pathsep.join([*map(str, PROGRAMS), os.environ["PATH"]]))


@pytest.fixture
def main(tmp_path: Path) -> Path:
    """The main worktree `tmp_path/shop` with trunk `main`; what tools install is ignored."""
    path = init(tmp_path / "shop")
    commit(path, {".gitignore": "node_modules\n.venv\n", "a.txt": "one\ntwo\nthree\n"}, "chore: begin")
    return path
