"""Runs the command as a person would: in a directory, with arguments, and looks at what it says and how it ends."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sidecar.__main__ import main
from tests.harness.sample import Sample, build


@dataclass(frozen=True)
class Ended:
    """Exit status, standard output, standard error."""

    status: int
    out: str
    err: str


Sidecar = Callable[..., Ended]


@pytest.fixture
def sidecar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Sidecar:
    """`sidecar(folder, *arguments)` in this process."""

    def run(folder: Path, *arguments: str | Path) -> Ended:
        monkeypatch.chdir(folder)
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Ended(status, said.out, said.err)

    return run


def spawn(folder: Path, *arguments: str | Path, **variables: str) -> Ended:
    """The command as a process of its own, its output in pipes."""
    done = subprocess.run(
        [sys.executable, "-m", "sidecar", *(os.fspath(argument) for argument in arguments)],
        cwd=folder,
        env=own_environment(**variables),
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


def own_environment(**variables: str) -> dict[str, str]:
    house = str(Path(__file__).parent.parent.parent)
    return {name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"PYTHONPATH": house, **variables}


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """The sample repository, for reading only."""
    return build(tmp_path_factory.mktemp("sample") / "sample")
