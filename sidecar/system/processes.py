"""Which processes stand in a directory: who would lose the ground under their feet."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import psutil

LONGEST_END = 10.0
"""Seconds to wait for a process that was told to end."""


@dataclass(frozen=True, slots=True, order=True)
class Process:
    """A running process: its id, and its name as the system gives it."""

    pid: int
    name: str


def processes_inside(folders: Iterable[str]) -> dict[str, tuple[Process, ...]]:
    """The processes whose working directory is in each of the folders (absolute paths), by process id.

    In nested folders a process is in the innermost. Left out: this process with every git that it started, and those
    that the caller may not look at (other users').
    """
    by_real_path = {os.path.realpath(folder): folder for folder in folders}
    found: dict[str, list[Process]] = {folder: [] for folder in by_real_path.values()}
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            here = next((by_real_path[place] for place in _upwards(process.cwd()) if place in by_real_path), None)
            if here is not None and not _is_own_git(process):
                found[here].append(Process(process.pid, process.name()))
        except (psutil.Error, OSError):
            continue
    return {folder: tuple(sorted(inside)) for folder, inside in found.items()}


def _is_own_git(process: psutil.Process) -> bool:
    """Whether it reads for us: who watches a repository is not at work in it."""
    return process.ppid() == os.getpid() and process.name().partition(".")[0] == "git"


def is_running(pid: int) -> bool:
    """Whether there is a process of this id that has not ended."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError, ValueError):
        return False


def end_marked(operation: str, variable: str = "SIDECAR_OPERATION") -> None:
    """End every process that carries an operation's id in its environment, and wait until they are gone.

    What an operation starts inherits the mark, and so does all that those start, in whatever group or session.
    """
    deadline = time.monotonic() + LONGEST_END
    while (marked := _marked(operation, variable)) and time.monotonic() < deadline:
        for process in marked:
            with contextlib.suppress(psutil.Error, OSError):
                process.kill()
        psutil.wait_procs(marked, timeout=1)


def _marked(operation: str, variable: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if (
                process.pid != os.getpid()
                and process.environ().get(variable) == operation
                and process.status() != psutil.STATUS_ZOMBIE
            ):
                found.append(process)
    return found


def _upwards(place: str) -> Iterator[str]:
    """The place and every directory above it, nearest first."""
    while place:
        yield place
        above = os.path.dirname(place)  # a Path for each process would cost more than the question
        if above == place:
            return
        place = above
