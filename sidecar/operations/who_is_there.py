"""Tell which agents are in each worktree: by their hooks, then by what their clients publish, then by processes.

A writer is who announced an edit, or must have made one. Everybody else is merely there: what a process does is not
known. Of what clients publish nothing is read but session files and the reasons of their locks, least of all the keys
that lie beside. What these say counts while its process runs, and only if that one was started before it was said:
they stay behind when a client is killed, and process ids come again.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sidecar.git.config import read_config, sidecar_keys
from sidecar.git.process import GitError, Place
from sidecar.git.repository import Repository, list_worktrees
from sidecar.model.changes import UNSTAGED, UNTRACKED
from sidecar.model.picture import Picture, Worktree, WorktreeState
from sidecar.model.settings import Value, settle
from sidecar.model.words import agents_named, ago, named, shown
from sidecar.operations.presence import CLIENTS, Agent, lately
from sidecar.system.agent_programs import client_of
from sidecar.system.files import read_regular, upwards
from sidecar.system.processes import SHELLS, Process, Program, processes_inside, program_of

Inside = Mapping[str, Sequence[Process]]
"""The processes in each worktree, by its key."""
InUse = Mapping[str, Sequence[Agent | Process]]
"""Who is in each worktree, by its key: the agents, and the processes."""
Agents = dict[str, tuple[Agent, ...]]
"""The agents in each worktree, by its key."""
Objects = dict[str, list[dict[str, Any]]]


def worktrees_of(picture: Picture) -> list[Worktree]:
    """List the worktrees of a Picture in which somebody can be."""
    return [state.worktree for state in picture.worktrees if not state.worktree.bare]


def other_agents(common_dir: str) -> tuple[str, ...]:
    """Give the setting `agents`: names of programs that are agents too, beside those that are known."""
    try:
        named = settle(sidecar_keys(read_config(Place(common_dir)), trusted=False), {})["agents"]
    except GitError:
        return ()
    return named if isinstance(named, tuple) else ()


def who_is_there(
    common_dir: str, worktrees: Sequence[Worktree], more: Collection[str], inside: Inside | None = None
) -> Agents:
    """Give the agents in each worktree, by its key: who edits first, the last to edit before the others.

    `more` are names of further programs that are agents; `inside` has the processes, for who has them already.
    """
    now = time.time()
    places = {os.path.realpath(one.key): one.key for one in worktrees}
    spoke = lately(common_dir, now)
    sessions = {agent.session: agent for agent in reversed(spoke)}
    stand = {(agent.client, agent.worktree) for agent in spoke}
    present: list[Agent] = []
    seen: set[int] = set()
    for agent in _published_agents(worktrees, more, now):
        if agent.pid in seen:
            continue
        seen.add(agent.pid)
        said = sessions.pop(agent.session, None)
        if said is None or not said.is_writer:
            present.append(agent._replace(worktree=_place(agent.worktree, places)))
    if inside is None:
        inside = processes_inside(one.key for one in worktrees)
    processes = [*_of_processes(inside, more, seen, now)]
    for agent in sorted(processes, key=lambda one: (one.client, one.worktree) not in stand):
        said = _same(agent, list(sessions.values()))
        if said is not None:
            del sessions[said.session]
        if said is None or not said.is_writer:
            present.append(agent._replace(worktree=said.worktree) if said is not None else agent)
    found: dict[str, dict[str, Agent]] = {one.key: {} for one in worktrees}
    for agent in (*(one for one in spoke if one.is_writer), *sorted(present, key=lambda one: one.since)):
        if agent.worktree in found:
            found[agent.worktree].setdefault(agent.session, agent)
    return {key: tuple(agents.values()) for key, agents in found.items() if agents}


def agents_in_picture(
    picture: Picture, more: Collection[str], inside: Inside | None = None, opened: Container[str] = ()
) -> Agents:
    """Give the agents in each worktree of a Picture, by its key, those among the writers that must have changed files.

    `more` and `inside` are as in `who_is_there`; `opened` are files (absolute paths) that were open in an editor.
    """
    worktrees = worktrees_of(picture)
    inside = processes_inside(one.key for one in worktrees) if inside is None else inside
    found = who_is_there(picture.repository, worktrees, more, inside)
    return _with_lone_writers(found, picture.worktrees, inside, opened)


def users_of(picture: Picture, asker: int | None = None, opened: Container[str] = ()) -> InUse:
    """Give who is in each worktree of a Picture; `asker` is the process that asks, this one unless given."""
    inside = processes_inside((one.key for one in worktrees_of(picture)), asker)
    agents = agents_in_picture(picture, other_agents(picture.repository), inside, opened)
    return {key: (*agents.get(key, ()), *processes) for key, processes in inside.items()}


def objects_of(users: InUse) -> tuple[Objects, Objects]:
    """Give the processes and the agents in each worktree, by its key, as `status --json` has them."""
    agents = {key: [one.as_object for one in inside if isinstance(one, Agent)] for key, inside in users.items()}
    processes = {key: [asdict(one) for one in inside if not isinstance(one, Agent)] for key, inside in users.items()}
    return processes, agents


def agents_there(picture: Picture, opened: Container[str] = ()) -> dict[str, list[dict[str, Any]]]:
    """Give the agents in each worktree of a Picture, by its key, as `status --json` has them."""
    found = agents_in_picture(picture, other_agents(picture.repository), opened=opened)
    return {key: [agent.as_object for agent in agents] for key, agents in found.items()}


def agents_of(repository: Repository, worktree: Worktree, settings: Mapping[str, Value]) -> tuple[Agent, ...]:
    """Give the agents in one worktree of a repository."""
    more = settings["agents"]
    worktrees = [one for one in list_worktrees(repository) if not one.bare]
    found = who_is_there(repository.common_dir, worktrees, more if isinstance(more, tuple) else ())
    return found.get(worktree.key, ())


def sentence_of(agents: Sequence[Agent], name: str) -> str:
    """Say which agents are in the worktree of that name: who edits, and who is merely there."""
    editing, there = [one for one in agents if one.is_writer], [one for one in agents if not one.is_writer]
    said = []
    if editing:
        who, are = agents_named([one.client for one in editing]), "is" if len(editing) == 1 else "are"
        when = ago(time.time() - editing[0].edited)
        said.append(f"{who} {are} at work in {shown(name)}: the last edit was {when}.")
    if there:
        who = named([f"{shown(one.client)} (process {one.pid})" for one in there])
        are, it = ("is", "it edits") if len(there) == 1 else ("are", "they edit")
        said.append(f"{who} {are} in {shown(name)}. Whether {it} there is not known.")
    return " ".join(said)


def agents_in(picture: Picture, names: Mapping[str, str], opened: Container[str] = ()) -> list[dict[str, Any]]:
    """Give the agents in these worktrees (their names, by key), each with the name of its worktree."""
    there = agents_there(picture, opened) if names else {}
    return [{"worktree": name, **agent} for key, name in names.items() for agent in there.get(key, ())]


def _of_processes(inside: Inside, more: Collection[str], known: Set[int], now: float) -> Iterator[Agent]:
    """Give the agents by their processes, one where a client is several; `known` are the ids of those that said so."""
    found: dict[int, Agent] = {}
    above: dict[int, tuple[int, ...]] = {}
    for key, processes in inside.items():
        for process in processes:
            program = program_of(process.pid)
            agent = _by_program(process.pid, program, key, more, now)
            if program is not None and agent is not None:
                found[process.pid], above[process.pid] = agent, program.ancestors
    for pid, agent in found.items():
        parents = [found[one] for one in above[pid] if one in found]
        is_part = any((one.client, one.worktree) == (agent.client, agent.worktree) for one in parents)
        if not is_part and not known & {pid, *above[pid]}:
            yield agent


def _by_program(pid: int, program: Program | None, key: str, more: Collection[str], now: float) -> Agent | None:
    """Give the agent in a worktree, by its key, whose program a process runs; None where that is none of an agent's."""
    client = client_of(program.file, program.arguments, more) if program is not None else None
    if program is None or client is None:
        return None
    return Agent(client, f"pid {pid}", "", key, now, 0.0, program.started, pid=pid)


def _same(agent: Agent, spoke: Sequence[Agent]) -> Agent | None:
    """Find who of those that spoke is this process: one of its client, in the same worktree if there is one."""
    same = [one for one in spoke if one.client == agent.client]
    with contextlib.suppress(ValueError):
        return min(same, key=lambda one: one.worktree != agent.worktree)
    return None


def _place(folder: str, places: Mapping[str, str]) -> str:
    """Give the worktree (key) that a folder lies in; "" where it is in none. `places` has them by real path."""
    return next((places[above] for above in upwards(os.path.realpath(folder)) if above in places), "")


CLAUDE = "Claude Code"
SESSION = re.compile(r"[0-9]{1,10}\.json")
BY_PROCESS = re.compile(r"\(pid ([0-9]{1,10})\b")
"""How clients name the process that holds a lock, in its reason: `claude session NAME (pid N start T)`."""
MOST_BYTES, MOST_FILES = 64 * 1024, 200
SLACK = 2.0
"""Seconds by which the clocks of processes, of files and of a client may differ."""


def _published_agents(worktrees: Sequence[Worktree], more: Collection[str], now: float) -> Iterator[Agent]:
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
            agent = _by_program(pid, _as_it_was(pid, said), worktree.key, more, now)
            yield from [agent] if agent is not None else []


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


MOST_CHANGED = 500
"""How many changed files of a worktree are looked at."""


def _with_lone_writers(
    found: Agents, states: Iterable[WorktreeState], inside: Inside, opened: Container[str]
) -> Agents:
    """Tell of an agent that says nothing of what it writes: files change where nobody else could have changed them.

    Quiet in any doubt. In the main worktree people edit by whatever they like, so nothing is concluded there. Gives
    the agents in each worktree, by its key, with the time of its last edit for one that must have edited.

    That is the only agent in a linked worktree, where no process is but its own family, shells, and what an editor has
    started for itself; and a file with changes that are not committed is younger than it. `opened` are the files
    (absolute paths) that were open in an editor: who changed those is not known.
    """
    edited: Agents = {}
    for state in states:
        key, agents = state.worktree.key, found.get(state.worktree.key, ())
        if len(agents) == 1 and agents[0].pid and not agents[0].is_writer and not state.worktree.main:
            moment = _last_change(state, opened)
            if moment > agents[0].since + SLACK and _is_alone(agents[0].pid, inside.get(key, ())):
                edited[key] = (agents[0]._replace(edited=moment),)
    return {**found, **edited}


def _last_change(state: WorktreeState, opened: Container[str]) -> float:
    """Give when the youngest of the files that are changed and not committed was written, 0.0 where there is none."""
    changes = [change for change in state.changes or () if not {UNSTAGED, UNTRACKED}.isdisjoint(change.sources)]
    moments = [0.0]
    for change in changes[:MOST_CHANGED]:
        path = os.path.join(state.worktree.key, change.path)
        try:
            moments += [] if path in opened else [os.lstat(path).st_mtime]
        except OSError:  # it is deleted
            continue
    return max(moments)


def _is_alone(pid: int, inside: Sequence[Process]) -> bool:
    """Tell whether a process and its family are all that could write in a worktree, of the processes in it."""
    own = program_of(pid)
    others = [one.pid for one in inside if not one.kind and one.pid != pid and one.name.lstrip("-") not in SHELLS]
    if own is None:
        return False
    programs = [program_of(other) for other in others if other not in own.ancestors]
    return all(program is None or pid in program.ancestors for program in programs)
