"""Find processes by their working directory or by their operation, and how they were started; delete folders behind."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import psutil

from sidecar.system.agent_programs import client_of
from sidecar.system.detached import SESSION
from sidecar.system.files import upwards

LONGEST_END = 10.0
"""Seconds to wait for a process that was told to end."""


EDITORS = tuple(
    (title, re.compile(shape, re.IGNORECASE))
    for title, shape in (
        ("Cursor", r"[\\/]cursor(\.exe)?$|[\\/]Cursor\.app/|[\\/]\.cursor-server[\\/]"),
        ("Windsurf", r"[\\/]windsurf(\.exe)?$|[\\/]Windsurf\.app/|[\\/]\.windsurf-server[\\/]"),
        ("VSCodium", r"[\\/](vs)?codium(\.exe)?$|[\\/]VSCodium\.app/|[\\/]\.vscodium-server[\\/]"),
        ("VS Code", r"[\\/]code(-insiders|-oss)?(\.exe)?$|[\\/]Visual Studio Code[^/]*\.app/"),
        ("VS Code", r"[\\/]\.vscode(-insiders)?-server[\\/]|[\\/]code-server([\\/]|$)"),
    )
)
"""How the program of each editor of VS Code's kind is told, or what a Node.js of it runs."""

SHELLS = frozenset(
    {"bash", "csh", "dash", "elvish", "fish", "ksh", "nu", "powershell", "pwsh", "sh", "tcsh", "xonsh", "zsh"}
)

OWN_GIT = "--no-optional-locks"
"""What every git begins with that the sidecar reads with, or that keeps a state for it (git/process.py)."""

Kind: TypeAlias = Literal["", "terminal", "helper", "caller"]


@dataclass(frozen=True, slots=True, order=True)
class Process:
    """A running process: its id, and its name as the system gives it.

    `editor` is the editor that has started it for itself: a shell of its terminal, or a `helper`, such as a language
    server; "" for all that works by itself, also when it was started there. A `caller` started the one who asks.
    """

    pid: int
    name: str
    editor: str = ""
    kind: Kind = ""


def processes_inside(folders: Iterable[str], asker: int | None = None) -> dict[str, tuple[Process, ...]]:
    """Give the processes whose working directory is in each of the folders (absolute paths), by process id.

    In nested folders a process is in the innermost. Left out: the sidecar's own processes, the gits that they have for
    themselves, every git that this one started, and those that the caller may not look at (other users'). `asker` is
    the process that wants to know, where it is not this one.
    """
    asker = os.getpid() if asker is None else asker
    by_real_path = {os.path.realpath(folder): folder for folder in folders}
    found: dict[str, list[Process]] = {folder: [] for folder in by_real_path.values()}
    for process in psutil.process_iter():
        if process.pid in (os.getpid(), asker):
            continue
        try:
            cwd = process.cwd()
            here = next((by_real_path[place] for place in upwards(cwd) if place in by_real_path), None)
            if here is not None and not _is_in_deleted(process.pid, cwd) and not _is_ours(process):
                found[here].append(_described(process, asker))
        except (psutil.Error, OSError):
            continue
    return {folder: tuple(sorted(inside)) for folder, inside in found.items()}


@dataclass(frozen=True, slots=True)
class Program:
    """How a running process was started: the file that runs, its arguments, when, and its ancestors, the nearest first.

    What the system does not tell is empty.
    """

    file: str
    arguments: tuple[str, ...]
    started: float
    ancestors: tuple[int, ...]


def program_of(pid: int) -> Program | None:
    """Say how a process was started; None where it has ended, or is of another user."""
    try:
        process = psutil.Process(pid)
        arguments, started = tuple(process.cmdline()), process.create_time()
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        ancestors = tuple(above.pid for above in process.parents())
    except (psutil.Error, OSError, ValueError):
        return None
    try:
        file = process.exe()
    except (psutil.Error, OSError):
        file = ""
    return Program(file, arguments, started, ancestors)


def _is_in_deleted(pid: int, cwd: str) -> bool:
    """Tell whether a process's directory was deleted and another one made at its path, which psutil then names.

    Linux marks the link with " (deleted)" (proc(5): /proc/PID/cwd); psutil 7.2 takes the mark off.
    """
    try:
        return not os.path.samefile(f"/proc/{pid}/cwd", cwd)
    except OSError:
        return False


def _is_ours(process: psutil.Process) -> bool:
    """Tell whether it is the sidecar, or a git that it has for itself: who watches is not at work in a repository."""
    name, words = process.name().partition(".")[0], process.cmdline()
    if name == "git" and (parent := process.parent()) is not None:
        started_here = parent.pid == os.getpid() or parent.cmdline()[-1:] == [SESSION]
        return started_here or (words[1:2] == [OWN_GIT] and _is_ours(parent))
    if name.startswith("python") or name == "sidecar":
        program = next((word for word in words[1:] if not word.startswith("-")), "")
        return name == "sidecar" or os.path.basename(program) == "sidecar" or words[1:3] == ["-m", "sidecar"]
    return False


def _described(process: psutil.Process, asker: int) -> Process:
    """Say what a process is: an editor's own, who started the one that asks, or something by itself."""
    name = process.name()
    plain = name.removesuffix(".exe").lstrip("-").lower()
    try:
        above = [process, *process.parents()]
    except (psutil.Error, OSError):
        above = [process]
    editor = next(filter(None, map(_editor_of, above)), "")
    if editor and plain in SHELLS:
        return Process(process.pid, name, editor, "terminal")
    if editor and not _is_agent(process.pid) and not _has_terminal(process):
        return Process(process.pid, name, editor, "helper")
    if plain in SHELLS and process.pid in _above(asker):
        return Process(process.pid, name, "", "caller")
    return Process(process.pid, name)


def _above(pid: int) -> set[int]:
    """Give the processes that a process was started by, each by the next."""
    try:
        return {one.pid for one in psutil.Process(pid).parents()}
    except (psutil.Error, ValueError):
        return set()


def _is_agent(pid: int) -> bool:
    """Tell whether a process writes by itself, whoever has started it."""
    program = program_of(pid)
    return program is not None and client_of(program.file, program.arguments) is not None


def _editor_of(process: psutil.Process) -> str:
    """Give the editor that a process is the program of; "" for all others."""
    places = []
    with contextlib.suppress(psutil.Error, OSError):
        places.append(process.exe())
    with contextlib.suppress(psutil.Error, OSError):
        places += process.cmdline()[:2]
    return next((title for title, is_of in EDITORS if any(is_of.search(place) for place in places)), "")


def _has_terminal(process: psutil.Process) -> bool:
    """Tell whether a process has a terminal (proc(5): /proc/PID/stat, tty_nr).

    Of terminals psutil 7.2 knows only those that were there when it was asked first.
    """
    try:
        return Path(f"/proc/{process.pid}/stat").read_bytes().rpartition(b")")[2].split()[4] != b"0"
    except (OSError, IndexError):
        terminal = getattr(process, "terminal", None)  # psutil has none on Windows
        return terminal is not None and terminal() is not None


def is_running(pid: int) -> bool:
    """Tell whether there is a process of this id that has not ended."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError, ValueError):
        return False


def memory_of(pid: int) -> int | None:
    """Give the bytes of memory that a process and all below it have resident; None where there is none."""
    try:
        process = psutil.Process(pid)
        own = process.memory_info().rss
        return own + sum(_resident(child) for child in process.children(recursive=True))
    except (psutil.Error, OSError, ValueError):
        return None


def _resident(process: psutil.Process) -> int:
    """Give the bytes that a process has resident: 0 when it has ended."""
    with contextlib.suppress(psutil.Error, OSError):
        return int(process.memory_info().rss)
    return 0


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


@dataclass(frozen=True, slots=True)
class Running:
    """How a process runs: its program, directory, arguments and variables; what can't be read is empty."""

    program: str
    cwd: str
    arguments: tuple[str, ...]
    variables: Mapping[str, str]


def marked_processes(operation: str, variable: str) -> Iterator[Running]:
    """Give every process that carries an operation's id in its environment, and may be looked at."""
    for process in _marked(operation, variable):
        with contextlib.suppress(psutil.Error, OSError):
            yield Running(process.exe(), process.cwd(), tuple(process.cmdline()), process.environ())


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
