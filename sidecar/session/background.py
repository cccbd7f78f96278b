"""Do work beside the session: on a thread of its own, when things are quiet, making way for who waits."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sidecar.model.picture import Picture

log = logging.getLogger(__name__)

LONGEST_WAIT = 0.5
"""Seconds for which somebody is made way for; then what is done aside goes on for a moment, or it would never end."""

MOMENT = 0.05
"""Seconds of that moment."""

STILL = 0.02
"""Seconds for which nobody has to be at work: what was found is still on its way to who waits for it."""


class Foreground:
    """Counts who does something that a person waits for; any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._calm = threading.Event()
        self._calm.set()
        self._on_until = self._left = 0.0

    def enter(self, who: str) -> None:
        """Note that somebody has begun; twice is once."""
        with self._lock:
            self._busy.add(who)
            self._calm.clear()

    def leave(self, who: str) -> None:
        """Note that somebody has finished."""
        with self._lock:
            self._busy.discard(who)
            self._left = time.monotonic()
            if not self._busy:
                self._calm.set()

    @contextmanager
    def entered(self, who: str) -> Iterator[None]:
        """Count somebody as at work inside of this."""
        self.enter(who)
        try:
            yield
        finally:
            self.leave(who)

    def make_way(self) -> None:
        """Wait while somebody is, or just was, at work, but not for ever; cheap enough to be called for every file."""
        now = time.monotonic()
        if now < self._on_until:
            return
        end = now + LONGEST_WAIT
        while not self._calm.is_set() or now < self._left + STILL:
            if now >= end:
                self._on_until = now + MOMENT
                return
            if self._calm.wait(end - now):
                time.sleep(max(0.0, self._left + STILL - time.monotonic()))
            now = time.monotonic()


class BackgroundJob:
    """Works on the newest Picture that it was told, on a thread of its own, one at a time; the newest request wins.

    It begins when there has been no other Picture for `quiet` seconds, or when one has waited for `patience` seconds,
    or at once where `is_urgent` says so; otherwise, when the last work took so many seconds, not before `every` of that
    many have passed since it began. `is_due` gives anything that is true or not; it is asked on that thread, and may be
    slow; `is_urgent` may not.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[Picture], None],
        *,
        quiet: float,
        patience: float,
        foreground: Foreground,
        is_due: Callable[[Picture], object] = lambda _picture: True,
        is_urgent: Callable[[Picture], bool] = lambda _picture: False,
        every: Callable[[float], float] = lambda _took: 0.0,
    ) -> None:
        self.newest: Picture | None = None
        self.closed = False
        self._work, self._is_due, self._is_urgent, self._every = work, is_due, is_urgent, every
        self._quiet, self._patience = quiet, patience
        self._foreground = foreground
        self._told = threading.Condition()
        self._at = self._since = self._rested = 0.0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def tell(self, picture: Picture) -> None:
        """Take a new Picture; return at once."""
        with self._told:
            if self.closed:
                return
            self._at = time.monotonic()
            is_first, self.newest = self.newest is None, picture
            if is_first:
                self._since = self._at
            if not self._thread.is_alive():
                self._thread.start()
            elif is_first or self._is_urgent(picture):  # otherwise it wakes of itself when its time has come
                self._told.notify()

    def again(self, picture: Picture) -> None:
        """Work on this Picture once more, unless there is a newer one."""
        with self._told:
            if self.newest is None:
                self.newest, self._since = picture, time.monotonic()

    def go_on(self) -> bool:
        """Make way for who waits, then tell whether to go on. `work` asks this often."""
        self._foreground.make_way()
        return not self.closed

    def rest(self, seconds: float, is_over: Callable[[], bool]) -> None:
        """Do nothing for so long, or until closed, or until it `is_over`, which is asked when a Picture is told."""
        with self._told:
            self._told.wait_for(lambda: self.closed or is_over(), seconds)

    def close(self) -> None:
        """End it; closing twice is fine."""
        with self._told:
            self.closed = True
            self._told.notify()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while (picture := self._next()) is not None:
            began = time.monotonic()
            try:
                self._work(picture)
            except Exception:
                log.exception("%s failed", self._thread.name)
            self._rested = began + self._every(time.monotonic() - began)

    def _next(self) -> Picture | None:
        """Give the newest Picture when its time has come and there is something to do about it; None at the end."""
        while True:
            with self._told:
                while not self.closed and (wait := self._wait()) != 0.0:
                    self._told.wait(wait)
                picture, self.newest = self.newest, None
                if self.closed or picture is None:
                    return None
            self._foreground.make_way()
            if self._is_due(picture):
                return picture

    def _wait(self) -> float | None:
        """Count the seconds until the time has come; None while there is no Picture."""
        if self.newest is None:
            return None
        if self._is_urgent(self.newest):
            return 0.0
        due = max(min(self._at + self._quiet, self._since + self._patience), self._rested)
        return max(0.0, due - time.monotonic())
