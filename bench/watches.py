"""How many watches the server takes, with 50,000 ignored files in one of the worktrees.

    python -m bench.watches [--files N] [--worktrees N] [--ignored N] [--settle SECONDS] [--keep DIR] [--json]

Counts what the kernel says that the server holds (proc(5), fdinfo), and looks each watch's directory up. The plain way
is to watch every directory. Then writes into ignored files, and counts what that costs.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.client import initialize, running
from bench.processes import cpu_seconds, inodes_below, watched_inodes
from bench.report import Row, arguments, print_report
from bench.repository import repository

IGNORED = "node_modules"
FILES_A_DIRECTORY = 16
REWRITTEN = 5000


def main(given: Sequence[str] | None = None) -> int:
    parser = arguments(__doc__, worktrees=5)
    parser.add_argument("--ignored", type=int, default=50_000, help="ignored files (50000)")
    chosen = parser.parse_args(given)
    with (
        repository(chosen.keep, chosen.files, chosen.worktrees, chosen.seed) as found,
        ignored_files(found.main, found.worktrees[0], chosen.ignored) as files,
    ):
        kept_out = set(inodes_below(found.worktrees[0] / IGNORED))
        every = [inode for worktree in found.every for inode in inodes_below(worktree)]
        with running() as client:
            initialize(client, found.worktrees[0])
            client.calm(chosen.settle)
            watched = watched_inodes(client.process.pid)
            before = cpu_seconds(client.process.pid)
            for file in files[:REWRITTEN]:
                file.write_text("rewritten\n")
            client.calm(chosen.settle)
            cpu = cpu_seconds(client.process.pid) - before
    setting = {"files": chosen.files, "worktrees": chosen.worktrees, "ignored files": len(files)}
    rows = [
        Row("watches", len(watched), "", len(every) / len(watched)),
        Row("watches in ignored directories", sum(inode in kept_out for inode in watched), ""),
        Row("ignored directories", len(kept_out), ""),
        Row("directories, ignored ones and git's included", len(every), ""),
        Row(f"CPU while {min(REWRITTEN, len(files))} ignored files are written", cpu * 1000, "ms"),
    ]
    print_report("watches", setting, rows, None, as_json=chosen.json)
    return 0


@contextmanager
def ignored_files(main: Path, worktree: Path, count: int) -> Iterator[list[Path]]:
    """Fill an ignored directory of a worktree, in the shape of `npm install`'s; it is gone afterwards."""
    exclude = main / ".git/info/exclude"
    before = exclude.read_text()
    place = worktree / IGNORED
    shutil.rmtree(place, ignore_errors=True)
    try:
        exclude.write_text(f"{before}{IGNORED}/\n")
        files = []
        for number in range(count):
            package, part = divmod(number, FILES_A_DIRECTORY)
            folder = place / f"package-{package // 4}" / f"part-{package % 4}"
            if not part:
                os.makedirs(folder)
            files.append(folder / f"{part}.js")
            files[-1].write_text(f"module.exports = {number};\n")
        yield files
    finally:
        shutil.rmtree(place, ignore_errors=True)
        exclude.write_text(before)


if __name__ == "__main__":
    sys.exit(main())
