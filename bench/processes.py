"""What a process and the processes that it started cost, as Linux counts it."""

from __future__ import annotations

import os
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


def family(pid: int) -> list[psutil.Process]:
    """The process and all below it, as they are now."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def cpu_seconds(pid: int) -> float:
    """Seconds of CPU of a process, of those that it has waited for, and of those that it has now."""
    own = psutil.Process(pid).cpu_times()
    total: float = own.user + own.system + own.children_user + own.children_system
    for child in family(pid)[1:]:
        with suppress(psutil.NoSuchProcess):
            total += sum(child.cpu_times()[:4])
    return total


def memory(pid: int) -> list[Memory]:
    """The memory of the process, first, and of those below it."""
    found = []
    for process in family(pid):
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


def watched_inodes(pid: int) -> list[int]:
    """The inode of every inotify watch that a process has (proc(5), fdinfo)."""
    found = []
    for info in Path(f"/proc/{pid}/fdinfo").iterdir():
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
