"""How a save's time grows from 5 to 50 worktrees, where the same number of them meet in the file that is saved.

    python -m bench.growth [--files N] [--worktrees N] [--saves N] [--keep DIR] [--json]

Five worktrees have changed the file. All sizes are the same repository, of which git is shown only a part.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bench.client import initialize, running
from bench.plain import Plain, plain_way
from bench.report import Row, arguments, print_report, share
from bench.repository import WARM, WARM_WORKTREES, Repository, repository, showing
from bench.save import READER, saves

COUNTS = (5, 10, 25, 50)


def main(given: Sequence[str] | None = None) -> int:
    parser = arguments(__doc__)
    parser.add_argument("--saves", type=int, default=100, help="how many saves at each size (100)")
    chosen = parser.parse_args(given)
    counts = sorted({*(count for count in COUNTS if count < chosen.worktrees), chosen.worktrees})
    rows: list[Row] = []
    with repository(chosen.keep, chosen.files, chosen.worktrees, chosen.seed) as whole:
        measured = []
        for count in counts:
            with showing(whole, count) as found:
                measured.append(measure(found, chosen.saves))
    for count, (times, plain) in zip(counts, measured, strict=True):
        for percent in (50, 95):
            value = share(times, percent)
            rows.append(Row(f"{count} worktrees, p{percent}", value * 1000, "ms", plain.total / value))
    for percent in (50, 95):
        least, most = share(measured[0][0], percent), share(measured[-1][0], percent)
        rows.append(Row(f"growth from {counts[0]} to {counts[-1]} worktrees, p{percent}", most / least, "times"))
    grown = measured[-1][1].total / measured[0][1].total
    rows.append(Row(f"growth of the plain way from {counts[0]} to {counts[-1]} worktrees", grown, "times"))
    setting = {"files": chosen.files, "saves": chosen.saves, "worktrees meet": WARM_WORKTREES}
    print_report("growth", setting, rows, None, as_json=chosen.json)
    return 0


def measure(found: Repository, count: int) -> tuple[list[float], Plain]:
    """Seconds of each save, and the plain way, in a repository with so many worktrees."""
    plain = plain_way(found.every)
    with running() as client:
        initialize(client, found.worktrees[READER])
        client.calm()
        return saves(client, found, WARM, count), plain


if __name__ == "__main__":
    sys.exit(main())
