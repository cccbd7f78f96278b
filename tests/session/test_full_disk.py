"""A temporary disk without room: that is said, nothing is left behind, and when there is room again all is as ever."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.session.once import look
from tests.harness import init, write
from tests.session.pictures import overlaps_of, pictured
from tests.session.unusual import MEETINGS, all_problems, begin, numbered, work
from tests.session.watching import watching


@pytest.fixture
def main(tmp_path: Path) -> Path:
    """An empty repository."""
    return init(tmp_path / "main")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 512 kB, mounted; only root can do that."""
    place = tmp_path / "small disk"
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=512k,mode=1777", "none", str(place)]
    if sys.platform != "linux" or subprocess.run(mounting, check=False, capture_output=True).returncode:
        pytest.skip("a small disk can't be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def _fill(disk: Path) -> Path:
    """A file that takes all the room there is."""
    path = disk / "filling"
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass
    return path


def test_a_temporary_disk_that_is_full(main: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said in one sentence, and when there is room again all is as ever."""
    one, two = begin(main)
    work(one, two)
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    monkeypatch.setenv("TMPDIR", str(small_disk))
    filling = _fill(small_disk)
    refused = look(main)
    assert isinstance(refused, Failure) and refused.code == "no-quarantine"
    assert str(small_disk) in refused.message and "No space left on device" in refused.message
    filling.unlink()
    assert overlaps_of(pictured(look(main))) == MEETINGS
    assert list(small_disk.glob("*/q-*")) == []


def test_a_temporary_disk_that_fills_up(main: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session says so, and goes on when there is room again."""
    one, two = begin(main)
    work(one, two)
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    monkeypatch.setenv("TMPDIR", str(small_disk))
    with watching(main) as live:
        filling = _fill(small_disk)
        write(one, {"hot.txt": numbered(l3="one, and then the disk is full", l7="x" * 8192)})
        picture = live.until(lambda picture: all_problems(picture))
        assert "No space left on device" in all_problems(picture) and str(small_disk) in all_problems(picture)
        filling.unlink()
        write(one, {"hot.txt": numbered(l3="one, and there is room again")})
        live.until_fresh()
        assert overlaps_of(live.pictures[-1]) == MEETINGS
    assert list(small_disk.glob("*/q-*")) == []
