"""Tell of an agent that says nothing of what it writes: files change where nobody else is who could have changed them.

Quiet in any doubt. In the main worktree people edit by whatever they like, so nothing is concluded there.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Mapping, Sequence

from sidecar.model.changes import UNSTAGED, UNTRACKED
from sidecar.model.picture import WorktreeState
from sidecar.operations.presence import Agent
from sidecar.system.processes import SHELLS, Process, program_of

MOST_FILES = 500
"""How many changed files of a worktree are looked at."""
SLACK = 2.0
"""Seconds by which a file must be younger than the agent: the clocks of processes and of files differ."""

Agents = dict[str, tuple[Agent, ...]]


def with_lone_writers(
    found: Agents, states: Iterable[WorktreeState], inside: Mapping[str, Sequence[Process]], opened: Container[str]
) -> Agents:
    """Give the agents in each worktree, by its key, with the time of its last edit for one that must have edited.

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
    for change in changes[:MOST_FILES]:
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
