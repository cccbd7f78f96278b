"""Tell which agents are in each worktree: by their hooks, then by what their clients publish, then by processes.

A writer is who announced an edit, or must have made one (`lone_writers.py`). Everybody else is merely there: what a
process does is not known.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection, Container, Iterator, Mapping, Sequence, Set
from dataclasses import asdict
from typing import Any

from sidecar.git.config import read_config, sidecar_keys
from sidecar.git.process import GitError, Place
from sidecar.git.repository import Repository, list_worktrees
from sidecar.model.picture import Picture, Worktree
from sidecar.model.settings import Value, settle
from sidecar.model.words import agents_named, ago, named, shown
from sidecar.operations.lone_writers import with_lone_writers
from sidecar.operations.presence import Agent, lately
from sidecar.operations.published import published_agents
from sidecar.system.agent_programs import client_of
from sidecar.system.files import upwards
from sidecar.system.processes import Process, processes_inside, program_of

Inside = Mapping[str, Sequence[Process]]
"""The processes in each worktree, by its key."""
InUse = Mapping[str, Sequence[Agent | Process]]
"""Who is in each worktree, by its key: the agents, and the processes."""
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
) -> dict[str, tuple[Agent, ...]]:
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
    for agent in published_agents(worktrees, more, now):
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
) -> dict[str, tuple[Agent, ...]]:
    """Give the agents in each worktree of a Picture, by its key, those among the writers that must have changed files.

    `more` and `inside` are as in `who_is_there`; `opened` are files (absolute paths) that were open in an editor.
    """
    worktrees = worktrees_of(picture)
    inside = processes_inside(one.key for one in worktrees) if inside is None else inside
    found = who_is_there(picture.repository, worktrees, more, inside)
    return with_lone_writers(found, picture.worktrees, inside, opened)


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
            client = client_of(program.file, program.arguments, more) if program is not None else None
            if program is None or client is None:
                continue
            session = f"pid {process.pid}"
            found[process.pid] = Agent(client, session, "", key, now, 0.0, program.started, pid=process.pid)
            above[process.pid] = program.ancestors
    for pid, agent in found.items():
        parents = [found[one] for one in above[pid] if one in found]
        is_part = any((one.client, one.worktree) == (agent.client, agent.worktree) for one in parents)
        if not is_part and not known & {pid, *above[pid]}:
            yield agent


def _same(agent: Agent, spoke: Sequence[Agent]) -> Agent | None:
    """Find who of those that spoke is this process: one of its client, in the same worktree if there is one."""
    same = [one for one in spoke if one.client == agent.client]
    with contextlib.suppress(ValueError):
        return min(same, key=lambda one: one.worktree != agent.worktree)
    return None


def _place(folder: str, places: Mapping[str, str]) -> str:
    """Give the worktree (key) that a folder lies in; "" where it is in none. `places` has them by real path."""
    return next((places[above] for above in upwards(os.path.realpath(folder)) if above in places), "")
