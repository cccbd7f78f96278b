"""What is done beside the session: when it begins, what it makes way for, and how it ends."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

import pytest

from sidecar.model.picture import Picture
from sidecar.session import background as aside
from sidecar.session.background import BackgroundJob, Foreground

LONG = 3600.0
SECONDS = 30


def picture(number: int) -> Picture:
    return Picture(number, "/nowhere", None)


@contextmanager
def at_work(work: Callable[[Picture], None], **policy: Any) -> Iterator[BackgroundJob]:
    chosen: dict[str, Any] = {
        "quiet": 0.0,
        "patience": LONG,
        "foreground": Foreground(),
        "is_due": lambda _: True,
    } | policy
    beside = BackgroundJob("beside", work, **chosen)
    try:
        yield beside
    finally:
        beside.close()


def test_the_newest_picture_is_worked_on_and_older_ones_are_not() -> None:
    done: SimpleQueue[int] = SimpleQueue()
    began, go = threading.Event(), threading.Event()

    def work(one: Picture) -> None:
        began.set()
        go.wait(SECONDS)
        done.put(one.number)

    with at_work(work) as beside:
        beside.tell(picture(1))
        assert began.wait(SECONDS)
        beside.tell(picture(2))
        beside.tell(picture(3))
        go.set()
        assert [done.get(timeout=SECONDS) for _ in range(2)] == [1, 3]
    assert done.empty()


def test_what_is_not_due_is_left_alone() -> None:
    done: SimpleQueue[int] = SimpleQueue()
    with at_work(lambda one: done.put(one.number), is_due=lambda one: one.number > 1) as beside:
        beside.tell(picture(1))
        beside.tell(picture(2))
        assert done.get(timeout=SECONDS) == 2


def test_it_waits_for_quiet_and_what_is_urgent_does_not() -> None:
    done: SimpleQueue[int] = SimpleQueue()
    with at_work(lambda one: done.put(one.number), quiet=LONG, is_urgent=lambda one: one.number == 2) as beside:
        beside.tell(picture(1))
        beside.tell(picture(2))
        assert done.get(timeout=SECONDS) == 2
        beside.tell(picture(3))
    assert done.empty()


def test_patience_ends_although_it_is_never_quiet() -> None:
    done = threading.Event()
    with at_work(lambda _: done.set(), quiet=LONG, patience=0.05) as beside:
        beside.tell(picture(1))
        assert done.wait(SECONDS)


def test_it_rests_as_long_as_its_work_asks_for() -> None:
    took: SimpleQueue[float] = SimpleQueue()
    done: SimpleQueue[int] = SimpleQueue()

    def every(seconds: float) -> float:
        took.put(seconds)
        return LONG

    with at_work(lambda one: done.put(one.number), every=every) as beside:
        beside.tell(picture(1))
        assert done.get(timeout=SECONDS) == 1
        assert took.get(timeout=SECONDS) < SECONDS
        beside.tell(picture(2))
    assert done.empty()


def test_what_is_worked_on_again_gives_way_to_a_newer_one() -> None:
    done: SimpleQueue[int] = SimpleQueue()
    begun: list[int] = []

    def work(one: Picture) -> None:
        begun.append(one.number)
        if begun == [1]:
            beside.again(one)
        elif one.number == 2:
            beside.again(picture(1))
            beside.tell(picture(3))
            beside.again(picture(1))
        done.put(one.number)

    with at_work(work) as beside:
        beside.tell(picture(1))
        assert [done.get(timeout=SECONDS) for _ in range(2)] == [1, 1]
        beside.tell(picture(2))
        assert [done.get(timeout=SECONDS) for _ in range(2)] == [2, 3]


def test_a_failure_is_logged_and_the_next_picture_is_worked_on(caplog: pytest.LogCaptureFixture) -> None:
    tried, done = threading.Event(), threading.Event()

    def work(one: Picture) -> None:
        tried.set()
        if one.number == 1:
            raise ValueError("no")
        done.set()

    with at_work(work) as beside:
        beside.tell(picture(1))
        assert tried.wait(SECONDS)
        beside.tell(picture(2))
        assert done.wait(SECONDS)
    assert "beside failed" in caplog.text


def test_closing_ends_what_is_at_work_and_what_rests() -> None:
    began, ended = threading.Event(), threading.Event()

    def work(_: Picture) -> None:
        began.set()
        beside.rest(LONG, lambda: False)
        if not beside.go_on():
            ended.set()

    with at_work(work) as beside:
        beside.tell(picture(1))
        assert began.wait(SECONDS)
    assert ended.is_set()
    beside.close()
    beside.tell(picture(2))
    assert beside.newest is None


def test_a_rest_ends_when_a_picture_is_told() -> None:
    began, ended = threading.Event(), threading.Event()

    def work(one: Picture) -> None:
        began.set()
        if one.number == 1:
            beside.rest(LONG, lambda: beside.newest is not None)
        else:
            ended.set()

    with at_work(work) as beside:
        beside.tell(picture(1))
        assert began.wait(SECONDS)
        beside.tell(picture(2))
        assert ended.wait(SECONDS)


def test_it_makes_way_until_the_last_one_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "LONGEST_WAIT", LONG)
    foreground, passed = Foreground(), threading.Event()
    foreground.enter("session")
    with foreground.entered("publisher"):
        foreground.enter("session")

        def go() -> None:
            foreground.make_way()
            passed.set()

        thread = threading.Thread(target=go)
        thread.start()
        foreground.leave("session")
        assert not passed.is_set()
    thread.join(SECONDS)
    assert passed.is_set()


def test_it_does_not_make_way_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "LONGEST_WAIT", 0.01)
    monkeypatch.setattr(aside, "MOMENT", LONG)
    foreground = Foreground()
    foreground.enter("session")
    foreground.make_way()
    monkeypatch.setattr(aside, "LONGEST_WAIT", LONG)
    began = time.monotonic()
    foreground.make_way()
    assert time.monotonic() - began < SECONDS


def test_who_has_just_finished_is_still_made_way_for() -> None:
    foreground = Foreground()
    foreground.enter("session")
    before = time.monotonic()
    foreground.leave("session")
    foreground.make_way()
    assert time.monotonic() - before >= aside.STILL
