"""`sidecar hook`: what an agent's client calls at an event. It answers, or says nothing; nobody waits for it in vain.

It must exit with 0 whatever happens, also for arguments of a newer version, because other statuses stop the agent.
Until it has to look at git it imports the standard library only, because every edit waits for it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from sidecar.agents.dialects import Call, Edit, Moment, answer, read_call
from sidecar.system.place import Place, find_place

if TYPE_CHECKING:
    from sidecar.operations.news import News

DEADLINE = 2.0
"""Seconds after which it ends, said or not."""
GRACE = 0.5
"""Seconds more that it gets where it has the answer and is about to print it."""
MOST_INPUT = 32 * 1024 * 1024
MOST_LOG = 128 * 1024
HEADINGS: dict[Moment, str] = {
    "start": "Worktree Sidecar, about this repository:",
    "subagent": "Worktree Sidecar, about this repository:",
    "prompt": "Worktree Sidecar, new since this session was last told:",
    "before": "Worktree Sidecar, about this edit:",
    "after": "Worktree Sidecar, about the files of this edit:",
}


def run(arguments: Sequence[str]) -> None:
    """Read the client's JSON from standard input, and print the answer, if there is any; never raises."""
    began, told = time.monotonic(), _Told()
    timer = threading.Timer(DEADLINE, _give_up, (told, began))
    timer.daemon = True
    timer.start()
    try:
        told.call = call = _read(arguments)
        said = _respond(call, told) if call is not None else None
        if said is not None:
            _print(said)
        told.outcome = "told" if said is not None else "nothing"
    except Exception as error:
        told.outcome = f"{type(error).__name__}: {error}"
    timer.cancel()
    _log(told, began)


class _Told:
    """What is noted in the log of one call."""

    def __init__(self) -> None:
        self.call: Call | None = None
        self.place: Place | None = None
        self.outcome = "nothing"


def _give_up(told: _Told, began: float) -> None:
    """End the process, whatever it waits for; what it left is cleaned up by the next that looks."""
    if told.outcome == "telling":  # what is noted as told is said, in a moment
        time.sleep(GRACE)
    told.outcome = "too late"
    _log(told, began)
    os._exit(0)


def _read(arguments: Sequence[str]) -> Call | None:
    """Read the call from standard input and the arguments; arguments that are not known are passed over."""
    given = dict(zip(arguments, (*arguments[1:], ""), strict=True))
    given |= dict(argument.split("=", 1) for argument in arguments if argument.startswith("--") and "=" in argument)
    raw = sys.stdin.buffer.read(MOST_INPUT)
    return read_call(json.loads(raw), given.get("--client", ""), given.get("--event"))


def _respond(call: Call, told: _Told) -> dict[str, object] | None:
    """Answer a call, None where there is nothing to say; what is said is noted as told before it is printed."""
    if call.moment in ("before", "after") and not call.edits:
        return None
    own = find_place(call.cwd) if call.cwd is not None else None
    edited = [(edit, place) for edit in call.edits if (place := find_place(edit.path)) is not None]
    told.place = place = edited[0][1] if edited else own
    if place is None or (call.edits and not edited):
        return None
    hears = call.moment in call.dialect.hears
    # a session finds its answer while the rest is loaded
    asked = _ask_about(edited) if call.moment == "after" and hears and not place.is_alone else []
    from sidecar.operations import presence

    if call.moment == "end":
        presence.leave(place.common_dir, call.session)
        return None
    now = time.time()
    wrote = now if call.moment == "after" else 0.0
    speaker = presence.Agent(call.dialect.title, call.session, call.part, place.top, now, wrote)
    others = presence.others(place.common_dir, call.session, now)
    presence.speak(place.common_dir, speaker, ())  # others learn of it, also where what follows takes too long
    if (place.is_alone and not others) or not hears:
        return None
    from sidecar.agents import pictures
    from sidecar.operations import news

    if call.moment == "before":
        found = pictures.refused(place, [edit for edit, where in edited if where == place])
    elif call.moment == "after":
        found = [*news.company(place.top, others, now), *_about_edit(own, asked or _ask_about(edited))]
    elif call.moment == "prompt":
        found = [*news.company(place.top, others, now), *pictures.conflicts(place)]
    else:
        found = news.company(place.top, others, now) or pictures.overview(place, others)
    told.outcome = "telling"
    # told again when it starts anew, and once where several entries call for one start
    start = [f"start {call.source} {int(now // 60)}"] if call.moment in ("start", "subagent") else []
    new = presence.speak(place.common_dir, speaker, [*start, *(one.mark for one in found)])
    kept = [one for one in found if (start[0] in new if start else one.mark in new)]
    deny = call.moment == "before"
    return answer(call, news.joined(HEADINGS[call.moment], kept, denied=deny), deny=deny) if kept else None


Asked = tuple["Place", str, "Callable[[], list[News]]"]
"""A worktree, one of the files that were edited in it, and what waits for the answer to how they meet others."""


def _ask_about(edited: Sequence[tuple[Edit, Place]]) -> list[Asked]:
    """Ask how the files that were just edited meet what others changed."""
    from sidecar.agents import pictures

    asked = []
    for place in dict.fromkeys(place for _, place in edited):
        paths = [edit.path for edit, where in edited if where == place]
        asked.append((place, paths[0], pictures.ask_meetings(place, paths)))
    return asked


def _about_edit(own: Place | None, asked: Sequence[Asked]) -> Iterator[News]:
    """Say what the files that were just edited meet, and which of them are in another worktree than their writer."""
    from sidecar.operations import news

    for place, path, wait in asked:
        if own is not None and own != place and own.common_dir == place.common_dir:
            yield news.stray_news(path, place.top, own.top)
        yield from wait()


def _print(said: dict[str, object]) -> None:
    """Write one JSON object to standard output; a client that has gone does not matter."""
    rest = json.dumps(said, ensure_ascii=True).encode("ascii")
    while rest:
        rest = rest[os.write(1, rest) :]


def _log(told: _Told, began: float) -> None:
    """Add a line to the log of the repository, if there is a sidecar directory; begin a new one when it is long."""
    call, place = told.call, told.place
    if call is None or place is None or told.outcome == "nothing":
        return
    from sidecar.operations.presence import log_path

    path = log_path(place.common_dir)
    took = round((time.monotonic() - began) * 1000)
    when = time.strftime("%Y-%m-%d %H:%M:%S")
    line = f"{when} {call.dialect.client} {call.event} {took} ms: {told.outcome[:500]!a}\n"
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    with contextlib.suppress(OSError):
        if os.path.exists(path) and os.path.getsize(path) > MOST_LOG:
            os.replace(path, f"{path}.1")
        descriptor = os.open(path, flags, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(line)
