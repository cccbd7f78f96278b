"""This program once more, in a process of its own: what it takes for a moment is given back when it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

LOOK_EVERY = 0.1
"""Seconds between two questions whether to go on."""


def run_myself(command: str, given: bytes, go_on: Callable[[], bool]) -> bytes:
    """Standard output of `sidecar COMMAND` with this standard input; of one that is ended when `go_on` says no, too.

    It runs in no folder of a repository, which might have a module of the same name. OSError when it can't be started.
    """
    options = () if getattr(sys, "frozen", False) else ("-P", "-m", "sidecar")
    process = subprocess.Popen(
        [sys.executable, *options, command],
        cwd=os.path.abspath(os.sep),
        env=os.environ | {"PYINSTALLER_RESET_ENVIRONMENT": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    rest: bytes | None = given
    with process:
        while True:
            try:
                return process.communicate(rest, LOOK_EVERY)[0]
            except subprocess.TimeoutExpired:
                rest = None  # asked again, it goes on with what it was given
                if not go_on():
                    process.terminate()
