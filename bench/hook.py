"""What an agent waits for with each call of the hook, and with a command, beside starting Python for nothing.

    python -m bench.hook [--files N] [--worktrees N] [--calls N] [--cold N] [--beside SIDECAR] [--peer COMMAND] [--json]

Every worktree has changed the hot file. `--beside` names the
command of another build, `--peer` a command line of another tool, which gets the same call of the client after an edit
of the hot file. Every kind of call is made in turn, so that all of them find the machine alike.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.client import COMMAND, initialize, running
from bench.processes import PLACES
from bench.report import Row, arguments, print_report, share
from bench.repository import HOT, Repository, repository, showing
from tests.harness import environment

Calls = Mapping[str, tuple[Sequence[str | Path], bytes]]
"""Commands with what they get on standard input, by what they are."""
BARE = "python -c pass"
STATUS = "git status of that file in each worktree"
SCRIPT = """
git worktree list --porcelain | sed -n 's/^worktree //p' | while read -r folder
do git -C "$folder" status --porcelain -- "$1"
done
"""
"""What a hook of one's own would run: it says who has changed the file, and not where or how they meet."""


def main(given: Sequence[str] | None = None) -> int:
    parser = arguments(__doc__, worktrees=10)
    parser.add_argument("--calls", type=int, default=40, help="how many calls of each kind (40)")
    parser.add_argument("--cold", type=int, default=10, help="how many of them without a session (10)")
    parser.add_argument("--beside", type=Path, help="the command `sidecar` of another build")
    parser.add_argument("--peer", help="a command line of another tool, for the same edit")
    chosen = parser.parse_args(given)
    builds = {"": Path(COMMAND[0])} | ({"before: ": chosen.beside} if chosen.beside else {})
    with (
        repository(chosen.keep, chosen.files, chosen.worktrees, chosen.seed) as whole,
        showing(whole, chosen.worktrees) as found,
        ExitStack() as windows,
    ):
        calls: dict[str, tuple[Sequence[str | Path], bytes]] = {
            BARE: ((sys.executable, "-c", "pass"), b""),
            STATUS: (("sh", "-c", SCRIPT, "sh", HOT), b""),
        }
        if chosen.peer:
            calls[chosen.peer] = (
                shlex.split(chosen.peer),
                payload(found.worktrees[0], "Edit", found.worktrees[0] / HOT),
            )
        for name, sidecar in builds.items():
            calls |= {f"{name}{kind}": call for kind, call in calls_of(sidecar, found).items()}
        rows = [*measure("", calls, found.worktrees[0], max(1, chosen.cold))]
        for sidecar in builds.values():
            client = windows.enter_context(running(command=(str(sidecar), "serve")))
            initialize(client, found.worktrees[0])
            client.calm(chosen.settle)
        rows += measure(", with a session", calls, found.worktrees[0], chosen.calls)
    setting = {"files": chosen.files, "worktrees": chosen.worktrees, "calls": chosen.calls, "cold": chosen.cold}
    print_report("hook", setting, rows, None, as_json=chosen.json)
    return 0


def calls_of(sidecar: Path, found: Repository) -> dict[str, tuple[Sequence[str | Path], bytes]]:
    """What is called of one build."""
    here = found.worktrees[0]
    alone = next(path for path in sorted(here.rglob("*")) if path.is_file() and path != here / HOT)
    hook = (sidecar, "hook", "--client", "claude")
    return {
        "a read": (hook, payload(here, "Read", here / HOT)),
        "an edit of a file that nobody else has changed": (hook, payload(here, "Edit", alone)),
        "an edit of the hot file": (hook, payload(here, "Edit", here / HOT)),
        "sidecar check --json": ((sidecar, "check", "--json", HOT), b""),
        "sidecar check": ((sidecar, "check", HOT), b""),
        "sidecar status --json": ((sidecar, "status", "--json"), b""),
        "sidecar status": ((sidecar, "status"), b""),
    }


def payload(worktree: Path, tool: str, path: Path) -> bytes:
    """What Claude Code sends after a tool."""
    common = {"session_id": "S", "transcript_path": "/t", "cwd": str(worktree), "hook_event_name": "PostToolUse"}
    return json.dumps({**common, "tool_name": tool, "tool_input": {"file_path": str(path)}}).encode()


def measure(where: str, calls: Calls, folder: Path, count: int) -> Iterator[Row]:
    """Median and 95 % of the wall time of so many calls of each kind, and the CPU that one takes with its children."""
    wall: dict[str, list[float]] = {kind: [] for kind in calls}
    cpu = dict.fromkeys(calls, 0.0)
    for turn in range(-1, count):  # the first brings everything into the cache
        for kind, (command, raw) in calls.items():
            seconds, used = _call(command, raw, folder)
            if turn >= 0:
                wall[kind].append(seconds)
                cpu[kind] += used / count
    for kind in calls:
        for percent in (50, 95):
            value = share(wall[kind], percent)
            note = "" if kind == BARE else f"{value / share(wall[BARE], percent):.1f} times bare Python"
            yield Row(f"{kind}{where}, wall, p{percent}", value * 1000, "ms", note=note)
        yield Row(f"{kind}{where}, CPU", cpu[kind] * 1000, "ms")


def _call(command: Sequence[str | Path], raw: bytes, folder: Path) -> tuple[float, float]:
    """Seconds of wall and of CPU of one call."""
    start = time.perf_counter()
    with subprocess.Popen(
        command, cwd=folder, env=environment() | PLACES, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as process:
        assert process.stdin is not None
        process.stdin.write(raw)
        process.stdin.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 2):
        raise OSError(f"{command} exited with {process.returncode}.")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.exit(main())
