"""Record which agents spoke through a hook lately, and what each was told, in the sidecar directory.

It must never fail loudly, wait for long, or grow without end: a record that can't be read is none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sidecar.system.files import make_private, read_regular

try:
    import fcntl
except ImportError:  # Windows: two hooks of one edit may both tell
    fcntl = None  # type: ignore[assignment]

CLIENTS = "CLAUDE_CONFIG_DIR"
"""The variable that says where a client's files are, in which it says that it is there."""
RECENT = 15 * 60.0
"""Seconds for which an agent that does not speak any more still counts as being there."""
KEPT = 7 * 86400.0
"""Seconds for which a record of an agent is kept, so that a session that goes on is not told again."""
AHEAD = 60.0
"""Seconds by which a record may be in the future, since a clock was set; one that is further ahead is no record."""
MOST_RECORDS, MOST_TOLD, MOST_BYTES = 200, 400, 256 * 1024


class Agent(NamedTuple):
    """One agent: its client's name for people, its session and, in it, its part (a subagent's id, or empty).

    `worktree` is the path of the one it works in: of its last edit, else where it stands. `seen`, `edited` and `since`
    are seconds since 1970 of its last call, its last edit, and the first one in this worktree (0.0: none). `told` are
    the marks of what it was told. One that was found by its process has a `pid`, and `since` is when that began.
    """

    client: str
    session: str
    part: str
    worktree: str
    seen: float
    edited: float = 0.0
    since: float = 0.0
    told: tuple[str, ...] = ()
    pid: int = 0

    @property
    def is_writer(self) -> bool:
        """Tell whether it has announced an edit; who only reads is nobody's concern."""
        return self.edited > 0

    @property
    def as_object(self) -> dict[str, Any]:
        """Give what `status --json` says of who is in a worktree."""
        return {"client": self.client, "since": self.since, "edited": self.edited or None, "pid": self.pid or None}


def folder_of(common_dir: str) -> str:
    """Give the directory of the records of a repository's agents."""
    return os.path.join(common_dir, "sidecar", "agents")


def log_path(common_dir: str) -> str:
    """Name the file in which the hook notes what it did and why it failed; the one before it has `.1` at its end."""
    return os.path.join(folder_of(common_dir), "hook.log")


def speak(common_dir: str, agent: Agent, marks: Sequence[str]) -> frozenset[str]:
    """Note that an agent is there, and that it is now told what has these marks; give those that are new to it.

    `worktree` and `edited` of the note stand until the agent edits again. Raises OSError.
    """
    path = _path(common_dir, agent.session, agent.part)
    _make_folder(common_dir)
    with _locked(f"{path[:-5]}.lock"):
        known = _read(path)
        told = known.told if known is not None else ()
        new = frozenset(marks).difference(told)
        if known is None or not known.is_writer:
            agent = agent._replace(since=agent.edited)
        elif not agent.is_writer:
            agent = agent._replace(edited=known.edited, since=known.since, worktree=known.worktree)
        else:
            agent = agent._replace(since=known.since if known.worktree == agent.worktree else agent.edited)
        kept = (*told, *(mark for mark in dict.fromkeys(marks) if mark in new))[-MOST_TOLD:]
        _write(path, agent._replace(told=kept))
    if known is None:
        _sweep(common_dir)
    return new


def leave(common_dir: str, session: str) -> None:
    """Forget the presence of a session and its parts; what they were told stays known. Raises OSError."""
    for agent, path in _records(common_dir):
        if agent.session == session:
            with _locked(f"{path[:-5]}.lock"):
                _write(path, agent._replace(seen=min(agent.seen, time.time() - RECENT - 1)))


def others(common_dir: str, session: str, now: float) -> list[Agent]:
    """List the agents of other sessions that spoke lately, the last to edit first."""
    return [agent for agent in lately(common_dir, now) if agent.session != session]


def colliding(agents: Sequence[Agent]) -> tuple[Agent, ...]:
    """Give those in one worktree of whom each, and another one, has edited since the other began: none, or several.

    A session that took over from another is none of them.
    """
    return tuple(
        one for one in agents if any(one.since < two.edited and two.since < one.edited for two in agents if two != one)
    )


def last_heard(common_dir: str) -> dict[str, float]:
    """Give when each client last called a hook, in seconds since 1970, by its name for people; of the last days."""
    found: dict[str, float] = {}
    for agent, path in _records(common_dir):
        with contextlib.suppress(OSError):
            found[agent.client] = max(found.get(agent.client, 0.0), os.stat(path).st_mtime)
    return found


def lately(common_dir: str, now: float) -> list[Agent]:
    """List the agents that spoke lately, the last to edit first."""
    found = [agent for agent, _ in _records(common_dir, now - RECENT) if -AHEAD < now - agent.seen < RECENT]
    return sorted(found, key=lambda agent: (-agent.edited, -agent.seen))


def _records(common_dir: str, since: float = 0.0) -> Iterator[tuple[Agent, str]]:
    """Read (agent, path of its record) of the records that were written since, in seconds since 1970."""
    folder = folder_of(common_dir)
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names[: 2 * MOST_RECORDS]:
        path = os.path.join(folder, name)
        with contextlib.suppress(OSError):
            if name.endswith(".json") and os.stat(path).st_mtime >= since and (agent := _read(path)) is not None:
                yield agent, path


def _read(path: str) -> Agent | None:
    """Read the record of that path; None where there is none, or it is not as we write them."""
    try:
        record = json.loads(read_regular(path, MOST_BYTES))
        client, session, part, worktree = (record[name] for name in ("client", "session", "part", "worktree"))
        seen, edited, since = (float(record.get(name, record["edited"])) for name in ("seen", "edited", "since"))
        edited, since = min(edited, seen), min(since, edited, seen)
        told = tuple(mark for mark in record["told"] if isinstance(mark, str))[-MOST_TOLD:]
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    is_text = all(isinstance(text, str) for text in (client, session, part, worktree))
    is_time = all(map(math.isfinite, (seen, edited, since)))
    return Agent(client, session, part, worktree, seen, edited, since, told) if is_text and is_time else None


def _write(path: str, agent: Agent) -> None:
    """Put the record there as a whole or not at all; after a crash of the machine it may be the one before."""
    beside = f"{path}.{os.getpid()}.new"
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        with open(descriptor, "w", encoding="ascii") as file:
            json.dump(agent._asdict(), file)
        os.replace(beside, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise


def _path(common_dir: str, session: str, part: str) -> str:
    name = hashlib.sha256(f"{session}\0{part}".encode("utf-8", "surrogateescape")).hexdigest()[:24]
    return os.path.join(folder_of(common_dir), f"{name}.json")


def _make_folder(common_dir: str) -> None:
    """Make the sidecar directory and ours in it, for the user alone; OSError where they lead elsewhere."""
    for folder in (os.path.join(common_dir, "sidecar"), folder_of(common_dir)):
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        if (said := make_private(folder)) is not None:
            raise OSError(said)


@contextlib.contextmanager
def _locked(path: str) -> Iterator[None]:
    """Hold the lock of one record: a client may start several hooks for one edit at the same time."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sweep(common_dir: str) -> None:
    """Delete what is old, or left of a killed hook, and the oldest beyond `MOST_RECORDS`."""
    folder, now = folder_of(common_dir), time.time()
    aged: list[tuple[float, str]] = []
    for name in os.listdir(folder):
        if name.endswith((".json", ".lock", ".new")):
            with contextlib.suppress(OSError):
                aged.append((os.stat(os.path.join(folder, name)).st_mtime, os.path.join(folder, name)))
    aged.sort(reverse=True)
    for number, (changed, path) in enumerate(aged):
        limit = 60.0 if path.endswith(".new") else KEPT
        if now - changed > limit or number >= 2 * MOST_RECORDS:
            with contextlib.suppress(OSError):
                os.unlink(path)
