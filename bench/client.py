"""A language client over the pipes of a real `sidecar serve`: it notes when each message came."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from bench.processes import PLACES, cpu_seconds
from tests.harness import environment

Message: TypeAlias = dict[str, Any]

COMMAND = (str(Path(sys.executable).with_name("sidecar")), "serve")
SECONDS = 180.0
"""How long anything may take before the measurement is given up."""

NO_SETTINGS: Mapping[str, object] = MappingProxyType({})

CAPABILITIES: Message = {
    "general": {"positionEncodings": ["utf-16"]},
    "workspace": {"workspaceFolders": True, "configuration": True, "codeLens": {"refreshSupport": True}},
    "textDocument": {
        "publishDiagnostics": {"relatedInformation": True, "codeDescriptionSupport": True, "versionSupport": True},
    },
    "window": {"showDocument": {"support": True}},
}


class NoAnswerError(Exception):
    """The server ended, or did not come to what was waited for."""


@dataclass
class Client:
    """A connection; `diagnostics` has the newest `publishDiagnostics` of each URI, the last of which came at `last`.

    Times are `time.perf_counter`'s.
    """

    process: subprocess.Popen[bytes]
    arrived: queue.SimpleQueue[tuple[float, bytes | None]] = field(default_factory=queue.SimpleQueue)
    diagnostics: dict[str, Message] = field(default_factory=dict)
    answers: dict[int, Message] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    volume: int = 0
    last: float = 0.0
    asked: int = 0

    def notify(self, method: str, params: object) -> float:
        """Send a notification; gives the time right before it went out."""
        return self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def ask(self, method: str, params: object) -> tuple[float, float, Message]:
        """Send a request and wait; gives when it went out, when the answer came, and the answer."""
        self.asked += 1
        number = self.asked
        sent = self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        came, answer = self.until(lambda _: self.answers.pop(number, None))
        return sent, came, answer

    def until(self, found: Callable[[Message], Any], seconds: float = SECONDS) -> tuple[float, Any]:
        """Take messages until `found(message)` gives something; gives when that message came, and what was given."""
        end = time.perf_counter() + seconds
        while True:
            came, message = self._take(end - time.perf_counter())
            if message is None:
                raise NoAnswerError(f"It did not come within {seconds:.0f} s. So far: {self.counts}")
            given = found(message)
            if given:
                return came, given

    def published(self, uri: str, fits: Callable[[Message], Any], seconds: float = SECONDS) -> float:
        """Wait for diagnostics of this URI that fit; gives when they came."""

        def found(message: Message) -> bool:
            return is_published(message, uri) and bool(fits(message["params"]))

        return self.until(found, seconds)[0]

    def pause(self, seconds: float) -> list[tuple[float, Message]]:
        """Let time pass, as a person does; gives what came, and when."""
        end = time.perf_counter() + seconds
        taken = []
        while (left := end - time.perf_counter()) > 0:
            came, message = self._take(left)
            if message is not None:
                taken.append((came, message))
        return taken

    def calm(self, seconds: float = SECONDS, still: float = 1.0) -> bool:
        """Take messages until the server rests: `still` seconds with 10 ms of CPU at most. False if it never does."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            before = cpu_seconds(self.process.pid)
            self.pause(still)
            if cpu_seconds(self.process.pid) - before <= 0.011:
                return True
        return False

    def open(self, path: Path) -> str:
        """Open a file as an editor does; gives its URI."""
        item = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": path.read_text(encoding="utf-8")}
        self.notify("textDocument/didOpen", {"textDocument": item})
        return path.as_uri()

    def _send(self, message: Message) -> float:
        body = json.dumps(message).encode()
        pipe = self.process.stdin
        assert pipe is not None
        now = time.perf_counter()
        pipe.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        pipe.flush()
        return now

    def _take(self, seconds: float) -> tuple[float, Message | None]:
        try:
            came, body = self.arrived.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return time.perf_counter(), None
        if body is None:
            raise NoAnswerError(f"The server ended with {self.process.wait()}.")
        message: Message = json.loads(body)
        self.volume += len(body)
        method = message.get("method", "an answer")
        self.counts[method] = self.counts.get(method, 0) + 1
        if method == "textDocument/publishDiagnostics":
            self.diagnostics[message["params"]["uri"]] = message["params"]
            self.last = came
        elif "method" not in message:
            self.answers[message["id"]] = message
        elif "id" in message:
            items = message["params"]["items"] if method == "workspace/configuration" else None
            self._send({"jsonrpc": "2.0", "id": message["id"], "result": [{} for _ in items] if items else None})
        return came, message


def is_published(message: Message, uri: str) -> bool:
    """Whether a message is the diagnostics of this URI."""
    return message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri


@contextmanager
def running(variables: Mapping[str, str] | None = None, command: Sequence[str] = COMMAND) -> Iterator[Client]:
    """A server that has been started and told nothing yet; it has to end well."""
    process = subprocess.Popen(
        command, env=environment() | PLACES | dict(variables or {}), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    client = Client(process)
    threading.Thread(target=_listen, args=(client,), daemon=True).start()
    try:
        yield client
        client.ask("shutdown", None)
        client.notify("exit", None)
        if process.wait(30):
            raise NoAnswerError(f"The server ended with {process.returncode}.")
    finally:
        process.kill()
        process.wait()


def initialize(client: Client, *folders: Path, settings: Mapping[str, object] = NO_SETTINGS) -> tuple[float, float]:
    """Begin on these folders; gives when `initialize` went out, and when it was answered."""
    params = {
        "processId": os.getpid(),
        "rootUri": None,
        "capabilities": CAPABILITIES,
        "initializationOptions": {"trusted": True, "settings": dict(settings), "picture": True, "waits": True},
        "workspaceFolders": [{"uri": folder.as_uri(), "name": folder.name} for folder in folders],
    }
    sent, came, _ = client.ask("initialize", params)
    client.notify("initialized", {})
    return sent, came


def _listen(client: Client) -> None:
    """Note the time of each message before anything is made of it."""
    pipe = client.process.stdout
    assert pipe is not None
    while True:
        length = 0
        while (line := pipe.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        body = pipe.read(length) if length else b""
        client.arrived.put((time.perf_counter(), body or None))
        if not body:
            return
