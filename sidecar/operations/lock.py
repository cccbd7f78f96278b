"""One operation at a time in a repository, whoever starts it, and who it is."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from sidecar.git.files import read_small
from sidecar.model.findings import Failure, Finding, as_finding, blocks
from sidecar.operations.state import open_state, state_path, sweep_drafts
from sidecar.system.processes import is_running

LONGEST_WAIT = 5.0
"""Seconds after which a lock whose holder is gone is taken for somebody else's."""


@contextlib.contextmanager
def hold(common_dir: str, doing: str, *, wait: float = 0.0) -> Iterator[Path | Finding]:
    """The state directory while we hold the repository's lock, or the finding that says why we do not.

    `doing` completes "is ...": "merging feat-1 into main". A lock ends with its process, even a killed one.
    """
    state = open_state(common_dir)
    if isinstance(state, Failure):
        yield as_finding(state)
        return
    lock = FileLock(state / "lock", thread_local=False)
    try:
        lock.acquire(timeout=wait)
    except Timeout:
        yield blocks("busy", _who(state))
        return
    except OSError as error:
        yield blocks("bad-state", f"{state / 'lock'} can't be locked: {error.strerror}.")
        return
    holder = state / "holder"
    try:
        sweep_drafts(state)
        with contextlib.suppress(OSError):
            holder.write_text(json.dumps({"pid": os.getpid(), "doing": doing, "since": time.time()}))
        yield state
    finally:
        with contextlib.suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def patience(common_dir: str) -> float:
    """Seconds to wait for the lock: a process that was killed while it started another leaves it for a moment."""
    try:
        said = json.loads(read_small(str(state_path(common_dir) / "holder")))
        return 0.0 if is_running(int(said["pid"])) else LONGEST_WAIT
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return LONGEST_WAIT


def who_holds(common_dir: str) -> Finding | None:
    """The finding that says who holds the lock right now; writes nothing where nobody ever did anything."""
    state = state_path(common_dir)
    if not (state / "holder").exists():
        return None
    lock = FileLock(state / "lock", thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return blocks("busy", _who(state))
    except OSError:
        return None
    lock.release()
    return None


def _who(state: Path) -> str:
    """Who holds the lock, since when, in one sentence."""
    try:
        said = json.loads(read_small(str(state / "holder")))
        since = time.strftime("%H:%M", time.localtime(float(said["since"])))
        return f"Process {int(said['pid'])} is {str(said['doing'])[:200]} since {since}. Wait for it, or end it."
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return "Another sidecar operation is running in this repository. Wait for it, or end it."
