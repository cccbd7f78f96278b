"""What the guard costs while somebody edits: growth of the object store, and the CPU of all its threads and gits.

A session with a guard runs in this process. What it takes without one is measured first, over the same edits.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.report import Row, arguments, print_report
from bench.repository import repository
from sidecar.model.findings import Failure
from sidecar.model.picture import Picture
from sidecar.operations.guard.keeping import open_guard
from sidecar.session.live import open_session
from sidecar.session.sources import Options
from tests.harness import environment, git

PAUSE = 1.0
"""Seconds between two edits."""


def main(given: Sequence[str]) -> int:
    """Measure and print it."""
    parser = arguments(__doc__, worktrees=2)
    parser.add_argument("--minutes", type=float, default=0.5, help="minutes of edits, of each kind (0.5)")
    chosen = parser.parse_args(given)
    with (
        repository(chosen.keep, chosen.files, chosen.worktrees, chosen.seed) as found,
        tempfile.TemporaryDirectory(prefix="sidecar-bench-") as passing,
    ):
        os.environ.update(environment() | {"XDG_CACHE_HOME": f"{passing}/cache"})
        rows = _measure(found.main, Path(passing), chosen.minutes * 60)
    print_report("guard", {"files": chosen.files, "minutes": chosen.minutes}, rows, None, as_json=chosen.json)
    return 0


def _measure(source: Path, place: Path, seconds: float) -> list[Row]:
    trunk, branch = place / "trunk", place / "feat"
    git(place, "clone", "-q", "--shared", "--no-tags", str(source), str(trunk))
    git(trunk, "config", "gc.auto", "0")
    git(trunk, "worktree", "add", "-q", "-b", "feat", str(branch))
    alone, _ = _edit(trunk, branch, seconds, guarded=False)
    before = _size(trunk)
    both, edits = _edit(trunk, branch, seconds, guarded=True)
    kept = git(trunk, "for-each-ref", "refs/sidecar/guard").count("\n") + 1
    return [
        Row("CPU without the guard", alone / seconds * 100, "%"),
        Row("CPU with the guard", both / seconds * 100, "%", note="of one core"),
        Row("growth of the object store", (_size(trunk) - before) / 1000, "kB", note=f"{edits} edits"),
        Row("worktrees kept", float(kept), ""),
    ]


def _edit(trunk: Path, branch: Path, seconds: float, *, guarded: bool) -> tuple[float, int]:
    """(seconds of CPU, edits) of so many seconds, in which a file is edited again and again."""
    guard = open_guard(trunk, Options(), lambda _vanished: None) if guarded else None

    def see(picture: Picture) -> None:
        if guard is not None:
            guard.see(picture)

    session = open_session(trunk, Options(), see)
    assert not isinstance(session, Failure), session
    paths = git(branch, "ls-files", "*.py").splitlines()[:20]
    begun, edits = _cpu(), 0
    end = time.monotonic() + seconds
    while time.monotonic() < end or (guarded and not git(trunk, "for-each-ref", "refs/sidecar/guard")):
        path = branch / paths[edits % len(paths)]
        path.write_text(f"# edit {edits}, {guarded}\n" + path.read_text())
        edits += 1
        time.sleep(PAUSE)
    session.close()
    if guard is not None:
        guard.close()
    return _cpu() - begun, edits


def _cpu() -> float:
    """Seconds of CPU of this process and of all that it started and that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _size(trunk: Path) -> int:
    objects = trunk / ".git/objects"
    return sum(path.stat().st_blocks * 512 for path in objects.rglob("*") if path.is_file())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
