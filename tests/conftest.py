"""What every test has: a home, a git configuration and an environment that are its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.harness import commit, environment, init
from tests.model.examples import examples

collect_ignore_glob = ["harness/*"]
settings.register_profile("always the same", examples(100))
settings.load_profile("always the same")


def _isolate(patch: pytest.MonkeyPatch, home: Path) -> None:
    (home / ".config").mkdir(parents=True)
    (home / ".gitconfig").touch()
    own = environment(home)
    own.pop("COLUMNS", None)  # of the terminal, or of the process that runs the tests
    for name in os.environ.keys() - own.keys():
        patch.delenv(name)
    for name, value in own.items():
        patch.setenv(name, value)


@pytest.fixture(scope="session", autouse=True)
def _isolated_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Holds for fixtures that live longer than a test."""
    with pytest.MonkeyPatch.context() as patch:
        _isolate(patch, tmp_path_factory.mktemp("session") / "home")
        yield


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test's own home directory; its `.gitconfig`, empty at first, is the global configuration."""
    place = tmp_path_factory.mktemp("home") / "home"
    _isolate(monkeypatch, place)
    return place


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """The main worktree `tmp_path/repo` of a repository with trunk `main` and one commit."""
    path = init(tmp_path / "repo")
    commit(path, {"README.md": "# Repository\n"}, "Begin")
    return path
