"""What saves, typing and memory come to beside other builds, by turns on one repository.

    python -m bench.builds --beside SIDECAR [--beside SIDECAR]... [--files N] [--worktrees N] [--saves N] [--bursts N]
                           [--rounds N] [--settle SECONDS] [--keep DIR] [--json]

`--beside` names the command `sidecar` of another build. In each round every build has one turn, on its own: a start,
saves as in `bench.save`, bursts of typing as in `bench.keystroke`, and what all its processes hold in memory after it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.client import COMMAND, initialize, running
from bench.keystroke import BURST, begin, burst
from bench.plain import plain_way
from bench.processes import cpu_seconds, memory, sessions
from bench.report import Row, arguments, print_report, share
from bench.repository import HOT, Repository, repository
from bench.save import READER, saves

THIS = "this build"


@dataclass
class Measured:
    """What was measured of one build: seconds of saves and after bursts, seconds of CPU a save, MB after each turn."""

    saves: list[float] = field(default_factory=list)
    bursts: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    begun: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)


def main(given: Sequence[str] | None = None) -> int:
    parser = arguments(__doc__)
    parser.add_argument("--beside", type=Path, action="append", default=[], help="the command of another build")
    parser.add_argument("--saves", type=int, default=100, help="how many saves of each build (100)")
    parser.add_argument("--bursts", type=int, default=20, help="how many bursts of typing of each build (20)")
    parser.add_argument("--rounds", type=int, default=5, help="how many turns each build has (5)")
    chosen = parser.parse_args(given)
    builds = {THIS: Path(COMMAND[0])} | {str(command): command for command in chosen.beside}
    measured = {name: Measured() for name in builds}
    with repository(chosen.keep, chosen.files, chosen.worktrees, chosen.seed) as found:
        plain = plain_way(found.every)
        for turn in range(chosen.rounds):
            order = list(builds)
            for name in order if turn % 2 == 0 else reversed(order):
                shares = max(1, chosen.saves // chosen.rounds), max(1, chosen.bursts // chosen.rounds)
                _turn(measured[name], builds[name], found, *shares, chosen.settle)
    setting = {"files": chosen.files, "worktrees": chosen.worktrees, "rounds": chosen.rounds}
    rows = [row for name, one in measured.items() for row in _rows(name, one, measured[THIS])]
    print_report("builds", setting, rows, plain, as_json=chosen.json)
    return 0


def _turn(one: Measured, sidecar: Path, found: Repository, count: int, bursts: int, settle: float) -> None:
    """Measure one turn of one build, once the sessions of the turn before have ended."""
    end = time.monotonic() + settle
    while sessions() and time.monotonic() < end:
        time.sleep(0.1)
    with running(command=(str(sidecar), "serve")) as client:
        initialize(client, found.worktrees[READER])
        client.calm(settle)
        one.begun.append(sum(process.pss for process in memory(client.process.pid)))
        before = cpu_seconds(client.process.pid)
        times = saves(client, found, HOT, count)
        one.cpu.append((cpu_seconds(client.process.pid) - before) / len(times))
        one.saves += times
        client.calm(settle)
        typing = begin(client, found)
        one.bursts += [burst(typing, BURST) for _ in range(bursts)]
        client.calm(settle)
        one.worked.append(sum(process.pss for process in memory(client.process.pid)))


def _rows(name: str, one: Measured, this: Measured) -> Iterator[Row]:
    """Give the numbers of one build; of another one, how this one compares."""

    def against(mine: float, other: float, unit: str) -> str:
        if one is this:
            return ""
        return f"this build {mine - other:+.1f} {unit}, {mine / other:.2f} times"

    for percent in (50, 95):
        for what, mine, theirs in (
            ("write to diagnostics", this.saves, one.saves),
            ("last change to diagnostics", this.bursts, one.bursts),
        ):
            now, then = share(mine, percent) * 1000, share(theirs, percent) * 1000
            yield Row(f"{name}: {what}, p{percent}", then, "ms", note=against(now, then, "ms"))
    now, then = share(this.cpu, 50) * 1000, share(one.cpu, 50) * 1000
    yield Row(f"{name}: CPU of a save, all processes, p50 of the turns", then, "ms", note=against(now, then, "ms"))
    for what, mine, theirs in (("after the start", this.begun, one.begun), ("after the work", this.worked, one.worked)):
        now, then = share(mine, 50), share(theirs, 50)
        yield Row(f"{name}: memory {what}, all processes, p50", then, "MB", note=against(now, then, "MB"))


if __name__ == "__main__":
    sys.exit(main())
