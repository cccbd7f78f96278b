"""Keep one session for every door that attaches: texts and questions in, Pictures, answers and notices out.

Each door has a thread that reads and one that writes, so that one that does not take what it is sent delays nobody. It
gets the newest Picture whole once, and after that what has changed since the last one that it got.
"""

from __future__ import annotations

import base64
import logging
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count

from sidecar.git.config import REPOSITORY_SCOPES
from sidecar.model.changes import Entry
from sidecar.model.decode import decode
from sidecar.model.encode import encode
from sidecar.model.findings import Failure
from sidecar.model.picture import Picture
from sidecar.model.picture_change import NOTHING, PictureChange, change_of, changed_and_met
from sidecar.model.settings import OF_CHECK
from sidecar.session.at_paths import cut_to_paths
from sidecar.session.claim import Claim
from sidecar.session.keeper import Keeper
from sidecar.session.live import Session
from sidecar.session.shared import Shared
from sidecar.session.texts import Texts
from sidecar.session.wire import Connection, Message, NotOursError, admit

log = logging.getLogger(__name__)

FIRST_DOOR = 10.0
"""Seconds in which the door that started the session has to come."""
TO_SETTLE = 1.0
"""Seconds that a door waits for a Picture of all that has happened, before it looks for itself."""
MOST_ALONG, LARGEST_ALONG = 4, 256 * 1024
"""Of how many changed files at the most the contents go along with a Picture, and of how many bytes each."""
RUNS_PROGRAMS = ("filter.", "merge.", "include.", "includeif.", "extensions.worktreeconfig")
"""Keys of a repository's own configuration by which trust may make another verdict."""


Answer = Callable[[Session, Picture, Message], Message | None]
"""Answers a question of a Picture of all that has happened, without broken uses (`with_uses`); None in any doubt."""
Tell = Callable[[str, str | None, object], None]
"""Tells one door: what kind of notice it is, the directory that it is about, and what it says."""


@dataclass(eq=False)
class Door:
    """A door that is attached; `sent` is the last Picture that it got, `newest` one that it has to get.

    `front` is when its window last got the focus (`time.monotonic`), 0 where nobody says that.
    """

    number: int
    connection: Connection
    kind: str
    pid: int
    folder: str
    follows: bool = False
    gone: bool = False
    sent: Picture = NOTHING
    settings: Mapping[str, object] | None = None
    newest: Picture | None = None
    active: float = 0.0
    front: float = 0.0
    told: threading.Condition = field(default_factory=threading.Condition)

    def tell(self, picture: Picture) -> None:
        """Have a Picture sent, unless there is a newer one by then; returns at once."""
        with self.told:
            self.newest = picture
            self.told.notify()

    def leave(self) -> None:
        """End what is sent to it."""
        with self.told:
            self.gone = True
            self.told.notify()
        self.connection.close()


@dataclass(slots=True)
class _Notice:
    """What one door has to show; `door` is the one that it was sent to."""

    message: Message
    folder: str | None
    door: Door | None = None


class Host:
    """A session, the doors that are attached to it, and the guard beside it."""

    def __init__(
        self,
        claim: Claim,
        shared: Shared,
        linger: float,
        open_guard: Callable[[Session, Tell], Keeper],
        answers: Mapping[str, Answer],
    ) -> None:
        self._claim, self._shared, self._linger, self._open_guard = claim, shared, linger, open_guard
        self._answers: Mapping[str, Answer] = {"look": _give_picture, **answers}
        self._lock = threading.RLock()
        self._doors: dict[int, Door] = {}
        self._numbers = count(1)
        self._notices: dict[int, _Notice] = {}
        self._packed: tuple[Picture, Picture, bytes] | None = None
        self._packing = threading.Lock()
        self._newest: Picture | None = None
        self._guard: Keeper | None = None
        self._guarded = self._ended = False
        self._alone_since = 0.0
        self._waker, self._wakes = socket.socketpair()
        self.session: Session
        self.texts: Texts

    def take(self, session: Session) -> None:
        """Take the session that this is the host of."""
        self.session, self.texts = session, Texts(session.set_unsaved)

    def on_picture(self, picture: Picture) -> None:
        """Tell a new Picture to all doors that follow; on the session's thread, which it does not hold up."""
        with self._lock:
            self._newest = picture
            for door in self._doors.values():
                if door.follows:
                    door.tell(picture)

    def end(self) -> None:
        """Have `serve` return; any thread, a signal's handler too."""
        self._ended = True
        with suppress(OSError):
            self._waker.send(b"\0")

    def serve(self, on_end: Callable[[], None]) -> None:
        """Let doors in until the last one has been gone for a while, then close everything; `on_end` comes between."""
        self._alone_since = time.monotonic() + max(0.0, FIRST_DOOR - self._linger)
        listener = self._claim.listener
        with selectors.DefaultSelector() as ready:
            ready.register(listener, selectors.EVENT_READ)
            ready.register(self._wakes, selectors.EVENT_READ)
            while not self._ended and (left := self._time_left()) > 0:
                for one, _ in ready.select(left if left < float("inf") else None):
                    if one.fileobj is self._wakes:
                        self._wakes.recv(64)
                    else:
                        self._let_in(listener)
        log.info("no door is left")
        on_end()
        self._claim.stop_listening()
        for door in list(self._doors.values()):
            door.leave()
        if self._guard is not None:
            self._guard.close()
        self.session.close()

    def _time_left(self) -> float:
        """Give how long the session goes on if no door comes; without a repository nobody waits for one."""
        with self._lock:
            if self._doors:
                return float("inf")
            left = self._alone_since + self._linger - time.monotonic()
            return left if os.path.isdir(self._shared.common_dir) else 0.0

    def _let_in(self, listener: socket.socket) -> None:
        try:
            end, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=self._attend, args=(Connection(end),), name="sidecar-door", daemon=True).start()

    def _attend(self, connection: Connection) -> None:
        """Serve one door until it goes, however it goes."""
        try:
            about = admit(connection, self._claim.key)
        except (OSError, NotOursError) as error:
            log.info("somebody was not let in: %s", error)
            connection.close()
            return
        pid = about.get("pid")
        named = str(about.get("kind")), pid if isinstance(pid, int) else 0, str(about.get("folder", ""))
        door = Door(next(self._numbers), connection, *named, active=time.monotonic())
        with self._lock:
            self._doors[door.number] = door
        try:
            while (message := connection.receive()) is not None:
                self._take(door, message)
        except (OSError, NotOursError) as error:
            log.info("door %s: %s", door.pid, error)
        except Exception:
            log.exception("a message of door %s could not be handled", door.pid)
        self._lose(door)

    def _lose(self, door: Door) -> None:
        door.leave()
        self.texts.leave(door.number)
        with self._lock:
            del self._doors[door.number]
            if door.follows:
                self._alone_since = time.monotonic()
            for number, notice in self._notices.items():
                if notice.door is door:
                    notice.door = None
                    self._offer(number)
        with suppress(OSError):
            self._waker.send(b"\0")

    # What doors say

    def _take(self, door: Door, message: Message) -> None:
        door.active = time.monotonic()
        match message.get("do"):
            case "unsaved":
                text, version, edited = message["text"], message["version"], message["edited"]
                if not isinstance(version, int) or not (text is None or isinstance(text, str)):
                    raise NotOursError("a text is none")
                self.texts.put(door.number, str(message["path"]), text, version, float(edited))
            case "refresh":
                self.session.refresh()
            case "saved":
                if self._guard is not None:
                    self._guard.saved(str(message["path"]))
            case "shown":
                with self._lock:
                    self._notices.pop(int(message["notice"]), None)
            case "front":
                door.front = float(message["since"])
            case "follow":
                self._follow(door)
            case "guard":
                self._start_guard()
            case _:
                answer = self._answer(message)
                door.connection.send({"answer": message.get("id"), **answer})

    def _answer(self, message: Message) -> Message:
        """Answer a question; without what was asked for where there is no answer."""
        match message.get("ask"):
            case "content":
                entry = decode(Entry, message["entry"])
                content = self.session.content(entry) if isinstance(entry, Entry) else None
                return {} if content is None else {"content": base64.b64encode(content).decode("ascii")}
            case "hunks":
                before, after = decode(Entry, message["before"]), decode(Entry, message["after"])
                if isinstance(before, Failure) or isinstance(after, Failure):
                    return {}
                return {"hunks": self.session.hunks(before, after)}
            case "report":
                return {"report": self._report()}
            case str(asked) if asked in self._answers:
                return self._look(message, self._answers[asked])
        return {}

    def _look(self, message: Message, answer: Answer) -> Message:
        """Answer from a Picture of all that has happened, as one that is made afresh would be; not in any doubt."""
        asker = decode(Shared, message["shared"])
        if isinstance(asker, Failure) or not self._is_for(asker):
            return {}
        picture = self.session.settle(TO_SETTLE)
        if picture is not None and message.get("prove"):
            picture = self.session.proved(picture)
        if picture is None:
            return {}
        states = tuple(replace(state, undone=(), broken=()) for state in picture.worktrees)
        picture = replace(picture, number=1, documents={}, worktrees=states, broken_uses=())
        return answer(self.session, picture, message) or {}

    def _is_for(self, asker: Shared) -> bool:
        """Tell whether the session's answers are those that would be given to who asks."""
        mine, theirs = (
            replace(one, trusted=False, environment=_but_path(one), settings=_but_check(one))
            for one in (self._shared, asker)
        )
        if mine != theirs:
            return False
        if (asker.trusted, asker.environment) == (self._shared.trusted, self._shared.environment):
            return True
        config = self.session.configuration()
        return config is not None and not any(
            scope in REPOSITORY_SCOPES and key.startswith(RUNS_PROGRAMS) for scope, key, _ in config.pairs
        )

    def _report(self) -> Message:
        """Say what `sidecar doctor` tells of a session."""
        with self._lock:
            doors = [{"kind": door.kind, "pid": door.pid} for door in self._doors.values() if door.follows]
        backend, watches = self.session.watch_report()
        return {"doors": doors, "backend": backend, "watches": watches, "note": self._claim.note._asdict()}

    # What doors are told

    def _follow(self, door: Door) -> None:
        threading.Thread(target=self._write, args=(door,), name="sidecar-pictures", daemon=True).start()
        with self._lock:
            door.follows = True
            if self._newest is not None:
                door.tell(self._newest)
            for number, notice in self._notices.items():
                if notice.door is None:
                    self._offer(number)
        log.info("door %s (%s) follows", door.pid, door.kind)

    def _write(self, door: Door) -> None:
        """Send the newest Picture whenever there is one, until the door has gone."""
        while True:
            with door.told:
                door.told.wait_for(lambda: door.newest is not None or door.gone)
                picture, door.newest = door.newest, None
            if door.gone or picture is None:
                return
            more: dict[str, object] = {"documents": self.texts.documents(door.number, picture.documents)}
            settings = self.session.settings
            if settings != door.settings:
                more["settings"] = door.settings = settings
            try:
                door.connection.send_raw(self._pack(door.sent, picture)[:-1] + b"," + encode(more)[1:])
            except OSError:
                door.connection.close()  # its reader takes leave of it
                return
            door.sent = picture

    def _pack(self, before: Picture, after: Picture) -> bytes:
        """Give what has changed between two Pictures as a message; for all doors that are at the same one, once."""
        with self._packing:
            if self._packed is None or self._packed[0] is not before or self._packed[1] is not after:
                change = change_of(before, after)
                packed = encode({"picture": change, "contents": self._contents_of(change)})
                self._packed = before, after, packed
            return self._packed[2]

    def _contents_of(self, change: PictureChange) -> Mapping[str, str]:
        """Give by object id what a few files have become that meet others: doors show lines of it, and need not ask."""
        entries = changed_and_met(change)
        if len(entries) > MOST_ALONG:
            return {}
        found = ((entry.oid, self.session.content(entry)) for entry in entries if entry.is_file)
        return {
            oid: base64.b64encode(content).decode("ascii")
            for oid, content in found
            if content is not None and len(content) <= LARGEST_ALONG
        }

    def _start_guard(self) -> None:
        """Keep the states of the worktrees, from the first door on that has seen to what a killed operation left."""
        with self._lock:
            if self._guarded:
                return
            self._guarded = True
        self._guard = self._open_guard(self.session, self._tell)

    def _tell(self, kind: str, folder: str | None, said: object) -> None:
        """Have one door show something; if it goes before it has, another one does."""
        with self._lock:
            number = next(self._numbers)
            self._notices[number] = _Notice({"notice": number, "kind": kind, "said": said}, folder)
            self._offer(number)

    def _offer(self, number: int) -> None:
        """Send a notice to the door that had the focus last, else to the one on its worktree, or active last."""
        notice = self._notices[number]
        doors = [door for door in self._doors.values() if door.follows and not door.gone]
        if doors:
            notice.door = max(doors, key=lambda door: (door.front, door.folder == notice.folder, door.active))
            threading.Thread(target=_send, args=(notice.door, notice.message), daemon=True).start()


def _send(door: Door, message: Message) -> None:
    """Send a message to a door that may be slow; when it has gone, its reader sees to what it was sent."""
    with suppress(OSError):
        door.connection.send(message)


def with_uses(session: Session, picture: Picture, message: Message) -> Picture:
    """Add the broken uses, which may take a moment to find; cut to the `paths` of the worktree `key` where asked so."""
    if (paths := message.get("paths")) is None:
        return replace(picture, broken_uses=session.broken_uses(picture))
    key = str(message["key"])
    picture = replace(picture, broken_uses=session.broken_uses(picture, key))
    return cut_to_paths(picture, key, [str(path) for path in paths])


def _give_picture(session: Session, picture: Picture, message: Message) -> Message:
    return {"picture": change_of(NOTHING, with_uses(session, picture, message))}


def _but_path(shared: Shared) -> dict[str, str]:
    return {name: value for name, value in shared.environment.items() if name != "PATH"}


def _but_check(shared: Shared) -> dict[str, str | bool | int | tuple[str, ...]]:
    return {key: value for key, value in shared.settings.items() if key not in OF_CHECK}
