"""How long from `initialize` to the first diagnostics, and what `initialize` costs before it is answered.

    python -m bench.start [--files N] [--worktrees N] [--starts N] [--beside SIDECAR]... [--keep DIR] [--json]

The plain way is measured at the same number of worktrees (10 unless said otherwise). `--beside` names the commands of
other builds, which start in turn with this one.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.client import COMMAND, initialize, running
from bench.plain import Plain, plain_way
from bench.processes import cpu_seconds
from bench.report import Row, arguments, print_report, share, spread
from bench.repository import HOT, repository, showing


@dataclass(frozen=True)
class Start:
    """Seconds of one start: `cpu` until `initialize` was answered; the others from when it was sent."""

    cpu: float
    answered: float
    told: float
    whole: float
    calm: float


def main(given: Sequence[str] | None = None) -> int:
    parser = arguments(__doc__, worktrees=10)
    parser.add_argument("--starts", type=int, default=5, help="how many starts (5)")
    parser.add_argument("--beside", type=Path, action="append", default=[], help="the command of another build")
    parser.add_argument("--of", type=int, help="show only --worktrees of a kept repository that has so many")
    chosen = parser.parse_args(given)
    with (
        repository(chosen.keep, chosen.files, chosen.of or chosen.worktrees, chosen.seed) as whole,
        showing(whole, chosen.worktrees) as found,
    ):
        builds = {"": Path(COMMAND[0])} | {f"{name}: ": name for name in chosen.beside}
        starts: dict[str, list[Start]] = {name: [] for name in builds}
        plain = plain_way(found.every)
        for _ in range(chosen.starts):
            for name, sidecar in builds.items():
                starts[name].append(start(sidecar, found.worktrees[0]))
    setting = {"files": chosen.files, "worktrees": chosen.worktrees, "starts": chosen.starts}
    rows = [row for name, ones in starts.items() for row in rows_of(name, ones, plain)]
    print_report("start", setting, rows, plain, as_json=chosen.json)
    return 0


def rows_of(name: str, starts: Sequence[Start], plain: Plain) -> Iterator[Row]:
    """What the starts of one build took."""
    yield from spread(f"{name}initialize to first diagnostics", [one.told for one in starts], plain.total)
    whole = share([one.whole for one in starts], 50)
    note = f"{whole / plain.status:.2f} of git status in each worktree, one after the other"
    yield Row(f"{name}initialize to the last diagnostics, p50", whole * 1000, "ms", plain.total / whole, note)
    yield Row(f"{name}initialize to its answer, p50", share([one.answered for one in starts], 50) * 1000, "ms")
    yield Row(f"{name}CPU until initialize is answered, most", max(one.cpu for one in starts) * 1000, "ms")
    yield Row(f"{name}until everything is read and watched, p50", share([one.calm for one in starts], 50), "s")


def start(sidecar: Path, folder: Path) -> Start:
    """One start in a worktree that has changed the hot file, which the editor shows."""
    with running(command=(str(sidecar), "serve")) as client:
        sent, answered = initialize(client, folder)
        cpu = cpu_seconds(client.process.pid)
        uri = client.open(folder / HOT)
        told = client.published(uri, lambda params: params["diagnostics"])
        client.calm()
        return Start(cpu, answered - sent, told - sent, client.last - sent, time.perf_counter() - sent)


if __name__ == "__main__":
    sys.exit(main())
