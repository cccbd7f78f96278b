"""An operation that ends itself by SIGKILL at its n-th step, in a process of its own.

`python -m tests.harness.ending release|restore|move|keep|go-back|uninstall|recover FOLDER ARGUMENT POINT
[every|changes]`; steps are writes of the journal, with `every` also moves, deletions and git's writing of refs, each
once before and once after. With `changes` they are all that Python itself is about to change below the directory above
FOLDER, and every start of a program (sys.audit). A point beyond the last lets it end.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sidecar.git.repository import list_worktrees, open_repository
from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations import branches, journal, kept_refs
from sidecar.operations import move as moving
from sidecar.operations import open as opening
from sidecar.operations import setup as setting_up
from sidecar.operations.guard import restore as bringing_back
from sidecar.operations.guard.browse import find_state
from sidecar.operations.guard.rewind import apply_rewind, keep_now, plan_rewind, with_present
from sidecar.operations.guard.states import State
from sidecar.operations.merge import backup as moving_files
from sidecar.operations.recovery import recover_all
from sidecar.operations.release import apply, thinning, trash
from sidecar.operations.release import restore as restoring
from sidecar.operations.release.apply import apply_release
from sidecar.operations.release.plan import plan_release
from sidecar.operations.restore import restore
from sidecar.operations.run import QUIET
from sidecar.operations.uninstall import apply_uninstall, plan_uninstall
from tests.harness.writing_modules import is_change

HOUSE = Path(__file__).resolve().parent.parent.parent
ALLOWED = frozenset({"uncommitted", "untracked", "not-integrated", "unreachable-commits"})


def run_and_end(
    what: str, folder: Path, argument: str, point: int, *, every: bool = False, changes: bool = False
) -> bool:
    """Whether it was ended at this point; False when it had fewer."""
    command = [sys.executable, "-m", "tests.harness.ending", what, str(folder), argument, str(point)]
    command += ["changes"] if changes else ["every"] if every else []
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


def _before_changes(top: str, passing: Callable[[], None]) -> Callable[[str, tuple[object, ...]], None]:
    """Make an audit hook that passes a step before each change below a directory and each start of a program."""

    def hook(event: str, args: tuple[object, ...]) -> None:
        if event == "subprocess.Popen" or is_change(event, args, top):
            passing()

    return hook


def keep_present(folder: Path, name: str) -> State | Failure:
    """Keep the present state of a worktree, as an operation does before it changes something there."""
    repository = open_repository(folder)
    assert not isinstance(repository, Failure), repository
    worktree = next(one for one in list_worktrees(repository) if one.name == name)
    return with_present(repository, worktree, Options(), keep_now)


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
        (branches, "run"),
        (kept_refs, "run"),
        (kept_refs, "run_for_status"),
        (apply, "write_anchor"),
        (apply, "write_receipt"),
        (apply, "delete_inside"),
        (apply, "set_aside"),
        (apply, "bring_home"),
        (thinning, "set_aside"),
        (thinning, "_delete_files"),
        (thinning, "_write_file"),
        (restoring, "write_receipt"),
        (restoring, "copy_folder"),
        (restoring, "link"),
        (trash, "_sweep"),
        (bringing_back, "run"),
        (moving, "run_user_git"),
        (moving_files, "_give"),
    ]
    if what == "move":
        others += [(os, "replace"), (os, "unlink")]
    if what == "open":
        others = [(opening, "run_user_git"), (os, "link"), (os, "unlink")]
        others += [(setting_up, name) for name in ("write_new", "write_record", "run_shell")]
    if every == "changes":
        sys.addaudithook(_before_changes(os.path.dirname(folder), passing))
    else:
        for module, name in (*places, *(others if every else ())):
            setattr(module, name, _count(getattr(module, name), passing))
    options = Options()
    if what == "release":
        plan = plan_release(Path(folder), argument, options, ALLOWED)
        assert not isinstance(plan, Failure), plan
        result = apply_release(plan)
        assert result.outcome == "released", result
    elif what == "open":
        planned = opening.plan_open(Path(folder), argument, None, options)
        assert not isinstance(planned, Failure), planned
        made = opening.apply_open(planned)
        assert made.outcome == "opened", made
    elif what == "move":
        move = moving.plan_move(Path(folder), argument, options)
        assert not isinstance(move, Failure), move
        moved = moving.apply_move(move)
        assert moved.outcome == "opened", moved
    elif what == "restore":
        back = restore(Path(folder), argument, options)
        assert not isinstance(back, Failure), back
        assert back.outcome == "restored", back
    elif what == "uninstall":
        removal = plan_uninstall(Path(folder), options)
        assert not isinstance(removal, Failure), removal
        removed = apply_uninstall(removal)
        assert removed.outcome == "uninstalled", removed
    elif what == "keep":
        kept = keep_present(Path(folder), argument)
        assert not isinstance(kept, Failure), kept
    elif what == "go-back":
        found = find_state(Path(folder), argument, options)
        assert not isinstance(found, Failure), found
        plan_back = plan_rewind(found, found.states[0], options)
        assert not isinstance(plan_back, Failure), plan_back
        went = apply_rewind(plan_back, QUIET)
        assert went.outcome == "restored", went
    else:
        recover_all(Path(folder))


if __name__ == "__main__":
    _main(*sys.argv[1:])
