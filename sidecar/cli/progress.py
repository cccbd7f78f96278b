"""Show an operation at work on a terminal: its stages, the output of the person's own commands, and Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING

from sidecar.cli.options import INTERRUPTED
from sidecar.model.words import escape

if TYPE_CHECKING:
    from sidecar.operations.run import Control


SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
"""What asks a command to end."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Work:
    """What is lent to an operation, and whether somebody asked it to stop."""

    control: Control
    stopping: threading.Event

    @property
    def interrupted(self) -> bool:
        """Tell whether it was asked to stop."""
        return self.stopping.is_set()


@contextlib.contextmanager
def working(*, quiet: bool = False) -> Iterator[Work]:
    """Lend an operation the standard error for its progress, and have Ctrl-C stop it in good order.

    It stops where it can: everything is as it was, or as it is to be. A second Ctrl-C ends the command at once, as a
    kill would; the next command finishes or undoes what it left. `quiet`: progress is for a terminal only.
    """
    from sidecar.operations.run import Control

    stopping = threading.Event()
    with _screen(quiet=quiet) as (stage, line):

        def stop(_number: int, _frame: FrameType | None) -> None:
            if stopping.is_set():
                os._exit(INTERRUPTED)
            stopping.set()
            stage("Stopping. Ctrl-C again ends it at once")

        with handling(stop, *SIGNALS):
            yield Work(Control(stage, line, stopping.is_set), stopping)


@contextlib.contextmanager
def handling(handler: Callable[[int, FrameType | None], None], *names: str) -> Iterator[None]:
    """Have these signals handled, as far as the system has them, and by whom they were before afterwards."""
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)


@contextlib.contextmanager
def _screen(*, quiet: bool) -> Iterator[tuple[Say, Say]]:
    """Choose where stages, and lines of other commands, go: live on a terminal, line by line into a pipe or a file."""
    if not sys.stderr.isatty():
        stage = _quietly(lambda sentence: _write(f"{_ongoing(sentence)}\n"))
        line = _quietly(lambda said: _write(f"{said}\n"))
        yield ((lambda _sentence: None) if quiet else stage), line
        return
    from rich.text import Text  # takes longer than many an answer

    from sidecar.cli.render import console

    to = console(err=True)
    with to.status("") as status:
        yield (
            _quietly(lambda sentence: status.update(Text(_ongoing(sentence)))),
            _quietly(lambda said: to.print(Text.from_ansi(said))),
        )


def _ongoing(sentence: str) -> str:
    return f"{escape(sentence).rstrip('.')} ..."


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def _quietly(say: Say) -> Say:
    """Say it if there is anybody to hear it: an operation does not end because a terminal was closed."""

    def said(text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            say(text)

    return said
