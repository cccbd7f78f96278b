"""What a process and the processes that it started cost, as Linux counts it."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Memory:
    """One process's memory in MB; `pss` shares what several processes have mapped, so that it can be added up."""

    name: str
    rss: float
    pss: float


RUNTIME = Path(tempfile.mkdtemp(prefix="sidecar-bench-"))
"""Where the session processes of this run listen; those that windows share are nobody's children."""
atexit.register(shutil.rmtree, RUNTIME, ignore_errors=True)
PLACES = {
    "XDG_RUNTIME_DIR": str(RUNTIME),
    "XDG_CACHE_HOME": str(RUNTIME / "cache"),
    "PYTHONDONTWRITEBYTECODE": "",  # what is installed is compiled
}


def sessions() -> list[psutil.Process]:
    """The session processes of this run."""
    found = []
    for note in sorted(RUNTIME.glob("worktree-sidecar/*.json")):
        with suppress(OSError, ValueError, psutil.Error):
            found.append(psutil.Process(json.loads(note.read_text())["pid"]))
    return found


def family(pid: int) -> list[psutil.Process]:
    """The process, all below it, and the sessions of this run with all below them, as they are now."""
    found = []
    for process in (psutil.Process(pid), *sessions()):
        with suppress(psutil.NoSuchProcess):
            found += [process, *process.children(recursive=True)]
    return found


def cpu_seconds(*pids: int) -> float:
    """Seconds of CPU of processes, of those that they have waited for, and of those that they have now."""
    total = 0.0
    for process in {one.pid: one for pid in pids for one in family(pid)}.values():
        with suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])
    return total


def memory(*pids: int) -> list[Memory]:
    """The memory of the processes, the first one first, and of those below them."""
    found = []
    for process in {one.pid: one for pid in pids for one in family(pid)}.values():
        with suppress(psutil.NoSuchProcess):
            full = process.memory_full_info()
            found.append(Memory(process.name(), full.rss / 2**20, full.pss / 2**20))
    return found


def exact_cpu_seconds(pid: int) -> float:
    """As `cpu_seconds` for what runs now, but to the nanosecond; what has ended meanwhile is left out."""
    nanoseconds = 0
    for process in family(pid):
        for task in _tasks(process.pid):
            with suppress(OSError):
                nanoseconds += int((task / "schedstat").read_text().split()[0])
    return nanoseconds / 1e9


def wakeups(pid: int) -> int:
    """How often the threads of a process, and of those below it, have been woken."""
    count = 0
    for process in family(pid):
        for task in _tasks(process.pid):
            with suppress(OSError):
                lines = (task / "status").read_text().splitlines()
                count += sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))
    return count


def traces_of_children(pid: int) -> int:
    """A number that grows with every process that this one has started and waited for: their minor page faults."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[8])


def open_files(pid: int) -> list[str]:
    """What the file descriptors of a process lead to."""
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            found.append(str(link.readlink()))
    return found


def watched_inodes(*pids: int) -> list[int]:
    """The inode of every inotify watch of processes, and of the sessions of this run (proc(5), fdinfo)."""
    found = []
    watching = dict.fromkeys((*pids, *(session.pid for session in sessions())))
    for info in (info for pid in watching for info in Path(f"/proc/{pid}/fdinfo").iterdir()):
        with suppress(OSError):
            lines = info.read_text().splitlines()
            found += [int(line.split("ino:")[1].split()[0], 16) for line in lines if line.startswith("inotify wd:")]
    return found


def inodes_below(directory: Path) -> Iterator[int]:
    """The inodes of a directory and of all directories below it."""
    for folder, _, _ in os.walk(directory):
        yield os.stat(folder).st_ino


def _tasks(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []
