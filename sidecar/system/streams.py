"""Prepare this process: the codec of paths, standard streams that are closed or full, and memory that goes back.

What waits for news while it prints asks here whether anybody reads it still.
"""

from __future__ import annotations

import ctypes
import errno
import io
import os
import select
import stat
import sys
from contextlib import suppress


def use_utf8() -> None:
    """Start this process anew in UTF-8 mode where the locale would have another codec for paths.

    A path is the bytes that git says. Its text is the same in any locale only if it is always UTF-8, with surrogates
    for all that is not (PEP 383, PEP 540). What is printed is those bytes again, as it is with git.
    """
    if sys.getfilesystemencoding() != "utf-8" and not getattr(sys, "frozen", False):
        os.execv(sys.executable, [sys.orig_argv[0], "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606 (the same again)


def take_streams() -> bool:
    """Open the standard streams that are closed; tell whether there is a standard output.

    A closed descriptor would be given to the next file that is opened, and what is printed would go there.
    """
    is_there = sys.stdout is not None
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False, encoding="utf-8")  # noqa: SIM115 (as long as the process)
    if isinstance(sys.stdout, io.TextIOWrapper) and isinstance(sys.stdout.buffer, io.FileIO):
        codec = sys.stdout.encoding  # PYTHONUNBUFFERED: what a write leaves over would be lost, and so why
        sys.stdout = open(sys.stdout.fileno(), "w", closefd=False, encoding=codec)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    return is_there


def wait_to_read(descriptor: int) -> None:
    """Wait until a descriptor can be read; BrokenPipeError once nobody reads standard output any more."""
    if not hasattr(select, "poll"):  # Windows
        select.select([descriptor], [], [])
        return
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    output = sys.stdout.fileno()
    kind = os.fstat(output).st_mode
    if stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind):
        waiting.register(output, 0)  # that its other end is closed is told whatever is asked for
    if any(found == output for found, _ in waiting.poll()):
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def flush_output() -> OSError | None:
    """Write out what is still to be printed; where that fails, drop it and give the error."""
    try:
        sys.stdout.flush()
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # what is still buffered goes there when Python ends
        os.close(nowhere)
        return error
    return None


_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""glibc's numbers (mallopt(3))."""


TURN = 0.0005
"""Seconds of Python that a thread may go on for while another one waits: what is done aside must not delay a save."""


def prepare_to_serve() -> None:
    """Give threads short turns, and have one heap for all of them, and large blocks outside of it.

    The heap is had where the C library has such settings: with fifty worktrees of 90,000 files that is 12 MB of 108.
    """
    sys.setswitchinterval(TURN)
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):
        tune = ctypes.CDLL(None).mallopt
        for setting, value in ((_ARENA_MAX, 1), (_TRIM_THRESHOLD, 128 * 1024), (_MMAP_THRESHOLD, 64 * 1024)):
            tune(setting, value)
