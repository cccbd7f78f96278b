"""What a repository costs in which nothing happens: CPU, processes started, files touched.

    python -m bench.idle [--files N] [--worktrees N] [--seconds N] [--settle SECONDS] [--keep DIR] [--json]

One round of the plain way stands for comparison: what a script that looks once in that time would use.
Touched is what anybody opens, reads or writes in the common directory, at the top of any worktree, and anywhere in the
first linked one (inotify(7) does not tell of a mere `stat`); and what the server reads or writes anywhere.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
from inotify_simple import INotify, flags  # type: ignore[import-untyped]

from bench.client import Client, initialize, running
from bench.plain import plain_way
from bench.processes import exact_cpu_seconds, traces_of_children, wakeups
from bench.report import Row, arguments, print_report
from bench.repository import HOT, Repository, repository

EVERYTHING = flags.ACCESS | flags.OPEN | flags.MODIFY | flags.ATTRIB | flags.CREATE | flags.DELETE
MOVES = flags.MOVED_FROM | flags.MOVED_TO

STILL = 6.0
"""Seconds without work after which the server has no more of it: sizes are measured with pauses of three."""


def main(given: Sequence[str] | None = None) -> int:
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to look on (60)")
    chosen = parser.parse_args(given)
    with repository(chosen.keep, chosen.files, chosen.worktrees, chosen.seed) as found:
        plain = plain_way(found.every)
        with running() as client:
            initialize(client, found.worktrees[0])
            client.open(found.worktrees[0] / HOT)
            calm = client.calm(chosen.settle, STILL)
            rows = look_on(client, found, chosen.seconds, plain.cpu)
    setting = {"files": chosen.files, "worktrees": chosen.worktrees, "seconds": chosen.seconds}
    if not calm:
        rows.append(Row("the server never came to rest before this", 1, ""))
    print_report("idle", setting, rows, plain, as_json=chosen.json)
    return 0


def look_on(client: Client, found: Repository, seconds: float, plain_cpu: float) -> list[Row]:
    """Do nothing, and count what the server does."""
    pid = client.process.pid
    server = psutil.Process(pid)
    with INotify() as touched:
        for folder in _places(found):
            touched.add_watch(folder, EVERYTHING | MOVES)
        touched.read(timeout=0)
        children, cpu, woken, io = traces_of_children(pid), exact_cpu_seconds(pid), wakeups(pid), server.io_counters()
        living = {child.pid for child in server.children(recursive=True)}
        messages = client.pause(seconds)
        spent, woken = exact_cpu_seconds(pid) - cpu, wakeups(pid) - woken
        after = server.io_counters()
        started = len({child.pid for child in server.children(recursive=True)} - living)
        events = touched.read(timeout=0)
    ended = traces_of_children(pid) != children
    return [
        Row("CPU", spent * 1000, "ms", plain_cpu / spent if spent else None),
        Row("processes started", started, "", note="others started and ended" if ended else "none came and went"),
        Row("files touched", len({(event.wd, event.name) for event in events}), ""),
        Row("bytes read by the server", after.read_chars - io.read_chars, ""),
        Row("bytes written by the server", after.write_chars - io.write_chars, ""),
        Row("wake-ups of its threads", woken, ""),
        Row("messages to the editor", len(messages), ""),
    ]


def _places(found: Repository) -> Iterator[Path]:
    yield from found.every
    for tree in (found.main / ".git", found.worktrees[0]):
        for folder, _, _ in os.walk(tree):
            yield Path(folder)


if __name__ == "__main__":
    sys.exit(main())
