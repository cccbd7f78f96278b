"""How long from `initialize` to the first diagnostics, and what `initialize` costs before it is answered.

    python -m bench.start [--files N] [--worktrees N] [--starts N] [--keep DIR] [--json]

The plain way is measured at the same number of worktrees (10 unless said otherwise).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.client import initialize, running
from bench.plain import plain_way
from bench.processes import cpu_seconds
from bench.report import Row, arguments, print_report, share, spread
from bench.repository import HOT, repository, showing


@dataclass(frozen=True)
class Start:
    """Seconds of one start: `cpu` until `initialize` was answered; the others from when it was sent."""

    cpu: float
    answered: float
    told: float
    calm: float


def main(given: Sequence[str] | None = None) -> int:
    parser = arguments(__doc__, worktrees=10)
    parser.add_argument("--starts", type=int, default=5, help="how many starts (5)")
    parser.add_argument("--of", type=int, help="show only --worktrees of a kept repository that has so many")
    chosen = parser.parse_args(given)
    with (
        repository(chosen.keep, chosen.files, chosen.of or chosen.worktrees, chosen.seed) as whole,
        showing(whole, chosen.worktrees) as found,
    ):
        plain = plain_way(found.every)
        starts = [start(found.worktrees[0]) for _ in range(chosen.starts)]
    setting = {"files": chosen.files, "worktrees": chosen.worktrees, "starts": len(starts)}
    rows = [
        *spread("initialize to first diagnostics", [one.told for one in starts], plain.total),
        Row("initialize to its answer, p50", share([one.answered for one in starts], 50) * 1000, "ms"),
        Row("CPU until initialize is answered, most", max(one.cpu for one in starts) * 1000, "ms"),
        Row("until everything is read and watched, p50", share([one.calm for one in starts], 50), "s"),
    ]
    print_report("start", setting, rows, plain, as_json=chosen.json)
    return 0


def start(folder: Path) -> Start:
    """One start in a worktree that has changed the hot file, which the editor shows."""
    with running() as client:
        sent, answered = initialize(client, folder)
        cpu = cpu_seconds(client.process.pid)
        uri = client.open(folder / HOT)
        told = client.published(uri, lambda params: params["diagnostics"])
        client.calm()
        return Start(cpu, answered - sent, told - sent, time.perf_counter() - sent)


if __name__ == "__main__":
    sys.exit(main())
