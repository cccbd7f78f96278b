"""What is mounted where, by real mounts."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.system.mounts import Mount, mounted_in, read_mounts
from tests.harness.states import allows

pytestmark = pytest.mark.skipif(not allows("mount"), reason="this machine does not allow: mount")

NAMES = ("a b", "tab\tc", "back\\d", "line\ne", "odd\udcff\rname", "#name", "a - b")


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A folder in which a file system, and folders of the same disk, are mounted under names of every kind."""
    places = [tmp_path / "top" / name for name in ("disk", *NAMES)]
    for place in (tmp_path / "source", *places):
        place.mkdir(parents=True)
    try:
        subprocess.run(["mount", "-t", "tmpfs", "#odd source", str(places[0])], check=True)
        for place in places[1:]:
            subprocess.run(["mount", "--bind", str(tmp_path / "source"), os.fsencode(place)], check=True)
        yield tmp_path / "top"
    finally:
        for place in places:
            subprocess.run(["umount", "--lazy", os.fsencode(place)], check=False, capture_output=True)


def test_every_mount_is_read_by_its_own_name(mounted: Path) -> None:
    assert Mount(str(mounted / "disk"), "tmpfs") in read_mounts()
    assert mounted_in(mounted) == tuple(sorted(("disk", *NAMES)))
    assert mounted_in(mounted / "a b") == (".",)


def test_a_name_that_begins_alike_is_another_folder(mounted: Path) -> None:
    (mounted.parent / "to").mkdir()
    assert mounted_in(mounted.parent / "to") == ()
    assert mounted_in(mounted.parent / "source") == ()
