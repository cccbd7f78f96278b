"""What reading must never leave behind: processes, threads, descriptors, files in the temporary directory."""

import gc
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from sidecar.git import quarantine

DEADLINE = 40.0


def eventually(holds: Callable[[], object], seconds: float | None = None) -> None:
    """Wait for something that nobody announces; fails at the deadline, after so many seconds where that is given."""
    end = time.monotonic() + (DEADLINE if seconds is None else seconds)
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < end, "It did not come about."
        pause.wait(0.01)


def quarantines(temporary: Path) -> list[Path]:
    """Directories of quarantines, and their locks, below a temporary directory."""
    return sorted(path for path in temporary.glob("worktree-sidecar-*/*") if path.name != "open.lock")


def children() -> set[int]:
    """Processes of ours, zombies included."""
    return {child.pid for child in psutil.Process().children(recursive=True)}


def descriptors() -> int:
    """How many are open, after garbage has been collected."""
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture(autouse=True)
def temporary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary directory of the test's own; afterwards it is as empty as before, and nothing runs on."""
    place = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    monkeypatch.setenv("TMPDIR", str(place))
    processes, threads = children(), set(threading.enumerate())
    yield place
    assert quarantines(place) == []
    eventually(lambda: children() <= processes)
    eventually(lambda: set(threading.enumerate()) <= threads)


@pytest.fixture
def memory(tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory in place of the one in memory, for who has chosen none for temporary files."""
    place = tmp_path / "memory"
    place.mkdir()
    monkeypatch.setattr(quarantine, "MEMORY", place)
    monkeypatch.setattr(quarantine, "UNLESS_SET", str(temporary))
    monkeypatch.setattr(quarantine, "SHARE", 1 << 20)
    monkeypatch.setattr(quarantine, "_takes_more", threading.Event())
    return place
