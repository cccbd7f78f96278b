"""Starts programs so that nothing of them outlives us."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import psutil

T = TypeVar("T")

_POLL_SECONDS = 0.05
_GRACE_SECONDS = 10


@contextmanager
def process_group(
    command: Sequence[str | Path], env: Mapping[str, str], output: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` in a group of its own, its output in a file; the whole group ends with the block."""
    with output.open("wb") as file:
        process = subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
    try:
        yield process
    finally:
        _end(process)


def wait_until(what: str, ask: Callable[[], T | None], seconds: float) -> T:
    """The first answer of `ask` that is not None; TimeoutError naming `what` when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer is not None:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:g} seconds")
        time.sleep(_POLL_SECONDS)


def _end(process: subprocess.Popen[bytes]) -> None:
    family = _family(process)
    if sys.platform != "win32":
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
    for member in family:  # those that made a group of their own
        with suppress(psutil.NoSuchProcess):
            member.terminate()
    for member in psutil.wait_procs(family, timeout=_GRACE_SECONDS)[1]:
        member.kill()
    process.wait()


def _family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        parent = psutil.Process(process.pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
