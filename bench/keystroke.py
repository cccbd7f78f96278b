"""How long after the last of some quick changes to a text the editor is told where it meets the other worktrees.

    python -m bench.keystroke [--files N] [--worktrees N] [--bursts N] [--settle SECONDS] [--keep DIR] [--json]

Types twenty changes a second into a file that 15 worktrees have changed, a second long, then waits for the diagnostics
that know the last change. If work piled up behind fast typing, the wait would grow with the burst; a burst three times
as long shows whether it does.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from bench.client import Client, Message, initialize, running
from bench.plain import plain_way
from bench.report import arguments, print_report, spread
from bench.repository import HOT, Repository, busy_start, repository

INTERVAL = 0.05
"""Seconds between two changes."""
BURST, LONG = 20, 60
"""Changes in a burst; every fifth is a new line, and so is the last."""
READER = 0


def main(given: Sequence[str] | None = None) -> int:
    parser = arguments(__doc__)
    parser.add_argument("--bursts", type=int, default=20, help="how many bursts of typing (20)")
    chosen = parser.parse_args(given)
    with repository(chosen.keep, chosen.files, chosen.worktrees, chosen.seed) as found:
        plain = plain_way(found.every)
        with running() as client:
            initialize(client, found.worktrees[READER])
            typing = begin(client, found)
            client.calm(chosen.settle)
            short = [burst(typing, BURST) for _ in range(chosen.bursts)]
            long = [burst(typing, LONG) for _ in range(max(1, chosen.bursts // 4))]
    setting = {"files": chosen.files, "worktrees": chosen.worktrees, "bursts": len(short)}
    rows = [
        *spread("last change to diagnostics", short, plain.total),
        *spread("the same after three times as many changes", long, plain.total),
    ]
    print_report("keystroke", setting, rows, plain, as_json=chosen.json)
    return 0


@dataclass(frozen=True)
class Typing:
    """An open document; `versions` gives the next one, `rows` the number of new lines so far."""

    client: Client
    uri: str
    versions: count[int]
    rows: count[int]


def begin(client: Client, found: Repository) -> Typing:
    """Open the hot file, type once, and wait until the server keeps up."""
    typing = Typing(client, client.open(found.worktrees[READER] / HOT), count(2), count(1))
    burst(typing, 1)
    return typing


def burst(typing: Typing, changes: int) -> float:
    """Type, and give the seconds from the last change to the diagnostics that know it."""
    client = typing.client
    begun = time.perf_counter()
    for number in range(1, changes + 1):
        client.pause(begun + number * INTERVAL - time.perf_counter())
        is_line = number % 5 == 0 or number == changes
        typed = client.notify("textDocument/didChange", _change(typing, "\n" if is_line else "x"))
        row = next(typing.rows) if is_line else None
    assert row is not None
    told = client.published(typing.uri, lambda params: _first_conflict(params) == busy_start(READER) - 1 + row)
    client.pause(0.3)
    return told - typed


def _change(typing: Typing, text: str) -> dict[str, Any]:
    place = {"line": 2, "character": 0}
    return {
        "textDocument": {"uri": typing.uri, "version": next(typing.versions)},
        "contentChanges": [{"range": {"start": place, "end": place}, "text": text}],
    }


def _first_conflict(params: Message) -> int | None:
    """The line (from 0) of the first conflict; each new line above moves it down by one."""
    found = (item["range"]["start"]["line"] for item in params["diagnostics"] if item["code"] == "conflict")
    return min(found, default=None)


if __name__ == "__main__":
    sys.exit(main())
