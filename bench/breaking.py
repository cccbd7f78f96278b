"""What looking for broken uses costs: the same server with and without it, side by side on one repository.

    python -m bench.breaking [--files N] [--worktrees N] [--saves N] [--rounds N] [--settle SECONDS] [--json]

A save of a file that 15 worktrees have changed, to its diagnostics, by turns of both servers; their memory after that;
and how long it takes from a save that removes a function in one worktree to `broken-use` where another one uses it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

from bench.client import Client, Message, initialize, running
from bench.plain import plain_way
from bench.processes import memory
from bench.report import Row, arguments, print_report, share, spread
from bench.repository import HOT, Repository, replace_file, repository
from bench.save import READER, saves
from tests.harness import git, write

TAKEN, USING = "core/taken.py", "core/using.py"
KEPT = "def kept():\n    return 1\n"
WHOLE = f"def wanted_by_others():\n    return 2\n\n\n{KEPT}"
USE = "from core.taken import wanted_by_others\n"


def main(given: Sequence[str] | None = None) -> int:
    parser = arguments(__doc__)
    parser.add_argument("--saves", type=int, default=80, help="how many saves (80)")
    parser.add_argument("--rounds", type=int, default=4, help="how many turns each of the two has (4)")
    chosen = parser.parse_args(given)
    times: dict[bool, list[float]] = {True: [], False: []}
    sizes: dict[bool, list[float]] = {True: [], False: []}
    with repository(chosen.keep, chosen.files, chosen.worktrees, chosen.seed) as found:
        plain = plain_way(found.every)
        for turn in range(chosen.rounds):
            for is_on in (turn % 2 == 0, turn % 2 == 1):
                with running({"SIDECAR_SESSION": "off"}) as client:
                    initialize(client, found.worktrees[READER], settings={"symbols": is_on})
                    client.calm(chosen.settle)
                    times[is_on] += saves(client, found, HOT, max(1, chosen.saves // chosen.rounds))
                    client.calm(chosen.settle)
                    sizes[is_on].append(memory(client.process.pid)[0].pss)
        with running() as client:
            initialize(client, found.worktrees[READER])
            client.calm(chosen.settle)
            told = breaking(client, found, chosen.saves)
    on, off = times[True], times[False]
    grown = min(sizes[True]) - min(sizes[False])
    rows = [
        *spread("write to diagnostics", on, plain.total),
        *spread("the same without", off, plain.total),
        *(Row(f"p{it}, with against without", share(on, it) / share(off, it), "x") for it in (50, 95)),
        *spread("write to broken-use", told, plain.total),
        Row("server, PSS, with", min(sizes[True]), "MB"),
        Row("more than without", grown, "MB"),
    ]
    setting = {"files": chosen.files, "worktrees": chosen.worktrees, "saves": len(on)}
    print_report("breaking", setting, rows, plain, as_json=chosen.json)
    return 0


def breaking(client: Client, found: Repository, count: int) -> list[float]:
    """Seconds from each save that takes a function away to the diagnostics of who uses it.

    Trunk gets the function, and two worktrees are made of it; all of that goes again at the end.
    """
    files = {TAKEN: WHOLE, USING: "X = 1\n"}
    reader, writer = found.root / "breaking-reader", found.root / "breaking-writer"
    times: list[float] = []
    write(found.main, files)
    git(found.main, "add", *files)
    git(found.main, "commit", "--quiet", "--message", "Something to take away", "--", *files)
    try:
        for place in (reader, writer):
            git(found.main, "worktree", "add", "--quiet", "-b", place.name, str(place))
        write(reader, {USING: USE})
        uri = client.open(reader / USING)
        for turn in range(-1, count):  # the first one shows that everything stands
            started = replace_file(writer / TAKEN, f"# {turn}\n{KEPT}")
            told = client.published(uri, partial(_says, is_broken=True))
            times += [told - started] if turn >= 0 else []
            replace_file(writer / TAKEN, WHOLE)
            client.published(uri, partial(_says, is_broken=False))
    finally:
        for place in (reader, writer):
            git(found.main, "worktree", "remove", "--force", str(place))
            git(found.main, "branch", "--quiet", "-D", place.name)
        git(found.main, "reset", "--quiet", "--soft", "HEAD^")
        git(found.main, "rm", "--quiet", "-f", *files)
    return times


def _says(params: Message, *, is_broken: bool) -> bool:
    return any(one.get("code") == "broken-use" for one in params["diagnostics"]) is is_broken


if __name__ == "__main__":
    sys.exit(main())
