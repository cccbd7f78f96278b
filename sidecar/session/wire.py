"""Say things over a socket between a session and its doors: frames of JSON, and the proof that both know the key.

Never pickle: what comes in is decoded into dataclasses by their annotations, or refused. Both sides are of one version
(`address.py`), so there is nothing to negotiate.
"""

from __future__ import annotations

import hmac
import json
import os
import socket
import struct
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sidecar.model.encode import encode

Message = Mapping[str, Any]

MOST_BEFORE_PROOF = 4096
"""Bytes of a frame from who has not proved that it knows the key."""
MOST = 1 << 30
"""Bytes of any frame."""
SECONDS_TO_PROVE = 5.0
_LENGTH = struct.Struct(">I")


class NotOursError(ValueError):
    """The other end does not know the key, or does not speak as we do."""


class Connection:
    """One end of a connection; frames go out whole, from any thread, and come in on one."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._lock = threading.Lock()
        if end.family == socket.AF_INET:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, message: Message) -> None:
        """Send a message; OSError where nobody is there to take it."""
        self.send_raw(encode(message))

    def send_raw(self, body: bytes) -> None:
        """Send a message that has been encoded."""
        with self._lock:
            self._socket.sendall(_LENGTH.pack(len(body)) + body)

    def receive(self, most: int = MOST) -> dict[str, Any] | None:
        """Wait for a message; None at the end. OSError; NotOursError for anything else than a message."""
        length = self._read(_LENGTH.size)
        if length is None:
            return None
        (size,) = _LENGTH.unpack(length)
        if size > most:
            raise NotOursError("a frame is too large")
        body = self._read(size)
        if body is None:
            return None
        try:
            message = json.loads(body)
        except ValueError as error:
            raise NotOursError("a frame is not JSON") from error
        if not isinstance(message, dict):
            raise NotOursError("a frame is no message")
        return message

    def _read(self, size: int) -> bytes | None:
        """Read so many bytes; None where the connection ends before."""
        if size <= 1 << 16:
            found = self._socket.recv(size, socket.MSG_WAITALL) if size else b""
            if len(found) == size:
                return found
        else:
            found = b""
        held = bytearray(found)
        while len(held) < size:
            more = self._socket.recv(min(size - len(held), 1 << 20))
            if not more:
                return None
            held += more
        return bytes(held)

    def wait_at_most(self, seconds: float | None) -> None:
        """Have everything that waits give up after so many seconds, with OSError."""
        self._socket.settimeout(seconds)

    def close(self) -> None:
        """End the connection; whoever waits for it, on either side, is told."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def admit(connection: Connection, key: bytes) -> dict[str, Any]:
    """Let a door prove that it knows the key, prove the same to it, and give what it says of itself."""
    nonce = os.urandom(16).hex()
    connection.wait_at_most(SECONDS_TO_PROVE)
    connection.send({"nonce": nonce})
    said = connection.receive(MOST_BEFORE_PROOF)
    if said is None or not hmac.compare_digest(str(said.get("proof")), _proof(key, "door", nonce)):
        raise NotOursError("a door does not know the key")
    connection.send({"proof": _proof(key, "session", str(said.get("nonce")))})
    connection.wait_at_most(None)
    return said


def introduce(connection: Connection, key: bytes, about: Message, seconds: float) -> None:
    """Prove to a session that this door knows the key, and have it prove the same; `about` is what the door is.

    Each of its answers may take so many seconds.
    """
    nonce = os.urandom(16).hex()
    connection.wait_at_most(seconds)
    asked = connection.receive(MOST_BEFORE_PROOF)
    if asked is None:
        raise NotOursError("the session ends")
    connection.send({**about, "proof": _proof(key, "door", str(asked.get("nonce"))), "nonce": nonce})
    answer = connection.receive(MOST_BEFORE_PROOF)
    if answer is None or not hmac.compare_digest(str(answer.get("proof")), _proof(key, "session", nonce)):
        raise NotOursError("the session does not know the key")
    connection.wait_at_most(None)


def _proof(key: bytes, side: str, nonce: str) -> str:
    return hmac.new(key, f"{side} {nonce}".encode(), "sha256").hexdigest()
