"""Which processes stand in a directory: who would lose the ground under their feet."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True, order=True)
class Process:
    """A running process: its id, and its name as the system gives it."""

    pid: int
    name: str


def processes_inside(folders: Iterable[str]) -> dict[str, tuple[Process, ...]]:
    """The processes whose working directory is in each of the folders (absolute paths), by process id.

    In nested folders a process is in the innermost. Left out: this process, and those that the caller may not look at
    (other users').
    """
    by_real_path = {os.path.realpath(folder): folder for folder in folders}
    found: dict[str, list[Process]] = {folder: [] for folder in by_real_path.values()}
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            here = next((by_real_path[place] for place in _upwards(process.cwd()) if place in by_real_path), None)
            if here is not None:
                found[here].append(Process(process.pid, process.name()))
        except (psutil.Error, OSError):
            continue
    return {folder: tuple(sorted(inside)) for folder, inside in found.items()}


def _upwards(place: str) -> Iterator[str]:
    """The place and every directory above it, nearest first."""
    while place:
        yield place
        above = os.path.dirname(place)  # a Path for each process would cost more than the question
        if above == place:
            return
        place = above
