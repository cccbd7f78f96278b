"""How long the proof and the release of a worktree take against `git worktree remove --force`, in the same run.

Both remove the same worktree: tracked files, and an ignored `node_modules`. Git's removal proves and keeps nothing.
Before each everything is on the disk, as files are that were not written a moment ago.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.report import Row, arguments, print_report, share
from bench.repository import repository
from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.records import is_swept
from sidecar.operations.release.apply import apply_release
from sidecar.operations.release.plan import plan_release
from sidecar.operations.restore import restore
from tests.harness import environment, git

IN_A_FOLDER = 100
"""Files in each directory of the `node_modules`."""

LONGEST = 600.0
"""Seconds that a deletion may take."""


def main(given: Sequence[str]) -> int:
    """Measure and print it."""
    parser = arguments(__doc__, worktrees=1)
    parser.add_argument("--ignored", type=int, default=50_000, help="files in node_modules (50,000)")
    parser.add_argument("--releases", type=int, default=3, help="releases of each kind (3)")
    chosen = parser.parse_args(given)
    with (
        repository(chosen.keep, chosen.files, chosen.worktrees, chosen.seed) as found,
        tempfile.TemporaryDirectory(prefix="sidecar-bench-") as passing,
    ):
        os.environ.update(environment() | {"XDG_CACHE_HOME": f"{passing}/cache"})
        rows = _measure(found.main, Path(passing), chosen.releases, chosen.ignored)
    setting = {"files": chosen.files, "ignored files": chosen.ignored, "releases": chosen.releases}
    print_report("release", setting, rows, None, as_json=chosen.json)
    return 0


def _measure(source: Path, place: Path, releases: int, ignored: int) -> list[Row]:
    trunk, branch = place / "trunk", place / "feat"
    git(place, "clone", "-q", "--shared", "--no-tags", str(source), str(trunk))
    git(trunk, "config", "gc.auto", "0")
    (trunk / ".git/info/exclude").write_text("node_modules/\n.env\n")
    plain: list[float] = []
    plans: list[float] = []
    applies: list[float] = []
    behind: list[float] = []
    restores: list[float] = []
    for _ in range(releases):
        _add(trunk, branch, ignored)
        start = time.perf_counter()
        git(trunk, "worktree", "remove", "--force", str(branch))
        plain.append(time.perf_counter() - start)
        git(trunk, "branch", "-q", "-D", "feat")
        _add(trunk, branch, ignored)
        start = time.perf_counter()
        plan = plan_release(trunk, "feat", Options())
        assert not isinstance(plan, Failure), plan
        planned = time.perf_counter()
        result = apply_release(plan)
        end = time.perf_counter()
        assert result.outcome == "released", result
        assert result.receipt is not None
        behind.append(_wait_until_deleted(trunk) - planned)
        start_again = time.perf_counter()
        back = restore(trunk, result.receipt, Options())
        assert not isinstance(back, Failure), back
        assert back.outcome == "restored", back
        restores.append(time.perf_counter() - start_again)
        plans.append(planned - start)
        applies.append(end - planned)
        git(trunk, "worktree", "remove", "--force", str(branch))
        git(trunk, "branch", "-q", "-D", "feat")
    middle = share(plain, 50)
    whole = share([one + two for one, two in zip(plans, applies, strict=True)], 50)
    return [
        Row("git worktree remove --force, p50", middle, "s"),
        Row("proof, p50", share(plans, 50), "s"),
        Row("release, p50", share(applies, 50), "s", note=f"with the proof {whole / middle:.1f} times git's removal"),
        Row("until all is deleted, p50", share(behind, 50), "s", note="a process that nobody waits for does the rest"),
        Row("restore, p50", share(restores, 50), "s"),
    ]


def _wait_until_deleted(trunk: Path) -> float:
    """When nothing of the released worktree waits to be deleted any more."""
    deadline = time.monotonic() + LONGEST
    while not is_swept(trunk / ".git/sidecar"):
        assert time.monotonic() < deadline, "It is not deleted."
        time.sleep(0.01)
    return time.perf_counter()


def _add(trunk: Path, branch: Path, ignored: int) -> None:
    git(trunk, "worktree", "add", "-q", "-b", "feat", str(branch))
    (branch / ".env").write_text("SECRET=1\n")
    for number in range(ignored):
        folder = branch / "node_modules" / f"package-{number // IN_A_FOLDER}"
        if number % IN_A_FOLDER == 0:
            folder.mkdir(parents=True)
        (folder / f"{number}.js").write_text("module.exports = 1\n")
    os.sync()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
