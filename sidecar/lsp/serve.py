"""`sidecar serve`: the language server on standard input and output."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from typing import BinaryIO

from sidecar.system.memory import spare_memory

TURN = 0.0005
"""Seconds of Python that a thread may go on for while another one waits: what is done aside must not delay a save."""

START_OFTEN = 5000
"""New objects after which there is a collection during the start: 550 classes of the protocol are made, each twice.

Never collecting saves no time that can be measured, and leaves 9 MB of first versions.
"""


def serve() -> int:
    """Serve until the client says `exit` or is gone; the exit status is 0 after an orderly shutdown, else 1."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.setswitchinterval(TURN)
    spare_memory()
    reader, writer = _take_streams()
    often = gc.get_threshold()
    gc.set_threshold(START_OFTEN, *often[1:])
    from sidecar.lsp.ending import finish, status
    from sidecar.lsp.server import create_door

    logging.getLogger("pygls").addHandler(logging.NullHandler())
    logging.getLogger("pygls").propagate = False
    door = create_door()
    gc.freeze()
    gc.set_threshold(*often)
    door.server.start_io(reader, writer)
    if not finish(door):
        os._exit(status(door))
    return status(door)


def _take_streams() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for the protocol alone: no library and no child process can get at them any more."""
    reader, writer = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    sys.stdout.flush()
    os.dup2(2, 1)
    return reader, writer
