"""Stand for a session in another process: the same as a `Session` to the door that has it.

What is sent goes out on a thread of its own, so that the door waits for nothing. When the session's process ends, the
next one is started and told every text again; meanwhile the last Picture stays, and questions wait for a moment.
"""

from __future__ import annotations

import base64
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

from sidecar.model.changes import Entry
from sidecar.model.decode import decode
from sidecar.model.findings import Failure
from sidecar.model.hunks import Hunk
from sidecar.model.picture import Picture
from sidecar.model.picture_change import NOTHING, PictureChange, apply_change
from sidecar.model.settings import DEFAULTS, Options, Value, of_door, settle
from sidecar.session.address import connect
from sidecar.session.background import Foreground
from sidecar.session.shared import Shared
from sidecar.session.starting import attach
from sidecar.session.wire import Connection, Message, NotOursError
from sidecar.system.remembering import remembering

log = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds that a question waits for an answer, also while the session is being replaced."""
MOST_REMEMBERED = 16 * 1024 * 1024
"""Bytes of files' contents that are kept, since the same ones are asked for again and again."""
MOST_HUNKS = 4096
MOST_ALONG = 8
"""How many contents are kept that came along with Pictures, until somebody asks for them."""
SILENT = 15.0
"""Seconds without a word of the session after which it is asked whether it is there, when somebody looks."""
FAILURES = 6
"""How many times in a row a session can't be had before the door does without."""
LONGEST_LOSS = 15.0
"""Seconds after which it is not tried again: a process that lives and does nothing lets each try take long."""
LONG_ENOUGH = 60.0
"""Seconds after which a session that ends is no reason to wait before the next one."""
FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0


def _ignore(*_: object) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Hears:
    """What a door hears, each on a thread of the attached session.

    `notice` is what this door alone is to show: of what kind, and what it says. `lost` says why there is no session to
    attach to any more.
    """

    picture: Callable[[Picture], None] = _ignore
    notice: Callable[[str, Mapping[str, Any]], None] = _ignore
    lost: Callable[[str], None] = _ignore


class _NoAnswerError(Exception):
    """The session had no answer to a question; it is an error, so that none is remembered."""


@dataclass(eq=False, slots=True)
class _Question:
    done: threading.Event = field(default_factory=threading.Event)
    answer: Message | None = None


class AttachedSession:
    """One repository's session as a door has it; `find_session` makes one."""

    def __init__(self, shared: Shared, folder: Path, options: Options, hears: Hears, connection: Connection) -> None:
        self.repository = shared.common_dir
        self.picture: Picture | None = None
        self.settings: Mapping[str, Value] = settle({}, options.editor)
        self.foreground = Foreground()
        self._shared, self._folder, self._options, self._hears = shared, folder, options, hears
        self._lock = threading.Condition()
        self._connection: Connection | None = None
        self._outbox: OrderedDict[object, Message | None] = OrderedDict()
        self._texts: dict[str, Mapping[str, Any]] = {}
        self._base = NOTHING
        self._guards = self._closed = False
        self._front = 0.0
        self._owed: float | None = None
        self._heard = time.monotonic()
        self._ids = count(1)
        self._questions: dict[int, _Question] = {}
        self._contents = remembering(self._ask_content, len, MOST_REMEMBERED)
        self._along: dict[str, str] = {}
        self._hunks = lru_cache(maxsize=MOST_HUNKS)(self._ask_hunks)
        self._take_connection(connection)
        self._reader = threading.Thread(target=self._read, name="sidecar-attached", daemon=True)
        self._writer = threading.Thread(target=self._write, name="sidecar-sends", daemon=True)
        self._reader.start()
        self._writer.start()
        threading.Thread(target=self._doubt, name="sidecar-doubts", daemon=True).start()

    # As a Session

    def set_unsaved(self, path: str, text: str | None, version: int) -> None:
        """Take the editor's text of a file (absolute path), None when it is closed; return at once."""
        with self._lock:
            before = self._texts.pop(path, None)
            edited = 0.0 if before is None else before["edited"] if before["text"] == text else time.monotonic()
            message = {"do": "unsaved", "path": path, "text": text, "version": version, "edited": edited}
            if text is not None:
                self._texts[path] = message
            self._put(("text", path), message)

    def to_front(self, since: float) -> None:
        """Note that the door's window has the focus since then (`time.monotonic`): it is told what one is told of."""
        with self._lock:
            self._front = since
            self._put("front", {"do": "front", "since": since})

    def refresh(self) -> None:
        """Look again at everything; returns at once."""
        with self._lock:
            self._put("refresh", {"do": "refresh"})

    def content(self, entry: Entry) -> bytes | None:
        """Give the content of a side's `before` or `after`; None when it is not to be had."""
        try:
            return self._contents(entry)
        except _NoAnswerError:
            return None

    def _ask_content(self, entry: Entry) -> bytes:
        """Take a content that came along with the Picture, or ask for it; _NoAnswerError without an answer."""
        said: object = self._along.pop(entry.oid, None)
        if said is None:
            answer = self._ask({"ask": "content", "entry": entry})
            said = answer.get("content") if answer is not None else None
        if not isinstance(said, str):
            raise _NoAnswerError
        return base64.b64decode(said)

    def hunks(self, before: Entry, after: Entry) -> tuple[Hunk, ...]:
        """Give git's hunks between two files; none where they can't be compared. Any thread, and mostly remembered."""
        if not (before.is_file and after.is_file):
            return ()
        try:
            return self._hunks(before, after)
        except _NoAnswerError:
            return ()

    def _ask_hunks(self, before: Entry, after: Entry) -> tuple[Hunk, ...]:
        """Ask for the hunks between two files; _NoAnswerError without an answer."""
        answer = self._ask({"ask": "hunks", "before": before, "after": after})
        if answer is None or "hunks" not in answer:
            raise _NoAnswerError
        return tuple(hunk for one in answer["hunks"] if isinstance(hunk := decode(Hunk, one), Hunk))

    def start_guard(self) -> AttachedSession:
        """Have the session keep the states of the worktrees; gives what is told of saves."""
        with self._lock:
            self._guards = True
            self._put("guard", {"do": "guard"})
        return self

    def saved(self, path: str) -> None:
        """Note that an editor has just written a file (absolute path)."""
        with self._lock:
            self._put(("saved", path), {"do": "saved", "path": path})

    def close(self) -> None:
        """Go; the session stays for others, or ends by itself. Closing twice is fine."""
        with self._lock:
            self._closed = True
            connection, self._connection = self._connection, None
            self._lock.notify_all()
        if connection is not None:
            connection.close()

    # What goes out

    def _put(self, key: object, message: Message | None) -> None:
        """Have a message sent, in place of one of the same key that has not gone out yet."""
        if self._connection is not None:
            self._outbox.pop(key, None)
            self._outbox[key] = message
            if self._owed is None:
                self._owed = time.monotonic() + PATIENCE
            self._lock.notify_all()

    def _doubt(self) -> None:
        """Part from a session whose process is there and does nothing (it was stopped, say), so that one is had again.

        It is asked whether it is there only where something was sent to it and nothing has come since, or where
        somebody looks at what it said: an idle window costs nothing.
        """
        while True:
            with self._lock:
                while not self._closed and (left := self._until_owed()) != 0.0:
                    self._lock.wait(left)
                if self._closed:
                    return
                self._owed, connection = None, self._connection
            there = connect(self._shared.name, {"kind": "question"})
            if there is not None:
                there.close()
            elif connection is not None:
                log.warning("the session does not answer")
                connection.close()

    def make_sure(self) -> None:
        """Have the session asked whether it is there, where it has said nothing for a while; returns at once.

        For when somebody looks at what it said: who sends nothing would not notice that it is stopped.
        """
        with self._lock:
            if self._owed is None and time.monotonic() - self._heard > SILENT:
                self._owed = self._heard = time.monotonic()
                self._lock.notify_all()

    def _until_owed(self) -> float | None:
        """Give the seconds until something must have come; None where nothing has to."""
        return None if self._owed is None else max(0.0, self._owed - time.monotonic())

    def _write(self) -> None:
        while True:
            with self._lock:
                self._lock.wait_for(lambda: self._closed or (self._outbox and self._connection is not None))
                if self._closed:
                    return
                connection, (_, message) = self._connection, self._outbox.popitem(last=False)
            if connection is not None and message is not None:
                try:
                    connection.send(message)
                except OSError:
                    connection.close()  # the reader sees to the next one

    def _ask(self, message: Message) -> Message | None:
        """Ask, and wait for the answer; where the session ends meanwhile, its successor is asked."""
        end = time.monotonic() + PATIENCE
        while (left := end - time.monotonic()) > 0:
            question = _Question()
            with self._lock:
                ready = self._lock.wait_for(lambda: self._closed or self._base is not NOTHING, left)
                if not ready or self._closed:
                    return None
                number = next(self._ids)
                self._questions[number] = question
                self._put(("question", number), {**message, "id": number})
            question.done.wait(max(0.0, end - time.monotonic()))
            with self._lock:
                self._questions.pop(number, None)
            if question.answer is not None:
                return question.answer
        return None

    # What comes in

    def _read(self) -> None:
        wait = 0.0
        while (connection := self._current()) is not None:
            began = time.monotonic()
            self._listen(connection)
            self._lose(connection)
            is_young = time.monotonic() - began < LONG_ENOUGH
            wait = min(max(wait * 2, FIRST_WAIT), LONGEST_WAIT) if is_young and wait else 0.0
            why = self._replace(wait)
            wait = max(wait, FIRST_WAIT)
            if why is not None:
                self._hears.lost(why)
                return

    def _listen(self, connection: Connection) -> None:
        """Take what the session says until it says no more."""
        try:
            while (message := connection.receive()) is not None:
                self._take(message)
        except (OSError, NotOursError) as error:
            log.info("the session has gone: %s", error)
        except Exception:
            log.exception("what a session says could not be taken")

    def _replace(self, wait: float) -> str | None:
        """Attach to the next session; says why there is none."""
        why, end = "", time.monotonic() + LONGEST_LOSS
        for tried in range(FAILURES):
            if tried and time.monotonic() > end:
                break
            with self._lock:
                if self._lock.wait_for(lambda: self._closed, wait):
                    return None
            found = attach(self._shared, self._folder, about(self._folder))
            if isinstance(found, Connection):
                self._take_connection(found)
                return None
            why = found.message
            log.warning("%s", why)
            wait = max(wait * 2, FIRST_WAIT)
        return why

    def _current(self) -> Connection | None:
        with self._lock:
            return None if self._closed else self._connection

    def _lose(self, connection: Connection) -> None:
        """Note that nobody answers any more; what was asked is asked again."""
        connection.close()
        with self._lock:
            self._base, self._owed = NOTHING, None
            if self._connection is connection:
                self._outbox.clear()
            for question in self._questions.values():
                question.done.set()
            self._questions.clear()

    def _take_connection(self, connection: Connection) -> None:
        """Go on with a session, and tell it everything that one has to know of this door."""
        with self._lock:
            if self._closed:
                connection.close()
                return
            self._connection, self._base = connection, NOTHING
            self._outbox.clear()
            for path, message in self._texts.items():
                self._put(("text", path), message)
            if self._front:
                self._put("front", {"do": "front", "since": self._front})
            self._put("follow", {"do": "follow"})
            if self._guards:
                self._put("guard", {"do": "guard"})

    def _take(self, message: Message) -> None:
        with self._lock:
            self._owed, self._heard = None, time.monotonic()
        if "answer" in message:
            with self._lock:
                question = self._questions.pop(message["answer"], None)
            if question is not None:
                question.answer = message
                question.done.set()
        elif "notice" in message:
            self._hears.notice(str(message["kind"]), message["said"])
            with self._lock:
                self._put(("shown", message["notice"]), {"do": "shown", "notice": message["notice"]})
        elif "picture" in message:
            self._take_picture(message)

    def _take_picture(self, message: Message) -> None:
        change = decode(PictureChange, message["picture"])
        if isinstance(change, Failure):
            raise NotOursError(change.message)
        base = replace(apply_change(self._base, change), documents=message["documents"])
        self._along = dict([*self._along.items(), *message["contents"].items()][-MOST_ALONG:])
        if "settings" in message:
            told = {key: tuple(one) if isinstance(one, list) else one for key, one in message["settings"].items()}
            self.settings = of_door({**DEFAULTS, **told}, self._options.editor)
        number = self.picture.number if self.picture is not None else 0
        self.picture = replace(base, number=number + 1)
        with self._lock:
            self._base = base
            self._lock.notify_all()
        if not self._closed:
            self._hears.picture(self.picture)


def about(folder: Path) -> dict[str, object]:
    """Say what this door is."""
    return {"kind": "editor", "pid": os.getpid(), "folder": str(folder)}
