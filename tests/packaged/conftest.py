"""The server as it comes out of the VSIX, on a machine that has git and no Python."""

import os
import shutil
import stat
import zipfile
from pathlib import Path

import pytest

from scripts.package import package
from tests.harness.sample import Sample, build

MOST_BYTES = 25_000_000
"""How large a VSIX may be, whatever it is for."""


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension as an editor unpacks it."""
    place = tmp_path_factory.mktemp("vsix")
    with zipfile.ZipFile(package()) as archive:
        for entry in archive.infolist():
            file = Path(archive.extract(entry, place))
            if mode := stat.S_IMODE(entry.external_attr >> 16):
                file.chmod(mode)
    return place / "extension"


@pytest.fixture(scope="session")
def server(unpacked: Path) -> Path:
    return unpacked / "server" / ("sidecar.exe" if os.name == "nt" else "sidecar")


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment whose PATH has git and nothing else."""
    place = tmp_path_factory.mktemp("bare")
    git = shutil.which("git")
    assert git
    (place / "git").symlink_to(git)
    return {"PATH": str(place), "HOME": str(place), "GIT_CONFIG_NOSYSTEM": "1", "LANG": "C.UTF-8"}


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return build(tmp_path_factory.mktemp("packaged") / "sample")
