"""How much memory the server and its git processes hold, after the start and after some saves.

    python -m bench.memory [--files N] [--worktrees N] [--saves N] [--settle SECONDS] [--keep DIR] [--json]

What several processes share is shared out among them (PSS), so that the numbers add up. The watches that the kernel
holds for inotify are not in it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bench.client import initialize, running
from bench.plain import plain_way
from bench.processes import Memory, memory
from bench.report import Row, arguments, print_report
from bench.repository import HOT, repository
from bench.save import READER, saves


def main(given: Sequence[str] | None = None) -> int:
    parser = arguments(__doc__)
    parser.add_argument("--saves", type=int, default=100, help="how many saves before the second look (100)")
    chosen = parser.parse_args(given)
    with repository(chosen.keep, chosen.files, chosen.worktrees, chosen.seed) as found:
        plain = plain_way(found.every)
        with running() as client:
            initialize(client, found.worktrees[READER])
            client.calm(chosen.settle)
            first = memory(client.process.pid)
            saves(client, found, HOT, chosen.saves, pause=0.02)
            client.calm(chosen.settle)
            later = memory(client.process.pid)
    setting = {"files": chosen.files, "worktrees": chosen.worktrees, "saves": chosen.saves}
    rows = [*_rows("after the start", first, plain.peak), *_rows("after the saves", later, plain.peak)]
    rows.append(Row("largest process of the plain way, peak RSS", plain.peak, "MB"))
    print_report("memory", setting, rows, plain, as_json=chosen.json)
    return 0


def _rows(when: str, found: Sequence[Memory], plain: float) -> list[Row]:
    total = sum(process.pss for process in found)
    gits = found[1:]
    return [
        Row(f"{when}: all, PSS", total, "MB", plain / total),
        Row(f"{when}: server, PSS", found[0].pss, "MB", note=f"RSS {found[0].rss:.0f} MB"),
        Row(f"{when}: {len(gits)} git processes, PSS", sum(process.pss for process in gits), "MB"),
    ]


if __name__ == "__main__":
    sys.exit(main())
