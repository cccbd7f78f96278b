"""A release, a restoration or a move that ends itself by SIGKILL at its n-th step, in a process of its own.

`python -m tests.harness.ending release|restore|move|recover FOLDER ARGUMENT POINT [every]`; steps are
writes of the journal, with `every` also moves, deletions and git's writing of refs, each once before and once after. A
point beyond the last lets it end.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sidecar.model.findings import Failure
from sidecar.operations import journal, moving, moving_files
from sidecar.operations.guard import records
from sidecar.operations.recovery import recover_all
from sidecar.operations.release import steps, sweeping
from sidecar.operations.release.apply import apply_release
from sidecar.operations.release.plan import plan_release
from sidecar.operations.restore import restore
from sidecar.session.sources import Options

HOUSE = Path(__file__).resolve().parent.parent.parent
ALLOWED = frozenset({"uncommitted", "untracked", "not-integrated", "unreachable-commits"})


def run_and_end(what: str, folder: Path, argument: str, point: int, *, every: bool = False) -> bool:
    """Whether it was ended at this point; False when it had fewer."""
    command = [sys.executable, "-m", "tests.harness.ending", what, str(folder), argument, str(point)]
    command += ["every"] if every else []
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


def _count(function: Callable[..., Any], passing: Callable[[], None]) -> Callable[..., Any]:
    def counted(*args: Any, **kwargs: Any) -> Any:
        passing()
        answer = function(*args, **kwargs)
        passing()
        return answer

    return counted


def _main(what: str, folder: str, argument: str, point: str, every: str = "") -> None:
    left = int(point)

    def passing() -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    places: list[tuple[Any, str]] = [(journal, "_write"), (journal, "finish")]
    others: list[tuple[Any, str]] = [
        (os, "rename"),
        (shutil, "rmtree"),
        (steps, "run"),
        (steps, "run_for_status"),
        (steps, "write_receipt"),
        (steps, "delete_inside"),
        (steps, "set_aside"),
        (steps, "thin"),
        (sweeping, "_sweep"),
        (sweeping, "_delete_below"),
        (records, "run"),
        (moving, "act"),
        (moving_files, "_give"),
    ]
    if what == "move":
        others += [(os, "replace"), (os, "unlink")]
    for module, name in (*places, *(others if every else ())):
        setattr(module, name, _count(getattr(module, name), passing))
    options = Options()
    if what == "release":
        plan = plan_release(Path(folder), argument, options, ALLOWED)
        assert not isinstance(plan, Failure), plan
        result = apply_release(plan)
        assert result.outcome == "released", result
    elif what == "move":
        move = moving.plan_move(Path(folder), argument, options)
        assert not isinstance(move, Failure), move
        moved = moving.apply_move(move)
        assert moved.outcome == "opened", moved
    elif what == "restore":
        back = restore(Path(folder), argument, options)
        assert not isinstance(back, Failure), back
        assert back.outcome == "restored", back
    else:
        recover_all(Path(folder))


if __name__ == "__main__":
    _main(*sys.argv[1:])
