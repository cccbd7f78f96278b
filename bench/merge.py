"""How long a merge takes against a plain `git merge`, and for how long of it trunk's checkout is touched.

Both merge the same branch, one after the other, and are taken back each time. Nothing is verified. The plain merge is
what the sidecar would be without its promise: it works in trunk's checkout from its beginning to its end.

Then merges are verified, with a virtual environment that has to be there: in the landing worktree, which stays from
merge to merge, and in one that is made anew each time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from bench.report import Row, arguments, print_report, share
from bench.repository import repository
from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.merge.apply import apply_merge
from sidecar.operations.merge.plan import plan_merge
from sidecar.operations.merge.run import MergeChoices, MergeResult
from sidecar.operations.merge.undo import undo_merge
from sidecar.operations.run import Control
from tests.harness import GitFailedError, environment, git, write

CHANGED = 40
"""Files that the branch changes."""


def main(given: Sequence[str]) -> int:
    """Measure and print it."""
    parser = arguments(__doc__, worktrees=1)
    parser.add_argument("--merges", type=int, default=5, help="merges of each kind (5)")
    chosen = parser.parse_args(given)
    with (
        repository(chosen.keep, chosen.files, chosen.worktrees, chosen.seed) as found,
        tempfile.TemporaryDirectory(prefix="sidecar-bench-") as passing,
    ):
        os.environ.update(environment() | {"XDG_CACHE_HOME": f"{passing}/cache"})
        trunk, branch = _worktrees(found.main, Path(passing))
        rows = [*_measure(trunk, chosen.merges), *_measure_verified(trunk, chosen.merges)]
        shutil.rmtree(branch)
    setting = {"files": chosen.files, "files changed": CHANGED, "merges": chosen.merges}
    print_report("merge", setting, rows, None, as_json=chosen.json)
    return 0


def _worktrees(source: Path, place: Path) -> tuple[Path, Path]:
    """A repository on the same objects: trunk's checkout, and a worktree with a commit that changes files."""
    trunk, branch = place / "trunk", place / "feat"
    git(place, "clone", "-q", "--shared", "--no-tags", str(source), str(trunk))
    git(trunk, "remote", "remove", "origin")
    for key, value in {"gc.auto": "0", "user.name": "Bench", "user.email": "bench@example.com"}.items():
        git(trunk, "config", key, value)
    git(trunk, "worktree", "add", "-q", "--no-checkout", "-b", "feat", str(branch))
    tops = sorted(one for one in trunk.iterdir() if one.name != ".git")
    subprocess.run(["cp", "-al", "-t", str(branch), "--", *map(str, tops)], check=True)
    git(branch, "read-tree", "HEAD")
    paths = git(branch, "ls-files", "*.py").splitlines()
    for path in paths[:: max(1, len(paths) // CHANGED)][:CHANGED]:
        text = (branch / path).read_text(encoding="utf-8")
        (branch / path).unlink()  # it is a hard link
        write(branch, {path: f"# changed\n{text}"})
    git(branch, "commit", "-q", "-a", "-m", "Change files")
    for folder in (trunk, branch):
        with suppress(GitFailedError):
            git(folder, "update-index", "-q", "--refresh")
    return trunk, branch


def _measure(trunk: Path, merges: int) -> list[Row]:
    before = git(trunk, "rev-parse", "HEAD")
    plain: list[float] = []
    plans: list[float] = []
    applies: list[float] = []
    landings: list[float] = []
    for _ in range(merges):
        start = time.perf_counter()
        git(trunk, "merge", "-q", "--no-ff", "-m", "Merge", "feat")
        plain.append(time.perf_counter() - start)
        git(trunk, "reset", "-q", "--keep", before)
        stages: dict[str, float] = {}
        start = time.perf_counter()
        plan = plan_merge(trunk, "feat", Options())
        assert not isinstance(plan, Failure), plan
        planned = time.perf_counter()
        result = apply_merge(plan, Control(stage=partial(_note, stages)))
        end = time.perf_counter()
        assert result.outcome == "merged", result
        plans.append(planned - start)
        applies.append(end - planned)
        landings.append(stages["Cleaning"] - stages["Moving"])
        _take_back(trunk, result, before)
    middle = share(plain, 50)
    said = "trunk's checkout is touched within this only"
    return [
        Row("plain git merge, p50", middle, "s"),
        Row("plan, p50", share(plans, 50), "s"),
        Row("apply, p50", share(applies, 50), "s", note=f"{share(applies, 50) / middle:.1f} times a plain git merge"),
        Row("of it the landing stage, p50", share(landings, 50), "s", note=said),
    ]


def _measure_verified(trunk: Path, merges: int) -> list[Row]:
    """Verified merges: `sidecar.landingLimit` decides what stays; a message of its own has none pass as known."""
    before = git(trunk, "rev-parse", "HEAD")
    git(trunk, "config", "sidecar.prepare", "python3 -m venv .venv")
    taken: dict[str, list[float]] = {}
    for kept, limit in (("kept", "10240"), ("anew", "0")):
        git(trunk, "config", "sidecar.landingLimit", limit)
        for number in range(merges + 1):
            start = time.perf_counter()
            verify = f".venv/bin/python -c 'import json; {number}'  # {kept}"
            plan = plan_merge(trunk, "feat", Options(), MergeChoices(verify=verify))
            assert not isinstance(plan, Failure), plan
            result = apply_merge(plan)
            if number:  # the first one has nothing that was kept
                taken.setdefault(kept, []).append(time.perf_counter() - start)
            assert result.outcome == "merged", result
            _take_back(trunk, result, before)
    anew = share(taken["anew"], 50)
    said = f"{anew / share(taken['kept'], 50):.1f} times faster"
    return [
        Row("verified in a landing worktree made anew, p50", anew, "s"),
        Row("verified in the one that is kept, p50", share(taken["kept"], 50), "s", note=said),
    ]


def _take_back(trunk: Path, result: MergeResult, before: str) -> None:
    assert result.receipt is not None
    undone = undo_merge(trunk, result.receipt, Options())
    assert not isinstance(undone, Failure), undone
    assert git(trunk, "rev-parse", "HEAD") == before


def _note(stages: dict[str, float], sentence: str) -> None:
    stages[sentence.partition(" ")[0]] = time.perf_counter()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
