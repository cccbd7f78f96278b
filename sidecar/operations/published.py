"""Read where agents' clients themselves say that they are at work: session files, and the reasons of their locks.

Nothing but these is read, least of all the keys that lie beside. What they say counts while its process runs, and only
if that one was started before it was said: they stay behind when a client is killed, and process ids come again.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from sidecar.model.picture import Worktree
from sidecar.operations.presence import CLIENTS, Agent
from sidecar.system.agent_programs import client_of
from sidecar.system.files import read_regular
from sidecar.system.processes import Program, program_of

CLAUDE = "Claude Code"
SESSION = re.compile(r"[0-9]{1,10}\.json")
BY_PROCESS = re.compile(r"\(pid ([0-9]{1,10})\b")
"""How clients name the process that holds a lock, in its reason: `claude session NAME (pid N start T)`."""
MOST_BYTES, MOST_FILES = 64 * 1024, 200
SLACK = 2.0
"""Seconds by which the system's and a client's idea of when a process began may differ."""


def published_agents(worktrees: Sequence[Worktree], more: Collection[str], now: float) -> Iterator[Agent]:
    """Give the agents that say where they are, each with its process; `worktree` is the folder that it names.

    `more` are names of further programs that are agents.
    """
    yield from _claude_sessions(now)
    for worktree in worktrees:
        named = BY_PROCESS.search(worktree.locked or "")
        if named is None:
            continue
        with contextlib.suppress(OSError):
            pid, said = int(named[1]), os.stat(os.path.join(worktree.git_dir, "locked")).st_mtime
            program = _as_it_was(pid, said)
            client = client_of(program.file, program.arguments, more) if program is not None else None
            if program is not None and client is not None:
                yield Agent(client, f"pid {pid}", "", worktree.key, now, 0.0, program.started, pid=pid)


def _claude_sessions(now: float) -> Iterator[Agent]:
    """Read `~/.claude/sessions/PID.json`, whose folder follows the session into its worktree."""
    own = os.environ.get(CLIENTS)
    folder = os.path.join(own or os.path.join(Path.home(), ".claude"), "sessions")
    try:
        names = [name for name in os.listdir(folder) if SESSION.fullmatch(name)]
    except OSError:
        return
    for name in names[:MOST_FILES]:
        try:
            said = json.loads(read_regular(os.path.join(folder, name), MOST_BYTES))
            session, cwd, began = str(said["sessionId"]), str(said["cwd"]), float(said["startedAt"]) / 1000
            pid, program = int(name[:-5]), _as_it_was(int(name[:-5]), began)
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            continue
        if program is not None and _is_claude(program) and os.path.isabs(cwd) and "\0" not in cwd:
            yield Agent(CLAUDE, session, "", cwd, now, 0.0, program.started, pid=pid)


def _is_claude(program: Program) -> bool:
    """Tell a client, whatever it is packed in, from who has its id here: a container counts its processes itself."""
    return any("claude" in word.lower() for word in (program.file, *program.arguments))


def _as_it_was(pid: int, said: float) -> Program | None:
    """Give a running process that has run since before a moment, in seconds since 1970."""
    program = program_of(pid)
    return program if program is not None and program.started <= said + SLACK else None
