"""How long after a file is written in one worktree the editor on another one is told where they meet.

    python -m bench.save [--files N] [--worktrees N] [--saves N] [--shared N] [--first SECONDS] [--keep DIR] [--json]

A file that 15 worktrees have changed is open from one of them, while another one's is replaced on disk, one save at a
time. The time ends when `publishDiagnostics` has come that speaks of just that save. With `--shared` the first ten
worktrees have also changed so many more files, all of them the same ones, each in its own way. With `--first` saves
begin right after the first diagnostics and go on for so long, and are held against those after things have settled.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bench.client import Client, Message, initialize, running
from bench.plain import plain_way
from bench.processes import cpu_seconds
from bench.report import Row, arguments, print_report, share, spread
from bench.repository import HOT, Repository, busy_start, busy_text, replace_file, repository, sharing

MANY = 100_000
"""More saves than there can be in any time that somebody waits."""

READER, WRITER = 0, 1
"""Which worktrees' files are read and written: both changed the same lines."""


def main(given: Sequence[str] | None = None) -> int:
    parser = arguments(__doc__)
    parser.add_argument("--saves", type=int, default=100, help="how many saves (100)")
    parser.add_argument("--shared", type=int, default=0, help="how many files ten worktrees have changed besides (0)")
    parser.add_argument("--first", type=float, default=0.0, help="seconds of saves right after the start, too (0)")
    chosen = parser.parse_args(given)
    with (
        repository(chosen.keep, chosen.files, chosen.worktrees, chosen.seed) as found,
        sharing(found, chosen.shared),
    ):
        plain = plain_way(found.every)
        with running() as client:
            initialize(client, found.worktrees[READER])
            first = saves(client, found, HOT, MANY, seconds=chosen.first) if chosen.first else []
            client.calm(chosen.settle)
            before = cpu_seconds(client.process.pid)
            times = saves(client, found, HOT, chosen.saves, begin=len(first))
            cpu = (cpu_seconds(client.process.pid) - before) / len(times)
    setting = {"files": chosen.files, "worktrees": chosen.worktrees, "saves": len(times), "shared": chosen.shared}
    rows = [
        *spread("write to diagnostics", times, plain.total),
        *(spread(f"in the first {chosen.first:.0f} s", first, plain.total) if first else []),
        *(_against(first, times) if first else []),
        Row("CPU of a save", cpu * 1000, "ms", plain.cpu / cpu),
    ]
    print_report("save", setting, rows, plain, as_json=chosen.json)
    return 0


def _against(first: Sequence[float], settled: Sequence[float]) -> list[Row]:
    """How many times as long a save takes right after the start."""
    return [
        Row(f"p{percent} of the first against the settled", share(first, percent) / share(settled, percent), "x")
        for percent in (50, 95)
    ]


def saves(
    client: Client,
    found: Repository,
    path: str,
    count: int,
    pause: float = 0.1,
    seconds: float = math.inf,
    begin: int = 0,
) -> list[float]:
    """Seconds from each of at most `count` saves of a busy file to its diagnostics; the file is put back at the end.

    After so many `seconds` no more are made. Each text has its number in it, from `begin` on: of one that was there
    before, what git says of it is remembered.
    """
    reader, writer = found.worktrees[READER] / path, found.worktrees[WRITER] / path
    uri = client.open(reader)
    label = writer.parts[-len(Path(path).parts) - 1].replace("-", "_")
    before = writer.read_text(encoding="utf-8")
    times: list[float] = []
    end = time.monotonic() + seconds
    try:
        for turn in range(begin - 2, begin + count):  # the first two show that everything stands
            if time.monotonic() > end:
                break
            lines = 8 + turn % 3
            text = busy_text(label, WRITER, lines=lines, turn=turn)
            started = replace_file(writer, text)
            told = client.published(uri, partial(speaks_of, writer.as_uri(), lines))
            if turn >= begin:
                times.append(told - started)
            client.pause(pause)
    finally:
        replace_file(writer, before)
    return times


def speaks_of(uri: str, lines: int, params: Message) -> bool:
    """Whether a diagnostic links to just that many lines of the file that was saved."""
    for diagnostic in params["diagnostics"]:
        for related in diagnostic.get("relatedInformation", ()):
            place = related["location"]
            first, last = place["range"]["start"]["line"], place["range"]["end"]["line"]
            if place["uri"] == uri and first == busy_start(WRITER) - 1 and last - first + 1 == lines:
                return True
    return False


if __name__ == "__main__":
    sys.exit(main())
