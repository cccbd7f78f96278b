"""Carry out an agreed plan: the only way to its steps, because a plan speaks of a world that may have changed since.

An operation is a plan, which anyone can make and print, and steps, which take an `Agreed` plan. Only `run_plan` makes
one: it holds the repository's lock, refuses while something is left of an operation that was killed (`recover_all`
comes first, in every door), makes the plan again and refuses what was not agreed to. The steps then announce themselves
in the journal before they are taken, and close it when nothing is left to do:

    def apply_thing(plan: ThingPlan, control: Control = QUIET) -> ThingResult:
        return run_plan(
            plan,
            control,
            doing="doing the thing",                                   # completes "Process 7 is ..."
            again=lambda repository: plan_thing(plan.folder, ...),     # the plan as it is now
            essence=lambda one: (one.worktree.head, one.paths),        # what must be as it was agreed to
            refused=lambda findings: ThingResult("refused", findings),
            steps=_steps,
        )

    def _steps(agreed: Agreed[ThingPlan]) -> ThingResult:
        entry = agreed.begin("thing", "first step", facts)
        entry = advance(agreed.sidecar_dir, entry, "second step")
        ...
        finish(agreed.sidecar_dir)

What is killed in between is brought to an end by the operation's own `recover_thing` (see recovery.py). Nothing here
knows what an operation does.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import InitVar, asdict, dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from filelock import FileLock, Timeout

from sidecar.git.process import GitError
from sidecar.git.repository import Repository, open_repository, unreadable
from sidecar.git.user_git import OPERATION_VARIABLE, UserGit, operation_tag
from sidecar.model.decode import Seconds, decode
from sidecar.model.findings import Failure, Finding, as_finding, finding, is_blocked
from sidecar.model.settings import Options
from sidecar.operations.journal import Journal, begin, left_over, pending
from sidecar.operations.records import new_id, open_sidecar_dir, sidecar_path, sweep_drafts, why_unreadable
from sidecar.system.files import read_small
from sidecar.system.processes import is_running

LONGEST_WAIT = 5.0
"""Seconds after which a lock whose holder is gone is taken for somebody else's."""

LONGEST_QUEUE, TURN = 600.0, 0.5
"""Seconds that one waits in a queue, and after which one looks again at who holds the lock."""


@contextlib.contextmanager
def hold(
    common_dir: str,
    doing: str,
    *,
    wait: float = 0.0,
    brief: bool = False,
    passing: bool = False,
    queue: Control | None = None,
) -> Iterator[Path | Finding]:
    """Hold the repository's lock, and give the sidecar directory, or the finding that says why we do not.

    `doing` completes "is ...": "merging feat-1 into main". A lock ends with its process, even a killed one. Whoever
    holds it only for a `brief` look is waited for. Who is in a `queue` waits for all that is `passing`, and for the
    others in it, until it is cancelled, but never for an operation that waits for it itself, as a hook's command would.
    """
    sidecar_dir = open_sidecar_dir(common_dir)
    if isinstance(sidecar_dir, Failure):
        yield as_finding(sidecar_dir)
        return
    lock = FileLock(sidecar_dir / "lock", thread_local=False)
    try:
        if not _acquire(lock, wait):
            inside = _is_inside(sidecar_dir, common_dir)
            if inside or not _wait(lock, sidecar_dir, queue):
                yield finding("busy", _who(sidecar_dir, inside=inside))
                return
    except OSError as error:
        yield finding("bad-state", f"{sidecar_dir / 'lock'} can't be locked: {error.strerror}.")
        return
    holder = sidecar_dir / "holder"
    try:
        sweep_drafts(sidecar_dir)
        with contextlib.suppress(OSError):
            ours = Holder(os.getpid(), doing, time.time(), brief, passing or queue is not None)
            holder.write_text(json.dumps(asdict(ours)))
        yield sidecar_dir
    finally:
        with contextlib.suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def _acquire(lock: FileLock, seconds: float) -> bool:
    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        return False
    return True


def _is_inside(sidecar_dir: Path, common_dir: str) -> bool:
    """Tell whether the operation under way has started this process, and so may wait for it."""
    tag = os.environ.get(OPERATION_VARIABLE)
    try:
        standing = pending(sidecar_dir) if tag is not None else None
    except ValueError:
        return False
    return standing is not None and operation_tag(standing.id, common_dir) == tag


def _wait(lock: FileLock, sidecar_dir: Path, queue: Control | None) -> bool:
    """Wait for who holds the lock where that is worth it; tell whether the lock is ours."""
    last = time.monotonic() + LONGEST_QUEUE
    if queue is not None and _says(sidecar_dir, "passing"):
        queue.stage("Waiting for the sidecar's other work in this repository")
    while queue is not None and not queue.cancelled() and time.monotonic() < last:
        if not _says(sidecar_dir, "passing", "brief"):
            break
        if _acquire(lock, TURN):
            return True
    return _says(sidecar_dir, "brief") and _acquire(lock, LONGEST_WAIT)


@dataclass(frozen=True, slots=True)
class Holder:
    """What a process that holds the lock says of itself: `doing` completes "is ...", the others are as in `hold`."""

    pid: int
    doing: str
    since: Seconds
    brief: bool = False
    passing: bool = False


def _read_holder(sidecar_dir: Path) -> Holder | Failure | None:
    """Read what who holds the lock says of itself; None where it says nothing, or not yet."""
    try:
        text = read_small(str(sidecar_dir / "holder"))
        return decode(Holder, json.loads(text)) if text else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        return Failure("bad-state", "it can't be read")


def _says(sidecar_dir: Path, *words: Literal["brief", "passing"]) -> bool:
    """Tell whether who holds the lock says one of these of itself, or nothing yet."""
    held = _read_holder(sidecar_dir)
    return held is None or (isinstance(held, Holder) and any(getattr(held, word) for word in words))


def patience(common_dir: str) -> float:
    """Give the seconds to wait for the lock: a process killed while it started another leaves it for a moment."""
    held = _read_holder(sidecar_path(common_dir))
    return 0.0 if isinstance(held, Holder) and is_running(held.pid) else LONGEST_WAIT


def who_holds(common_dir: str) -> Finding | None:
    """Find who holds the lock now, but for a brief look, which an operation waits for; or why nobody can tell.

    Writes nothing where nobody ever did anything.
    """
    if (why := why_unreadable(common_dir)) is not None:
        return finding("bad-state", why)
    sidecar_dir = sidecar_path(common_dir)
    if not (sidecar_dir / "holder").exists():
        return None
    taken = take_lock(sidecar_dir / "lock")
    if isinstance(taken, Timeout):
        return None if _says(sidecar_dir, "brief") else finding("busy", _who(sidecar_dir))
    if not isinstance(taken, OSError):
        taken.release()
    return None


def take_lock(file: Path) -> FileLock | OSError:
    """Take a lock to keep for as long as one likes; give the error where that fails, a Timeout where it is taken."""
    lock = FileLock(file, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except OSError as error:
        return error
    return lock


def is_under_way(common_dir: str) -> bool:
    """Tell whether an operation is at work, but for a brief look; cheap enough to be asked ten times a second."""
    held = _read_holder(sidecar_path(common_dir))
    return isinstance(held, Holder) and not held.brief and is_running(held.pid)


def _who(sidecar_dir: Path, *, inside: bool = False) -> str:
    """Say who holds the lock, since when, and what to do; `inside`: it has started this process."""
    held = _read_holder(sidecar_dir)
    if not isinstance(held, Holder):
        return "Another sidecar operation is running in this repository. Wait for it to finish, or stop it."
    since = time.strftime("%H:%M", time.localtime(held.since))
    way = "Wait for it to finish." if held.pid == os.getpid() else "Wait for it to finish, or stop it."
    if inside:
        way = "It has started this itself, from a hook say, and waits for it. Do this after it has finished."
    return f"Process {held.pid} is {held.doing[:200]} since {since}. {way}"


@dataclass(frozen=True, slots=True)
class Control:
    """Where progress goes and whether to stop: called from the operation's thread, must return at once.

    `stage` gets one sentence at the start of every stage; `output` every line that a command of the person prints.
    """

    stage: Callable[[str], None] = field(default=lambda _sentence: None)
    output: Callable[[str], None] = field(default=lambda _line: None)
    cancelled: Callable[[], bool] = field(default=lambda: False)

    def acting(self, operation_id: str, common_dir: str, *, stoppable: bool = True) -> UserGit:
        """Give how git is run for this operation; what must not stop half-way is not stoppable."""
        return UserGit(operation_id, self.output, self.cancelled if stoppable else lambda: False, common_dir)


QUIET = Control()
"""Says nothing and never stops."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Name what every plan has: where it was asked for, the common directory, how that is read, and what was seen."""

    folder: Path
    common_dir: str
    options: Options
    findings: tuple[Finding, ...] = field(default=(), kw_only=True)

    @property
    def blocked(self) -> bool:
        """Tell whether something stands in the way."""
        return is_blocked(self.findings)


P = TypeVar("P", bound=Plan)
R = TypeVar("R")

_RUNNER = object()


class RefusedError(Exception):
    """Stop the steps of an operation; `finding` says why. The operation's `apply_*` catches it."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


@dataclass(frozen=True)
class Agreed(Generic[P]):
    """A plan that is still true, while the repository's lock is held."""

    plan: P
    repository: Repository
    sidecar_dir: Path
    control: Control
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _RUNNER:
            raise TypeError("Only run_plan() agrees to a plan.")

    def begin(self, what: str, step: str, facts: Mapping[str, Any]) -> Journal:
        """Open the journal of a new operation, with its first step; OSError when it can't be written."""
        return begin(self.sidecar_dir, new_id(self.sidecar_dir, what), what, step, facts)

    def acting(self, journal: Journal, *, stoppable: bool = True) -> UserGit:
        """Give how git is run for this operation; what must not stop half-way is not stoppable."""
        return self.control.acting(journal.id, self.repository.common_dir, stoppable=stoppable)


def run_plan(
    plan: P,
    control: Control,
    *,
    doing: str,
    again: Callable[[Repository], P | Failure],
    essence: Callable[[P], object],
    refused: Callable[[tuple[Finding, ...]], R],
    steps: Callable[[Agreed[P]], R],
    queued: bool = False,
) -> R:
    """Take the steps of a plan as it is now, or give what `refused` makes of the findings that speak against it.

    `again` may raise GitError. A plan that is made under the lock only is given without findings, and with nothing in
    its essence that may change. What is `queued` waits for others that are, instead of being refused.
    """
    if is_blocked(plan.findings):
        return refused(plan.findings)
    with hold(plan.common_dir, doing, queue=control if queued else None) as sidecar_dir:
        if isinstance(sidecar_dir, Finding):
            return refused((sidecar_dir,))
        if (left := left_over(sidecar_dir)) is not None:
            return refused((left,))
        repository = open_repository(plan.folder, trust=plan.options.trusted)
        if isinstance(repository, Failure):
            return refused((as_finding(repository),))
        try:
            fresh = again(repository)
        except GitError as error:
            fresh = unreadable(error)
        if isinstance(fresh, Failure):
            return refused((as_finding(fresh),))
        findings = tuple(one for one in fresh.findings if one.code != "busy")  # it is we who hold the lock
        if is_blocked(findings):
            return refused(findings)
        if essence(fresh) != essence(plan):
            said = f"Something has changed since {doing} was planned. Look at the plan again."
            return refused((finding("changed-since", said),))
        return steps(Agreed(fresh, repository, sidecar_dir, control, _RUNNER))
