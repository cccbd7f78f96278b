"""The command on a terminal of its own: what it shows, and keys pressed."""

import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

from tests.cli.conftest import own_environment

DEADLINE = 60
PATIENCE = 6


class Terminal:
    """A running command; `shown` is all that it has written so far."""

    def __init__(self, folder: Path, *arguments: str | Path, columns: int = 120, **variables: str) -> None:
        self._ours, theirs = pty.openpty()
        ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sidecar", *(os.fspath(argument) for argument in arguments)],
            cwd=folder,
            env=own_environment(TERM="xterm-256color") | variables,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.pid = self._process.pid
        self.shown = ""

    def read_until(self, text: str) -> str:
        """Read until this is shown; what was shown since the last time, without colours."""
        start = len(self.shown)
        deadline = time.monotonic() + DEADLINE
        while text not in plain(self.shown[start:]):
            assert self._read(deadline), f"{text!r} was not shown, but:\n{self.shown}"
        return plain(self.shown[start:])

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def interrupt(self, number: int = signal.SIGINT) -> None:
        os.kill(self.pid, number)

    def wait(self) -> int:
        """Its exit status, once it has ended and everything is read."""
        deadline = time.monotonic() + DEADLINE
        while self._read(deadline):
            pass
        return self._process.wait(DEADLINE)

    def interrupt_the_question(self) -> int:
        """Its exit status after Ctrl+C, pressed again as a person does: it may come just before Python reads."""
        for _ in range(DEADLINE // PATIENCE):
            self.interrupt()
            deadline = time.monotonic() + PATIENCE
            while self._read(deadline):
                pass
            with suppress(subprocess.TimeoutExpired):
                return self._process.wait(max(0.1, deadline - time.monotonic()))
        raise AssertionError(f"It did not end:\n{self.shown}")

    def _read(self, deadline: float) -> bool:
        if not select.select([self._ours], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return False
        try:
            said = os.read(self._ours, 65536)
        except OSError:  # Linux says so when the other end is closed
            return False
        self.shown += said.decode(errors="replace").replace("\r\n", "\n")
        return bool(said)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(DEADLINE)
        os.close(self._ours)


@contextmanager
def terminal(folder: Path, *arguments: str | Path, columns: int = 120, **variables: str) -> Iterator[Terminal]:
    opened = Terminal(folder, *arguments, columns=columns, **variables)
    try:
        yield opened
    finally:
        opened.close()


def plain(shown: str) -> str:
    """Without colours and without moves of the cursor."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)
