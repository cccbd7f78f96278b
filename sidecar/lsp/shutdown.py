"""End the server: on `exit`, at the end of its input, on a signal, or when the process that started it dies."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from concurrent.futures import wait
from contextlib import suppress
from threading import Thread

from sidecar.lsp.commands.flow import stop_all
from sidecar.lsp.repositories import close_repository
from sidecar.lsp.state import ServerState

CLOSING_SECONDS = 5.0
"""How long open sessions may take to close, and operations to stop, before the process ends all the same."""
POLL_SECONDS = 5.0


def watch_for_end(state: ServerState) -> None:
    """End with the parent process and on a signal: the client may be gone without a word, or hold our input open."""
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        return  # the end of the input is all there is
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _end, state)
    parent = state.server.process_id
    if parent is None:
        return
    try:
        if hasattr(os, "pidfd_open"):
            loop.add_reader(os.pidfd_open(parent), _end, state)
        else:
            os.kill(parent, 0)
            loop.call_later(POLL_SECONDS, _look_after, state, parent)
    except OSError:
        return  # a process of another namespace: the client is elsewhere


def _look_after(state: ServerState, parent: int) -> None:
    try:
        os.kill(parent, 0)
    except ProcessLookupError:
        _end(state)
    except OSError:
        return
    else:
        asyncio.get_running_loop().call_later(POLL_SECONDS, _look_after, state, parent)


def _end(state: ServerState) -> None:
    """End now: a thread that waits for input can't be woken, so the process does not wait for it."""
    Thread(target=_finish_and_exit, args=(state,), daemon=True).start()


def _finish_and_exit(state: ServerState) -> None:
    finish(state)
    os._exit(status(state))


def finish(state: ServerState) -> bool:
    """Close what is open, remove what is temporary; whether all of it ended in time."""
    state.ended = True
    works = stop_all(state)
    closing = [Thread(target=close_repository, args=(held,), daemon=True) for held in list(state.repositories.values())]
    state.repositories.clear()
    for thread in closing:
        thread.start()
    for thread in closing:
        thread.join(CLOSING_SECONDS)
    _, still_running = wait(works, CLOSING_SECONDS)
    if state.temporary is not None:
        shutil.rmtree(state.temporary, ignore_errors=True)
    with suppress(RuntimeError):
        state.pool.shutdown(wait=False, cancel_futures=True)
    return not still_running and not any(thread.is_alive() for thread in closing)


def status(state: ServerState) -> int:
    """Give the exit status that the protocol asks for: 0 after `shutdown`, else 1."""
    return 0 if state.shut_down else 1
