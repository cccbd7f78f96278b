"""What ten windows on ten worktrees cost beside one: saves, CPU, memory, watches, and commands while they are there.

    python -m bench.windows [--files N] [--worktrees N] [--windows N] [--saves N] [--beside SIDECAR] [--keep DIR]

The windows are on worktrees that have changed the hot file, and have it open; that of another worktree is replaced on
disk, and the time ends in each window when its diagnostics speak of just that save. `--beside` names the command of
another build, which is measured in the same run.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.client import COMMAND, Client, initialize, running
from bench.plain import plain_way
from bench.processes import PLACES, cpu_seconds, memory, watched_inodes
from bench.report import Row, arguments, print_report, share
from bench.repository import HOT, Repository, busy_text, replace_file, repository
from bench.save import READER, WRITER, speaks_of
from tests.harness import environment

CALLS = 10
"""How often each command is run."""


def main(given: Sequence[str] | None = None) -> int:
    parser = arguments(__doc__)
    parser.add_argument("--windows", type=int, default=10, help="how many windows (10)")
    parser.add_argument("--saves", type=int, default=50, help="how many saves with one window, and with all (50)")
    parser.add_argument("--beside", type=Path, help="the command `sidecar` of another build")
    chosen = parser.parse_args(given)
    builds = {"": Path(COMMAND[0])} | ({"before: ": chosen.beside} if chosen.beside else {})
    rows: list[Row] = []
    with repository(chosen.keep, chosen.files, chosen.worktrees, chosen.seed) as found:
        plain = plain_way(found.every)
        places = [found.worktrees[READER], *found.worktrees[WRITER + 1 :]][: chosen.windows]
        for name, sidecar in builds.items():
            for windows in (places[:1], places):
                rows += _measure(name, sidecar, found, windows, chosen.saves, chosen.settle)
    setting = {"files": chosen.files, "worktrees": chosen.worktrees, "windows": chosen.windows, "saves": chosen.saves}
    print_report("windows", setting, rows, plain, as_json=chosen.json)
    return 0


def _measure(
    name: str, sidecar: Path, found: Repository, places: Sequence[Path], count: int, settle: float
) -> Iterator[Row]:
    """Everything that is measured with so many windows of one build."""
    many = f"{name}{len(places)} window{'s' if len(places) > 1 else ''}"
    with _windows(sidecar, places) as clients:
        clients[0].calm(settle)
        pids = [client.process.pid for client in clients]
        before = cpu_seconds(*pids)
        times = _saves(clients, places, found, count)
        cpu = (cpu_seconds(*pids) - before) / count
        for percent in (50, 95):
            first = share([seconds[0] for seconds in times], percent)
            yield Row(f"{many}: save, the first window, p{percent}", first * 1000, "ms")
            yield Row(
                f"{many}: save, every window, p{percent}",
                share([one for all_windows in times for one in all_windows], percent) * 1000,
                "ms",
            )
        yield Row(f"{many}: CPU of a save, all processes", cpu * 1000, "ms")
        yield Row(f"{many}: memory, all processes", sum(one.pss for one in memory(*pids)), "MB")
        yield Row(f"{many}: watches", len(watched_inodes(*pids)), "")
        for command in (("status", "--json"), ("check", HOT, "--json")):
            wall = [_call(sidecar, places[0], command) for _ in range(CALLS)]
            for percent in (50, 95):
                yield Row(f"{many}: sidecar {command[0]}, wall, p{percent}", share(wall, percent) * 1000, "ms")


@contextmanager
def _windows(sidecar: Path, places: Sequence[Path]) -> Iterator[list[Client]]:
    """A server on each place, with the hot file open."""
    with ExitStack() as stack:
        clients = []
        for place in places:
            client = stack.enter_context(running(command=(str(sidecar), "serve")))
            initialize(client, place, settings={"show": "everything"})
            uri = client.open(place / HOT)
            client.published(uri, lambda params: params["diagnostics"])
            clients.append(client)
        yield clients


def _saves(clients: Sequence[Client], places: Sequence[Path], found: Repository, count: int) -> list[list[float]]:
    """Seconds from each save to its diagnostics, in every window."""
    writer = found.worktrees[WRITER] / HOT
    label, before = found.worktrees[WRITER].name.replace("-", "_"), writer.read_text(encoding="utf-8")
    times = []
    try:
        for turn in range(-2, count):  # the first two show that everything stands
            lines = 8 + turn % 3
            started = replace_file(writer, busy_text(label, WRITER, lines=lines, turn=turn))
            fits = partial(speaks_of, writer.as_uri(), lines)
            uris = [(place / HOT).as_uri() for place in places]
            told = [client.published(uri, fits) for client, uri in zip(clients, uris, strict=True)]
            if turn >= 0:
                times.append([one - started for one in told])
            clients[0].pause(0.1)
    finally:
        replace_file(writer, before)
    return times


def _call(sidecar: Path, folder: Path, command: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run([sidecar, *command], cwd=folder, env=environment() | PLACES, stdout=subprocess.DEVNULL, check=False)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
