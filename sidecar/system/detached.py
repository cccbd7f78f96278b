"""Start a process of our own that outlives this one, and hear whether it came up."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

SESSION = "session-process"
"""What `sidecar` is called with to be the session of a repository."""

SECONDS = 15.0
"""How long it may take to come up, on a machine that has much else to do."""
MOST_SAID = 4000


def leave_parent() -> None:
    """Go on as a process that nobody has started, so that who ends all that an editor started leaves it alone.

    To be called before there are threads. Where processes can't be copied, nothing happens.
    """
    if hasattr(os, "fork") and os.fork():
        os._exit(0)


class Detached:
    """A process that has been started and waits for one line; it answers with one, and is then on its own."""

    def __init__(self, *arguments: str) -> None:
        """Start `sidecar` with these arguments; OSError where that can't be."""
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (until it has answered)
        self._answer: bytes | None = None
        package = Path(__file__).parent.parent
        frozen = getattr(sys, "frozen", False)
        utf8 = ("-X", "utf8") if sys.flags.utf8_mode else ()
        self._process = subprocess.Popen(
            [sys.executable, *(() if frozen else (*utf8, "-m", package.name)), *arguments],
            cwd=os.sep if frozen else package.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )

    def tell(self, line: bytes) -> bytes | None:
        """Say one line to it and give the one that it answers; None when it ends, or takes too long."""
        listening = threading.Thread(target=self._hear, args=(line,), name="sidecar-starts", daemon=True)
        listening.start()
        listening.join(SECONDS)
        return self._answer or None

    def errors(self) -> str:
        """Give the last that it said on standard error, on one line."""
        with suppress(OSError, ValueError):
            size = self._errors.seek(0, os.SEEK_END)
            self._errors.seek(max(0, size - MOST_SAID))
            said = self._errors.read().decode("utf-8", "replace").split("\n")
            return next((line.strip() for line in reversed(said) if line.strip()), "")
        return ""

    def drop(self) -> None:
        """Let go of it: what waits for a line ends, what has answered goes on."""
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            with suppress(OSError, ValueError):
                if pipe is not None:
                    pipe.close()
        threading.Thread(target=self._process.wait, name="sidecar-reaps", daemon=True).start()

    def _hear(self, line: bytes) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError, ValueError):
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()
            self._answer = self._process.stdout.readline()
