"""What the guard costs: when it starts, of one keeping after a save, and in the object store while somebody edits.

    python -m bench.guard [--files N] [--worktrees N] [--keepings N] [--minutes N] [--keep DIR] [--json]

A session with a guard runs in this process. CPU is that of the guard's own thread and of the git that moves its refs;
processes are those that this thread starts.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.report import Row, arguments, print_report
from bench.repository import Repository, replace_file, repository
from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.guard.keeping import Guard, Tell, open_guard
from sidecar.session.live import Session, open_session
from tests.harness import environment, git

PAUSE = 1.0
"""Seconds between two edits while the store grows."""

SECONDS = 300.0
"""How long anything may take."""


@dataclass
class Running:
    """A session and its guard; `started` are the processes that the guard's thread has started."""

    session: Session
    guard: Guard
    began: float
    started: list[str] = field(default_factory=list)

    def cpu(self) -> float:
        """Seconds of CPU of the guard's thread and of the git that moves its refs."""
        threads = [thread for thread in threading.enumerate() if thread.name == "sidecar-guard"]
        tasks = [Path(f"/proc/self/task/{thread.native_id}/schedstat") for thread in threads]
        seconds = sum(int(task.read_text().split()[0]) for task in tasks) / 1e9
        for child in psutil.Process().children():
            if "update-ref" in child.cmdline():
                seconds += sum(int(task.read_text().split()[0]) / 1e9 for task in _tasks(child.pid))
        return seconds


def main(given: Sequence[str] | None = None) -> int:
    """Measure and print it."""
    parser = arguments(__doc__)
    parser.add_argument("--keepings", type=int, default=10, help="how many saves whose keeping is measured (10)")
    parser.add_argument("--minutes", type=float, default=0.5, help="minutes of an edit a second (0.5)")
    chosen = parser.parse_args(given)
    with repository(chosen.keep, chosen.files, chosen.worktrees, chosen.seed) as found:
        os.environ.update(environment())
        try:
            rows = _measure(found, chosen.keepings, chosen.minutes * 60, chosen.settle)
        finally:
            _forget(found)
    setting = {"files": chosen.files, "worktrees": chosen.worktrees, "minutes": chosen.minutes}
    print_report("guard", setting, rows, None, as_json=chosen.json)
    return 0


def _measure(found: Repository, keepings: int, seconds: float, settle: float) -> list[Row]:
    _forget(found)
    size = _size(found)
    with _running(found) as running:
        _until(lambda: len(_tips(found)) == len(found.every))
        rows = [
            Row("all worktrees kept after the start", time.monotonic() - running.began, "s"),
            Row("CPU of that", running.cpu() * 1000, "ms", note=f"{len(found.every)} worktrees"),
            Row("growth of the object store by that", (_size(found) - size) / 1000, "kB"),
        ]
        _calm(settle)
        rows += _keepings(found, running, keepings)
        rows += _growth(found, running, seconds)
    return rows


def _keepings(found: Repository, running: Running, count: int) -> list[Row]:
    """Saves, each kept before the next one."""
    path = found.worktrees[0] / git(found.worktrees[0], "ls-files", "*.py").splitlines()[0]
    text = path.read_text(encoding="utf-8")
    costs, started, peak = [], len(running.started), _peak()
    for number in range(count):
        before, cpu = _tips(found), running.cpu()
        replace_file(path, f"# keeping {number}\n{text}")
        _until(lambda before=before: _tips(found) != before)  # type: ignore[misc]
        time.sleep(PAUSE)
        costs.append(running.cpu() - cpu)
        time.sleep(PAUSE * 3)
    replace_file(path, text)
    return [
        Row("CPU of a keeping, p50", statistics.median(costs) * 1000, "ms", note=f"{count} keepings"),
        Row("CPU of a keeping, most", max(costs) * 1000, "ms"),
        Row("processes started by them", float(len(running.started) - started), ""),
        Row("growth of the process by them", _peak() - peak, "MB"),
    ]


def _growth(found: Repository, running: Running, seconds: float) -> list[Row]:
    """An edit a second in one worktree."""
    worktree = found.worktrees[1]
    paths = git(worktree, "ls-files", "*.py").splitlines()[:20]
    texts = {path: (worktree / path).read_text(encoding="utf-8") for path in paths}
    size, loose, cpu, edits = _size(found), _loose(found), running.cpu(), 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        path = paths[edits % len(paths)]
        replace_file(worktree / path, f"# edit {edits}\n{texts[path]}")
        edits += 1
        time.sleep(PAUSE)
    used, grown, more = running.cpu() - cpu, _size(found) - size, _loose(found) - loose
    for path, text in texts.items():
        replace_file(worktree / path, text)
    git(found.main, "gc", "--quiet", "--prune=now")
    before = _size(found)
    states = int(git(found.main, "rev-list", "--count", "--author=Worktree Sidecar", "--glob=refs/sidecar/guard"))
    _forget(found)
    git(found.main, "gc", "--quiet", "--prune=now")
    return [
        Row("CPU while somebody edits", used / seconds * 100, "%", note="of one core"),
        Row("growth of the object store", grown / 1000, "kB", note=f"{edits} edits, {more} loose objects"),
        Row("the same after git gc", (before - _size(found)) / 1000, "kB", note=f"{states} commits of all worktrees"),
    ]


@contextmanager
def _running(found: Repository) -> Iterator[Running]:
    began = time.monotonic()
    session = open_session(found.main, Options(trusted=True), lambda _picture: None)
    assert not isinstance(session, Failure), session
    guard = open_guard(session, Tell())
    running = Running(session, guard, began)

    def note(event: str, values: tuple[object, ...]) -> None:
        if event == "subprocess.Popen" and threading.current_thread().name == "sidecar-guard":
            running.started.append(str(values[1]))

    sys.addaudithook(note)
    try:
        yield running
    finally:
        guard.close()
        session.close()


def _calm(seconds: float) -> None:
    """Wait until this process rests."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        before = time.process_time()
        time.sleep(PAUSE * 2)
        if time.process_time() - before < 0.02:
            return


def _tips(found: Repository) -> dict[str, str]:
    """What each ref of the guard holds, read without git."""
    folder = found.main / ".git/refs/sidecar/guard"
    return {str(path): path.read_text() for path in folder.glob("*/*") if not path.name.endswith(".lock")}


def _forget(found: Repository) -> None:
    """Take the guard's own things out of the repository."""
    refs = git(found.main, "for-each-ref", "--format=delete %(refname)", "refs/sidecar")
    git(found.main, "update-ref", "--stdin", input=refs + "\n" if refs else "")
    shutil.rmtree(found.main / ".git/sidecar", ignore_errors=True)


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end, "It did not come about."
        time.sleep(0.02)


def _size(found: Repository) -> int:
    objects = found.main / ".git/objects"
    return sum(path.stat().st_blocks * 512 for path in objects.rglob("*") if path.is_file())


def _loose(found: Repository) -> int:
    return sum(1 for _ in (found.main / ".git/objects").glob("??/*"))


def _peak() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _tasks(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/task").glob("*/schedstat"))


if __name__ == "__main__":
    sys.exit(main())
