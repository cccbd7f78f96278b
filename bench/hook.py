"""What an agent waits for with each call of the hook, beside starting Python for nothing: wall and CPU.

    python -m bench.hook [--files N] [--worktrees N] [--calls N] [--keep DIR] [--json]

Every worktree has changed the hot file.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.client import initialize, running
from bench.processes import PLACES
from bench.report import Row, arguments, print_report, share
from bench.repository import HOT, repository, showing
from tests.harness import environment

HOOK = ("-m", "sidecar", "hook", "--client", "claude")


def main(given: Sequence[str] | None = None) -> int:
    parser = arguments(__doc__, worktrees=10)
    parser.add_argument("--calls", type=int, default=40, help="how many calls of each kind (40)")
    chosen = parser.parse_args(given)
    with (
        repository(chosen.keep, chosen.files, chosen.worktrees, chosen.seed) as whole,
        showing(whole, chosen.worktrees) as found,
    ):
        here = found.worktrees[0]
        alone = next(path for path in sorted(here.rglob("*")) if path.is_file() and path != here / HOT)
        kinds = {
            "python -c pass": (("-c", "pass"), b""),
            "a read": (HOOK, payload(here, "Read", here / HOT)),
            "an edit of a file that nobody else has changed": (HOOK, payload(here, "Edit", alone)),
            "an edit of the hot file": (HOOK, payload(here, "Edit", here / HOT)),
        }
        rows: list[Row] = []
        for kind, (command, raw) in kinds.items():
            rows += measure(kind, here, command, raw, chosen.calls)
        with running() as client:
            initialize(client, here)
            client.calm(chosen.settle)
            for kind, (command, raw) in list(kinds.items())[2:]:
                rows += measure(f"{kind}, with a session", here, command, raw, chosen.calls)
    setting = {"files": chosen.files, "worktrees": chosen.worktrees, "calls": chosen.calls}
    print_report("hook", setting, rows, None, as_json=chosen.json)
    return 0


def payload(worktree: Path, tool: str, path: Path) -> bytes:
    """What Claude Code sends after a tool."""
    common = {"session_id": "S", "transcript_path": "/t", "cwd": str(worktree), "hook_event_name": "PostToolUse"}
    return json.dumps({**common, "tool_name": tool, "tool_input": {"file_path": str(path)}}).encode()


def measure(kind: str, folder: Path, command: Sequence[str], raw: bytes, calls: int) -> list[Row]:
    """Median and 95 % of the wall time of so many calls, and the CPU that one takes with all its children."""
    seconds = []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(calls):
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, *command],
            cwd=folder,
            env=environment() | PLACES,
            input=raw,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        seconds.append(time.perf_counter() - start)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / calls
    return [
        Row(f"{kind}, wall, p50", share(seconds, 50) * 1000, "ms"),
        Row(f"{kind}, wall, p95", share(seconds, 95) * 1000, "ms"),
        Row(f"{kind}, CPU", cpu * 1000, "ms"),
    ]


if __name__ == "__main__":
    sys.exit(main())
