"""A watcher to test, and what it told."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sidecar.watch.open import open_watcher
from tests.watch.support import POLL_EVERY, Heard, Watching

Open = Callable[..., Watching]


@pytest.fixture
def watch() -> Iterator[Open]:
    """Opens watchers by `open_watcher`'s keyword arguments; afterwards they are closed and nothing of them is left."""
    before = set(threading.enumerate())
    opened: list[Watching] = []

    def start(**options: Any) -> Watching:
        heard = Heard()
        opened.append(Watching(open_watcher(heard, **({"poll_every": POLL_EVERY} | options)), heard))
        return opened[-1]

    yield start
    for watching in opened:
        watching.heard.gate.set()
        watching.watcher.close()
    assert set(threading.enumerate()) <= before


@pytest.fixture(params=["inotify", "watchfiles", "polling"])
def watching(request: pytest.FixtureRequest, watch: Open) -> Watching:
    """A watcher of each kind."""
    return watch(backend=request.param)
