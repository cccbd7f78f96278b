"""`sidecar watch`: the status, live: on a terminal as one screen, into a pipe or a file again and again."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import TYPE_CHECKING

import click

from sidecar.cli.options import INTERRUPTED, answered, here, print_json, reading, recover_first, warn
from sidecar.cli.progress import SIGNALS, handling
from sidecar.model.picture import Picture
from sidecar.model.words import shown
from sidecar.system.streams import wait_to_read

if TYPE_CHECKING:
    from sidecar.operations.guard.vanished import Vanished
    from sidecar.operations.guard.wiped import Wiped

ENDING_KEYS = frozenset(b"qQ\x03\x04")
"""What ends the watching on a terminal; Ctrl-C and Ctrl-D too, where they come as characters."""


@click.command(short_help="The status, live.")
@reading
def watch(as_json: bool, trust: bool) -> int:
    """Show the status and keep it up to date, until q or Ctrl-C.

    Into a pipe or a file go whole tables, or with --json one object a line. Meanwhile the states of every
    worktree are kept, so that sidecar restore can bring back one that vanishes.
    """
    recover_first(acting=trust)
    with _noticing() as news, _session(trust, news):
        if as_json or not sys.stdout.isatty():
            _print_each(news, as_json=as_json)
        else:
            _show_live(news)
    return 0


@dataclass(slots=True)
class _News:
    """The newest Picture and what is to be said, from other threads; `descriptor` can be read when there is any."""

    descriptor: int
    _waker: int
    ended: bool = False
    _picture: Picture | None = None
    said: tuple[str, ...] = ()
    _told: threading.Lock = field(default_factory=threading.Lock)

    def see(self, picture: Picture) -> None:
        """Take a new Picture; any thread."""
        with self._told:
            self._picture = picture
        self.wake()

    def miss(self, one: Vanished) -> None:
        """Note that a worktree is gone, and what brings it back; any thread."""
        when = time.strftime("%H:%M:%S", time.localtime(one.kept))
        back = f"Bring it back, as of {when}: sidecar restore {one.receipt}"
        how = "All that it had was in trunk." if one.safe else back
        self.warn(f"{shown(one.name)} is gone, and was not released. {how}")

    def lose(self, one: Wiped) -> None:
        """Note that uncommitted work is gone; any thread."""
        self.warn(f"{one.sentence} Bring it back: sidecar restore {one.receipt}")

    def warn(self, message: str) -> None:
        """Note something to be said once; any thread."""
        with self._told:
            self.said = (*self.said, message)
        self.wake()

    def wake(self) -> None:
        """Have whoever waits look."""
        with contextlib.suppress(OSError):
            os.write(self._waker, b"!")

    def take(self) -> Picture | None:
        """Give the newest Picture; None before the first."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.descriptor, 4096)
        with self._told:
            return self._picture


@contextlib.contextmanager
def _noticing() -> Iterator[_News]:
    """Make somewhere for news to come; a signal that ends programs ends this one in good order."""

    def end(_number: int, _frame: FrameType | None) -> None:
        if news.ended:
            os._exit(INTERRUPTED)
        news.ended = True
        news.wake()

    reader, waker = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(waker, False)
    news = _News(reader, waker)
    try:
        with handling(end, *SIGNALS), handling(lambda _number, _frame: news.wake(), "SIGWINCH"):
            yield news
    finally:
        os.close(reader)
        os.close(waker)


@contextlib.contextmanager
def _session(trust: bool, news: _News) -> Iterator[None]:
    """Keep the repository in view, and, unless that is turned off, under guard."""
    from sidecar.model.settings import Options
    from sidecar.operations.guard.keeping import Tell, open_guard  # --help and serve do without
    from sidecar.session.live import open_session

    session = answered(open_session(here(), Options(trusted=trust), news.see))
    with closing(session), closing(open_guard(session, Tell(news.miss, news.lose, news.warn))):
        yield


def _print_each(news: _News, *, as_json: bool) -> None:
    """Print every Picture that differs, until somebody ends it or nobody reads any more."""
    from sidecar.model.schema import status_object
    from sidecar.operations.who_is_there import objects_of, users_of

    before, warned = None, 0
    while not news.ended:
        wait_to_read(news.descriptor)
        picture = news.take()
        for message in news.said[warned:]:
            click.echo(f"sidecar: {message}", err=True)
        warned = len(news.said)
        if picture is None or (before is not None and replace(picture, number=before.number) == before):
            continue
        if as_json:
            print_json(status_object(picture, *objects_of(users_of(picture))))
        else:
            from sidecar.cli.status_table import print_status

            if before is not None:
                click.echo()
            print_status(picture, users_of(picture))
            warn(picture)
        sys.stdout.flush()
        before = picture


def _show_live(news: _News) -> None:
    """Show one screen that is always of now; what it showed last stays on the terminal afterwards."""
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    from sidecar.cli.render import console
    from sidecar.cli.status_table import print_status, status_blocks
    from sidecar.operations.who_is_there import users_of

    to = console()
    picture: Picture | None = None
    with _keys() as keys, Live(console=to, screen=True, auto_refresh=False) as live:
        live.update(Text("Looking at the worktrees ...", style="dim"), refresh=True)
        while not news.ended:
            ready, _, _ = select.select([news.descriptor, *keys], [], [])
            if any(_ends(key) for key in keys if key in ready):
                break
            picture = news.take()
            if picture is None:
                continue
            blocks = status_blocks(picture, users_of(picture), to.width)
            spaced = [line for block in blocks for line in (block, Text())]
            lost = [Text(message, style="bold red") for message in news.said]
            live.update(Group(*spaced, *lost, Text("q ends", style="dim")), refresh=True)
    if picture is not None:
        print_status(picture, users_of(picture))


@contextlib.contextmanager
def _keys() -> Iterator[list[int]]:
    """Find where keys come from, one by one and not shown; nowhere when standard input is no terminal."""
    try:
        import termios
        import tty
    except ImportError:  # Windows
        yield []
        return
    if not sys.stdin.isatty():
        yield []
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    try:
        yield [descriptor]
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _ends(descriptor: int) -> bool:
    """Tell whether a key was pressed that ends it, or the terminal is gone."""
    try:
        pressed = os.read(descriptor, 64)
    except OSError:
        return True
    return not pressed or not ENDING_KEYS.isdisjoint(pressed)
