"""What every test has: a home, a git configuration and an environment that are its own."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from sidecar.git.process import git_version
from sidecar.model.findings import Failure
from tests.harness import commit, environment, init
from tests.model.examples import examples

collect_ignore_glob = ["harness/*"]
settings.register_profile("always the same", examples(100))
settings.load_profile("always the same")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell starts what runs behind so, and its children inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

WITH_NEWER_GIT_TOO = (
    "test_scenarios.py",
    "git/test_discovery.py",
    "git/test_hardened.py",
    "git/test_history.py",
    "git/test_judge.py",
    "git/test_status.py",
    "git/test_unfinished.py",
    "git/test_version.py",
    "git/test_worktrees.py",
    "operations/merge/test_beside_git.py",
    "operations/merge/test_hooks.py",
    "operations/merge/test_recovery.py",
    "operations/test_guard.py",
    "operations/round_trip/test_everything.py",
    "operations/test_release.py",
    "operations/test_release_beside_tools.py",
    "session/test_integration.py",
    "session/test_look.py",
    "session/test_trunks_checkout.py",
    "session/test_unusual.py",
)
"""What depends most on git's own doing; with the newer git these run too, and whatever is marked `needs_git`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs with the newer git too; skip what this git is too old for."""
    tests, version = Path(__file__).parent, git_version()
    assert not isinstance(version, Failure), version.message
    for item in items:
        needed = item.get_closest_marker("needs_git")
        if needed is not None or item.path.relative_to(tests).as_posix().startswith(WITH_NEWER_GIT_TOO):
            item.add_marker("newer_git")
        if needed is not None and version < needed.args:
            wanted, this = (".".join(map(str, numbers)) for numbers in (needed.args, version))
            item.add_marker(pytest.mark.skip(reason=f"needs git {wanted}, this is {this}: npm run newer-git"))


BARE_TOO = "[safe]\n\tbareRepository = all\n"
"""Git 3 enters no bare repository that it was not told of, unless the person says so."""


def begin_home(place: Path) -> Path:
    """A home directory whose `.gitconfig` is all but empty."""
    (place / ".config").mkdir(parents=True)
    (place / ".gitconfig").write_text(BARE_TOO)
    return place


def _isolate(patch: pytest.MonkeyPatch, place: Path) -> None:
    own = environment(begin_home(place))
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
    """The test's own home directory; its `.gitconfig`, all but empty at first, is the global configuration."""
    place = tmp_path_factory.mktemp("home") / "home"
    _isolate(monkeypatch, place)
    return place


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """The main worktree `tmp_path/repo` of a repository with trunk `main` and one commit."""
    path = init(tmp_path / "repo")
    commit(path, {"README.md": "# Repository\n"}, "Begin")
    return path
