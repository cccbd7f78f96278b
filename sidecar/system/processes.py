"""Find processes by their working directory or by their operation, and delete folders in the background."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from sidecar.system.files import upwards

LONGEST_END = 10.0
"""Seconds to wait for a process that was told to end."""


@dataclass(frozen=True, slots=True, order=True)
class Process:
    """A running process: its id, and its name as the system gives it."""

    pid: int
    name: str


def processes_inside(folders: Iterable[str]) -> dict[str, tuple[Process, ...]]:
    """Give the processes whose working directory is in each of the folders (absolute paths), by process id.

    In nested folders a process is in the innermost. Left out: this process with every git that it started, and those
    that the caller may not look at (other users').
    """
    by_real_path = {os.path.realpath(folder): folder for folder in folders}
    found: dict[str, list[Process]] = {folder: [] for folder in by_real_path.values()}
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            cwd = process.cwd()
            here = next((by_real_path[place] for place in upwards(cwd) if place in by_real_path), None)
            if here is not None and not _is_in_deleted(process.pid, cwd) and not _is_own_git(process):
                found[here].append(Process(process.pid, process.name()))
        except (psutil.Error, OSError):
            continue
    return {folder: tuple(sorted(inside)) for folder, inside in found.items()}


def _is_in_deleted(pid: int, cwd: str) -> bool:
    """Tell whether a process's directory was deleted and another one made at its path, which psutil then names.

    Linux marks the link with " (deleted)" (proc(5): /proc/PID/cwd); psutil 7.2 takes the mark off.
    """
    try:
        return not os.path.samefile(f"/proc/{pid}/cwd", cwd)
    except OSError:
        return False


def _is_own_git(process: psutil.Process) -> bool:
    """Tell whether a process is a git that reads for us, because who watches a repository is not at work in it."""
    return process.ppid() == os.getpid() and process.name().partition(".")[0] == "git"


def is_running(pid: int) -> bool:
    """Tell whether there is a process of this id that has not ended."""
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


LONGEST_START = 10.0
"""Seconds that the shell may take to leave the work behind."""

_BEHIND = """(
rm -rf -- "$1" || { find "$1" -type d ! -perm -700 -exec chmod u+rwx {} \\; ; rm -rf -- "$1" ; }
rmdir -- "$2"
) </dev/null >/dev/null 2>&1 &"""
"""Deletes a directory, also one with read-only directories in it, then the one above when that is empty."""


def delete_behind(folder: Path, held: int) -> None:
    """Delete a folder in the background, and the one above it if that is then empty; what can't be deleted stays.

    Returns at once where there is a shell (sh(1p)). The process keeps the descriptor `held` open as long as it runs, so
    a lock on it tells that it does. No link is followed.
    """
    shell = shutil.which("sh", path=os.defpath)
    if shell is None:
        shutil.rmtree(folder, ignore_errors=True)
        return
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            [shell, "-c", _BEHIND, "sh", str(folder), str(folder.parent)],
            cwd="/",
            env={"PATH": os.defpath},
            pass_fds=(held,),
            start_new_session=True,
            check=False,
            timeout=LONGEST_START,
        )
