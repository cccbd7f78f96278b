"""How much memory the server and its git processes hold, after the start and after many saves.

    python -m bench.memory [--files N] [--worktrees N] [--saves N] [--settle SECONDS] [--keep DIR] [--json]

What several processes share is shared out among them (PSS), so that the numbers add up. The watches that the kernel
holds for inotify are not in it. The saves are here and there: each gives another line to a random file that a random
worktree has changed.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.client import initialize, running
from bench.plain import plain_way
from bench.processes import Memory, memory
from bench.report import Row, arguments, print_report
from bench.repository import Repository, replace_file, repository
from bench.save import READER
from tests.harness import git

PAUSE = 0.03
"""Seconds between two saves."""


def main(given: Sequence[str] | None = None) -> int:
    parser = arguments(__doc__)
    parser.add_argument("--saves", type=int, default=1000, help="how many saves before the second look (1000)")
    chosen = parser.parse_args(given)
    with repository(chosen.keep, chosen.files, chosen.worktrees, chosen.seed) as found:
        plain = plain_way(found.every)
        with running() as client:
            initialize(client, found.worktrees[READER])
            client.calm(chosen.settle)
            first = memory(client.process.pid)
            with putting_back(found) as texts:
                chance = random.Random(chosen.seed)
                for turn in range(chosen.saves):
                    _save(chance, texts, turn)
                    client.pause(PAUSE)
                client.calm(chosen.settle)
                later = memory(client.process.pid)
    setting = {"files": chosen.files, "worktrees": chosen.worktrees, "saves": chosen.saves}
    rows = [*_rows("after the start", first, plain.peak), *_rows("after the saves", later, plain.peak)]
    rows.append(Row("largest process of the plain way, peak RSS", plain.peak, "MB"))
    print_report("memory", setting, rows, plain, as_json=chosen.json)
    return 0


@contextmanager
def putting_back(found: Repository) -> Iterator[dict[Path, str]]:
    """The texts of all files that worktrees have changed; they are there again at the end."""
    changed = ((place, git(place, "diff", "--name-only", "--diff-filter=M", "main")) for place in found.worktrees)
    paths = [place / name for place, names in changed for name in names.splitlines()]
    texts = {path: path.read_text(encoding="utf-8") for path in paths}
    try:
        yield dict(texts)
    finally:
        for path, text in texts.items():
            replace_file(path, text)


def _save(chance: random.Random, texts: dict[Path, str], turn: int) -> None:
    path = chance.choice(list(texts))
    lines = texts[path].splitlines()
    lines[chance.randrange(len(lines))] = f"# changed in turn {turn}"
    texts[path] = "\n".join(lines) + "\n"
    replace_file(path, texts[path])


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
