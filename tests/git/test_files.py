"""Reading whole files: regular ones of a usual size, and never waiting, following or keeping anything."""

import os
from pathlib import Path

import pytest

from sidecar.system.files import read_regular


def _open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_regular_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    assert read_regular(str(tmp_path / "file"), 7) == b"content"


@pytest.mark.parametrize("kind", ["directory", "fifo", "link", "large", "missing"])
def test_anything_else_is_refused_and_nothing_stays_open(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "it"
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(tmp_path)
    elif kind == "large":
        path.write_bytes(b"12345678")
    before = _open_descriptors()
    with pytest.raises(OSError):
        read_regular(str(path), 7)
    assert _open_descriptors() == before
